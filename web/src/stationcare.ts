// When a station was last checked by hand and cleaned, what came of it, and a form to enter one.

import { Memory } from "./browser.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { decimal, figure, shortTime } from "./format.ts";
import { getJson, HttpError, sendJson } from "./http.ts";
import type { Reading } from "./model.ts";
import type { App } from "./page.ts";
import { type Care, careOf, type Check, checksOf, handsOf, Unsent } from "./stationchecks.ts";
import { CheckForm } from "./stationform.ts";
import type { Hand } from "./strokes.ts";
import type { Moment } from "./view.ts";
import { type Language, named, unitOf, word } from "./words.ts";
import type { Span } from "./zoom.ts";

const SHOWN_MAX = 6;
const EVERY_MS = 60_000;
const OFFICERS: readonly string[] = ["operator", "admin"];

export class StationCare {
  readonly place = el("section", { class: "panel care", "data-testid": "care" });
  private readonly title = el("h3");
  private readonly told = el("p", { class: "told", "data-testid": "care-told" });
  private readonly rows = el("ul", { class: "checks" });
  private readonly unsentNote = el("p", { class: "unsent", role: "status", "data-testid": "unsent" });
  private readonly button = el("button", { type: "button", class: "enter", "data-testid": "enter-check" });
  private readonly form: CheckForm;
  private readonly unsent: Unsent;
  private care: Care | null = null;
  private checks: Check[] = [];
  private asked = "";
  private role = "";
  private shape = "";
  private readonly online = (): void => void this.flush();

  constructor(
    private readonly station: string,
    private readonly app: App,
  ) {
    const memory = new Memory(() => localStorage, "songtien.checks");
    this.unsent = new Unsent(memory, (body) =>
      sendJson("POST", "/api/v1/checks", body),
    );
    this.form = new CheckForm(station, {
      language: () => app.language,
      now_ms: () => app.moment().now_ms,
      enter: async (body) => {
        this.unsent.add(body);
        await this.flush();
      },
    });
    this.button.addEventListener("click", () => this.form.open());
    const parts = [this.title, this.told, this.rows, this.unsentNote, this.button];
    this.place.append(...parts, this.form.place);
    addEventListener("online", this.online);
    void this.flush();
  }

  /** Of what was measured up to a moment. */
  hands(reading: Reading, now_ms: number): Hand[] {
    return handsOf(this.checks, reading).filter((hand) => hand.t_ms <= now_ms);
  }

  /** Ask anew where another span is looked at, or a minute has gone. */
  update(span: Span, at: Moment): void {
    const { now_ms, language } = at;
    const minute = Math.floor(now_ms / EVERY_MS);
    // While the link is down nobody has a role; who had one keeps his form.
    this.role = this.app.held.client?.role || this.role;
    const from_ms = Math.round(span.from_ms / EVERY_MS) * EVERY_MS;
    const past = span.to_ms < now_ms - EVERY_MS ? from_ms : span.to_ms - span.from_ms;
    const asked = [minute, past, this.role].join();
    if (asked !== this.asked) {
      this.asked = asked;
      void this.load(from_ms);
      void this.flush();
    }
    this.draw(at, language);
  }

  /** The link is back: so is the way for what waits. */
  renew(): void {
    this.asked = "";
    void this.flush();
  }

  close(): void {
    removeEventListener("online", this.online);
    this.form.close();
  }

  private async load(from_ms: number): Promise<void> {
    const name = encodeURIComponent(this.station);
    try {
      const [care, checks] = await Promise.all([
        getJson(`/api/v1/stations/${name}/care`),
        getJson(`/api/v1/checks?station=${name}&from=${from_ms}&limit=200`),
      ]);
      this.care = careOf(care);
      this.checks = checksOf(checks);
      this.app.schedule();
    } catch (error) {
      if (!(error instanceof HttpError && error.status === 404)) {
        console.warn("the hand checks could not be asked", error);
      }
    }
  }

  private async flush(): Promise<void> {
    const taken = await this.unsent.flush();
    if (taken === 0) return this.app.schedule();
    this.app.toast(word("check_sent", this.app.language, { n: taken }));
    this.asked = "";
    this.app.schedule();
  }

  private draw(at: Moment, language: Language): void {
    const officer = OFFICERS.includes(this.role);
    const waiting = this.unsent.waiting;
    const { care, checks } = this;
    const shape = JSON.stringify([care, checks, waiting, officer, language]);
    if (shape === this.shape) return;
    this.shape = shape;
    setText(this.title, word("care_title", language));
    const text = language === "vi" ? care?.text_vi : care?.text_en;
    setText(this.told, text || word("care_none", language));
    setAttribute(this.told, "data-state", care?.state ?? "never");
    const newest = checks.filter((one) => one.t_ms <= at.now_ms).slice(0, SHOWN_MAX);
    this.rows.replaceChildren(
      ...newest.map((check) => el("li", {}, checkText(check, language, at))),
    );
    this.button.hidden = !officer;
    setText(this.button, word("check_enter", language));
    this.unsentNote.hidden = waiting.length === 0;
    this.unsentNote.replaceChildren(...this.waitingTold(language));
  }

  /** What waits, and what the service did not want, with a way to take that back. */
  private waitingTold(language: Language): (Node | string)[] {
    const { waiting } = this.unsent;
    const plain = waiting.filter((one) => one.refused === "").length;
    const parts: (Node | string)[] = [];
    if (plain > 0) parts.push(word("check_waits", language, { n: plain }));
    waiting.forEach(({ refused }, n) => {
      if (refused === "") return;
      const drop = el("button", { type: "button" }, word("check_drop", language));
      drop.addEventListener("click", () => {
        this.unsent.drop(n);
        this.app.schedule();
      });
      parts.push(" ", word("entry_refused", language, { why: refused }), " ", drop);
    });
    return parts;
  }
}

/** "21/11 09:30 · đo tay 1,20 g/l, máy 1,05 (−0,15) · đã vệ sinh" */
function checkText(check: Check, language: Language, { now_ms }: Moment): string {
  const values = check.values.map(({ quantity, unit, hand, probe, difference }) => {
    const told = `${figure(hand, quantity, language)} ${unitOf(quantity, unit, language)}`;
    const name = quantity === "salinity_g_l" ? "" : `${named("q", quantity, language)} `;
    const by = word("check_hand", language, { value: name + told });
    if (probe === null || difference === null) return by;
    const sign = difference > 0 ? "+" : difference < 0 ? "−" : "±";
    return `${by}, ${word("check_probe", language, {
      value: figure(probe, quantity, language),
      difference: `${sign}${decimal(Math.abs(difference), 2, language)}`,
    })}`;
  });
  const done = [
    check.cleaned ? word("check_cleaned", language) : "",
    check.calibrated ? word("check_calibrated", language) : "",
  ];
  return [shortTime(check.t_ms, now_ms), ...values, ...done].filter(Boolean).join(" · ");
}
