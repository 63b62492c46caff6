// Whether water may be taken at each intake, by the service's word and only as long as it holds.
// No DOM.

import type { Fields } from "./held.ts";
import { fields, list, number, text } from "./model.ts";

export interface Advice {
  intake: string;
  /** Whose readings it goes by. */
  station: string;
  name: string;
  take: boolean;
  /** Water may be pumped, though none flows in by itself. */
  pump: boolean;
  /** When who is taking must have stopped. */
  stop_ms: number | null;
  /** After this it says nothing any more; null where it goes on without a further reading. */
  until_ms: number | null;
  /** Row of the table of decisions, 1 to 12; 0 where it is not said. */
  row: number;
  text_vi: string;
  text_en: string;
  figure_g_l: number | null;
  figure_ms: number | null;
  simulated: boolean;
  /** By the word of an officer. */
  taking: boolean;
}

export function advice(raw: Fields): Advice {
  return {
    intake: text(raw["intake"]),
    station: text(raw["station"]),
    name: text(raw["name"]) || text(raw["intake"]),
    take: raw["take"] === true,
    pump: raw["pump"] === true,
    stop_ms: number(raw["stop_by"]),
    until_ms: number(raw["until"]),
    row: number(raw["row"]) ?? 0,
    text_vi: text(raw["text_vi"]),
    text_en: text(raw["text_en"]),
    figure_g_l: number(raw["figure"]),
    figure_ms: number(raw["figure_t"]),
    simulated: raw["sim"] === true,
    taking: fields(raw["state"])?.["taking"] === true,
  };
}

/** What may be done; unknown where nobody can say, or where what was said is over. */
export type Standing = "may" | "pump" | "closed" | "stop" | "wait" | "no" | "unknown";

/** Of an answer of /api/v1/advice, in its order; none where there is none. */
export function adviceOf(answer: Fields | null): Advice[] {
  return list(answer?.["items"]).map((raw) => advice(fields(raw) ?? {}));
}

/** By the row of the table; a row that is not known forbids. */
const BY_ROW: Readonly<Record<number, Standing>> = {
  ...{ 1: "unknown", 2: "unknown", 3: "unknown", 4: "no", 5: "unknown", 6: "stop" },
  ...{ 7: "wait", 8: "wait", 9: "wait", 10: "closed", 11: "pump" },
};

export function expired({ until_ms }: Advice, now_ms: number): boolean {
  return until_ms !== null && now_ms > until_ms;
}

/** How it stands now: no permission outlives its time, and none is without one. */
export function standingOf(one: Advice, now_ms: number): Standing {
  const permits = one.take || one.row === 11;
  if (expired(one, now_ms) || (permits && (one.until_ms === null || one.simulated))) {
    return "unknown";
  }
  if (one.take) return "may";
  if (one.row === 11) return one.pump ? "pump" : "no";
  return BY_ROW[one.row] ?? "no";
}
