// The live.v1 client, without DOM: link, subscriptions, calls. What it is given of the outside
// world (socket, monotonic clock, timers, chance) comes as `World`, so that tests own time.

import { ServiceClock } from "./clock.ts";
import { type Fields, Held, type Verdict } from "./held.ts";
import type { Rewind } from "./rewind.ts";
import { watchSilence } from "./silence.ts";
import { CallError, GREETING_MS, parsed, rows, type Socket, type World } from "./world.ts";

export type Link =
  | { phase: "connecting" }
  | { phase: "live" }
  | { phase: "lost"; retryAt_ms: number }
  | { phase: "stopped"; code: number; reason: string };

export interface Occurrence {
  type: string;
  alert: Fields;
  frame: Fields;
}

export interface Events {
  onLink(link: Link): void;
  /** Something held by the subscription changed. */
  onChange(chan: string): void;
  onEvent(occurrence: Occurrence): void;
}

export interface Wish {
  chan: "state" | "alerts";
  where?: Record<string, readonly string[]>;
  max_hz?: number;
}

interface Subscription {
  wish: Wish;
  held: Held;
  number: number | null;
  request: number | null;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: CallError): void;
}

const FIRST_BACKOFF_MS = 1000;
const LAST_BACKOFF_MS = 60_000;
const STEADY_MS = 10_000; // a link that held this long starts its backoff anew
const CALL_MS = 15_000;
const DEFAULT_PING_S = 20;
const SILENCE = 1.5; // times ping_s without any frame: the link is gone

/** What is shown at the door: a token, nobody (null), or whatever is good at that moment. */
export type Pass = string | null | (() => Promise<string | null>);

export const STOPPED_BY_REFUSAL = 4400;

/** Full jitter: anywhere between at once and the doubled bound. */
export function backoff_ms(attempt: number, random: number): number {
  return random * Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(attempt, 16));
}

export class LiveClient {
  readonly clock = new ServiceClock();
  role = "";
  name = "";
  /** What the past that is shown rests on: recorded, rebuilt or none; null in the present. */
  source: string | null = null;
  /** How fast the time goes that is shown. */
  speed = 1;
  private socket: Socket | null = null;
  private subscriptions: Subscription[] = [];
  private calls = new Map<number, Pending>();
  private lastId = 0;
  private authId = 0;
  private ping_s = DEFAULT_PING_S;
  private attempt = 0;
  /** Of whoever asks for a pass: what comes after another start is of before. */
  private turn = 0;
  private heard_ms: number | null = null;
  private cancelWatch: (() => void) | null = null;
  private cancelRetry: (() => void) | null = null;
  private cancelSteady: (() => void) | null = null;
  private link: Link = { phase: "connecting" };

  constructor(
    private readonly url: string,
    private readonly pass: Pass,
    private readonly world: World,
    private readonly events: Events,
    /** The moment of the past that is to be shown; null for the present. */
    private readonly past: () => Rewind | null = () => null,
  ) {}

  get phase(): Link["phase"] {
    return this.link.phase;
  }

  /** Monotonic time of the last frame of all, ms; null before the first. */
  get lastHeard_ms(): number | null {
    return this.heard_ms;
  }

  subscribe(wish: Wish): Held {
    const held = new Held(wish.chan === "alerts" ? "id" : "k");
    const subscription = { wish, held, number: null, request: null };
    this.subscriptions.push(subscription);
    if (this.role !== "") this.ask(subscription);
    return held;
  }

  start(): void {
    this.close();
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.tell({ phase: "connecting" });
    if (typeof this.pass !== "function") return this.connect(this.pass);
    const turn = ++this.turn;
    const mine = (act: () => void) => (): void => (turn === this.turn ? act() : undefined);
    this.pass().then(
      (token) => mine(() => this.connect(token))(),
      (error: unknown) => mine(() => this.turnedAway(error))(),
    );
  }

  private connect(token: string | null): void {
    const socket = this.world.connect(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.authId = ++this.lastId;
      const past = this.past();
      const then = past === null ? {} : { at: Math.floor(past.at_ms), speed: past.speed };
      this.send({ op: "auth", id: this.authId, ...(token ? { token } : {}), ...then });
    };
    socket.onmessage = (text) => this.receive(text);
    socket.onclose = (code, reason) => this.closed(code, reason);
    this.watch(GREETING_MS);
  }

  /** There was nothing to show at the door: refused, or it could not be asked for. */
  private turnedAway(error: unknown): void {
    const code = error instanceof CallError ? error.code : 0;
    if (code === 0) return this.lost();
    this.tell({ phase: "stopped", code: STOPPED_BY_REFUSAL - 400 + code, reason: "" });
  }

  /** Stop for good; nothing is told any more. */
  stop(): void {
    this.close();
    this.cancelRetry?.();
    this.cancelRetry = null;
  }

  /** Go on as somebody else, over a new connection; `afresh` with nothing of before. */
  restart(afresh = false): void {
    this.attempt = 0;
    // A position belongs to the moment that was shown.
    if (afresh) for (const { held } of this.subscriptions) held.reset();
    this.start();
  }

  /** The person does not want to wait, or the machine says that its network is back. */
  retryNow(): void {
    if (this.link.phase === "lost") this.start();
  }

  call(method: string, params: Fields): Promise<unknown> {
    if (this.role === "") return Promise.reject(new CallError(0, "the link is down"));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const cancel = this.world.after(CALL_MS, () => {
        this.calls.delete(id);
        reject(new CallError(0, "no answer in time"));
      });
      this.calls.set(id, {
        resolve: (value) => (cancel(), resolve(value)),
        reject: (error) => (cancel(), reject(error)),
      });
      this.send({ op: "call", id, m: method, p: params });
    });
  }

  // --- frames -------------------------------------------------------------------------------

  private receive(text: string): void {
    this.heard_ms = this.world.now();
    const frame = parsed(text);
    if (frame === null) return this.lost(); // not live.v1: nothing after it can be trusted
    const id = typeof frame["id"] === "number" ? frame["id"] : null;
    switch (frame["op"]) {
      case "hello":
        return this.greeted(frame);
      case "ping":
        return this.pinged(frame);
      case "sub_ok":
        return this.granted(id, frame);
      case "ret":
        return this.settle(id, (call) => call.resolve(frame["ok"]));
      case "err":
        return this.refused(id, Number(frame["code"]), String(frame["msg"] ?? ""));
      default:
        return this.content(frame);
    }
  }

  private greeted(frame: Fields): void {
    const rewind = (frame["rewind"] ?? null) as Fields | null;
    this.source = rewind === null ? null : String(rewind["source"]);
    this.speed = Number(rewind?.["speed"] ?? 1);
    // What is over can be looked at, and nothing can be done about it.
    this.role = rewind === null ? String(frame["role"] ?? "viewer") : "viewer";
    this.name = typeof frame["name"] === "string" ? frame["name"] : "";
    const ping_s = Number(frame["ping_s"]);
    this.ping_s = ping_s > 0 ? ping_s : DEFAULT_PING_S;
    this.clock.restart();
    this.hearTime(frame);
    this.watch(this.ping_s * SILENCE * 1000);
    for (const subscription of this.subscriptions) this.ask(subscription);
    this.settleLink();
  }

  private pinged(frame: Fields): void {
    this.send({ op: "pong" });
    this.hearTime(frame);
    const positions = (frame["pos"] ?? {}) as Record<string, string>;
    for (const subscription of this.subscriptions) {
      const position = positions[String(subscription.number)];
      if (position !== undefined) this.obey(subscription, subscription.held.told(position));
    }
  }

  private granted(id: number | null, frame: Fields): void {
    const subscription = this.subscriptions.find((s) => s.request !== null && s.request === id);
    if (subscription === undefined) {
      // Granted after we had asked anew: give it back.
      this.send({ op: "unsub", id: ++this.lastId, sub: frame["sub"] });
      return;
    }
    subscription.request = null;
    subscription.number = Number(frame["sub"]);
    this.obey(subscription, subscription.held.granted(frame["recovered"] === true));
  }

  private refused(id: number | null, code: number, message: string): void {
    if (id !== null && this.calls.has(id)) {
      return this.settle(id, (call) => call.reject(new CallError(code, message)));
    }
    const asked = this.subscriptions.some((s) => s.request !== null && s.request === id);
    if (asked || id === this.authId) {
      this.close();
      this.tell({ phase: "stopped", code: STOPPED_BY_REFUSAL - 400 + code, reason: message });
    }
  }

  private content(frame: Fields): void {
    const subscription = this.subscriptions.find((s) => s.number === frame["sub"]);
    if (subscription === undefined || subscription.number === null) return;
    const { held } = subscription;
    const position = String(frame["pos"]);
    const from = String(frame["from"]);
    let verdict: Verdict = "ignored";
    switch (frame["op"]) {
      case "snap":
        verdict = held.page(position, rows(frame["items"]), frame["more"] === true);
        break;
      case "delta":
        verdict = held.delta(from, position, rows(frame["set"]), (frame["del"] ?? []) as string[]);
        break;
      case "event": {
        const alert = (frame["alert"] ?? {}) as Fields;
        verdict = held.event(from, position, alert);
        if (verdict === "applied") {
          this.events.onEvent({ type: String(frame["type"]), alert, frame });
        }
        break;
      }
      case "reset":
        verdict = held.reset();
        break;
    }
    this.obey(subscription, verdict);
  }

  private obey(subscription: Subscription, verdict: Verdict): void {
    if (verdict === "ignored") return;
    if (verdict === "resubscribe") {
      if (subscription.number !== null) {
        this.send({ op: "unsub", id: ++this.lastId, sub: subscription.number });
      }
      this.ask(subscription);
    } else {
      this.events.onChange(subscription.wish.chan);
    }
    this.settleLink();
  }

  private ask(subscription: Subscription): void {
    const { wish, held } = subscription;
    const position = held.wanted();
    held.suspended();
    subscription.number = null;
    subscription.request = ++this.lastId;
    this.send({
      op: "sub",
      id: subscription.request,
      chan: wish.chan,
      where: wish.where ?? {},
      ...(wish.max_hz === undefined ? {} : { max_hz: wish.max_hz }),
      ...(position === null ? {} : { pos: position }),
    });
  }

  private settle(id: number | null, act: (call: Pending) => void): void {
    const call = id === null ? undefined : this.calls.get(id);
    if (id === null || call === undefined) return;
    this.calls.delete(id);
    act(call);
  }

  private hearTime(frame: Fields): void {
    if (typeof frame["now"] !== "number") return;
    if (typeof frame["speed"] === "number") this.speed = frame["speed"];
    const rate = this.source === null ? null : this.speed;
    this.clock.hear(frame["now"], this.world.now(), rate);
  }

  private send(frame: Fields): void {
    this.socket?.send(JSON.stringify(frame));
  }

  // --- the link -----------------------------------------------------------------------------

  /** The screen may be believed once everything that was asked for is whole. */
  private settleLink(): void {
    if (this.role === "" || this.socket === null) return;
    if (!this.subscriptions.every((s) => s.held.synced)) return;
    if (this.link.phase === "live") return;
    this.cancelSteady?.();
    this.cancelSteady = this.world.after(STEADY_MS, () => (this.attempt = 0));
    this.tell({ phase: "live" });
  }

  private watch(limit_ms: number): void {
    this.cancelWatch?.();
    const heard = (): number | null => this.heard_ms;
    this.cancelWatch = watchSilence(this.world, limit_ms, heard, () => this.lost());
  }

  private closed(code: number, reason: string): void {
    if (code >= 4400 && code <= 4499) {
      this.close();
      this.tell({ phase: "stopped", code, reason });
    } else {
      this.lost();
    }
  }

  private lost(): void {
    this.close();
    const delay_ms = backoff_ms(this.attempt, this.world.random());
    this.attempt += 1;
    this.cancelRetry = this.world.after(delay_ms, () => this.start());
    this.tell({ phase: "lost", retryAt_ms: this.world.now() + delay_ms });
  }

  /** Let go of the socket without waiting for it: on a cut cable its end may never come. */
  private close(): void {
    const socket = this.socket;
    this.socket = null;
    this.turn += 1;
    this.role = "";
    this.cancelWatch?.();
    this.cancelWatch = null;
    this.cancelSteady?.();
    this.cancelSteady = null;
    for (const subscription of this.subscriptions) {
      subscription.number = null;
      subscription.request = null;
      subscription.held.suspended();
    }
    for (const call of this.calls.values()) call.reject(new CallError(0, "the link broke"));
    this.calls.clear();
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private tell(link: Link): void {
    this.link = link;
    this.events.onLink(link);
  }
}
