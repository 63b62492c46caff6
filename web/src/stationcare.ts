// When a station was last checked by hand and cleaned, what came of it, and a form to enter one.

import { Asked } from "./asked.ts";
import { Memory } from "./browser.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { clockTime, decimal, figure, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { getJson, sendJson } from "./http.ts";
import { fields, number, type Reading } from "./model.ts";
import type { App } from "./page.ts";
import { troubleText } from "./reporting.ts";
import { type Care, careOf, type Check, checksOf, handsOf, Unsent } from "./stationchecks.ts";
import { CheckForm } from "./stationform.ts";
import type { Hand } from "./strokes.ts";
import type { Moment } from "./view.ts";
import { type Language, named, unitOf, word } from "./words.ts";
import type { Span } from "./zoom.ts";

const SHOWN_MAX = 6;
const EVERY_MS = 60_000;
/** Nor sooner than this, however fast a moment of the past goes on. */
const PACE_MS = 5_000;
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
  private readonly asked: Asked;
  private read: Fields | null = null;
  private care: Care | null = null;
  private checks: Check[] = [];
  private trouble = "";
  private role = "";
  private shape = "";
  private readonly online = (): void => void this.flush();

  constructor(
    private readonly station: string,
    private readonly app: App,
  ) {
    this.asked = new Asked((path) => this.load(path), () => app.schedule());
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
  update(span: Span, at: Moment, speed: number): void {
    const { now_ms, language } = at;
    // While the link is down nobody has a role; who had one keeps his form.
    this.role = this.app.held.client?.role || this.role;
    const from_ms = Math.round(span.from_ms / EVERY_MS) * EVERY_MS;
    const past = span.to_ms < now_ms - EVERY_MS ? from_ms : span.to_ms - span.from_ms;
    const name = encodeURIComponent(this.station);
    const path = `/api/v1/checks?station=${name}&from=${from_ms}&limit=200`;
    const every_ms = Math.max(PACE_MS, EVERY_MS / Math.max(1, speed));
    void this.asked.look([past, this.role].join(), path, every_ms, performance.now());
    this.take(language);
    this.draw(at, language);
  }

  /** The link is back: so is the way for what waits. */
  renew(): void {
    this.asked.again();
    void this.flush();
  }

  close(): void {
    removeEventListener("online", this.online);
    this.form.close();
  }

  private async load(path: string): Promise<Fields> {
    void this.flush();
    const name = encodeURIComponent(this.station);
    const paths = [`/api/v1/stations/${name}/care`, path];
    const [care, checks] = await Promise.all(paths.map((one) => getJson(one)));
    return { care, checks, asked: this.app.moment().now_ms };
  }

  /** What has come since; what is known of another span stays until then. */
  private take(language: Language): void {
    const { answer } = this.asked;
    const [care, checks] = [fields(answer?.["care"]), fields(answer?.["checks"])];
    if (care !== null && checks !== null && answer !== this.read) {
      this.read = answer;
      this.care = careOf(care);
      this.checks = checksOf(checks);
    }
    const asked_ms = number(this.read?.["asked"]);
    const time = asked_ms === null ? "" : clockTime(asked_ms);
    this.trouble = troubleText(this.asked, time, language);
  }

  private async flush(): Promise<void> {
    const taken = await this.unsent.flush();
    if (taken === 0) return this.app.schedule();
    this.app.toast(word("check_sent", this.app.language, { n: taken }));
    this.asked.again();
    this.app.schedule();
  }

  private draw(at: Moment, language: Language): void {
    const officer = OFFICERS.includes(this.role);
    const waiting = this.unsent.waiting;
    const { care, checks, trouble } = this;
    const then = this.app.held.past !== null;
    const newest = checks.filter((one) => one.t_ms <= at.now_ms).slice(0, SHOWN_MAX);
    const shape = JSON.stringify([care, newest, trouble, waiting, officer, language, then]);
    if (shape === this.shape) return;
    this.shape = shape;
    setText(this.title, word("care_title", language));
    const text = language === "vi" ? care?.text_vi : care?.text_en;
    // It is told of the present alone: at a moment of the past the checks until then speak.
    const known = care === null || then ? "" : text || word("care_none", language);
    // Nobody says that a probe was never checked before that is known.
    const told = care === null || this.asked.problem !== null ? [known, trouble] : [known];
    setText(this.told, told.filter(Boolean).join(" "));
    setAttribute(this.told, "data-state", then ? null : (care?.state ?? null));
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
