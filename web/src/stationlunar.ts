// Days of other years with the lunar date of the day that is shown, as far as there are data of them.

import { DAY_MS } from "./format.ts";
import type { Fields } from "./held.ts";
import { isoDay, type LunarDay, lunarOf, type SameDay } from "./lunar.ts";
import { list, type Reading } from "./model.ts";
import { seriesPath } from "./past.ts";
import type { Moment } from "./view.ts";
import { type Language, word } from "./words.ts";
import type { Span } from "./zoom.ts";

const YEARS = 10;
/** More curves than this lie over each other like hay. */
const SHOWN_MAX = 3;
/** What could not be had is asked for again after this. */
const AGAIN_MS = 20_000;

export class LunarDays {
  /** Those with data, the newest first. */
  years: readonly SameDay[] = [];
  private lunar: LunarDay | null = null;
  private asked = "";
  private state: "asking" | "known" | "away" = "asking";
  private turn = 0;
  private due_ms = 0;

  constructor(
    private readonly ask: (path: string) => Promise<Fields>,
    private readonly changed: () => void,
  ) {}

  /** The day at the end of the span is the one that is compared. */
  update(reading: Reading | null, span: Span, { now_ms }: Moment): void {
    if (reading === null) return;
    const day = isoDay(Math.min(span.to_ms, now_ms));
    const asked = `${reading.key} ${day}`;
    const again = this.state === "away" && performance.now() >= this.due_ms;
    if (asked === this.asked && !again) return;
    this.asked = asked;
    this.years = [];
    this.state = "asking";
    void this.load(reading, day, ++this.turn);
  }

  /** What is said beside the switches: which date it is, and that there is nothing to compare. */
  note(language: Language): string {
    if (this.state === "asking") return "";
    if (this.state === "away" || this.lunar === null) return word("lunar_away", language);
    const date = language === "vi" ? this.lunar.text_vi : this.lunar.text_en;
    return word(this.years.length === 0 ? "lunar_none" : "lunar_date", language, { date });
  }

  private async load({ key }: Reading, day: string, turn: number): Promise<void> {
    try {
      const lunar = lunarOf(await this.ask(`/api/v1/lunar?date=${day}&years=${YEARS}`));
      if (turn !== this.turn) return;
      this.lunar = lunar;
      const years: SameDay[] = [];
      for (const same of lunar?.same ?? []) {
        if (years.length === SHOWN_MAX) break;
        if (await this.measured(key, same)) years.push(same);
        if (turn !== this.turn) return;
      }
      this.years = years;
      this.state = "known";
    } catch (error) {
      if (turn !== this.turn) return;
      this.state = "away";
      this.due_ms = performance.now() + AGAIN_MS;
      console.warn("the lunar dates could not be asked", error);
    }
    this.changed();
  }

  /** Whether anything was measured on that day. */
  private async measured(key: string, { day_ms }: SameDay): Promise<boolean> {
    const span = { from_ms: day_ms, to_ms: day_ms + DAY_MS };
    const answer = await this.ask(seriesPath(key, span, { name: "1d", ms: DAY_MS }));
    return list(answer["points"]).length > 0;
  }
}
