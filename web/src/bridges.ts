// Both bridges with both directions: how it goes, how fast, how many, how long ago.

import { el, setAttribute, setText } from "./dom.ts";
import { decimal, figure } from "./format.ts";
import { type Reading, type Station, usable } from "./model.ts";
import { type DirectionView, directionsOf, directionView } from "./traffic.ts";
import { ageText, lookOf, measuredAgo, type Moment, spoken } from "./view.ts";
import { type Language, type Word, word } from "./words.ts";

interface Line {
  station: Station;
  direction: string;
  button: HTMLElement;
  name: HTMLElement;
  level: HTMLElement;
  speed: HTMLElement;
  flow: HTMLElement;
  age: HTMLElement;
}

export class Bridges {
  private lines: Line[] = [];
  private shape = "";

  constructor(
    private readonly place: HTMLElement,
    private readonly choose: (key: string) => void,
  ) {}

  update(
    stations: readonly Station[],
    readings: ReadonlyMap<string, readonly Reading[]>,
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
    for (const line of this.lines) {
      const view = directionView(line.station, line.direction, readings.get(line.station.id) ?? []);
      write(line, view, selected, at);
    }
  }

  private draw(bridges: readonly Station[], directions: string[][], language: Language): void {
    this.lines = [];
    const cards = bridges.map((station, n) => {
      const title = station.name.toLocaleUpperCase("vi");
      const card = el("section", { class: "bridge" }, el("h2", {}, title));
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
    const level = el("span", { class: "level" }, bars, text);
    const speed = el("span", { class: "speed", "data-testid": "value" });
    const flow = el("span", { class: "flow" });
    const age = el("span", { class: "age", "data-testid": "age" });
    const button = el(
      "button",
      { type: "button", "data-testid": `bridge-${station.id}-${direction}` },
      el("span", { class: "drawn" }, name, level, speed, age, flow),
    );
    const line = { station, direction, button, name, level: text, speed, flow, age };
    button.addEventListener("click", () => {
      const key = button.dataset["key"];
      if (key) this.choose(key);
    });
    this.lines.push(line);
    return button;
  }
}

function write(line: Line, view: DirectionView, selected: string | null, at: Moment): void {
  const { language } = at;
  const { main, speed, flow, occupancy, queue, level } = view;
  const look = lookOf(main);
  const suspect = speed?.flag === 3 ? " suspect" : "";
  setAttribute(line.button, "class", `look-${look}${suspect} level-${level ?? "none"}`);
  setText(line.level, word((level === null ? "level_none" : `level_${level}`) as Word, language));
  const value = speed?.value ?? null;
  setText(line.speed, value === null ? "–" : figure(value, "speed_km_h", language));
  const sideFigures = [
    queue !== null && usable(queue) && (queue.value ?? 0) > 0
      ? word("queue", language, { n: metres(queue.value ?? 0, language) })
      : "",
    flow !== null && usable(flow)
      ? word("vehicles_h", language, { n: decimal(flow.value ?? 0, 0, language) })
      : "",
    occupancy !== null && usable(occupancy)
      ? word("occupied", language, { n: figure(occupancy.value ?? 0, "occupancy", language) })
      : "",
  ].filter(Boolean);
  setText(line.flow, sideFigures.slice(0, 2).join(" · "));
  const age = main !== null && look === "good" && !suspect && !main.simulated && main.flag === 1;
  setText(line.age, (suspect ? "◇ " : "") + (age ? measuredAgo(main, at) : ageText(main, at)));
  const name = `${line.station.name}, ${line.name.textContent ?? line.direction}`;
  const label = [spoken(name, speed ?? main, at), line.level.textContent, ...sideFigures];
  setAttribute(line.button, "title", label.join(", "));
  const key = speed?.key ?? main?.key ?? null;
  setAttribute(line.button, "data-key", key);
  const mine = selected !== null && key !== null && streamOf(selected) === streamOf(key);
  setAttribute(line.button, "aria-pressed", mine ? "true" : "false");
}

function streamOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/"));
}

function metres(m: number, language: Language): string {
  return m < 1000 ? `${decimal(m, 0, language)} m` : `${decimal(m / 1000, 1, language)} km`;
}
