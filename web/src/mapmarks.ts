// A mark on the map with what stands beside it: a station, a bridge, a line of salt.

import { divIcon, type LatLngExpression, marker, type Marker } from "leaflet";

import { el, setAttribute, setText } from "./dom.ts";
import type { Offset } from "./maplabels.ts";
import { pageOf } from "./maplist.ts";
import type { Told } from "./maptold.ts";
import { figuresOf, heading } from "./telling.ts";
import type { Moment } from "./view.ts";
import { named, word } from "./words.ts";

/** Half the side of a mark, px: what a finger or a pointer must hit is 28 px wide. */
export const MARK = 14;

/** What has no room is hidden: it is in the list, in the popup, and nearer. */
function lay(tag: HTMLElement, at: Offset | null): void {
  setAttribute(tag, "hidden", at === null);
  if (at === null) return;
  const [left, top] = [at.left, at.top].map((n) => `${Math.round(n + MARK)}px`);
  if (left !== undefined && tag.style.left !== left) tag.style.left = left;
  if (top !== undefined && tag.style.top !== top) tag.style.top = top;
}

export class PlaceMark {
  readonly marker: Marker;
  readonly popup = el("div", { class: "geo-popup", "data-testid": "map-popup" });
  readonly tag = el("span", { class: "geo-tag", "data-testid": "map-tag" });
  private readonly figure = el("b", { "data-testid": "value" });
  private readonly age = el("small", { "data-testid": "age" });
  private readonly name = el("span");
  private shape = "";

  constructor(at: LatLngExpression, id: string) {
    this.tag.append(this.name, " ", this.figure, " ", this.age);
    const dot = el("i", { class: "geo-dot" });
    const badge = el("i", { class: "geo-badge" });
    const html = el("span", { class: "geo-mark", "data-testid": `map-${id}` }, dot, badge, this.tag);
    const icon = divIcon({ className: "geo-icon", html, iconSize: [2 * MARK, 2 * MARK] });
    this.marker = marker(at, { icon, riseOnHover: true });
  }

  /** Whether what stands beside the mark is as wide as it was. */
  write(told: Told, at: Moment): boolean {
    const icon = this.marker.getElement();
    if (icon !== undefined) {
      setAttribute(icon, "data-look", told.look);
      setAttribute(icon, "data-kind", told.bridge ? "bridge" : "salinity");
      setAttribute(icon, "data-degree", told.degree);
      setAttribute(icon, "data-severity", told.severity || null);
      const waits = told.alerts.some(({ state }) => state === "unacked");
      setAttribute(icon, "data-waits", waits);
    }
    setText(this.name, told.name);
    setText(this.figure, (told.suspect ? "◇ " : "") + told.figure);
    setText(this.age, told.age);
    // The name of the button begins with what stands on it, for those who speak to the machine.
    if (icon !== undefined) setAttribute(icon, "aria-label", `${this.tag.textContent} ${told.sentence}`);
    this.writePopup(told, at);
    const shape = [told.name, told.figure, told.age, told.suspect].join();
    const same = shape === this.shape;
    this.shape = shape;
    return same;
  }

  place(at: Offset | null): void {
    lay(this.tag, at);
  }

  private writePopup(told: Told, at: Moment): void {
    const { language } = at;
    const alerts = told.alerts.map(({ speaks }) => [
      `/canh-bao/${speaks.id}`,
      [
        named("severity", speaks.severity, language),
        named("q", speaks.quantity, language) + heading(speaks, told.station, at),
        figuresOf(speaks, at),
        named("state", speaks.state, language),
      ]
        .filter(Boolean)
        .join(" · "),
    ]);
    const unit = told.bridge || told.degree === null ? "" : " g/l";
    const figure = `${told.figure}${language === "vi" ? unit : unit.replace("g/l", "g/L")}`;
    const first = told.bridge ? told.lines : [[figure, told.meaning].filter(Boolean).join(" · ")];
    const age = told.bridge ? "" : told.ageLong;
    const shape = JSON.stringify([told.station.name, first, age, alerts, language]);
    if (this.popup.dataset["shape"] === shape) return;
    this.popup.dataset["shape"] = shape;
    const items = alerts.map(([href = "", text = ""]) => el("li", {}, el("a", { href }, text)));
    const open = el("a", { href: pageOf(told.station), "data-testid": "map-open" });
    open.append(word("map_open", language));
    this.popup.replaceChildren(
      el("h3", { lang: "vi" }, told.station.name),
      ...first.map((line) => el("p", { class: "geo-now" }, line)),
      ...(age === "" ? [] : [el("p", { class: "geo-age" }, age)]),
      ...(items.length === 0 ? [] : [el("ul", {}, ...items)]),
      el("p", {}, open),
    );
  }
}

/** Words that stand on the map and are no button: of a line of salt, of a branch. */
export class WordMark {
  readonly marker: Marker;
  readonly tag: HTMLElement;

  constructor(at: LatLngExpression, id: string, kind: string, pane: string) {
    this.tag = el("span", { class: `geo-tag ${kind}`, "data-testid": `map-${id}` });
    const html = el("span", { class: "geo-mark" }, this.tag);
    const icon = divIcon({ className: "geo-icon", html, iconSize: [2 * MARK, 2 * MARK] });
    // The list beside the map says it too, to who can't see it.
    this.marker = marker(at, { icon, interactive: false, keyboard: false, pane });
  }

  /** Whether it is as wide as it was. */
  write(text: string): boolean {
    const same = this.tag.textContent === text;
    setText(this.tag, text);
    return same;
  }

  place(at: Offset | null): void {
    lay(this.tag, at);
  }
}
