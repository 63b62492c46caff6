// Watches a link for silence, by a clock that may have stood still with the page.

import type { World } from "./world.ts";

const ASLEEP_MS = 1000; // a timer that fires so much too late: the page did not run
const CATCH_UP_MS = 1000;

/**
 * Call `lost` once nothing has been heard for `limit_ms`; the result ends the watch. A page that
 * was put to sleep wakes before it has heard what came meanwhile: it gets a little more for that.
 */
export function watchSilence(
  world: World,
  limit_ms: number,
  heard: () => number | null,
  lost: () => void,
): () => void {
  const begun_ms = world.now();
  let cancel: () => void;
  const look = (after_ms: number): void => {
    const due_ms = world.now() + after_ms;
    cancel = world.after(after_ms, () => check(world.now() - due_ms));
  };
  const check = (late_ms: number): void => {
    const left_ms = Math.max(begun_ms, heard() ?? begun_ms) + limit_ms - world.now();
    if (left_ms > 0) look(left_ms);
    else if (late_ms > ASLEEP_MS) look(CATCH_UP_MS);
    else lost();
  };
  look(limit_ms);
  return () => cancel();
}
