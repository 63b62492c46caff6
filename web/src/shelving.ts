// Until when an alert may be put aside. Pure; times are Vietnam's.

import { DAY_MS, HOUR_MS, MINUTE_MS } from "./format.ts";

const VIETNAM_MS = 7 * HOUR_MS;

/** As the service has it: what is put aside comes back within a week. */
export const LONGEST_MS = 7 * DAY_MS;

export const CHOICES = ["1h", "4h", "morning", "own"] as const;
export type Choice = (typeof CHOICES)[number];

const MORNING_H = 6;

/** 06:00 of tomorrow: the end of the next night. */
export function tomorrowMorning(now_ms: number): number {
  const day = Math.floor((now_ms + VIETNAM_MS) / DAY_MS) + 1;
  return day * DAY_MS - VIETNAM_MS + MORNING_H * HOUR_MS;
}

/** Vietnam's time as a field of the kind datetime-local has it, to epoch ms; null for none. */
export function localTime(field: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(field)) return null;
  const t_ms = Date.parse(`${field}${field.length === 16 ? ":00" : ""}+07:00`);
  return Number.isFinite(t_ms) ? t_ms : null;
}

/** The other way: what such a field holds at a time. */
export function localField(t_ms: number): string {
  return new Date(t_ms + VIETNAM_MS).toISOString().slice(0, 16);
}

/** The end that was chosen, whole epoch ms; null where one's own can't be taken. */
export function endOf(choice: string, own: string, now_ms: number): number | null {
  // The page's idea of the service's clock has fractions, which the service takes for no time.
  if (choice === "1h") return Math.round(now_ms) + HOUR_MS;
  if (choice === "4h") return Math.round(now_ms) + 4 * HOUR_MS;
  if (choice === "morning") return tomorrowMorning(now_ms);
  const end_ms = localTime(own);
  if (end_ms === null) return null;
  const ahead_ms = end_ms - now_ms;
  return ahead_ms >= MINUTE_MS && ahead_ms <= LONGEST_MS ? end_ms : null;
}
