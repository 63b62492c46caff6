// What was at the same tide the day before, 24 h 50 min ago: of the lines of salt and of stations.
// No DOM.

import type { Fields } from "./held.ts";
import { LUNAR_DAY_MS, MINUTE_MS } from "./format.ts";
import { counted, pointsOf } from "./history.ts";
import { fields, number } from "./model.ts";
import type { SaltLine } from "./salt.ts";

/** The service forms lines every 15 minutes; farther from the hour nothing is compared. */
const NEAR_MS = 20 * MINUTE_MS;
const EVERY_MS = 5 * MINUTE_MS;
/** What is not there yet may be on its way: a gap that is being filled, a service that starts. */
const AGAIN_MS = MINUTE_MS;

type Get = (path: string) => Promise<Fields>;

interface Known {
  /** The time of the line that it stands beside. */
  t_ms: number;
  value: number | null;
}

/** The value nearest to `t_ms` that passed, not farther than 20 minutes; else null. */
export function valueAt(answer: Fields, t_ms: number): number | null {
  const near = pointsOf(answer)
    // A bound is stored as suspect: it is no place of the line.
    .filter((point) => counted(point) && point.flag !== 3)
    .map((point) => ({ ...point, off: Math.abs(point.t_ms - t_ms) }))
    .filter(({ off }) => off <= NEAR_MS)
    .sort((a, b) => a.off - b.off);
  return near[0]?.value ?? null;
}

/** Lines of salt the day before, asked of the history, each once in five minutes. */
export class Before {
  private readonly known = new Map<string, Known>();
  private readonly due_ms = new Map<string, number>();

  constructor(
    private readonly get: Get,
    private readonly changed: () => void,
  ) {}

  /** Ask for what stands beside these lines, where it is time; `now_ms` is monotonic. */
  look(lines: Iterable<SaltLine>, now_ms: number): void {
    for (const { km, basis } of lines) {
      if (basis !== "now" || km.bound !== null || km.t_ms === null) continue;
      if (now_ms < (this.due_ms.get(km.key) ?? -Infinity)) continue;
      this.due_ms.set(km.key, now_ms + EVERY_MS);
      void this.ask(km.key, km.t_ms, now_ms);
    }
  }

  /** The link was lost, or somebody else looks: what is known may be of before. */
  again(): void {
    this.due_ms.clear();
  }

  /** km farther up than the day before; null where either of them is not known, or is a bound. */
  rise({ km, basis }: SaltLine): number | null {
    const known = this.known.get(km.key);
    if (basis !== "now" || km.bound !== null || km.value === null || km.t_ms === null) return null;
    if (known?.value == null || Math.abs(km.t_ms - known.t_ms) > NEAR_MS) return null;
    return km.value - known.value;
  }

  private async ask(key: string, t_ms: number, now_ms: number): Promise<void> {
    const then = t_ms - LUNAR_DAY_MS;
    const path = key.split("/").map(encodeURIComponent).join("/");
    const [from, to] = [then - NEAR_MS, then + NEAR_MS].map(Math.round);
    try {
      const answer = await this.get(`/api/v1/series/${path}?from=${from}&to=${to}`);
      const value = valueAt(answer, then);
      this.known.set(key, { t_ms, value });
      if (value === null) this.due_ms.set(key, now_ms + AGAIN_MS);
      this.changed();
    } catch (error) {
      // Without it the line stands without a comparison, and is asked for again in its time.
      console.warn(`${key} of the day before could not be asked`, error);
    }
  }
}

/** Of an answer of /api/v1/river: g/L above the same tide the day before, by station. */
export function risesOf(answer: Fields | null): Map<string, number> {
  const found = new Map<string, number>();
  for (const [id, raw] of Object.entries(fields(answer?.["stations"]) ?? {})) {
    const rise = number(fields(fields(raw)?.["same_tide"])?.["rise_g_l"]);
    if (rise !== null) found.set(id, rise);
  }
  return found;
}

/** Whether a change of a station's salinity is worth a mark: beyond a tenth of it, or 0.05 g/L. */
export function telling(rise_g_l: number, now_g_l: number): boolean {
  return Math.abs(rise_g_l) >= Math.max(0.05, 0.1 * Math.abs(now_g_l));
}
