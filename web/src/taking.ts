// Taking several alerts in one go. No DOM.

import type { Alert } from "./model.ts";
import { CallError } from "./world.ts";

export interface Taken {
  done: Alert[];
  /** Changed since they were seen, or gone: somebody has to look again. */
  refused: Alert[];
  /** Why, for each of them: 409 or 404. */
  codes: number[];
  /** Not asked for, because `problem` came before. */
  left: Alert[];
  problem: unknown;
}

/**
 * Each alert by its own version, one after the other. One that has changed does not keep the
 * rest; a broken link or a missing right does, as it would be the same for all.
 */
export async function takeAll(
  alerts: readonly Alert[],
  take: (alert: Alert) => Promise<void>,
): Promise<Taken> {
  const [done, refused, codes]: [Alert[], Alert[], number[]] = [[], [], []];
  for (const [n, alert] of alerts.entries()) {
    try {
      await take(alert);
      done.push(alert);
    } catch (problem) {
      const code = problem instanceof CallError ? problem.code : -1;
      const left = alerts.slice(n);
      if (code !== 409 && code !== 404) return { done, refused, codes, left, problem };
      refused.push(alert);
      codes.push(code);
    }
  }
  return { done, refused, codes, left: [], problem: null };
}
