// The page of a salinity station: what it measures now, its curve, its alerts, how far it can be trusted.

import { inAddress, viewInAddress, writeView } from "./placeaddress.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { DAY_MS, figure } from "./format.ts";
import type { Reading, Station } from "./model.ts";
import { shownSalinity } from "./model.ts";
import { neighboursOf } from "./kin.ts";
import { mouthName } from "./layout.ts";
import { getJson } from "./http.ts";
import type { App, Opening, Page } from "./page.ts";
import { Past } from "./past.ts";
import { ExportBar } from "./exportbar.ts";
import { activeOf, PlaceAlerts } from "./placealerts.ts";
import { notice } from "./placenotice.ts";
import { onPaperToo } from "./placeprint.ts";
import { PlaceTable } from "./placetable.ts";
import { StationCurves } from "./stationcurves.ts";
import { StationCare } from "./stationcare.ts";
import { inFigureOrder, StationFigures } from "./stationfigures.ts";
import { LunarDays } from "./stationlunar.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";
import { spanOf, Zoom } from "./zoom.ts";

export const open: Opening = (root, app, subject) => new StationPage(root, app, subject);

class StationPage implements Page {
  private readonly zoom: Zoom;
  private chosen: string | null = inAddress();
  private readonly past: Past;
  private readonly head = el("header", { class: "place-head" });
  private readonly name = el("h2", { "data-testid": "place-name" });
  private readonly facts = el("p", { class: "facts" });
  private readonly ways = el("nav", { class: "ways" });
  private readonly figures: StationFigures;
  private readonly curves: StationCurves;
  private readonly alerts: PlaceAlerts;
  private readonly table: PlaceTable;
  private readonly care: StationCare;
  private readonly lunar: LunarDays;
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
    const changed = (): void => app.schedule();
    const now = (): number => app.moment().now_ms;
    this.past = new Past(getJson);
    this.zoom = new Zoom(viewInAddress() ?? { span_ms: DAY_MS, end_ms: null });
    this.figures = new StationFigures(getJson, (key) => this.choose(key), changed);
    this.curves = new StationCurves(held, this.past, this.zoom, now, () => this.zoomed());
    this.alerts = new PlaceAlerts(id, getJson, changed);
    this.table = new PlaceTable(getJson);
    this.care = new StationCare(id, app);
    this.lunar = new LunarDays(getJson, changed);
    this.exports = new ExportBar(app);
    this.curves.bar.more.append(this.exports.place);
    this.head.append(this.name, this.facts, this.ways);
    const aside = el("div", { class: "place-aside" }, this.alerts.place, this.care.place);
    this.body = el(
      "div",
      { class: "place station-page" },
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
    if (station === undefined || station.kind !== "salinity") {
      this.body.hidden = true;
      this.missing.replaceChildren(notice(this.id, station, held.stations, at.language));
      return;
    }
    this.missing.replaceChildren();
    this.body.hidden = false;
    const readings = held.byStation.get(this.id) ?? [];
    this.write(station, readings, at);
    const reading = this.chosenReading(readings);
    this.figures.update(readings, reading?.key ?? null, at);
    const span = spanOf(this.zoom.wish, at.now_ms);
    this.alerts.look(span, at.now_ms, held.client?.speed ?? 1);
    this.alerts.update(activeOf(held.folded), station, at);
    this.care.update(span, at, held.client?.speed ?? 1);
    this.lunar.update(reading, span, at);
    this.table.update(reading, span, at);
    this.curves.place.hidden = reading === null;
    if (reading === null) return;
    this.curves.update(
      station,
      reading,
      {
        alerts: this.alerts.marks(reading.key, at.now_ms),
        hands: this.care.hands(reading, at.now_ms),
        years: this.lunar.years,
      },
      at,
    );
    this.curves.switches.note(this.lunar.note(at.language));
    const { picture, tidePicture, step } = this.curves;
    const pictures = [picture, tidePicture].filter((one) => one !== null);
    this.exports.update(pictures, reading, step, station, at);
  }

  renewed(): void {
    this.curves.renew();
    this.alerts.renew();
    this.care.renew();
    this.app.schedule();
  }

  restyled(): void {
    this.curves.restyle();
  }

  close(): void {
    this.endPrinting();
    this.curves.close();
    this.care.close();
  }

  private choose(key: string): void {
    this.chosen = key;
    this.zoomed();
  }

  /** The address says what is looked at, so that it can be handed on and come back to. */
  private zoomed(): void {
    writeView(this.chosen, this.zoom.wish);
    this.app.schedule();
  }

  /** What was asked for; else the salinity; else whatever there is. */
  private chosenReading(readings: readonly Reading[]): Reading | null {
    const wished = readings.find((one) => one.key === this.chosen);
    return wished ?? shownSalinity(readings) ?? inFigureOrder(readings)[0] ?? null;
  }

  private write(station: Station, readings: readonly Reading[], at: Moment): void {
    const { language } = at;
    setText(this.name, station.name);
    const places = Object.entries(station.km_from_mouth).map(([mouth, km]) =>
      word("km_of_mouth", language, {
        km: figure(km, "salt_km", language),
        mouth: mouthName(mouth),
      }),
    );
    if (station.side === "coast") places.push(word("coast", language));
    const simulated = readings.some((one) => one.simulated) ? word("simulated", language) : "";
    const devices = station.devices.map((device) => device.id).join(", ");
    const parts = [...places, devices, simulated].filter(Boolean);
    setText(this.facts, parts.join(" · "));
    this.drawWays(station, at);
  }

  private drawWays(station: Station, { language }: Moment): void {
    const { up, down } = neighboursOf(station, this.app.held.stations);
    const links: [string, string, string][] = [
      ["up", up === null ? "" : `/tram/${up.id}`, `← ${up?.name ?? ""}`],
      ["down", down === null ? "" : `/tram/${down.id}`, `${down?.name ?? ""} →`],
      ["map", `/ban-do#${station.id}`, word("on_the_map", language)],
    ];
    const shown = links.filter(([, href]) => href !== "");
    const shape = JSON.stringify([shown, language]);
    if (this.ways.dataset["shape"] === shape) return;
    this.ways.dataset["shape"] = shape;
    setAttribute(this.ways, "aria-label", word("ways", language));
    this.ways.replaceChildren(
      ...shown.map(([id, href, text]) => {
        const title = id === "map" ? null : word(id === "up" ? "way_up" : "way_down", language);
        return el("a", { href, title, "data-testid": `way-${id}` }, text);
      }),
    );
  }
}
