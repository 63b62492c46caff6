// Which stretch of time is looked at, and how finely it is asked for. Pure.

import { clockTime, date, DAY_MS, HOUR_MS, MINUTE_MS } from "./format.ts";
import type { Word } from "./words.ts";

export interface Span {
  from_ms: number;
  to_ms: number;
}

/** What is wished for: a length, up to a time; null goes on with now. */
export interface Wish {
  span_ms: number;
  end_ms: number | null;
}

/** How readings are asked for: raw, or as means over steps. */
export interface Step {
  name: string;
  /** 0 for raw. */
  ms: number;
}

export const RAW: Step = { name: "raw", ms: 0 };
const STEPS: readonly Step[] = [
  { name: "1m", ms: MINUTE_MS },
  { name: "10m", ms: 10 * MINUTE_MS },
  { name: "1h", ms: HOUR_MS },
  { name: "1d", ms: DAY_MS },
];

/** More points than this are not drawn: a screen has no more columns. */
export const POINTS_MAX = 2000;

export const LEAST_MS = 10 * MINUTE_MS;
export const MOST_MS = 5 * 366 * DAY_MS;

export const SPANS: readonly { word: Word; ms: number }[] = [
  { word: "span_hour", ms: HOUR_MS },
  { word: "span_six", ms: 6 * HOUR_MS },
  { word: "span_day", ms: DAY_MS },
  { word: "span_week", ms: 7 * DAY_MS },
  { word: "span_month", ms: 30 * DAY_MS },
  { word: "span_year", ms: 365 * DAY_MS },
];

/** The finest step with which a span of a series that sends every `expected_s` is few points. */
export function stepOf(span_ms: number, expected_s: number): Step {
  const every_ms = Math.max(1, expected_s * 1000);
  if (span_ms / every_ms <= POINTS_MAX) return RAW;
  // A step below the interval between samples would have empty windows, and no fewer points.
  const fits = STEPS.find(({ ms }) => ms >= every_ms && span_ms / ms <= POINTS_MAX);
  return fits ?? (STEPS.at(-1) as Step);
}

/** The beginning of the step that a time lies in; days begin at 00:00 of Vietnam. */
export function stepStart(t_ms: number, step_ms: number): number {
  return Math.floor((t_ms + VIETNAM_MS) / step_ms) * step_ms - VIETNAM_MS;
}

const VIETNAM_MS = 7 * HOUR_MS;

export function spanOf({ span_ms, end_ms }: Wish, now_ms: number): Span {
  const to_ms = Math.min(end_ms ?? now_ms, now_ms);
  return { from_ms: to_ms - span_ms, to_ms };
}

/** The wish for a stretch; one that ends about now goes on with now. */
export function wishFor({ from_ms, to_ms }: Span, now_ms: number): Wish {
  const span_ms = Math.min(Math.max(to_ms - from_ms, LEAST_MS), MOST_MS);
  const near = to_ms >= now_ms - span_ms * 0.01;
  return { span_ms, end_ms: near ? null : to_ms };
}

/** Nearer (`factor` below 1) or farther, about a place in the picture, 0..1 from its left. */
export function zoomed(wish: Wish, factor: number, place: number, now_ms: number): Wish {
  const { from_ms, to_ms } = spanOf(wish, now_ms);
  const length_ms = to_ms - from_ms;
  const span_ms = Math.min(Math.max(length_ms * factor, LEAST_MS), MOST_MS);
  // What ends now is zoomed about now: an officer wants less or more of the past.
  if (wish.end_ms === null && place > 0.9) return { span_ms, end_ms: null };
  const fixed_ms = from_ms + place * length_ms;
  const from = fixed_ms - place * span_ms;
  return wishFor({ from_ms: from, to_ms: Math.min(from + span_ms, now_ms) }, now_ms);
}

/** Back (below 0) or on, by a share of what is shown; never beyond now. */
export function moved(wish: Wish, share: number, now_ms: number): Wish {
  const { to_ms } = spanOf(wish, now_ms);
  const end_ms = Math.min(to_ms + share * wish.span_ms, now_ms);
  return wishFor({ from_ms: end_ms - wish.span_ms, to_ms: end_ms }, now_ms);
}

/** What was looked at before, for the way back. */
export class Zoom {
  private before: Wish[] = [];

  constructor(public wish: Wish) {}

  go(wish: Wish): void {
    if (wish.span_ms === this.wish.span_ms && wish.end_ms === this.wish.end_ms) return;
    this.before = [...this.before.slice(-19), this.wish];
    this.wish = wish;
  }

  /** The wish before this one; stays where there is none. */
  back(): boolean {
    const last = this.before.pop();
    if (last !== undefined) this.wish = last;
    return last !== undefined;
  }
}

// --- the axis -------------------------------------------------------------------------------

const TICKS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR_MS),
  ...[1, 2, 5, 10].map((n) => n * DAY_MS),
];

/** Times for an axis, at most `most`, at full steps of Vietnam's clock and calendar. */
export function ticksOf({ from_ms, to_ms }: Span, most: number): number[] {
  const step = TICKS_MS.find((ms) => (to_ms - from_ms) / ms <= most);
  if (step === undefined) return monthsOf(from_ms, to_ms, most);
  const found: number[] = [];
  const first = Math.ceil((from_ms + VIETNAM_MS) / step) * step - VIETNAM_MS;
  for (let t = first; t <= to_ms; t += step) found.push(t);
  return found;
}

function monthsOf(from_ms: number, to_ms: number, most: number): number[] {
  const months = (to_ms - from_ms) / (30.5 * DAY_MS);
  const every = [1, 2, 3, 6, 12, 24].find((n) => months / n <= most) ?? 60;
  const found: number[] = [];
  const begin = new Date(from_ms + VIETNAM_MS);
  let month = begin.getUTCFullYear() * 12 + begin.getUTCMonth();
  month = Math.ceil(month / every) * every;
  for (; ; month += every) {
    const t = Date.UTC(Math.floor(month / 12), month % 12) - VIETNAM_MS;
    if (t > to_ms) return found;
    if (t >= from_ms) found.push(t);
  }
}

/** "14:00", at midnight "21/11", over months "11/2026". */
export function tickText(t_ms: number, { from_ms, to_ms }: Span): string {
  const span_ms = to_ms - from_ms;
  if (span_ms > 200 * DAY_MS) return date(t_ms).slice(3);
  const midnight = (t_ms + VIETNAM_MS) % DAY_MS === 0;
  return midnight || span_ms > 14 * DAY_MS ? date(t_ms).slice(0, 5) : clockTime(t_ms);
}
