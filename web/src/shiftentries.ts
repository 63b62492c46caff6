// What was entered in the duty book, in words. No DOM.

import { figure, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { fields, number, text } from "./model.ts";
import type { Moment } from "./view.ts";
import { type Language, named, unitOf, type Word, word } from "./words.ts";

const UNITS: Readonly<Record<string, string>> = {
  salinity_g_l: "g/L",
  conductivity_ms_cm: "mS/cm",
  temperature_c: "°C",
  level_m: "m",
};

/** An entry of the duty book; its own name where it is of a kind that is not known here. */
export function shiftEntry(what: string, item: Fields, at: Moment): string {
  const { language, now_ms } = at;
  const time = (name: string): string => shortTime(number(item[name]) ?? 0, now_ms);
  if (what === "maintenance") {
    const why = text(item["reason"]);
    if (fields(item["ended"]) !== null) return word("entered_ended", language, { why });
    return word("entered_maintenance", language, { from: time("from"), to: time("to"), why });
  }
  if (what === "bridge-mode") return word("entered_bridge-mode", language, { modes: modeText(item, at) });
  if (what === "risk-level") {
    const level = number(item["level"]);
    if (level === null) return word("entered_risk_over", language);
    return word("entered_risk-level", language, { level });
  }
  if (what === "intake") {
    return word("entered_intake", language, {
      taking: named("taking", item["taking"] === true ? "yes" : "no", language),
      gate: named("gate", text(item["gate"]) || "unsaid", language),
    });
  }
  if (what === "broadcast") {
    const state = named("cast_state", text(item["state"]), language);
    return word("entered_broadcast", language, { title: text(item["title"]), state });
  }
  if (what === "check") return word("entered_check", language, { values: handText(item, language) });
  return what;
}

/** The modes of a bridge after the entry: two-way where none is named. */
function modeText(item: Fields, { language, now_ms }: Moment): string {
  const modes = Object.entries(fields(item["modes"]) ?? {}).map(([direction, raw]) => {
    const mode = fields(raw) ?? {};
    const until_ms = number(mode["until"]);
    const values = {
      mode: named("mode", text(mode["mode"]), language),
      time: until_ms === null ? "?" : shortTime(until_ms, now_ms),
    };
    const way = direction === "both" ? "" : `${named("way", direction, language)}: `;
    return way + word("mode_now", language, values);
  });
  return modes.length === 0 ? word("mode_two-way", language) : modes.join("; ");
}

function handText(item: Fields, language: Language): string {
  const measured = Object.entries(fields(item["values"]) ?? {}).flatMap(([quantity, raw]) => {
    const hand = number(raw);
    if (hand === null) return [];
    const unit = unitOf(quantity, UNITS[quantity] ?? "", language);
    return [`${figure(hand, quantity === "level_m" ? "depth_m" : quantity, language)} ${unit}`];
  });
  const done: Word[] = [];
  if (item["cleaned"] === true) done.push("check_cleaned");
  if (item["calibrated"] === true) done.push("check_calibrated");
  return [...measured, ...done.map((key) => word(key, language))].join(", ");
}
