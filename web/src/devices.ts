// Which devices do not report as they should, by name and since when: what is quiet for long
// first, what is being mended last. No DOM.

import { clockTime, date, DAY_MS, shortDuration } from "./format.ts";
import { shortName } from "./layout.ts";
import type { Freshness, Reading, Station } from "./model.ts";
import type { Moment } from "./view.ts";
import { type Word, word } from "./words.ts";

export interface Quiet {
  station: string;
  device: string;
  /** The station's name; with the device where it has several. */
  name: string;
  st: Freshness;
  /** Of its newest value; null where it was never heard. */
  t_ms: number | null;
}

const FRESHEST: readonly Freshness[] = ["live", "late", "stale", "lost", "maintenance", "never"];
const TOLD: readonly Freshness[] = ["lost", "stale", "late", "maintenance"];

/** Devices that are heard late or no longer; those never heard are counted elsewhere. */
export function quietOf(
  stations: readonly Station[],
  readings: ReadonlyMap<string, readonly Reading[]>,
): Quiet[] {
  const found: Quiet[] = [];
  for (const station of stations) {
    const all = readings.get(station.id) ?? [];
    for (const device of station.devices) {
      const own = all.filter((r) => r.device === device.id);
      // A device is as fresh as its freshest series.
      const rank = Math.min(...own.map((r) => FRESHEST.indexOf(r.st)));
      const st = FRESHEST[rank];
      if (st === undefined || !TOLD.includes(st)) continue;
      const times = own.map((r) => r.t_ms).filter((t) => t !== null);
      const several = station.devices.length > 1;
      const name = shortName(station.name) + (several ? ` ${device.id}` : "");
      const t_ms = times.length === 0 ? null : Math.max(...times);
      found.push({ station: station.id, device: device.id, name, st, t_ms });
    }
  }
  const order = (one: Quiet): number => TOLD.indexOf(one.st);
  return found.sort(
    (a, b) => order(a) - order(b) || (b.t_ms ?? 0) - (a.t_ms ?? 0) || (a.name < b.name ? -1 : 1),
  );
}

/** "Kim Sơn mất tín hiệu từ 22:10", "Mỹ Tho chậm 12 phút", "Vàm Giồng bảo trì". */
export function quietText({ name, st, t_ms }: Quiet, at: Moment): string {
  const { language, now_ms } = at;
  if (t_ms === null || st === "maintenance") return `${name} ${word(`st_${st}` as Word, language)}`;
  if (st !== "lost") {
    const key = st === "late" ? "short_late" : "quiet_stale";
    return `${name} ${word(key, language, { age: shortDuration(now_ms - t_ms, language) })}`;
  }
  const time = now_ms - t_ms < DAY_MS ? clockTime(t_ms) : date(t_ms).slice(0, 5);
  return `${name} ${word("st_lost_since", language, { time })}`;
}
