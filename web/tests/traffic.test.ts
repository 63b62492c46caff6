import assert from "node:assert/strict";
import { test } from "node:test";

import { reading, station } from "../src/model.ts";
import { directionView, levelOf, saidOf, stillWhy, trafficLevel } from "../src/traffic.ts";

const item = (k: string, more: Record<string, unknown>): ReturnType<typeof reading> =>
  reading({ k, st: "live", q: 1, t: 1000, station: "s", ...more });

test("traffic is told by the enter levels of speed and occupancy", () => {
  assert.equal(trafficLevel(50, 0.1, 900), 1);
  assert.equal(trafficLevel(34.9, 0.1, 900), 2);
  assert.equal(trafficLevel(50, 0.21, 900), 2);
  assert.equal(trafficLevel(19, 0.31, 900), 3);
  assert.equal(trafficLevel(19, 0.3, 900), 2);
  assert.equal(trafficLevel(7.9, 0.46, 400), 4);
  assert.equal(trafficLevel(7.9, 0.4, 400), 3);
});

test("what is missing does not vote, and nothing at all is unknown", () => {
  assert.equal(trafficLevel(7, null, 400), 4);
  assert.equal(trafficLevel(null, 0.35, 400), 3);
  assert.equal(trafficLevel(null, null, 400), null);
});

test("few vehicles tell nothing, but a queue that stands is still a queue", () => {
  assert.equal(trafficLevel(30, 0.02, 60), 0);
  assert.equal(trafficLevel(2, 0.8, 20), 4);
});

test("with two cameras on a direction the worse place speaks; lost ones do not", () => {
  const bridge = station({ id: "s" });
  const of = (device: string, v: number, st = "live"): ReturnType<typeof reading> =>
    item(`${device}/n/speed_km_h`, { v, st, direction: "n", device });
  assert.equal(directionView(bridge, "n", [of("c1", 55), of("c2", 12)]).main?.device, "c2");
  const view = directionView(bridge, "n", [of("c1", 55), of("c2", 12, "lost")]);
  assert.equal(view.main?.device, "c1");
  assert.equal(view.level, 1);
});

test("the service's word on the state goes before the cameras' figures", () => {
  const state = (v: number, more = {}): ReturnType<typeof reading> =>
    item("s/n/traffic_state", { v, kind: "bridge", direction: "n", device: "s", ...more });
  assert.deepEqual([0, 1, 2, 3].map((v) => levelOf(state(v), 1)), [1, 2, 3, 4]);
  assert.equal(levelOf(null, 2), 2, "a service that forms none");
  assert.equal(levelOf(item("s/n/traffic_state", { t: null, st: "never" }), 3), 3);
  assert.equal(levelOf(state(3, { st: "stale" }), 1), null, "an old state is no state of now");
  assert.equal(levelOf(state(3, { st: "lost" }), 0), 0, "too few vehicles is a reason");
});

test("what is formed of a bridge is not taken for a camera of it", () => {
  const bridge = station({ id: "s" });
  const formed = { kind: "bridge", direction: "n", device: "s" };
  const view = directionView(bridge, "n", [
    item("s/n/traffic_state", { v: 2, ...formed }),
    item("s/n/crossing_time_min", { v: 34, ...formed }),
    item("s/n/queue_length_km", { v: 1.8, st: "stale", ...formed }),
    item("s/n/incident", { v: 1, ...formed }),
    item("c1/n/speed_km_h", { v: 55, direction: "n", device: "c1", kind: "traffic" }),
    item("c1/n/speed_car_km_h", { v: 12, direction: "n", device: "c1", kind: "traffic" }),
    item("c1/s/speed_km_h", { v: 9, direction: "s", device: "c1", kind: "traffic" }),
  ]);
  assert.equal(view.main?.device, "c1");
  assert.equal(view.level, 3);
  assert.equal(view.whole.minutes?.value, 34);
  assert.equal(view.whole.queue_km, null, "an old length is not shown");
  assert.equal(view.whole.incident?.value, 1);
  assert.equal(view.speedCar?.value, 12);
  assert.equal(view.speedMotorbike, null);
});

test("why a figure is missing is told as long as it is, and the ban of trucks in force", () => {
  const one = (direction: string, why: string, ban: object | null): object => {
    return { direction, why, why_vi: why && `vì ${why}`, why_en: why, truck_ban: ban };
  };
  const ban = { text_vi: "cấm xe tải từ 3 trục, 9-11 giờ", text_en: "no trucks" };
  const directions = [one("n", "gap", ban), one("s", "", null)];
  const said = saidOf({ bridges: [{ id: "s", station: "s", directions }] });
  const [gap, none] = [said.get("s/n"), said.get("s/s")];
  assert.ok(gap !== undefined && none !== undefined);
  assert.deepEqual([gap.why_vi, gap.ban_vi], ["vì gap", ban.text_vi]);
  assert.deepEqual([none.why_vi, none.ban_vi], ["", ""]);
  assert.equal(saidOf(null).size, 0);

  const formed = { kind: "bridge", direction: "n", device: "s" };
  const minutes = (more = {}): ReturnType<typeof reading> =>
    item("s/n/crossing_time_min", { v: 4, ...formed, ...more });
  const length = item("s/n/queue_length_km", { v: 0, ...formed });
  const camera = item("c1/n/speed_km_h", { v: 55, direction: "n", device: "c1" });
  const view = (...all: ReturnType<typeof reading>[]): ReturnType<typeof directionView> =>
    directionView(station({ id: "s" }), "n", [camera, ...all]);
  assert.ok(stillWhy(gap, view()));
  assert.ok(stillWhy(gap, view(minutes({ bound: "above" }), length)));
  assert.ok(!stillWhy(gap, view(minutes(), length)), "what has come since lacks nothing");
  assert.ok(!stillWhy(none, view()));
  assert.ok(!stillWhy({ ...gap, why: "unknown" }, view()), "the cameras are heard");
});

test("of a jam a least time that any crossing takes is not told; a long one is", () => {
  const bridge = station({ id: "s" });
  const formed = { kind: "bridge", direction: "n", device: "s" };
  const minutes = (v: number, state: number): number | null =>
    directionView(bridge, "n", [
      item("s/n/traffic_state", { v: state, ...formed }),
      item("s/n/crossing_time_min", { v, bound: "above", ...formed }),
    ]).whole.minutes?.value ?? null;
  assert.equal(minutes(4, 3), null);
  assert.equal(minutes(61, 3), 61);
  assert.equal(minutes(4, 0), 4);
});
