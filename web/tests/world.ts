// A world whose time, chance and network the test owns.

import type { Socket, World } from "../src/world.ts";

export type Frame = Record<string, unknown>;

export class FakeSocket implements Socket {
  readonly sent: Frame[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((text: string) => void) | null = null;
  onclose: ((code: number, reason: string) => void) | null = null;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Frame);
  }

  close(): void {
    this.closed = true;
  }

  say(frame: Frame): void {
    this.onmessage?.(JSON.stringify(frame));
  }

  ofOp(op: string): Frame[] {
    return this.sent.filter((frame) => frame["op"] === op);
  }
}

export class FakeWorld implements World {
  readonly sockets: FakeSocket[] = [];
  chance = 0.5;
  private time_ms = 1_000;
  private timers: { due_ms: number; act: () => void }[] = [];

  connect(url: string): FakeSocket {
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket;
  }

  now(): number {
    return this.time_ms;
  }

  random(): number {
    return this.chance;
  }

  after(delay_ms: number, act: () => void): () => void {
    const timer = { due_ms: this.time_ms + delay_ms, act };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  pass(delay_ms: number): void {
    const end_ms = this.time_ms + delay_ms;
    for (;;) {
      const [next] = this.timers
        .filter((timer) => timer.due_ms <= end_ms)
        .sort((a, b) => a.due_ms - b.due_ms);
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time_ms = next.due_ms;
      next.act();
    }
    this.time_ms = end_ms;
  }

  /** Nothing runs for so long; then what was due does, late. */
  sleep(delay_ms: number): void {
    this.time_ms += delay_ms;
    const due = this.timers.filter((timer) => timer.due_ms <= this.time_ms);
    this.timers = this.timers.filter((timer) => timer.due_ms > this.time_ms);
    for (const timer of due) timer.act();
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no connection was made");
    return socket;
  }
}
