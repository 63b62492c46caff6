// The past of any series over any stretch: asked for once, kept a while, gone on with live. No DOM.

import type { Fields } from "./held.ts";
import { binned, type Point, pointsOf, splice } from "./history.ts";
import type { Reading } from "./model.ts";
import { type Span, type Step, stepStart } from "./zoom.ts";

/** Late readings may have come in between: what is older than this is asked for again. */
const KEPT_MS = 15 * 60_000;
const KEPT_MOST = 48;

export type Ask = (path: string, overtaken?: AbortSignal) => Promise<Fields>;

/** One series over a stretch of time. */
export interface Stretch {
  key: string;
  step: Step;
  from_ms: number;
  /** Up to where it was asked for; one that is open goes on with live values. */
  to_ms: number;
  open: boolean;
  asked_ms: number;
  /** From here on there are readings; before it means alone. */
  border_ms: number;
  /** Means of steps that are over. */
  means: Point[];
  /** Readings: all of them, or those since the last step that is over. */
  raw: Point[];
  complete: boolean;
}

/** The points of a stretch: raw ones, or means in the middle of their steps. */
export function shownPoints(stretch: Stretch, now_ms: number): Point[] {
  const { step, means, raw } = stretch;
  if (step.ms === 0) return raw;
  const running = binned(raw, (t_ms) => stepStart(t_ms, step.ms));
  // Where both have a step its readings speak: they may be newer than the mean.
  const first = running[0]?.t_ms ?? Infinity;
  return [...means.filter(({ t_ms }) => t_ms < first), ...running].map((point) => ({
    ...point,
    t_ms: point.t_ms + Math.min(step.ms, Math.max(0, now_ms - point.t_ms)) / 2,
  }));
}

/** `/api/v1/series/…` with the stretch and step of a picture. */
export function seriesPath(key: string, { from_ms, to_ms }: Span, step: Step): string {
  const name = key.split("/").map(encodeURIComponent).join("/");
  const agg = step.ms === 0 ? "" : "&agg=mean,min,max";
  return `/api/v1/series/${name}?from=${Math.round(from_ms)}&to=${Math.round(to_ms)}&step=${step.name}${agg}`;
}

export class Past {
  private kept: Stretch[] = [];

  constructor(private readonly ask: Ask) {}

  /** What is held of it already; null where it has to be asked for. */
  held(key: string, step: Step, span: Span, now_ms: number): Stretch | null {
    const found = this.kept.find(
      (one) =>
        one.key === key &&
        one.step.name === step.name &&
        one.from_ms <= span.from_ms &&
        (one.open || one.to_ms >= span.to_ms) &&
        now_ms - one.asked_ms < KEPT_MS &&
        now_ms >= one.asked_ms,
    );
    return found ?? null;
  }

  /** Rejects as `ask` does. `now_ms` is the end of what may be known. */
  async load(
    key: string,
    step: Step,
    span: Span,
    now_ms: number,
    overtaken: AbortSignal,
  ): Promise<Stretch> {
    const held = this.held(key, step, span, now_ms);
    if (held !== null) return held;
    const open = span.to_ms >= now_ms - 1000;
    // Nothing of after the moment that is looked back to. What lies over a picture that goes on
    // is asked for a little further, so that it goes on too.
    const to_ms = Math.min(open ? Infinity : span.to_ms + KEPT_MS, now_ms + 1);
    const from_ms = step.ms === 0 ? span.from_ms : stepStart(span.from_ms, step.ms);
    const border_ms = step.ms === 0 ? from_ms : Math.min(stepStart(now_ms, step.ms), to_ms);
    const one = async (from: number, to: number, by: Step): Promise<[Point[], boolean]> => {
      if (from >= to) return [[], true];
      const answer = await this.ask(seriesPath(key, { from_ms: from, to_ms: to }, by), overtaken);
      return [pointsOf(answer), answer["complete"] !== false];
    };
    const [means, raw] = await Promise.all([
      step.ms === 0 ? one(0, 0, step) : one(from_ms, border_ms, step),
      one(border_ms, to_ms, { name: "raw", ms: 0 }),
    ]);
    const found: Stretch = {
      ...{ key, step, from_ms, to_ms, open, asked_ms: now_ms, border_ms },
      ...{ means: means[0], raw: raw[0], complete: means[1] && raw[1] },
    };
    this.kept = [found, ...this.kept].slice(0, KEPT_MOST);
    return found;
  }

  /** A live value: it goes on every open stretch of its series, once. True where one took it. */
  take({ key, t_ms, value, flag }: Reading): boolean {
    if (t_ms === null || value === null) return false;
    let taken = false;
    for (const { key: own, open, border_ms, raw } of this.kept) {
      // What is late for a step that is over is in its mean when that is asked for again.
      if (own !== key || !open || t_ms < border_ms) continue;
      const last = raw.at(-1);
      if (last?.t_ms === t_ms && last.value === value && last.flag === flag) continue;
      splice(raw, { t_ms, value, flag });
      taken = true;
    }
    return taken;
  }

  /** The link was gone, or somebody else looks: all is to be asked for anew. */
  forget(): void {
    this.kept = [];
  }
}
