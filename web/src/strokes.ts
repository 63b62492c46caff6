// What is drawn on the curve beside its lines: limits, flags, lone samples.

import type uPlot from "uplot";

import { rem } from "./dom.ts";
import { DAY_MS, limit, LUNAR_DAY_MS } from "./format.ts";
import { alone, type Point } from "./history.ts";
import { apart } from "./layout.ts";
import { type Reading, type Rule, severityRank } from "./model.ts";
import type { Moment } from "./view.ts";
import { named } from "./words.ts";

/** Series faster than this are loaded as means of a minute. */
export const FAST_S = 15;

/** Names of limits nearer than this would touch. */
const LABEL_REM = 1.25;

export interface Drawn {
  reading: Reading;
  today: readonly Point[];
  before: readonly Point[];
  limits: readonly Rule[];
  moment: Moment;
}

export function drawLimits(plot: uPlot, drawn: Drawn): void {
  const colour = palette();
  const { ctx, bbox } = plot;
  const unit = rem() * devicePixelRatio;
  ctx.save();
  // The most severe last, so that it lies over another at the same level.
  for (const { rule, y } of limitsIn(plot, drawn).reverse()) {
    ctx.strokeStyle = colour.severity(rule.severity);
    ctx.lineWidth = Math.max(1, unit * 0.09);
    ctx.setLineDash([unit * 0.7, unit * 0.35]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

/** The limits that are in the picture, with their height in it, the most severe first. */
function limitsIn(plot: uPlot, drawn: Drawn): { rule: Rule; y: number }[] {
  const { top, height } = plot.bbox;
  return drawn.limits
    .map((rule) => ({ rule, y: plot.valToPos(rule.raise as number, "y", true) }))
    .filter(({ y }) => y >= top && y <= top + height)
    .sort((a, b) => severityRank(a.rule) - severityRank(b.rule));
}

/** Above the curve, and with a rim, so that they can be read across it. */
export function nameLimits(plot: uPlot, drawn: Drawn): void {
  const colour = palette();
  const { language } = drawn.moment;
  const { ctx, bbox } = plot;
  const unit = rem() * devicePixelRatio;
  ctx.save();
  ctx.setLineDash([]);
  ctx.font = `${unit * 0.9}px "Be Vietnam Pro", sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  ctx.lineJoin = "round";
  ctx.lineWidth = unit * 0.35;
  ctx.strokeStyle = colour.ground;
  for (const { rule, y } of apart(limitsIn(plot, drawn), unit * LABEL_REM)) {
    const level = limit(rule.raise as number, rule.quantity, language);
    const text = `${level} · ${named("severity", rule.severity, language)}`;
    const at = [bbox.left + unit * 0.4, y - unit * 0.1] as const;
    ctx.strokeText(text, ...at);
    ctx.fillStyle = colour.severity(rule.severity);
    ctx.fillText(text, ...at);
  }
  ctx.restore();
}

export function drawAlone(plot: uPlot, drawn: Drawn): void {
  const { reading } = drawn;
  const colour = palette();
  const { ctx, bbox } = plot;
  const unit = rem() * devicePixelRatio;
  const dots = (points: readonly Point[], shift_ms: number, fill: string, r: number): void => {
    ctx.fillStyle = fill;
    for (const point of alone(points, gapOf(reading))) {
      const x = plot.valToPos((point.t_ms + shift_ms) / 1000, "x", true);
      if (x < bbox.left) continue;
      ctx.beginPath();
      ctx.arc(x, plot.valToPos(point.value, "y", true), r, 0, 2 * Math.PI);
      ctx.fill();
    }
  };
  ctx.save();
  dots(drawn.before, shiftOf(reading), colour.muted, unit * 0.07);
  dots(drawn.today, 0, colour.text, unit * 0.11);
  ctx.restore();
}

/** Suspect: a hollow diamond on the curve. Failed: a cross, not on any curve. */
export function drawFlags(plot: uPlot, drawn: Drawn): void {
  const colour = palette();
  const { ctx, bbox } = plot;
  const size = rem() * devicePixelRatio * 0.32;
  ctx.save();
  ctx.lineWidth = size * 0.4;
  ctx.setLineDash([]);
  const left_ms = (drawn.moment.now_ms - DAY_MS) as number;
  for (const point of drawn.today) {
    if (point.flag === 1 || point.flag === 2 || point.t_ms < left_ms) continue;
    const x = plot.valToPos(point.t_ms / 1000, "x", true);
    const free = plot.valToPos(point.value, "y", true);
    const y = Math.min(Math.max(free, bbox.top + size), bbox.top + bbox.height - size);
    ctx.beginPath();
    if (point.flag === 3) {
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      ctx.closePath();
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

export function isTraffic(reading: Reading): boolean {
  return reading.direction !== null;
}

export function shiftOf(reading: Reading): number {
  return isTraffic(reading) ? DAY_MS : LUNAR_DAY_MS;
}

/** Samples further apart than three expected intervals have a gap between them. */
export function gapOf(reading: Reading): number {
  const step_s = reading.expected_s < FAST_S ? 60 : reading.expected_s;
  return 3 * step_s * 1000;
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

interface Palette {
  text: string;
  muted: string;
  line: string;
  ground: string;
  severity(name: string): string;
}

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: get("--text"),
    muted: get("--muted"),
    line: get("--line"),
    ground: get("--panel"),
    severity: (name) => get(`--${name}`) || get("--muted"),
  };
}
