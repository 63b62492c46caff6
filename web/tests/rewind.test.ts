import assert from "node:assert/strict";
import { test } from "node:test";

import { ServiceClock } from "../src/clock.ts";
import { pathAt, restsOn, rewindOf, searchWith, timeOf } from "../src/rewind.ts";

const AT_MS = Date.parse("2026-03-02T04:10:00+07:00");

test("a moment is read as people write it into an address", () => {
  for (const text of [
    "2026-03-02T04:10+07",
    "2026-03-02T04:10 07", // an unescaped + is a blank
    "2026-03-02T04:10:00+07:00",
    "2026-03-02T04:10:00 0700",
    "2026-03-02 04:10",
    "2026-03-01T21:10Z",
    String(AT_MS),
  ]) {
    assert.equal(timeOf(text), AT_MS, text);
  }
  assert.equal(timeOf("2026-03-02"), Date.parse("2026-03-02T00:00:00+07:00"));
  for (const text of ["", "hôm qua", "2026-13-02T04:10+07", "12:30", "17"]) {
    assert.equal(timeOf(text), null, text);
  }
});

test("the address says from when, and how fast within what is accepted", () => {
  assert.deepEqual(rewindOf("?at=2026-03-02T04:10+07"), { at_ms: AT_MS, speed: 1 });
  assert.deepEqual(rewindOf("?kiosk&at=2026-03-02T04:10%2B07&speed=60"), { at_ms: AT_MS, speed: 60 });
  assert.equal((rewindOf(`?at=${AT_MS}&speed=9000`) as { speed: number }).speed, 600);
  assert.equal((rewindOf(`?at=${AT_MS}&speed=-2`) as { speed: number }).speed, 0);
  assert.equal((rewindOf(`?at=${AT_MS}&speed=fast`) as { speed: number }).speed, 1);
  assert.equal(rewindOf("?kiosk"), null);
  assert.equal(rewindOf("?at=tomorrow"), "bad");
});

test("what is written into the address is read back, and the rest of it stays", () => {
  const written = searchWith("?kiosk", { at_ms: AT_MS, speed: 600 });
  assert.deepEqual(rewindOf(written), { at_ms: AT_MS, speed: 600 });
  assert.match(written, /^\?kiosk&/);
  assert.equal(searchWith(written, null), "?kiosk");
  assert.equal(searchWith("?at=1&speed=2", null), "");
});

test("a path is asked about the moment that is shown", () => {
  assert.equal(pathAt("/api/v1/river", null), "/api/v1/river");
  assert.equal(pathAt("/api/v1/river", 5.7), "/api/v1/river?at=5");
  assert.equal(pathAt("/api/v1/alerts?state=active", 5), "/api/v1/alerts?state=active&at=5");
});

test("the clock of the past goes at its own pace, and stands where it is stopped", () => {
  const clock = new ServiceClock();
  clock.hear(1_000_000, 50, 600);
  assert.equal(clock.at(1_050), 1_600_000);
  clock.hear(1_500_000, 1_050, 600); // the service's word counts, also where it is behind
  assert.equal(clock.at(1_050), 1_500_000);
  assert.equal(clock.at(2_050), 2_100_000);
  assert.equal(clock.told_ms, 1_500_000); // what may be asked about, however fast it goes
  clock.hear(1_500_000, 1_050, 0);
  assert.equal(clock.at(99_000), 1_500_000);
  clock.restart();
  assert.equal(clock.at(0), null);
});

test("what a moment rests on goes by where playing has come to, not by where it began", () => {
  const recorded = [
    { from_ms: 100, to_ms: 200 },
    { from_ms: 300, to_ms: 400 },
  ];
  assert.equal(restsOn("rebuilt", recorded, 50), "rewind_rebuilt");
  assert.equal(restsOn("rebuilt", recorded, 150), "rewind_recorded");
  assert.equal(restsOn("rebuilt", recorded, 250), "rewind_gap");
  assert.equal(restsOn("recorded", recorded, 250), "rewind_gap");
  assert.equal(restsOn("recorded", recorded, 405), "rewind_recorded"); // not told of it yet
  assert.equal(restsOn("none", recorded, 50), "rewind_none");
  assert.equal(restsOn("rebuilt", [], 50), "rewind_rebuilt");
  assert.equal(restsOn(null, recorded, 150), null);
});
