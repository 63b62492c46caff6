// The map's legend and its arrow to the north.

import { el, setAttribute, setText, svg } from "./dom.ts";
import { limit } from "./format.ts";
import { BANDS_G_L } from "./model.ts";
import { LEVELS_G_L } from "./salt.ts";
import { type Language, type Word, word } from "./words.ts";

export class Legend {
  readonly place = el("details", { class: "geo-legend panel", "data-testid": "map-legend" });
  private readonly title = el("summary");
  private readonly rows = el("ul");
  private drawn = "";

  constructor(open: boolean) {
    this.place.open = open;
    this.place.append(this.title, this.rows);
  }

  update(language: Language): void {
    if (this.drawn === language) return;
    this.drawn = language;
    setText(this.title, word("map_legend", language));
    const row = (sign: string, text: string, more: Record<string, string | number> = {}): HTMLElement =>
      el("li", { ...more }, el("i", { class: sign, "aria-hidden": "true" }), text);
    const bands = [0, 1, 2, 3, 4].map((band) => {
      const name = word(`band_${band}` as Word, language);
      return row("geo-dot", word("map_band", language, { range: rangeOf(band, language), name }), {
        "data-degree": band,
      });
    });
    const salt = LEVELS_G_L.map((level) =>
      row(`geo-bar geo-bar-${level}`, word("map_salt", language, { level })),
    );
    this.rows.replaceChildren(
      el("li", { class: "geo-head" }, word("map_salinity", language)),
      ...bands,
      row("geo-dot", word("map_old", language), { "data-look": "stale" }),
      row("geo-dot", word("map_bridge", language), { "data-kind": "bridge" }),
      row("geo-badge", word("map_alert", language), { "data-severity": "critical" }),
      ...salt,
    );
  }
}

/** "≤ 0,5", "0,5–1", "> 4" */
function rangeOf(band: number, language: Language): string {
  const told = (value: number): string => limit(value, "salinity_g_l", language);
  const [low, high] = [BANDS_G_L[band - 1], BANDS_G_L[band]];
  if (low === undefined) return `≤ ${told(high ?? 0)}`;
  return high === undefined ? `> ${told(low)}` : `${told(low)}–${told(high)}`;
}

export class North {
  readonly place = el("div", { class: "geo-north", role: "img" });
  private readonly letter = svg("text", { x: 12, y: 38, "text-anchor": "middle" });

  constructor() {
    const arrow = svg("path", { d: "M12 1 L19 24 L12 19 L5 24 Z" });
    this.place.append(svg("svg", { viewBox: "0 0 24 40", "aria-hidden": "true" }, arrow, this.letter));
  }

  update(language: Language): void {
    setAttribute(this.place, "aria-label", word("map_north", language));
    setText(this.letter, word("map_north_letter", language));
  }
}
