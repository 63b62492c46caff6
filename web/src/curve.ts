// One picture over time that can be dragged, wheeled and keyed through, drawn with uPlot.

import uPlot from "uplot";

import { el, rem, setAttribute } from "./dom.ts";
import { dateTime, figure } from "./format.ts";
import { joined } from "./joined.ts";
import { axisText, type Line, type Picture, sentenceOf, tablesOf, widthOf } from "./picture.ts";
import {
  alertMarks,
  flagMarks,
  handMarks,
  limitLines,
  limitNames,
  lonePoints,
  type Paint,
  palette,
  stretchMarks,
} from "./strokes.ts";
import { unitOf } from "./words.ts";
import { yRange } from "./yrange.ts";
import { type Span, ticksOf, tickText } from "./zoom.ts";

/** What is done with a picture by hand. */
export interface Handling {
  /** A stretch was dragged over. */
  drag(span: Span): void;
  /** Turned by the wheel: nearer below 1; `place` 0..1 from the left. */
  wheel(factor: number, place: number): void;
  /** Pushed sideways by a finger, as a share of the width. */
  push(share: number): void;
  back(): void;
}

/** Limits are seen through it. */
const BAND = "rgb(128 128 128 / 30%)";

/** Narrower drags are clicks. */
const DRAG_PX = 6;

export class Curve {
  readonly place = el("div", { class: "canvas", tabindex: 0, role: "group" });
  private plot: uPlot | null = null;
  private shape = "";
  private picture: Picture | null = null;
  private readonly watch = new ResizeObserver(() => this.draw());

  constructor(
    private readonly handling: Handling,
    private readonly sync: string,
  ) {
    this.watch.observe(this.place);
    this.place.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.place.addEventListener("dblclick", () => handling.back());
    this.swipe();
  }

  show(picture: Picture): void {
    this.picture = picture;
    setAttribute(this.place, "aria-label", sentenceOf(picture));
    this.draw();
  }

  /** Colours or letters are others. */
  restyle(): void {
    this.shape = "";
    this.draw();
  }

  close(): void {
    this.watch.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  private draw(): void {
    const { picture } = this;
    const { clientWidth: width, clientHeight: height } = this.place;
    if (picture === null || width < 50 || height < 30) return;
    const lines = picture.lines.map((line) => [line.id, line.band, line.ink, line.dash]);
    const { quantity, stacked, axis, language } = picture;
    const shape = JSON.stringify([lines, quantity, stacked, axis, language, width, height, rem()]);
    const data = dataOf(picture);
    if (shape === this.shape && this.plot !== null) return this.plot.setData(data);
    this.shape = shape;
    this.plot?.destroy();
    const now = (): Picture => this.picture ?? picture;
    const options = optionsOf(now, { width, height }, rem(), palette());
    const cursor: uPlot.Cursor = {
      y: false,
      points: { size: rem() * 0.6 },
      drag: { x: true, y: false, setScale: false, dist: DRAG_PX },
      sync: { key: this.sync },
      bind: { dblclick: () => () => null },
    };
    options.cursor = cursor;
    options.hooks = {
      ...options.hooks,
      setSelect: [(plot) => this.selected(plot)],
      setCursor: [(plot) => this.readOut(plot)],
    };
    this.plot = new uPlot(options, data, this.place);
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < DRAG_PX) return;
    const at = (x: number): number => plot.posToVal(x, "x") * 1000;
    const span = { from_ms: at(left), to_ms: at(left + width) };
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    // Of pictures that go together each hears of it; the one under the pointer speaks.
    if (plot.cursor.event != null || this.place.matches(":hover")) this.handling.drag(span);
  }

  private wheel(event: WheelEvent): void {
    const over = this.plot?.over.getBoundingClientRect();
    if (over === undefined || event.deltaY === 0) return;
    event.preventDefault();
    const place = Math.min(1, Math.max(0, (event.clientX - over.left) / over.width));
    this.handling.wheel(event.deltaY > 0 ? 1.25 : 0.8, place);
  }

  /** A finger moves along the time; up and down it scrolls the page. */
  private swipe(): void {
    let from: number | null = null;
    this.place.addEventListener("pointerdown", (event) => {
      from = event.pointerType === "mouse" ? null : event.clientX;
    });
    this.place.addEventListener("pointerup", (event) => {
      const way = from === null ? 0 : from - event.clientX;
      from = null;
      if (Math.abs(way) > 24) this.handling.push(way / this.place.clientWidth);
    });
    this.place.addEventListener("pointercancel", () => (from = null));
  }

  /** Under the pointer: the time, and the value of each line there. */
  private readOut(plot: uPlot): void {
    const { idx, left } = plot.cursor;
    const { picture } = this;
    if (picture === null || idx == null || (left ?? -1) < 0) {
      delete this.place.dataset["readout"];
      return;
    }
    const { quantity, unit, language, lines, stacked } = picture;
    const t_s = plot.data[0][idx] ?? 0;
    const parts = [dateTime(t_s * 1000)];
    let column = 1;
    for (const line of stacked ? [...lines].reverse() : lines) {
      column += stacked ? 1 : widthOf(line);
      const value = plot.data[column - 1]?.[idx];
      if (value == null) continue;
      const own = stacked ? value - (plot.data[column]?.[idx] ?? 0) : value;
      const told = `${figure(own, quantity, language)} ${unitOf(quantity, unit, language)}`.trim();
      parts.push(line.main && !stacked ? told : `${line.label}: ${told}`);
    }
    this.place.dataset["readout"] = parts.join("  ·  ");
  }
}

export function dataOf(picture: Picture): uPlot.AlignedData {
  const tables = tablesOf(picture) as uPlot.AlignedData[];
  // A picture without a line still has its axes.
  if (tables.length === 0) return [[picture.span.from_ms / 1000]];
  return joined(tables);
}

/** How a picture is drawn, on the screen or on paper; `unit` is its letter unit in px. */
export function optionsOf(
  now: () => Picture,
  { width, height }: { width: number; height: number },
  unit: number,
  colour: Paint["colour"],
): uPlot.Options {
  const { quantity, stacked, axis, lines, language } = now();
  const font = `${Math.round(unit * 0.95)}px "Be Vietnam Pro", sans-serif`;
  const look = { stroke: colour.muted, font, ticks: { show: false } };
  const grid = { stroke: colour.line, width: Math.max(1, unit / 16) };
  const paint = (): Paint => ({ colour, unit: unit * devicePixelRatio });
  const seconds = ({ from_ms, to_ms }: Span): [number, number] => [from_ms / 1000, to_ms / 1000];
  const { series, bands } = stacked
    ? { series: [...lines].reverse().map((line) => area(line, unit, colour)), bands: [] }
    : curves(lines, unit, colour);
  return {
    width,
    height,
    padding: [unit * 0.5, unit * 1.6, axis ? 0 : unit * 0.3, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: () => seconds(now().span) },
      y: {
        range: (_plot, low, high) => {
          const hands = now().hands.map((hand) => hand.value);
          const least = low === null ? low : Math.min(low, ...hands);
          const most = high === null ? high : Math.max(high, ...hands);
          return yRange(quantity, least, most, now().limits.map((one) => one.value));
        },
      },
    },
    axes: [
      {
        ...look,
        grid,
        show: true,
        size: axis ? unit * 1.8 : 0,
        gap: unit * 0.3,
        splits: () => ticksOf(now().span, Math.max(2, width / unit / 6)).map((t) => t / 1000),
        values: (_plot, splits) =>
          axis ? splits.map((t) => tickText(t * 1000, now().span)) : splits.map(() => ""),
      },
      {
        ...look,
        grid,
        size: unit * 3.4,
        gap: unit * 0.3,
        space: unit * 2.2,
        values: (_plot, splits) => splits.map((v) => axisText(v, quantity, language)),
      },
    ],
    series: [{}, ...series],
    bands,
    hooks: {
      drawAxes: [
        (plot) => {
          stretchMarks(plot, now().stretches, paint());
          limitLines(plot, now().limits, paint());
        },
      ],
      draw: [(plot) => drawOver(plot, now(), paint())],
    },
  };
}

function drawOver(plot: uPlot, picture: Picture, paint: Paint): void {
  const { colour, unit } = paint;
  if (!picture.stacked) {
    for (const { points, gap_ms, shift_ms, ink, main } of picture.lines) {
      const r = unit * (main ? 0.13 : 0.08);
      lonePoints(plot, points, { gap_ms, shift_ms, fill: colour.named(ink), r });
    }
  }
  limitNames(plot, picture.limits, paint);
  for (const line of picture.lines) {
    if (line.main && !picture.stacked) flagMarks(plot, line.points, paint);
  }
  handMarks(plot, picture.hands, paint);
  alertMarks(plot, picture.alerts, paint);
}

/** The lines, each with its band of least and most where it has one. */
function curves(
  lines: readonly Line[],
  unit: number,
  colour: Paint["colour"],
): { series: uPlot.Series[]; bands: uPlot.Band[] } {
  const series: uPlot.Series[] = [];
  const bands: uPlot.Band[] = [];
  for (const { ink, width, dash, band } of lines) {
    if (band) {
      // The first column is the axis.
      const low = series.length + 1;
      const edge = { stroke: "transparent", width: 0, points: { show: false } };
      series.push(edge, edge);
      bands.push({ series: [low + 1, low], fill: BAND });
    }
    series.push({
      stroke: colour.named(ink),
      width: Math.max(1, unit * width),
      ...(dash ? { dash: [unit * 0.3, unit * 0.3] } : {}),
      points: { show: false },
    });
  }
  return { series, bands };
}

/** A line of a stack, filled down to the one below. */
function area({ ink }: Line, unit: number, colour: Paint["colour"]): uPlot.Series {
  return {
    stroke: colour.ground,
    width: Math.max(1, unit * 0.06),
    fill: colour.named(ink),
    points: { show: false },
  };
}
