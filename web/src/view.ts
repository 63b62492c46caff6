// What several parts of the screen say of a reading in the same way.

import { clockTime, dateTime, duration, figure, shortDuration, sinceTime } from "./format.ts";
import { bandOf, type Reading } from "./model.ts";
import { type Language, named, type Word, word } from "./words.ts";

/** What the screen is drawn for: the language, and the service's clock. */
export interface Moment {
  language: Language;
  now_ms: number;
}

/** The one class that tells how a figure may be read. */
export type Look = "good" | "late" | "stale" | "lost" | "never" | "maintenance" | "bad";

export function lookOf(reading: Reading | null): Look {
  if (reading === null || reading.value === null || reading.t_ms === null) {
    return reading?.st === "maintenance" ? "maintenance" : "never";
  }
  if (reading.st === "stale" || reading.st === "lost" || reading.st === "maintenance") {
    return reading.st;
  }
  if (reading.flag === 4 || reading.flag === 9) return "bad";
  return reading.st === "late" ? "late" : "good";
}

/** The mark of quality, in words; "" for a reading that passed. */
export function qualityWord(reading: Reading, language: Language): string {
  return reading.flag === 1 ? "" : named("flag", String(reading.flag), language);
}

/** The age with what is wrong: "cách đây 4 phút", "nghi ngờ · 4 phút", "mất tín hiệu từ 09:10". */
export function ageText(reading: Reading | null, moment: Moment): string {
  const { language, now_ms } = moment;
  if (reading === null || reading.t_ms === null) {
    return word(reading?.st === "maintenance" ? "st_maintenance" : "st_never", language);
  }
  if (reading.st === "lost") {
    return word("st_lost_since", language, { time: sinceTime(reading.t_ms, now_ms) });
  }
  const age = duration(now_ms - reading.t_ms, language);
  const marks = [
    reading.simulated ? word("simulated", language) : "",
    qualityWord(reading, language),
    reading.st === "live" ? "" : named("st", reading.st, language),
  ].filter(Boolean);
  return marks.length === 0
    ? word("ago", language, { age })
    : [...marks.slice(0, 2), age].join(" · ");
}

/** What is wrong with a reading, as short as it can be told: "cũ 40 phút", "mất 3 giờ", "nghi ngờ". */
export function shortAge(reading: Reading | null, moment: Moment): string {
  const { language, now_ms } = moment;
  if (reading === null || reading.t_ms === null) return ageText(reading, moment);
  const words: Partial<Record<Look, Word>> = {
    ...{ late: "short_late", stale: "short_stale", lost: "short_lost" },
    maintenance: "st_maintenance",
  };
  const look = lookOf(reading);
  const key = words[look];
  const age = shortDuration(now_ms - reading.t_ms, language);
  const quality = qualityWord(reading, language);
  // An old figure is old first; how good it was then is told in its sentence.
  if (key !== undefined) return word(key, language, { age });
  return quality || (reading.simulated ? word("simulated", language) : "");
}

/** "đo cách đây 4 phút" */
export function measuredAgo(reading: Reading, moment: Moment): string {
  if (reading.t_ms === null) return word("st_never", moment.language);
  const age = duration(moment.now_ms - reading.t_ms, moment.language);
  return word("measured_ago", moment.language, { age });
}

export function bandWord(salinity_g_l: number, language: Language): string {
  return word(`band_${bandOf(salinity_g_l)}` as Word, language);
}

/** All of it in one sentence, for a screen reader and a tooltip. */
export function spoken(name: string, reading: Reading | null, moment: Moment): string {
  const { language } = moment;
  if (reading === null || reading.value === null || reading.t_ms === null) {
    return `${name}: ${ageText(reading, moment)}`;
  }
  const quantity = named("q", reading.quantity, language);
  const value = figure(reading.value, reading.quantity, language);
  const unit = reading.quantity.startsWith("salinity") ? " g/l" : "";
  const band = reading.quantity === "salinity_g_l" ? `, ${bandWord(reading.value, language)}` : "";
  const marks = [
    qualityWord(reading, language),
    reading.st === "live" ? "" : named("st", reading.st, language),
    reading.link === "sleeping" ? word("link_sleeping", language) : "",
    reading.simulated ? word("simulated", language) : "",
  ].filter(Boolean);
  const when = `${measuredAgo(reading, moment)} (${
    moment.now_ms - reading.t_ms < 12 * 3_600_000 ? clockTime(reading.t_ms) : dateTime(reading.t_ms)
  })`;
  return [`${name}: ${quantity} ${value}${unit}${band}`, ...marks, when].join(", ");
}
