import assert from "node:assert/strict";
import { test } from "node:test";

import { adviceOf } from "../src/advice.ts";
import {
  CURVE,
  curveShape,
  enteredText,
  gatesOf,
  gateThen,
  type Gate,
  headText,
  newestOf,
  nextText,
  reasonText,
  sorted,
  untilText,
  windowsText,
} from "../src/gateboard.ts";
import type { Fields } from "../src/held.ts";
import { reading } from "../src/model.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = { language: "vi", now_ms: NOW } as const;

const told = (more: Fields = {}): Fields => ({
  ...{ intake: "xuan-hoa", take: true, row: 12, until: NOW + HOUR },
  text_vi: "Cống Xuân Hòa: CÓ THỂ LẤY NƯỚC, đo lại trước khi lấy.",
  ...more,
});

function gate(more: Fields = {}): Gate {
  const none = { value: null, why: "not-measured", why_vi: "không có máy đo" };
  const outside = { value: 1.2, t: NOW - MINUTE, st: "live", flag: 1, station: "xuan-hoa", key: "xh-01/s" };
  const [found] = gatesOf({
    gates: [
      {
        ...{ intake: "xuan-hoa", name: "Cống Xuân Hòa", limit_g_l: 2, windows_key: "xh-01/s" },
        outside: { salinity: outside, level: none },
        inside: { salinity: none, level: none },
        head: { m: null, why: "no-inner-gauge", why_vi: "không có thước nước phía trong" },
        ...{ advice: told(), state: null, windows: [], next: null, next_why: "not-fitting" },
        ...more,
      },
    ],
  });
  assert.ok(found !== undefined);
  return found;
}

const state = (taking: boolean, stands: string): Fields => {
  return { state: { ver: 3, taking, gate: stands, t: NOW - 2 * HOUR } };
};

test("water that comes in where it should not goes before all else", () => {
  const closed = { advice: told({ take: false, row: 4 }) };
  const gates = [
    gate({ ...state(true, "open"), intake: "fine" }),
    gate({ ...closed, ...state(false, "closed"), intake: "shut" }),
    gate({ intake: "may" }),
    gate({ advice: null, intake: "unknown" }),
    gate({ ...closed, ...state(false, "open"), intake: "open-and-salt" }),
    gate({ advice: null, ...state(true, ""), intake: "taking-and-unknown" }),
  ];
  const order = sorted(gates, [], NOW).map(({ gate: one, need }) => [one.id, need]);
  assert.deepEqual(order, [
    ["open-and-salt", "close"],
    ["taking-and-unknown", "close"],
    ["may", "begin"],
    ["unknown", "ask"],
    ["fine", "none"],
    ["shut", "none"],
  ]);
  // A permission that is over is none, and the one that was polled goes before the board's.
  assert.equal(sorted([gate()], [], NOW + 2 * HOUR)[0]?.standing, "unknown");
  const polled = adviceOf({ items: [told({ take: false, row: 4 })] });
  assert.equal(sorted([gate()], polled, NOW)[0]?.standing, "no");
});

test("the reason never permits what the large word does not", () => {
  const reason = (more: Fields, now_ms = NOW): string =>
    reasonText(adviceOf({ items: [told(more)] })[0] ?? null, gate(), { ...at, now_ms });
  assert.equal(reason({}), "CÓ THỂ LẤY NƯỚC, đo lại trước khi lấy.");
  assert.equal(reason({}, NOW + 2 * HOUR), "hết hạn lúc 15:32");
  assert.doesNotMatch(reason({ sim: true }), /CÓ THỂ/);
  assert.doesNotMatch(reason({ until: null }), /CÓ THỂ/);
  assert.equal(reasonText(null, gate(), at), "Máy chủ chưa có lời khuyên.");
  const stop = adviceOf({ items: [told({ take: false, row: 6, stop_by: NOW + MINUTE })] })[0] ?? null;
  assert.equal(untilText(stop, "stop", at), "ngưng trước 14:33 · sau 15:32: chưa rõ");
  const no = adviceOf({ items: [told({ take: false, row: 4 })] })[0] ?? null;
  assert.equal(untilText(no, "no", at), "sau 15:32: chưa rõ", "nothing is allowed from then on");
  const may = adviceOf({ items: [told()] })[0] ?? null;
  assert.equal(untilText(may, "may", at), "đến 15:32");
});

test("what its crew said stands with its time; where nobody has, that is said", () => {
  assert.equal(
    enteredText(gate(state(true, "open")), at),
    "đang lấy, cửa cống mở · ghi lúc 12:32, cách đây 2 giờ",
  );
  assert.equal(enteredText(gate(), at), "Chưa ai ghi cống đóng hay mở");
});

test("head, windows and the next one, or why there is none", () => {
  assert.equal(headText(gate(), "vi"), "không có thước nước phía trong");
  assert.equal(headText(gate({ head: { m: -0.12 } }), "vi"), "−0,12 m, trong cao hơn");
  assert.equal(windowsText(gate(), at), "25 giờ qua không lúc nào dưới 2 g/l.");
  const windows = [{ from: NOW - 3 * HOUR, to: NOW, min_g_l: 0.42, goes_on: true }];
  assert.equal(windowsText(gate({ windows }), at), "25 giờ qua dưới 2 g/l: 11:32 – nay (thấp nhất 0,42).");
  const next = { from: NOW + HOUR, to: NOW + 2 * HOUR, min_g_l: 0.4, basis_vi: "tham khảo" };
  assert.equal(nextText(gate({ next }), at), "Lần tới (tham khảo): 15:32 – 16:32, thấp nhất khoảng 0,40 g/l.");
  assert.match(nextText(gate(), at), /không khớp/);
});

test("the socket's reading of the same series stands in place of the board's", () => {
  const live = reading({ k: "xh-01/s", v: 1.5, t: NOW, st: "live", q: 1 });
  const { salinity, level } = gate().outside;
  assert.equal(newestOf(salinity, new Map([["xh-01/s", live]]))?.value, 1.5);
  assert.equal(newestOf(salinity, new Map())?.value, 1.2);
  assert.equal(newestOf(level, new Map([["", live]])), null);
});

test("of the past nothing is shown that is of the present", () => {
  const desk = { intakes: { "xuan-hoa": { ver: 1, taking: true, gate: "open", t: NOW - HOUR } } };
  const next = { from: NOW, to: NOW + HOUR, min_g_l: 0.4 };
  const then = gateThen(gate({ ...state(false, "closed"), next, head: { m: 0.2 } }), desk);
  assert.equal(newestOf(then.outside.salinity, new Map()), null);
  const live = reading({ k: "xh-01/s", v: 0.7, t: NOW, st: "live", q: 1 });
  assert.equal(newestOf(then.outside.salinity, new Map([["xh-01/s", live]]))?.value, 0.7);
  assert.match(enteredText(then, at), /^đang lấy, cửa cống mở/);
  assert.deepEqual([then.advice, nextText(then, at)], [null, ""]);
  assert.equal(headText(then, "vi"), "không tính lại cho quá khứ");
  assert.match(windowsText(then, at), /^Đang xem lại/);
});

test("gaps of the curve are gaps, lone samples dots, and bad ones are left out", () => {
  const point = (minutes: number, value: number, flag = 1) => {
    return { t_ms: NOW - minutes * MINUTE, value, flag };
  };
  const points = [point(600, 1), point(590, 2), point(400, 3), point(390, 9, 4), point(10, 1, 3)];
  const shape = curveShape(points, 2, NOW, 30 * MINUTE);
  assert.ok(shape !== null);
  assert.equal(shape.good.match(/M/g)?.length, 2);
  assert.equal(shape.suspect.match(/M/g)?.length, 1);
  assert.equal(shape.max_g_l, 3);
  assert.ok(shape.limit_y > 0 && shape.limit_y < CURVE.height);
  assert.equal(curveShape([point(10, 1, 9)], 2, NOW, MINUTE), null);
  assert.equal(curveShape([point(60 * 26, 1)], 2, NOW, MINUTE), null, "older than the picture");
});
