// The fundamental diagram of a direction: flow against occupancy, speed against flow. Pure.

import type { Point } from "./history.ts";
import { counted } from "./history.ts";
import { DAY_MS, HOUR_MS } from "./format.ts";

export interface Spot {
  t_ms: number;
  x: number;
  y: number;
}

/** How the spots of one day are told apart. */
export interface Spots {
  /** Of the last 24 hours, without the last one. */
  day: Spot[];
  hour: Spot[];
  /** The newest, where it is of the last hour. */
  now: Spot | null;
}

/** Values of one time in two series, oldest first; what failed in either is left out. */
export function pairs(xs: readonly Point[], ys: readonly Point[]): Spot[] {
  const byTime = new Map(xs.filter(counted).map((point) => [point.t_ms, point.value]));
  return ys.filter(counted).flatMap(({ t_ms, value }) => {
    const x = byTime.get(t_ms);
    return x === undefined ? [] : [{ t_ms, x, y: value }];
  });
}

/** By age at a moment; what is of after it, or older than a day, is left out. */
export function byAge(spots: readonly Spot[], now_ms: number): Spots {
  const aged = spots.filter(({ t_ms }) => t_ms <= now_ms && t_ms > now_ms - DAY_MS);
  const hour = aged.filter(({ t_ms }) => t_ms > now_ms - HOUR_MS);
  return {
    day: aged.filter(({ t_ms }) => t_ms <= now_ms - HOUR_MS),
    hour,
    now: hour.at(-1) ?? null,
  };
}

/** A round end of an axis that holds all values, and its steps. */
export function axisOf(values: readonly number[], least: number): { top: number; ticks: number[] } {
  // A little above the highest, so that no spot stands on the rim.
  const most = values.reduce((a, b) => Math.max(a, b * 1.04), least);
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((n) => n * power >= rough) ?? 10) * power;
  const top = Math.ceil((most - step * 1e-9) / step) * step;
  const count = Math.round(top / step);
  const ticks = Array.from({ length: count + 1 }, (_, n) => Number((n * step).toPrecision(6)));
  return { top, ticks };
}
