// The bulletin of a day as tables, and its table of stations as CSV. No DOM.

import { clockTime, dateTime, DAY_MS, decimal, figure, HOUR_MS } from "./format.ts";
import type { Fields } from "./held.ts";
import { mouthName, shortName } from "./layout.ts";
import { dayStart, isoDay } from "./lunar.ts";
import { fields, number, type Station, text } from "./model.ts";
import {
  bridgeTable,
  changeText,
  extremeText,
  kmText,
  landmark,
  missingTable,
  NONE,
  placeLink,
  rowsOf,
  shareText,
  type Span,
  whenOf,
} from "./reportcells.ts";
import { cell, type Row, type Table } from "./tables.ts";
import { type Language, word } from "./words.ts";

/** The day that the address names after its #; null for yesterday, which the service chooses. */
export function dayIn(hash: string): string | null {
  const named = /^#?(\d{4}-\d\d-\d\d)$/.exec(hash)?.[1] ?? null;
  return named !== null && dayStart(named) !== null ? named : null;
}

/** A day so many days later, as 2026-11-22. */
export function dayAfter(iso: string, days: number): string {
  const start = dayStart(iso);
  return start === null ? iso : isoDay(start + days * DAY_MS + HOUR_MS);
}

/**
 * Without a wish yesterday, the last day that is whole. A day is told as far as it is known by now:
 * one that went on at the moment of the past that is shown would be told to its end.
 */
export function dayShown(wanted: string | null, today: string, past: boolean): string {
  const yesterday = dayAfter(today, -1);
  return wanted === null || (past && wanted > yesterday) ? yesterday : wanted;
}

const SAME_SHOWN = 3;

export interface Daily {
  date: string;
  span: Span;
  now_ms: number;
  stations: Table;
  rest: Table[];
  /** What has to be known before any figure is read. */
  warnings: string[];
  lunar: string;
  text: string;
  attribution: string;
}

export function dailyOf(answer: Fields, places: readonly Station[], language: Language): Daily {
  const both = (name: string): string => text(answer[`${name}_${language}`]);
  const now_ms = number(answer["now"]) ?? 0;
  const [from_ms, end_ms] = [number(answer["from"]) ?? 0, number(answer["to"]) ?? 0];
  const span = { from_ms, to_ms: Math.min(end_ms, now_ms) };
  const running = now_ms < end_ms;
  const series = (key: string): string => {
    const device = key.split("/")[0] ?? key;
    const at = places.find((s) => s.devices.some(({ id }) => id === device));
    return at === undefined ? key : `${shortName(at.name)} (${device})`;
  };
  const lunar = fields(answer["lunar"]) ?? {};
  const date = text(lunar[language === "vi" ? "text_vi" : "text_en"]);
  // Which dates are compared, also where there are no data of them.
  const same = rowsOf(answer, "same_dates")
    .slice(0, SAME_SHOWN)
    .map((one) => text(one["date"]).split("-").reverse().join("/"));
  const unfinished = running
    ? word("bulletin_unfinished", language, { time: clockTime(span.to_ms) })
    : word("bulletin_partial", language);
  return {
    date: text(answer["date"]),
    ...{ span, now_ms },
    stations: stationTable(answer, span, language),
    rest: [
      lineTable(answer, language),
      gateTable(answer, language),
      bridgeTable(answer, span, span.to_ms - 1, language, true),
      missingTable(answer, series, language),
    ],
    warnings: [
      answer["complete"] === true ? "" : unfinished,
      answer["simulated"] === true ? word("bulletin_simulated", language) : "",
    ].filter(Boolean),
    lunar: word("bulletin_lunar", language, { date, same: same.join(", ") || NONE }),
    ...{ text: both("text"), attribution: both("attribution") },
  };
}

/** The newest year that has anything, with the date that it was. */
function sameOf(raw: Fields): Fields | null {
  return rowsOf(raw, "same_period").find((one) => number(one["max_g_l"]) !== null) ?? null;
}

function sameText(raw: Fields, language: Language): string {
  const same = sameOf(raw);
  if (same === null) return NONE;
  const value = figure(number(same["max_g_l"]) ?? 0, "salinity_g_l", language);
  const [year, month, day] = text(same["date"]).split("-");
  return `${value} (${day}/${month}/${year}${same["exact"] === false ? " ~" : ""})`;
}

function stationTable(answer: Fields, span: Span, language: Language): Table {
  const end_ms = span.to_ms - 1;
  const rows = rowsOf(answer, "stations").map((raw): Row => {
    const max = fields(raw["max"]);
    const km = fields(raw["km_from_mouth"]) ?? {};
    const kms = Object.values(km).map((n) => decimal(number(n) ?? 0, 0, language));
    const depth = text(raw["depth"]);
    const simulated = raw["simulated"] === true ? ` (${word("simulated", language)})` : "";
    const name = shortName(text(raw["name"])) + (depth === "" ? "" : `, ${depth}`) + simulated;
    const change = number(fields(raw["change"])?.["g_l"]);
    const cells = [
      cell(name, { href: placeLink("tram", text(raw["station"]), text(raw["key"]), span) }),
      cell(kms.join(", ") || NONE),
      cell(extremeText(max, language, fields(raw["good_max"])), { strong: max !== null }),
      cell(whenOf(max, end_ms)),
      cell(changeText(change, 2, language)),
      cell(sameText(raw, language)),
      cell(extremeText(fields(raw["min"]), language)),
      cell(shareText(raw)),
    ];
    return { cells, rank: max === null ? 1 : 0 };
  });
  const head = (key: Parameters<typeof word>[0], figures = true) => {
    return { head: word(key, language), figures };
  };
  return {
    id: "stations",
    caption: word("t_stations", language),
    columns: [
      ...[head("c_station", false), head("c_km"), head("c_max"), { head: word("c_at", language), tight: true }],
      ...[head("c_change"), head("c_same"), head("c_min"), head("c_share")],
    ],
    rows,
    none: word("t_extremes_none", language),
  };
}

/** Whether any station has a figure of the same lunar date in another year. */
export function anySame(answer: Fields): boolean {
  return rowsOf(answer, "stations").some((raw) => sameOf(raw) !== null);
}

function lineTable(answer: Fields, language: Language): Table {
  const rows = rowsOf(answer, "lines").map((raw): Row => {
    const line = fields(raw["line"]);
    const cells = [
      cell(text(raw["name"]) || mouthName(text(raw["mouth"]))),
      cell(String(number(raw["level_g_l"]) ?? "")),
      cell(kmText(line, language)),
      cell(changeText(number(raw["change_km"]), 1, language)),
      cell(landmark(line, language) || NONE),
    ];
    return { cells, rank: 0 };
  });
  return {
    id: "lines",
    caption: `${word("t_lines", language)}, ${word("salt_max", language)}`,
    columns: [
      { head: word("c_mouth", language), tight: true },
      { head: word("c_level", language), figures: true },
      { head: word("c_line", language), figures: true },
      { head: word("c_change_km", language), figures: true },
      { head: word("c_landmark", language) },
    ],
    rows,
    none: word("t_lines_none", language),
  };
}

const HOURS = ["taking_min", "open_min", "closed_min", "unknown_min", "fresh_min"] as const;

function gateTable(answer: Fields, language: Language): Table {
  const rows = rowsOf(answer, "gates").map((raw): Row => {
    const hours = HOURS.map((name) => {
      const minutes = number(raw[name]);
      return cell(minutes === null ? NONE : decimal(minutes / 60, 1, language));
    });
    const max = number(raw["max_g_l"]);
    const cells = [
      cell(shortName(text(raw["name"])), { href: "/con-nuoc" }),
      ...hours,
      cell(max === null ? NONE : figure(max, "salinity_g_l", language)),
    ];
    return { cells, rank: 0 };
  });
  const heads = ["c_taking", "c_open", "c_closed", "c_unknown", "c_fresh", "c_max_g_l"] as const;
  return {
    id: "gates",
    caption: word("t_gates", language),
    columns: [
      { head: word("c_intake", language) },
      ...heads.map((key) => ({ head: word(key, language), figures: true })),
    ],
    rows,
    none: word("t_gates_none", language),
  };
}

// --- CSV ------------------------------------------------------------------------------------

const COLUMNS =
  "date,station,name,max_g_l,max_time,max_flag,min_g_l,min_time,change_g_l,before_g_l," +
  "same_date,same_max_g_l,n,expected,share,simulated,key";

/** The table of stations as machines read it: points for decimals, times with their zone. */
export function csvOf(answer: Fields): string {
  const lines = rowsOf(answer, "stations").map((raw) => {
    const [max, min] = [fields(raw["max"]), fields(raw["min"])];
    const [change, same] = [fields(raw["change"]), sameOf(raw)];
    const values = [
      ...[answer["date"], raw["station"], raw["name"]],
      ...[max?.["value"], isoTime(max), max?.["flag"], min?.["value"], isoTime(min)],
      ...[change?.["g_l"], change?.["before_g_l"], same?.["date"], same?.["max_g_l"]],
      ...[raw["n"], raw["expected"], raw["share"], raw["simulated"] === true, raw["key"]],
    ];
    return values.map(field).join(",");
  });
  return [COLUMNS, ...lines, ""].join("\r\n");
}

function isoTime(extreme: Fields | null): string {
  const t_ms = number(extreme?.["t"]) ?? number(extreme?.["hour"]);
  if (t_ms === null) return "";
  const [day, time] = dateTime(t_ms).split(" ");
  return `${day?.split("/").reverse().join("-")}T${time}+07:00`;
}

function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  const told = String(value);
  return /[",\r\n]/.test(told) ? `"${told.replaceAll('"', '""')}"` : told;
}
