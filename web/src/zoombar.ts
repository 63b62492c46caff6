// The buttons over pictures of a place: how much of the past, and the way through it.

import type { Handling } from "./curve.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { date, dateTime, shortTime } from "./format.ts";
import type { Moment } from "./view.ts";
import { type Word, word } from "./words.ts";
import { moved, type Step, SPANS, spanOf, type Wish, wishFor, type Zoom, zoomed } from "./zoom.ts";

/** Turns of the wheel within this are one. */
const WHEEL_MS = 120;
const SHARE = 0.5;

const STEP_WORDS: Readonly<Record<string, Word>> = {
  raw: "step_raw",
  "1m": "step_1m",
  "10m": "step_10m",
  "1h": "step_1h",
  "1d": "step_1d",
};

export class ZoomBar {
  readonly place = el("div", { class: "zoom", role: "group" });
  private readonly told = el("p", { class: "span", "data-testid": "span" });
  /** For what a page has beside: to take along what is shown. */
  readonly more = el("span", { class: "more" });
  private readonly spans: HTMLElement[] = [];
  private readonly steps: { button: HTMLElement; word: Word }[] = [];
  private turning: Wish | null = null;

  constructor(
    private readonly zoom: Zoom,
    private readonly now: () => number,
    private readonly changed: () => void,
  ) {
    for (const { ms, word: name } of SPANS) {
      const button = el("button", { type: "button", "data-testid": name.replace("_", "-") });
      const whole = (): Wish => {
        const { to_ms } = spanOf(this.zoom.wish, this.now());
        return wishFor({ from_ms: to_ms - ms, to_ms }, this.now());
      };
      button.addEventListener("click", () => this.go(whole()));
      this.spans.push(button);
    }
    const ways: [string, Word, () => Wish][] = [
      ["‹", "zoom_before", () => moved(this.zoom.wish, -SHARE, this.now())],
      ["›", "zoom_after", () => moved(this.zoom.wish, SHARE, this.now())],
      ["+", "zoom_in", () => zoomed(this.zoom.wish, 0.5, this.middle(), this.now())],
      ["−", "zoom_out", () => zoomed(this.zoom.wish, 2, this.middle(), this.now())],
      ["⇥", "zoom_now", () => ({ ...this.zoom.wish, end_ms: null })],
    ];
    for (const [sign, name, wish] of ways) {
      const button = el("button", { type: "button", "data-testid": name.replace("_", "-") }, sign);
      button.addEventListener("click", () => this.go(wish()));
      this.steps.push({ button, word: name });
    }
    const back = el("button", { type: "button", "data-testid": "zoom-back" }, "↶");
    back.addEventListener("click", () => this.back());
    this.steps.push({ button: back, word: "zoom_back" });
    const spans = el("span", { class: "zoom-spans" }, ...this.spans);
    const steps = el("span", { class: "zoom-steps" }, ...this.steps.map(({ button }) => button));
    this.place.append(spans, steps, this.told, this.more);
  }

  /** What hands do on any of the pictures. */
  readonly handling: Handling = {
    drag: (span) => this.go(wishFor(span, this.now())),
    wheel: (factor, place) => {
      const first = this.turning === null;
      this.turning = zoomed(this.turning ?? this.zoom.wish, factor, place, this.now());
      if (!first) return;
      setTimeout(() => {
        if (this.turning !== null) this.go(this.turning);
        this.turning = null;
      }, WHEEL_MS);
    },
    push: (share) => this.go(moved(this.zoom.wish, share, this.now())),
    back: () => this.back(),
  };

  /** Arrows, + and -, Home for now, Backspace for what was before. */
  key(event: KeyboardEvent): void {
    const { wish } = this.zoom;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const now_ms = this.now();
    const wishes: Record<string, () => Wish> = {
      ArrowLeft: () => moved(wish, event.shiftKey ? -1 : -0.25, now_ms),
      ArrowRight: () => moved(wish, event.shiftKey ? 1 : 0.25, now_ms),
      "+": () => zoomed(wish, 0.5, this.middle(), now_ms),
      "=": () => zoomed(wish, 0.5, this.middle(), now_ms),
      "-": () => zoomed(wish, 2, this.middle(), now_ms),
      Home: () => ({ ...wish, end_ms: null }),
    };
    const act = wishes[event.key];
    if (act === undefined && event.key !== "Backspace") return;
    event.preventDefault();
    if (act === undefined) this.back();
    else this.go(act());
  }

  update(step: Step | null, busy: boolean, at: Moment): void {
    const { language, now_ms } = at;
    setAttribute(this.place, "aria-label", word("zoom_bar", language));
    SPANS.forEach(({ ms, word: name }, n) => {
      const button = this.spans[n] as HTMLElement;
      setText(button, word(name, language));
      setAttribute(button, "aria-pressed", this.zoom.wish.span_ms === ms ? "true" : "false");
    });
    for (const { button, word: name } of this.steps) {
      setAttribute(button, "aria-label", word(name, language));
      setAttribute(button, "title", word(name, language));
    }
    const { from_ms, to_ms } = spanOf(this.zoom.wish, now_ms);
    const sameYear = date(from_ms).slice(6) === date(to_ms).slice(6);
    const end = sameYear ? shortTime(to_ms, from_ms) : dateTime(to_ms);
    const span = `${dateTime(from_ms)} – ${end}`;
    const means = STEP_WORDS[step?.name ?? ""];
    const parts = [span, means === undefined ? "" : word(means, language)];
    if (busy) parts.push(word("zoom_loading", language));
    setText(this.told, parts.filter(Boolean).join(" · "));
    setAttribute(this.told, "aria-busy", busy ? "true" : null);
  }

  /** What goes on with now is zoomed about now. */
  private middle(): number {
    return this.zoom.wish.end_ms === null ? 1 : 0.5;
  }

  private go(wish: Wish): void {
    this.zoom.go(wish);
    this.changed();
  }

  private back(): void {
    if (this.zoom.back()) this.changed();
  }
}
