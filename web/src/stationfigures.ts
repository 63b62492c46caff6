// The newest figures of a station, each with its age, quality, band, and change since the tide before.

import { el, setAttribute, setText } from "./dom.ts";
import { decimal, figure, LUNAR_DAY_MS } from "./format.ts";
import type { Fields } from "./held.ts";
import { near, pointsOf, valueAt } from "./history.ts";
import { figureOrder } from "./kin.ts";
import { bandOf, type Reading } from "./model.ts";
import { seriesPath } from "./past.ts";
import { gapOf } from "./strokes.ts";
import { ageText, bandWord, lookOf, measuredAgo, type Moment } from "./view.ts";
import { type Language, named, unitOf, word } from "./words.ts";
import { RAW } from "./zoom.ts";

/** Quantities of which a change against the same tide says something. */
const TIDAL: readonly string[] = [
  "salinity_g_l",
  "conductivity_ms_cm",
  "conductivity_25_ms_cm",
  "water_level_m",
  "temperature_c",
];

interface Card {
  button: HTMLElement;
  name: HTMLElement;
  value: HTMLElement;
  unit: HTMLElement;
  band: HTMLElement;
  change: HTMLElement;
  age: HTMLElement;
}

/** The value of the same tide the day before, and of which reading it is the one before. */
interface Before {
  t_ms: number;
  value: number | null;
}

export class StationFigures {
  readonly place = el("section", { class: "figures", "data-testid": "figures" });
  private readonly cards = new Map<string, Card>();
  private readonly before = new Map<string, Before>();
  private shape = "";

  constructor(
    private readonly ask: (path: string) => Promise<Fields>,
    private readonly choose: (key: string) => void,
    private readonly changed: () => void,
  ) {}

  update(readings: readonly Reading[], chosen: string | null, at: Moment): void {
    const shown = inFigureOrder(readings);
    const shape = shown.map((r) => r.key).join();
    if (shape !== this.shape) {
      this.shape = shape;
      this.cards.clear();
      this.place.replaceChildren(...shown.map((reading) => this.card(reading.key)));
    }
    setAttribute(this.place, "aria-label", word("figures_now", at.language));
    for (const reading of shown) {
      this.write(reading, chosen, at);
      if (TIDAL.includes(reading.quantity)) void this.lookBack(reading);
    }
  }

  private card(key: string): HTMLElement {
    const [name, value, unit, band, change, age] = ["name", "value", "unit", "band", "change", "age"]
      .map((part) =>
      // A form of the page may have a field "name".
      el("span", { class: part, "data-testid": part === "name" ? null : part }),
    ) as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    const figures = el("span", { class: "now" }, value, " ", unit);
    const parts = [name, figures, band, change, age];
    const button = el("button", { type: "button", "data-testid": `figure-${key}` }, ...parts);
    button.addEventListener("click", () => this.choose(key));
    this.cards.set(key, { button, name, value, unit, band, change, age });
    return button;
  }

  private write(reading: Reading, chosen: string | null, at: Moment): void {
    const card = this.cards.get(reading.key);
    if (card === undefined) return;
    const { language } = at;
    const look = lookOf(reading);
    const { value, quantity } = reading;
    const suspect = reading.flag === 3;
    setAttribute(card.button, "class", `look-${look}${suspect ? " suspect" : ""}`);
    setAttribute(card.button, "aria-pressed", reading.key === chosen ? "true" : "false");
    const depth = reading.level === null ? "" : ` · ${reading.level}`;
    setText(card.name, `${named("q", quantity, language)}${depth}`);
    const sign = reading.bound === "above" ? "> " : reading.bound === "below" ? "< " : "";
    setText(card.value, value === null ? "–" : sign + figure(value, quantity, language));
    setText(card.unit, value === null ? "" : unitOf(quantity, reading.unit, language));
    const banded = quantity === "salinity_g_l" && value !== null && look !== "bad";
    setText(card.band, banded ? bandWord(value, language) : "");
    setAttribute(card.band, "data-band", banded ? bandOf(value) : null);
    setText(card.change, changeText(reading, this.before.get(reading.key) ?? null, language));
    const plain = look === "good" && reading.flag === 1 && !reading.simulated;
    const age = plain ? measuredAgo(reading, at) : ageText(reading, at);
    setText(card.age, (suspect ? "◇ " : "") + age);
  }

  /** What stood a tide before the newest value; asked for once for each value. */
  private async lookBack({ key, t_ms, expected_s }: Reading): Promise<void> {
    if (t_ms === null) return;
    const known = this.before.get(key);
    const gap_ms = gapOf(expected_s, 0);
    // A tide before moves little between two samples of one quarter of an hour.
    if (known !== undefined && near(t_ms, known.t_ms, gap_ms)) return;
    this.before.set(key, { t_ms, value: known?.value ?? null });
    const then_ms = t_ms - LUNAR_DAY_MS;
    const span = { from_ms: then_ms - gap_ms, to_ms: then_ms + gap_ms };
    try {
      const points = pointsOf(await this.ask(seriesPath(key, span, RAW)));
      this.before.set(key, { t_ms, value: valueAt(points, then_ms, gap_ms) });
      this.changed();
    } catch (error) {
      console.warn(`what ${key} was a tide before could not be asked`, error);
    }
  }
}

/** "▲ 0,30 so cùng con nước hôm trước"; "" where nothing can be compared. */
export function changeText(reading: Reading, before: Before | null, language: Language): string {
  const { value, quantity, flag } = reading;
  const then = before?.value ?? null;
  if (value === null || then === null || flag === 4 || flag === 9) return "";
  const change = value - then;
  const digits = quantity === "temperature_c" ? 1 : 2;
  const told = decimal(Math.abs(change), digits, language);
  const none = Number(Math.abs(change).toFixed(digits)) === 0;
  const sign = none ? "=" : change > 0 ? "▲" : "▼";
  return word("change_tide", language, { change: none ? sign : `${sign} ${told}` });
}

/** What a station measures, in the order of what matters; probes and depths side by side. */
export function inFigureOrder(readings: readonly Reading[]): Reading[] {
  return [...readings].sort(
    (a, b) => figureOrder(a.quantity) - figureOrder(b.quantity) || (a.key < b.key ? -1 : 1),
  );
}
