// The report on a community's list of farmers, line by line, as officers read it. No DOM.

import { clockTime, date } from "./format.ts";
import type { Fields } from "./held.ts";
import { HttpError } from "./http.ts";
import { fields, list, number, text } from "./model.ts";
import { rowsOf } from "./reportcells.ts";
import { whyText } from "./reporting.ts";
import { cell, type Row, type Table } from "./tables.ts";
import { count, of } from "./tellingmodel.ts";
import { type Language, named, word } from "./words.ts";

/** The service takes no longer list; one that is longer need not be sent to be told so. */
export const BYTES_MAX = 1_000_000;
/** So many lines are drawn; the report that is saved has all. */
export const LINES_DRAWN_MAX = 300;

/** A list that holds the names of its columns and nothing else, as a spreadsheet opens it. */
export function exampleFile(language: Language): string {
  const names =
    language === "vi"
      ? "so_dien_thoai;noi;phia;cay;gioi_han;bao;gio_yen;ngon_ngu;dong_y"
      : "phone;place;side;crop;limit_g_l;notices;quiet;lang;consent";
  return `\ufeff${names}\r\n`;
}

interface Line {
  line: number;
  done: string;
  phone: string;
  field: string;
  why: string;
  /** 0: refused; 1: taken, with something that wants to be looked at; 2: the rest. */
  rank: number;
}

export interface Report {
  dry: boolean;
  fresh: number;
  changed: number;
  already: number;
  refused: number;
  repaired: number;
  /** Names of columns that are of no use here. */
  passed: readonly string[];
  /** What is wrong first, then what is pointed at, then by number. */
  lines: readonly Line[];
}

export function reportOf(answer: Fields, language: Language): Report {
  const counts = fields(answer["counts"]);
  const lines = rowsOf(answer, "lines").map((raw) => lineOf(raw, language));
  return {
    dry: answer["dry_run"] === true,
    ...{ fresh: of(counts, "done"), changed: of(counts, "changed") },
    ...{ already: of(counts, "already"), refused: of(counts, "refused") },
    repaired: number(answer["repaired"]) ?? 0,
    passed: list(answer["passed_over"]) as string[],
    lines: lines.sort((a, b) => a.rank - b.rank || a.line - b.line),
  };
}

function lineOf(raw: Fields, language: Language): Line {
  const done = text(raw["done"]);
  const field = text(raw["field"]);
  const said = text(raw[language === "vi" ? "detail_vi" : "detail"]) || text(raw["detail"]);
  const mended = raw["repaired"] === true ? word("list_mended", language) : "";
  return {
    ...{ line: of(raw, "line"), done: named("listdone", done, language), phone: text(raw["phone"]) },
    field: field && named("listfield", field, language),
    why: [said, mended].filter(Boolean).join("; "),
    rank: done === "refused" ? 0 : field === "" ? 2 : 1,
  };
}

/** What there is to take in: who is new, and whom a list had brought and this one changes. */
export const right = ({ fresh, changed }: Report): number => fresh + changed;

/** Lines that somebody should look at. */
export const doubtful = ({ lines }: Report): number => lines.filter(({ rank }) => rank < 2).length;

export function countsText(report: Report, language: Language): string {
  const n = (value: number): string => count(value, language);
  const { fresh, changed, already, refused } = report;
  return word(report.dry ? "list_tried" : "list_taken", language, {
    counts: word("list_counts", language, {
      ...{ fresh: n(fresh), changed: n(changed), already: n(already), refused: n(refused) },
    }),
  });
}

/** What else there is to know of it. */
export function factLines(report: Report, channel: string, language: Language): string[] {
  const { dry, fresh, repaired, passed } = report;
  const n = count(fresh, language);
  const welcome = word(dry ? "list_will_welcome" : "list_welcome", language, { n, name: channel });
  return [
    dry && right(report) === 0 ? word("list_none_right", language) : "",
    fresh === 0 ? "" : welcome,
    repaired === 0 ? "" : word("list_repaired", language, { n: count(repaired, language) }),
    passed.length === 0 ? "" : word("list_passed", language, { names: passed.join(", ") }),
  ].filter(Boolean);
}

/** At most `LINES_DRAWN_MAX` rows; how many more there are says `leftLines`. */
export function listTable(report: Report, only: boolean, language: Language): Table {
  const rows = shown(report, only)
    .slice(0, LINES_DRAWN_MAX)
    .map(({ line, done, phone, field, why, rank }): Row => {
      const cells = [String(line), done, phone, field, why];
      return { cells: cells.map((said, n) => cell(said, { strong: rank === 0 && n === 1 })), rank };
    });
  return {
    id: "list",
    caption: word(report.dry ? "list_report_trial" : "list_report", language),
    columns: [
      { head: word("list_line", language), figures: true },
      { head: word("list_outcome", language), tight: true },
      { head: word("list_phone", language), tight: true },
      { head: word("list_field", language), tight: true },
      { head: word("list_why", language), long: true },
    ],
    rows,
    none: word("list_no_lines", language),
  };
}

export const leftLines = (report: Report, only: boolean): number =>
  Math.max(0, shown(report, only).length - LINES_DRAWN_MAX);

function shown({ lines }: Report, only: boolean): readonly Line[] {
  return only ? lines.filter(({ rank }) => rank < 2) : lines;
}

/** All lines by number, with the byte order mark by which spreadsheets know UTF-8. */
export function reportFile(report: Report, language: Language): string {
  const heads = ["list_line", "list_outcome", "list_phone", "list_field", "list_why"] as const;
  const lines = [...report.lines].sort((a, b) => a.line - b.line);
  const rows = [
    heads.map((key) => word(key, language)),
    ...lines.map(({ line, done, phone, field, why }) => [String(line), done, phone, field, why]),
  ];
  return `\ufeff${rows.map((row) => row.map(quoted).join(";")).join("\r\n")}\r\n`;
}

const quoted = (said: string): string => (/[";\r\n]/.test(said) ? `"${said.replace(/"/g, '""')}"` : said);

/** "ket-qua_2026-11-22T1432.csv", in Vietnam's time. */
export function reportName(report: Report, now_ms: number, language: Language): string {
  const day = date(now_ms).split("/").reverse().join("-");
  const name = word(report.dry ? "list_file_trial" : "list_file", language);
  return `${name}_${day}T${clockTime(now_ms).replace(":", "")}.csv`;
}

/** Why the whole of a file was not taken. `taking`: it was to be stored, and may have been. */
export function listTrouble(error: unknown, taking: boolean, language: Language): string {
  if (!(error instanceof HttpError)) return word("list_unread", language);
  if (error.status === 0 && taking) return word("list_unsure", language);
  if (error.status === 413) return tooLarge(language);
  const [fault] = error.status === 422 ? rowsOf(error.problem, "errors") : [];
  const said = text(fault?.[language === "vi" ? "detail_vi" : "detail"]) || text(fault?.["detail"]);
  return word("list_refused", language, { why: said || whyText(error, language) });
}

export function tooLarge(language: Language): string {
  return word("list_too_large", language, { n: count(BYTES_MAX, language) });
}
