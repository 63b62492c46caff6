// Figures of reports in words, and where each leads. No DOM.

import { clockTime, date, DAY_MS, decimal, figure, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { shortName } from "./layout.ts";
import { fields, list, number, text } from "./model.ts";
import { viewText } from "./placeaddress.ts";
import { type Cell, cell, type Column, type Row, type Table } from "./tables.ts";
import { type Language, word } from "./words.ts";

export interface Span {
  from_ms: number;
  to_ms: number;
}

export const NONE = "–";

export const rowsOf = (answer: Fields, name: string): Fields[] => list(answer[name]) as Fields[];

/** The page of a station or bridge, over the time that a figure is of. */
export function placeLink(page: "tram" | "cau", station: string, key: string, span: Span): string {
  const wish = { span_ms: span.to_ms - span.from_ms, end_ms: span.to_ms };
  return `/${page}/${station}${viewText(key, wish)}`;
}

/** When an extreme was: a time, or the hour where the reading itself is forgotten. */
export function whenOf(extreme: Fields | null, now_ms: number): string {
  if (extreme === null) return "";
  const t_ms = number(extreme["t"]);
  if (t_ms !== null) return shortTime(t_ms, now_ms);
  const hour_ms = number(extreme["hour"]);
  if (hour_ms === null) return "";
  const hour = Number(clockTime(hour_ms).slice(0, 2));
  return `${hour}–${hour + 1} h`;
}

/** 26,60; "3,10 nghi ngờ" where it did not pass. */
export function extremeText(extreme: Fields | null, language: Language, good?: Fields | null): string {
  const value = number(extreme?.["value"]);
  if (value === null) return NONE;
  const told = figure(value, "salinity_g_l", language);
  const doubt = number(extreme?.["flag"]) === 3;
  if (!doubt) return told;
  const passed = number(good?.["value"]);
  if (passed !== null) {
    return word("good_max", language, {
      value: told,
      good: figure(passed, "salinity_g_l", language),
    });
  }
  return `${told} ${word("flag_3", language)}`;
}

/** "+0,30", "−0,12", "±0,00". */
export function changeText(value: number | null, digits: number, language: Language): string {
  if (value === null) return NONE;
  const told = decimal(Math.abs(value), digits, language);
  const zero = Number(Math.abs(value).toFixed(digits)) === 0;
  return `${zero ? "±" : value > 0 ? "+" : "−"}${told}`;
}

/** Whole percents, never rounded up to all of it. */
export function percent(share: number | null): string {
  return share === null ? NONE : `${Math.floor(100 * share + 1e-9)}`;
}

export function shareText(raw: Fields): string {
  return `${percent(number(raw["share"]))} %`;
}

/** "42,4", "> 46,0" for a bound, with its deviation. */
export function kmText(line: Fields | null, language: Language): string {
  const km = number(line?.["km"]);
  if (line === null || km === null) return NONE;
  const told = decimal(km, 1, language);
  const bound = text(line["bound"]);
  if (bound === "beyond" || bound === "below") {
    return word(`bound_${bound}`, language, { km: told });
  }
  const sd_km = number(line["sd_km"]);
  return sd_km === null ? told : `${told} ± ${decimal(sd_km, 1, language)}`;
}

export function landmark(line: Fields | null, language: Language): string {
  return text(line?.[language === "vi" ? "landmark_vi" : "landmark_en"]);
}

const minutes = (value: number | null, language: Language): string =>
  value === null ? NONE : decimal(value, 0, language);

/** A table of bridges, the same in both reports; `total` adds how many vehicles came over. */
export function bridgeTable(
  answer: Fields,
  span: Span,
  now_ms: number,
  language: Language,
  total: boolean,
): Table {
  const all = rowsOf(answer, "bridges");
  const limits = rowsOf(all[0] ?? {}, "over").map((each) => number(each["limit_min"]) ?? 0);
  const heads: Column[] = [
    { head: word("c_direction", language) },
    { head: word("c_usual", language), figures: true },
    { head: word("c_worst", language), figures: true },
    { head: word("c_at", language), tight: true },
    ...limits.map((n) => ({ head: word("c_over", language, { n }), figures: true })),
    ...(total ? [{ head: word("c_vehicles", language), figures: true }] : []),
    { head: word("c_share", language), figures: true },
  ];
  const rows = all.map((raw): Row => {
    const worst = fields(raw["worst"]);
    const value = minutes(number(worst?.["value"]), language);
    const direction = text(raw[language === "vi" ? "direction_vi" : "direction_en"]);
    const href = placeLink("cau", text(raw["station"]), text(raw["key"]), span);
    const known = number(raw["median_min"]) !== null;
    const over = rowsOf(raw, "over").map((each) => {
      const for_min = number(each["for_min"]);
      return cell(known ? minutes(for_min, language) : NONE, { strong: (for_min ?? 0) >= 1 });
    });
    const counts = Object.values(fields(raw["vehicles"]) ?? {}).map((n) => number(n) ?? 0);
    const vehicles = counts.length === 0 ? NONE : String(counts.reduce((sum, n) => sum + n, 0));
    const cells: Cell[] = [
      cell(`${shortName(text(raw["name"]))}: ${direction}`, { href }),
      cell(minutes(number(raw["median_min"]), language)),
      cell(raw["at_least"] === true ? word("at_least", language, { n: value }) : value),
      cell(whenOf(worst, now_ms)),
      ...over,
      ...(total ? [cell(vehicles)] : []),
      cell(shareText(raw)),
    ];
    return { cells, rank: 0 };
  });
  const caption = word("t_bridges", language);
  return { id: "bridges", caption, columns: heads, rows, none: word("t_bridges_none", language) };
}

/** How much never came, with the worst of it. */
export function missingTable(
  answer: Fields,
  nameOf: (key: string) => string,
  language: Language,
): Table {
  const raw = fields(answer["missing"]) ?? {};
  const caption = word("t_missing", language, {
    share: percent(number(raw["share"])),
    n: number(raw["n"]) ?? 0,
    expected: number(raw["expected"]) ?? 0,
  });
  const rows = rowsOf(raw, "worst").map((each, n): Row => {
    const told = `${number(each["n"]) ?? 0}/${number(each["expected"]) ?? 0}`;
    return { cells: [cell(nameOf(text(each["key"]))), cell(shareText(each)), cell(told)], rank: n };
  });
  return {
    id: "missing",
    caption,
    columns: [
      { head: word("c_series", language) },
      { head: word("c_share", language), figures: true },
      { head: word("c_readings", language), figures: true },
    ],
    rows,
    printed: 3,
    none: word("t_missing_none", language),
  };
}

export function spanText({ from_ms, to_ms }: Span, language: Language): string {
  const sameDay = date(from_ms) === date(to_ms);
  const to = sameDay ? clockTime(to_ms) : `${date(to_ms)} ${clockTime(to_ms)}`;
  return word("report_span", language, { from: `${date(from_ms)} ${clockTime(from_ms)}`, to });
}

export const dayEnd = (from_ms: number): number => from_ms + DAY_MS;
