// Both bridges with both directions: how it goes, how long it takes, how far it backs up, how
// fast cars and motorbikes are, how long ago.

import { el, setAttribute, setText } from "./dom.ts";
import { decimal, figure, shortTime } from "./format.ts";
import { type Reading, type Station, usable } from "./model.ts";
import {
  type DirectionView,
  directionsOf,
  directionView,
  type Mode,
  type Said,
  stillWhy,
} from "./traffic.ts";
import { ageText, lookOf, type Moment, spoken } from "./view.ts";
import { type Language, named, unitOf, type Word, word } from "./words.ts";

/** What cameras say of a direction that the police have closed is no state of the traffic. */
const CLOSED = {
  ...{ level: null, queue: null, service: null },
  whole: { minutes: null, queue_km: null, incident: null },
};

interface Line {
  station: Station;
  direction: string;
  button: HTMLElement;
  name: HTMLElement;
  level: HTMLElement;
  queue: HTMLElement;
  incident: HTMLElement;
  speed: HTMLElement;
  unit: HTMLElement;
  gauge: HTMLElement;
  fill: HTMLElement;
  flow: HTMLElement;
  service: HTMLElement;
  age: HTMLElement;
  notes: HTMLElement;
}

/** Beside the name of a bridge: which trucks may not use it now, and in which direction. */
interface Card {
  station: Station;
  ban: HTMLElement;
}

export class Bridges {
  private lines: Line[] = [];
  private cards: Card[] = [];
  private shape = "";

  constructor(
    private readonly place: HTMLElement,
    private readonly choose: (key: string) => void,
  ) {}

  update(
    stations: readonly Station[],
    readings: ReadonlyMap<string, readonly Reading[]>,
    modes: ReadonlyMap<string, Mode>,
    said: ReadonlyMap<string, Said>,
    selected: string | null,
    at: Moment,
  ): void {
    const bridges = stations.filter((s) => s.kind === "traffic");
    const directions = bridges.map((s) => directionsOf(s, readings.get(s.id) ?? []));
    const shape = JSON.stringify([at.language, bridges.map((s) => s.name), directions]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.draw(bridges, directions, at.language);
    }
    for (const card of this.cards) writeBan(card, said, at.language);
    for (const line of this.lines) {
      const view = directionView(line.station, line.direction, readings.get(line.station.id) ?? []);
      const place = `${line.station.id}/${line.direction}`;
      write(line, view, modes.get(place) ?? null, said.get(place) ?? null, selected, at);
    }
  }

  private draw(bridges: readonly Station[], directions: string[][], language: Language): void {
    this.lines = [];
    this.cards = [];
    const cards = bridges.map((station, n) => {
      const title = station.name.toLocaleUpperCase("vi");
      const ban = el("span", { class: "ban", "data-testid": `ban-${station.id}` });
      const card = el("section", { class: "bridge" }, el("header", {}, el("h2", {}, title), ban));
      this.cards.push({ station, ban });
      for (const direction of directions[n] ?? [])
        card.append(this.line(station, direction, language));
      return card;
    });
    this.place.replaceChildren(...cards);
  }

  private line(station: Station, direction: string, language: Language): HTMLElement {
    const texts = station.directions[direction];
    const name = el("span", { class: "direction" }, texts?.[language] ?? direction);
    const bars = el("i", { class: "bars", "aria-hidden": "true" });
    for (let n = 0; n < 4; n += 1) bars.append(el("b"));
    const text = el("span", { class: "level-word" });
    const queue = el("span", { class: "queue", "data-testid": "queue" });
    const incident = el("span", { class: "incident" });
    const level = el("span", { class: "level" }, bars, text);
    const speed = el("b", { class: "speed", "data-testid": "value" });
    const unit = el("small", { class: "unit" });
    const fill = el("i", { class: "fill" });
    const ticks = LIMITS_MIN.map((minutes, n) => el("i", { class: `tick tick-${n}` }, el("small", {}, String(minutes))));
    const gauge = el("span", { class: "gauge", "aria-hidden": "true" }, fill, ...ticks);
    const flow = el("span");
    const service = el("small");
    const side = el("span", { class: "flow" }, flow, service);
    const age = el("span", { class: "age", "data-testid": "age" });
    const notes = el("span", { class: "notes", "data-testid": "notes" });
    const main = el("span", { class: "main" }, name, level, el("span", { class: "time" }, speed, unit));
    const more = el("span", { class: "more-of-it" }, incident, queue, notes, age, side);
    const button = el(
      "button",
      { type: "button", "data-testid": `bridge-${station.id}-${direction}` },
      el("span", { class: "drawn" }, main, el("span", { class: "second" }, more, gauge)),
    );
    const line = {
      ...{ station, direction, button, name, level: text, queue, incident, unit, gauge, fill },
      ...{ speed, flow, service, age, notes },
    };
    button.addEventListener("click", () => {
      const key = button.dataset["key"];
      if (key) this.choose(key);
    });
    this.lines.push(line);
    return button;
  }
}

function write(
  line: Line,
  view: DirectionView,
  mode: Mode | null,
  said: Said | null,
  selected: string | null,
  at: Moment,
): void {
  const { language } = at;
  const working = mode !== null && (mode.until_ms ?? Infinity) > at.now_ms ? mode.mode : "";
  if (working === "closed") view = { ...view, ...CLOSED };
  const { main, speed, level, whole } = view;
  const look = lookOf(main);
  const suspect = speed?.flag === 3 ? " suspect" : "";
  setAttribute(line.button, "class", `look-${look}${suspect} level-${level ?? "none"}`);
  const state = word((level === null ? "level_none" : `level_${level}`) as Word, language);
  setText(line.level, working === "closed" ? named("mode", working, language) : state);
  setText(line.queue, queueText(view, language));
  setText(line.incident, whole.incident?.value === 1 ? `▲ ${word("incident", language)}` : "");
  // Minutes first: they are what people ask for. Where they can't be told, how fast it goes.
  const figures = working === "closed" ? null : (whole.minutes ?? speed);
  const value = figures?.value ?? null;
  const told = value === null ? "–" : figure(value, figures?.quantity ?? "", language);
  setText(line.speed, boundSign(whole.minutes) + told);
  const unit = whole.minutes === null ? "km/h" : unitOf("crossing_time_min", "min", language);
  setText(line.unit, working === "closed" ? "" : ` ${unit}`);
  writeGauge(line, working === "closed" ? null : (whole.minutes?.value ?? null));
  // That all is fresh is said once, in the top line; what is not says so itself.
  const good = main !== null && look === "good" && !suspect && !main.simulated && main.flag === 1;
  setText(line.age, good ? "" : (suspect ? "◇ " : "") + ageText(main, at));
  const sideFigures = sideOf(view, language);
  const short = sideFigures.slice(0, whole.minutes === null && good ? 2 : 1);
  setText(line.flow, short.join(" · "));
  const los = serviceText(view, language);
  setText(line.service, good ? los : "");
  const name = `${line.station.name}, ${line.name.textContent ?? line.direction}`;
  const notes = notesOf(working === "" ? null : mode, said, view, at);
  setText(line.notes, notes);
  // A note says more than the speeds, and so does an incident: it takes their place.
  setAttribute(line.button, "data-noted", notes !== "" || whole.incident?.value === 1);
  const spans = [line.level, line.queue, line.incident, line.notes];
  const words = spans.map((each) => each.textContent ?? "");
  words.push((language === "vi" ? said?.ban_vi : said?.ban_en) ?? "");
  const known = value !== null && whole.minutes !== null;
  const minutes = known ? `${line.speed.textContent} ${unit}` : "";
  const label = [minutes, spoken(name, speed ?? main, at), ...words, ...sideFigures, los];
  setAttribute(line.button, "title", label.filter(Boolean).join(", "));
  const key = speed?.key ?? main?.key ?? null;
  setAttribute(line.button, "data-key", key);
  const mine = selected !== null && key !== null && streamOf(selected) === streamOf(key);
  setAttribute(line.button, "aria-pressed", mine ? "true" : "false");
}

/** The limits of crossing time, minutes: normal is under the first. */
const LIMITS_MIN = [15, 30, 60] as const;
/** Where the gauge ends, minutes. */
const GAUGE_MIN = 75;

/** A bar of the minutes against their limits; empty where they are not known. */
function writeGauge({ gauge, fill }: Line, minutes: number | null): void {
  const reached = LIMITS_MIN.filter((limit) => (minutes ?? 0) >= limit).length;
  setAttribute(gauge, "class", `gauge reached-${reached}${minutes === null ? " unknown" : ""}`);
  const width = `${Math.min(100, (100 * (minutes ?? 0)) / GAUGE_MIN).toFixed(1)}%`;
  if (fill.style.width !== width) fill.style.width = width;
}

/** What comes again every day stands beside the bridge's name: there it hides no figure. */
function writeBan({ station, ban }: Card, all: ReadonlyMap<string, Said>, language: Language): void {
  const directions = Object.keys(station.directions);
  const told = directions.map((direction) => {
    const said = all.get(`${station.id}/${direction}`);
    return (language === "vi" ? said?.ban_vi : said?.ban_en) ?? "";
  });
  setAttribute(ban, "title", [...new Set(told)].filter(Boolean).join(" · ") || null);
  // "cấm xe tải từ 3 trục" of "cấm xe tải từ 3 trục, 9-11, 15-19 giờ": it holds now.
  const short = told.map((text) => text.split(", ")[0] ?? "");
  const same = short.length > 1 && short.every((text) => text === short[0]);
  const parts = directions.map((direction, n) => {
    const name = station.directions[direction]?.[language] ?? direction;
    return short[n] === "" ? "" : `${name.slice(Math.max(0, name.indexOf("→")))}: ${short[n]}`;
  });
  const both = short[0] === "" ? "" : `${short[0]}, ${word("both_directions", language)}`;
  setText(ban, same ? both : parts.filter(Boolean).join(" · "));
}

/** How the police work it, until when and why; why a figure is missing. */
function notesOf(mode: Mode | null, said: Said | null, view: DirectionView, at: Moment): string {
  const { language, now_ms } = at;
  const vi = language === "vi";
  const closed = mode?.mode === "closed";
  const parts: string[] = [];
  if (mode !== null) {
    const time = mode.until_ms === null ? "" : shortTime(mode.until_ms, now_ms);
    const values = { time, mode: named("mode", mode.mode, language) };
    // That it is closed stands in the place of the state already.
    const until = word(closed ? "until_time" : "mode_now", language, values);
    parts.push([until, mode.reason].filter(Boolean).join(": "));
  }
  // Where there are minutes their sign says enough here: the speeds of a jam are not to give way to
  // how it was counted, which the bridge's page tells.
  const missing = view.whole.minutes === null;
  if (said !== null && !closed && missing && stillWhy(said, view)) {
    parts.push(vi ? said.why_vi : said.why_en);
  }
  return parts.filter(Boolean).join(" · ");
}

/** A shorter queue would be told as 0,0 km. */
const TOLD_KM = 0.05;

/** "ùn dài 1,8 km", "ùn dài > 2,9 km"; else what a camera sees of it. */
function queueText({ whole, queue }: DirectionView, language: Language): string {
  const { queue_km } = whole;
  if (queue_km !== null && (queue_km.value ?? 0) >= TOLD_KM) {
    const n = `${boundSign(queue_km)}${decimal(queue_km.value ?? 0, 1, language)} km`;
    return word("queue", language, { n });
  }
  if (queue_km !== null || queue === null || !usable(queue) || (queue.value ?? 0) <= 0) return "";
  return word("queue", language, { n: metres(queue.value ?? 0, language) });
}

function boundSign(reading: Reading | null): string {
  return reading?.bound === "above" ? "> " : reading?.bound === "below" ? "< " : "";
}

/** Cars and motorbikes apart where they are told apart, then how many pass. */
function sideOf(view: DirectionView, language: Language): string[] {
  const { speed, speedCar, speedMotorbike, flow, occupancy, whole } = view;
  const now = (reading: Reading | null): string | null =>
    reading === null || reading.value === null || !usable(reading)
      ? null
      : figure(reading.value, reading.quantity, language);
  const [cars, motorbikes, all] = [now(speedCar), now(speedMotorbike), now(speed)];
  let kinds = "";
  if (cars !== null && motorbikes !== null) {
    kinds = word("both_kinds", language, { cars, motorbikes });
  } else if (cars !== null) kinds = word("cars", language, { n: cars });
  else if (motorbikes !== null) kinds = word("motorbikes", language, { n: motorbikes });
  else if (whole.minutes !== null && all !== null) kinds = `${all} km/h`;
  const [passing, share] = [now(flow), now(occupancy)];
  return [
    kinds,
    passing === null ? "" : word("vehicles_h", language, { n: passing }),
    share === null ? "" : word("occupied", language, { n: share }),
  ].filter(Boolean);
}

const SERVICE = ["A", "B", "C", "D", "E", "F"];

/** The level of service, 1 to 6 for A to F: last, since few read it. */
function serviceText({ service }: DirectionView, language: Language): string {
  const now = service !== null && usable(service) ? service.value : null;
  const letter = SERVICE[(now ?? 0) - 1];
  return letter === undefined ? "" : word("service_level", language, { n: letter });
}

function streamOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/"));
}

function metres(m: number, language: Language): string {
  return m < 1000 ? `${decimal(m, 0, language)} m` : `${decimal(m / 1000, 1, language)} km`;
}
