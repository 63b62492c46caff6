import assert from "node:assert/strict";
import { test } from "node:test";

import { type Reading, reading } from "../src/model.ts";
import { levelText, lineFigure, saltLines, standing } from "../src/salt.ts";

const at = { language: "vi", now_ms: 10_000 } as const;

function river(mouth: string, quantity: string, more: Record<string, unknown> = {}): Reading {
  const of = { device: mouth, kind: "river", branch: [mouth], quantity, unit: "km" };
  return reading({ k: `${mouth}/${quantity}`, ...of, st: "live", q: 1, t: 9_000, ...more });
}

test("the lines of an arm: 4 g/l before 1, now before the maximum, each with its deviation", () => {
  const lines = saltLines([
    river("cua-tieu", "salt_1_max_km", { v: 46, q: 3, bound: "above" }),
    river("cua-tieu", "salt_1_km", { v: 49.31 }),
    river("cua-tieu", "salt_1_sd_km", { v: 1.4 }),
    river("cua-tieu", "salt_4_max_km", { v: 50.6 }),
    river("cua-tieu", "salt_4_max_sd_km", { v: 1.2, t: 1_000 }),
    river("cua-tieu", "salt_4_km", { v: 42.4 }),
    river("cua-tieu", "salt_4_sd_km", { v: 1.1 }),
    river("ham-luong", "salt_4_km", {}),
    reading({ k: "vk-01/salinity_g_l", kind: "salinity", v: 4, t: 1, branch: ["cua-tieu"] }),
  ]);
  assert.deepEqual([...lines.keys()], ["cua-tieu", "ham-luong"]);
  const own = lines.get("cua-tieu") ?? [];
  assert.deepEqual(
    own.map((line) => [line.level_g_l, line.basis, lineFigure(line, "vi")]),
    [
      [4, "now", "42,4 km ± 1,1"],
      [4, "max", "50,6 km"], // the deviation is of another moment
      [1, "now", "49,3 km ± 1,4"],
      [1, "max", "> 46 km"],
    ],
  );
  assert.equal(
    levelText(own, 4, at),
    "Ranh mặn 4 g/l: bây giờ 42,4 km ± 1,1, lớn nhất 25 giờ 50,6 km",
  );
});

test("a bound below the lowest station, a line never formed, an old one", () => {
  const [below] = saltLines([river("m", "salt_4_km", { v: 2, bound: "below" })]).get("m") ?? [];
  assert.equal(below && lineFigure(below, "en"), "< 2 km");
  const never = saltLines([river("m", "salt_4_km", { t: undefined, st: "never" })]).get("m") ?? [];
  assert.equal(levelText(never, 4, at), "");
  assert.equal(never[0] && standing(never[0]), false);
  const [old] = saltLines([river("m", "salt_4_km", { v: 42.44, st: "stale" })]).get("m") ?? [];
  assert.equal(old && standing(old), false);
  assert.equal(old && lineFigure(old, "vi"), "42,4 km (số liệu cũ)");
  const whole = saltLines([
    river("m", "salt_4_km", { v: 42.44, st: "stale" }),
    river("m", "salt_4_max_km", { v: 46, st: "lost", bound: "above" }),
  ]).get("m");
  assert.equal(
    levelText(whole ?? [], 4, at),
    "Ranh mặn 4 g/l: bây giờ 42,4 km, lớn nhất 25 giờ > 46 km (số liệu cũ)",
  );
});

test("a figure that is suspect without being a bound keeps its sign-less figure", () => {
  const [line] = saltLines([river("m", "salt_4_km", { v: 46, q: 3 })]).get("m") ?? [];
  assert.equal(line && lineFigure(line, "vi"), "46,0 km");
});
