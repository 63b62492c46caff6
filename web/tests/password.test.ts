import assert from "node:assert/strict";
import { test } from "node:test";

import type { Fields } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import { passwordDoing } from "../src/password.ts";

const TYPED = { old: "con nước rong", new: " mật khẩu khác ", again: " mật khẩu khác " };

function form(refused: HttpError | null = null) {
  const sent: unknown[] = [];
  const send = (...asked: [string, string, Fields]): Promise<Fields> => {
    sent.push(asked);
    return refused === null ? Promise.resolve({ name: "an" }) : Promise.reject(refused);
  };
  return { sent, doing: passwordDoing(send, () => "vi") };
}

test("what was typed is sent as it was typed", async () => {
  const { sent, doing } = form();
  assert.ok("done" in (await doing.act(TYPED)));
  const body = { old: TYPED.old, password: TYPED.new };
  assert.deepEqual(sent, [["POST", "/api/v1/session/password", body]]);
});

test("two that differ are not sent", async () => {
  const { sent, doing } = form();
  const answer = await doing.act({ ...TYPED, again: "mật khẩu khac" });
  assert.deepEqual(answer, { told: "Hai lần gõ mật khẩu mới không giống nhau.", again: true });
  assert.deepEqual(sent, []);
});

test("what is wrong is told, and a session that is over is for the dialog", async () => {
  const wrong = new HttpError(401, "", { type: "/docs/http#problem-wrong-password" });
  const cases: [HttpError, string][] = [
    [wrong, "Mật khẩu đang dùng không đúng."],
    [new HttpError(422, ""), "Mật khẩu mới phải có từ 10 đến 1000 ký tự."],
    [new HttpError(429, "", { retry_after_s: 7 }), "Đã sai nhiều lần. Thử lại sau 7 giây."],
    [new HttpError(503, ""), "Máy chủ đang bận, thử lại sau ít giây."],
  ];
  for (const [refused, told] of cases) {
    assert.deepEqual(await form(refused).doing.act(TYPED), { told, again: true });
  }
  const over = new HttpError(401, "", { type: "/docs/http#problem-unauthorized" });
  await assert.rejects(form(over).doing.act(TYPED), over);
});
