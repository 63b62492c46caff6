// What is looked at on the page of a place, after the # of its address: a series, a span, an end.

import { LEAST_MS, MOST_MS, type Wish } from "./zoom.ts";

const ADDRESS = /^#?([a-z0-9_/-]*)(?:@(\d{1,15})(?:@(\d{1,15}))?)?$/;

/** Of "#xh-01/salinity_g_l@86400000@1795365000000"; null for what is none. */
export function parseView(hash: string): { key: string | null; wish: Wish | null } {
  const [, key = "", span = "", end = ""] = ADDRESS.exec(hash) ?? [];
  const span_ms = Number(span);
  const fits = span !== "" && span_ms >= LEAST_MS && span_ms <= MOST_MS;
  const wish = fits ? { span_ms, end_ms: end === "" ? null : Number(end) } : null;
  return { key: key || null, wish };
}

export function viewText(key: string | null, { span_ms, end_ms }: Wish): string {
  const end = end_ms === null ? "" : `@${Math.round(end_ms)}`;
  return `#${key ?? ""}@${Math.round(span_ms)}${end}`;
}

export function inAddress(): string | null {
  return parseView(location.hash).key;
}

export function viewInAddress(): Wish | null {
  return parseView(location.hash).wish;
}

export function writeView(key: string | null, wish: Wish): void {
  history.replaceState(null, "", location.pathname + location.search + viewText(key, wish));
}
