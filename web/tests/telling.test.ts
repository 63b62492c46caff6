import assert from "node:assert/strict";
import { test } from "node:test";

import { type Alert, alert, type Reading, reading } from "../src/model.ts";
import {
  alertSentence,
  figuresOf,
  lineText,
  marksOf,
  newestText,
  nowText,
  placeOf,
  shelvedText,
} from "../src/telling.ts";

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

test("the page of an alert tells the newest value with its unit, also while it breaches", () => {
  assert.equal(newestText(raised(), measured({ v: 8.53 }), at), "nay 8,53 g/l");
  assert.equal(newestText(raised({ t_cleared: 5_000 }), measured(), at), "", "it is over");
  assert.equal(newestText(raised(), measured({ st: "stale" }), at), "");
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

test("an alert says that it flaps, for how many it stands, and since when nobody took it", () => {
  const waiting = raised({ t_told: 3_600_000, escalation: 1, reminders: 3, flapping: true });
  assert.equal(marksOf(waiting, at), "chập chờn · chưa ai tiếp nhận từ 08:00 · đã nhắc 3 lần");
  const taken = raised({ state: "acked", escalation: 1, reminders: 3 });
  assert.equal(marksOf(taken, at), "", "who took it need not be reminded of reminders");
  const down = raised({ ask: "notice", count: 12, k: "songtien/uplink/gw-1" });
  assert.equal(marksOf(down, at), "gồm 12 thiết bị");
  assert.equal(placeOf(down, undefined, "vi"), "Mất kết nối gateway gw-1");
  const told = { ...down, message_vi: "Mất kết nối gateway gw-1: 12 thiết bị im lặng" };
  assert.equal(marksOf(told, at), "", "what the message says is not said twice");
  const group = raised({ members: ["a/x", "b/x", "c/x"] });
  assert.equal(marksOf(group, at), "3 điểm đo cùng lúc");
});

test("one that is put aside says until when and why; one in maintenance says that", () => {
  const shelved = raised({ shelved_until: 3_600_000, shelved_why: "sửa đầu đo", reminders: 2 });
  assert.equal(shelvedText(shelved, at), "tạm gác đến 08:00: sửa đầu đo");
  assert.equal(marksOf(shelved, at), "");
  const window = raised({ suppressed: { why: "maintenance", by: "m1" } });
  assert.equal(shelvedText(window, at), "trạm đang bảo trì");
  assert.equal(shelvedText(raised(), at), "");
});

test("a line of salt is told in km at its arm; a state of traffic in its rule's words", () => {
  const line = { k: "cua-tieu/salt_4_max_km", branch: ["cua-tieu"], value: 46.2, limit: 45 };
  const intrusion = raised({ ...line, quantity: "salt_4_max_km" });
  assert.equal(placeOf(intrusion, undefined, "vi"), "Cửa Tiểu");
  assert.equal(figuresOf(intrusion, at), "46,2 > 45 km");
  // The maximum of 25 hours is farther up than the line that the river shows.
  assert.equal(lineText(intrusion, at), "ranh 4, 25 giờ");
  assert.equal(lineText(raised({ ...line, quantity: "salt_1_km" }), at), "ranh 1 g/l");
  assert.equal(lineText(raised(), at), "");
  const message_vi = "Rạch Miễu: ùn tắc từ 22/11/2026 15:42";
  const jam = raised({ quantity: "traffic_state", value: 3, message_vi });
  assert.equal(figuresOf(jam, at), "ùn tắc", "since when stands beside it");
});

test("what compares other things than the series and its limit is told in the rule's words", () => {
  const message_vi = "Xuân Hòa: mặn hơn cùng con nước hôm qua 1,2 g/L";
  for (const ask of ["fall", "same_tide", "difference", "flagged", "congestion", "incident"]) {
    const one = raised({ ask, message_vi });
    assert.equal(figuresOf(one, at), "mặn hơn cùng con nước hôm qua 1,2 g/L");
    assert.equal(nowText(one, measured(), at), "");
  }
  const group = raised({ message_vi: "Cửa Tiểu: 3 trạm cùng mặn", members: ["a/x", "b/x"] });
  assert.equal(figuresOf(group, at), "3 trạm cùng mặn");
});
