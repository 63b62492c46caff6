import assert from "node:assert/strict";
import { test } from "node:test";

import { Asked } from "../src/asked.ts";
import type { Fields } from "../src/held.ts";

function asking() {
  const waiting: { path: string; give: (answer: Fields) => void; fail: (why: Error) => void }[] = [];
  let changed = 0;
  const asked = new Asked(
    (path) => new Promise((give, fail) => waiting.push({ path, give, fail })),
    () => (changed += 1),
  );
  return { asked, waiting, changes: () => changed };
}

test("asked once, then again when it is time", async () => {
  const { asked, waiting, changes } = asking();
  const first = asked.look("a", "/a", 60_000, 0);
  void asked.look("a", "/a", 60_000, 1);
  assert.equal(waiting.length, 1, "one is on its way");
  waiting[0]?.give({ n: 1 });
  await first;
  assert.deepEqual(asked.answer, { n: 1 });
  assert.equal(changes(), 1);
  void asked.look("a", "/a", 60_000, 59_000);
  assert.equal(waiting.length, 1);
  void asked.look("a", "/a?later", 60_000, 60_000);
  assert.equal(waiting[1]?.path, "/a?later");
  assert.deepEqual(asked.answer, { n: 1 }, "what is held stays until there is something newer");
});

test("a failure is told, keeps what is held, and is tried again soon", async () => {
  const { asked, waiting } = asking();
  const first = asked.look("a", "/a", 60_000, 0);
  waiting[0]?.give({ n: 1 });
  await first;
  const second = asked.look("a", "/a", 60_000, 60_000);
  waiting[1]?.fail(new Error("cut"));
  await second;
  assert.deepEqual(asked.answer, { n: 1 });
  assert.equal((asked.problem as Error).message, "cut");
  const third = asked.look("a", "/a", 60_000, 70_000);
  waiting[2]?.give({ n: 2 });
  await third;
  assert.deepEqual([asked.answer, asked.problem], [{ n: 2 }, null]);
});

test("what was asked for something else never stands for what is wanted now", async () => {
  const { asked, waiting } = asking();
  const late = asked.look("21", "/21", 60_000, 0);
  const wanted = asked.look("22", "/22", 60_000, 1);
  waiting[1]?.give({ day: 22 });
  await wanted;
  waiting[0]?.give({ day: 21 });
  await late;
  assert.deepEqual(asked.answer, { day: 22 });
  void asked.look("23", "/23", 60_000, 2);
  assert.equal(asked.answer, null, "the figures of another day are not shown meanwhile");
});
