import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Drawing } from "../src/drawing.ts";

/** A screen whose frames come when the test says so. */
function screen(): { drawing: Drawing; drawn: () => number; frame: () => void } {
  let [drawn, frames] = [0, [] as (() => void)[]];
  Object.assign(globalThis, { requestAnimationFrame: (act: () => void) => frames.push(act) });
  const drawing = new Drawing(() => (drawn += 1));
  const frame = (): void => {
    const due = frames;
    frames = [];
    for (const act of due) act();
  };
  return { drawing, drawn: () => drawn, frame };
}

test("it is drawn once link and letters are there, and once a frame", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { drawing, drawn, frame } = screen();
  drawing.schedule();
  drawing.came("link");
  frame();
  assert.equal(drawn(), 0, "its letters are on their way");
  drawing.came("letters");
  drawing.schedule();
  frame();
  assert.equal(drawn(), 1);
  drawing.schedule();
  frame();
  assert.equal(drawn(), 2);
  mock.timers.reset();
});

test("what never comes is not waited for: a screen that stays empty tells nobody that it is", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { drawing, drawn, frame } = screen();
  drawing.schedule();
  mock.timers.tick(799);
  frame();
  assert.equal(drawn(), 0);
  mock.timers.tick(1);
  frame();
  assert.equal(drawn(), 1);
  mock.timers.reset();
});
