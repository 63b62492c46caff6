// The readings as they came, as a table one click away: the fourth level, and what the curve is made of.

import { el, setAttribute, setText } from "./dom.ts";
import { date, clockSeconds, figure } from "./format.ts";
import { type Point, pointsOf } from "./history.ts";
import type { Fields } from "./held.ts";
import type { Reading } from "./model.ts";
import { seriesPath } from "./past.ts";
import { whyText } from "./reporting.ts";
import type { Moment } from "./view.ts";
import { type Language, named, unitOf, word } from "./words.ts";
import { RAW, type Span } from "./zoom.ts";

/** More rows than this are for the export. */
const ROWS_MAX = 500;
/** What could not be had is asked for again after this. */
const AGAIN_MS = 20_000;

export class PlaceTable {
  readonly place = el("details", { class: "panel raw", "data-testid": "raw" });
  private readonly summary = el("summary");
  private readonly note = el("p", { class: "note", role: "status" });
  private readonly scroll = el("div", { class: "scroll", tabindex: 0, role: "region" });
  private reading: Reading | null = null;
  private span: Span = { from_ms: 0, to_ms: 0 };
  private language: Language = "vi";
  private turn = 0;
  private asked = "";
  /** When the last asking failed, on the reader's clock. */
  private failed_ms = Infinity;

  constructor(private readonly ask: (path: string) => Promise<Fields>) {
    this.place.append(this.summary, this.note, this.scroll);
    this.place.addEventListener("toggle", () => this.look());
  }

  update(reading: Reading | null, span: Span, { language }: Moment): void {
    [this.reading, this.span, this.language] = [reading, span, language];
    setText(this.summary, word("raw_title", language));
    setAttribute(this.scroll, "aria-label", word("raw_title", language));
    this.place.hidden = reading === null;
    this.look();
  }

  private look(): void {
    const { reading, span, language } = this;
    if (!this.place.open || reading === null) return;
    // A new value is a new row; else it is asked for when another span is looked at.
    const asked = [reading.key, reading.t_ms, Math.round(span.to_ms - span.from_ms), language];
    const key = asked.join() + (span.to_ms > (reading.t_ms ?? 0) ? "" : span.to_ms);
    const again = performance.now() - this.failed_ms > AGAIN_MS;
    if (key === this.asked && !again) return;
    this.asked = key;
    this.failed_ms = Infinity;
    void this.load(reading, span, ++this.turn);
  }

  private async load(reading: Reading, span: Span, turn: number): Promise<void> {
    // The newest of them: no more is asked for than is likely to be shown.
    const most_ms = ROWS_MAX * Math.max(reading.expected_s, 1) * 1000;
    const from_ms = Math.max(span.from_ms, span.to_ms - most_ms);
    try {
      const answer = await this.ask(
        seriesPath(reading.key, { from_ms, to_ms: span.to_ms + 1 }, RAW),
      );
      if (turn !== this.turn) return;
      const points = pointsOf(answer).slice(-ROWS_MAX);
      const cut = from_ms > span.from_ms;
      const count = word(cut ? "raw_newest" : "raw_count", this.language, { n: points.length });
      setText(this.note, count);
      this.scroll.replaceChildren(this.table(reading, points));
    } catch (error) {
      if (turn !== this.turn) return;
      const why = whyText(error, this.language);
      setText(this.note, word("chart_failed", this.language, { why }));
      this.scroll.replaceChildren(); // what stood here is of another stretch
      this.failed_ms = performance.now();
    }
  }

  private table(reading: Reading, points: readonly Point[]): HTMLElement {
    const { language } = this;
    const unit = unitOf(reading.quantity, reading.unit, language);
    const name = named("q", reading.quantity, language);
    const heads = [
      word("raw_time", language),
      unit === "" ? name : `${name} (${unit})`,
      word("raw_quality", language),
    ];
    const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)));
    const rows = [...points].reverse().map(({ t_ms, value, flag }) => {
      const cells = [
        `${date(t_ms)} ${clockSeconds(t_ms)}`,
        figure(value, reading.quantity, language),
        named("flag", String(flag), language),
      ];
      return el("tr", { class: `flag-${flag}` }, ...cells.map((text) => el("td", {}, text)));
    });
    return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
  }
}
