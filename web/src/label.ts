// What the schematic says of one station: name, figure, band, age, and a small bar of the bands.

import { setAttribute, setText, svg, textWidth } from "./dom.ts";
import { figure } from "./format.ts";
import { shortName } from "./layout.ts";
import { bandOf, placeOnBar, type Reading, type Station } from "./model.ts";
import { ageText, bandWord, lookOf, type Moment, spoken } from "./view.ts";
import type { Language } from "./words.ts";

/** Lengths in letter units (rem) at full size. */
const VALUE = 2.3;
export const LABEL_HEIGHT = 4.4;

export interface Label {
  station: Station;
  group: SVGGElement;
  dot: SVGElement;
  value: SVGTextElement;
  band: SVGTextElement;
  age: SVGTextElement;
  bar: SVGRectElement[];
  pointer: SVGPathElement;
  barX: number;
  barWidth: number;
  barBottom: number;
}

/** How wide a label is, and px of one letter unit, after shrinking to fit. */
export interface Box {
  u: number;
  labelWidth: number;
}

/** Room for the widest figure and the space after it. */
export function figureWidth(u: number): number {
  return Math.max(textWidth("0,00", VALUE * u, 600), textWidth("00,0", VALUE * u, 600)) + 0.45 * u;
}

export function makeLabel(
  station: Station,
  km: string,
  x: number,
  y: number,
  { u, labelWidth }: Box,
  language: Language,
): Label {
  const left = x + 0.4 * u;
  const block = left + figureWidth(u);
  const barWidth = 4 * u;
  const name = svg("text", { class: "name", x: left, y: y + 1.0 * u }, shortName(station.name));
  if (km !== "") name.append(svg("tspan", { class: "km", dx: 0.1 * u }, ` ${km}`));
  const value = svg("text", { class: "value", x: left, y: y + 2.95 * u, "data-testid": "value" });
  const band = svg("text", { class: "band", x: block, y: y + 2.1 * u });
  const age = svg("text", { class: "age", x: left, y: y + 4.1 * u, "data-testid": "age" });
  const bar = [0, 1, 2, 3, 4].map((n) =>
    svg("rect", {
      x: block + (n * barWidth) / 5,
      y: y + 2.52 * u,
      width: barWidth / 5 - 0.12 * u,
      height: 0.4 * u,
    }),
  );
  const pointer = svg("path", { class: "pointer" });
  const hatch = svg("rect", {
    class: "hatch",
    fill: "url(#stale-hatch)",
    x: left - 0.2 * u,
    y: y + 1.25 * u,
    width: labelWidth - 0.6 * u,
    height: 1.9 * u,
  });
  const back = svg("rect", {
    class: "back",
    x: x + 0.1 * u,
    y,
    width: labelWidth - 0.2 * u,
    height: LABEL_HEIGHT * u,
    rx: 0.35 * u,
  });
  const group = svg(
    "g",
    { class: "station", role: "button", "data-testid": `station-${station.id}`, lang: language },
    back,
    name,
    " ", // between words for those who read them, nothing for those who see them
    value,
    " ",
    band,
    " ",
    ...bar,
    pointer,
    hatch,
    age,
  );
  const dot = svg("circle");
  const barBottom = y + 2.92 * u;
  return { station, group, dot, value, band, age, bar, pointer, barX: block, barWidth, barBottom };
}

export function write(label: Label, reading: Reading | null, at: Moment): void {
  const look = lookOf(reading);
  const value = reading?.value ?? null;
  const band = value === null ? null : bandOf(value);
  const suspect = reading?.flag === 3 ? " suspect" : "";
  setAttribute(label.group, "class", `station look-${look}${suspect} band-${band ?? "none"}`);
  setText(label.value, value === null ? "–" : figure(value, "salinity_g_l", at.language));
  const told = value !== null && look !== "bad" && look !== "lost";
  setText(label.band, told ? bandWord(value, at.language) : "");
  setText(label.age, (suspect ? "◇ " : "") + ageText(reading, at));
  setAttribute(label.group, "aria-description", spoken(label.station.name, reading, at));
  // The name of the button begins with what stands on it, for those who speak to the machine.
  const drawn = [...label.group.querySelectorAll("text")].map((text) => text.textContent);
  setAttribute(label.group, "aria-label", drawn.filter(Boolean).join(" "));
  label.bar.forEach((part, n) =>
    setAttribute(part, "class", band !== null && n <= band ? `part part-${n}` : "part"),
  );
  const unit = label.barWidth / 10;
  const x = label.barX + placeOnBar(value ?? 0) * label.barWidth;
  // A tick across the bar: below it is the age, and nothing may touch that.
  const [left, low, wide, high] = [x - unit * 0.2, label.barBottom + unit * 0.25, 0.4, 1.5];
  const shape = `M${left},${low} v${-unit * high} h${unit * wide} v${unit * high} Z`;
  setAttribute(label.pointer, "d", value === null ? "" : shape);
}
