// The small curve of an intake's board: outside against the limit over 25 hours.

import { el, setAttribute, setText, svg } from "./dom.ts";
import { clockTime, figure, limit, MINUTE_MS, shortTime } from "./format.ts";
import { CURVE, curveShape, type Gate } from "./gateboard.ts";
import type { Reading } from "./model.ts";
import { Past, shownPoints } from "./past.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";

const STEP = { name: "10m", ms: 10 * MINUTE_MS };
/** Longer than this nobody has seen what was between two means. */
const GAP_MS = 35 * MINUTE_MS;
const EVERY_MS = MINUTE_MS;

export class GateCurve {
  readonly place = el("div", { class: "gate-curve" });
  private readonly good = svg("path", { class: "good" });
  private readonly suspect = svg("path", { class: "suspect" });
  private readonly level = svg("line", { class: "limit", x1: 0, x2: CURVE.width });
  private readonly picture = svg(
    "svg",
    { viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, preserveAspectRatio: "none", role: "img" },
    ...[this.level, this.suspect, this.good],
  );
  private readonly span = el("p", { class: "axis", "aria-hidden": "true" });
  private readonly none = el("p", { class: "none" });
  private asked_ms = -Infinity;
  private shape = "";

  constructor(
    private readonly past: Past,
    private readonly changed: () => void,
  ) {
    this.place.append(this.picture, this.span, this.none);
  }

  update(gate: Gate, reading: Reading | null, at: Moment): void {
    const { windowsKey: key, limit_g_l } = gate;
    this.place.hidden = key === "";
    if (key === "") return;
    const { now_ms, language } = at;
    const span = { from_ms: now_ms - CURVE.span_ms, to_ms: now_ms };
    if (reading?.key === key) this.past.take(reading);
    const held = this.past.held(key, STEP, { ...span, from_ms: span.from_ms + EVERY_MS }, now_ms);
    if (held === null) this.load(key, span, now_ms);
    const points = held === null ? [] : shownPoints(held, now_ms);
    const shape = curveShape(points, limit_g_l, now_ms, GAP_MS);
    const drawn = JSON.stringify([shape, language]);
    if (drawn === this.shape) return;
    this.shape = drawn;
    const level = limit(limit_g_l, "salinity_g_l", language);
    setText(this.none, shape === null && held !== null ? word("gate_curve_none", language) : "");
    const axis = `${shortTime(span.from_ms, now_ms)} – ${clockTime(now_ms)}`;
    const dashed = `- - ${word("gate_limit", language, { level })}`;
    setText(this.span, shape === null ? "" : `${axis} · ${dashed}`);
    setAttribute(this.good, "d", shape?.good ?? "");
    setAttribute(this.suspect, "d", shape?.suspect ?? "");
    const y = shape?.limit_y ?? 0;
    for (const end of ["y1", "y2"]) setAttribute(this.level, end, y.toFixed(1));
    this.level.style.display = shape === null ? "none" : "";
    const told = {
      level,
      min: figure(shape?.min_g_l ?? 0, "salinity_g_l", language),
      max: figure(shape?.max_g_l ?? 0, "salinity_g_l", language),
    };
    const said = word(shape === null ? "gate_curve_none" : "gate_curve", language, told);
    setAttribute(this.picture, "aria-label", said);
  }

  renew(): void {
    this.asked_ms = -Infinity;
  }

  private load(key: string, span: { from_ms: number; to_ms: number }, now_ms: number): void {
    // What could not be had is asked for again in a minute; the board says that it was not.
    if (performance.now() - this.asked_ms < EVERY_MS) return;
    this.asked_ms = performance.now();
    const overtaken = new AbortController().signal;
    void this.past
      .load(key, STEP, span, now_ms, overtaken)
      .then(this.changed, (error: unknown) => console.warn("a curve could not be had", error));
  }
}
