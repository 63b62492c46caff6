// The same stations where there is no room for a schematic: branch by branch, from the sea up.

import { el, setAttribute, setText } from "./dom.ts";
import { figure } from "./format.ts";
import { mouthName, rowsOf, shortName } from "./layout.ts";
import { bandOf, type Station } from "./model.ts";
import { changeText, LEVELS_G_L, levelText, standing } from "./salt.ts";
import type { Plan, RiverView } from "./schematic.ts";
import { ageText, bandWord, lookOf, type Moment, spoken } from "./view.ts";
import { unitOf, word } from "./words.ts";

interface Line {
  station: Station;
  button: HTMLElement;
  value: HTMLElement;
  unit: HTMLElement;
  band: HTMLElement;
  age: HTMLElement;
}

export class RiverList {
  private lines = new Map<string, Line>();
  private salts = new Map<string, HTMLElement>();

  constructor(
    private readonly place: HTMLElement,
    private readonly choose: (station: Station) => void,
    _pick: (key: string) => void,
  ) {}

  draw(stations: readonly Station[], { salty, language }: Plan): void {
    this.lines.clear();
    this.salts.clear();
    const { rows, coast, elsewhere } = rowsOf(stations);
    const parts: HTMLElement[] = [];
    for (const row of rows) {
      const list = el("ul", {}, ...row.placed.map((p) => this.line(p.station, p.km)));
      const salt = el("p", { class: "salt", "data-testid": `salt-${row.mouth}`, hidden: true });
      if (salty.has(row.mouth)) this.salts.set(row.mouth, salt);
      parts.push(el("section", {}, el("h3", {}, mouthName(row.mouth)), salt, list));
    }
    const rest: [Station[], "coast" | "elsewhere"][] = [
      [coast, "coast"],
      [elsewhere, "elsewhere"],
    ];
    for (const [stations_, key] of rest) {
      if (stations_.length === 0) continue;
      const list = el("ul", {}, ...stations_.map((s) => this.line(s, null)));
      parts.push(el("section", {}, el("h3", {}, word(key, language)), list));
    }
    if (parts.length === 0) parts.push(el("p", {}, word("no_stations", language)));
    this.place.replaceChildren(el("div", { class: "river-list" }, ...parts));
  }

  update({ shown, salt, before, selected }: RiverView, at: Moment): void {
    for (const [mouth, place] of this.salts) {
      const lines = salt.get(mouth) ?? [];
      const texts = LEVELS_G_L.map((level) => {
        const now = lines.find((line) => line.level_g_l === level && line.basis === "now");
        const told = levelText(lines, level, at);
        return told === "" || now === undefined ? told : told + changeText(before.rise(now), at.language);
      }).filter(Boolean);
      setText(place, texts.join(" · "));
      place.hidden = texts.length === 0;
      setAttribute(place, "class", lines.some(standing) ? "salt" : "salt old");
    }
    for (const [id, line] of this.lines) {
      const reading = shown.get(id) ?? null;
      const look = lookOf(reading);
      const value = reading?.value ?? null;
      const suspect = reading?.flag === 3 ? " suspect" : "";
      const band = value === null ? "none" : bandOf(value);
      setAttribute(line.button, "class", `station look-${look}${suspect} band-${band}`);
      setText(line.value, value === null ? "–" : figure(value, "salinity_g_l", at.language));
      setText(line.unit, value === null ? "" : unitOf("salinity_g_l", "g/L", at.language));
      const told = value !== null && look !== "bad" && look !== "lost";
      setText(line.band, told ? bandWord(value, at.language) : "");
      setText(line.age, (suspect ? "◇ " : "") + ageText(reading, at));
      setAttribute(line.button, "title", spoken(line.station.name, reading, at));
      setAttribute(line.button, "aria-pressed", id === selected ? "true" : "false");
    }
  }

  private line(station: Station, km: number | null): HTMLElement {
    const value = el("span", { class: "value", "data-testid": "value" });
    const unit = el("small", { class: "unit" });
    const band = el("span", { class: "band" });
    const age = el("span", { class: "age", "data-testid": "age" });
    const name = el("span", { class: "name" }, shortName(station.name));
    if (km !== null) name.append(el("small", { class: "km" }, ` ${Math.round(km)} km`));
    const figures = el("span", { class: "figures" }, el("i", { class: "swatch" }), value, unit, band);
    const button = el(
      "button",
      { type: "button", class: "station", "data-testid": `station-${station.id}` },
      el("span", { class: "drawn" }, name, figures, age),
    );
    button.addEventListener("click", () => this.choose(station));
    this.lines.set(station.id, { station, button, value, unit, band, age });
    return el("li", {}, button);
  }
}
