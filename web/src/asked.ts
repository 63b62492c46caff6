// One answer of the service that is asked for again and again, and why it could not be had. No DOM.

import type { Fields } from "./held.ts";

const FAILED_MS = 10_000;

export class Asked {
  /** The last answer to what is asked now; null before it has come. */
  answer: Fields | null = null;
  /** Why the last asking failed; null where it did not. */
  problem: unknown = null;
  private key = "";
  private due_ms = -Infinity;
  private turn = 0;
  private asking = false;

  constructor(
    private readonly ask: (path: string) => Promise<Fields>,
    private readonly changed: () => void,
  ) {}

  /**
   * Ask where it is time. `key` says what is wanted: with another one what is held is of something
   * else. `path` may go on with the clock. `now_ms` is monotonic.
   */
  async look(key: string, path: string, every_ms: number, now_ms: number): Promise<void> {
    if (key !== this.key) {
      this.key = key;
      this.answer = null;
      this.problem = null;
      this.again();
    }
    if (this.asking || now_ms < this.due_ms) return;
    this.asking = true;
    const turn = ++this.turn;
    let answer: Fields | null = null;
    let problem: unknown = null;
    try {
      answer = await this.ask(path);
    } catch (error) {
      problem = error ?? new Error("unknown");
    }
    if (turn !== this.turn) return; // something else is wanted by now
    this.asking = false;
    this.problem = problem;
    if (answer !== null) this.answer = answer;
    this.due_ms = now_ms + (problem === null ? every_ms : FAILED_MS);
    this.changed();
  }

  /** Something has happened: what is held, and what is on its way, is of before. */
  again(): void {
    this.turn += 1;
    this.asking = false;
    this.due_ms = -Infinity;
  }
}
