import assert from "node:assert/strict";
import { test } from "node:test";

import type { Fields } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import {
  countsText,
  doubtful,
  exampleFile,
  factLines,
  leftLines,
  LINES_DRAWN_MAX,
  listTable,
  listTrouble,
  reportFile,
  reportName,
  reportOf,
  right,
} from "../src/tellinglist.ts";

const WHY = { detail: "the day on which this person agreed", detail_vi: "ghi ngày người này đồng ý" };
const POINTED = { field: "limit_g_l", detail: "was that meant?", detail_vi: "hỏi lại; “5” là cao" };
const answer = (more: Fields = {}): Fields => ({
  ...{ dry_run: true, counts: { done: 2, changed: 1, already: 1, refused: 1 } },
  ...{ repaired: 1, passed_over: ["Họ tên", "Ấp"] },
  lines: [
    { line: 2, done: "done", phone: "09xx xxx 678" },
    { line: 3, done: "already", phone: "09xx xxx 111", repaired: true },
    { line: 4, done: "changed", phone: "09xx xxx 222", ...POINTED },
    { line: 5, done: "refused", phone: "03xx xxx 321", field: "consent", ...WHY },
    { line: 6, done: "done", phone: "09xx xxx 333" },
  ],
  ...more,
});
const vi = reportOf(answer(), "vi");
const en = reportOf(answer(), "en");

const texts = (only: boolean, language: "vi" | "en"): string[][] =>
  listTable(language === "vi" ? vi : en, only, language).rows.map(({ cells }) => cells.map(({ text }) => text));

test("what is refused stands first, then what is pointed at, then the rest as in the file", () => {
  assert.deepEqual(texts(false, "vi").map(([line]) => line), ["5", "4", "2", "3", "6"]);
  assert.deepEqual(texts(true, "vi").map(([line]) => line), ["5", "4"]);
  assert.equal(doubtful(vi), 2);
});

test("a line has its number, outcome, masked phone, column and reason in the page's language", () => {
  assert.deepEqual(texts(true, "vi")[0], ["5", "bị từ chối", "03xx xxx 321", "Ngày đồng ý", WHY.detail_vi]);
  assert.deepEqual(texts(true, "en")[0], ["5", "refused", "03xx xxx 321", "Day of consent", WHY.detail]);
  assert.deepEqual(texts(false, "vi")[3], ["3", "đã có", "09xx xxx 111", "", "đã thêm lại số 0 đầu"]);
  const table = listTable(vi, true, "vi");
  assert.equal(table.rows[0]?.cells.length, table.columns.length);
  assert.equal(table.rows[0]?.cells[1]?.strong, true);
});

test("counts say whether anything is stored, and what a press would take in", () => {
  const counts = "2 mới · 1 sửa lại · 1 đã có · 1 bị từ chối";
  assert.equal(countsText(vi, "vi"), `Chạy thử, chưa lưu gì: ${counts}.`);
  assert.equal(countsText(reportOf(answer({ dry_run: false }), "vi"), "vi"), `Đã nhập: ${counts}.`);
  assert.equal(right(vi), 3);
});

test("who would be told, zeros put back and columns passed over are said; nothing where there is none", () => {
  const [welcome, mended, passed] = factLines(vi, "sms", "vi");
  assert.equal(welcome, "Khi nhập, 2 người mới sẽ nhận một tin chào qua kênh sms.");
  assert.match(mended ?? "", /^1 số điện thoại/);
  assert.equal(passed, "Cột bỏ qua: Họ tên, Ấp.");
  const none = { repaired: 0, passed_over: [], counts: { refused: 1 }, lines: [] };
  assert.deepEqual(factLines(reportOf(answer(none), "en"), "sms", "en"), ["There is no line to import."]);
  assert.deepEqual(factLines(reportOf(answer({ ...none, dry_run: false }), "en"), "sms", "en"), []);
});

test("a long report is drawn in part, what is wrong before all else, and the rest counted", () => {
  const many = Array.from({ length: LINES_DRAWN_MAX + 200 }, (_, n) => ({ line: n + 2, done: "done", phone: "" }));
  const last = { line: 9999, done: "refused", phone: "", field: "crop", ...WHY };
  const report = reportOf(answer({ lines: [...many, last] }), "vi");
  const table = listTable(report, false, "vi");
  assert.equal(table.rows.length, LINES_DRAWN_MAX);
  assert.equal(table.rows[0]?.cells[0]?.text, "9999");
  assert.equal(leftLines(report, false), 201);
  assert.equal(leftLines(report, true), 0);
});

test("the report that is saved has all lines by number, and opens as UTF-8", () => {
  const lines = reportFile(vi, "vi").split("\r\n");
  assert.equal(lines[0], "\ufeffDòng;Kết quả;Số điện thoại;Cột;Lý do");
  assert.deepEqual(lines.slice(1, 6).map((line) => line.split(";")[0]), ["2", "3", "4", "5", "6"]);
  assert.equal(lines[3], '4;sửa lại;09xx xxx 222;Giới hạn;"hỏi lại; “5” là cao"');
  assert.equal(lines.length, 7);
  assert.equal(reportName(vi, Date.UTC(2026, 10, 22, 18, 5), "vi"), "ket-qua-chay-thu_2026-11-23T0105.csv");
});

test("why a whole file is refused is said in the reader's words", () => {
  const fault = { in: "body", name: "csv", detail: "the file is empty", detail_vi: "tệp trống" };
  const refused = new HttpError(422, "csv: the file is empty", { errors: [fault] });
  assert.equal(listTrouble(refused, false, "vi"), "Chưa nhận được tệp: tệp trống");
  assert.equal(listTrouble(refused, false, "en"), "The file was not accepted: the file is empty");
  assert.match(listTrouble(new HttpError(413, "a body has"), false, "vi"), /quá lớn: nhiều nhất 1\.000\.000 byte/);
  assert.match(listTrouble(new HttpError(403, "no"), false, "vi"), /^Chưa nhận được tệp: /);
  assert.match(listTrouble(new DOMException("gone", "NotReadableError"), false, "vi"), /chọn lại/);
});

test("where no answer comes to an import it is not said that nothing was stored", () => {
  assert.match(listTrouble(new HttpError(0, "timeout"), true, "vi"), /chưa rõ đã nhập chưa/);
  assert.doesNotMatch(listTrouble(new HttpError(0, "timeout"), false, "vi"), /chưa rõ đã nhập chưa/);
});

test("the empty example has one line, which names the columns, in either language", () => {
  for (const language of ["vi", "en"] as const) {
    const [head = "", rest] = exampleFile(language).split("\r\n");
    assert.equal(head.replace("\ufeff", "").split(";").length, 9);
    assert.equal(rest, "");
  }
});
