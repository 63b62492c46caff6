// Which moment of the past the address asks for, and how fast it goes on. No DOM.

import { DAY_MS, HOUR_MS, MINUTE_MS } from "./format.ts";

/** The past as it is asked for: from when on, and how fast; 0 stands still. */
export interface Rewind {
  at_ms: number;
  speed: number;
}

export const SPEEDS = [1, 10, 60, 600] as const;
const SPEED_MAX = 600;

/** Steps through the past, by their words. */
export const STEPS = [
  { word: "rewind_day_back", ms: -DAY_MS },
  { word: "rewind_hour_back", ms: -HOUR_MS },
  { word: "rewind_ten_back", ms: -10 * MINUTE_MS },
  { word: "rewind_ten_on", ms: 10 * MINUTE_MS },
  { word: "rewind_hour_on", ms: HOUR_MS },
  { word: "rewind_day_on", ms: DAY_MS },
] as const;

const VIETNAM_MS = 7 * HOUR_MS;
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * A time as people write it into an address: ms since 1970, or 2026-03-02T04:10+07 with seconds
 * and the offset's minutes left out at will; without an offset it is Vietnam's. null for others.
 */
export function timeOf(text: string): number | null {
  // In an address an unescaped + is a blank.
  const plain = text.trim().replace(/(:[\d.]+) (\d\d:?(?:\d\d)?)$/, "$1+$2");
  if (/^\d{12,14}$/.test(plain)) return Number(plain);
  const [, day, time = "00:00", zone = "+07"] = TIME.exec(plain) ?? [];
  if (day === undefined) return null;
  const [, sign = "", hours = "", minutes = "00"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = sign === "" ? "Z" : `${sign}${hours}:${minutes}`;
  const found = Date.parse(`${day}T${time}${offset}`);
  return Number.isFinite(found) ? found : null;
}

/** What `?at=…&speed=…` asks for: null for the present, "bad" for a time that can't be read. */
export function rewindOf(search: string): Rewind | null | "bad" {
  const query = new URLSearchParams(search);
  const asked = query.get("at");
  if (asked === null) return null;
  const at_ms = timeOf(asked);
  if (at_ms === null) return "bad";
  const speed = Number(query.get("speed") ?? 1);
  return { at_ms, speed: Number.isFinite(speed) ? Math.min(SPEED_MAX, Math.max(0, speed)) : 1 };
}

/** The address's query with another moment; what else it asks stays. */
export function searchWith(search: string, rewind: Rewind | null): string {
  const query = new URLSearchParams(search);
  query.delete("at");
  query.delete("speed");
  if (rewind !== null) {
    query.set("at", new Date(rewind.at_ms + VIETNAM_MS).toISOString().slice(0, 19) + "+07:00");
    if (rewind.speed !== 1) query.set("speed", String(rewind.speed));
  }
  // A colon may stand in a query as it is, which people can read.
  const text = query.toString().replaceAll("%3A", ":").replaceAll("kiosk=&", "kiosk&");
  return text === "" ? "" : `?${text.replace(/kiosk=$/, "kiosk")}`;
}

/** A path of the service's, asked about a moment of the past. */
export function pathAt(path: string, at_ms: number | null): string {
  if (at_ms === null) return path;
  return `${path}${path.includes("?") ? "&" : "?"}at=${Math.floor(at_ms)}`;
}

/** From when to when it is known what the screens showed. */
export interface Stretch {
  from_ms: number;
  to_ms: number;
}

/**
 * What a moment rests on, by its word: `source` is that of the moment at which playing began, and
 * from rebuilt time it may have come into the record, and there into a gap.
 */
export function restsOn(
  source: string | null,
  recorded: Stretch[],
  at_ms: number,
): "rewind_recorded" | "rewind_rebuilt" | "rewind_none" | "rewind_gap" | null {
  if (source === null) return null;
  const [begun, last] = [recorded[0], recorded.at(-1)];
  if (recorded.some((one) => at_ms >= one.from_ms && at_ms <= one.to_ms)) return "rewind_recorded";
  if (begun && last && at_ms > begun.from_ms && at_ms < last.to_ms) return "rewind_gap";
  if (source === "recorded") return "rewind_recorded";
  return source === "rebuilt" ? "rewind_rebuilt" : "rewind_none";
}
