// The bar over a screen that shows the past: which moment, how fast, what it rests on, the way back.

import { byId, el, setAttribute, setText } from "./dom.ts";
import { dateTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { getJson } from "./http.ts";
import { list, number } from "./model.ts";
import { type Rewind, restsOn, SPEEDS, STEPS, type Stretch } from "./rewind.ts";
import { localField, localTime } from "./shelving.ts";
import type { Moment } from "./view.ts";
import { type Word, word } from "./words.ts";

/** What is shown, as the bar needs it. */
export interface Shown {
  wish: Rewind;
  source: string | null;
  /** How fast the time goes; the service slows down where the past ends. */
  speed: number;
}

export interface Rewinding {
  show(wish: Rewind): void;
  present(): void;
}

const REACH_EVERY_MS = 30_000;
/** So near to the present it is the present. */
const NEAR_MS = 2_000;

interface Reach {
  now_ms: number;
  asked_ms: number;
  recorded: Stretch[];
}

export class RewindBar {
  private readonly root = byId("rewind");
  private readonly title = el("b", { class: "title" });
  private readonly time = el("span", { class: "shown", "data-testid": "rewind-shown" });
  private readonly source = el("span", { class: "source", "data-testid": "rewind-source" });
  private readonly without = el("span", { class: "source", "data-testid": "rewind-without" });
  private readonly play = el("button", { type: "button", "data-testid": "rewind-play" });
  private readonly steps = STEPS.map(({ ms }) => this.button(() => this.move(ms)));
  private readonly speeds = SPEEDS.map((speed) =>
    this.button(() => this.pace(speed), `rewind-${speed}`),
  );
  private readonly field = el("input", { type: "datetime-local", "data-testid": "rewind-field" });
  private readonly go = el("button", { type: "submit", "data-testid": "rewind-go" });
  private readonly back = this.button(() => this.rewinding.present(), "rewind-back");
  private readonly problem = el("span", { class: "problem", role: "alert" });
  private reach: Reach | null = null;
  private reach_due_ms = -Infinity;
  private shown: Shown | null = null;
  private shown_ms = 0;
  private resumed = 1;

  constructor(private readonly rewinding: Rewinding) {
    const form = el("form", {}, this.field, this.go);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.chosen();
    });
    this.play.addEventListener("click", () => this.toggle());
    const told = el("p", { class: "told" }, this.title, this.time, this.source, this.without);
    told.append(this.problem);
    const paces = el("span", { class: "paces", role: "group" }, ...this.speeds);
    const moves = el("span", { class: "moves", role: "group" }, ...this.steps);
    const tools = el("div", { class: "tools" }, this.play, paces, moves, form, this.back);
    this.root.append(told, tools);
  }

  update(shown: Shown | null, at: Moment): void {
    const changed = (this.shown === null) !== (shown === null);
    this.shown = shown;
    this.shown_ms = at.now_ms;
    this.root.hidden = shown === null;
    setAttribute(document.body, "data-rewind", shown === null ? null : true);
    if (shown === null) return;
    if (changed) this.field.value = localField(shown.wish.at_ms);
    void this.look();
    const { language } = at;
    const t = (key: Word, values = {}): string => word(key, language, values);
    const still = shown.wish.speed === 0;
    setAttribute(this.root, "aria-label", t("rewind_page"));
    setText(this.title, t("rewind_title"));
    setText(this.time, dateTime(at.now_ms));
    const rests = restsOn(shown.source, this.reach?.recorded ?? [], at.now_ms);
    setText(this.source, rests === null ? "" : t(rests));
    setText(this.without, rests === "rewind_rebuilt" ? t("rewind_without") : "");
    setText(this.play, t(still ? "rewind_play" : "rewind_pause"));
    setAttribute(this.field, "aria-label", t("rewind_time"));
    setText(this.go, t("rewind_go"));
    setText(this.back, t("rewind_back"));
    STEPS.forEach(({ word: name }, n) => setText(this.steps[n] as Element, t(name)));
    SPEEDS.forEach((speed, n) => {
      const button = this.speeds[n] as Element;
      setText(button, `${speed}×`);
      setAttribute(button, "aria-label", `${t("rewind_pace")} ${speed}`);
      setAttribute(button, "aria-pressed", !still && shown.wish.speed === speed ? "true" : "false");
    });
    if (this.present_ms() !== null && at.now_ms >= (this.present_ms() ?? 0) - NEAR_MS) {
      this.rewinding.present();
    }
  }

  /** The service's own time; null before it is known. */
  private present_ms(): number | null {
    return this.reach === null ? null : this.reach.now_ms + performance.now() - this.reach.asked_ms;
  }

  private async look(): Promise<void> {
    const asked_ms = performance.now();
    if (asked_ms < this.reach_due_ms) return;
    this.reach_due_ms = asked_ms + REACH_EVERY_MS;
    try {
      const answer = await getJson("/api/v1/rewind");
      const recorded = (list(answer["recorded"]) as Fields[]).map((one) => ({
        from_ms: number(one["from"]) ?? 0,
        to_ms: number(one["to"]) ?? 0,
      }));
      this.reach = { now_ms: number(answer["now"]) ?? Infinity, asked_ms, recorded };
    } catch (error) {
      console.warn("how far the past reaches could not be asked", error);
    }
  }

  private toggle(): void {
    const speed = this.shown?.wish.speed ?? 0;
    if (speed > 0) this.resumed = speed;
    this.show({ at_ms: this.shown_ms, speed: speed > 0 ? 0 : this.resumed });
  }

  private pace(speed: number): void {
    this.show({ at_ms: this.shown_ms, speed });
  }

  private move(ms: number): void {
    this.show({ at_ms: this.shown_ms + ms, speed: this.shown?.wish.speed ?? 1 });
  }

  private chosen(): void {
    const at_ms = localTime(this.field.value);
    if (at_ms !== null) this.show({ at_ms, speed: this.shown?.wish.speed ?? 1 });
  }

  private show(wish: Rewind): void {
    const present_ms = this.present_ms();
    if (present_ms !== null && wish.at_ms >= present_ms - NEAR_MS) return this.rewinding.present();
    this.field.value = localField(wish.at_ms);
    this.rewinding.show(wish);
  }

  private button(act: () => void, testid: string | null = null): HTMLButtonElement {
    const made = el("button", { type: "button", "data-testid": testid });
    made.addEventListener("click", act);
    return made;
  }
}
