// Figures and times as people here write them: decimal comma, dd/mm/yyyy HH:MM, UTC+7.

import { type Language, word } from "./words.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** The tide comes again after a lunar day. */
export const LUNAR_DAY_MS = DAY_MS + 50 * MINUTE_MS;

const VIETNAM_MS = 7 * HOUR_MS; // no daylight saving time since 1975

const two = (n: number): string => String(n).padStart(2, "0");
const local = (t_ms: number): Date => new Date(t_ms + VIETNAM_MS);

export function clockTime(t_ms: number): string {
  const d = local(t_ms);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

export function clockSeconds(t_ms: number): string {
  return `${clockTime(t_ms)}:${two(local(t_ms).getUTCSeconds())}`;
}

export function date(t_ms: number): string {
  const d = local(t_ms);
  return `${two(d.getUTCDate())}/${two(d.getUTCMonth() + 1)}/${d.getUTCFullYear()}`;
}

export function dateTime(t_ms: number): string {
  return `${date(t_ms)} ${clockTime(t_ms)}`;
}

/** The time alone on the same day, else with the day: 14:20, 21/11 14:20. */
export function shortTime(t_ms: number, now_ms: number): string {
  const sameDay = date(t_ms) === date(now_ms);
  return sameDay ? clockTime(t_ms) : `${date(t_ms).slice(0, 5)} ${clockTime(t_ms)}`;
}

/** Since when: a time within the last day, before that a date. */
export function sinceTime(t_ms: number, now_ms: number): string {
  const text = shortTime(t_ms, now_ms);
  return now_ms - t_ms > DAY_MS ? text.slice(0, 5) : text;
}

/** 4,30 in Vietnamese, 4.30 in English; thousands are not grouped. */
export function decimal(value: number, digits: number, language: Language): string {
  const text = (Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value).toFixed(digits);
  return language === "vi" ? text.replace(".", ",") : text;
}

const DIGITS: Record<string, number> = {
  temperature_c: 1,
  water_level_m: 2,
  depth_m: 2,
  battery_v: 2,
  speed_km_h: 0,
  density_pcu_km: 1,
  queue_length_km: 1,
};

/** As many digits as the quantity deserves. */
export function figure(value: number, quantity: string, language: Language): string {
  if (quantity.startsWith("salinity") || quantity.startsWith("conductivity")) {
    return decimal(value, Math.abs(value) < 9.995 ? 2 : 1, language);
  }
  if (quantity.startsWith("salt_")) return decimal(value, 1, language);
  if (quantity.startsWith("occupancy")) return decimal(value * 100, 0, language);
  return decimal(value, DIGITS[quantity] ?? 0, language);
}

/** A level of a rule: 4, 0,5, 3,6; no more digits than it has. */
export function limit(value: number, quantity: string, language: Language): string {
  const shown = quantity.startsWith("occupancy") ? value * 100 : value;
  const text = String(Math.round(shown * 1e4) / 1e4);
  return language === "vi" ? text.replace(".", ",") : text;
}

/** How long: 4 phút, 2 giờ 10 phút, 3 ngày. Below a minute it does not tick: the wall is calm. */
export function duration(span_ms: number, language: Language): string {
  const minutes = Math.floor(Math.max(0, span_ms) / MINUTE_MS);
  if (minutes < 1) return word("under_a_minute", language);
  if (minutes < 60) return word("n_minutes", language, { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return word("n_days", language, { n: Math.floor(hours / 24) });
  const rest = minutes % 60;
  if (hours >= 10 || rest === 0) return word("n_hours", language, { n: hours });
  return word("n_hours_minutes", language, { n: hours, m: rest });
}

/** How long, in one unit: 40 phút, 3 giờ, 2 ngày. */
export function shortDuration(span_ms: number, language: Language): string {
  const minutes = Math.floor(Math.max(0, span_ms) / MINUTE_MS);
  if (minutes < 60) return duration(span_ms, language);
  const hours = Math.floor(minutes / 60);
  return duration((hours < 48 ? hours : 24 * Math.floor(hours / 24)) * HOUR_MS, language);
}
