// What the live.v1 client is given of the outside world, and the little of the wire that all share.

import type { Fields } from "./held.ts";

export const PROTOCOL = "live.v1";

export interface Socket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((text: string) => void) | null;
  onclose: ((code: number, reason: string) => void) | null;
}

export interface World {
  connect(url: string): Socket;
  /** Monotonic, ms. */
  now(): number;
  after(delay_ms: number, act: () => void): () => void;
  /** 0 <= x < 1. */
  random(): number;
}

export class CallError extends Error {
  /** The server's code, or 0 where the link broke and the outcome is unknown. */
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** How long the service may take to greet, ms. */
export const GREETING_MS = 10_000;

/** A frame, or null for what is none. */
export function parsed(text: string): Fields | null {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null ? (frame as Fields) : null;
  } catch {
    return null;
  }
}

export function rows(value: unknown): Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : [];
}
