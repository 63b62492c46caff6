// The story of an alert from its records: what happened, and what each step rests on. No DOM.

import { clockSeconds, date, dateTime, duration, figure, limit } from "./format.ts";
import type { Fields } from "./held.ts";
import { fields, list, number, text } from "./model.ts";
import { type Language, named, unitOf, type Word, word } from "./words.ts";

/** One step of the timeline, in words. */
export interface Step {
  at_ms: number;
  type: string;
  /** "23/11/2026 01:51:43" */
  time: string;
  what: string;
  /** Why it came about; "" where an officer did it. */
  why: string;
  /** Who did it; "" for the service itself, or where the reader may not know. */
  who: string;
  note: string;
  /** Who heard of it, where that is not everybody. */
  heard: string;
  proof: Proof[];
  /** All of the evidence as it is stored, or null. */
  raw: Fields | null;
}

export interface Proof {
  label: string;
  value: string;
}

/** What is measured, for the figures of the evidence. */
export interface Measured {
  quantity: string;
  unit: string;
  ask: string;
}

const COMPARED = ["above", "below", "rise"];

/** The steps of an alert's record, the newest first. */
export function storyOf(alert: Fields, language: Language): Step[] {
  const measured = {
    quantity: text(alert["quantity"]),
    unit: text(alert["unit"]),
    ask: text(alert["ask"]),
  };
  const steps = (list(alert["timeline"]) as Fields[]).map((one) => stepOf(one, measured, language));
  return steps.reverse();
}

function stepOf(raw: Fields, measured: Measured, language: Language): Step {
  const at_ms = number(raw["at"]) ?? 0;
  const type = text(raw["type"]);
  const evidence = fields(raw["evidence"]);
  const cause = text(evidence?.["cause"]);
  const heard: Word | null =
    raw["told"] === false ? "told_nobody" : raw["quiet"] === true ? "told_screens" : null;
  return {
    ...{ at_ms, type, time: `${date(at_ms)} ${clockSeconds(at_ms)}` },
    what: named("event", type, language),
    why: cause === "" ? "" : named("cause", cause, language),
    who: text(raw["who"]),
    note: text(raw["note"]),
    heard: heard === null ? "" : word(heard, language),
    proof: evidence === null ? [] : proofOf(evidence, measured, language),
    raw: evidence,
  };
}

/** The figures that a step rests on, each with its name. */
export function proofOf(evidence: Fields, measured: Measured, language: Language): Proof[] {
  const { quantity, ask } = measured;
  const unit = unitOf(quantity, measured.unit, language);
  const per = ask === "rise" ? word("per_hour", language) : "";
  const rule = fields(evidence["rule"]);
  const compares = COMPARED.includes(ask);
  const shown = (value: unknown, more = ""): string | null => {
    const found = number(value);
    return found === null ? null : `${figure(found, quantity, language)} ${unit}${more}`.trim();
  };
  const at = (value: unknown): string | null => {
    const t_ms = number(value);
    return t_ms === null ? null : dateTime(t_ms);
  };
  const level = number(evidence["limit"]);
  const bound = level === null ? null : `${limit(level, quantity, language)} ${unit}${per}`.trim();
  const flag = (value: unknown): string | null =>
    number(value) === null ? null : named("flag", String(value), language);
  const reading = number(evidence["reading"]);
  const differs = reading !== null && reading !== number(evidence["value"]);
  const rows: [Word, string | null][] = [
    ["proof_value", compares ? shown(evidence["value"], per) : null],
    ["proof_reading", compares && differs ? shown(reading) : null],
    ["proof_limit", compares ? bound : null],
    ["proof_first", compares ? shown(evidence["first_value"], per) : null],
    ["proof_from", at(evidence["t_since"])],
    ["proof_to", at(evidence["t_event"])],
    ["proof_samples", number(evidence["samples"])?.toString() ?? null],
    ["proof_flag", flag(evidence["flag"])],
    ["proof_worst", evidence["worst_flag"] === evidence["flag"] ? null : flag(evidence["worst_flag"])],
    ...(rule === null ? [] : ruleRows(rule, measured, language)),
  ];
  return rows.flatMap(([name, value]) =>
    value === null || value === "" ? [] : [{ label: word(name, language), value }],
  );
}

function ruleRows(rule: Fields, { quantity, unit, ask }: Measured, language: Language): [Word, string | null][] {
  const version = text(rule["version"]);
  const told = version === "" ? "" : ` (${word("proof_version", language, { version })})`;
  const hold_s = number(rule["for_s"]);
  const clear = number(rule["clear_level"]);
  const sign = ask === "below" ? ">" : "<";
  const until_s = number(rule["clear_for_s"]) ?? 0;
  const held = until_s > 0 ? `, ${duration(until_s * 1000, language)}` : "";
  const source = text(rule["source"]);
  const doubt = rule["unverified"] === true ? ` (${word("proof_unverified", language)})` : "";
  const level = clear === null ? "" : limit(clear, quantity, language);
  return [
    ["proof_rule", `${text(rule["id"])}${told}`],
    [
      "proof_hold",
      hold_s === null
        ? null
        : hold_s > 0
          ? duration(hold_s * 1000, language)
          : word("proof_at_once", language),
    ],
    [
      "proof_clear",
      clear === null ? null : `${sign} ${level} ${unitOf(quantity, unit, language)}${held}`,
    ],
    ["proof_source", source === "" ? null : source + doubt],
  ];
}
