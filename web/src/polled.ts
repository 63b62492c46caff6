// What the service tells over HTTP alone, asked for once a minute. No DOM.

import type { Fields } from "./held.ts";
import { getJson, HttpError } from "./http.ts";

export const EVERY_MS = 60_000;

/** Not offered by this service, or not to this reader: to be asked again, but not each minute. */
const REFUSED: readonly number[] = [401, 403, 404];
const REFUSED_MS = 15 * 60_000;

type Get = (path: string) => Promise<Fields>;

export class Polled {
  /** The last answer, which stays where the next could not be had; null before the first. */
  answer: Fields | null = null;
  private due_ms = -Infinity;
  private asking = false;
  private turn = 0;

  constructor(
    private readonly path: string | (() => string),
    private readonly changed: () => void,
    private readonly get: Get = getJson,
    private readonly every: () => number = () => EVERY_MS,
  ) {}

  /** Ask where it is time; `now_ms` is monotonic. */
  async look(now_ms: number): Promise<void> {
    if (this.asking || now_ms < this.due_ms) return;
    this.asking = true;
    const turn = ++this.turn;
    let pause_ms = this.every();
    const path = typeof this.path === "string" ? this.path : this.path();
    try {
      const answer = await this.get(path);
      if (turn === this.turn) this.answer = answer;
    } catch (error) {
      const refused = error instanceof HttpError && REFUSED.includes(error.status);
      if (refused) pause_ms = REFUSED_MS;
      if (refused && turn === this.turn) this.answer = null;
      console.warn(`${path} could not be asked`, error);
    } finally {
      if (turn === this.turn) {
        this.asking = false;
        this.due_ms = now_ms + pause_ms;
        this.changed();
      }
    }
  }

  /** Somebody else looks, or something was entered: what is under way is of before. */
  again(): void {
    this.turn += 1;
    this.asking = false;
    this.due_ms = -Infinity;
  }
}
