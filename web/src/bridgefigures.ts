// Both directions of a bridge as they are now: minutes first, the level of service last.

import { el, setAttribute, setText } from "./dom.ts";
import { decimal, figure, shortTime } from "./format.ts";
import { type Reading, type Station, usable } from "./model.ts";
import type { Road } from "./bridgeroad.ts";
import { type DirectionView, type Mode, type Said, stillWhy } from "./traffic.ts";
import { ageText, lookOf, measuredAgo, type Moment } from "./view.ts";
import { type Language, named, type Word, word } from "./words.ts";

const SERVICE = ["A", "B", "C", "D", "E", "F"];

export interface DirectionNow {
  view: DirectionView;
  road: Road;
  mode: Mode | null;
  said: Said | null;
}

interface Card {
  button: HTMLElement;
  name: HTMLElement;
  level: HTMLElement;
  minutes: HTMLElement;
  rest: HTMLElement;
  notes: HTMLElement;
  age: HTMLElement;
}

export class BridgeFigures {
  readonly place = el("section", { class: "directions", "data-testid": "directions" });
  private readonly cards = new Map<string, Card>();

  constructor(private readonly choose: (direction: string) => void) {}

  update(station: Station, all: readonly DirectionNow[], chosen: string, at: Moment): void {
    const names = all.map(({ view }) => view.direction);
    if (names.join() !== [...this.cards.keys()].join()) {
      this.cards.clear();
      this.place.replaceChildren(...names.map((name) => this.card(name)));
    }
    for (const one of all) this.write(station, one, chosen, at);
  }

  private card(direction: string): HTMLElement {
    const part = (name: string): HTMLElement => el("span", { class: name, "data-testid": name });
    const name = el("span", { class: "direction" });
    const [minutes, rest, notes, age] = [part("minutes"), part("rest"), part("notes"), part("age")];
    const level = el("span", { class: "level-word", "data-testid": "state" });
    const bars = el("i", { class: "bars", "aria-hidden": "true" });
    for (let n = 0; n < 4; n += 1) bars.append(el("b"));
    const state = el("span", { class: "level" }, bars, level);
    const attributes = { type: "button", "data-testid": `direction-${direction}` } as const;
    const button = el("button", attributes, name, minutes, state, rest, notes, age);
    button.addEventListener("click", () => this.choose(direction));
    this.cards.set(direction, { button, name, level, minutes, rest, notes, age });
    return button;
  }

  private write(station: Station, now: DirectionNow, chosen: string, at: Moment): void {
    const { view, road, mode, said } = now;
    const card = this.cards.get(view.direction);
    if (card === undefined) return;
    const { language } = at;
    const { main } = view;
    const working = mode !== null && (mode.until_ms ?? Infinity) > at.now_ms ? mode : null;
    const closed = working?.mode === "closed";
    const look = lookOf(main);
    const level = closed ? null : view.level;
    setAttribute(card.button, "class", `bridge look-${look} level-${level ?? "none"}`);
    setAttribute(card.button, "aria-pressed", chosen === view.direction ? "true" : "false");
    setText(card.name, station.directions[view.direction]?.[language] ?? view.direction);
    const state = word((level === null ? "level_none" : `level_${level}`) as Word, language);
    setText(card.level, closed ? named("mode", "closed", language) : state);
    setText(card.minutes, closed ? "–" : minutesText(view, road, language));
    setText(card.rest, closed ? "" : restText(view, language));
    setText(card.notes, notesText(working, said, view, at));
    const plain = main !== null && look === "good" && main.flag === 1 && !main.simulated;
    setText(card.age, plain ? measuredAgo(main, at) : ageText(main, at));
  }
}

/** "11 phút", "10–12 phút", "> 34 phút"; "–" where it cannot be told. */
export function minutesText({ whole }: DirectionView, road: Road, language: Language): string {
  const { minutes } = whole;
  if (minutes === null || minutes.value === null) return "–";
  const one = (value: number): string => figure(value, "crossing_time_min", language);
  const sign = minutes.bound === "above" ? "> " : minutes.bound === "below" ? "< " : "";
  const [low, high] = road.minutes ?? [minutes.value, minutes.value];
  // The range is asked for once a minute, the figure comes at once: an old range is not its own.
  const fits = low <= minutes.value + 0.5 && high >= minutes.value - 0.5;
  const ranged = sign === "" && fits && one(low) !== one(high);
  const told = ranged ? `${one(low)}–${one(high)}` : one(minutes.value);
  return word("n_minutes", language, { n: sign + told });
}

function restText(view: DirectionView, language: Language): string {
  const { whole, queue, speedCar, speedMotorbike, speed, flow, occupancy, service } = view;
  const now = (reading: Reading | null): string | null =>
    reading === null || reading.value === null || !usable(reading)
      ? null
      : figure(reading.value, reading.quantity, language);
  const km = whole.queue_km;
  const camera = queue !== null && usable(queue) ? (queue.value ?? 0) : 0;
  const metres = km === null ? camera : (km.value ?? 0) * 1000;
  const length =
    metres < 1000
      ? `${decimal(metres, 0, language)} m`
      : `${decimal(metres / 1000, 1, language)} km`;
  const sign = km?.bound === "above" ? "> " : "";
  const [cars, motorbikes, all] = [now(speedCar), now(speedMotorbike), now(speed)];
  const letter = SERVICE[(service !== null && usable(service) ? (service.value ?? 0) : 0) - 1];
  const [passing, share] = [now(flow), now(occupancy)];
  return [
    whole.incident?.value === 1 ? `▲ ${word("incident", language)}` : "",
    metres > 0 ? word("queue", language, { n: sign + length }) : "",
    cars === null ? "" : word("cars", language, { n: cars }),
    motorbikes === null ? "" : word("motorbikes", language, { n: motorbikes }),
    cars === null && motorbikes === null && all !== null ? `${all} km/h` : "",
    passing === null ? "" : word("vehicles_h", language, { n: passing }),
    share === null ? "" : word("occupied", language, { n: share }),
    letter === undefined ? "" : word("service_level", language, { n: letter }),
  ]
    .filter(Boolean)
    .join(" · ");
}

function notesText(
  mode: Mode | null,
  said: Said | null,
  view: DirectionView,
  { language, now_ms }: Moment,
): string {
  const vi = language === "vi";
  const parts: string[] = [];
  if (mode !== null) {
    const time = mode.until_ms === null ? "" : shortTime(mode.until_ms, now_ms);
    const values = { time, mode: named("mode", mode.mode, language) };
    parts.push([word("mode_now", language, values), mode.reason].filter(Boolean).join(": "));
  }
  if (said !== null) {
    parts.push(vi ? said.ban_vi : said.ban_en);
    if (mode?.mode !== "closed" && stillWhy(said, view)) parts.push(vi ? said.why_vi : said.why_en);
  }
  return parts.filter(Boolean).join(" · ");
}
