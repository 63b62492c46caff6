import assert from "node:assert/strict";
import { test } from "node:test";

import { alone, columnsOf, forget, type Point, pointsOf, splice } from "../src/history.ts";

const point = (t_ms: number, value = t_ms, flag = 1): Point => ({ t_ms, value, flag });

test("raw points carry their flag, means are suspect where not all passed", () => {
  assert.deepEqual(pointsOf({ step: "raw", points: [[1000, 3.2, 3]] }), [point(1000, 3.2, 3)]);
  const means = pointsOf({
    step: "1m",
    points: [
      [0, 3.2, 4, 4],
      [60_000, 3.3, 4, 3],
    ],
  });
  assert.deepEqual(
    means.map((p) => p.flag),
    [1, 3],
  );
});

test("live points are put in their place; a known time is revised, not doubled", () => {
  const points = [point(1), point(5)];
  splice(points, point(9));
  splice(points, point(3));
  splice(points, point(5, 50, 4));
  splice(points, point(0));
  assert.deepEqual(
    points.map((p) => [p.t_ms, p.value]),
    [
      [0, 0],
      [1, 1],
      [3, 3],
      [5, 50],
      [9, 9],
    ],
  );
});

test("what is older than the window is forgotten", () => {
  const points = [point(1), point(5), point(9)];
  forget(points, 5);
  assert.deepEqual(
    points.map((p) => p.t_ms),
    [5, 9],
  );
  forget(points, 100);
  assert.deepEqual(points, []);
});

test("points between two gaps are told apart, for no curve passes them", () => {
  const points = [point(0), point(10), point(100), point(150, 9, 4), point(200), point(205)];
  assert.deepEqual(
    alone(points, 50).map((p) => p.t_ms),
    [100],
  );
  assert.deepEqual(
    alone([point(7)], 50).map((p) => p.t_ms),
    [7],
  );
});

test("gaps are gaps, what failed is left out, yesterday is moved", () => {
  const points = [point(0, 1), point(1000, 2), point(2000, 99, 4), point(9000, 3)];
  assert.deepEqual(columnsOf(points, 3000), [
    [0, 1, 1.001, 9],
    [1, 2, null, 3],
  ]);
  assert.deepEqual(columnsOf([point(0, 1)], 3000, 60_000), [[60], [1]]);
});
