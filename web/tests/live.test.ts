import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import type { Held } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import { backoff_ms, type Link, LiveClient } from "../src/live.ts";
import { CallError } from "../src/world.ts";
import { FakeWorld, type Frame } from "./world.ts";

let world: FakeWorld;
let client: LiveClient;
let state: Held;
let links: Link[];
let told: string[];
let occurred: string[];

beforeEach(() => {
  world = new FakeWorld();
  links = [];
  told = [];
  occurred = [];
  client = new LiveClient("ws://river/live", null, world, {
    onLink: (link) => links.push(link),
    onChange: (chan) => told.push(chan),
    onEvent: (occurrence) => occurred.push(occurrence.type),
  });
  state = client.subscribe({ chan: "state", max_hz: 4 });
});

const item = (v: number): Frame => ({ k: "vk-01/salinity_g_l", v, t: 1000, q: 1, st: "live" });
const value = (): unknown => state.items.get("vk-01/salinity_g_l")?.["v"];

function greet(): void {
  world.last.onopen?.();
  const [auth] = world.last.ofOp("auth");
  world.last.say({ op: "hello", id: auth?.["id"], role: "viewer", now: 5_000_000, ping_s: 20 });
}

function grant(recovered: boolean, sub = 7, pos = "e.1"): void {
  const asked = world.last
    .ofOp("sub")
    .filter((frame) => frame["chan"] === "state")
    .at(-1);
  world.last.say({ op: "sub_ok", id: asked?.["id"], sub, recovered, pos });
}

function open(): void {
  client.start();
  greet();
  grant(false);
  world.last.say({ op: "snap", sub: 7, more: false, pos: "e.1", items: [item(3.21)] });
}

const phase = (): string | undefined => links.at(-1)?.phase;

test("authenticates, subscribes and is live only when the snapshot is whole", () => {
  client.start();
  assert.equal(phase(), "connecting");
  greet();
  assert.deepEqual(world.last.ofOp("auth"), [{ op: "auth", id: 1 }]);
  assert.deepEqual(world.last.ofOp("sub"), [
    { op: "sub", id: 2, chan: "state", where: {}, max_hz: 4 },
  ]);
  grant(false);
  world.last.say({ op: "snap", sub: 7, more: true, pos: "e.1", items: [item(3.21)] });
  assert.equal(value(), undefined);
  assert.equal(phase(), "connecting");
  const other = { k: "xh-01/salinity_g_l", v: 1 };
  world.last.say({ op: "snap", sub: 7, more: false, pos: "e.1", items: [other] });
  assert.equal(value(), 3.21);
  assert.equal(state.items.size, 2);
  assert.equal(phase(), "live");
});

test("a delta merges fields, null removes one, a new key comes whole, del removes keys", () => {
  open();
  world.last.say({
    op: "delta",
    sub: 7,
    from: "e.1",
    pos: "e.4",
    set: [
      { k: "vk-01/salinity_g_l", v: 3.3, q: null },
      { k: "xh-01/salinity_g_l", v: 0.4 },
    ],
    del: [],
  });
  assert.deepEqual(state.items.get("vk-01/salinity_g_l"), {
    k: "vk-01/salinity_g_l",
    v: 3.3,
    t: 1000,
    st: "live",
  });
  assert.deepEqual(state.items.get("xh-01/salinity_g_l"), { k: "xh-01/salinity_g_l", v: 0.4 });
  assert.equal(state.position, "e.4");
  const gone = ["xh-01/salinity_g_l"];
  world.last.say({ op: "delta", sub: 7, from: "e.4", pos: "e.5", set: [], del: gone });
  assert.equal(state.items.has("xh-01/salinity_g_l"), false);
});

test("a delta that does not follow our position is not applied: subscribe again with it", () => {
  open();
  world.last.say({ op: "delta", sub: 7, from: "e.3", pos: "e.4", set: [item(9)], del: [] });
  assert.equal(value(), 3.21);
  assert.equal(world.last.ofOp("unsub").at(-1)?.["sub"], 7);
  assert.equal(world.last.ofOp("sub").at(-1)?.["pos"], "e.1");
  // What still comes for the old subscription is not ours any more.
  world.last.say({ op: "delta", sub: 7, from: "e.1", pos: "e.2", set: [item(8)], del: [] });
  assert.equal(value(), 3.21);
  grant(true, 8);
  world.last.say({ op: "delta", sub: 8, from: "e.1", pos: "e.4", set: [item(9)], del: [] });
  assert.equal(value(), 9);
});

test("after a second fault in a row it asks for a whole snapshot", () => {
  open();
  world.last.say({ op: "delta", sub: 7, from: "e.3", pos: "e.4", set: [item(9)], del: [] });
  grant(true, 8);
  world.last.say({ op: "delta", sub: 8, from: "e.3", pos: "e.4", set: [item(9)], del: [] });
  assert.equal("pos" in (world.last.ofOp("sub").at(-1) ?? {}), false);
});

test("a ping is answered, and shows a lost last delta by its position", () => {
  open();
  world.last.say({ op: "ping", now: 5_000_100, pos: { "7": "e.1" } });
  assert.equal(world.last.ofOp("pong").length, 1);
  assert.equal(world.last.ofOp("sub").length, 1);
  world.last.say({ op: "ping", now: 5_000_200, pos: { "7": "e.2" } });
  assert.equal(world.last.ofOp("pong").length, 2);
  assert.equal(world.last.ofOp("sub").at(-1)?.["pos"], "e.1");
});

test("pages of two snapshots are never mixed", () => {
  client.start();
  greet();
  grant(false);
  world.last.say({ op: "snap", sub: 7, more: true, pos: "e.1", items: [item(1)] });
  world.last.say({ op: "snap", sub: 7, more: false, pos: "e.2", items: [] });
  assert.equal(state.items.size, 0);
  assert.equal(world.last.ofOp("sub").length, 2);
  assert.notEqual(phase(), "live");
});

test("a reset drops what is held; the snapshot that follows is taken", () => {
  open();
  world.last.say({ op: "reset", sub: 7, why: "epoch" });
  assert.equal(state.items.size, 0);
  assert.equal(state.position, null);
  world.last.say({ op: "snap", sub: 7, more: false, pos: "f.1", items: [item(2)] });
  assert.equal(value(), 2);
  world.last.say({ op: "delta", sub: 7, from: "f.1", pos: "f.2", set: [item(2.5)], del: [] });
  assert.equal(value(), 2.5);
});

test("reconnects with its position; recovered goes on from what is held", () => {
  open();
  world.last.onclose?.(1006, "");
  assert.equal(phase(), "lost");
  assert.equal(value(), 3.21, "the last figures stay, under the sign that the link is gone");
  world.pass(500);
  assert.equal(world.sockets.length, 2);
  greet();
  assert.equal(world.last.ofOp("sub")[0]?.["pos"], "e.1");
  grant(true, 3);
  assert.equal(phase(), "live");
  world.last.say({ op: "delta", sub: 3, from: "e.1", pos: "e.9", set: [item(4)], del: [] });
  assert.equal(value(), 4);
});

test("not recovered: the snapshot replaces everything, so the screen equals a fresh load", () => {
  open();
  world.last.onclose?.(4001, "shutting down");
  world.pass(500);
  greet();
  grant(false, 3, "f.1");
  const other = { k: "xh-01/salinity_g_l", v: 1 };
  world.last.say({ op: "snap", sub: 3, more: false, pos: "f.1", items: [other] });
  assert.deepEqual([...state.items.keys()], ["xh-01/salinity_g_l"]);
  assert.equal(phase(), "live");
});

test("silence of one and a half ping intervals is a lost link, any frame is a word", () => {
  open();
  world.pass(29_000);
  world.last.say({ op: "ping", now: 5_029_000, pos: { "7": "e.1" } });
  world.pass(29_900);
  assert.equal(phase(), "live");
  world.pass(200);
  assert.equal(phase(), "lost");
  assert.equal(world.sockets[0]?.closed, true);
});

test("a page that was put to sleep hears first what came meanwhile", () => {
  open();
  world.sleep(60_000);
  assert.equal(phase(), "live");
  world.last.say({ op: "ping", now: 5_060_000, pos: { "7": "e.1" } });
  world.pass(2_000);
  assert.equal(phase(), "live");
  assert.equal(world.sockets.length, 1);
  world.sleep(60_000);
  world.pass(1_000);
  assert.equal(phase(), "lost");
});

test("no greeting in time is a lost link too", () => {
  client.start();
  world.last.onopen?.();
  world.pass(10_000);
  assert.equal(phase(), "lost");
});

test("backoff is full jitter, from 1 s doubling to 60 s, and begins anew after a steady link", () => {
  assert.deepEqual(
    [0, 1, 2, 5, 6, 60].map((n) => backoff_ms(n, 1)),
    [1000, 2000, 4000, 32_000, 60_000, 60_000],
  );
  assert.equal(backoff_ms(6, 0.25), 15_000);
  const waits: number[] = [];
  client.start();
  for (let n = 0; n < 3; n += 1) {
    world.last.onclose?.(1006, "");
    const link = links.at(-1);
    assert.ok(link?.phase === "lost");
    waits.push(link.retryAt_ms - world.now());
    world.pass(link.retryAt_ms - world.now());
  }
  assert.deepEqual(waits, [500, 1000, 2000]);
  greet();
  grant(false);
  world.last.say({ op: "snap", sub: 7, more: false, pos: "e.1", items: [] });
  world.pass(10_000);
  world.last.onclose?.(1006, "");
  const link = links.at(-1);
  assert.ok(link?.phase === "lost");
  assert.equal(link.retryAt_ms - world.now(), 500);
});

test("close codes 4400 to 4499 stop and tell, others come back", () => {
  for (const code of [1000, 1006, 1011, 4000, 4001, 4008, 4012, 4099]) {
    open();
    world.last.onclose?.(code, "");
    assert.equal(phase(), "lost", String(code));
  }
  for (const code of [4400, 4401, 4403, 4408, 4429, 4499]) {
    open();
    const made = world.sockets.length;
    world.last.onclose?.(code, "why");
    assert.deepEqual(links.at(-1), { phase: "stopped", code, reason: "why" });
    world.pass(600_000);
    assert.equal(world.sockets.length, made);
  }
});

test("a refused subscription stops and tells", () => {
  client.start();
  greet();
  const id = world.last.ofOp("sub")[0]?.["id"];
  world.last.say({ op: "err", id, code: 403, msg: "not yours" });
  assert.deepEqual(links.at(-1), { phase: "stopped", code: 4403, reason: "not yours" });
});

test("alerts: an event is applied in order, and a normal alert leaves", () => {
  const alerts = client.subscribe({ chan: "alerts" });
  open();
  const id = world.last.ofOp("sub")[1]?.["id"];
  world.last.say({ op: "sub_ok", id, sub: 9, recovered: false, pos: "a.1" });
  const raised = { id: "x", rule: "salinity-4", state: "unacked", value: 4.1 };
  const shelved = { ...raised, shelved_until: 9, shelved_why: "sửa đầu đo" };
  world.last.say({ op: "snap", sub: 9, more: false, pos: "a.1", items: [shelved] });
  const acked = { ...raised, state: "acked", ver: 2 };
  world.last.say({ op: "event", sub: 9, from: "a.1", pos: "a.2", type: "acked", alert: acked });
  assert.deepEqual(alerts.items.get("x"), acked, "what an event no longer says is over");
  const over = { id: "x", state: "normal" };
  world.last.say({ op: "event", sub: 9, from: "a.2", pos: "a.3", type: "cleared", alert: over });
  assert.equal(alerts.items.size, 0);
  assert.deepEqual(occurred, ["acked", "cleared"]);
  const late = { op: "event", sub: 9, from: "a.4", pos: "a.5", type: "raised", alert: raised };
  world.last.say(late);
  assert.equal(alerts.items.size, 0, "a gap in a lossless channel is never glossed over");
  assert.deepEqual(occurred, ["acked", "cleared"]);
  assert.equal(world.last.ofOp("sub").at(-1)?.["pos"], "a.3");
});

test("a call is answered by its id: ret, err, or the link that broke", async () => {
  open();
  const first = client.call("alert.ack", { id: "x", ver: 3 });
  const second = client.call("alert.ack", { id: "y", ver: 1 });
  const third = client.call("alert.ack", { id: "z", ver: 1 });
  const [a, b] = world.last.ofOp("call");
  assert.deepEqual(a?.["p"], { id: "x", ver: 3 });
  world.last.say({ op: "err", id: b?.["id"], code: 409, msg: "stale" });
  world.last.say({ op: "ret", id: a?.["id"], ok: { ver: 4 } });
  assert.deepEqual(await first, { ver: 4 });
  await assert.rejects(second, (e) => e instanceof CallError && e.code === 409);
  world.last.onclose?.(1006, "");
  await assert.rejects(third, (e) => e instanceof CallError && e.code === 0);
});

test("what is not live.v1 ends the connection; unknown words are ignored", () => {
  open();
  world.last.say({ op: "weather", sub: 7, rain: true });
  assert.equal(phase(), "live");
  world.last.onmessage?.("<html>");
  assert.equal(phase(), "lost");
});

test("the service's clock is taken from the fastest frames of late", () => {
  open();
  const at_ms = world.now();
  assert.equal(client.clock.at(at_ms), 5_000_000);
  world.pass(10_000);
  world.last.say({ op: "ping", now: 5_009_600, pos: {} });
  assert.equal(client.clock.at(world.now()), 5_010_000);
  assert.equal(client.clock.delay_ms, 400);
});

test("a pass is asked for before each connection, and one that comes too late is let go", async () => {
  const asked: ((pass: string | null) => void)[] = [];
  const pass = (): Promise<string | null> => new Promise((resolve) => asked.push(resolve));
  const officer = new LiveClient("ws://river/live", pass, world, {
    onLink: (link) => links.push(link),
    onChange: () => undefined,
    onEvent: () => undefined,
  });
  officer.start();
  assert.equal(world.sockets.length, 0);
  officer.restart();
  asked[0]?.("ticket_old");
  asked[1]?.("ticket_new");
  await Promise.resolve();
  assert.equal(world.sockets.length, 1);
  world.last.onopen?.();
  assert.deepEqual(world.last.sent, [{ op: "auth", id: 1, token: "ticket_new" }]);
  world.last.onclose?.(1006, "");
  assert.equal(phase(), "lost");
  world.pass(60_000);
  assert.equal(asked.length, 3);
});

test("who is refused a pass stops, and a service that gives none is asked again", async () => {
  const answers = [new HttpError(0, "no network"), new CallError(401, "")];
  const officer = new LiveClient(
    "ws://river/live",
    () => Promise.reject(answers.shift() ?? new Error("asked once too often")),
    world,
    { onLink: (link) => links.push(link), onChange: () => undefined, onEvent: () => undefined },
  );
  officer.start();
  await new Promise(setImmediate);
  assert.equal(phase(), "lost");
  world.pass(60_000);
  await new Promise(setImmediate);
  assert.deepEqual(links.at(-1), { phase: "stopped", code: 4401, reason: "" });
  assert.equal(world.sockets.length, 0);
});
