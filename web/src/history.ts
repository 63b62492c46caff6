// The recent past of one series: loaded once, then spliced with what comes live. Pure.

import type { Fields } from "./held.ts";

export interface Point {
  t_ms: number;
  value: number;
  /** QARTOD: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. */
  flag: number;
  /** The least and the most, where the value is a mean. */
  low?: number;
  high?: number;
}

/** The points of an answer of /api/v1/series, raw or means with their n and n_good. */
export function pointsOf(answer: Fields): Point[] {
  const raw = answer["step"] === "raw";
  const rows = Array.isArray(answer["points"]) ? (answer["points"] as unknown[][]) : [];
  const columns = Array.isArray(answer["columns"]) ? answer["columns"] : ["t", "mean", "n", "n_good"];
  const [low, high, n, good] = ["min", "max", "n", "n_good"].map((name) => columns.indexOf(name)) as [
    number,
    number,
    number,
    number,
  ];
  const points: Point[] = [];
  for (const row of rows) {
    const [t_ms, value] = [row[0], row[1]];
    if (typeof t_ms !== "number" || typeof value !== "number") continue;
    if (raw) {
      points.push({ t_ms, value, flag: Number(row[2] ?? 2) });
      continue;
    }
    // A mean of which every value passed is as good as they are; else it is suspect.
    const flag = Number(row[good]) === Number(row[n]) ? 1 : 3;
    const [least, most] = [row[low], row[high]];
    const banded = typeof least === "number" && typeof most === "number";
    points.push({ t_ms, value, flag, ...(banded ? { low: least, high: most } : {}) });
  }
  return points;
}

/**
 * Raw points as the service forms means of them: over steps that begin at `startOf`, of flags 1
 * to 3, with the least and the most. So the step that is not over yet grows with live values.
 */
export function binned(points: readonly Point[], startOf: (t_ms: number) => number): Point[] {
  const found: Point[] = [];
  let sum = 0;
  let n = 0;
  for (const { t_ms, value, flag } of points) {
    if (flag > 3) continue;
    const start = startOf(t_ms);
    let last = found.at(-1);
    if (last === undefined || last.t_ms !== start) {
      last = { t_ms: start, value, flag: 1, low: value, high: value };
      found.push(last);
      [sum, n] = [0, 0];
    }
    sum += value;
    n += 1;
    last.value = sum / n;
    last.low = Math.min(last.low ?? value, value);
    last.high = Math.max(last.high ?? value, value);
    if (flag !== 1) last.flag = 3;
  }
  return found;
}

/** Stretches without a counted point, longer than `gap_ms`, within a span and at its ends. */
export function gapsIn(
  points: readonly Point[],
  gap_ms: number,
  from_ms: number,
  to_ms: number,
): [number, number][] {
  const gaps: [number, number][] = [];
  let before = from_ms;
  for (const point of points) {
    if (!counted(point) || point.t_ms < from_ms || point.t_ms > to_ms) continue;
    if (point.t_ms - before > gap_ms) gaps.push([before, point.t_ms]);
    before = point.t_ms;
  }
  if (to_ms - before > gap_ms) gaps.push([before, to_ms]);
  return gaps;
}

/** The value of a curve at a time, between its neighbours; null in a gap and beyond the ends. */
export function valueAt(points: readonly Point[], t_ms: number, gap_ms: number): number | null {
  const curve = points.filter(counted);
  const after = curve.findIndex((point) => point.t_ms >= t_ms);
  const right = curve[after];
  if (right === undefined) return null;
  if (right.t_ms === t_ms) return right.value;
  const left = curve[after - 1];
  if (left === undefined || right.t_ms - left.t_ms > gap_ms) return null;
  const share = (t_ms - left.t_ms) / (right.t_ms - left.t_ms);
  return left.value + share * (right.value - left.value);
}

/** Put a point in its place; one at a known time revises it. Nearly always it is the last. */
export function splice(points: Point[], point: Point): void {
  let n = points.length;
  while (n > 0 && (points[n - 1] as Point).t_ms > point.t_ms) n -= 1;
  const same = n > 0 && (points[n - 1] as Point).t_ms === point.t_ms;
  points.splice(same ? n - 1 : n, same ? 1 : 0, point);
}

export function forget(points: Point[], before_ms: number): void {
  const kept = points.findIndex((point) => point.t_ms >= before_ms);
  points.splice(0, kept === -1 ? points.length : kept);
}

/** Whether a point is part of the curve: what failed is shown, but never joined up. */
export function counted(point: Point): boolean {
  return point.flag !== 4 && point.flag !== 9;
}

/** Counted points with a gap on either side: no curve passes them, and yet they were measured. */
export function alone(points: readonly Point[], gap_ms: number): Point[] {
  const curve = points.filter(counted);
  return curve.filter((point, n) => {
    const [before, after] = [curve[n - 1], curve[n + 1]];
    const left = before === undefined || point.t_ms - before.t_ms > gap_ms;
    const right = after === undefined || after.t_ms - point.t_ms > gap_ms;
    return left && right;
  });
}

export type Columns = [number[], (number | null)[]];

/**
 * Times (seconds, moved by `shift_ms`) and values for drawing. Where two counted points are
 * further apart than `gap_ms` a null stands between them, so that a gap is drawn as a gap.
 */
export function columnsOf(points: readonly Point[], gap_ms: number, shift_ms = 0): Columns {
  const times: number[] = [];
  const values: (number | null)[] = [];
  let before: number | null = null;
  for (const point of points) {
    if (!counted(point)) continue;
    if (before !== null && point.t_ms - before > gap_ms) {
      times.push((before + 1 + shift_ms) / 1000);
      values.push(null);
    }
    times.push((point.t_ms + shift_ms) / 1000);
    values.push(point.value);
    before = point.t_ms;
  }
  return [times, values];
}

/** Whether what stood beside one value may stand beside the other; also back in time. */
export function near(t_ms: number, known_ms: number, gap_ms: number): boolean {
  return Math.abs(t_ms - known_ms) < Math.max(gap_ms / 3, 60_000);
}
