import assert from "node:assert/strict";
import { test } from "node:test";

import { dateTime } from "../src/format.ts";
import { endOf, localField, localTime, tomorrowMorning } from "../src/shelving.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32); // 14:32 in Vietnam

test("tomorrow's morning is Vietnam's, also after midnight there", () => {
  assert.equal(dateTime(tomorrowMorning(NOW)), "23/11/2026 06:00");
  const night_ms = Date.UTC(2026, 10, 22, 18, 0); // 01:00 of the 23rd
  assert.equal(dateTime(tomorrowMorning(night_ms)), "24/11/2026 06:00");
});

test("the ends that are offered", () => {
  assert.equal(dateTime(endOf("1h", "", NOW) ?? 0), "22/11/2026 15:32");
  assert.equal(dateTime(endOf("4h", "", NOW) ?? 0), "22/11/2026 18:32");
  assert.equal(dateTime(endOf("morning", "", NOW) ?? 0), "23/11/2026 06:00");
});

test("an end is a whole number of milliseconds, although the page's clock has fractions", () => {
  for (const choice of ["1h", "4h", "morning"]) {
    assert.ok(Number.isInteger(endOf(choice, "", NOW + 0.25)));
  }
});

test("one's own end lies ahead and within a week", () => {
  assert.equal(endOf("own", "2026-11-22T16:00", NOW), Date.UTC(2026, 10, 22, 9, 0));
  assert.equal(endOf("own", "2026-11-22T14:32", NOW), null);
  assert.equal(endOf("own", "2026-11-29T14:33", NOW), null);
  assert.equal(endOf("own", "", NOW), null);
  assert.equal(endOf("own", "mai", NOW), null);
});

test("a field's time goes there and back, whatever the machine's time zone", () => {
  assert.equal(localField(NOW), "2026-11-22T14:32");
  assert.equal(localTime(localField(NOW)), NOW);
});
