// The lines of salt along one arm: a mark across the river for each, and their figures below it.

import { onActivate, setAttribute, setText, svg } from "./dom.ts";
import { LEVELS_G_L, levelText, type SaltLine, standing } from "./salt.ts";
import type { Moment } from "./view.ts";

/** Room for the figures below the labels, or below the river itself, in letter units. */
export const SALT_HEIGHT = 1.25;
export const SALT_BESIDE_RIVER = 0.35;

const HIGH = 0.85;
const LOW = 0.35;

export interface Place {
  /** px of one letter unit. */
  u: number;
  seaX: number;
  x(km: number): number;
  /** Of the river, px. */
  y: number;
  /** What stands between the river and the figures, px. */
  below_px: number;
}

export class SaltMarks {
  readonly group: SVGGElement;
  private readonly lines = svg("g", { "aria-hidden": "true" });
  private readonly text: SVGTextElement;
  private readonly levels: SVGTSpanElement[];
  private key: string | null = null;

  constructor(
    readonly mouth: string,
    private readonly place: Place,
    choose: (key: string) => void,
  ) {
    const { u, seaX, y, below_px } = place;
    this.levels = LEVELS_G_L.map((level) => svg("tspan", { class: `salt-${level}` }));
    const beside = below_px === 0 ? SALT_BESIDE_RIVER : 0;
    const at = { x: seaX - 0.6 * u, y: y + below_px + (0.95 + beside) * u };
    this.text = svg("text", { ...at, class: "salt-text", "data-testid": `salt-${mouth}` });
    this.text.append(...this.levels);
    this.group = svg("g", { class: "salt", role: "button", tabindex: 0 }, this.lines, this.text);
    onActivate(this.group, () => {
      if (this.key !== null) choose(this.key);
    });
  }

  update(lines: readonly SaltLine[], at: Moment): void {
    const texts = LEVELS_G_L.map((level) => levelText(lines, level, at)).filter(Boolean);
    this.levels.forEach((span, n) => {
      const text = texts[n] ?? "";
      setText(span, text !== "" && n > 0 ? `  ·  ${text}` : text);
    });
    setAttribute(this.group, "visibility", texts.length === 0 ? "hidden" : null);
    setAttribute(this.group, "aria-label", texts.join("; "));
    const drawn = lines.filter((line) => line.km.value !== null);
    const live = drawn.some(standing);
    setAttribute(this.group, "class", live ? "salt" : "salt old");
    this.key = (drawn.find(standing) ?? drawn[0])?.km.key ?? null;
    this.draw(drawn.filter(standing));
  }

  /** An old line has no place on the river of now: it is told in words alone. */
  private draw(lines: readonly SaltLine[]): void {
    const { u, x, y } = this.place;
    const marks = lines.flatMap((line) => {
      const at = x(line.km.value ?? 0);
      const kind = `mark salt-${line.level_g_l} ${line.basis}`;
      const bar = svg("path", { class: kind, d: `M${at},${y - HIGH * u} V${y + LOW * u}` });
      // Upstream is on the left, and there the truth is where it is beyond the last station.
      const level = String(line.level_g_l);
      const { bound } = line.km;
      const sign = bound === "above" ? `◂${level}` : bound === "below" ? `${level}▸` : level;
      const label = svg("text", { class: `sign ${line.basis}`, x: at + 0.2 * u, y: y - 0.3 * u });
      setText(label, sign);
      return [bar, label];
    });
    const shape = marks.map((mark) => mark.outerHTML).join("");
    if (this.lines.innerHTML !== shape) this.lines.replaceChildren(...marks);
  }
}
