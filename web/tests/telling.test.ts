import assert from "node:assert/strict";
import { test } from "node:test";

import { type Alert, alert, type Reading, reading } from "../src/model.ts";
import { alertSentence, figuresOf, nowText, placeOf } from "../src/telling.ts";

const at = { language: "vi", now_ms: 10_000 } as const;
const KEY = "dt-01/salinity_g_l";

const raised = (more: Record<string, unknown> = {}): Alert =>
  alert({ id: "a", k: KEY, ask: "above", state: "unacked", value: 2.08, limit: 2, ...more });
const measured = (more: Record<string, unknown> = {}): Reading =>
  reading({ k: KEY, v: 1.86, t: 9_000, q: 1, st: "live", ...more });

test("beside the value that raised an alert stands the newest one", () => {
  assert.equal(nowText(raised(), measured(), at), "nay 1,86");
  assert.equal(nowText(raised({ state: "acked" }), measured({ q: 3 }), at), "nay 1,86");
});

test("what may not be read as now, or is no value to compare, is not told as now", () => {
  for (const more of [{ st: "stale" }, { st: "lost" }, { q: 4 }, { q: 9 }, { v: null }]) {
    assert.equal(nowText(raised(), measured(more), at), "", JSON.stringify(more));
  }
  assert.equal(nowText(raised(), undefined, at), "");
  for (const more of [{ ask: "rise" }, { ask: "no_data", value: null }, { state: "cleared-unacked" }]) {
    assert.equal(nowText(raised(more), measured(), at), "", JSON.stringify(more));
  }
});

test("what the service says of itself is told in its own words, without figures", () => {
  const notice = alert({
    id: "n",
    k: "songtien/historian-behind",
    ask: "notice",
    severity: "warning",
    state: "unacked",
    value: 912.5,
    limit: 900,
    unit: "s",
    message_vi: "Hệ thống: số liệu chờ chép sang InfluxDB đã quá 15 phút",
    message_en: "System: readings have waited more than 15 min",
  });
  assert.equal(placeOf(notice, undefined, "vi"), "Hệ thống");
  assert.equal(figuresOf(notice, at), "số liệu chờ chép sang InfluxDB đã quá 15 phút");
  assert.match(alertSentence(notice, undefined, at), /Hệ thống: số liệu chờ chép/);
  assert.equal(nowText(notice, undefined, at), "");
});
