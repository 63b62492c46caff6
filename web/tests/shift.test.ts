import assert from "node:assert/strict";
import { test } from "node:test";

import type { Fields } from "../src/held.ts";
import { station } from "../src/model.ts";
import { handoverPath, shiftOf, shiftStart, showable, spanOfShift, wantedIn, wantedText } from "../src/shift.ts";
import type { Table } from "../src/tables.ts";

const HOUR = 3_600_000;
/** 22/11/2026 14:32 in Vietnam. */
const NOW = Date.UTC(2026, 10, 22, 7, 32);
const SIX = Date.UTC(2026, 10, 21, 23, 0);

test("a shift begins at 06:00 or 18:00 of Vietnam", () => {
  assert.equal(shiftStart(NOW), SIX);
  assert.equal(shiftStart(SIX), SIX);
  assert.equal(shiftStart(SIX - 1), SIX - 12 * HOUR);
  assert.deepEqual(spanOfShift("last", NOW), { from_ms: SIX - 12 * HOUR, to_ms: SIX, goesOn: false });
});

test("a shift that goes on is asked for without an end", () => {
  assert.equal(handoverPath("this", NOW), `/api/v1/handover?from=${SIX}`);
  assert.equal(handoverPath("last", NOW), `/api/v1/handover?from=${SIX - 12 * HOUR}&to=${SIX}`);
  assert.equal(handoverPath("day", NOW + 20_000), `/api/v1/handover?from=${NOW - 24 * HOUR}`);
});

test("of a moment of the past nothing after it is told, nor what is open now", () => {
  assert.equal(handoverPath("this", NOW, true), `/api/v1/handover?from=${SIX}&to=${NOW}`);
  const ids = shiftOf(answer, stations, "vi", true).happened.map(({ id }) => id);
  assert.deepEqual(ids, ["events", "devices", "entered"]);
});

test("the address tells which stretch, and nonsense is this shift", () => {
  const span = { from_ms: SIX, to_ms: NOW };
  assert.deepEqual(wantedIn(wantedText(span)), span);
  assert.equal(wantedIn("#last"), "last");
  assert.equal(wantedIn("#lastly"), "this");
  assert.equal(wantedIn(""), "this");
});

test("a stretch that can't be shown is not asked for", () => {
  assert.ok(showable({ from_ms: SIX, to_ms: NOW }, NOW));
  assert.ok(!showable({ from_ms: NOW, to_ms: SIX }, NOW), "backwards");
  assert.ok(!showable({ from_ms: NOW - 169 * HOUR, to_ms: NOW }, NOW), "over seven days");
  assert.ok(!showable({ from_ms: NOW + HOUR, to_ms: NOW + 2 * HOUR }, NOW), "to come");
  assert.ok(!showable({ from_ms: NaN, to_ms: NOW }, NOW));
});

const stations = [
  station({ id: "xuan-hoa", name: "Cống Xuân Hòa", kind: "salinity", devices: [{ id: "xh-01" }] }),
  station({ id: "rach-mieu-1", name: "Cầu Rạch Miễu", kind: "traffic", devices: [{ id: "cam-01" }] }),
];
const answer: Fields = {
  ...{ from: SIX, to: NOW, now: NOW, shift: "day", complete: true },
  open: [
    {
      ...{ id: "a1", severity: "critical", state: "unacked", t_since: NOW - HOUR, taken: null },
      message_vi: "Xuân Hòa: MẶN 4,05 g/l, vượt 4,0 g/l từ 22/11/2026 13:32. KHÔNG LẤY NƯỚC",
    },
    {
      ...{ id: "a2", severity: "major", state: "acked", t_since: NOW, rule: "queue" },
      taken: { t: NOW, who: "an" },
    },
  ],
  counts: { open: 2, unacked: 1 },
  events: [
    { t: NOW, type: "acked", alert: "a2", severity: "major", rule: "queue", who: "an", note: "gọi rồi" },
  ],
  events_left_out: 7,
  devices: [
    { device: "cam-01", station: "rach-mieu-1", key: "cam-01/x", from: null, to: null, minutes: 512.4, back: false },
  ],
  entered: [
    { t: NOW, what: "intake", subject: "xuan-hoa", item: { taking: true, gate: "open" } },
    { t: NOW, what: "check", subject: "xuan-hoa", item: { values: { salinity_g_l: 1.2 }, cleaned: true } },
    { t: NOW, what: "bridge-mode", subject: "rach-mieu-1", item: { modes: {} } },
    { t: NOW, what: "risk-level", subject: "*", item: { level: null } },
  ],
  ...{ entered_since: NOW - HOUR, entered_left_out: 3 },
  extremes: [
    {
      ...{ station: "xuan-hoa", name: "Cống Xuân Hòa", key: "xh-01/salinity_g_l", share: 0.9999 },
      max: { value: 4.05, t: null, hour: SIX, flag: 3 },
      min: null,
    },
  ],
  lines: [
    { mouth: "cua-tieu", name: "Cửa Tiểu", level_g_l: 4, basis: "max_25h", begin: null, end: null },
    {
      ...{ mouth: "cua-tieu", name: "Cửa Tiểu", level_g_l: 4, basis: "now", begin: null, max: null },
      end: { km: 46, bound: "beyond", landmark_vi: "quá Mỹ Tho" },
    },
  ],
  bridges: [
    {
      ...{ station: "rach-mieu-1", name: "Cầu Rạch Miễu", direction_vi: "Mỹ Tho → Bến Tre" },
      ...{ key: "rach-mieu-1/s/t", median_min: 5.2, at_least: true, share: 0.5 },
      worst: { value: 34, t: NOW, flag: 1 },
      over: [{ limit_min: 15, for_min: 48 }],
    },
  ],
  missing: { n: 999, expected: 1000, share: 0.999, worst: [{ key: "xh-01/x", n: 9, expected: 10, share: 0.9 }] },
};
const shift = shiftOf(answer, stations, "vi");
const table = (id: string): Table => {
  const found = [...shift.happened, ...shift.measured].find((one) => one.id === id);
  assert.ok(found !== undefined);
  return found;
};
const texts = (id: string): string[][] =>
  table(id).rows.map(({ cells }) => cells.map(({ text }) => text));

test("what is open says who took it, and leads to its page", () => {
  assert.deepEqual(texts("open"), [
    ["Xuân Hòa: MẶN 4,05 g/l, vượt 4,0 g/l. KHÔNG LẤY NƯỚC", "rất nghiêm trọng", "13:32", "CHƯA\u00a0AI"],
    ["queue", "nghiêm trọng", "14:32", "an lúc 14:32"],
  ]);
  assert.equal(table("open").rows[0]?.cells[0]?.href, "/canh-bao/a1");
  assert.equal(table("open").caption, "Đang mở: 2, chưa ai tiếp nhận: 1");
});

test("what happened is told with who did it; what was not loaded is counted", () => {
  assert.deepEqual(texts("events"), [["14:32", "tiếp nhận · nghiêm trọng", "queue", "an: gọi rồi"]]);
  assert.match(table("events").caption, /Còn 7 diễn biến nữa/);
  assert.deepEqual(texts("devices"), [
    ["Rạch Miễu (cam-01)", "trên 1 ngày trước", "chưa có lại", "512"],
  ]);
  assert.match(table("devices").rows[0]?.cells[0]?.href ?? "", /^\/cau\/rach-mieu-1#cam-01\/x@/);
});

test("the duty book is told in words, and since when it is kept", () => {
  assert.deepEqual(
    texts("entered").map(([, where, what]) => [where, what]),
    [
      ["Xuân Hòa", "đang lấy, cửa cống mở"],
      ["Xuân Hòa", "Đo tay: 1,20 g/l, đã vệ sinh"],
      ["Rạch Miễu", "Điều tiết: hai chiều"],
      ["", "Rủi ro do mặn: hết"],
    ],
  );
  assert.match(table("entered").caption, /Sổ chỉ giữ từ 22\/11\/2026 13:32\. Còn 3 mục nữa/);
});

test("figures stand with their doubt, their hour, and a bound as a bound", () => {
  assert.deepEqual(texts("extremes"), [["Xuân Hòa", "4,05 nghi ngờ", "6–7 h", "–", "", "99 %"]]);
  assert.deepEqual(texts("lines"), [["Cửa Tiểu", "4", "–", "–", "> 46,0", "quá Mỹ Tho"]]);
  assert.deepEqual(texts("bridges"), [
    ["Rạch Miễu: Mỹ Tho → Bến Tre", "5", "> 34", "14:32", "48", "50 %"],
  ]);
  assert.equal(table("missing").caption, "Số liệu thiếu: có 99 % (999/1000)", "never rounded up");
});

test("a service without a past says so, table by table", () => {
  const nothing = shiftOf({ from: SIX, to: NOW, now: NOW }, [], "en");
  for (const { rows, none, caption } of [...nothing.happened, ...nothing.measured]) {
    assert.deepEqual(rows, []);
    assert.ok(none !== "" && caption !== "");
    assert.doesNotMatch(caption + none, /undefined|NaN|\{/);
  }
});
