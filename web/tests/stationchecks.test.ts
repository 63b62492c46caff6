import assert from "node:assert/strict";
import { test } from "node:test";

import type { Fields } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import { reading } from "../src/model.ts";
import {
  bodyOf,
  checksOf,
  careOf,
  type Filled,
  handsOf,
  typedNumber,
  Unsent,
} from "../src/stationchecks.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32); // 14:32 in Vietnam
const KEY = "xh-01/salinity_g_l";

const FILLED: Filled = {
  ...{ station: "xuan-hoa", time: "2026-11-22T14:30", depth: "surface" },
  values: { salinity_g_l: "1,2" },
  ...{ cleaned: true, calibrated: false, crew: " tổ cống ", note: "" },
};

/** A phone's memory. */
function memory() {
  let kept: string | null = null;
  return { read: () => kept, write: (value: string | null) => void (kept = value) };
}

test("figures are taken as people write them, and what is none is refused by its field", () => {
  assert.equal(typedNumber("1,25"), 1.25);
  assert.equal(typedNumber("-0.4"), -0.4);
  for (const wrong of ["", "1,2,3", "một", "1e9"]) assert.equal(typedNumber(wrong), null);
  const found = bodyOf(FILLED, NOW);
  assert.deepEqual(found, {
    body: {
      ...{ station: "xuan-hoa", t: NOW - 120_000, depth: "surface", salinity_g_l: 1.2 },
      ...{ cleaned: true, calibrated: false, crew: "tổ cống", note: "" },
    },
  });
  const wrong = (more: Partial<Filled>): unknown => bodyOf({ ...FILLED, ...more }, NOW);
  assert.deepEqual(wrong({ values: { salinity_g_l: "99" } }), { wrong: "salinity_g_l" });
  assert.deepEqual(wrong({ time: "2026-11-23T14:30" }), { wrong: "time" });
  assert.deepEqual(wrong({ values: {}, cleaned: false }), { wrong: "salinity_g_l" });
  assert.ok("body" in bodyOf({ ...FILLED, values: {} }, NOW)); // cleaning alone is an entry
});

test("an entry without a link waits through a new start, and goes once the link is back", async () => {
  const store = memory();
  let down = true;
  const taken: Fields[] = [];
  const send = async (body: Fields): Promise<void> => {
    if (down) throw new HttpError(0, "no link");
    taken.push(body);
  };
  const first = new Unsent(store, send);
  first.add({ station: "a", t: 1 });
  first.add({ station: "a", t: 2 });
  assert.equal(await first.flush(), 0);
  assert.equal(first.waiting.length, 2);
  down = false;
  const again = new Unsent(store, send); // the page was loaded anew
  assert.equal(await again.flush(), 2);
  assert.deepEqual(taken.map(({ t }) => t), [1, 2]);
  assert.deepEqual([again.waiting, store.read()], [[], null]);
});

test("what the service refuses is kept with its reason, and holds nothing up", async () => {
  const send = async ({ t }: Fields): Promise<void> => {
    if (t === 1) throw new HttpError(422, "t is not accepted");
  };
  const unsent = new Unsent(memory(), send);
  unsent.add({ t: 1 });
  unsent.add({ t: 2 });
  assert.equal(await unsent.flush(), 1);
  assert.deepEqual(unsent.waiting, [{ body: { t: 1 }, refused: "t is not accepted" }]);
  unsent.drop(0);
  assert.deepEqual(unsent.waiting, []);
});

test("what is entered while another is on its way is not lost", async () => {
  const unsent = new Unsent(memory(), async ({ t }) => {
    if (t === 1) unsent.add({ t: 2 });
  });
  unsent.add({ t: 1 });
  await unsent.flush();
  assert.deepEqual(unsent.waiting.map(({ body }) => body), [{ t: 2 }]);
});

test("checks stand on the curve of the series that they are of; corrected ones do not", () => {
  const value = { quantity: "salinity_g_l", unit: "g/L", hand: 1.2, probe: 1.05, difference: -0.15 };
  const checks = checksOf({
    items: [
      { id: "c3", t: 30, values: [{ ...value, key: KEY }] },
      { id: "c2", t: 20, values: [{ ...value, key: "other/salinity_g_l" }] },
      { id: "c1", t: 10, values: [{ ...value, key: KEY }], replaced_by: "c3" },
    ],
  });
  assert.deepEqual(handsOf(checks, reading({ k: KEY })), [{ t_ms: 30, value: 1.2 }]);
  assert.equal(checks[0]?.values[0]?.difference, -0.15);
});

test("how far a probe can be trusted is the service's word", () => {
  const care = careOf({ state: "apart", text_vi: "lệch vừa", checked: { days: 3.2 }, cleaned: null });
  assert.deepEqual(
    [care.state, care.text_vi, care.checked_days, care.cleaned_days],
    ["apart", "lệch vừa", 3.2, null],
  );
});
