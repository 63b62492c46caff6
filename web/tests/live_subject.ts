// The browser's reference client as the subject of a trial: JSON lines in, JSON lines out, as
// tests/live/subject.py says them. It runs in node with node's own WebSocket.

import { createInterface } from "node:readline";

import { browserWorld } from "../src/browser.ts";
import type { Held } from "../src/held.ts";
import { type Link, LiveClient, type Wish } from "../src/live.ts";
import type { World } from "../src/world.ts";

const HURRIED_MS = 10;

// Jitter draws its most, so that the wait that is told is the bound of what may be waited.
const world: World = { ...browserWorld, random: () => 1 };

let client: LiveClient | null = null;
let held: Record<string, Held> = {};
let seen: Record<string, string[]> = {};
let link: Link = { phase: "connecting" };

function say(line: object): void {
  process.stdout.write(JSON.stringify(line) + "\n");
}

function begin(url: string, token: string | null, wishes: Record<string, Wish>): void {
  client?.stop();
  link = { phase: "connecting" };
  held = {};
  seen = {};
  const begun: LiveClient = new LiveClient(url, token, world, {
    onLink: (told) => {
      link = told;
      if (told.phase !== "lost") return;
      say({ said: "wait", most_s: Math.round(told.retryAt_ms - world.now()) / 1000 });
      setTimeout(() => client === begun && begun.retryNow(), HURRIED_MS);
    },
    onChange: () => undefined,
    onEvent: ({ frame }) => {
      for (const name of Object.keys(wishes)) {
        if (wishes[name]?.chan === "alerts") (seen[name] ??= []).push(String(frame["pos"]));
      }
    },
  });
  client = begun;
  for (const [name, wish] of Object.entries(wishes)) held[name] = begun.subscribe(wish);
  begun.start();
}

function tell(): void {
  const words = { connecting: "lost", lost: "lost", live: "up", stopped: "stopped" };
  say({
    said: "held",
    link: words[link.phase],
    code: link.phase === "stopped" ? link.code : 0,
    held: Object.fromEntries(
      Object.entries(held).map(([name, one]) => [name, Object.fromEntries(one.items)]),
    ),
    seen,
  });
}

interface Order {
  do: "begin" | "tell";
  url: string;
  token: string | null;
  wishes: Record<string, Wish>;
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line) as Order;
    if (order.do === "begin") begin(order.url, order.token, order.wishes);
    else tell();
  })
  .on("close", () => process.exit(0));
