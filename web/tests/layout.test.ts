import assert from "node:assert/strict";
import { test } from "node:test";

import { apart, lanesOf, partingOf, rowsOf, shortName, spread } from "../src/layout.ts";
import { type Station, station } from "../src/model.ts";

function at(id: string, km: Record<string, number>, side = "river"): Station {
  const [branch] = Object.keys(km);
  return station({
    id,
    name: id,
    kind: "salinity",
    branch: branch ?? null,
    km_from_mouth: km,
    side,
  });
}

test("labels that would touch leave the field to the first", () => {
  const labels = [100, 105, 84, 85, 116, 69].map((y, rank) => ({ y, rank }));
  const standing = apart(labels, 16);
  assert.deepEqual(
    standing.map(({ rank }) => rank),
    [0, 2, 4],
  );
});

test("boxes stay where they are wanted when there is room", () => {
  assert.deepEqual(spread([50, 200], 100, 0, 300), [50, 200]);
});

test("boxes that collide share the push, keep their order and stay inside", () => {
  assert.deepEqual(spread([100, 100], 100, 0, 300), [50, 150]);
  assert.deepEqual(spread([10, 20, 250], 100, 0, 300), [50, 150, 250]);
  const crowded = spread([280, 285, 290], 100, 0, 300);
  assert.deepEqual(crowded, [50, 150, 250]);
});

test("a block that grows into its neighbour takes it along", () => {
  const placed = spread([100, 190, 195, 290], 100, 0, 1000);
  for (let i = 1; i < placed.length; i += 1) {
    assert.ok((placed[i] as number) - (placed[i - 1] as number) >= 100 - 1e-9);
  }
});

const boxes = (wanted: readonly number[], width = 100) =>
  wanted.map((x) => ({ wanted: x, width, height: 10 }));

test("a crowded row takes more lanes, a roomy one stays in one", () => {
  const lanes = (wanted: number[], tolerance: number) =>
    lanesOf(boxes(wanted), 0, 600, tolerance)?.lane;
  assert.deepEqual(lanes([100, 300, 500], 0.75), [0, 0, 0]);
  assert.deepEqual(lanes([100, 110, 300, 310, 500, 510], 0.75), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(lanes([100, 110, 120, 400, 410, 420], 0.75), [0, 1, 0, 0, 1, 0]);
  const thirteen = Array.from({ length: 13 }, (_, n) => 100 + n);
  assert.deepEqual(new Set(lanes(thirteen.slice(0, 12), 0.75)), new Set([0, 1]));
  assert.deepEqual(new Set(lanes(thirteen, 0.75)), new Set([0, 1, 2]));
  assert.deepEqual(lanes([100, 110, 120, 400, 410, 420], 1.5), [0, 0, 0, 0, 0, 0]);
});

test("labels of several widths keep their order and do not touch; too many do not fit", () => {
  const wanted = [100, 120, 140, 160];
  const widths = [40, 120, 60, 80];
  const placed = spread(wanted, widths, 0, 400);
  placed.forEach((x, i) => {
    const right = x + (widths[i] as number) / 2;
    if (i + 1 < placed.length) {
      assert.ok((placed[i + 1] as number) - (widths[i + 1] as number) / 2 >= right - 1e-9);
    }
    assert.ok(right <= 400 + 1e-9 && x >= (widths[i] as number) / 2 - 1e-9);
  });
  assert.equal(lanesOf(boxes([1, 2, 3, 4, 5, 6, 7], 300), 0, 600, 1), null);
  const mixed = lanesOf([...boxes([100]), { wanted: 500, width: 50, height: 30 }], 0, 600, 1);
  assert.deepEqual(mixed?.heights, [30, 0, 0]);
});

test("stations stand on the row of their mouth, from the sea up; the coast apart", () => {
  const { rows, coast } = rowsOf([
    at("xuan-hoa", { "cua-tieu": 42, "cua-dai": 47 }),
    at("ben-trai", { "co-chien": 11 }),
    at("vam-kenh", { "cua-tieu": 2 }),
    at("binh-dai", { "cua-dai": 4 }),
    at("rach-bun", {}, "coast"),
  ]);
  assert.deepEqual(
    rows.map((row) => [row.mouth, row.placed.map((p) => p.station.id)]),
    [
      ["cua-tieu", ["vam-kenh", "xuan-hoa"]],
      ["cua-dai", ["binh-dai"]],
      ["co-chien", ["ben-trai"]],
    ],
  );
  assert.deepEqual(
    coast.map((s) => s.id),
    ["rach-bun"],
  );
  const [tieu, dai, coChien] = rows;
  assert.ok(tieu && dai && coChien);
  assert.deepEqual(partingOf(dai, rows), { from: tieu, km: 22 });
  assert.equal(partingOf(coChien, rows), null);
});

test("names are short on the wall", () => {
  assert.equal(shortName("Mỹ Tho (Vườn hoa Lạc Hồng)"), "Mỹ Tho");
  assert.equal(shortName("Cống Xuân Hòa"), "Xuân Hòa");
  assert.equal(shortName("Cầu Rạch Miễu 2"), "Rạch Miễu 2");
});
