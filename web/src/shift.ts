// The handover of a shift as tables: what is open first, then what happened. No DOM.

import { dateTime, DAY_MS, HOUR_MS, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { mouthName, shortName } from "./layout.ts";
import { fields, number, severityRank, type Station, text } from "./model.ts";
import {
  bridgeTable,
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
import { type Cell, cell, type Column, type Row, type Table } from "./tables.ts";
import { shiftEntry } from "./shiftentries.ts";
import { SINCE } from "./telling.ts";
import type { Moment } from "./view.ts";
import { type Language, named, type Word, word } from "./words.ts";

/** Which stretch is wanted: a shift by its name, or any stretch. */
export type Wanted = "this" | "last" | "day" | Span;

const ADDRESS = /^#?(?:(this|last|day)|(\d{1,15})@(\d{1,15}))$/;
const SHIFT_MS = 12 * HOUR_MS;
export const SPAN_MOST_MS = 7 * DAY_MS;
const VIETNAM_MS = 7 * HOUR_MS;

export function wantedIn(hash: string): Wanted {
  const [, name, from, to] = ADDRESS.exec(hash) ?? [];
  if (from !== undefined && to !== undefined) return { from_ms: Number(from), to_ms: Number(to) };
  return (name as "this" | undefined) ?? "this";
}

export function wantedText(wanted: Wanted): string {
  return typeof wanted === "string" ? `#${wanted}` : `#${wanted.from_ms}@${wanted.to_ms}`;
}

/** 06:00 or 18:00 in Vietnam, whichever was last. */
export function shiftStart(now_ms: number): number {
  const since = (now_ms + VIETNAM_MS - 6 * HOUR_MS) % SHIFT_MS;
  return now_ms - since;
}

/** The stretch that is meant; one that goes on has the present as its end. */
export function spanOfShift(wanted: Wanted, now_ms: number): Span & { goesOn: boolean } {
  const start = shiftStart(now_ms);
  if (wanted === "this") return { from_ms: start, to_ms: now_ms, goesOn: true };
  if (wanted === "last") return { from_ms: start - SHIFT_MS, to_ms: start, goesOn: false };
  if (wanted === "day") return { from_ms: now_ms - DAY_MS, to_ms: now_ms, goesOn: true };
  return { ...wanted, goesOn: wanted.to_ms >= now_ms };
}

/** `past`: now is a moment of the past, after which nothing is to be told. */
export function handoverPath(wanted: Wanted, now_ms: number, past = false): string {
  const { from_ms, to_ms, goesOn } = spanOfShift(wanted, now_ms);
  const from = Math.floor(from_ms / 60_000) * 60_000;
  const to = goesOn && !past ? "" : `&to=${Math.floor(Math.min(to_ms, now_ms))}`;
  return `/api/v1/handover?from=${from}${to}`;
}

/** Whether a stretch that somebody typed can be shown. */
export function showable({ from_ms, to_ms }: Span, now_ms: number): boolean {
  const long = to_ms - from_ms;
  return Number.isFinite(long) && long > 0 && long <= SPAN_MOST_MS && from_ms < now_ms;
}

// --- tables ---------------------------------------------------------------------------------

export interface Shift {
  span: Span;
  now_ms: number;
  /** Between alerts and what is below them: what stands left and right on paper. */
  happened: Table[];
  measured: Table[];
}

export function shiftOf(
  answer: Fields,
  stations: readonly Station[],
  language: Language,
  past = false,
): Shift {
  const now_ms = number(answer["now"]) ?? 0;
  const span = { from_ms: number(answer["from"]) ?? 0, to_ms: number(answer["to"]) ?? 0 };
  const shown = { from_ms: span.from_ms, to_ms: Math.min(span.to_ms, now_ms) };
  const at = { language, now_ms };
  const name = (id: string): string => shortName(stations.find((s) => s.id === id)?.name ?? id);
  const series = (key: string): string => {
    const device = key.split("/")[0] ?? key;
    const at = stations.find((s) => s.devices.some(({ id }) => id === device));
    return at === undefined ? key : `${shortName(at.name)} (${device})`;
  };
  return {
    span: shown,
    now_ms,
    happened: [
      // What is open is so now, which says nothing of then.
      ...(past ? [] : [openTable(answer, at)]),
      eventTable(answer, name, at),
      deviceTable(answer, stations, shown, at),
      enteredTable(answer, name, at),
    ],
    measured: [
      extremeTable(answer, shown, at),
      lineTable(answer, language),
      bridgeTable(answer, shown, now_ms, language, false),
      missingTable(answer, series, language),
    ],
  };
}

/** Of which the cells are times, or a word that is looked for. */
const TIGHT: readonly Word[] = ["c_mouth", "c_since", "c_time", "c_at", "c_lost", "c_back"];

/** Of which the cells are sentences. */
const LONG: readonly Word[] = ["c_alert"];

const columns = (language: Language, ...heads: (Word | [Word])[]): Column[] =>
  heads.map((head) =>
    typeof head === "string"
      ? { head: word(head, language), tight: TIGHT.includes(head), long: LONG.includes(head) }
      : { head: word(head[0], language), figures: true },
  );

function messageOf(raw: Fields, language: Language): string {
  const said = text(raw[language === "vi" ? "message_vi" : "message_en"]);
  // Since when stands in a column of its own.
  return said.replace(SINCE, "") || text(raw["rule"]);
}

/** Names are told to officers alone; that somebody has taken it is told to all. */
function takenCell(raw: Fields, { language, now_ms }: Moment): Cell {
  const taken = fields(raw["taken"]);
  if (taken === null && text(raw["state"]) !== "acked") {
    return cell(word("nobody", language), { strong: true });
  }
  const t_ms = number(taken?.["t"]);
  const at = t_ms === null ? "" : word("taken_at", language, { time: shortTime(t_ms, now_ms) });
  return cell([text(taken?.["who"]), at].filter(Boolean).join(" ") || named("state", "acked", language));
}

function openTable(answer: Fields, at: Moment): Table {
  const { language, now_ms } = at;
  const counts = fields(answer["counts"]) ?? {};
  const rows = rowsOf(answer, "open").map((raw): Row => {
    const untaken = text(raw["state"]) !== "acked";
    const cells = [
      cell(messageOf(raw, language), { href: `/canh-bao/${text(raw["id"])}` }),
      cell(named("severity", text(raw["severity"]), language)),
      cell(shortTime(number(raw["t_since"]) ?? 0, now_ms)),
      takenCell(raw, at),
    ];
    return { cells, rank: severityRank({ severity: text(raw["severity"]) }) * 2 + (untaken ? 0 : 1) };
  });
  const [n, unacked] = [number(counts["open"]) ?? rows.length, number(counts["unacked"]) ?? 0];
  return {
    id: "open",
    caption: word("t_open", language, { n, unacked }),
    columns: columns(language, "c_alert", "c_severity", "c_since", "c_taken"),
    rows,
    none: word("t_open_none", language),
  };
}

/** What officers did and what was raised is kept before what went by itself. */
const LAST_KINDS: readonly string[] = ["cleared", "suppressed", "unsuppressed", "eased", "reminded"];

function eventTable(answer: Fields, name: (id: string) => string, at: Moment): Table {
  const { language, now_ms } = at;
  const left = number(answer["events_left_out"]) ?? 0;
  const rows = rowsOf(answer, "events").map((raw): Row => {
    const type = text(raw["type"]);
    const severity = text(raw["severity"]);
    const what = [named("event", type, language), named("severity", severity, language)].join(" · ");
    const about = messageOf(raw, language) || name(text(raw["station"]));
    const cells = [
      cell(shortTime(number(raw["t"]) ?? 0, now_ms)),
      cell(what),
      cell(about, { href: `/canh-bao/${text(raw["alert"])}` }),
      cell([text(raw["who"]), text(raw["note"])].filter(Boolean).join(": ")),
    ];
    return { cells, rank: severityRank({ severity }) + (LAST_KINDS.includes(type) ? 10 : 0) };
  });
  const more = left > 0 ? `. ${word("t_events_left", language, { n: left })}` : "";
  return {
    id: "events",
    caption: word("t_events", language) + more,
    columns: columns(language, "c_time", "c_what", "c_alert", "c_who"),
    rows,
    none: word("t_events_none", language),
  };
}

function deviceTable(
  answer: Fields,
  stations: readonly Station[],
  span: Span,
  { language, now_ms }: Moment,
): Table {
  const rows = rowsOf(answer, "devices").map((raw): Row => {
    const [from, to] = [number(raw["from"]), number(raw["to"])];
    const id = text(raw["station"]);
    const station = stations.find((one) => one.id === id);
    const page = station?.kind === "traffic" ? "cau" : "tram";
    const back = raw["back"] === true;
    const cells = [
      cell(`${shortName(station?.name ?? id)} (${text(raw["device"])})`, {
        href: placeLink(page, id, text(raw["key"]), span),
      }),
      cell(from === null ? word("lost_long", language) : shortTime(from, now_ms)),
      cell(back && to !== null ? shortTime(to, now_ms) : word("still_lost", language), {
        strong: !back,
      }),
      cell(String(Math.round(number(raw["minutes"]) ?? 0))),
    ];
    return { cells, rank: back ? 1 : 0 };
  });
  return {
    id: "devices",
    caption: word("t_devices", language),
    columns: columns(language, "c_device", "c_lost", "c_back", ["c_minutes"]),
    rows,
    none: word("t_devices_none", language),
  };
}

function enteredTable(answer: Fields, name: (id: string) => string, at: Moment): Table {
  const { language, now_ms } = at;
  const since_ms = number(answer["entered_since"]);
  const from_ms = number(answer["from"]) ?? 0;
  const rows = rowsOf(answer, "entered").map((raw): Row => {
    const what = text(raw["what"]);
    const subject = text(raw["subject"]);
    const told = shiftEntry(what, fields(raw["item"]) ?? {}, at);
    const places: Record<string, string> = { check: "tram", "bridge-mode": "cau" };
    const page = what === "intake" ? "/con-nuoc" : `/${places[what] ?? "tram"}/${subject}`;
    const known = what !== "risk-level" && /^[a-z0-9_-]+$/.test(subject);
    const cells = [
      cell(shortTime(number(raw["t"]) ?? 0, now_ms)),
      what === "broadcast"
        ? cell(word("menu_telling", language), { href: "/thong-bao" })
        : what === "risk-level"
          ? cell(subject === "*" ? "" : mouthName(subject))
          : cell(name(subject), known ? { href: page } : {}),
      cell(told),
      cell([text(raw["who"]), text(raw["note"])].filter(Boolean).join(": ")),
    ];
    return { cells, rank: 0 };
  });
  const heads = columns(language, "c_time", "c_station", "c_what", "c_who");
  const late = since_ms !== null && since_ms > from_ms;
  const left = number(answer["entered_left_out"]) ?? 0;
  const notes = [
    late ? word("t_entered_since", language, { time: dateTime(since_ms) }) : "",
    left > 0 ? word("t_entered_left", language, { n: left }) : "",
  ].filter(Boolean);
  return {
    id: "entered",
    caption: [word("t_entered", language), notes.join(" ")].filter(Boolean).join(". "),
    columns: heads.map((head, n) => (n === 2 ? { ...head, long: true } : head)),
    rows,
    none: word("t_entered_none", language),
  };
}

function extremeTable(answer: Fields, span: Span, { language, now_ms }: Moment): Table {
  const rows = rowsOf(answer, "extremes").map((raw): Row => {
    const [max, min] = [fields(raw["max"]), fields(raw["min"])];
    const depth = text(raw["depth"]);
    const title = shortName(text(raw["name"])) + (depth === "" ? "" : `, ${named("depth", depth, language)}`);
    const simulated = raw["simulated"] === true ? ` (${word("simulated", language)})` : "";
    const cells = [
      cell(title + simulated, { href: placeLink("tram", text(raw["station"]), text(raw["key"]), span) }),
      cell(extremeText(max, language)),
      cell(whenOf(max, now_ms)),
      cell(extremeText(min, language)),
      cell(whenOf(min, now_ms)),
      cell(shareText(raw)),
    ];
    const value = number(max?.["value"]);
    return { cells, rank: value === null ? 1 : 0 };
  });
  const heads = columns(language, "c_station", ["c_max"], "c_at", ["c_min"], "c_at", ["c_share"]);
  return {
    id: "extremes",
    caption: word("t_extremes", language),
    columns: heads,
    rows,
    none: word("t_extremes_none", language),
  };
}

/** The line now at both ends of the shift; that of the maxima of 25 hours is in the bulletin. */
function lineTable(answer: Fields, language: Language): Table {
  const now = rowsOf(answer, "lines").filter((raw) => text(raw["basis"]) === "now");
  const rows = now.map((raw): Row => {
    const [begin, max, end] = ["begin", "max", "end"].map((of) => fields(raw[of])) as [
      Fields | null,
      Fields | null,
      Fields | null,
    ];
    const cells = [
      cell(text(raw["name"]) || mouthName(text(raw["mouth"]))),
      cell(String(number(raw["level_g_l"]) ?? "")),
      cell(kmText(begin, language)),
      cell(kmText(max, language)),
      cell(kmText(end, language)),
      cell(landmark(end, language) || NONE),
    ];
    return { cells, rank: begin === null && end === null ? 1 : 0 };
  });
  return {
    id: "lines",
    caption: word("t_lines", language),
    columns: columns(language, "c_mouth", ["c_level"], ["c_begin"], ["c_max"], ["c_end"], "c_landmark"),
    rows,
    none: word("t_lines_none", language),
  };
}
