// The curve of a station with the tide beneath, its neighbours and other days laid over.

import { Curve } from "./curve.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { LUNAR_DAY_MS } from "./format.ts";
import { levelFor, neighboursOf } from "./kin.ts";
import { shortName } from "./layout.ts";
import { comparable, type SameDay } from "./lunar.ts";
import type { Holding } from "./holding.ts";
import { limitsOf, type Reading, shownSalinity, type Station } from "./model.ts";
import { type Past, shownPoints } from "./past.ts";
import { whyText } from "./reporting.ts";
import type { Line, Picture } from "./picture.ts";
import { Legend } from "./placelegend.ts";
import { type Scene, Scenes, type Track } from "./scene.ts";
import { gapOf, type Hand, limitsAs, type Mark } from "./strokes.ts";
import { Switches } from "./placeswitches.ts";
import type { Moment } from "./view.ts";
import { type Language, named, word } from "./words.ts";
import { spanOf, stepOf, type Step, type Zoom } from "./zoom.ts";
import { ZoomBar } from "./zoombar.ts";

export interface Beside {
  alerts: readonly Mark[];
  hands: readonly Hand[];
  /** Days with the lunar date of the last one that is shown, and with data. */
  years: readonly SameDay[];
}

export class StationCurves {
  readonly place = el("section", { class: "panel curves", "data-testid": "curves" });
  readonly main: Curve;
  private readonly tide: Curve;
  private readonly tideName = el("p", { class: "curve-name", "data-testid": "tide-of" });
  private readonly message = el("p", { class: "message", role: "status" });
  private readonly scenes: Scenes;
  readonly bar: ZoomBar;
  private readonly legend = new Legend();
  readonly switches: Switches;
  /** What is on the screen, for an export of the same. */
  picture: Picture | null = null;
  tidePicture: Picture | null = null;
  step: Step | null = null;

  constructor(
    private readonly held: Holding,
    private readonly past: Past,
    private readonly zoom: Zoom,
    now: () => number,
    changed: () => void,
  ) {
    this.scenes = new Scenes(past, changed);
    this.bar = new ZoomBar(zoom, now, changed);
    this.main = new Curve(this.bar.handling, "station");
    this.tide = new Curve(this.bar.handling, "station");
    this.switches = new Switches(changed);
    setAttribute(this.main.place, "data-testid", "curve");
    setAttribute(this.tide.place, "data-testid", "tide");
    this.tide.place.classList.add("tide");
    const tools = el("div", { class: "curve-tools" }, this.switches.place, this.legend.place);
    const curves = el("div", { class: "stack" }, this.main.place, this.tideName, this.tide.place);
    this.place.append(this.bar.place, tools, curves, this.message);
    curves.addEventListener("keydown", (event) => this.bar.key(event));
  }

  update(station: Station, reading: Reading, beside: Beside, at: Moment): void {
    const { language, now_ms } = at;
    const { stations, byStation } = this.held;
    const level = reading.quantity === "water_level_m" ? null : levelFor(station, stations, byStation);
    const near = neighboursOf(station, stations);
    this.offer(reading, near, beside, at);
    const laid = this.laid(reading, near, beside, language);
    const tracks: Track[] = [trackOf("main", reading, 0)];
    if (level !== null) tracks.push(trackOf("tide", level.reading, 0));
    tracks.push(...laid.map(({ track }) => track));
    for (const one of byStation.get(station.id) ?? []) this.past.take(one);
    for (const { track } of laid) this.takeLive(track.key);
    if (level !== null) this.takeLive(level.reading.key);
    this.scenes.want(this.zoom.wish, tracks, now_ms);
    this.bar.update(this.step, this.scenes.busy, at);
    this.tell(language);
    const scene = this.scenes.shown;
    if (scene === null) return;
    this.step = stepOf(scene.wish.span_ms, reading.expected_s);
    const span = spanOf(scene.wish, now_ms);
    const lines = [this.line(scene, "main", reading, at)];
    for (const { track, label, ink } of laid) {
      lines.push(this.laidLine(scene, track, label, ink, at));
    }
    const limits = limitsAs(limitsOf(this.held.rules, reading, station), language);
    const { quantity, unit } = reading;
    const title = `${shortName(station.name)}: ${named("q", quantity, language)}`;
    const stretches: Mark[] = [];
    this.picture = {
      ...{ title, quantity, unit, lines, stacked: false, limits, stretches, span, language },
      ...{ alerts: beside.alerts, hands: beside.hands, axis: level === null },
    };
    this.main.show(this.picture);
    this.legend.update(this.picture, language);
    this.showTide(scene, level, at);
  }

  renew(): void {
    this.scenes.renew();
  }

  restyle(): void {
    this.main.restyle();
    this.tide.restyle();
  }

  close(): void {
    this.scenes.close();
    this.main.close();
    this.tide.close();
  }

  private takeLive(key: string): void {
    const reading = this.held.readings.get(key);
    if (reading !== undefined) this.past.take(reading);
  }

  /** What can be laid over just now, as switches. */
  private offer(
    reading: Reading,
    near: { up: Station | null; down: Station | null },
    { years }: Beside,
    { language }: Moment,
  ): void {
    const { span_ms } = this.zoom.wish;
    const tidal = comparable(LUNAR_DAY_MS, span_ms);
    const name = (of: Station | null, way: "neighbour_up" | "neighbour_down"): string =>
      of === null ? "" : word(way, language, { name: shortName(of.name) });
    this.switches.update([
      { id: "tide-before", label: word("laid_tide", language), on: true, offered: tidal },
      ...(["up", "down"] as const).map((way) => ({
        id: way,
        label: name(near[way], way === "up" ? "neighbour_up" : "neighbour_down"),
        on: false,
        offered: this.peer(near[way], reading) !== null,
      })),
      ...years.map(({ year, shift_ms }) => ({
        id: `year-${year}`,
        label: word("laid_year", language, { year }),
        on: false,
        offered: comparable(shift_ms, span_ms),
      })),
    ]);
  }

  /** The same quantity at a neighbour. */
  private peer(of: Station | null, { quantity }: Reading): Reading | null {
    if (of === null) return null; // lines of salt are of no station: not those of any arm
    const own = this.held.byStation.get(of.id) ?? [];
    if (quantity === "salinity_g_l") return shownSalinity(own);
    return own.find((one) => one.quantity === quantity) ?? null;
  }

  private laid(
    reading: Reading,
    near: { up: Station | null; down: Station | null },
    { years }: Beside,
    language: Language,
  ): { track: Track; label: string; ink: string }[] {
    const found: { track: Track; label: string; ink: string }[] = [];
    if (this.switches.on("tide-before")) {
      const track = trackOf("tide-before", reading, LUNAR_DAY_MS);
      found.push({ track, label: word("chart_yesterday", language), ink: "--muted" });
    }
    for (const way of ["up", "down"] as const) {
      const peer = this.peer(near[way], reading);
      if (peer === null || !this.switches.on(way)) continue;
      const label = shortName(near[way]?.name ?? "");
      found.push({ track: trackOf(way, peer, 0), label, ink: `--laid-${way}` });
    }
    years.forEach(({ year, shift_ms }, n) => {
      if (!this.switches.on(`year-${year}`)) return;
      const track = trackOf(`year-${year}`, reading, shift_ms);
      const label = word("laid_year", language, { year });
      found.push({ track, label, ink: `--laid-${(n % 3) + 1}` });
    });
    return found;
  }

  private line(scene: Scene, id: string, reading: Reading, { language, now_ms }: Moment): Line {
    const stretch = scene.stretches.get(id) ?? null;
    const step = stretch?.step ?? stepOf(scene.wish.span_ms, reading.expected_s);
    return {
      ...{ id, label: named("q", reading.quantity, language), shift_ms: 0, main: true },
      points: stretch === null ? [] : shownPoints(stretch, now_ms),
      gap_ms: gapOf(reading.expected_s, step.ms),
      ...{ ink: "--text", width: 0.13, dash: false, band: step.ms > 0 },
    };
  }

  private laidLine(scene: Scene, track: Track, label: string, ink: string, at: Moment): Line {
    const { id, shift_ms, expected_s } = track;
    const stretch = scene.stretches.get(id) ?? null;
    return {
      ...{ id, label, shift_ms, ink, main: false, band: false },
      points: stretch === null ? [] : shownPoints(stretch, at.now_ms - shift_ms),
      gap_ms: gapOf(expected_s, stretch?.step.ms ?? 0),
      ...{ width: 0.08, dash: shift_ms > 0 },
    };
  }

  private showTide(
    scene: Scene,
    level: { station: Station; reading: Reading } | null,
    at: Moment,
  ): void {
    this.tide.place.hidden = this.tideName.hidden = level === null;
    if (level === null) {
      this.tidePicture = null;
      return;
    }
    const { language, now_ms } = at;
    const name = shortName(level.station.name);
    const title = word("tide_of", language, { name });
    setText(this.tideName, title);
    const { quantity, unit } = level.reading;
    this.tidePicture = {
      ...{ title, quantity, unit, stacked: false, limits: [], alerts: [], stretches: [], hands: [] },
      lines: [this.line(scene, "tide", level.reading, at)],
      ...{ span: spanOf(scene.wish, now_ms), axis: true, language },
    };
    this.tide.show(this.tidePicture);
  }

  private tell(language: Language): void {
    const { problem, shown, busy } = this.scenes;
    let text = "";
    if (problem !== null) text = word("chart_failed", language, { why: whyText(problem, language) });
    else if (shown === null && busy) text = word("zoom_loading", language);
    else if (shown !== null && !shown.complete) text = word("chart_incomplete", language);
    else if (shown !== null && this.picture?.lines[0]?.points.length === 0) {
      text = word("span_none", language);
    }
    setText(this.message, text);
    this.message.hidden = text === "";
  }
}

export function trackOf(id: string, { key, expected_s }: Reading, shift_ms: number): Track {
  return { id, key, expected_s, shift_ms };
}
