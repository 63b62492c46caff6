// The curves of a picture, loaded together: the old picture stays until the new one is whole.

import { HttpError } from "./http.ts";
import type { Past, Stretch } from "./past.ts";
import type { Span, Wish } from "./zoom.ts";
import { spanOf, type Step, stepOf } from "./zoom.ts";

/** One series that is wanted, and how far its curve is moved over the present one. */
export interface Track {
  id: string;
  key: string;
  expected_s: number;
  shift_ms: number;
}

export interface Scene {
  wish: Wish;
  /** By the track's id; null where it could not be had. */
  stretches: Map<string, Stretch | null>;
  /** Some of the past is not to be had at present. */
  complete: boolean;
}

type StepOf = (track: Track) => Step;

/** Asked again no sooner than this after a failure. */
const PAUSE_MS = 20_000;
/** Nor after an answer: a past that is played at 600x is old in a second and a half. */
const PACE_MS = 5_000;

export class Scenes {
  shown: Scene | null = null;
  /** Why the newest wish could not be shown; null where it could. */
  problem: unknown = null;
  private wanted = "";
  private stop: AbortController | null = null;
  /** Before this, on the reader's clock, what is shown is not asked for again. */
  private due_ms = -Infinity;

  constructor(
    private readonly past: Past,
    private readonly changed: () => void,
  ) {}

  get busy(): boolean {
    return this.stop !== null;
  }

  /**
   * Show these tracks over this stretch, of what was known at `now_ms`; `step_of` says how finely.
   */
  want(
    wish: Wish,
    tracks: readonly Track[],
    now_ms: number,
    step_of: StepOf = (one) => stepOf(wish.span_ms, one.expected_s),
  ): void {
    const wanted = JSON.stringify([wish, tracks]);
    if (wanted === this.wanted && (this.busy || this.fresh(wish, tracks, now_ms, step_of))) return;
    this.wanted = wanted;
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    void this.load(wish, tracks, now_ms, stop, step_of);
  }

  /** All is to be asked for anew, after the link was gone; what is shown stays meanwhile. */
  renew(): void {
    this.past.forget();
    this.wanted = "";
  }

  close(): void {
    this.stop?.abort();
  }

  private fresh(wish: Wish, tracks: readonly Track[], now_ms: number, step_of: StepOf): boolean {
    if (performance.now() < this.due_ms) return true;
    if (this.problem !== null) return false;
    const span = spanOf(wish, now_ms);
    return tracks.every((track) => {
      const step = step_of(track);
      // What has been answered with nothing is not asked for each second.
      const known = this.shown?.stretches.get(track.id);
      return known === null || this.past.held(track.key, step, under(span, track), now_ms) !== null;
    });
  }

  private async load(
    wish: Wish,
    tracks: readonly Track[],
    now_ms: number,
    stop: AbortController,
    step_of: StepOf,
  ): Promise<void> {
    const span = spanOf(wish, now_ms);
    const answers = await Promise.allSettled(
      tracks.map((track) => {
        return this.past.load(track.key, step_of(track), under(span, track), now_ms, stop.signal);
      }),
    );
    if (this.stop !== stop) return; // overtaken by another wish
    this.stop = null;
    const stretches = new Map<string, Stretch | null>();
    this.problem = null;
    tracks.forEach((track, n) => {
      const answer = answers[n] as PromiseSettledResult<Stretch>;
      if (answer.status === "fulfilled") stretches.set(track.id, answer.value);
      else {
        const why: unknown = answer.reason;
        stretches.set(track.id, null);
        // A series that is not there yet is no fault: nothing was ever measured.
        if (!(why instanceof HttpError && why.status === 404)) {
          this.problem ??= why;
        }
      }
    });
    this.due_ms = performance.now() + (this.problem === null ? PACE_MS : PAUSE_MS);
    const any = [...stretches.values()].some((one) => one !== null);
    if (this.problem === null || any) {
      const complete = [...stretches.values()].every((one) => one?.complete !== false);
      this.shown = { wish, stretches, complete };
    }
    this.changed();
  }
}

function under({ from_ms, to_ms }: Span, { shift_ms }: Track): Span {
  return { from_ms: from_ms - shift_ms, to_ms: to_ms - shift_ms };
}
