// Whether water may be taken at each intake, by the service's word and only as long as it holds.
// No DOM.

import type { Fields } from "./held.ts";
import { fields, number, text } from "./model.ts";

export interface Advice {
  intake: string;
  name: string;
  take: boolean;
  /** After this it says nothing any more; null where it never did. */
  until_ms: number | null;
  /** Row of the table of decisions, 1 to 12; 0 where it is not said. */
  row: number;
  text_vi: string;
  text_en: string;
  figure_g_l: number | null;
  figure_ms: number | null;
  simulated: boolean;
}

/** may: take it; no: do not; wait; unknown: nobody can say, or what was said is over. */
export type Standing = "may" | "no" | "wait" | "unknown";

export function advice(raw: Fields): Advice {
  const figure = fields(raw["figure"]);
  return {
    intake: text(raw["intake"]),
    name: text(raw["name"]) || text(raw["intake"]),
    take: raw["take"] === true,
    until_ms: number(raw["until"]),
    row: number(raw["row"]) ?? 0,
    text_vi: text(raw["text_vi"]),
    text_en: text(raw["text_en"]),
    figure_g_l: number(raw["figure"]) ?? number(figure?.["v"]),
    figure_ms: number(raw["figure_t"]) ?? number(figure?.["t"]),
    simulated: raw["sim"] === true,
  };
}

/** Of an answer of /api/v1/advice, which names each by its intake; none where there is none. */
export function adviceOf(answer: Fields | null): Advice[] {
  const items = Object.entries(fields(answer?.["items"]) ?? {});
  return items.map(([intake, raw]) => advice({ intake, ...fields(raw) }));
}

const WAITING: readonly number[] = [7, 8, 9];
const UNKNOWN: readonly number[] = [1, 2, 3, 5];

/** How it stands now: no permission outlives its time, whatever it said. */
export function standingOf(one: Advice, now_ms: number): Standing {
  const over = one.until_ms === null || now_ms > one.until_ms;
  if (one.take) return over || one.simulated ? "unknown" : "may";
  if (over) return "unknown";
  if (UNKNOWN.includes(one.row)) return "unknown";
  return WAITING.includes(one.row) ? "wait" : "no";
}
