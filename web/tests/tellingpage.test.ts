import assert from "node:assert/strict";
import { test } from "node:test";

import type { Fields } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import { MENU, menuOf } from "../src/routes.ts";
import { localField } from "../src/shelving.ts";
import { shiftEntry } from "../src/shiftentries.ts";
import { actsOf, deciding, moving } from "../src/tellingdoings.ts";
import {
  bodyOf,
  castsOf,
  count,
  eventsOf,
  leftText,
  money,
  needsOf,
  placeText,
  reachLines,
  smsOf,
  type Written,
  wayText,
} from "../src/tellingmodel.ts";
import { channelTable, dayTable, subscriberTable, undeliveredTable } from "../src/tellingtables.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32);
const MINUTE = 60_000;
const DAY = 86_400_000;
const at = { language: "vi", now_ms: NOW } as const;
const names = new Map([["xuan-hoa", "Cống Xuân Hòa"]]);

const channel = (more: Fields = {}): Fields => ({
  ...{ name: "sms", kind: "sms", way: "closed", trouble: null, again: null },
  ...{ waiting: 0, oldest: null, put_off: {}, held: {}, budget: 20_000, spent: 100 },
  ...{ month: { sent: 100, delivered: 90, undelivered: 2, parts: 100, cost: 40_000 } },
  ...{ cost_per_part: 400, rate_per_s: 20, per_s: 18.4, left_s: 0, last_success: NOW, ...more },
});
const told = (...channels: Fields[]): Fields => ({ now: NOW, channels, days: [], subscribers: [] });
const kinds = (...channels: Fields[]): string[] =>
  needsOf(told(...channels), at).map(({ kind }) => kind);

test("what goes by itself needs nobody, and what does not comes with the gravest first", () => {
  assert.deepEqual(kinds(channel()), []);
  assert.deepEqual(needsOf(null, at), []);
  const held = channel({ held: { budget: 40, "same-event": 3 }, spent: 19_000 });
  const down = channel({ name: "zalo", trouble: "status 503", again: NOW + 90_000, budget: null });
  assert.deepEqual(kinds(held, down), ["channel", "held", "budget"]);
  const [first, second, third] = needsOf(told(held, down), at);
  assert.equal(first?.text, "Kênh zalo không gửi được: tổng đài báo lỗi 503. Tự thử lại lúc 14:33.");
  assert.deepEqual([second?.held, second?.channel], [40, "sms"]);
  assert.match(third?.text ?? "", /95%.*19\.000\/20\.000/);
});

test("why nothing goes is said in plain words, and what is not known as it is", () => {
  const said = (trouble: string): string => wayText(trouble, "vi");
  assert.equal(said("no answer: ConnectionRefusedError"), "không nối được tới tổng đài");
  assert.equal(said("no answer: OSError"), "tổng đài không trả lời: OSError");
  assert.equal(said("no answer within 10 s"), "tổng đài không trả lời trong 10 giây");
  assert.equal(said("status 502, an answer that can't be read"), "tổng đài trả lời không đọc được (mã 502)");
  assert.equal(said("out of money"), "out of money");
});

test("what a digest holds waits for nobody; a budget of nothing is spent", () => {
  assert.deepEqual(kinds(channel({ held: { daily: 9 } })), []);
  assert.deepEqual(kinds(channel({ budget: 0, spent: 0 })), ["spent"]);
  assert.deepEqual(kinds(channel({ budget: 100, spent: 79 })), []);
  assert.deepEqual(kinds(channel({ budget: 100, spent: 80 })), ["budget"]);
});

test("a queue that has stood for long is told, unless its channel is told already", () => {
  const old = { waiting: 300, oldest: NOW - 40 * MINUTE };
  assert.deepEqual(kinds(channel(old)), ["slow"]);
  assert.deepEqual(kinds(channel({ ...old, trouble: "no answer" })), ["channel"]);
});

test("figures are grouped, and money is đồng", () => {
  assert.equal(count(1_968_000, "vi"), "1.968.000");
  assert.equal(count(999, "en"), "999");
  assert.equal(money(1_968_000, "en"), "1,968,000 đ");
  assert.equal(leftText(12.2, "vi"), "13 giây");
  assert.equal(leftText(3700, "en"), "1 h 1 min");
});

test("channels are a table with what is held by why", () => {
  const table = channelTable(told(channel({ held: { budget: 40, daily: 50 }, waiting: 5, left_s: 9 })), "vi");
  const [row] = table.rows;
  const texts = row?.cells.map(({ text }) => text) ?? [];
  assert.equal(texts.length, table.columns.length);
  assert.deepEqual(texts.slice(0, 4), ["sms", "tốt", "5", "9 giây"]);
  assert.equal(texts[5], "50 đã đủ tin trong ngày, 40 hết ngân sách");
  assert.equal(texts[9], "40.000 đ");
  assert.equal(channelTable(null, "vi").rows.length, 0);
});

test("subscribers by place with their crops, days and the undelivered", () => {
  const answer = {
    subscribers: [{ place: "xuan-hoa/field", people: 812, crops: { durian: 640, rice: 2 } }],
    people: { active: 4920, pending: 12, do_not_contact: 31 },
    days: [
      { day: "2026-11-22", channel: "sms", sent: 9, delivered: 8, undelivered: 1, dropped: 0, cost: 3600 },
    ],
  };
  const crops = new Map([["durian", "Sầu riêng"]]);
  const table = subscriberTable(answer, names, crops, "vi");
  assert.match(table.caption, /4\.920 người/);
  assert.deepEqual(
    table.rows[0]?.cells.map(({ text }) => text),
    ["Cống Xuân Hòa, trong đồng", "812", "Sầu riêng 640, rice 2"],
  );
  assert.equal(dayTable(answer, "vi").rows[0]?.cells[0]?.text, "22/11");
  const lost = { items: [{ t: NOW, contact: 417, channel: "sms", kind: "salt", place: "xuan-hoa/river", why: "gone", detail: "status 422", tries: 1 }] };
  const cells = undeliveredTable(lost, names, at).rows[0]?.cells.map(({ text }) => text);
  assert.deepEqual(cells?.slice(1, 6), ["417", "sms", "Mặn", "Cống Xuân Hòa, ngoài sông", "số không còn: tổng đài báo lỗi 422"]);
  assert.equal(placeText("nowhere", names, "en"), "nowhere");
});

const event = (more: Fields = {}): Fields => ({
  ...{ event: "e1", kind: "salt", t: NOW, places: ["xuan-hoa/river"], level: 500, people: 5000 },
  ...{ messages: 5000, waiting: 2900, put_off: 100, held: 0, sent: 1800, delivered: 198, undelivered: 2, dropped: 0 },
  ...{ left_s: 150, ...more },
});

test("an event says how far it is, and that it stands where a channel does", () => {
  const [one] = eventsOf({ items: [event()] }, names, at);
  assert.equal(one?.title, "Mặn, Cống Xuân Hòa, ngoài sông, mức 0,5 g/l");
  assert.equal(one?.done, 0.4);
  assert.equal(one?.doneText, "Đã xong 40%");
  assert.match(one?.far ?? "", /gửi 1\.998 · đến 198 · chờ 2\.900 · để sau 100/);
  assert.equal(one?.left, "còn khoảng 2 phút");
  const [stands] = eventsOf({ items: [event({ left_s: null })] }, names, at);
  assert.match(stands?.left ?? "", /đang đứng/);
  const [over] = eventsOf({ items: [event({ waiting: 0, put_off: 0, level: 0, kind: "bulletin" })] }, names, at);
  assert.deepEqual([over?.done, over?.left, over?.title], [1, "", "Bản tin, Cống Xuân Hòa, ngoài sông"]);
  const [held] = eventsOf({ items: [event({ waiting: 0, put_off: 0, held: 1 })] }, names, at);
  assert.equal(held?.doneText, "Đã xong 99%", "what is held is not done");
});

const raw = (more: Fields = {}): Fields => ({
  ...{ id: "b7", ver: 1, state: "proposed", title: "Tin mặn", text: "Mặn vào sâu.", issuer: "Đài" },
  ...{ issued: NOW - DAY, official: 2, places: ["xuan-hoa"], confirm_until: NOW + DAY, t: NOW },
  ...{ who: "An", sms: { text: "Tin man", length: 7, parts: 1, cut: true } },
  ...more,
});
const cast = (more: Fields = {}) => {
  const [found] = castsOf({ items: [raw(more)] }, names, at);
  assert.ok(found);
  return found;
};

test("what quiet hours keep for later has no time left to tell, and is not done", () => {
  const [night] = eventsOf({ items: [event({ waiting: 0, put_off: 5000, left_s: 0 })] }, names, at);
  assert.deepEqual([night?.left, night?.doneText], ["", "Đã xong 0%"]);
});

test("nobody is offered to confirm his own bulletin", () => {
  assert.deepEqual(actsOf(cast(), "An"), ["withdraw"]);
  assert.deepEqual(actsOf(cast(), "Bình"), ["confirm", "refuse"]);
  assert.equal(cast({ state: "lapsed" }).waits, false);
  assert.ok(cast().facts.includes("Gửi: Cống Xuân Hòa"));
  assert.ok(cast({ places: ["*"] }).facts.includes("Gửi: Tất cả các nơi"));
  const decided = { state: "sent", decided: { t: NOW, who: "Bình", note: "đúng" } };
  assert.ok(cast(decided).facts.some((line) => line.startsWith("đã gửi: Bình lúc ")));
});

test("who confirms reads what is sent, what else it says and what it costs", async () => {
  const second = [{ words: "dung", vi: "đọc thành dùng", en: "reads as use" }];
  const doubtful = cast({ sms: { text: "Dung lay", length: 8, parts: 1, cut: false, second } });
  const sent: [string, Fields][] = [];
  const doing = deciding(doubtful, "confirm", ["10 người, khoảng 4.000 đ"], "vi", async (path, body) => {
    sent.push([path, body]);
    return {};
  });
  for (const line of ["Dung lay", "“dung”: đọc thành dùng", "10 người, khoảng 4.000 đ"]) {
    assert.ok(doing.facts().includes(line), line);
  }
  assert.deepEqual(await doing.act({ note: "" }), { done: "Bản tin đang đi." });
  assert.deepEqual(sent, [["/api/v1/broadcasts/b7/confirm", { ver: 1, note: "" }]]);
  const refusing = deciding(cast(), "refuse", [], "vi", async () => {
    throw new HttpError(409, "it has changed");
  });
  assert.equal(refusing.fields[0]?.required, true, "a colleague is told why");
  const answer = await refusing.act({ note: "sai" });
  assert.equal("told" in answer && answer.again, false);
});

test("what is held goes by its channel, and that there is more is said", async () => {
  const [need] = needsOf(told(channel({ held: { budget: 40 } })), at);
  assert.ok(need);
  const paths: string[] = [];
  const doing = moving(need, "release", "vi", async (path) => {
    paths.push(path);
    return { moved: 5000, more: true };
  });
  assert.match(doing.facts()[0] ?? "", /40 tin, kênh sms/);
  assert.deepEqual(await doing.act({}), { done: "5.000 tin; còn nữa, hãy làm lại." });
  assert.deepEqual(paths, ["/api/v1/telling/release"]);
});

const written = (more: Partial<Written> = {}): Written => ({
  ...{ title: "Tin mặn", text: "Mặn vào sâu.", issuer: "Đài", note: "", official: "2" },
  ...{ issued: localField(NOW - DAY), valid_until: localField(NOW + DAY), places: ["*"] },
  ...more,
});

test("a bulletin is sent as it was written, or the field is named that will not do", () => {
  const found = bodyOf(written(), NOW);
  assert.ok("body" in found);
  assert.equal(found.body["official"], 2);
  assert.deepEqual(found.body["places"], ["*"]);
  assert.equal(found.body["issued"], NOW - DAY);
  const none = bodyOf(written({ official: "" }), NOW);
  assert.ok("body" in none && !("official" in none.body));
  const wrong = (more: Partial<Written>): string => {
    const answer = bodyOf(written(more), NOW);
    return "wrong" in answer ? answer.wrong : "";
  };
  assert.equal(wrong({ text: "  " }), "text");
  assert.equal(wrong({ places: [] }), "places");
  assert.equal(wrong({ issued: localField(NOW + MINUTE) }), "issued");
  assert.equal(wrong({ valid_until: "" }), "valid_until");
  assert.equal(wrong({ valid_until: localField(NOW - MINUTE) }), "valid_until");
  assert.equal(wrong({ valid_until: localField(NOW + 45 * DAY) }), "valid_until");
});

test("the preview says parts, people and money; before any there is nothing", () => {
  const sms = smsOf({ text: "Tin", length: 3, parts: 1, cut: false, second: [] }, "en");
  assert.deepEqual([sms.counted, sms.cut, sms.second], ["3 characters, 1 SMS", false, []]);
  assert.equal(smsOf(null, "vi").text, "");
  const answer = { people: 1015, cost: 400_000, channels: [{ channel: "sms", people: 1000, parts: 1 }] };
  assert.deepEqual(reachLines(answer, "vi"), ["1.015 người, khoảng 400.000 đ", "sms: 1.000 người × 1 tin"]);
  assert.deepEqual(reachLines(null, "vi"), []);
});

test("the menu leads officers there, and nobody else", () => {
  assert.ok(menuOf("operator").some(({ path }) => path === "/thong-bao"));
  assert.equal(menuOf("admin").length, MENU.length);
  assert.ok(menuOf("viewer").every(({ path }) => path !== "/thong-bao"));
});

test("a bulletin stands in the handover in words", () => {
  const said = shiftEntry("broadcast", { title: "Tin mặn", state: "sent" }, at);
  assert.equal(said, "Bản tin “Tin mặn”: đã gửi");
});
