import assert from "node:assert/strict";
import { test } from "node:test";

import { fold, others, untaken } from "../src/fold.ts";
import { type Alert, alert } from "../src/model.ts";
import { takeAll } from "../src/taking.ts";
import { CallError } from "../src/world.ts";

function make(
  id: string,
  severity: string,
  k: string,
  more: Record<string, unknown> = {},
): Alert {
  return alert({ id, severity, k, ask: "above", state: "unacked", t_since: 1, ver: 1, ...more });
}

const XH = "xh-01/salinity_g_l";

/** Four levels of one series, in no order. */
function ladder(more: Record<string, Record<string, unknown>> = {}): Alert[] {
  return [
    make("w", "warning", XH, { limit: 1, ...more["w"] }),
    make("c", "critical", XH, { limit: 4, ...more["c"] }),
    make("i", "info", XH, { limit: 0.5, ...more["i"] }),
    make("m", "major", XH, { limit: 2, ...more["m"] }),
  ];
}

const ids = (alerts: readonly Alert[]): string => alerts.map((a) => a.id).join("");

test("the rungs of one series are one row, and the highest speaks", () => {
  const { rows, everyday } = fold(ladder());
  assert.equal(rows.length, 1);
  assert.equal(everyday.length, 0);
  const [row] = rows;
  assert.equal(row?.speaks.id, "c");
  assert.equal(ids(row?.others ?? []), "mwi");
  assert.equal(ids(row?.open ?? []), "cmwi");
  assert.deepEqual(row && others(row), { lower: 3, other: 0, cleared: 0 });
});

test("the highest that still holds speaks; one that is over and unseen keeps its place", () => {
  const over = fold(ladder({ c: { state: "cleared-unacked" } }));
  const [row] = over.rows;
  assert.equal(row?.speaks.id, "m");
  assert.equal(row?.severity, "critical");
  assert.deepEqual(row && others(row), { lower: 2, other: 0, cleared: 1 });
  const gone = fold([
    make("c", "critical", XH, { state: "cleared-unacked" }),
    make("i", "info", XH, { state: "acked" }),
  ]);
  assert.equal(gone.everyday.length, 0, "what nobody has seen is no everyday notice");
  assert.equal(gone.rows[0]?.speaks.id, "i");
  assert.equal(untaken(gone), 1);
});

test("what came and went several times is told as over, not as other alerts", () => {
  const again = ["a", "b", "c"].map((id) => make(id, "major", XH, { state: "cleared-unacked" }));
  const [row] = fold(again).rows;
  assert.deepEqual(row && others(row), { lower: 0, other: 0, cleared: 2 });
});

test("all over: the highest speaks", () => {
  const state = "cleared-unacked";
  const [row] = fold(ladder({ c: { state }, m: { state }, w: { state }, i: { state } })).rows;
  assert.equal(row?.speaks.id, "c");
  assert.equal(row?.state, state);
  assert.deepEqual(row && others(row), { lower: 3, other: 0, cleared: 0 });
});

test("a taken row rises again, unacknowledged, when a higher rung is raised", () => {
  const state = "acked";
  const taken = [
    make("w", "warning", XH, { state, t_since: 9 }),
    make("i", "info", XH, { state, t_since: 9 }),
  ];
  const other = make("o", "warning", "mt-01/salinity_g_l");
  const before = fold([...taken, other]);
  assert.deepEqual(
    before.rows.map((r) => [r.speaks.id, r.state, r.open.length]),
    [
      ["o", "unacked", 1],
      ["w", "acked", 0],
    ],
  );
  assert.equal(untaken(before), 1);
  const after = fold([...taken, other, make("m", "major", XH)]);
  assert.deepEqual(
    after.rows.map((r) => [r.speaks.id, r.state, ids(r.open)]),
    [
      ["m", "unacked", "m"],
      ["o", "unacked", "o"],
    ],
  );
  assert.equal(before.rows[1]?.id, after.rows[0]?.id, "it is the same row");
  assert.equal(untaken(after), 2);
});

test("a silent device is one row over its directions, apart from what it measured", () => {
  const none = { ask: "no_data", quantity: "speed_km_h" };
  const { rows } = fold([
    make("s", "warning", "cam-01/southbound/speed_km_h", none),
    make("n", "warning", "cam-01/northbound/speed_km_h", none),
    make("o", "warning", "cam-02/northbound/speed_km_h", { ask: "never_seen" }),
    make("j", "major", "cam-01/southbound/speed_km_h", { ask: "below" }),
  ]);
  assert.deepEqual(
    rows.map((r) => [r.speaks.id, ids(r.others)]),
    [
      ["j", ""],
      ["n", "s"],
      ["o", ""],
    ],
  );
  assert.deepEqual(rows[1] && others(rows[1]), { lower: 0, other: 1, cleared: 0 });
});

test("rows that are notices alone are everyday, and nobody is waited for", () => {
  const folded = fold([...ladder(), make("a", "info", "a/x"), make("b", "info", "b/x")]);
  assert.deepEqual(
    folded.everyday.map((r) => r.speaks.id),
    ["a", "b"],
  );
  assert.equal(untaken(folded), 1);
});

test("a severity that is not known goes last, and is not hidden among the notices", () => {
  const { rows } = fold([make("x", "novel", "x/x"), make("w", "warning", "w/x")]);
  assert.deepEqual(
    rows.map((r) => r.severity),
    ["warning", "novel"],
  );
});

test("taking a row: a conflict on one is told, and the rest goes on", async () => {
  const asked: string[] = [];
  const taken = await takeAll(ladder(), async ({ id }) => {
    asked.push(id);
    if (id === "c") throw new CallError(409, "stale");
    if (id === "i") throw new CallError(404, "gone");
  });
  assert.deepEqual(asked, ["w", "c", "i", "m"]);
  assert.equal(ids(taken.done), "wm");
  assert.equal(ids(taken.refused), "ci");
  assert.deepEqual([taken.left, taken.problem], [[], null]);
});

test("taking a row: a broken link or a missing right ends it, and says what is left", async () => {
  for (const code of [0, 401, 403, 503]) {
    const taken = await takeAll(ladder(), async ({ id }) => {
      if (id === "c") throw new CallError(code, "no");
    });
    assert.equal(ids(taken.done), "w");
    assert.equal(ids(taken.left), "cim");
    assert.equal((taken.problem as CallError).code, code);
  }
});

test("taking a row: one at a time", async () => {
  let under = 0;
  await takeAll(ladder(), async () => {
    under += 1;
    assert.equal(under, 1);
    await Promise.resolve();
    under -= 1;
  });
});

test("the daily test is no row, and what the service says of itself is one of its own", () => {
  const notice = { ask: "notice" };
  const folded = fold([
    make("t", "info", "songtien/self-test", { ...notice, test: true }),
    make("f", "major", "songtien/self-test-failed", notice),
    make("d", "major", "songtien/disk-low", notice),
    ...ladder(),
  ]);
  assert.deepEqual(folded.rows.map((row) => row.speaks.id).sort(), ["c", "d", "f"]);
  assert.deepEqual(folded.everyday, []);
  assert.equal(untaken(folded), 3);
});

const DOWN = "songtien/uplink/gw-1";

/** Three silent devices behind one gateway, two of which had been told before it fell silent. */
function uplink(more: Record<string, unknown> = {}): Alert[] {
  const silent = { ask: "no_data", suppressed: { why: "uplink", by: "u" } };
  return [
    make("a", "warning", "a-01/salinity_g_l", silent),
    make("b", "warning", "b-01/salinity_g_l", { ...silent, state: "acked" }),
    make("u", "major", DOWN, { ask: "notice", count: 3, ...more }),
  ];
}

test("what a silent uplink covers is one row with it, and waits once", () => {
  const other = make("v", "major", "songtien/uplink/gw-2", { ask: "notice", count: 2 });
  const folded = fold([...uplink(), other]);
  assert.deepEqual(
    folded.rows.map((row) => [row.speaks.id, ids(row.others), ids(row.open), ids(row.along)]),
    [
      ["u", "ab", "u", "a"],
      ["v", "", "v", ""],
    ],
  );
  assert.equal(folded.rows[0]?.speaks.count, 3);
  assert.equal(untaken(folded), 2);
});

test("the uplink speaks although a device of it is worse; without it they stand", () => {
  const [first, second, down] = uplink() as [Alert, Alert, Alert];
  const worse = { ...first, severity: "critical" };
  assert.deepEqual(
    fold([worse, second, down]).rows.map((row) => [row.speaks.id, row.severity]),
    [["u", "major"]],
  );
  assert.deepEqual(
    fold([first, second]).rows.map((row) => row.speaks.id),
    ["a", "b"],
    "who speaks for them is not here",
  );
});

test("a rung below a higher one that is told waits for nobody, and is taken along", () => {
  const suppressed = { why: "rung", by: "c" };
  const { rows } = fold(ladder({ m: { suppressed }, w: { suppressed, state: "acked" } }));
  assert.deepEqual(
    rows.map((row) => [row.speaks.id, ids(row.others), ids(row.open), ids(row.along)]),
    [["c", "mwi", "ci", "m"]],
  );
  const quiet = fold(ladder({ m: { suppressed }, i: { suppressed }, c: { state: "acked" } }));
  assert.equal(quiet.rows[0]?.open.map((a) => a.id).join(), "w");
});

test("what is put aside stands apart, hides nothing and waits for nobody", () => {
  const folded = fold([
    ...ladder({ w: { shelved_until: 99, shelved_why: "sửa đầu đo" } }),
    make("n", "major", "b-01/salinity_g_l", { suppressed: { why: "maintenance", by: "m-1" } }),
    make("d", "major", "b-02/salinity_g_l", { suppressed: { why: "closed", by: "b/south" } }),
  ]);
  assert.deepEqual(
    folded.rows.map((row) => [row.speaks.id, ids(row.others)]),
    [["c", "mi"]],
  );
  assert.deepEqual(
    folded.aside.map((row) => [row.speaks.id, row.open.length]),
    [
      ["n", 0],
      ["d", 0],
      ["w", 0],
    ],
  );
  assert.equal(folded.aside[2]?.speaks.shelved_ms, 99);
  assert.equal(untaken(folded), 1);
});

test("an uplink that is put aside takes along what it covers", () => {
  const { rows, aside } = fold(uplink({ shelved_until: 99 }));
  assert.deepEqual(rows, []);
  assert.deepEqual(
    aside.map((row) => [row.speaks.id, ids(row.others), row.open.length]),
    [["u", "ab", 0]],
  );
});
