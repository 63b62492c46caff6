import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Alarm, REPEAT_MS, SILENCE_MS, type Tone, TONES } from "../src/alarm.ts";
import { Before, risesOf, telling, valueAt } from "../src/before.ts";
import { quietOf, quietText } from "../src/devices.ts";
import { fold } from "../src/fold.ts";
import { HOUR_MS, LUNAR_DAY_MS, MINUTE_MS, shortDuration } from "../src/format.ts";
import { isAnother, kioskOf, SHIFT_MS, shiftAt } from "../src/kioskquery.ts";
import { rowsOf } from "../src/layout.ts";
import { alert, reading, type Reading, station } from "../src/model.ts";
import { prominent } from "../src/prominence.ts";
import { changeText, saltLines } from "../src/salt.ts";
import { HELP, meaningOf } from "../src/shortcuts.ts";
import { pathOf } from "../src/shortcutpaths.ts";
import { nowText, rowFigures, rowWhen } from "../src/telling.ts";

const at = { language: "vi", now_ms: Date.UTC(2026, 10, 22, 7) } as const;

function heard(): { alarm: Alarm; tones: Tone[]; deaf: { now: boolean } } {
  const [tones, deaf] = [[] as Tone[], { now: false }];
  const alarm = new Alarm((tone) => !deaf.now && tones.push(tone) > 0);
  return { alarm, tones, deaf };
}

test("each severity has a sound of its own; a notice has none", () => {
  const { alarm, tones } = heard();
  for (const severity of ["critical", "major", "warning", "info"]) alarm.hear(severity, 0);
  assert.deepEqual(tones, ["critical", "major", "warning"]);
  const shapes = Object.values(TONES).map((notes) => JSON.stringify(notes));
  assert.equal(new Set(shapes).size, 3);
});

test("an untaken critical alert is heard again every half minute, until it is taken", () => {
  const { alarm, tones } = heard();
  for (let s = 0; s <= 95; s += 1) alarm.tick(s < 70, s * 1000);
  assert.equal(tones.length, 3);
  assert.equal(REPEAT_MS, 30_000);
});

test("what nobody could hear is sounded as soon as it can be", () => {
  const { alarm, tones, deaf } = heard();
  deaf.now = true;
  alarm.tick(true, 0);
  deaf.now = false;
  alarm.tick(true, 1000);
  assert.deepEqual(tones, ["critical"]);
});

test("silence lasts ten minutes and ends by itself, or when somebody ends it", () => {
  const { alarm, tones } = heard();
  alarm.silence(0);
  alarm.hear("critical", 1000);
  alarm.tick(true, SILENCE_MS - 1);
  assert.deepEqual(tones, []);
  assert.equal(alarm.silentFor_ms(SILENCE_MS - 1000), 1000);
  alarm.tick(true, SILENCE_MS);
  assert.deepEqual(tones, ["critical"]);
  alarm.silence(SILENCE_MS);
  alarm.speak();
  assert.equal(alarm.silentFor_ms(SILENCE_MS), 0);
});

test("the value of the day before is the nearest that passed; a bound is none", () => {
  const points = [
    [0, 40.1, 1],
    [15 * MINUTE_MS, 41, 3],
    [30 * MINUTE_MS, 42, 1],
  ];
  const answer = { step: "raw", columns: ["t", "value", "quality"], points };
  assert.equal(valueAt(answer, 16 * MINUTE_MS), 42);
  assert.equal(valueAt(answer, 2 * MINUTE_MS), 40.1);
  assert.equal(valueAt(answer, 51 * MINUTE_MS), null);
});

function line(value: number, bound: string | null = null): Reading {
  const of = { k: "cua-tieu/salt_4_km", kind: "river", branch: ["cua-tieu"], st: "live", q: 1 };
  return reading({ ...of, v: value, t: at.now_ms, bound });
}

test("a line is set against the same tide the day before, and asked for once in five minutes", async () => {
  const asked: string[] = [];
  const before = new Before(
    async (path) => {
      asked.push(path);
      return { step: "raw", points: [[at.now_ms - LUNAR_DAY_MS, 39.4, 1]] };
    },
    () => undefined,
  );
  const lines = [...saltLines([line(42.4)]).values()].flat();
  before.look(lines, 0);
  before.look(lines, 4 * MINUTE_MS);
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(asked.length, 1);
  const from = at.now_ms - LUNAR_DAY_MS - 20 * MINUTE_MS;
  assert.ok(asked[0]?.startsWith(`/api/v1/series/cua-tieu/salt_4_km?from=${from}&`));
  const rise = before.rise(lines[0]!);
  assert.equal(changeText(rise, "vi"), " (+3,0)");
  const bound = [...saltLines([line(46, "above")]).values()].flat()[0]!;
  assert.equal(before.rise(bound), null);
  before.look(lines, 5 * MINUTE_MS);
  assert.equal(asked.length, 2);
});

test("a change within the uncertainty is none; what falls has a minus", () => {
  assert.equal(changeText(0.2, "vi"), " (=)");
  assert.equal(changeText(-3.68, "en"), " (−3.7)");
  assert.equal(changeText(null, "vi"), "");
  assert.ok(telling(0.3, 2) && !telling(0.1, 2) && !telling(0.04, 0.1));
  const stations = { "my-tho": { same_tide: { rise_g_l: 0.28 } }, "kim-son": { same_tide: null } };
  assert.deepEqual([...risesOf({ stations })], [["my-tho", 0.28]]);
});

const placed = [
  ["a", 10],
  ["b", 20],
  ["c", 30],
  ["d", 40],
].map(([id, km]) =>
  station({ id, name: id, kind: "salinity", branch: "cua-tieu", km_from_mouth: { "cua-tieu": km } }),
);

test("large figures go to the worst alert, to both sides of a line, and to intakes", () => {
  const { rows } = rowsOf(placed);
  const salt = saltLines([line(24)]);
  const worst = { id: "1", k: "a-1/salinity_g_l", station: "a", severity: "critical" };
  const folded = fold([alert({ ...worst, state: "unacked", quantity: "salinity_g_l" })]);
  assert.deepEqual(prominent(rows, folded, salt, []), ["a", "b", "c"]);
  assert.deepEqual(prominent(rows, fold([]), salt, [{ station: "d" }]), ["b", "c", "d"]);
  assert.deepEqual(prominent(rows, fold([]), new Map(), []), []);
  const above = saltLines([line(20, "above")]);
  assert.deepEqual(prominent(rows, fold([]), above, []), ["b"]);
});

test("devices that are quiet are named with since when, the lost ones first", () => {
  const [one, two] = ["a", "b"].map((id) => ({
    ...station({ id, name: `Cống ${id.toUpperCase()}` }),
    devices: [{ id: `${id}-1`, kind: "salinity", expected_s: 900, series: [] }],
  }));
  const heardOf = (id: string, st: string, t: number) =>
    [reading({ k: `${id}-1/salinity_g_l`, device: `${id}-1`, st, t, v: 1, q: 1 })] as const;
  const readings = new Map([
    ["a", heardOf("a", "late", at.now_ms - 12 * MINUTE_MS)],
    ["b", heardOf("b", "lost", at.now_ms - 3 * HOUR_MS)],
  ]);
  const quiet = quietOf([one!, two!], readings);
  assert.deepEqual(
    quiet.map((each) => quietText(each, at)),
    ["B mất tín hiệu từ 11:00", "A chậm 12 phút"],
  );
  assert.deepEqual(quietOf([one!], new Map([["a", heardOf("a", "live", at.now_ms)]])), []);
  assert.equal(shortDuration(3 * HOUR_MS + 40 * MINUTE_MS, "vi"), "3 giờ");
});

test("a row shows the newest figure while it breaches, else the one that raised it", () => {
  const raw = { id: "1", ask: "above", value: 4.14, limit: 4, quantity: "salinity_g_l" };
  const raised = alert({ ...raw, state: "unacked", t_since: at.now_ms - HOUR_MS });
  const now = (v: number) => reading({ k: "x/salinity_g_l", v, t: 1, st: "live", q: 1 });
  assert.deepEqual(rowFigures(raised, now(5.73), at), { value: "5,73", bound: "> 4 g/l" });
  assert.equal(nowText(raised, now(5.73), at), "");
  assert.deepEqual(rowFigures(raised, now(3.7), at), { value: "4,14", bound: "> 4 g/l" });
  assert.equal(nowText(raised, now(3.7), at), "nay 3,70");
  assert.equal(rowWhen(raised, at), "từ 13:00");
  assert.equal(rowWhen({ ...raised, since_ms: at.now_ms - 26 * HOUR_MS }, at), "từ 21/11");
});

test("keys: g and a letter go, others are the page's, and all of them are in the help", () => {
  assert.deepEqual(meaningOf("g", false), { kind: "wait" });
  assert.deepEqual(meaningOf("w", true), { kind: "go", place: "wall" });
  assert.equal(meaningOf("w", false), null);
  assert.deepEqual(meaningOf("n", true), { kind: "go", place: "gates" });
  assert.deepEqual(meaningOf("n", false), { kind: "page", key: "n" });
  for (const [keys] of HELP) {
    const [first = "", then] = (keys[0] ?? "").replace("Esc", "Escape").split(" ");
    assert.notEqual(meaningOf(then ?? first, then !== undefined), null);
  }
  const bridge = station({ id: "rm", kind: "traffic" });
  assert.equal(pathOf("station", "c", [bridge, ...placed]), "/tram/c");
  assert.equal(pathOf("bridge", "c", [bridge, ...placed]), "/cau/rm");
  assert.equal(pathOf("station", "", []), null);
});

test("a kiosk shows the wall, or pages of ours in turn; its shift is small and comes round", () => {
  assert.equal(kioskOf(""), null);
  assert.deepEqual(kioskOf("?kiosk"), { every_s: 0, pages: [] });
  assert.deepEqual(kioskOf("?kiosk=60&pages=/,/tram/my-tho,/nowhere,http://x.vn/"), {
    every_s: 60,
    pages: ["/", "/tram/my-tho"],
  });
  assert.equal(kioskOf("?kiosk=1&pages=/,/tram/my-tho")?.every_s, 5);
  const round = Array.from({ length: 12 }, (_, n) => shiftAt(n * SHIFT_MS));
  assert.equal(new Set(round.map(String)).size, 12);
  assert.ok(round.flat().every((px) => px >= 0 && px <= 3));
  assert.deepEqual(shiftAt(12 * SHIFT_MS), shiftAt(0));
});

test("a kiosk knows by the script that the page names whether the pages are others", () => {
  const served = readFileSync(new URL("../../src/index.html", import.meta.url), "utf8");
  const named = "{{wall.js}}"; // what the build puts the script's name for
  assert.equal(isAnother(served, named), false);
  assert.equal(isAnother(served, "/assets/chunk-OLDER123.js"), true);
  assert.equal(isAnother("<h1>502 Bad Gateway</h1>", named), false, "no page of ours");
  assert.equal(isAnother(served, ""), false);
});
