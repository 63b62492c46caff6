// The map of the delta: stations and bridges where they are registered, the lines of salt on the
// branches, and the same as a list. Leaflet and its styles are loaded with this page alone.

import { el, setAttribute, setText } from "./dom.ts";
import type { Fields } from "./held.ts";
import { MapBoard } from "./mapboard.ts";
import { MapList } from "./maplist.ts";
import { toldOf } from "./maptold.ts";
import { fields, shownSalinity, text } from "./model.ts";
import type { App, Opening, Page } from "./page.ts";
import { modesOf } from "./traffic.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";

export const open: Opening = (root, app) => new MapPage(root, app);

class MapPage implements Page {
  private readonly title_ = el("h2", { class: "visually-hidden" });
  private readonly board = el("section", { class: "geo-board" });
  private readonly list = new MapList((id) => this.show(id));
  private map: MapBoard | null = null;
  private ready = false;
  private closed = false;
  private chosen = "";
  private wished = location.hash.slice(1);
  private tilesTold = false;
  private readonly heard = (): void => {
    this.wished = location.hash.slice(1);
    this.app.schedule();
  };

  constructor(
    root: HTMLElement,
    private readonly app: App,
  ) {
    // The list comes first for who goes from one to the next: the map says the same once more.
    root.append(el("div", { class: "geo-page" }, this.title_, this.list.place, this.board));
    addEventListener("hashchange", this.heard);
    void styled().then(() => {
      this.ready = true;
      app.schedule();
    });
  }

  title(): string {
    const { language } = this.app;
    return `${word("map_title", language)} · ${word("river_name", language)}`;
  }

  update(at: Moment): void {
    const { stations, byStation, salt, folded, desk } = this.app.held;
    setText(this.title_, word("map_title", at.language));
    const modes = modesOf(desk.answer);
    const told = stations.map((station) => {
      const readings = byStation.get(station.id) ?? [];
      return toldOf(station, { readings, shown: shownSalinity(readings), modes, folded }, at);
    });
    this.list.update(told, salt, this.chosen, at);
    // What the service says of tiles is known once stations are.
    if (this.ready) this.map ??= this.mount();
    if (this.map === null) return;
    this.map.update(told, salt, at);
    const wished = this.wished;
    this.wished = "";
    if (wished !== "" && wished !== this.chosen) this.map.show(wished);
  }

  restyled(): void {
    this.map?.restyle();
  }

  close(): void {
    this.closed = true;
    removeEventListener("hashchange", this.heard);
    this.map?.close();
  }

  private mount(): MapBoard {
    const given: Fields = fields(this.app.held.about["map"]) ?? {};
    const tiles = {
      url: text(given["tiles_url"]) || null,
      source: text(given["tiles_source"]),
      failed: () => this.tellTiles(),
    };
    return new MapBoard(this.board, tiles, (id) => this.choose(id));
  }

  private show(id: string): void {
    if (this.map?.show(id)) this.board.scrollIntoView({ block: "nearest" });
  }

  /** The address says whose popup is open, so that it can be handed on. */
  private choose(id: string): void {
    if (this.closed) return;
    this.chosen = id;
    const hash = id === "" ? "" : `#${id}`;
    history.replaceState(null, "", location.pathname + location.search + hash);
    this.app.schedule();
  }

  private tellTiles(): void {
    if (this.tilesTold) return;
    this.tilesTold = true;
    this.app.toast(word("map_tiles_failed", this.app.language));
  }
}

/** The styles of the map, once; a map that is drawn without them has no size. */
function styled(): Promise<unknown> {
  const known = document.getElementById("map-style");
  if (known !== null) return Promise.resolve();
  const href = document.querySelector("meta[name='map-style']")?.getAttribute("content") ?? "";
  const link = el("link", { rel: "stylesheet", href });
  return new Promise((done) => {
    link.addEventListener("load", () => {
      setAttribute(link, "id", "map-style");
      done(null);
    });
    link.addEventListener("error", done); // unsightly is better than nothing
    document.head.append(link);
  });
}
