// What the address asks of a wall that nobody sits at: `?kiosk`, `?kiosk=60&pages=/,/con-nuoc`.
// No DOM.

import { routeOf } from "./routes.ts";

export interface KioskQuery {
  /** How long each page stands, s; 0 where the wall alone is shown. */
  every_s: number;
  pages: readonly string[];
}

const LEAST_S = 5;

/** null where it is no kiosk; pages that are none of ours are left out. */
export function kioskOf(search: string): KioskQuery | null {
  const query = new URLSearchParams(search);
  const asked = query.get("kiosk");
  if (asked === null || asked === "0") return null;
  const given = (query.get("pages") ?? "").split(",").map((page) => page.trim());
  const pages = given.filter((page) => page.startsWith("/") && routeOf(page) !== null);
  const s = Number(asked);
  const turning = pages.length > 1 && Number.isFinite(s) && s > 0;
  return { every_s: turning ? Math.max(LEAST_S, s) : 0, pages };
}

/** px right and down at this time: a slow round, so that no line burns itself in. */
export function shiftAt(now_ms: number): readonly [x: number, y: number] {
  const step = Math.floor(now_ms / SHIFT_MS) % ROUND.length;
  return ROUND[step] ?? [0, 0];
}

export const SHIFT_MS = 60_000;
const ROUND = [
  ...[0, 1, 2, 3].map((x) => [x, 0] as const),
  ...[1, 2, 3].map((y) => [3, y] as const),
  ...[2, 1, 0].map((x) => [x, 3] as const),
  ...[2, 1].map((y) => [0, y] as const),
];

/** Whether a page, as it is served now, names another script than `own`, which runs. */
export function isAnother(page: string, own: string): boolean {
  // By its place in the page: how the file is called is left to what builds it.
  const named = /<script type="module" src="([^"]+)"/.exec(page)?.[1];
  return named !== undefined && own !== "" && named !== own;
}
