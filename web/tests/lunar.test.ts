import assert from "node:assert/strict";
import { test } from "node:test";

import { DAY_MS, LUNAR_DAY_MS } from "../src/format.ts";
import { columnsOf } from "../src/history.ts";
import { comparable, dayStart, isoDay, lunarOf } from "../src/lunar.ts";

const ANSWER = {
  date: "2026-11-22",
  lunar: { day: 14, month: 10, year: 2026, leap: false, text_vi: "14 tháng 10 năm Bính Ngọ" },
  same: [
    { year: 2025, date: "2025-12-03", exact: true },
    { year: 2024, date: "2024-11-14", exact: true },
    { year: 2023, date: "never" },
  ],
};

test("a curve of the same lunar date lies over this one hour by hour", () => {
  const lunar = lunarOf(ANSWER);
  assert.ok(lunar !== null);
  assert.deepEqual(
    lunar.same.map((day) => [day.year, day.shift_ms / DAY_MS]),
    [
      [2025, 354],
      [2024, 738],
    ],
  );
  const then = (dayStart("2025-12-03") as number) + 5 * 3_600_000;
  const [times] = columnsOf([{ t_ms: then, value: 1, flag: 1 }], 1, lunar.same[0]?.shift_ms);
  assert.equal(times[0], ((dayStart("2026-11-22") as number) + 5 * 3_600_000) / 1000);
});

test("an answer without a lunar date gives none", () => {
  assert.equal(lunarOf({}), null);
  assert.equal(lunarOf({ date: "2026-11-22" }), null);
});

test("days are Vietnam's", () => {
  assert.equal(isoDay(Date.UTC(2026, 10, 21, 17)), "2026-11-22");
  assert.equal(isoDay(Date.UTC(2026, 10, 21, 16, 59)), "2026-11-21");
  assert.equal(isoDay(dayStart("2026-11-22") as number), "2026-11-22");
});

test("a tide is laid over days, other years over weeks too", () => {
  assert.equal(comparable(LUNAR_DAY_MS, 7 * DAY_MS), true);
  assert.equal(comparable(LUNAR_DAY_MS, 30 * DAY_MS), false);
  assert.equal(comparable(354 * DAY_MS, 30 * DAY_MS), true);
  assert.equal(comparable(354 * DAY_MS, 365 * DAY_MS), false);
});
