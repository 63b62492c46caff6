import assert from "node:assert/strict";
import { test } from "node:test";

import type { Fields } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import { EVERY_MS, Polled } from "../src/polled.ts";

function polled(answers: (Fields | HttpError)[]): { of: Polled; asked: () => number } {
  let asked = 0;
  const get = async (): Promise<Fields> => {
    asked += 1;
    const answer = answers.shift() ?? {};
    if (answer instanceof HttpError) throw answer;
    return answer;
  };
  return { of: new Polled("/api/v1/advice", () => undefined, get), asked: () => asked };
}

test("asked once a minute, and at once where something changed", async () => {
  const { of, asked } = polled([{ n: 1 }, { n: 2 }, { n: 3 }]);
  await of.look(0);
  await of.look(EVERY_MS - 1);
  assert.equal(asked(), 1);
  await of.look(EVERY_MS);
  assert.deepEqual(of.answer, { n: 2 });
  of.again();
  await of.look(EVERY_MS + 1);
  assert.deepEqual(of.answer, { n: 3 });
});

test("a busy service leaves the last answer; one that has none takes it away", async (t) => {
  t.mock.method(console, "warn", () => undefined);
  const { of, asked } = polled([{ n: 1 }, new HttpError(503, "busy"), new HttpError(404, "none")]);
  await of.look(0);
  await of.look(EVERY_MS);
  assert.deepEqual(of.answer, { n: 1 });
  await of.look(2 * EVERY_MS);
  assert.equal(of.answer, null);
  await of.look(3 * EVERY_MS);
  assert.equal(asked(), 3, "what is not offered is not asked for each minute");
});

test("an answer for who looked before is not taken", async () => {
  let answer: (fields: Fields) => void = () => undefined;
  const pending = new Promise<Fields>((resolve) => (answer = resolve));
  const of = new Polled("/api/v1/desk", () => undefined, () => pending);
  const looking = of.look(0);
  of.again();
  answer({ who: "before" });
  await looking;
  assert.equal(of.answer, null);
});
