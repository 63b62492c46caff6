import assert from "node:assert/strict";
import { test } from "node:test";

import { distance_km, placeOf, REACHES, smooth, wayOf, wayUp } from "../src/mapgeo.ts";
import { placesOf } from "../src/maplabels.ts";
import { saltSpots } from "../src/mapsalt.ts";
import { reading, type Station, station } from "../src/model.ts";
import type { SaltLine } from "../src/salt.ts";

const at = (id: string, km: Record<string, number>, lat: number, lon: number): Station =>
  station({ id, kind: "salinity", km_from_mouth: km, lat, lon });

const TIEU = [
  at("vam-kenh", { "cua-tieu": 2 }, 10.274, 106.737),
  at("hoa-binh", { "cua-tieu": 18.1 }, 10.2903, 106.5924),
  at("vam-giong", { "cua-tieu": 23 }, 10.3021, 106.5487),
  at("xuan-hoa", { "cua-tieu": 42, "cua-dai": 47 }, 10.3366, 106.4103),
  at("my-tho", { "cua-tieu": 46, "cua-dai": 51 }, 10.3469, 106.347),
];

const placed = (mouth: string, km: number, stations: readonly Station[] = TIEU) => {
  const way = wayOf(mouth, stations);
  assert.ok(way !== null);
  return placeOf(way, km);
};

test("a kilometre lies between the stations that it lies between", () => {
  for (const { km_from_mouth, lat, lon } of TIEU) {
    const found = placed("cua-tieu", km_from_mouth["cua-tieu"] as number);
    assert.ok(found !== null && lat !== null && lon !== null);
    assert.ok(distance_km(found.at, { lat, lon }) < 2, `${km_from_mouth["cua-tieu"]}`);
  }
  const lon = (km: number): number => placed("cua-tieu", km)?.at.lon as number;
  assert.ok(lon(42) > lon(44) && lon(44) > lon(46));
  assert.ok(Math.abs(lon(44) - (106.4103 + 106.347) / 2) < 0.01);
  // The same water from another mouth is the same place.
  const dai = placed("cua-dai", 49)?.at;
  assert.ok(dai !== undefined && Math.abs(dai.lon - lon(44)) < 0.005);
});

test("the mouth is where the line meets the sea, and what lies beyond the drawing has no place", () => {
  const mouth = placed("cua-tieu", 0)?.at;
  assert.ok(mouth !== undefined && distance_km(mouth, { lat: 10.26, lon: 106.78 }) < 0.001);
  assert.equal(placed("cua-tieu", -3), null);
  assert.equal(placed("cua-tieu", 400), null);
  assert.ok(placed("cua-tieu", 70) !== null);
  assert.equal(wayOf("ba-lai", TIEU), null);
});

test("`next` is upstream, at the very end of the drawing too", () => {
  const found = placed("cua-tieu", 30);
  assert.ok(found !== null && found.next.lon < found.at.lon);
  assert.ok(Math.abs(distance_km(found.at, found.next) - 0.2) < 0.05);
  const way = wayOf("co-chien", []);
  const end = way && placeOf(way, (way.along_km.at(-1) as number) - 0.001);
  assert.ok(end != null && distance_km(end.at, end.next) > 0.1);
});

test("without stations the drawing's own lengths hold; stations far off or out of order mislead nobody", () => {
  const bare = placed("ham-luong", 20, []);
  const strayed = placed("ham-luong", 20, [at("a", { "ham-luong": 20 }, 11.5, 106.4)]);
  assert.deepEqual(strayed, bare);
  const wrong = [at("up", { "cua-tieu": 30 }, 10.274, 106.737), ...TIEU];
  const way = wayOf("cua-tieu", wrong);
  assert.ok(way !== null);
  const order = way.anchors.map((one) => one.drawn_km);
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
});

test("arms go on up the stem from where they leave it, without a jump", () => {
  for (const mouth of ["cua-tieu", "cua-dai", "ham-luong", "co-chien"]) {
    const way = wayUp(mouth);
    assert.ok(way !== null && way.length > 20, mouth);
    for (let i = 1; i < way.length; i += 1) {
      assert.ok(distance_km(way[i - 1] as never, way[i] as never) < 8, `${mouth} ${i}`);
    }
    assert.deepEqual(way.at(-1), { lat: 10.28, lon: 105.91 });
  }
});

test("a smooth line goes through every spot", () => {
  for (const { spots } of REACHES) {
    const line = smooth(spots);
    for (const one of spots) assert.ok(line.some((other) => distance_km(one, other) < 0.001));
  }
});

const line = (mouth: string, level_g_l: number, v: number | null, bound: string | null = null): SaltLine => ({
  ...{ mouth, level_g_l, basis: "now", sd_km: null },
  km: reading({ k: `river/${mouth}/salt_${level_g_l}_km`, v, bound, st: "live", q: 1, t: 1 }),
});

test("each water has a line of each level once, and two bounds at one station are one mark", () => {
  const ways = new Map(["cua-tieu", "cua-dai"].map((mouth) => [mouth, wayOf(mouth, TIEU)]));
  const told = (lines: SaltLine[]) => saltSpots(lines, ways).map(({ line, levels }) => [line.mouth, ...levels]);
  const lines = [line("cua-tieu", 4, 42), line("cua-tieu", 1, 46), line("cua-dai", 4, 47), line("cua-dai", 1, 51)];
  assert.deepEqual(told(lines), [["cua-tieu", 4], ["cua-tieu", 1]]);
  assert.deepEqual(told([line("cua-tieu", 4, 18), line("cua-dai", 4, 20)]), [["cua-tieu", 4], ["cua-dai", 4]]);
  const bounds = [line("cua-tieu", 4, 46, "above"), line("cua-tieu", 1, 46, "above")];
  assert.deepEqual(told(bounds), [["cua-tieu", 4, 1]]);
  const old = { ...line("cua-tieu", 4, 42), km: reading({ k: "a/b", v: 42, st: "stale", q: 1, t: 1 }) };
  assert.deepEqual(told([old, line("cua-tieu", 1, null), line("ba-lai", 4, 10)]), []);
});

const label = (x: number, y: number, afar = false) => {
  return { x, y, width: 40, height: 10, mark: 5, afar };
};
const ALL = { left: -500, top: -500, right: 500, bottom: 500 };

test("labels stand where there is room, the first having the choice, and cover no mark", () => {
  assert.deepEqual(placesOf([], ALL), []);
  assert.deepEqual(placesOf([label(0, 0)], ALL), [{ left: 8, top: -5 }]);
  const two = placesOf([label(0, 0), label(30, 0)], ALL);
  assert.deepEqual(two, [{ left: -48, top: -5 }, { left: 8, top: -5 }]);
  const crowd = Array.from({ length: 12 }, (_, n) => label(12 * (n % 4), 12 * Math.floor(n / 4)));
  const places = placesOf(crowd, ALL);
  assert.ok(places.includes(null) && places.some((place) => place !== null));
});

test("no label is cut off by the edge, and one that may stands away from its place", () => {
  const edge = { ...ALL, right: 30 };
  assert.deepEqual(placesOf([label(0, 0)], edge), [{ left: -48, top: -5 }]);
  assert.deepEqual(placesOf([label(600, 0)], ALL), [null]);
  const button = { left: -60, top: -60, right: 60, bottom: 4 };
  assert.deepEqual(placesOf([label(0, 0)], ALL, [button]), [{ left: -20, top: 8 }]);
  const crowd = Array.from({ length: 9 }, (_, n) => label(12 * (n % 3) - 12, 12 * Math.floor(n / 3) - 12));
  const [middle] = crowd.splice(4, 1);
  assert.ok(middle !== undefined);
  assert.equal(placesOf([middle, ...crowd], ALL)[0], null);
  assert.notEqual(placesOf([{ ...middle, afar: true }, ...crowd], ALL)[0], null);
});
