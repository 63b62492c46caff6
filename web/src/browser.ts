// The browser's socket, clock and memory, in the shape that the rest asks for.

import { PROTOCOL, type Socket, type World } from "./world.ts";

class BrowserSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((text: string) => void) | null = null;
  onclose: ((code: number, reason: string) => void) | null = null;
  private readonly socket: WebSocket;

  constructor(url: string) {
    this.socket = new WebSocket(url, PROTOCOL);
    this.socket.onopen = () => this.onopen?.();
    this.socket.onmessage = (event: MessageEvent) => this.onmessage?.(String(event.data));
    this.socket.onclose = (event) => this.onclose?.(event.code, event.reason);
  }

  send(text: string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  close(code?: number, reason?: string): void {
    this.socket.close(code, reason);
  }
}

export const browserWorld: World = {
  connect: (url) => new BrowserSocket(url),
  now: () => performance.now(),
  after: (delay_ms, act) => {
    const timer = setTimeout(act, delay_ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** What the browser keeps for us; a browser that keeps nothing is a browser all the same. */
export class Memory {
  constructor(
    private readonly storage: () => Storage,
    private readonly key: string,
  ) {}

  read(): string | null {
    try {
      return this.storage().getItem(this.key);
    } catch {
      return null; // refused by the browser's settings
    }
  }

  write(value: string | null): void {
    try {
      if (value === null) this.storage().removeItem(this.key);
      else this.storage().setItem(this.key, value);
    } catch {
      return; // refused: the choice holds until the page is closed
    }
  }
}

export function liveUrl(stated: string, here: Location): string {
  const scheme = here.protocol === "https:" ? "wss:" : "ws:";
  if (/^wss?:\/\//.test(stated)) return stated;
  if (stated !== "") return new URL(stated, `${scheme}//${here.host}`).href;
  return `${scheme}//${here.hostname}:8081/live`;
}

export const memory = {
  language: new Memory(() => localStorage, "songtien.language"),
  theme: new Memory(() => localStorage, "songtien.theme"),
};

/** The series that the address names after its #. */
export function inAddress(): string | null {
  const named = location.hash.slice(1);
  return /^[a-z0-9_/-]+$/.test(named) ? named : null;
}
