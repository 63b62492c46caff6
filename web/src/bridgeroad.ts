// What is known of a direction beside its figures: capacity, bans of trucks, how the police work it. Pure.

import type { Fields } from "./held.ts";
import { DAY_MS, HOUR_MS } from "./format.ts";
import { fields, list, number, type Reading, type Station, text } from "./model.ts";
import type { Mark } from "./strokes.ts";
import type { Mode } from "./traffic.ts";
import { type Language, named, word } from "./words.ts";
import type { Span } from "./zoom.ts";

export interface Ban {
  from_ms: number;
  /** The end of its last day; null until further notice. */
  until_ms: number | null;
  /** [from, to) each, hours of Vietnam's day. */
  hours: [number, number][];
  axles: number;
}

export interface Road {
  capacity_veh_h: number | null;
  free_km_h: number | null;
  bans: Ban[];
  /** Minutes as a range; null where the service forms none. */
  minutes: [number, number] | null;
}

const VIETNAM_MS = 7 * HOUR_MS;
/** A picture of a month has sixty bans: bands of a hair's breadth that say nothing. */
const BANS_SPAN_MS = 8 * DAY_MS;

/** Of an answer of /api/v1/bridges. */
export function roadOf(answer: Fields | null, station: string, direction: string): Road {
  const bridge = (list(answer?.["bridges"]) as Fields[]).find((one) => one["id"] === station);
  const own = (list(bridge?.["directions"]) as Fields[]).find((d) => d["direction"] === direction);
  const road = fields(own?.["road"]);
  const minutes = fields(own?.["minutes"]);
  const [low, high] = [number(minutes?.["from"]), number(minutes?.["to"])];
  return {
    capacity_veh_h: number(road?.["capacity_veh_h"]),
    free_km_h: number(road?.["free_km_h"]),
    minutes: low === null || high === null ? null : [low, high],
    bans: (list(road?.["truck_bans"]) as Fields[]).map((ban) => ({
      from_ms: number(ban["from"]) ?? 0,
      until_ms: number(ban["until"]),
      axles: number(ban["axles"]) ?? 0,
      hours: (list(ban["hours"]) as number[][]).map(([a, b]) => [a ?? 0, b ?? 0]),
    })),
  };
}

/** The hours of bans within a span, each as a stretch. */
export function banMarks(bans: readonly Ban[], span: Span, language: Language): Mark[] {
  if (span.to_ms - span.from_ms > BANS_SPAN_MS) return [];
  const first = Math.floor((span.from_ms + VIETNAM_MS) / DAY_MS) * DAY_MS - VIETNAM_MS;
  const found: Mark[] = [];
  for (const { from_ms, until_ms, hours, axles } of bans) {
    for (let day = first; day < span.to_ms; day += DAY_MS) {
      if (day < from_ms || (until_ms !== null && day >= until_ms)) continue;
      for (const [from, to] of hours) {
        const mark = { from_ms: day + from * HOUR_MS, to_ms: day + to * HOUR_MS };
        if (mark.to_ms <= span.from_ms || mark.from_ms >= span.to_ms) continue;
        found.push({ ...mark, text: word("ban_short", language, { n: axles }), severity: "" });
      }
    }
  }
  return found.sort((a, b) => a.from_ms - b.from_ms);
}

/** How the police work a direction now, as a stretch from when it was entered. */
export function modeMarks(
  entered: Fields | null,
  mode: Mode | null,
  language: Language,
): Mark[] {
  if (mode === null || mode.mode === "two-way") return [];
  const bridge = fields(fields(entered?.["bridges"])?.[mode.station]);
  const began = number(fields(fields(bridge?.["modes"])?.[mode.direction])?.["t"]);
  if (began === null) return [];
  const text_ = named("mode", mode.mode, language);
  return [{ from_ms: began, to_ms: mode.until_ms, text: text(text_), severity: "" }];
}

/** The camera at the entry of a direction; where none is said to be, the first that is heard. */
export function entryOf(
  answer: Fields | null,
  station: Station,
  direction: string,
  readings: readonly Reading[],
): string {
  const bridge = (list(answer?.["bridges"]) as Fields[]).find((one) => one["id"] === station.id);
  const own = (list(bridge?.["directions"]) as Fields[]).find((d) => d["direction"] === direction);
  const cameras = list(own?.["cameras"]) as Fields[];
  const entry = text(cameras.find((one) => one["place"] === "entry")?.["stream"]).split("/")[0];
  const heard = readings.find((one) => one.direction === direction && one.kind === "traffic");
  return entry || (heard?.device ?? "");
}
