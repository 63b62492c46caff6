import assert from "node:assert/strict";
import { test } from "node:test";

import { type AlertDesk, alertDoings } from "../src/alertdoings.ts";
import type { Doing } from "../src/doing.ts";
import { asked } from "../src/doing.ts";
import { fold } from "../src/fold.ts";
import type { Fields } from "../src/held.ts";
import { type Alert, alert } from "../src/model.ts";
import { CallError } from "../src/world.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32);
const at = { language: "vi", now_ms: NOW } as const;
const HOUR = 3_600_000;

const make = (id: string, severity: string, more: Fields = {}): Alert =>
  alert({
    ...{ id, severity, k: "xh-01/salinity_g_l", quantity: "salinity_g_l", ask: "above" },
    ...{ state: "unacked", value: 4.3, limit: 4, ver: 3, t_since: NOW - HOUR, ...more },
  });

/** A service that refuses what it is told to, and knows newer versions. */
class Service implements AlertDesk {
  calls: [string, Fields][] = [];
  refuse = new Map<string, number>();
  newer = new Map<string, Alert>();

  async call(method: string, params: Fields): Promise<unknown> {
    this.calls.push([method, params]);
    const code = this.refuse.get(`${params["id"]} ${params["ver"]}`);
    if (code !== undefined) throw new CallError(code, "refused");
    return {};
  }

  async renew(id: string): Promise<Alert> {
    const found = this.newer.get(id);
    if (found === undefined) throw new Error("gone");
    return found;
  }

  now_ms(): number {
    return NOW;
  }
}

function doing(alerts: readonly Alert[], id: string, desk: AlertDesk): Doing {
  const { rows, aside } = fold(alerts);
  const [row] = [...rows, ...aside];
  assert.ok(row !== undefined);
  const found = alertDoings(row, undefined, at, desk).find((one) => one.id === id);
  assert.ok(found !== undefined, `${id} is offered`);
  return found;
}

const offered = (alerts: readonly Alert[]): string[] => {
  const { rows, aside } = fold(alerts);
  const [row] = [...rows, ...aside];
  return row === undefined ? [] : alertDoings(row, undefined, at, new Service()).map((d) => d.id);
};

test("what is offered follows from how the row stands", () => {
  assert.deepEqual(offered([make("a", "major")]), ["ack", "shelve", "note"]);
  assert.deepEqual(offered([make("a", "major", { state: "acked" })]), ["shelve", "note"]);
  assert.deepEqual(offered([make("a", "major", { state: "cleared-unacked" })]), ["ack", "note"]);
  const shelved = { shelved_until: NOW + HOUR, shelved_why: "sửa đầu đo" };
  assert.deepEqual(offered([make("a", "major", shelved)]), ["unshelve", "note"]);
});

test("a row is put aside with its rungs, until an hour from now, with the reason", async () => {
  const service = new Service();
  const rung = { suppressed: { why: "rung", by: "c" } };
  const shelve = doing([make("c", "critical"), make("m", "major", rung)], "shelve", service);
  const answer = await shelve.act({ until: "1h", "until-own": "", reason: " sửa đầu đo " });
  assert.deepEqual(answer, { done: "Đã tạm gác." });
  const params = { ver: 3, until: NOW + HOUR, reason: "sửa đầu đo" };
  assert.deepEqual(service.calls, [
    ["alert.shelve", { id: "c", ...params }],
    ["alert.shelve", { id: "m", ...params }],
  ]);
});

test("without a reason, or with an end of its own that has passed, nothing is asked", async () => {
  const service = new Service();
  const shelve = doing([make("c", "critical")], "shelve", service);
  for (const values of [
    { until: "4h", "until-own": "", reason: "  " },
    { until: "own", "until-own": "2026-11-22T14:00", reason: "sửa" },
  ]) {
    const answer = await shelve.act(values);
    assert.ok("told" in answer && answer.again);
  }
  assert.deepEqual(service.calls, []);
});

test("one's own end is asked for only where it is chosen", () => {
  const { fields } = doing([make("c", "critical")], "shelve", new Service());
  const names = (until: string): string[] => asked(fields, { until }).map((field) => field.name);
  assert.deepEqual(names("1h"), ["until", "reason"]);
  assert.deepEqual(names("own"), ["until", "until-own", "reason"]);
});

test("who comes second sees the newer version, and may send once more by that", async () => {
  const service = new Service();
  service.refuse.set("c 3", 409);
  service.newer.set("c", make("c", "critical", { ver: 4, state: "acked", message_vi: "mặn" }));
  const shelve = doing([make("c", "critical")], "shelve", service);
  const values = { until: "1h", "until-own": "", reason: "sửa" };
  const first = await shelve.act(values);
  assert.ok("told" in first && first.again);
  assert.match(shelve.facts().join(), /đã tiếp nhận/);
  assert.deepEqual(await shelve.act(values), { done: "Đã tạm gác." });
  assert.deepEqual(
    service.calls.map(([, { ver }]) => ver),
    [3, 4],
  );
});

test("what a colleague has done already is not asked for again", async () => {
  const service = new Service();
  service.refuse.set("c 3", 409);
  service.newer.set("c", make("c", "critical", { ver: 4, state: "acked" }));
  const ack = doing([make("c", "critical"), make("m", "major")], "ack", service);
  const answer = await ack.act({ note: "" });
  assert.ok("told" in answer && !answer.again);
  assert.match(answer.told, /Đã tiếp nhận 1/);
  assert.equal(service.calls.length, 2, "the rest went on");
});

test("of two who press at once the second is told who was first, where that is known", async () => {
  const service = new Service();
  service.refuse.set("c 3", 409);
  const taken = make("c", "critical", { ver: 4, state: "acked" });
  for (const [by, told] of [
    ["an", "an đã tiếp nhận trước."],
    ["", "Người khác đã tiếp nhận hoặc sửa trước. Xem lại cảnh báo này."],
  ] as const) {
    service.newer.set("c", { ...taken, by });
    const ack = doing([make("c", "critical")], "ack", service);
    assert.deepEqual(await ack.act({ note: "" }), { told, again: false });
  }
});

test("an alert that is gone ends it; a broken link is told as what it is", async () => {
  const service = new Service();
  service.refuse.set("c 3", 404);
  const answer = await doing([make("c", "critical")], "note", service).act({ note: "gọi" });
  assert.deepEqual(answer, { told: "Cảnh báo này không còn.", again: false });
  service.refuse.set("c 3", 0);
  const lost = doing([make("c", "critical")], "ack", service).act({ note: "" });
  await assert.rejects(lost, (error) => error instanceof CallError && error.code === 0);
});
