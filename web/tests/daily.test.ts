import assert from "node:assert/strict";
import { test } from "node:test";

import { anySame, csvOf, dailyOf, dayAfter, dayIn, dayShown } from "../src/daily.ts";
import type { Fields } from "../src/held.ts";

const FROM = Date.UTC(2026, 10, 21, 17, 0);
const DAY = 86_400_000;

const answer: Fields = {
  ...{ date: "2026-11-22", from: FROM, to: FROM + DAY, now: FROM + 2 * DAY, complete: true },
  lunar: { text_vi: "14 tháng 10 năm Bính Ngọ", text_en: "day 14" },
  stations: [
    {
      ...{ station: "xuan-hoa", name: 'Cống "Xuân Hòa"', key: "xh-01/salinity_g_l" },
      ...{ n: 142, expected: 144, share: 0.986, km_from_mouth: { "cua-tieu": 42, "cua-dai": 47 } },
      max: { value: 2.31, t: FROM + 3_600_000, flag: 3 },
      good_max: { value: 2.2, t: FROM, flag: 1 },
      min: { value: 0.42, t: null, hour: FROM, flag: 1 },
      change: { g_l: -0.3, before_g_l: 2.61 },
      same_period: [
        { year: 2025, date: "2025-12-03", exact: true, max_g_l: null },
        { year: 2024, date: "2024-11-14", exact: false, max_g_l: 1.9 },
      ],
    },
    { station: "my-tho", name: "Mỹ Tho", key: "mt-01/salinity_g_l", max: null, min: null, change: null },
  ],
  gates: [{ intake: "xuan-hoa", name: "Cống Xuân Hòa", taking_min: 90, fresh_min: null, max_g_l: 2.31 }],
};

test("days are stepped through across months, and an address that is no day is none", () => {
  assert.equal(dayAfter("2026-11-30", 1), "2026-12-01");
  assert.equal(dayAfter("2026-03-01", -1), "2026-02-28");
  assert.equal(dayIn("#2026-11-22"), "2026-11-22");
  assert.equal(dayIn("#2026-11"), null);
});

test("a station: its highest with doubt, change, same lunar date; a link to that day", () => {
  const daily = dailyOf(answer, [], "vi");
  const [first, second] = daily.stations.rows.map(({ cells }) => cells.map(({ text }) => text));
  assert.deepEqual(first, [
    ...['"Xuân Hòa"', "42, 47", "2,31 nghi ngờ (đạt: 2,20)", "01:00", "−0,30"],
    ...["1,90 (14/11/2024 ~)", "0,42", "98 %"],
  ]);
  assert.deepEqual(second?.slice(2, 6), ["–", "", "–", "–"]);
  const href = daily.stations.rows[0]?.cells[0]?.href;
  assert.equal(href, `/tram/xuan-hoa#xh-01/salinity_g_l@${DAY}@${FROM + DAY}`);
  assert.deepEqual(daily.warnings, []);
  assert.ok(anySame(answer));
  const gates = daily.rest[1]?.rows[0]?.cells.map(({ text }) => text);
  assert.deepEqual(gates, ["Xuân Hòa", "1,5", "–", "–", "–", "–", "2,31"]);
});

test("a day that goes on, and one that was not read whole, say so", () => {
  const running = dailyOf({ ...answer, now: FROM + DAY / 2, complete: false }, [], "vi");
  assert.deepEqual(running.warnings, ["CHƯA HẾT NGÀY: số liệu đến 12:00."]);
  assert.equal(running.span.to_ms, FROM + DAY / 2);
  const partial = dailyOf({ ...answer, complete: false, simulated: true }, [], "en");
  assert.equal(partial.warnings.length, 2);
});

test("the table as machines read it", () => {
  const [head, first, second, end] = csvOf(answer).split("\r\n");
  assert.equal(head?.split(",").length, 17);
  assert.equal(
    first,
    '2026-11-22,xuan-hoa,"Cống ""Xuân Hòa""",2.31,2026-11-22T01:00+07:00,3,0.42,' +
      "2026-11-22T00:00+07:00,-0.3,2.61,2024-11-14,1.9,142,144,0.986,false,xh-01/salinity_g_l",
  );
  assert.equal(second, "2026-11-22,my-tho,Mỹ Tho,,,,,,,,,,,,,false,mt-01/salinity_g_l");
  assert.equal(end, "");
});

test("of a moment of the past no day is told beyond that moment", () => {
  assert.equal(dayShown(null, "2026-11-22", false), "2026-11-21");
  assert.equal(dayShown("2026-11-22", "2026-11-22", false), "2026-11-22");
  assert.equal(dayShown("2026-11-22", "2026-11-22", true), "2026-11-21");
  assert.equal(dayShown("2026-11-03", "2026-11-22", true), "2026-11-03");
});
