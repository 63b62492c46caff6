// The board of gates: what an intake's two sides measure, what may be done, what its crew said. No DOM.

import { type Advice, advice, expired, type Standing, standingOf } from "./advice.ts";
import { DAY_MS, decimal, duration, figure, HOUR_MS, limit, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import type { Point } from "./history.ts";
import { type Freshness, fields, list, number, type Reading, text } from "./model.ts";
import type { Moment } from "./view.ts";
import { named, type Word, word } from "./words.ts";

/** What one gauge says; `reading` is null where nothing measures it, and `why` tells. */
export interface Gauge {
  reading: Reading | null;
  why_vi: string;
  why_en: string;
  station: string;
  /** Whether its own reading may be shown: it is of the present. */
  now: boolean;
}

export interface Side {
  salinity: Gauge;
  level: Gauge;
}

export interface Window {
  from_ms: number;
  to_ms: number;
  min_g_l: number;
  goes_on: boolean;
}

export interface Gate {
  id: string;
  name: string;
  lift: string;
  crop: string;
  limit_g_l: number;
  outside: Side;
  inside: Side;
  /** Outside minus inside, m; null with the reason. */
  head_m: number | null;
  head_why_vi: string;
  head_why_en: string;
  /** As its crew entered it; null where nobody has. */
  entered: { taking: boolean; gate: string; t_ms: number; raw: Fields } | null;
  advice: Advice | null;
  windowsKey: string;
  windows: readonly Window[];
  next: (Window & { basis_vi: string; basis_en: string }) | null;
  nextWhy: string;
  /** False where a moment of the past is shown. */
  now: boolean;
}

export function gatesOf(answer: Fields | null): Gate[] {
  return (list(answer?.["gates"]) as Fields[]).map((raw) => {
    const entered = fields(raw["state"]);
    const told = fields(raw["advice"]);
    const head = fields(raw["head"]) ?? {};
    const next = fields(raw["next"]);
    return {
      id: text(raw["intake"]),
      name: text(raw["name"]) || text(raw["intake"]),
      lift: text(raw["lift"]),
      crop: text(raw["crop"]),
      limit_g_l: number(raw["limit_g_l"]) ?? 0,
      outside: sideOf(fields(raw["outside"]) ?? {}),
      inside: sideOf(fields(raw["inside"]) ?? {}),
      head_m: number(head["m"]),
      head_why_vi: text(head["why_vi"]),
      head_why_en: text(head["why_en"]),
      entered: entered && enteredOf(entered),
      now: true,
      advice: told && advice(told),
      windowsKey: text(raw["windows_key"]),
      windows: (list(raw["windows"]) as Fields[]).map(windowOf),
      next: next && {
        ...windowOf(next),
        basis_vi: text(next["basis_vi"]),
        basis_en: text(next["basis_en"]),
      },
      nextWhy: text(raw["next_why"]),
    };
  });
}

/**
 * A gate as it was: the service tells its board for the present alone. What was measured and
 * advised comes by the socket and the poll, what crews had entered by the duty book of then.
 */
export function gateThen(gate: Gate, desk: Fields | null): Gate {
  const raw = fields(fields(desk?.["intakes"])?.[gate.id]);
  const then = ({ salinity, level }: Side): Side => ({
    salinity: { ...salinity, now: false },
    level: { ...level, now: false },
  });
  return {
    ...gate,
    ...{ outside: then(gate.outside), inside: then(gate.inside) },
    ...{ head_m: null, advice: null, windows: [], next: null, now: false },
    entered: raw && enteredOf(raw),
  };
}

function enteredOf(raw: Fields): Gate["entered"] {
  return {
    taking: raw["taking"] === true,
    gate: text(raw["gate"]),
    t_ms: number(raw["t"]) ?? 0,
    raw,
  };
}

function windowOf(raw: Fields): Window {
  return {
    from_ms: number(raw["from"]) ?? 0,
    to_ms: number(raw["to"]) ?? 0,
    min_g_l: number(raw["min_g_l"]) ?? 0,
    goes_on: raw["goes_on"] === true,
  };
}

function sideOf(raw: Fields): Side {
  return {
    salinity: gaugeOf(fields(raw["salinity"]) ?? {}, "salinity_g_l"),
    level: gaugeOf(fields(raw["level"]) ?? {}, "water_level_m"),
  };
}

function gaugeOf(raw: Fields, quantity: string): Gauge {
  const value = number(raw["value"]);
  const said = { why_vi: text(raw["why_vi"]), why_en: text(raw["why_en"]) };
  const station = text(raw["station"]);
  if (value === null) return { reading: null, ...said, station, now: true };
  const key = text(raw["key"]);
  const reading: Reading = {
    ...{ key, quantity, station, device: text(raw["device"]), kind: "salinity", value },
    unit: quantity === "salinity_g_l" ? "g/L" : "m",
    ...{ branches: [], direction: null, level: null, bound: null, link: "", expected_s: 0 },
    t_ms: number(raw["t"]),
    flag: number(raw["flag"]) ?? 2,
    st: (text(raw["st"]) || "never") as Freshness,
    simulated: raw["simulated"] === true,
  };
  return { reading, ...said, station, now: true };
}

/** The reading that the socket holds of the same series, which is never older than the board's. */
export function newestOf(gauge: Gauge, live: ReadonlyMap<string, Reading>): Reading | null {
  const held = gauge.reading === null ? undefined : live.get(gauge.reading.key);
  if (held?.value != null) return held;
  return gauge.now ? gauge.reading : null;
}

// --- what needs a decision ------------------------------------------------------------------

/** The advice that is polled goes before the one that came with the board. */
export function adviceAt(gate: Gate, polled: readonly Advice[]): Advice | null {
  return polled.find(({ intake }) => intake === gate.id) ?? gate.advice;
}

export type Need = "close" | "begin" | "ask" | "none";

/** What its crew should look at: water comes in that should not, or could and does not. */
export function needOf(gate: Gate, standing: Standing): Need {
  const open = gate.entered?.taking === true || gate.entered?.gate === "open";
  if (open && !["may", "pump"].includes(standing)) return "close";
  if (["may", "pump"].includes(standing) && gate.entered?.taking !== true) return "begin";
  return standing === "unknown" ? "ask" : "none";
}

const NEEDS: readonly Need[] = ["close", "begin", "ask", "none"];

/** What needs a decision first; else as the registry has it. */
export function sorted(
  gates: readonly Gate[],
  polled: readonly Advice[],
  now_ms: number,
): { gate: Gate; advice: Advice | null; standing: Standing; need: Need }[] {
  return gates
    .map((gate) => {
      const told = adviceAt(gate, polled);
      const standing = told === null ? "unknown" : standingOf(told, now_ms);
      return { gate, advice: told, standing, need: needOf(gate, standing) };
    })
    .sort((a, b) => NEEDS.indexOf(a.need) - NEEDS.indexOf(b.need));
}

// --- sentences ------------------------------------------------------------------------------

/** The advice's own sentence without the name that stands above it; what it said is over after. */
export function reasonText(told: Advice | null, gate: Gate, at: Moment): string {
  const { language, now_ms } = at;
  if (told === null) return word("gate_no_advice", language);
  if (expired(told, now_ms)) {
    return word("advice_over", language, { time: shortTime(told.until_ms ?? 0, now_ms) });
  }
  // A sentence that permits never stands below a word that does not.
  const permits = told.take || told.row === 11;
  if (permits && standingOf(told, now_ms) === "unknown") return word("gate_not_usable", language);
  const said = language === "vi" ? told.text_vi : told.text_en;
  return said.startsWith(`${gate.name}: `) ? said.slice(gate.name.length + 2) : said;
}

const PERMITS: readonly Standing[] = ["may", "pump"];

/**
 * "đến 16:00", "ngưng trước 15:20". What forbids has no time beside it at which it would end: after
 * it nothing is known, which is no permission.
 */
export function untilText(told: Advice | null, standing: Standing, at: Moment): string {
  const { language, now_ms } = at;
  if (told === null || expired(told, now_ms)) return "";
  const parts = [
    told.stop_ms === null
      ? ""
      : word("advice_stop_by", language, { time: shortTime(told.stop_ms, now_ms) }),
    told.until_ms === null || standing === "unknown"
      ? ""
      : word(PERMITS.includes(standing) ? "gate_holds_until" : "gate_unknown_after", language, {
          time: shortTime(told.until_ms, now_ms),
        }),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** "đang lấy, cửa cống mở · ghi lúc 14:20, cách đây 2 giờ" */
export function enteredText({ entered }: Gate, at: Moment): string {
  const { language, now_ms } = at;
  if (entered === null) return word("gate_not_entered", language);
  return word("gate_entered", language, {
    taking: named("taking", entered.taking ? "yes" : "no", language),
    gate: named("gate", entered.gate || "unsaid", language),
    time: shortTime(entered.t_ms, now_ms),
    age: duration(now_ms - entered.t_ms, language),
  });
}

export function headText(gate: Gate, language: Moment["language"]): string {
  if (!gate.now) return word("gate_not_then", language);
  if (gate.head_m === null) return language === "vi" ? gate.head_why_vi : gate.head_why_en;
  const sign = gate.head_m > 0 ? "+" : gate.head_m < 0 ? "−" : "±";
  const m = sign + decimal(Math.abs(gate.head_m), 2, language);
  const key: Word = gate.head_m < 0 ? "gate_head_in" : "gate_head_out";
  return word(key, language, { m });
}

/** "22/11 05:30 – 11:45 (thấp nhất 0,63 g/l)" */
export function windowText(one: Window, at: Moment): string {
  const { language, now_ms } = at;
  const to = one.goes_on
    ? word("window_goes_on", language)
    : shortTime(one.to_ms, now_ms);
  return word("window_line", language, {
    from: shortTime(one.from_ms, now_ms),
    to,
    min: figure(one.min_g_l, "salinity_g_l", language),
  });
}

export function windowsText(gate: Gate, at: Moment): string {
  const { language } = at;
  const level = limit(gate.limit_g_l, "salinity_g_l", language);
  if (!gate.now) return word("windows_not_then", language);
  if (gate.windowsKey === "") return word("windows_no_series", language);
  if (gate.windows.length === 0) return word("windows_none", language, { level });
  const all = gate.windows.map((one) => windowText(one, at)).join("; ");
  return word("windows_line", language, { level, all });
}

export function nextText({ next, nextWhy, now }: Gate, at: Moment): string {
  const { language, now_ms } = at;
  if (!now) return "";
  if (next === null) return named("next", nextWhy || "not-known", language);
  return word("next_line", language, {
    from: shortTime(next.from_ms, now_ms),
    to: shortTime(next.to_ms, now_ms),
    min: figure(next.min_g_l, "salinity_g_l", language),
    basis: language === "vi" ? next.basis_vi : next.basis_en,
  });
}

// --- the small curve ------------------------------------------------------------------------

export const CURVE = { width: 300, height: 70, span_ms: DAY_MS + HOUR_MS };

export interface CurveShape {
  /** Of what passed or was not checked, and of what is suspect; gaps are gaps. */
  good: string;
  suspect: string;
  limit_y: number;
  top_g_l: number;
  min_g_l: number;
  max_g_l: number;
}

/** The outside of the last 25 hours, in a box of 300 by 70; null where there is nothing. */
export function curveShape(
  points: readonly Point[],
  limit_g_l: number,
  now_ms: number,
  gap_ms: number,
): CurveShape | null {
  const from_ms = now_ms - CURVE.span_ms;
  const shown = points.filter(
    ({ t_ms, flag }) => t_ms >= from_ms && t_ms <= now_ms && flag !== 4 && flag !== 9,
  );
  if (shown.length === 0) return null;
  const values = shown.map(({ value }) => value);
  const [min_g_l, max_g_l] = [Math.min(...values), Math.max(...values)];
  const top_g_l = 1.15 * Math.max(limit_g_l, max_g_l);
  const x = (t_ms: number): string =>
    (((t_ms - from_ms) / CURVE.span_ms) * CURVE.width).toFixed(1);
  const y = (value: number): number => CURVE.height * (1 - Math.max(0, value) / top_g_l);
  const paths = { good: "", suspect: "" };
  let before: Point | null = null;
  for (const point of shown) {
    const kind = point.flag === 3 ? "suspect" : "good";
    const here = `${x(point.t_ms)} ${y(point.value).toFixed(1)}`;
    const joined = before !== null && point.t_ms - before.t_ms <= gap_ms;
    const same = joined && (before?.flag === 3) === (point.flag === 3);
    // A line of no length is a dot: a sample that stands alone is seen.
    paths[kind] += same ? `L${here}` : `M${here}l0 0`;
    if (joined && !same && before !== null) {
      paths.suspect += `M${x(before.t_ms)} ${y(before.value).toFixed(1)}L${here}`;
    }
    before = point;
  }
  return { ...paths, limit_y: y(limit_g_l), top_g_l, min_g_l, max_g_l };
}
