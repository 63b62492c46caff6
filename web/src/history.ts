// The recent past of one series: loaded once, then spliced with what comes live. Pure.

import type { Fields } from "./held.ts";

export interface Point {
  t_ms: number;
  value: number;
  /** QARTOD: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing. */
  flag: number;
}

/** The points of an answer of /api/v1/series, raw or means with their n and n_good. */
export function pointsOf(answer: Fields): Point[] {
  const raw = answer["step"] === "raw";
  const rows = Array.isArray(answer["points"]) ? (answer["points"] as unknown[][]) : [];
  const points: Point[] = [];
  for (const row of rows) {
    const [t_ms, value] = [row[0], row[1]];
    if (typeof t_ms !== "number" || typeof value !== "number") continue;
    // A mean of which every value passed is as good as they are; else it is suspect.
    const flag = raw ? Number(row[2] ?? 2) : Number(row[3]) === Number(row[2]) ? 1 : 3;
    points.push({ t_ms, value, flag });
  }
  return points;
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
