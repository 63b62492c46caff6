import assert from "node:assert/strict";
import { test } from "node:test";

import { cell, keptRows, type Row, shares } from "../src/tables.ts";

const row = (text: string, rank: number): Row => ({ cells: [cell(text)], rank });
const names = (rows: readonly Row[]): string[] => rows.map(({ cells }) => cells[0]?.text ?? "");

test("what matters least is left out first, and what stays keeps its order", () => {
  const rows = [row("a", 3), row("b", 0), row("c", 3), row("d", 1)];
  assert.deepEqual(names(keptRows(rows, 3)), ["a", "b", "d"]);
  assert.deepEqual(names(keptRows(rows, 2)), ["b", "d"]);
  assert.deepEqual(names(keptRows(rows, 9)), ["a", "b", "c", "d"]);
  assert.deepEqual(names(keptRows(rows, 0)), []);
});

test("short tables stay whole, long ones share what is left", () => {
  assert.deepEqual(shares([3, 5, 2], 10), [3, 5, 2]);
  assert.deepEqual(shares([53, 70, 2, 0], 20), [9, 9, 2, 0]);
  assert.deepEqual(shares([53, 70, 2, 0], 21), [10, 9, 2, 0]);
  assert.deepEqual(shares([4, 4], 0), [0, 0]);
  for (const room of [0, 1, 7, 30, 125, 200]) {
    const counts = [53, 70, 2, 0];
    const given = shares(counts, room).reduce((sum, n) => sum + n, 0);
    assert.equal(given, Math.min(room, 125), "all of the room is used, and no more");
  }
});
