import assert from "node:assert/strict";
import { test } from "node:test";

import { adviceOf } from "../src/advice.ts";
import { deskDoings, type EntryDesk } from "../src/deskdoings.ts";
import type { Doing } from "../src/doing.ts";
import type { Fields } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import { station } from "../src/model.ts";

const NOW = Date.UTC(2026, 10, 22, 7, 32);
const at = { language: "vi", now_ms: NOW } as const;
const HOUR = 3_600_000;

const stations = [
  station({ id: "vam-kenh", name: "Vàm Kênh", kind: "salinity", km_from_mouth: { "cua-tieu": 2 } }),
  station({
    ...{ id: "rach-mieu-1", name: "Cầu Rạch Miễu", kind: "traffic" },
    directions: { southbound: { vi: "Mỹ Tho → Bến Tre", en: "Mỹ Tho → Bến Tre" } },
  }),
];
const entered: Fields = {
  maintenance: [
    { id: "m1", station: "vam-kenh", from: NOW - HOUR, to: NOW + HOUR, reason: "thay đầu đo" },
    { id: "m0", station: "vam-kenh", from: 0, to: NOW - 1, reason: "xong" },
  ],
  bridges: { "rach-mieu-1": { station: "rach-mieu-1", ver: 3, modes: {} } },
  risk: [{ branch: "cua-tieu", ver: 2, level: 1, valid_until: NOW + HOUR }],
  intakes: { "cong-xuan-hoa": { ver: 5, taking: true, gate: "open", t: NOW - HOUR } },
};

type Sent = [method: string, path: string, body: Fields | null];

function at_desk(answers: (HttpError | null)[] = []): { desk: EntryDesk; sent: Sent[] } {
  const sent: Sent[] = [];
  const send = async (method: string, path: string, body: Fields | null): Promise<Fields> => {
    sent.push([method, path, body]);
    const problem = answers.shift() ?? null;
    if (problem !== null) throw problem;
    return {};
  };
  return { desk: { send }, sent };
}

function doing(id: string, desk: EntryDesk): Doing {
  const intakes = adviceOf({ items: [{ intake: "cong-xuan-hoa", name: "Xuân Hòa" }] });
  const found = deskDoings({ stations, entered, intakes }, at, desk).find((one) => one.id === id);
  assert.ok(found !== undefined);
  return found;
}

test("a window of maintenance is entered in Vietnam's time", async () => {
  const { desk, sent } = at_desk();
  const form = doing("maintenance", desk);
  assert.deepEqual(form.facts(), ["Vàm Kênh, 13:32 đến 15:32: thay đầu đo"]);
  const values = { station: "vam-kenh", from: "2026-11-22T14:32", to: "2026-11-22T16:32" };
  assert.deepEqual(await form.act({ ...values, reason: "rửa" }), { done: "Đã ghi vào sổ." });
  const body = { station: "vam-kenh", from: NOW, to: NOW + 2 * HOUR, reason: "rửa" };
  assert.deepEqual(sent, [["POST", "/api/v1/maintenance", body]]);
  const wrong = await form.act({ ...values, to: "2026-11-22T14:00", reason: "rửa" });
  assert.ok("told" in wrong && wrong.again);
  assert.equal(sent.length, 1);
});

test("a window is ended by its id; those that are over are not offered", async () => {
  const { desk, sent } = at_desk();
  const form = doing("maintenance-end", desk);
  assert.deepEqual(
    form.fields[0]?.choices?.map(({ value }) => value),
    ["m1"],
  );
  await form.act({ window: "m1" });
  assert.deepEqual(sent, [["DELETE", "/api/v1/maintenance/m1", null]]);
});

test("a mode goes to the bridge by the version that was seen, then by the newer one", async () => {
  const item = { station: "rach-mieu-1", ver: 4, modes: {} };
  const { desk, sent } = at_desk([new HttpError(409, "changed", { item })]);
  const form = doing("mode", desk);
  const until = NOW + HOUR;
  const values = { bridge: "rach-mieu-1/southbound", mode: "closed", until: "2026-11-22T15:32" };
  const first = await form.act({ ...values, reason: "điều tiết" });
  assert.ok("told" in first && first.again);
  assert.deepEqual(await form.act({ ...values, reason: "điều tiết" }), { done: "Đã ghi vào sổ." });
  const body = { mode: "closed", direction: "southbound", until, reason: "điều tiết" };
  assert.deepEqual(sent, [
    ["POST", "/api/v1/bridges/rach-mieu-1/mode", { ver: 3, ...body }],
    ["POST", "/api/v1/bridges/rach-mieu-1/mode", { ver: 4, ...body }],
  ]);
  const unsaid = await form.act({ ...values, reason: "" });
  assert.ok("told" in unsaid, "all but two-way need a reason");
});

test("two-way of both directions needs no end and no reason", async () => {
  const { desk, sent } = at_desk();
  const values = { bridge: "rach-mieu-1", mode: "two-way", until: "", reason: "" };
  await doing("mode", desk).act(values);
  assert.deepEqual(sent[0]?.[2], { ver: 3, mode: "two-way" });
});

test("an official level stands with its bulletin, and may be ended", async () => {
  const { desk, sent } = at_desk();
  const bulletin = { region: "Tiền Giang", bulletin: "XNM-12", title: "Tin", source: "Đài KTTV" };
  const times = { issued: "2026-11-22T14:32", "valid-until": "2026-11-22T15:32" };
  await doing("risk", desk).act({ branch: "cua-tieu", level: "2", ...bulletin, ...times });
  await doing("risk", desk).act({ branch: "*", level: "", ...bulletin, ...times });
  const told = { ...bulletin, issued: NOW, valid_until: NOW + HOUR };
  assert.deepEqual(
    sent.map(([, , body]) => body),
    [
      { ver: 2, branch: "cua-tieu", level: 2, ...told },
      { ver: 0, level: null, ...told },
    ],
  );
});

test("an intake by the version of what was last said of it; a refusal is told", async () => {
  const { desk, sent } = at_desk([new HttpError(422, "gate: unknown")]);
  const form = doing("intake", desk);
  const now = ["Xuân Hòa: đang lấy, cửa cống mở, ghi lúc 13:32"];
  assert.deepEqual(form.facts(), now, "what stands is before whoever changes it");
  const answer = await form.act({ intake: "cong-xuan-hoa", taking: "yes", gate: "unsaid" });
  assert.deepEqual(sent[0], [
    ...["POST", "/api/v1/intakes/cong-xuan-hoa"],
    { ver: 5, taking: true },
  ]);
  assert.deepEqual(answer, { told: "Máy chủ không nhận: gate: unknown", again: true });
});

test("an intake's form begins with what stands now, at the intake that is meant", async () => {
  const { desk, sent } = at_desk();
  const intakes = adviceOf({
    items: [
      { intake: "cong-xuan-hoa", name: "Xuân Hòa" },
      { intake: "vam-giong", name: "Vàm Giồng" },
    ],
  });
  const form = (intake: string): Doing => {
    const found = deskDoings({ stations, entered, intakes, intake }, at, desk);
    return found.find((one) => one.id === "intake") as Doing;
  };
  const values = (one: Doing): (string | undefined)[] => one.fields.map(({ value }) => value);
  assert.deepEqual(values(form("cong-xuan-hoa")), ["cong-xuan-hoa", "yes", "open"]);
  // Nobody has said anything of this one: nothing is chosen for him who does.
  const other = form("vam-giong");
  assert.deepEqual(values(other), ["vam-giong", "", ""]);
  assert.ok("told" in (await other.act({ intake: "vam-giong", taking: "", gate: "" })));
  assert.equal(sent.length, 0);
  assert.deepEqual(other.follow?.("intake", { intake: "cong-xuan-hoa" }), {
    ...{ taking: "yes", gate: "open" },
  });
  assert.deepEqual(other.follow?.("gate", { intake: "cong-xuan-hoa" }), {});
});

test("what can't be asked at all is for the dialog to tell", async () => {
  const { desk } = at_desk([new HttpError(403, "no")]);
  const refused = doing("maintenance-end", desk).act({ window: "m1" });
  await assert.rejects(refused, (error) => error instanceof HttpError && error.status === 403);
});
