// Curves laid over from another time: the tide before, the same lunar date, the week before. Pure.

import type { Fields } from "./held.ts";
import { date, DAY_MS, HOUR_MS } from "./format.ts";
import { fields, list, number, text } from "./model.ts";

/** The days of other years that have the lunar date of one day. */
export interface LunarDay {
  /** In the language of the reader, such as "10 tháng 11 năm Ất Tỵ". */
  text_vi: string;
  text_en: string;
  same: SameDay[];
}

export interface SameDay {
  /** Of the lunar calendar. */
  year: number;
  /** 00:00 of that day in Vietnam. */
  day_ms: number;
  /** How far the curve of that day is moved to lie over this one. */
  shift_ms: number;
}

const VIETNAM_MS = 7 * HOUR_MS;

/** 00:00 in Vietnam of a day such as 2025-12-03; null where it is none. */
export function dayStart(iso: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(iso);
  if (match === null) return null;
  return Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) - VIETNAM_MS;
}

/** The day of a time in Vietnam, as 2026-11-22. */
export function isoDay(t_ms: number): string {
  const [day, month, year] = date(t_ms).split("/");
  return `${year}-${month}-${day}`;
}

/** Of an answer of /api/v1/lunar; null where it says nothing of that day. */
export function lunarOf(answer: Fields): LunarDay | null {
  const today_ms = dayStart(text(answer["date"]));
  const lunar = fields(answer["lunar"]);
  if (today_ms === null || lunar === null) return null;
  const same = (list(answer["same"]) as Fields[]).flatMap((raw) => {
    const day_ms = dayStart(text(raw["date"]));
    const year = number(raw["year"]);
    if (day_ms === null || year === null) return [];
    // Whole days: the hour of high water goes with the moon's age.
    return [{ year, day_ms, shift_ms: today_ms - day_ms }];
  });
  const plain = `${number(lunar["day"]) ?? "?"}/${number(lunar["month"]) ?? "?"}`;
  return {
    text_vi: text(lunar["text_vi"]) || plain,
    text_en: text(lunar["text_en"]) || plain,
    same,
  };
}

/** Whether a curve that is moved by so much still says something over so long a picture. */
export function comparable(shift_ms: number, span_ms: number): boolean {
  // A tide laid over a month is a grey band; dates a year apart can be compared over months.
  return shift_ms < 30 * DAY_MS ? span_ms <= 8 * DAY_MS : span_ms <= 62 * DAY_MS;
}
