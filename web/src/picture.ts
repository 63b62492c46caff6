// What one picture of a place shows: lines over time, limits, marks, and the same in a sentence. Pure.

import { duration, figure, limit as limitText, dateTime } from "./format.ts";
import { columnsOf, counted, gapsIn, type Point } from "./history.ts";
import type { Hand, Limit, Mark } from "./strokes.ts";
import { type Language, unitOf, word } from "./words.ts";
import type { Span } from "./zoom.ts";

export interface Line {
  id: string;
  label: string;
  /** At their own times; `shift_ms` moves them under the axis. */
  points: readonly Point[];
  shift_ms: number;
  gap_ms: number;
  /** A variable of the style sheets, such as "--text". */
  ink: string;
  /** In letter units. */
  width: number;
  dash: boolean;
  /** With the least and the most of each step as a band. */
  band: boolean;
  /** Its flags and lone samples are marked: it is what the picture is of. */
  main: boolean;
}

export interface Picture {
  title: string;
  quantity: string;
  unit: string;
  lines: readonly Line[];
  /** Each line stands on the ones before it. */
  stacked: boolean;
  limits: readonly Limit[];
  alerts: readonly Mark[];
  stretches: readonly Mark[];
  hands: readonly Hand[];
  span: Span;
  /** Hidden where another picture with the same axis stands below. */
  axis: boolean;
  language: Language;
}

export type Columns = [number[], ...(number | null)[][]];

/** What each line has of the columns, in their order: a value, or its band's edges before it. */
export function widthOf({ band }: Line): number {
  return band ? 3 : 1;
}

/** Columns for drawing, one table for each line: times in seconds, the band's edges, values. */
export function tablesOf({ lines, stacked, span }: Picture): Columns[] {
  if (stacked) return [stackOf(lines)];
  return lines.map((line) => {
    const [times, values] = columnsOf(line.points, line.gap_ms, line.shift_ms);
    // A plot needs a time at least.
    const empty = times.length === 0;
    const table: Columns = [empty ? [span.from_ms / 1000] : times, empty ? [null] : values];
    if (!line.band) return table;
    const edge = (of: (point: Point) => number): (number | null)[] => {
      const edges = columnsOf(
        line.points.map((p) => ({ ...p, value: of(p) })),
        line.gap_ms,
      )[1];
      return empty ? [null] : edges;
    };
    // The edges first: what is drawn later lies over it, and the line belongs over its band.
    const [own, column] = [table[0], table[1] ?? []];
    return [own, edge((p) => p.low ?? p.value), edge((p) => p.high ?? p.value), column];
  });
}

/**
 * Each line on the sum of those before it, at the times at which any has a value; the highest sum
 * first, since each is filled to the ground and drawn over the one before.
 */
function stackOf(lines: readonly Line[]): Columns {
  const times = new Set<number>();
  const tables = lines.map((line) => {
    const [own, values] = columnsOf(line.points, line.gap_ms, line.shift_ms);
    for (const t of own) times.add(t);
    return new Map(own.map((t, n) => [t, values[n] ?? null]));
  });
  const sorted = [...times].sort((a, b) => a - b);
  const sums: (number | null)[] = sorted.map((t) =>
    tables.some((table) => table.get(t) != null) ? 0 : null,
  );
  const columns = tables.map((table) =>
    sorted.map((t, n) => {
      const sum = sums[n];
      if (sum == null) return null;
      sums[n] = sum + (table.get(t) ?? 0);
      return sums[n] ?? null;
    }),
  );
  return sorted.length === 0 ? [[0], ...lines.map(() => [null])] : [sorted, ...columns.reverse()];
}

/** Least, most, newest and gaps of the main line within the picture, for who cannot see it. */
export function sentenceOf({ lines, quantity, unit, span, language, title }: Picture): string {
  const main = lines.find((line) => line.main) ?? lines[0];
  const shown = (main?.points ?? []).filter(
    (p) => counted(p) && p.t_ms >= span.from_ms && p.t_ms <= span.to_ms,
  );
  const values = { what: title, from: dateTime(span.from_ms), to: dateTime(span.to_ms) };
  if (main === undefined || shown.length === 0) return word("curve_empty", language, values);
  const told = (v: number): string =>
    `${figure(v, quantity, language)} ${unitOf(quantity, unit, language)}`.trim();
  const lows = shown.map((p) => p.low ?? p.value);
  const highs = shown.map((p) => p.high ?? p.value);
  const gaps = gapsIn(main.points, main.gap_ms, span.from_ms, span.to_ms);
  const longest = Math.max(0, ...gaps.map(([from, to]) => to - from));
  const tail =
    gaps.length === 0
      ? word("curve_no_gaps", language)
      : word("curve_gaps", language, { n: gaps.length, age: duration(longest, language) });
  const last = shown.at(-1) as Point;
  const sentence = word("curve_sentence", language, {
    ...values,
    min: told(lows.reduce((a, b) => Math.min(a, b))),
    max: told(highs.reduce((a, b) => Math.max(a, b))),
    last: told(last.value),
    at: dateTime(last.t_ms),
  });
  return `${sentence} ${tail}`;
}

/** A level on the axis, as short as it can be. */
export function axisText(value: number, quantity: string, language: Language): string {
  return limitText(value, quantity, language);
}
