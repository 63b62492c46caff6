// What is drawn on a curve beside its lines: limits, flags, lone samples, alerts, hand checks.

import type uPlot from "uplot";

import { limit, DAY_MS, LUNAR_DAY_MS } from "./format.ts";
import { alone, type Point } from "./history.ts";
import { apart } from "./layout.ts";
import { type Reading, type Rule, severityRank } from "./model.ts";
import { type Language, named } from "./words.ts";

/** Series faster than this are loaded as means of a minute. */
export const FAST_S = 15;

/** Names of limits nearer than this would touch. */
const LABEL_REM = 1.25;

/** What strokes are drawn with: colours, and the letter unit in pixels of the canvas. */
export interface Paint {
  colour: Palette;
  unit: number;
}

/** A level across the picture. */
export interface Limit {
  value: number;
  text: string;
  severity: string;
}

/** A stretch along the axis of time: an alert, a ban, a mode. */
export interface Mark {
  from_ms: number;
  /** Where it goes on: null. */
  to_ms: number | null;
  text: string;
  /** The name of a severity; "" for what is no alert. */
  severity: string;
}

/** A value that was measured by hand. */
export interface Hand {
  t_ms: number;
  value: number;
}

/** The levels of rules, the most severe first. */
export function limitsAs(rules: readonly Rule[], language: Language): Limit[] {
  return [...rules]
    .sort((a, b) => severityRank(a) - severityRank(b))
    .map(({ raise, quantity, severity }) => ({
      value: raise as number,
      text: `${limit(raise as number, quantity, language)} · ${named("severity", severity, language)}`,
      severity,
    }));
}

export function limitLines(plot: uPlot, limits: readonly Limit[], { colour, unit }: Paint): void {
  const { ctx, bbox } = plot;
  ctx.save();
  // The most severe last, so that it lies over another at the same level.
  for (const { severity, y } of limitsIn(plot, limits).reverse()) {
    ctx.strokeStyle = colour.severity(severity);
    ctx.lineWidth = Math.max(1, unit * 0.09);
    ctx.setLineDash([unit * 0.7, unit * 0.35]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** The limits that are in the picture, with their height in it. */
function limitsIn(plot: uPlot, limits: readonly Limit[]): (Limit & { y: number })[] {
  const { top, height } = plot.bbox;
  return limits
    .map((one) => ({ ...one, y: plot.valToPos(one.value, "y", true) }))
    .filter(({ y }) => y >= top && y <= top + height);
}

/** Above the curve, and with a rim, so that they can be read across it. */
export function limitNames(plot: uPlot, limits: readonly Limit[], { colour, unit }: Paint): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.setLineDash([]);
  ctx.font = `${unit * 0.9}px "Be Vietnam Pro", sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.lineJoin = "round";
  ctx.lineWidth = unit * 0.35;
  ctx.strokeStyle = colour.ground;
  for (const { severity, text, y } of apart(limitsIn(plot, limits), unit * LABEL_REM)) {
    const at = [bbox.left + unit * 0.4, y - unit * 0.1] as const;
    ctx.strokeText(text, ...at);
    ctx.fillStyle = colour.severity(severity);
    ctx.fillText(text, ...at);
  }
  ctx.restore();
}

/** Samples with a gap on either side, which no curve passes. */
export function lonePoints(
  plot: uPlot,
  points: readonly Point[],
  by: { gap_ms: number; shift_ms: number; fill: string; r: number },
): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = by.fill;
  for (const point of alone(points, by.gap_ms)) {
    const x = plot.valToPos((point.t_ms + by.shift_ms) / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.arc(x, plot.valToPos(point.value, "y", true), by.r, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}

/**
 * Suspect: a hollow diamond on the curve. Failed: a cross, not on any curve. Where they stand so
 * close that they would cover the curve some speak for all.
 */
export function flagMarks(plot: uPlot, points: readonly Point[], { colour, unit }: Paint): void {
  const { ctx, bbox } = plot;
  const size = unit * 0.32;
  ctx.save();
  ctx.lineWidth = size * 0.4;
  ctx.setLineDash([]);
  const last = new Map<number, number>();
  for (const point of points) {
    if (point.flag === 1 || point.flag === 2) continue;
    const x = plot.valToPos(point.t_ms / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    if (x - (last.get(point.flag) ?? -Infinity) < size * 3) continue;
    last.set(point.flag, x);
    const free = plot.valToPos(point.value, "y", true);
    const y = Math.min(Math.max(free, bbox.top + size), bbox.top + bbox.height - size);
    ctx.beginPath();
    if (point.flag === 3) {
      diamond(ctx, x, y, size);
      ctx.fillStyle = colour.ground;
      ctx.fill();
      ctx.strokeStyle = colour.text;
    } else {
      ctx.moveTo(x - size * 0.8, y - size * 0.8);
      ctx.lineTo(x + size * 0.8, y + size * 0.8);
      ctx.moveTo(x + size * 0.8, y - size * 0.8);
      ctx.lineTo(x - size * 0.8, y + size * 0.8);
      ctx.strokeStyle = colour.muted;
    }
    ctx.stroke();
  }
  ctx.restore();
}

function diamond(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.moveTo(x, y - size);
  ctx.lineTo(x + size, y);
  ctx.lineTo(x, y + size);
  ctx.lineTo(x - size, y);
  ctx.closePath();
}

/** Measured by hand: a square with a rim, over everything else. */
export function handMarks(plot: uPlot, hands: readonly Hand[], { colour, unit }: Paint): void {
  const { ctx, bbox } = plot;
  const size = unit * 0.36;
  ctx.save();
  ctx.setLineDash([]);
  ctx.lineWidth = size * 0.45;
  for (const { t_ms, value } of hands) {
    const x = plot.valToPos(t_ms / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const y = plot.valToPos(value, "y", true);
    ctx.fillStyle = colour.strong;
    ctx.strokeStyle = colour.ground;
    ctx.beginPath();
    ctx.rect(x - size, y - size, 2 * size, 2 * size);
    ctx.stroke();
    ctx.fill();
  }
  ctx.restore();
}

/** Alerts along the axis: a bar from since to cleared, with a notch where it began. */
export function alertMarks(plot: uPlot, marks: readonly Mark[], { colour, unit }: Paint): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  const bottom = bbox.top + bbox.height;
  ctx.save();
  ctx.setLineDash([]);
  // The most severe last, so that it lies over the others of the same time.
  const drawn = [...marks].sort((a, b) => severityRank(b) - severityRank(a));
  for (const mark of drawn) {
    const began = plot.valToPos(mark.from_ms / 1000, "x", true);
    const ended = mark.to_ms === null ? right : plot.valToPos(mark.to_ms / 1000, "x", true);
    const [x, end] = [Math.max(began, bbox.left), Math.min(Math.max(ended, began), right)];
    if (end < bbox.left || x > right) continue;
    ctx.fillStyle = colour.severity(mark.severity);
    ctx.fillRect(x, bottom - unit * 0.22, Math.max(end - x, unit * 0.1), unit * 0.22);
    if (began < bbox.left) continue;
    ctx.beginPath();
    ctx.moveTo(x, bottom - unit * 0.9);
    ctx.lineTo(x + unit * 0.32, bottom);
    ctx.lineTo(x - unit * 0.32, bottom);
    ctx.fill();
  }
  ctx.restore();
}

/** Stretches with another rule of the road: hatched over the whole height, with their word. */
export function stretchMarks(plot: uPlot, marks: readonly Mark[], { colour, unit }: Paint): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.setLineDash([]);
  ctx.font = `${unit * 0.85}px "Be Vietnam Pro", sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  let free = bbox.left;
  for (const mark of marks) {
    const from = Math.max(plot.valToPos(mark.from_ms / 1000, "x", true), bbox.left);
    const to =
      mark.to_ms === null ? right : Math.min(plot.valToPos(mark.to_ms / 1000, "x", true), right);
    if (to <= from) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, bbox.top, to - from, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour.line;
    ctx.lineWidth = unit * 0.12;
    ctx.beginPath();
    for (let x = from - bbox.height; x < to; x += unit * 0.8) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
    // A word stands only where it fits into its own stretch, or nearly so.
    const width = ctx.measureText(mark.text).width;
    if (from < free || width > 1.1 * (to - from)) continue;
    ctx.fillStyle = colour.muted;
    ctx.fillText(mark.text, from + unit * 0.2, bbox.top + unit * 0.15);
    free = from + width + unit;
  }
  ctx.restore();
}

export function isTraffic(reading: Reading): boolean {
  return reading.direction !== null;
}

export function shiftOf(reading: Reading): number {
  return isTraffic(reading) ? DAY_MS : LUNAR_DAY_MS;
}

/** Samples further apart than three expected intervals have a gap between them. */
export function gapOf(expected_s: number, step_ms: number): number {
  return Math.max(3 * expected_s * 1000, 1.5 * step_ms);
}

/** Full hours of Vietnam's clock between two times, seconds. */
export function hours(low_s: number, high_s: number, step_h: number): number[] {
  const step = step_h * 3600;
  const offset = 7 * 3600;
  const found: number[] = [];
  for (let t = Math.ceil((low_s + offset) / step) * step - offset; t <= high_s; t += step) {
    found.push(t);
  }
  return found;
}

export interface Palette {
  text: string;
  strong: string;
  muted: string;
  line: string;
  ground: string;
  severity(name: string): string;
  /** Any other colour of the style sheets, such as "--class-1". */
  named(variable: string): string;
}

/** The colours in force at an element, else on the page. */
export function palette(place: Element = document.documentElement): Palette {
  const style = getComputedStyle(place);
  const get = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: get("--text"),
    strong: get("--strong"),
    muted: get("--muted"),
    line: get("--line"),
    ground: get("--panel"),
    severity: (name) => get(`--${name}`) || get("--muted"),
    named: (variable) => get(variable) || get("--text"),
  };
}
