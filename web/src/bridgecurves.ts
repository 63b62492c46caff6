// A bridge over time: minutes of both directions, vehicles by class, speeds; and its diagrams.

import { banMarks, entryOf, modeMarks } from "./bridgeroad.ts";
import type { DirectionNow } from "./bridgefigures.ts";
import { Curve } from "./curve.ts";
import { byAge, pairs } from "./diagram.ts";
import { DiagramPlot } from "./diagramplot.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { DAY_MS } from "./format.ts";
import type { Point } from "./history.ts";
import type { Holding } from "./holding.ts";
import { comparable } from "./lunar.ts";
import { limitsOf, type Reading, type Station } from "./model.ts";
import { type Past, shownPoints } from "./past.ts";
import type { Line, Picture } from "./picture.ts";
import { Legend } from "./placelegend.ts";
import { Switches } from "./placeswitches.ts";
import { type Scene, Scenes, type Track } from "./scene.ts";
import { gapOf, type Limit, limitsAs, type Mark } from "./strokes.ts";
import { whyText } from "./reporting.ts";
import type { Moment } from "./view.ts";
import { type Language, named, word } from "./words.ts";
import { spanOf, type Step, stepOf, type Zoom } from "./zoom.ts";
import { ZoomBar } from "./zoombar.ts";

const WEEK_MS = 7 * DAY_MS;
/** From the ground up, with its colour. */
const CLASSES: readonly [string, string][] = [
  ["count_motorbike", "--class-1"],
  ["count_car", "--class-2"],
  ["count_bus", "--class-3"],
  ["count_truck", "--class-4"],
  ["count_trailer", "--class-5"],
  ["count_bicycle", "--class-6"],
  ["count_other", "--class-6"],
];
const SPEEDS: readonly [string, string][] = [
  ["speed_car_km_h", "--text"],
  ["speed_motorbike_km_h", "--laid-down"],
];
/** A day of the diagrams is asked for as means of this. */
const FIVE: Step = { name: "5m", ms: 5 * 60_000 };
const DIAGRAM_S = 300;
const TEN: Step = { name: "10m", ms: 10 * 60_000 };

interface Panel {
  curve: Curve;
  name: HTMLElement;
  legend: Legend;
}

export class BridgeCurves {
  readonly place = el("section", { class: "panel curves", "data-testid": "curves" });
  readonly diagrams = el("section", { class: "panel diagrams", "data-testid": "diagrams" });
  readonly bar: ZoomBar;
  pictures: Picture[] = [];
  step: Step | null = null;
  private readonly panels: Record<"minutes" | "classes" | "speeds", Panel>;
  private readonly switches: Switches;
  private readonly scenes: Scenes;
  private readonly spots: Scenes;
  private readonly flowDiagram = new DiagramPlot("diagram-flow");
  private readonly speedDiagram = new DiagramPlot("diagram-speed");
  private readonly diagramTitle = el("h3");
  private readonly message = el("p", { class: "message", role: "status" });

  constructor(
    private readonly held: Holding,
    private readonly past: Past,
    private readonly zoom: Zoom,
    now: () => number,
    changed: () => void,
    redraw: () => void,
  ) {
    this.scenes = new Scenes(past, redraw);
    this.spots = new Scenes(past, redraw);
    this.bar = new ZoomBar(zoom, now, changed);
    this.switches = new Switches(redraw);
    const panel = (testid: string, low: boolean): Panel => {
      const curve = new Curve(this.bar.handling, "bridge");
      setAttribute(curve.place, "data-testid", testid);
      curve.place.classList.toggle("low", low);
      return { curve, name: el("p", { class: "curve-name" }), legend: new Legend() };
    };
    this.panels = {
      minutes: panel("curve", false),
      classes: panel("classes", true),
      speeds: panel("speeds", true),
    };
    const parts = Object.values(this.panels).flatMap(({ curve, name, legend }) => [
      el("div", { class: "curve-head" }, name, legend.place),
      curve.place,
    ]);
    const stack = el("div", { class: "stack" }, ...parts);
    stack.addEventListener("keydown", (event) => this.bar.key(event));
    this.place.append(this.bar.place, this.switches.place, stack, this.message);
    this.diagrams.append(this.diagramTitle, this.flowDiagram.place, this.speedDiagram.place);
  }

  update(station: Station, all: readonly DirectionNow[], chosen: string, alerts: readonly Mark[], at: Moment): void {
    const { language, now_ms } = at;
    const readings = this.held.byStation.get(station.id) ?? [];
    for (const reading of readings) this.past.take(reading);
    const of = (quantity: string, direction: string, device?: string): Reading | null =>
      readings.find(
        (one) =>
          one.quantity === quantity &&
          one.direction === direction &&
          (device === undefined || one.device === device),
      ) ?? null;
    const camera = entryOf(this.held.bridges.answer, station, chosen, readings);
    const minutes = of("crossing_time_min", chosen);
    const others = all.map(({ view }) => view.direction).filter((name) => name !== chosen);
    const other = others[0] === undefined ? null : of("crossing_time_min", others[0]);
    const offered = comparable(WEEK_MS, this.zoom.wish.span_ms);
    const week = word("laid_week", language);
    this.switches.update([{ id: "week", label: week, on: true, offered }]);
    const weekOn = this.switches.on("week");
    const tracks: (Track & { reading: Reading })[] = [];
    const add = (id: string, reading: Reading | null, shift_ms = 0): void => {
      if (reading === null) return;
      tracks.push({ id, key: reading.key, expected_s: reading.expected_s, shift_ms, reading });
    };
    add("minutes", minutes);
    add("other", other);
    if (weekOn) add("week", minutes, WEEK_MS);
    for (const [quantity] of [...CLASSES, ...SPEEDS]) add(quantity, of(quantity, chosen, camera));
    if (weekOn) add("speed-week", of("speed_car_km_h", chosen, camera), WEEK_MS);
    const asked = tracks.map(({ id, key, expected_s, shift_ms }) => ({ id, key, expected_s, shift_ms }));
    this.scenes.want(this.zoom.wish, asked, now_ms, (track) => stepFor(track, this.zoom.wish.span_ms));
    this.bar.update(this.step, this.scenes.busy, at);
    const direction = station.directions[chosen]?.[language] ?? chosen;
    setText(this.diagramTitle, `${word("diagram_title", language)} · ${direction}`);
    this.drawDiagrams(of, all, chosen, camera, at);
    this.tell(language);
    const scene = this.scenes.shown;
    if (scene === null) return;
    const expected_s = minutes?.expected_s ?? 60;
    this.step = stepOf(scene.wish.span_ms, expected_s);
    this.draw({ station, all, chosen, alerts, scene, tracks, other: others[0] ?? "" }, at);
  }

  renew(): void {
    this.scenes.renew();
    this.spots.renew();
  }

  restyle(): void {
    for (const { curve } of Object.values(this.panels)) curve.restyle();
    this.flowDiagram.restyle();
    this.speedDiagram.restyle();
  }

  close(): void {
    this.scenes.close();
    this.spots.close();
    for (const { curve } of Object.values(this.panels)) curve.close();
    this.flowDiagram.close();
    this.speedDiagram.close();
  }

  private draw(
    known: {
      station: Station;
      all: readonly DirectionNow[];
      chosen: string;
      other: string;
      alerts: readonly Mark[];
      scene: Scene;
      tracks: readonly (Track & { reading: Reading })[];
    },
    at: Moment,
  ): void {
    const { station, all, chosen, other, alerts, scene, tracks } = known;
    const { language, now_ms } = at;
    const span = spanOf(scene.wish, now_ms);
    const now = all.find(({ view }) => view.direction === chosen);
    const stretches = [
      ...banMarks(now?.road.bans ?? [], span, language),
      ...modeMarks(this.held.desk.answer, now?.mode ?? null, language),
    ];
    const line = (id: string, look: Partial<Line>): Line | null => {
      const track = tracks.find((one) => one.id === id);
      if (track === undefined) return null;
      const stretch = scene.stretches.get(id) ?? null;
      const points = stretch === null ? [] : shownPoints(stretch, now_ms - track.shift_ms);
      const step_ms = stretch?.step.ms ?? 0;
      const label = named("q", track.reading.quantity, language);
      return {
        ...{ id, label, points, shift_ms: track.shift_ms, gap_ms: gapOf(track.expected_s, step_ms) },
        ...{ ink: "--text", width: 0.13, dash: track.shift_ms > 0, band: false, main: false },
        ...look,
      };
    };
    const some = (lines: (Line | null)[]): Line[] => lines.filter((one) => one !== null);
    const nameOf = (direction: string): string =>
      station.directions[direction]?.[language] ?? direction;
    const week = { label: word("laid_week", language), ink: "--muted", width: 0.08 };
    const steps_ms = this.step?.ms ?? 0;
    const minutesReading = tracks.find((one) => one.id === "minutes")?.reading;
    const rules = minutesReading === undefined ? [] : limitsOf(this.held.rules, minutesReading, station);
    const base = { span, language, stretches, hands: [], alerts: [], limits: [] };
    const direction = nameOf(chosen);
    const title = (quantity: "q_crossing_time_min" | "classes_title" | "speeds_title"): string =>
      `${station.name}, ${direction}: ${word(quantity, language)}`;
    const minutes: Picture = {
      ...base,
      ...{ title: title("q_crossing_time_min"), quantity: "crossing_time_min", unit: "min" },
      lines: some([
        line("minutes", { label: direction, main: true, band: steps_ms > 0 }),
        line("other", { label: nameOf(other), ink: "--laid-up", width: 0.08 }),
        line("week", week),
      ]),
      ...{ stacked: false, limits: [...limitsAs(rules, language), usual(language)] },
      ...{ alerts, axis: false },
    };
    const classes: Picture = {
      ...base,
      ...{ title: title("classes_title"), quantity: "flow_veh_h", unit: "veh/h" },
      lines: some(CLASSES.map(([id, ink]) => perHour(line(id, { ink, band: false }), tracks))).filter(
        (one) => one.points.some((point) => point.value > 0),
      ),
      ...{ stacked: true, axis: false },
    };
    const speeds: Picture = {
      ...base,
      ...{ title: title("speeds_title"), quantity: "speed_km_h", unit: "km/h" },
      lines: some([
        ...SPEEDS.map(([id, ink]) => line(id, { ink, main: true })),
        line("speed-week", week),
      ]),
      ...{ stacked: false, axis: true },
    };
    this.pictures = [minutes, classes, speeds];
    const panels = [this.panels.minutes, this.panels.classes, this.panels.speeds];
    panels.forEach(({ curve, name, legend }, n) => {
      const picture = this.pictures[n] as Picture;
      const what = picture.title.slice(picture.title.indexOf(": ") + 2);
      // The first has both directions, and names them in its legend.
      setText(name, n === 0 ? what : `${what} · ${direction}`);
      curve.show(picture);
      // What the hatching means is said once.
      legend.update(n === 0 ? picture : { ...picture, stretches: [] }, language);
    });
  }

  /** The last day, whatever span the curves show. */
  private drawDiagrams(
    of: (quantity: string, direction: string, device?: string) => Reading | null,
    all: readonly DirectionNow[],
    chosen: string,
    camera: string,
    { language, now_ms }: Moment,
  ): void {
    const ids = ["occupancy_car", "flow_car_veh_h", "speed_car_km_h"];
    const tracks = ids.flatMap((id) => {
      const reading = of(id, chosen, camera);
      return reading === null ? [] : [{ id, key: reading.key, expected_s: DIAGRAM_S, shift_ms: 0 }];
    });
    this.spots.want({ span_ms: DAY_MS, end_ms: null }, tracks, now_ms, () => FIVE);
    const points = (id: string): Point[] => {
      const stretch = this.spots.shown?.stretches.get(id) ?? null;
      return stretch === null ? [] : shownPoints(stretch, now_ms);
    };
    const [share, flow, speed] = ids.map(points) as [Point[], Point[], Point[]];
    const capacity = all.find(({ view }) => view.direction === chosen)?.road.capacity_veh_h ?? null;
    const flowAxis = { label: word("axis_flow", language), scale: 1, least: 100 };
    const told = { n: capacity ?? 0 };
    this.flowDiagram.show({
      title: word("diagram_flow", language),
      x: { label: word("axis_occupancy", language), scale: 100, least: 10 },
      y: flowAxis,
      spots: byAge(pairs(share, flow), now_ms),
      line: capacity === null ? null : { value: capacity, text: word("capacity", language, told) },
      language,
    });
    this.speedDiagram.show({
      title: word("diagram_speed", language),
      x: flowAxis,
      y: { label: word("axis_speed", language), scale: 1, least: 20 },
      ...{ spots: byAge(pairs(flow, speed), now_ms), line: null, language },
    });
  }

  private tell(language: Language): void {
    const { problem, shown, busy } = this.scenes;
    let text = "";
    if (problem !== null) text = word("chart_failed", language, { why: whyText(problem, language) });
    else if (shown === null && busy) text = word("zoom_loading", language);
    else if (shown !== null && !shown.complete) text = word("chart_incomplete", language);
    setText(this.message, text);
    this.message.hidden = text === "";
  }
}

/** Up to this a crossing is as usual, min; expert judgement, unverified. */
const USUAL_MIN = 15;

function usual(language: Language): Limit {
  return { value: USUAL_MIN, text: word("crossing_usual", language, { n: USUAL_MIN }), severity: "" };
}

/** Counts of single minutes are noise over a day: from six hours on they are told by tens. */
function stepFor({ id, expected_s }: Track, span_ms: number): Step {
  const step = stepOf(span_ms, expected_s);
  const fine = step.ms < TEN.ms && span_ms > DAY_MS / 4;
  return fine && CLASSES.some(([quantity]) => quantity === id) ? TEN : step;
}

/** Counts of a window as vehicles in an hour. */
function perHour(line: Line | null, tracks: readonly Track[]): Line | null {
  const every_s = tracks.find((one) => one.id === line?.id)?.expected_s ?? 60;
  const factor = 3600 / Math.max(1, every_s);
  return (
    line && {
      ...line,
      points: line.points.map((point) => ({ ...point, value: point.value * factor })),
    }
  );
}
