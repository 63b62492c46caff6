import assert from "node:assert/strict";
import { test } from "node:test";

import { type Advice, adviceOf, standingOf } from "../src/advice.ts";
import { riskText, risksOf } from "../src/risk.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32);
const MINUTE = 60_000;

const one = (more: Record<string, unknown> = {}): Advice => {
  const raw = { intake: "cong-xuan-hoa", take: true, until: NOW + MINUTE, row: 12, ...more };
  const [found] = adviceOf({ items: [{ name: "Xuân Hòa", ...raw }] });
  assert.ok(found !== undefined);
  return found;
};

test("a permission holds until its time and not a moment longer", () => {
  assert.equal(standingOf(one(), NOW), "may");
  assert.equal(standingOf(one(), NOW + MINUTE), "may");
  assert.equal(standingOf(one(), NOW + MINUTE + 1), "unknown");
  assert.equal(standingOf(one({ until: null }), NOW), "unknown");
});

test("a simulated permission is none", () => {
  assert.equal(standingOf(one({ sim: true }), NOW), "unknown");
});

test("what is no permission is told by its row; an old one is unknown", () => {
  const rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99];
  assert.deepEqual(
    rows.map((row) => standingOf(one({ take: false, row, until: null }), NOW)),
    [
      ...["unknown", "unknown", "unknown", "no", "unknown", "stop"],
      ...["wait", "wait", "wait", "closed", "no"],
    ],
  );
  assert.equal(standingOf(one({ take: false, row: 4, until: NOW - 1 }), NOW), "unknown");
});

test("pumping is a permission too: it ends by its time, and is none where simulated", () => {
  const pump = { take: false, pump: true, row: 11 };
  assert.equal(standingOf(one(pump), NOW), "pump");
  assert.equal(standingOf(one(pump), NOW + MINUTE + 1), "unknown");
  assert.equal(standingOf(one({ ...pump, until: null }), NOW), "unknown");
  assert.equal(standingOf(one({ ...pump, sim: true }), NOW), "unknown");
});

test("who is taking water is known by an officer's word alone", () => {
  assert.ok(one({ state: { ver: 1, taking: true, gate: "open" } }).taking);
  assert.ok(!one({ state: { ver: 1, taking: false, gate: null } }).taking);
  assert.ok(!one({ state: null }).taking);
});

test("an answer without items, or none at all, is no advice", () => {
  assert.deepEqual(adviceOf(null), []);
  assert.deepEqual(adviceOf({}), []);
  assert.equal(one({ name: "" }).name, "cong-xuan-hoa");
});

test("levels of risk in force, the highest first, with their bulletin", () => {
  const level = (n: number | null, valid_until: number, branch: string | null): object => {
    const bulletin = { region: "Tiền Giang", bulletin: "XNM-12", source: "Đài KTTV" };
    return { level: n, valid_until, branch, ver: 1, ...bulletin };
  };
  const risk = [
    level(1, NOW + MINUTE, null),
    level(3, NOW - 1, null),
    level(null, NOW + MINUTE, null),
    level(2, NOW + MINUTE, "cua-tieu"),
  ];
  const found = risksOf({ risk }, NOW);
  assert.deepEqual(
    found.map((raw) => raw["level"]),
    [2, 1],
  );
  assert.equal(
    found[0] && riskText(found[0], { language: "vi", now_ms: NOW }),
    "Rủi ro thiên tai do mặn cấp 2 (Cửa Tiểu, Tiền Giang): bản tin XNM-12, Đài KTTV, " +
      "đến 22/11/2026 14:33",
  );
  assert.deepEqual(risksOf(null, NOW), []);
});
