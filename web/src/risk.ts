// The official level of disaster risk, with the bulletin that says so. No DOM.

import { dateTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { mouthName } from "./layout.ts";
import { list, number, text } from "./model.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";

/** Of what was entered (/api/v1/desk) the levels in force, the highest first. */
export function risksOf(entered: Fields | null, now_ms: number): Fields[] {
  const items = list(entered?.["risk"]) as Fields[];
  return items
    .filter((raw) => number(raw["level"]) !== null && now_ms < (number(raw["valid_until"]) ?? 0))
    .sort((a, b) => (number(b["level"]) ?? 0) - (number(a["level"]) ?? 0));
}

/** "Rủi ro thiên tai do mặn cấp 2, Cửa Tiểu: bản tin XNM-12, …, đến 23/11/2026 16:00". */
export function riskText(raw: Fields, at: Moment): string {
  const level = number(raw["level"]);
  if (level === null) return "";
  const branch = text(raw["branch"]);
  return word("risk_text", at.language, {
    level,
    region: branch === "" ? text(raw["region"]) : `${mouthName(branch)}, ${text(raw["region"])}`,
    bulletin: text(raw["bulletin"]),
    source: text(raw["source"]),
    time: dateTime(number(raw["valid_until"]) ?? 0),
  });
}
