import assert from "node:assert/strict";
import { test } from "node:test";

import { clockTime, dateTime, decimal, duration, figure, limit, shortTime } from "../src/format.ts";
import {
  alert,
  bandOf,
  inOrder,
  limitsOf,
  placeOnBar,
  reading,
  rule,
  shownSalinity,
  station,
  stationFreshness,
} from "../src/model.ts";

test("bands include their upper bound", () => {
  assert.deepEqual(
    [0, 0.5, 0.51, 1, 2, 2.01, 4, 4.0001, 30].map(bandOf),
    [0, 0, 1, 1, 2, 3, 3, 4, 4],
  );
});

test("the bar rises with the value and never leaves its ends", () => {
  const places = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 8, 32, 99].map(placeOnBar);
  assert.deepEqual(
    [...places].sort((a, b) => a - b),
    places,
  );
  assert.equal(places[0], 0);
  assert.equal(places[2], 0.2);
  assert.equal(places[4], 0.4);
  assert.equal(places.at(-1), 1);
});

const item = (k: string, more: Record<string, unknown>): ReturnType<typeof reading> =>
  reading({ k, st: "live", q: 1, t: 1000, station: "s", ...more });

test("of several probes the freshest speak, and of those the saltiest", () => {
  const surface = item("a/surface/salinity_g_l", { v: 1.2 });
  const bottom = item("a/bottom/salinity_g_l", { v: 2.4 });
  const old = item("b/salinity_g_l", { v: 9, st: "lost" });
  const bad = item("c/salinity_g_l", { v: 9, q: 4 });
  assert.equal(shownSalinity([surface, bottom, old, bad])?.key, "a/bottom/salinity_g_l");
  assert.equal(shownSalinity([old])?.key, "b/salinity_g_l");
  assert.equal(shownSalinity([]), null);
});

test("a station is as fresh as its worst device, a device as its freshest series", () => {
  const bridge = station({ id: "s", devices: [{ id: "c1" }, { id: "c2" }] });
  const fresh = item("c1/n/speed_km_h", {});
  const stale = item("c1/n/queue_m", { st: "stale" });
  const lost = item("c2/n/speed_km_h", { st: "lost" });
  assert.equal(stationFreshness(bridge, [fresh, stale]), "live");
  assert.equal(stationFreshness(bridge, [fresh, stale, lost]), "lost");
  assert.equal(stationFreshness(bridge, []), "never");
});

test("alerts: severity, then what nobody has taken, then the newest", () => {
  const make = (id: string, severity: string, state: string, t_since: number) =>
    alert({ id, severity, state, t_since });
  const sorted = inOrder([
    make("a", "warning", "unacked", 9),
    make("b", "critical", "acked", 9),
    make("c", "critical", "unacked", 1),
    make("d", "critical", "unacked", 2),
    make("e", "novel", "unacked", 99),
  ]);
  assert.deepEqual(
    sorted.map((a) => a.id),
    ["d", "c", "b", "a", "e"],
  );
});

test("limits of a series are those of the rules that watch it", () => {
  const xuanHoa = station({
    id: "xuan-hoa",
    kind: "salinity",
    km_from_mouth: { "cua-tieu": 42, "cua-dai": 47 },
  });
  const level = (id: string, more: Record<string, unknown>) =>
    rule({ id, quantity: "salinity_g_l", ask: "above", raise_level: 4, ...more });
  const rules = [
    level("all", { watches: ["vam-kenh", "xuan-hoa"], raise_level: 9 }),
    level("here", { watches: ["xuan-hoa"] }),
    level("elsewhere", { watches: ["my-tho"] }),
    level("nowhere", { watches: [] }),
    level("unsaid", {}),
    level("probe", { watches: ["xuan-hoa"], devices: ["xh-01"], raise_level: 1 }),
    level("other-probe", { watches: ["xuan-hoa"], devices: ["xh-02"] }),
    level("rise", { watches: ["xuan-hoa"], ask: "rise" }),
    level("warm", { watches: ["xuan-hoa"], quantity: "temperature_c" }),
  ];
  const found = limitsOf(rules, item("xh-01/salinity_g_l", { v: 1 }), xuanHoa);
  assert.deepEqual(
    found.map((r) => r.id),
    ["probe", "here", "all"],
  );
});

test("figures: decimal comma in Vietnamese, digits that the quantity deserves", () => {
  assert.equal(figure(4.3, "salinity_g_l", "vi"), "4,30");
  assert.equal(figure(4.3, "salinity_g_l", "en"), "4.30");
  assert.equal(figure(12.34, "salinity_g_l", "vi"), "12,3");
  assert.equal(figure(9.996, "salinity_g_l", "vi"), "10,0");
  assert.equal(figure(0.222, "occupancy", "vi"), "22");
  assert.equal(limit(4, "salinity_g_l", "vi"), "4");
  assert.equal(limit(0.85, "salinity_g_l", "vi"), "0,85");
  assert.equal(decimal(-0.001, 2, "vi"), "0,00");
});

test("times are Vietnam's", () => {
  const t_ms = Date.UTC(2026, 10, 22, 18, 5, 9);
  assert.equal(dateTime(t_ms), "23/11/2026 01:05");
  assert.equal(clockTime(t_ms), "01:05");
  assert.equal(shortTime(t_ms - 86_400_000, t_ms), "22/11 01:05");
  assert.equal(shortTime(t_ms - 60_000, t_ms), "01:04");
});

test("ages are in whole words", () => {
  const minutes = (n: number): string => duration(n * 60_000, "vi");
  assert.equal(minutes(0.9), "dưới 1 phút");
  assert.equal(minutes(34.9), "34 phút");
  assert.equal(minutes(130), "2 giờ 10 phút");
  assert.equal(minutes(120), "2 giờ");
  assert.equal(minutes(11 * 60 + 5), "11 giờ");
  assert.equal(minutes(80 * 60), "3 ngày");
});
