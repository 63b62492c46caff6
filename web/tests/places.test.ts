import assert from "node:assert/strict";
import { test } from "node:test";

import type uPlot from "uplot";

import { banMarks, entryOf, modeMarks, roadOf } from "../src/bridgeroad.ts";
import { axisOf, byAge, pairs } from "../src/diagram.ts";
import { csvPath, fileName } from "../src/export.ts";
import { DAY_MS, HOUR_MS } from "../src/format.ts";
import type { Point } from "../src/history.ts";
import { joined } from "../src/joined.ts";
import { levelFor, neighboursOf } from "../src/kin.ts";
import { reading, station } from "../src/model.ts";
import { type Line, type Picture, sentenceOf, tablesOf } from "../src/picture.ts";
import { parseView, viewText } from "../src/placeaddress.ts";
import { yRange } from "../src/yrange.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32); // 14:32 in Vietnam
const SPAN = { from_ms: NOW - DAY_MS, to_ms: NOW };

const point = (t_ms: number, value: number, flag = 1): Point => ({ t_ms, value, flag });
const line = (points: Point[], more: Partial<Line> = {}): Line => ({
  ...{ id: "main", label: "Độ mặn", points, shift_ms: 0, gap_ms: 3 * HOUR_MS },
  ...{ ink: "--text", width: 0.13, dash: false, band: false, main: true },
  ...more,
});
const picture = (lines: Line[], more: Partial<Picture> = {}): Picture => ({
  ...{ title: "Xuân Hòa: Độ mặn", quantity: "salinity_g_l", unit: "g/L", lines, stacked: false },
  ...{ limits: [], alerts: [], stretches: [], hands: [], span: SPAN, axis: true, language: "vi" },
  ...more,
});

test("a picture is told in one sentence, with its extremes, what is newest and its gaps", () => {
  const points = [point(NOW - 9 * HOUR_MS, 2), point(NOW - 4 * HOUR_MS, 4.25), point(NOW, 3)];
  const told = sentenceOf(picture([line([point(NOW - 30 * HOUR_MS, 99), ...points])]));
  assert.match(told, /thấp nhất 2,00 g\/l, cao nhất 4,25 g\/l, mới nhất 3,00 g\/l lúc 22\/11\/2026 14:32/);
  assert.match(told, /3 khoảng trống, dài nhất 15 giờ/);
  assert.match(sentenceOf(picture([line([])])), /không có số liệu/);
  const failed = sentenceOf(picture([line([point(NOW, 40, 4)])], { language: "en" }));
  assert.match(failed, /no data/);
  // The least of a mean's step is lower than the mean.
  const means = line([{ ...point(NOW, 3), low: 1, high: 5 }], { band: true });
  assert.match(sentenceOf(picture([means])), /thấp nhất 1,00 g\/l, cao nhất 5,00/);
});

test("a gap stays a gap where another curve has times within it", () => {
  const points = [0, 1, 2, 20, 21].map((h) => point(h * HOUR_MS, h));
  const other = [0, 5, 10, 15, 21].map((h) => point(h * HOUR_MS, 1));
  const tables = tablesOf(
    picture([line(points), line(other, { gap_ms: 9 * HOUR_MS, main: false })]),
  );
  const [times, own] = joined(tables as uPlot.AlignedData[]);
  const within = (own ?? []).filter((_, n) => (times[n] ?? 0) > 7200 && (times[n] ?? 0) < 72_000);
  assert.equal(within.length, 4);
  assert.ok(within.every((value) => value === null));
});

test("a band has edges beside its line, with the same gaps", () => {
  const wide = (t: number): Point => ({ ...point(t, 3), low: 2, high: 4 });
  const [table] = tablesOf(picture([line([wide(0), wide(9 * HOUR_MS)], { band: true })]));
  assert.deepEqual(table?.slice(1), [
    [2, null, 2],
    [4, null, 4],
    [3, null, 3],
  ]);
});

test("classes stand on each other, the highest sum is drawn first; one that is missing adds none", () => {
  const cars = line([point(0, 5), point(1000, 6)]);
  const trucks = line([point(1000, 2)], { id: "trucks" });
  const [table] = tablesOf(picture([cars, trucks], { stacked: true }));
  assert.deepEqual(table, [
    [0, 1],
    [5, 8],
    [5, 6],
  ]);
  assert.equal(tablesOf(picture([], { stacked: true })).length, 1);
});

test("the axis holds the data and the next limit, and a quiet day is no mountain", () => {
  const [low, high] = yRange("salinity_g_l", 0.2, 0.4, [0.5, 1]);
  assert.equal(low, 0);
  assert.ok(high > 0.5 && high < 1);
  assert.ok(yRange("crossing_time_min", 3.7, 4.1, [])[1] > 15);
  assert.ok(yRange("water_level_m", -1, 1, [])[0] < -1);
});

test("a file is named by station, series and span in Vietnam's time; the CSV is the service's", () => {
  const hour = { name: "1h", ms: HOUR_MS };
  assert.equal(
    fileName("xuan-hoa", "xh-01/salinity_g_l", SPAN, hour, "csv"),
    "xuan-hoa_salinity_g_l_2026-11-21T1432+07_2026-11-22T1432+07_1h.csv",
  );
  const raw = fileName("rach-mieu-1", "cam-01/southbound/speed_km_h", SPAN, { name: "raw", ms: 0 }, "png");
  assert.equal(raw, "rach-mieu-1_southbound-speed_km_h_2026-11-21T1432+07_2026-11-22T1432+07.png");
  const path = csvPath("xh-01/salinity_g_l", SPAN, hour);
  assert.ok(path.includes(`from=${SPAN.from_ms}&to=${SPAN.to_ms}&step=1h&agg=mean,min,max`));
  assert.ok(path.endsWith("format=csv"));
});

test("the address brings back series, span and end; what is none is passed over", () => {
  const wish = { span_ms: DAY_MS, end_ms: NOW };
  assert.deepEqual(parseView(viewText("xh-01/salinity_g_l", wish)), {
    ...{ key: "xh-01/salinity_g_l", wish },
  });
  assert.deepEqual(parseView("#xh-01/salinity_g_l"), { key: "xh-01/salinity_g_l", wish: null });
  assert.deepEqual(parseView(viewText(null, { span_ms: DAY_MS, end_ms: null })).wish, {
    ...{ span_ms: DAY_MS, end_ms: null },
  });
  assert.deepEqual(parseView("#<script>@1"), { key: null, wish: null });
  assert.equal(parseView("#a@1").wish, null); // shorter than anything that can be looked at
});

test("a diagram pairs what was measured at one time, and knows its age", () => {
  const shares = [point(NOW - 2 * HOUR_MS, 0.1), point(NOW - 60_000, 0.2), point(NOW, 0.3, 4)];
  const flows = [point(NOW - 2 * HOUR_MS, 400), point(NOW - 60_000, 700), point(NOW, 900)];
  const spots = byAge(pairs(shares, flows), NOW);
  assert.deepEqual(spots.day, [{ t_ms: NOW - 2 * HOUR_MS, x: 0.1, y: 400 }]);
  assert.deepEqual(spots.now, { t_ms: NOW - 60_000, x: 0.2, y: 700 });
  assert.equal(byAge(pairs(shares, flows), NOW + 2 * HOUR_MS).now, null);
  assert.equal(byAge(pairs(shares, flows), NOW - HOUR_MS).hour.length, 0); // nothing of after it
  const axis = axisOf([12, 870, 900], 100);
  assert.deepEqual(axis.ticks, [0, 250, 500, 750, 1000]);
  assert.equal(axisOf([], 10).top, 10);
});

const ANSWER = {
  bridges: [
    {
      id: "rach-mieu-1",
      directions: [
        {
          direction: "southbound",
          minutes: { from: 10, to: 12 },
          cameras: [
            { stream: "cam-02/southbound", place: "exit" },
            { stream: "cam-01/southbound", place: "entry" },
          ],
          road: {
            capacity_veh_h: 900,
            truck_bans: [
              { axles: 3, from: NOW - 400 * DAY_MS, until: null, hours: [[9, 11], [15, 19]] },
              { axles: 5, from: NOW - 400 * DAY_MS, until: NOW - 100 * DAY_MS, hours: [[0, 24]] },
            ],
          },
        },
      ],
    },
  ],
};

test("bans stand in the hours of Vietnam's days within the span, as long as they hold", () => {
  const road = roadOf(ANSWER, "rach-mieu-1", "southbound");
  assert.equal(road.capacity_veh_h, 900);
  assert.deepEqual(road.minutes, [10, 12]);
  const marks = banMarks(road.bans, SPAN, "vi");
  const clock = (t: number | null): number => (((t ?? 0) + 7 * HOUR_MS) % DAY_MS) / HOUR_MS;
  assert.deepEqual(
    marks.map((mark) => [clock(mark.from_ms), clock(mark.to_ms)]),
    [
      [15, 19],
      [9, 11],
    ],
  );
  assert.deepEqual(banMarks(road.bans, { ...SPAN, from_ms: NOW - 30 * DAY_MS }, "vi"), []);
  assert.deepEqual(roadOf(null, "rach-mieu-1", "southbound").bans, []);
});

test("a mode stands from when it was entered; two-way is none", () => {
  const mode = { station: "b", direction: "n", mode: "closed", until_ms: NOW + 1, reason: "" };
  const entered = { bridges: { b: { modes: { n: { mode: "closed", t: NOW - HOUR_MS } } } } };
  assert.deepEqual(modeMarks(entered, mode, "en"), [
    { from_ms: NOW - HOUR_MS, to_ms: NOW + 1, text: "this direction closed", severity: "" },
  ]);
  assert.deepEqual(modeMarks(entered, { ...mode, mode: "two-way" }, "en"), []);
});

test("the camera at the entry speaks; where none is said to be, the first that is heard", () => {
  const bridge = station({ id: "rach-mieu-1" });
  assert.equal(entryOf(ANSWER, bridge, "southbound", []), "cam-01");
  const heard = reading({ k: "cam-09/northbound/speed_km_h", direction: "northbound", kind: "traffic" });
  assert.equal(entryOf(null, bridge, "northbound", [heard]), "cam-09");
  assert.equal(entryOf(null, bridge, "northbound", []), "");
});

test("neighbours go by the water, the gauge by the water first and the map after", () => {
  const at = (id: string, km: Record<string, number>, lat = 10, lon = 106) =>
    station({ id, kind: "salinity", branch: "tieu", km_from_mouth: km, lat, lon });
  const here = at("here", { tieu: 42 });
  const stations = [
    here,
    at("far", { tieu: 60 }),
    at("up", { tieu: 46 }),
    at("down", { tieu: 30 }),
    at("arm", { "ham-luong": 43 }, 10.001),
  ];
  assert.deepEqual(
    Object.values(neighboursOf(here, stations)).map((one) => one?.id),
    ["up", "down"],
  );
  assert.deepEqual(neighboursOf(at("alone", {}), stations), { up: null, down: null });
  const level = (id: string, t: number | null) =>
    [id, [reading({ k: `${id}/water_level_m`, v: t === null ? null : 1, t })]] as const;
  const heard = new Map([level("here", null), level("down", NOW), level("arm", NOW)]);
  assert.equal(levelFor(here, stations, heard)?.station.id, "down");
  const own = new Map([level("here", NOW), level("down", NOW)]);
  assert.equal(levelFor(here, stations, own)?.station.id, "here");
  assert.equal(levelFor(here, stations, new Map()), null);
});
