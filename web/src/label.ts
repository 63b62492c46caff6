// What the schematic says of one station. A large label has a figure to be read from across the
// room, the change against yesterday and a bar of the bands; a small one a name and a short
// figure. That all is fresh is said once, in the top line: a label tells its age when it is not.

import { setAttribute, setText, svg, textWidth } from "./dom.ts";
import { decimal, figure } from "./format.ts";
import { shortName } from "./layout.ts";
import { bandOf, placeOnBar, type Reading, type Station } from "./model.ts";
import { telling } from "./before.ts";
import { type Look, lookOf, type Moment, shortAge, spoken } from "./view.ts";
import { type Language, word } from "./words.ts";

/** How a label is drawn: large or small, and with a line for what is wrong or without. */
export interface Tier {
  large: boolean;
  marked: boolean;
}

/** Lengths in letter units (rem) at full size: 1.75 is 28 px of a wall of 1080 lines. */
const LARGE = { name: 1.5, value: 2.5, change: 1.4, baseline: 3.55, age: 4.62, height: 4.75 };
const SMALL = { name: 1.25, value: 1.75, change: 1.15, baseline: 2.85, age: 4.05, height: 3.25 };
const AGE = 1.2;
const AGE_HEIGHT = 1.1;

const sizes = ({ large }: Tier) => (large ? LARGE : SMALL);

export interface Label {
  station: Station;
  tier: Tier;
  group: SVGGElement;
  title: SVGTitleElement;
  leader: SVGPathElement;
  back: SVGRectElement;
  name: SVGTextElement;
  dot: SVGCircleElement;
  value: SVGTextElement;
  change: SVGTextElement;
  age: SVGTextElement;
  bar: SVGRectElement[];
  pointer: SVGPathElement;
  hatch: SVGRectElement;
  barX: number;
  barWidth: number;
  barBottom: number;
}

/** What is wrong with a figure, as a sign; as in the line of devices that are late or lost. */
const SIGNS: Partial<Record<Look, string>> = {
  ...{ late: "◔", stale: "▨", lost: "○", bad: "✕" },
};

/** Whether the screen must say more of a reading than its figure. */
export function marked(reading: Reading | null): boolean {
  if (reading === null || reading.value === null) return reading?.st === "maintenance";
  return lookOf(reading) !== "good" || reading.flag !== 1 || reading.simulated;
}

function figureWidth(size: number): number {
  return Math.max(textWidth("0,00", size, 600), textWidth("00,0", size, 600));
}

/** Width and height of a label, px of which `u` are one letter unit. */
export function sizeOf(
  station: Station,
  tier: Tier,
  u: number,
  language: Language,
): { width: number; height: number } {
  const at = sizes(tier);
  const name = textWidth(shortName(station.name), at.name * u, tier.large ? 600 : 400);
  const change = textWidth(tier.large ? "▲0,00" : "▲", at.change * u, 400) + 0.3 * u;
  const figures = figureWidth(at.value * u) + change;
  const told = word("short_lost", language, { age: word("under_a_minute", language) });
  const age = tier.marked ? textWidth(told, AGE * u, 400) : 0;
  const line = tier.marked && !tier.large ? AGE_HEIGHT : 0;
  return { width: Math.max(name, figures, age) + 1.1 * u, height: (at.height + line) * u };
}

/** A label outlives the drawings in which it stands: what looks at it keeps it. */
export function makeLabel(station: Station): Label {
  const drawn = {
    // All of it in a sentence, for a tooltip; what passes with time is its age.
    title: svg("title", { "data-testid": "age" }),
    leader: svg("path", { class: "leader" }),
    back: svg("rect", { class: "back" }),
    name: svg("text", { class: "name" }),
    value: svg("text", { class: "value", "data-testid": "value" }),
    change: svg("text", { class: "change" }),
    bar: [0, 1, 2, 3, 4].map(() => svg("rect")),
    pointer: svg("path", { class: "pointer" }),
    hatch: svg("rect", { class: "hatch", fill: "url(#stale-hatch)" }),
    age: svg("text", { class: "age", "data-testid": "age" }),
    dot: svg("circle", { class: "dot" }),
  };
  setText(drawn.name, shortName(station.name));
  const role = { role: "button", tabindex: 0, "data-testid": `station-${station.id}`, lang: "vi" };
  const { title, leader, back, name, value, change, bar, pointer, hatch, age, dot } = drawn;
  const words = [name, " ", value, " ", change, " "]; // spaces for those who read them
  const group = svg("g", { class: "station", ...role }, title, leader, back, ...words);
  group.append(...bar, pointer, hatch, age, dot);
  const tier = { large: false, marked: false };
  return { station, tier, group, ...drawn, barX: 0, barWidth: 0, barBottom: 0 };
}

/** Where a label stands, its size and that of its letters, px; `dotX`, `dotY` are its place. */
export interface Site {
  u: number;
  x: number;
  y: number;
  width: number;
  height: number;
  dotX: number;
  dotY: number;
  /** On which of its edges the way to its place begins, px. */
  edge: number;
}

export function lay(label: Label, tier: Tier, site: Site): void {
  const { u, x, y, width, height, dotX, dotY } = site;
  const at = sizes(tier);
  const left = x + 0.45 * u;
  const barWidth = width - 1.1 * u;
  const barBottom = y + 4.35 * u;
  const set = (node: Element, to: Record<string, string | number>): void => {
    for (const [name, value] of Object.entries(to)) setAttribute(node, name, value);
  };
  set(label.name, { x: left, y: y + (at.name - 0.1) * u });
  set(label.value, { x: left, y: y + at.baseline * u });
  const beside = left + figureWidth(at.value * u) + 0.25 * u;
  set(label.change, { x: beside, y: y + at.baseline * u });
  set(label.age, { x: left, y: y + at.age * u });
  label.bar.forEach((part, n) => {
    const [partX, wide] = [left + (n * barWidth) / 5, barWidth / 5 - 0.12 * u];
    set(part, { x: partX, y: barBottom - 0.45 * u, width: wide, height: 0.45 * u });
  });
  set(label.hatch, { x: left - 0.15 * u, width: barWidth + 0.3 * u });
  set(label.hatch, { y: y + (at.baseline - 0.85 * at.value) * u, height: at.value * u });
  set(label.back, { x: x + 0.1 * u, y, width: width - 0.2 * u, height, rx: 0.35 * u });
  set(label.dot, { cx: dotX, cy: dotY, r: (tier.large ? 0.55 : 0.4) * u });
  const end = Math.min(Math.max(dotX, x + u), x + width - u);
  set(label.leader, { d: `M${dotX},${dotY} L${end},${site.edge}` });
  Object.assign(label, { tier, barX: left, barWidth, barBottom });
}

/** `rise` is g/L above the same tide the day before; null where it is not known. */
export function write(
  label: Label,
  reading: Reading | null,
  rise: number | null,
  at: Moment,
): void {
  const look = lookOf(reading);
  const value = reading?.value ?? null;
  const band = value === null ? null : bandOf(value);
  const suspect = reading?.flag === 3 ? " suspect" : "";
  const size = label.tier.large ? "large" : "small";
  const kind = `station ${size} look-${look}${suspect} band-${band ?? "none"}`;
  setAttribute(label.group, "class", kind);
  setText(label.value, value === null ? "–" : figure(value, "salinity_g_l", at.language));
  const compared = value !== null && (look === "good" || look === "late") ? rise : null;
  const change = changeText(label.tier, compared, value ?? 0, at.language);
  // Where there is no room for what is wrong in words, its sign stands beside the figure.
  const told = marked(reading) && (label.tier.marked || label.tier.large);
  const sign = suspect ? "◇" : (SIGNS[look] ?? "");
  setText(label.change, marked(reading) && !told ? sign : change);
  setText(label.age, told ? (suspect ? "◇ " : "") + shortAge(reading, at) : "");
  const against = compared === null ? "" : `, ${againstText(compared, at.language)}`;
  const sentence = spoken(label.station.name, reading, at) + against;
  setText(label.title, sentence);
  // The name of the button begins with what stands on it, for those who speak to the machine.
  const drawn = [label.name, label.value, label.change, label.age].map((text) => text.textContent);
  setAttribute(label.group, "aria-label", `${drawn.filter(Boolean).join(" ")}, ${sentence}`);
  label.bar.forEach((part, n) =>
    setAttribute(part, "class", band !== null && n <= band ? `part part-${n}` : "part"),
  );
  const unit = label.barWidth / 20;
  const x = label.barX + placeOnBar(value ?? 0) * label.barWidth;
  const low = label.barBottom + 0.12 * unit;
  const shape = `M${x - 0.15 * unit},${low} v${-1.1 * unit} h${0.5 * unit} v${1.1 * unit} Z`;
  setAttribute(label.pointer, "d", value === null ? "" : shape);
}

/** "▲0,29" on a large label; on a small one the arrow alone, where there is something to tell. */
function changeText(tier: Tier, rise: number | null, now: number, language: Language): string {
  if (rise === null || (!tier.large && !telling(rise, now))) return "";
  const size = Math.abs(rise);
  if (size < 0.005) return "=";
  const arrow = rise > 0 ? "▲" : "▼";
  return tier.large ? arrow + decimal(size, size < 9.995 ? 2 : 1, language) : arrow;
}

/** "cao hơn cùng con nước hôm trước 0,29 g/l" */
function againstText(rise: number, language: Language): string {
  const key = rise < 0 ? "lower_than_before" : "higher_than_before";
  return word(key, language, { n: decimal(Math.abs(rise), 2, language) });
}
