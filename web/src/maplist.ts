// The list beside the map: all that stands on it, branch by branch, for whom a map tells nothing.

import { el, setAttribute, setText } from "./dom.ts";
import { mouthName, rowsOf } from "./layout.ts";
import type { Told } from "./maptold.ts";
import type { Station } from "./model.ts";
import { LEVELS_G_L, levelText, type SaltLine } from "./salt.ts";
import type { Moment } from "./view.ts";
import { named, word } from "./words.ts";

export const pageOf = ({ id, kind }: Station): string =>
  `/${kind === "traffic" ? "cau" : "tram"}/${id}`;

interface Line {
  button: HTMLElement;
  figure: HTMLElement;
  meaning: HTMLElement;
  age: HTMLElement;
  alert: HTMLElement;
}

export class MapList {
  readonly place = el("nav", { class: "geo-list panel", "data-testid": "map-list" });
  private readonly hint = el("p", { class: "geo-hint" });
  private readonly groups = el("div");
  private lines = new Map<string, Line>();
  private salts = new Map<string, HTMLElement>();
  private shape = "";

  constructor(private readonly choose: (id: string) => void) {
    this.place.append(this.hint, this.groups);
  }

  update(
    told: readonly Told[],
    salt: ReadonlyMap<string, readonly SaltLine[]>,
    chosen: string,
    at: Moment,
  ): void {
    const { language } = at;
    const stations = told.map(({ station }) => station);
    const shape = JSON.stringify([language, stations.map(({ id, name, lat }) => [id, name, lat])]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.draw(stations, at);
    }
    for (const [mouth, place] of this.salts) {
      const own = salt.get(mouth) ?? [];
      const texts = LEVELS_G_L.map((level) => levelText(own, level, at)).filter(Boolean);
      const told = texts.join("");
      if (place.textContent !== told) place.replaceChildren(...texts.map((one) => el("span", {}, one)));
      place.hidden = texts.length === 0;
    }
    for (const one of told) this.write(one, chosen, at);
  }

  private write(one: Told, chosen: string, { language }: Moment): void {
    const line = this.lines.get(one.station.id);
    if (line === undefined) return;
    const { button, figure, meaning, age, alert } = line;
    setAttribute(button, "data-look", one.look);
    setAttribute(button, "data-degree", one.degree);
    setAttribute(button, "data-kind", one.bridge ? "bridge" : "salinity");
    setAttribute(button, "aria-pressed", one.station.id === chosen ? "true" : "false");
    setText(figure, one.figure);
    setText(meaning, one.meaning);
    setText(age, (one.suspect ? "◇ " : "") + one.ageLong);
    const warned = one.severity === "" ? "" : named("severity", one.severity, language);
    setText(alert, warned);
    setAttribute(alert, "data-severity", one.severity);
  }

  private draw(stations: readonly Station[], { language }: Moment): void {
    this.lines.clear();
    this.salts.clear();
    setAttribute(this.place, "aria-label", word("map_list", language));
    setText(this.hint, word("map_list_hint", language));
    const { rows, coast, elsewhere } = rowsOf(stations);
    const bridges = stations.filter(({ kind }) => kind === "traffic");
    const parts = rows.map(({ mouth, placed }) => {
      const salt = el("p", { class: "geo-salt", "data-testid": `map-salt-${mouth}`, hidden: true });
      this.salts.set(mouth, salt);
      const rows_ = placed.map(({ station, km }) => this.line(station, km, language));
      return el("section", {}, el("h3", {}, mouthName(mouth)), salt, el("ul", {}, ...rows_));
    });
    const rest = [
      { title: word("coast", language), own: coast },
      { title: word("elsewhere", language), own: elsewhere },
      { title: word("map_bridges", language), own: bridges },
    ];
    for (const { title, own } of rest) {
      if (own.length === 0) continue;
      const rows_ = own.map((station) => this.line(station, null, language));
      parts.push(el("section", {}, el("h3", {}, title), el("ul", {}, ...rows_)));
    }
    this.groups.replaceChildren(...parts);
  }

  private line(station: Station, km: number | null, language: Moment["language"]): HTMLElement {
    const part = (name: string): HTMLElement => el("span", { class: `geo-${name}` });
    const [figure, meaning, age, alert] = [part("figure"), part("meaning"), part("age"), part("alert")];
    const name = el("span", { class: "geo-name" }, station.name);
    if (km !== null) name.append(el("small", {}, ` ${Math.round(km)} km`));
    const dot = el("i", { class: "geo-dot", "aria-hidden": "true" });
    // Spaces for who reads it as a text.
    const parts = [dot, name, " ", figure, " ", meaning, " ", age, " ", alert];
    const button = el(
      "button",
      { type: "button", title: word("map_show", language, { name: station.name }) },
      ...parts,
    );
    setAttribute(button, "data-testid", `map-pick-${station.id}`);
    if (station.lat === null || station.lon === null) {
      name.append(el("small", {}, ` · ${word("map_no_place", language)}`));
      button.title = "";
      (button as HTMLButtonElement).disabled = true;
    }
    button.addEventListener("click", () => this.choose(station.id));
    const title = word("open_place", language, { name: station.name });
    const link = el("a", { href: pageOf(station), "aria-label": title, title }, "›");
    this.lines.set(station.id, { button, figure, meaning, age, alert });
    return el("li", { class: "geo-row" }, button, link);
  }
}
