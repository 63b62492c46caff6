import assert from "node:assert/strict";
import { test } from "node:test";

import { DAY_MS, HOUR_MS, MINUTE_MS } from "../src/format.ts";
import type { Fields } from "../src/held.ts";
import { binned, gapsIn, type Point, valueAt } from "../src/history.ts";
import { reading } from "../src/model.ts";
import { Past, shownPoints } from "../src/past.ts";
import { RAW, stepStart } from "../src/zoom.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32);
const HOUR = { name: "1h", ms: HOUR_MS };
const KEY = "xh-01/salinity_g_l";
const EVERY = 10 * MINUTE_MS;

/** What a probe has measured: every ten minutes a figure by its time. */
const valueOf = (t: number): number => ((t / EVERY) % 7) / 2;

/** Answers as the service does, from one record. */
function service(times: readonly number[]) {
  const asked: string[] = [];
  const ask = async (path: string): Promise<Fields> => {
    asked.push(path);
    const query = new URL(path, "http://x").searchParams;
    const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
    const own = times.filter((t) => t >= from && t < to);
    if (query.get("step") === "raw") {
      return { step: "raw", points: own.map((t) => [t, valueOf(t), 1]) };
    }
    const points = own.map((t): Point => ({ t_ms: t, value: valueOf(t), flag: 1 }));
    const means = binned(points, (t) => stepStart(t, HOUR_MS));
    return {
      step: "1h",
      columns: ["t", "mean", "min", "max", "n", "n_good"],
      points: means.map((p) => [p.t_ms, p.value, p.low, p.high, 6, 6]),
    };
  };
  return { past: new Past(ask), asked };
}

const timesUpTo = (t: number): number[] =>
  Array.from({ length: 300 }, (_, n) => Math.floor(t / EVERY) * EVERY - n * EVERY).reverse();
const live = (t: number, v = valueOf(t), q = 1) => reading({ k: KEY, t, v, q });
const never = new AbortController().signal;
const span = { from_ms: NOW - DAY_MS, to_ms: NOW };

test("history and live are one: a value that comes twice stands once", async () => {
  const { past } = service(timesUpTo(NOW));
  const stretch = await past.load(KEY, RAW, span, NOW, never);
  const before = [...shownPoints(stretch, NOW)];
  const last = before.at(-1) as Point;
  assert.equal(past.take(live(last.t_ms)), false);
  assert.deepEqual(shownPoints(stretch, NOW), before);
  assert.equal(past.take(live(last.t_ms + EVERY)), true);
  const times = shownPoints(stretch, NOW).map((p) => p.t_ms);
  assert.deepEqual(times, [...new Set(times)].sort((a, b) => a - b));
  assert.equal(times.length, before.length + 1);
});

test("a value that was revised replaces the one that stood", async () => {
  const { past } = service(timesUpTo(NOW));
  const stretch = await past.load(KEY, RAW, span, NOW, never);
  const last = stretch.raw.at(-1) as Point;
  assert.equal(past.take(live(last.t_ms, 9, 4)), true);
  assert.deepEqual(stretch.raw.at(-1), { t_ms: last.t_ms, value: 9, flag: 4 });
});

test("with means, what comes live gives the curve that a fresh load gives", async () => {
  const times = timesUpTo(NOW);
  const { past } = service(times);
  const stretch = await past.load(KEY, HOUR, span, NOW, never);
  const later = NOW + 3 * HOUR_MS;
  const more: number[] = [];
  for (let t = (times.at(-1) as number) + EVERY; t <= later; t += EVERY) {
    more.push(t);
    past.take(live(t));
  }
  const fresh = service([...times, ...more]);
  const anew = await fresh.past.load(KEY, HOUR, { ...span, to_ms: later }, later, never);
  assert.deepEqual(shownPoints(stretch, later), shownPoints(anew, later));
});

test("what is late for a step that is over does not stand for the whole step", async () => {
  const { past } = service(timesUpTo(NOW));
  const stretch = await past.load(KEY, HOUR, span, NOW, never);
  const before = shownPoints(stretch, NOW);
  assert.equal(past.take(live(NOW - 5 * HOUR_MS + 1, 30)), false);
  assert.deepEqual(shownPoints(stretch, NOW), before);
});

test("nothing of after the moment is asked for, and nothing is asked twice", async () => {
  const { past, asked } = service(timesUpTo(NOW));
  await past.load(KEY, HOUR, span, NOW, never);
  assert.equal(asked.length, 2);
  for (const path of asked) assert.ok(Number(/to=(\d+)/.exec(path)?.[1]) <= NOW + 1);
  await past.load(KEY, HOUR, { from_ms: NOW - HOUR_MS, to_ms: NOW }, NOW, never);
  assert.equal(asked.length, 2);
  past.forget();
  await past.load(KEY, HOUR, span, NOW, never);
  assert.equal(asked.length, 4);
});

test("gaps are told within the span and at its ends; in them there is no value", () => {
  const at = (t_ms: number, flag = 1): Point => ({ t_ms, value: t_ms, flag });
  const points = [at(10), at(20), at(30, 4), at(60)];
  assert.deepEqual(gapsIn(points, 15, 0, 100), [
    [20, 60],
    [60, 100],
  ]);
  assert.deepEqual(gapsIn([], 15, 0, 100), [[0, 100]]);
  assert.equal(valueAt(points, 15, 15), 15);
  assert.equal(valueAt(points, 40, 15), null);
  assert.equal(valueAt(points, 5, 15), null);
  assert.equal(valueAt(points, 61, 15), null);
});
