import assert from "node:assert/strict";
import { test } from "node:test";

import { type Alert, alert, type Reading, reading } from "../src/model.ts";
import { nowText } from "../src/telling.ts";

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
