// The lines of salt along one arm: a mark across the river for each, and beside its mouth how far
// up they stand, against the same tide the day before.

import { onActivate, setAttribute, setText, svg } from "./dom.ts";
import { decimal } from "./format.ts";
import { mouthName } from "./layout.ts";
import { changeText, kmText, LEVELS_G_L, levelText, type SaltLine, standing } from "./salt.ts";
import type { Moment } from "./view.ts";
import { type Language, unitOf, word } from "./words.ts";

/** The figures beside a mouth, in letter units. */
export const BLOCK_WIDTH = 19.0;
const NAME_HEIGHT = 1.65;
const LINE_HEIGHT = 2.28;
/** A block without lines of salt is its mouth's name alone. */
export const blockHeight = (salty: boolean): number =>
  NAME_HEIGHT + (salty ? LEVELS_G_L.length * LINE_HEIGHT : 0) + 0.2;

const HIGH = 0.95;
const LOW = 0.75;

export interface Place {
  /** px of one letter unit. */
  u: number;
  seaX: number;
  x(km: number): number;
  /** Of the river, px. */
  y: number;
  /** Where the figures beside the mouth begin, px. */
  top: number;
}

interface Line {
  swatch: SVGRectElement;
  text: SVGTextElement;
  level: SVGTSpanElement;
  km: SVGTSpanElement;
  unit: SVGTSpanElement;
  change: SVGTSpanElement;
}

export class SaltMarks {
  readonly group: SVGGElement;
  private readonly lines = svg("g", { "aria-hidden": "true" });
  /** What can be pressed: the figures, not their marks on the river. */
  private readonly block = svg("g", { class: "block" });
  private readonly title = svg("title");
  private readonly texts: Line[];
  private key: string | null = null;

  constructor(
    readonly mouth: string,
    private readonly place: Place,
    choose: (key: string) => void,
  ) {
    const { u, seaX, top } = place;
    const left = seaX + 0.9 * u;
    const name = svg("text", { class: "mouth", x: left, y: top + 1.4 * u }, mouthName(mouth));
    this.texts = LEVELS_G_L.map((level, n) => {
      const y = top + (NAME_HEIGHT + (n + 0.82) * LINE_HEIGHT) * u;
      const parts = ["level", "km", "unit", "change"].map((part) => svg("tspan", { class: part }));
      const [level_, km, unit, change] = parts as [SVGTSpanElement, ...SVGTSpanElement[]];
      // A blank in small letters does not part them enough from the large ones that follow.
      setAttribute(parts[1] as SVGTSpanElement, "dx", 0.15 * u);
      const text = svg("text", { class: `salt-text salt-${level}`, x: left + 0.55 * u, y }, ...parts);
      const box = { x: left, y: y - 1.7 * u, width: 0.28 * u, height: 1.95 * u };
      const swatch = svg("rect", { class: `swatch salt-${level}`, ...box });
      return { swatch, text, level: level_, km, unit, change } as Line;
    });
    const shown = this.texts.flatMap(({ swatch, text }) => [swatch, text, " "]);
    this.block.append(this.title, name, " ", ...shown);
    this.group = svg("g", { class: "salt", "data-testid": `salt-${mouth}` }, this.lines, this.block);
    onActivate(this.block, () => {
      if (this.key !== null) choose(this.key);
    });
  }

  /** `rise` tells how much farther up a line stands than the day before, km. */
  update(
    lines: readonly SaltLine[],
    rise: (line: SaltLine) => number | null,
    at: Moment,
  ): void {
    const drawn = lines.filter((line) => line.km.value !== null);
    const texts = LEVELS_G_L.map((level) => levelText(lines, level, at)).filter(Boolean);
    LEVELS_G_L.forEach((level, n) => {
      const own = drawn.filter((line) => line.level_g_l === level);
      const line = own.find(({ basis }) => basis === "now") ?? own[0] ?? null;
      const up = line === null ? null : rise(line);
      this.write(this.texts[n] as Line, level, line, up, at.language);
      const told = up === null ? "" : riseSentence(level, up, at.language);
      if (told !== "") texts.push(told);
    });
    setText(this.title, texts.join("; "));
    const some = texts.length > 0;
    setAttribute(this.block, "role", some ? "button" : null);
    setAttribute(this.block, "tabindex", some ? 0 : null);
    // The name begins with what stands there, for those who speak to the machine.
    const drawnText = this.texts.map(({ text }) => text.textContent).filter(Boolean);
    const name = [[mouthName(this.mouth), ...drawnText].join(" "), ...texts].join("; ");
    setAttribute(this.block, "aria-label", some ? name : null);
    const live = drawn.some(standing);
    setAttribute(this.group, "class", live || !some ? "salt" : "salt old");
    this.key = (drawn.find(standing) ?? drawn[0])?.km.key ?? null;
    this.draw(drawn.filter(standing));
  }

  private write(
    to: Line,
    level: number,
    line: SaltLine | null,
    rise: number | null,
    language: Language,
  ): void {
    const hidden = line === null ? "hidden" : null;
    setAttribute(to.swatch, "visibility", hidden);
    setAttribute(to.text, "visibility", hidden);
    const old = line !== null && !standing(line);
    setAttribute(to.text, "class", `salt-text salt-${level}${old ? " old" : ""}`);
    setText(to.level, line === null ? "" : `${level} ${unitOf("salinity_g_l", "g/L", language)} `);
    setText(to.km, line === null ? "" : kmText(line, language));
    setText(to.unit, line === null ? "" : " km");
    const change = old ? ` ${word("salt_old", language)}` : changeText(rise, language);
    setText(to.change, line === null ? "" : change);
  }

  /** An old line has no place on the river of now: it is told in words alone. */
  private draw(lines: readonly SaltLine[]): void {
    const { u, x, y } = this.place;
    const marks = lines.flatMap((line) => {
      const at = x(line.km.value ?? 0);
      const kind = `mark salt-${line.level_g_l} ${line.basis}`;
      const bar = svg("path", { class: kind, d: `M${at},${y - HIGH * u} V${y + LOW * u}` });
      if (line.basis === "max") return [bar];
      // Upstream is on the left, and there the truth is where it is beyond the last station.
      const level = String(line.level_g_l);
      const { bound } = line.km;
      const sign = bound === "above" ? `◂${level}` : bound === "below" ? `${level}▸` : level;
      // 1 g/l is never below 4: their signs stand on either side, also where both are one bound.
      const [side, anchor] = line.level_g_l === 4 ? [0.3, "start"] : [-0.3, "end"];
      const place = { x: at + side * u, y: y - 0.45 * u, "text-anchor": anchor };
      const label = svg("text", { class: `sign ${line.basis}`, ...place });
      setText(label, sign);
      return [bar, label];
    });
    const shape = marks.map((mark) => mark.outerHTML).join("");
    if (this.lines.innerHTML !== shape) this.lines.replaceChildren(...marks);
  }
}

function riseSentence(level: number, rise_km: number, language: Language): string {
  const key = rise_km < 0 ? "salt_lower" : "salt_higher";
  return word(key, language, { level, n: decimal(Math.abs(rise_km), 1, language) });
}
