// The page of a bridge: both directions now, over time, and as the fundamental diagram.

import { BridgeCurves } from "./bridgecurves.ts";
import { BridgeFigures, type DirectionNow } from "./bridgefigures.ts";
import { roadOf } from "./bridgeroad.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { ExportBar } from "./exportbar.ts";
import { DAY_MS, decimal } from "./format.ts";
import { getJson } from "./http.ts";
import type { Reading, Station } from "./model.ts";
import type { App, Opening, Page } from "./page.ts";
import { Past } from "./past.ts";
import { inAddress, viewInAddress, writeView } from "./placeaddress.ts";
import { activeOf, PlaceAlerts } from "./placealerts.ts";
import { notice } from "./placenotice.ts";
import { onPaperToo } from "./placeprint.ts";
import { PlaceTable } from "./placetable.ts";
import { directionsOf, directionView, modesOf, saidOf } from "./traffic.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";
import { spanOf, Zoom } from "./zoom.ts";

export const open: Opening = (root, app, subject) => new BridgePage(root, app, subject);

class BridgePage implements Page {
  private readonly zoom: Zoom;
  /** A series whose direction is the one that was chosen, as the address names it. */
  private chosen: string | null = inAddress();
  private readonly head = el("header", { class: "place-head" });
  private readonly name = el("h2", { "data-testid": "place-name" });
  private readonly facts = el("p", { class: "facts" });
  private readonly map = el("a", { "data-testid": "way-map" });
  private readonly figures: BridgeFigures;
  private readonly curves: BridgeCurves;
  private readonly alerts: PlaceAlerts;
  private readonly table: PlaceTable;
  private readonly exports: ExportBar;
  private readonly body: HTMLElement;
  private readonly missing = el("div");
  private readonly endPrinting = onPaperToo(() => this.restyled());

  constructor(
    root: HTMLElement,
    private readonly app: App,
    private readonly id: string,
  ) {
    const { held } = app;
    const now = (): number => app.moment().now_ms;
    const redraw = (): void => app.schedule();
    this.zoom = new Zoom(viewInAddress() ?? { span_ms: DAY_MS, end_ms: null });
    this.figures = new BridgeFigures((direction) => this.choose(direction));
    const past = new Past(getJson);
    this.curves = new BridgeCurves(held, past, this.zoom, now, () => this.zoomed(), redraw);
    this.alerts = new PlaceAlerts(id, getJson, redraw);
    this.table = new PlaceTable(getJson);
    this.exports = new ExportBar(app);
    this.curves.bar.more.append(this.exports.place);
    const ways = el("nav", { class: "ways" }, this.map);
    this.head.append(this.name, this.facts, ways);
    const aside = el("div", { class: "place-aside" }, this.curves.diagrams, this.alerts.place);
    this.body = el(
      "div",
      { class: "place bridge-page" },
      ...[this.head, this.figures.place, this.curves.place, aside, this.table.place],
    );
    this.body.hidden = true;
    root.append(this.body, this.missing);
  }

  title(): string {
    const name = this.app.held.station(this.id)?.name ?? this.id;
    return `${name} · ${word("river_name", this.app.language)}`;
  }

  update(at: Moment): void {
    const { held } = this.app;
    const station = held.station(this.id);
    if (station === undefined || station.kind !== "traffic") {
      this.body.hidden = true;
      this.missing.replaceChildren(notice(this.id, station, held.stations, at.language));
      return;
    }
    this.missing.replaceChildren();
    this.body.hidden = false;
    const readings = held.byStation.get(this.id) ?? [];
    const all = this.directionsNow(station, readings);
    const chosen = this.direction(all.map(({ view }) => view.direction));
    this.write(station, readings, at);
    this.figures.update(station, all, chosen, at);
    const span = spanOf(this.zoom.wish, at.now_ms);
    this.alerts.look(span, at.now_ms, held.client?.speed ?? 1);
    this.alerts.update(activeOf(held.folded), station, at);
    const minutes = readings.find(
      (one) => one.direction === chosen && one.quantity === "crossing_time_min",
    );
    const shown = minutes ?? readings.find((one) => one.direction === chosen) ?? null;
    this.table.update(shown, span, at);
    this.curves.update(station, all, chosen, this.alerts.marks(minutes?.key ?? null, at.now_ms), at);
    const { pictures, step } = this.curves;
    if (shown !== null) this.exports.update(pictures, shown, step, station, at);
  }

  renewed(): void {
    this.curves.renew();
    this.alerts.renew();
    this.app.schedule();
  }

  restyled(): void {
    this.curves.restyle();
  }

  close(): void {
    this.endPrinting();
    this.curves.close();
  }

  private directionsNow(station: Station, readings: readonly Reading[]): DirectionNow[] {
    const { desk, bridges } = this.app.held;
    const [modes, said] = [modesOf(desk.answer), saidOf(bridges.answer)];
    return directionsOf(station, readings).map((direction) => ({
      view: directionView(station, direction, readings),
      road: roadOf(bridges.answer, station.id, direction),
      mode: modes.get(`${station.id}/${direction}`) ?? null,
      said: said.get(`${station.id}/${direction}`) ?? null,
    }));
  }

  private direction(known: readonly string[]): string {
    const wished = this.chosen?.split("/")[1];
    return known.find((name) => name === wished) ?? known[0] ?? "";
  }

  private choose(direction: string): void {
    this.chosen = `${this.id}/${direction}/crossing_time_min`;
    this.zoomed();
  }

  /** The address says what is looked at, so that it can be handed on and come back to. */
  private zoomed(): void {
    writeView(this.chosen, this.zoom.wish);
    this.app.schedule();
  }

  private write(station: Station, readings: readonly Reading[], { language }: Moment): void {
    setText(this.name, station.name);
    const cameras = word("n_cameras", language, { n: station.devices.length });
    const length_m = station.length_m ?? 0;
    const length = length_m > 0 ? `${decimal(length_m / 1000, 2, language)} km` : "";
    const simulated = readings.some((one) => one.simulated) ? word("simulated", language) : "";
    setText(this.facts, [length, cameras, simulated].filter(Boolean).join(" · "));
    setAttribute(this.map, "href", `/ban-do#${station.id}`);
    setText(this.map, word("on_the_map", language));
  }
}
