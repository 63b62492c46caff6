import assert from "node:assert/strict";
import { test } from "node:test";

import type { Fields } from "../src/held.ts";
import { DAY_MS, MINUTE_MS } from "../src/format.ts";
import { HttpError } from "../src/http.ts";
import { Past } from "../src/past.ts";
import { whyText } from "../src/reporting.ts";
import { Scenes } from "../src/scene.ts";
import { near } from "../src/history.ts";

const TRACK = { id: "main", key: "xh-01/salinity_g_l", expected_s: 900, shift_ms: 0 };
const WISH = { span_ms: DAY_MS, end_ms: null };
const NOW = 1_700_000_000_000;

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

test("a past that is played fast is asked for at the pace of who looks, not at its own", async (t) => {
  let reader_ms = 0;
  t.mock.method(performance, "now", () => reader_ms);
  let asked = 0;
  let answer = async (): Promise<Fields> => ({ points: [] });
  const scenes = new Scenes(new Past(() => ((asked += 1), answer())), () => undefined);
  const goOn = async (minutes: number): Promise<void> => {
    scenes.want(WISH, [TRACK], NOW + minutes * MINUTE_MS);
    await settled();
  };
  await goOn(0);
  assert.equal(asked, 1);
  reader_ms = 1500; // at 600x a quarter of an hour
  await goOn(15);
  assert.equal(asked, 1, "old by the time that is shown, and asked for a moment ago");
  reader_ms = 6000;
  answer = async () => Promise.reject(new HttpError(503, "busy"));
  await goOn(60);
  assert.equal(asked, 2);
  assert.ok(scenes.problem instanceof HttpError);
  reader_ms = 12_000;
  await goOn(120);
  assert.equal(asked, 2, "what failed is left alone for a while");
  scenes.renew();
  await goOn(121);
  assert.equal(asked, 3, "another moment, or a link that is back, is asked for at once");
});

test("why something could not be asked is said in the reader's language", () => {
  assert.equal(whyText(new HttpError(0, "Failed to fetch"), "vi"), "máy chủ không trả lời");
  assert.equal(whyText(new HttpError(429, "Too Many Requests"), "en"), "asked too often, wait a little");
  assert.equal(whyText(new HttpError(503, "…"), "vi"), "máy chủ gặp lỗi 503");
  assert.equal(whyText(new HttpError(422, "from: must be before to"), "vi"), "from: must be before to");
});

test("what stood a tide before one value is not set beside one of another time", () => {
  const gap_ms = 45 * MINUTE_MS;
  assert.ok(near(NOW, NOW - 10 * MINUTE_MS, gap_ms));
  assert.ok(!near(NOW, NOW - 20 * MINUTE_MS, gap_ms));
  assert.ok(!near(NOW - DAY_MS, NOW, gap_ms), "nor where one went back in time");
});
