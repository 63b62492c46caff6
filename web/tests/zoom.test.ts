import assert from "node:assert/strict";
import { test } from "node:test";

import { DAY_MS, HOUR_MS, MINUTE_MS } from "../src/format.ts";
import {
  moved,
  POINTS_MAX,
  SPANS,
  spanOf,
  stepOf,
  stepStart,
  ticksOf,
  tickText,
  wishFor,
  Zoom,
  zoomed,
} from "../src/zoom.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32); // 14:32 in Vietnam

test("no span of any probe or camera asks for more than about two thousand points", () => {
  for (const { ms } of SPANS) {
    for (const expected_s of [1, 3, 15, 60, 300, 600, 900, 3600]) {
      const step = stepOf(ms, expected_s);
      const every_ms = step.ms === 0 ? expected_s * 1000 : step.ms;
      assert.ok(ms / every_ms <= POINTS_MAX, `${ms} ${expected_s}`);
    }
  }
});

test("the step is the finest that fits, and none has empty windows by design", () => {
  assert.equal(stepOf(7 * DAY_MS, 900).name, "raw");
  assert.equal(stepOf(30 * DAY_MS, 900).name, "1h");
  assert.equal(stepOf(365 * DAY_MS, 900).name, "1d");
  assert.equal(stepOf(DAY_MS, 60).name, "raw");
  assert.equal(stepOf(7 * DAY_MS, 60).name, "10m");
  assert.equal(stepOf(6 * HOUR_MS, 3).name, "1m");
  assert.equal(stepOf(20 * 365 * DAY_MS, 60).name, "1d");
});

test("days begin at midnight of Vietnam", () => {
  assert.equal(stepStart(NOW, DAY_MS), Date.UTC(2026, 10, 21, 17));
  assert.equal(stepStart(NOW, HOUR_MS), Date.UTC(2026, 10, 22, 7));
});

test("a picture that ends now goes on with now, one of the past stands still", () => {
  const later = NOW + HOUR_MS;
  const live = { span_ms: DAY_MS, end_ms: null };
  assert.equal(spanOf(live, later).to_ms, later);
  const past = moved(live, -0.5, NOW);
  assert.equal(spanOf(past, NOW).to_ms, NOW - DAY_MS / 2);
  assert.deepEqual(spanOf(past, later), spanOf(past, NOW));
  assert.equal(moved(past, 3, NOW).end_ms, null); // never beyond now
  assert.equal(spanOf({ span_ms: DAY_MS, end_ms: NOW + DAY_MS }, NOW).to_ms, NOW);
});

test("what is under the pointer stays there when one zooms", () => {
  const wish = { span_ms: DAY_MS, end_ms: NOW - 10 * DAY_MS };
  const before = spanOf(wish, NOW);
  const place = 0.25;
  const near = spanOf(zoomed(wish, 0.5, place, NOW), NOW);
  const under = (s: { from_ms: number; to_ms: number }): number =>
    s.from_ms + place * (s.to_ms - s.from_ms);
  assert.equal(near.to_ms - near.from_ms, DAY_MS / 2);
  assert.equal(under(near), under(before));
  assert.equal(zoomed({ span_ms: DAY_MS, end_ms: null }, 0.5, 1, NOW).end_ms, null);
  assert.ok(zoomed(wish, 1e-9, 0.5, NOW).span_ms >= 10 * MINUTE_MS);
});

test("one goes back through what was looked at", () => {
  const first = { span_ms: DAY_MS, end_ms: null };
  const zoom = new Zoom(first);
  const second = wishFor({ from_ms: NOW - 5 * HOUR_MS, to_ms: NOW - 4 * HOUR_MS }, NOW);
  zoom.go(second);
  zoom.go({ ...second }); // the same again is no step
  assert.equal(zoom.back(), true);
  assert.deepEqual(zoom.wish, first);
  assert.equal(zoom.back(), false);
});

test("the axis has full hours, days and months of Vietnam, and no more than fit", () => {
  for (const { ms } of SPANS) {
    const span = { from_ms: NOW - ms, to_ms: NOW };
    const ticks = ticksOf(span, 12);
    assert.ok(ticks.length >= 2 && ticks.length <= 13, `${ms}: ${ticks.length}`);
    assert.ok(ticks.every((t) => t >= span.from_ms && t <= span.to_ms));
  }
  const day = { from_ms: NOW - DAY_MS, to_ms: NOW };
  assert.deepEqual(
    ticksOf(day, 5).map((t) => tickText(t, day)),
    ["18:00", "22/11", "06:00", "12:00"],
  );
  const year = { from_ms: NOW - 365 * DAY_MS, to_ms: NOW };
  assert.deepEqual(
    ticksOf(year, 4).map((t) => tickText(t, year)),
    ["01/2026", "04/2026", "07/2026", "10/2026"],
  );
  assert.equal(tickText(Date.UTC(2026, 6, 1) - 7 * HOUR_MS, year), "07/2026");
});
