// The handover of a shift: what is open first, what happened, what was measured; one sheet in print.

import { Asked } from "./asked.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { clockTime, dateTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { getJson } from "./http.ts";
import { text } from "./model.ts";
import type { App, Opening, Page } from "./page.ts";
import { spanText } from "./reportcells.ts";
import { troubleText } from "./reporting.ts";
import { localField, localTime } from "./shelving.ts";
import { reachable, Sheet, tableElement } from "./sheet.ts";
import {
  handoverPath,
  type Shift,
  shiftOf,
  showable,
  spanOfShift,
  type Wanted,
  wantedIn,
  wantedText,
} from "./shift.ts";
import type { Moment } from "./view.ts";
import { named, word } from "./words.ts";

export const open: Opening = (root, app) => new HandoverPage(root, app);

const EVERY_MS = 60_000;
const NAMED = ["this", "last", "day"] as const;

class HandoverPage implements Page {
  private wanted: Wanted = wantedIn(location.hash);
  private readonly asked: Asked;
  private readonly heading = el("h2", { "data-testid": "report-title" });
  private readonly span = el("p", { class: "facts", "data-testid": "report-span" });
  private readonly trouble = el("p", { class: "trouble", role: "status", "data-testid": "trouble" });
  private readonly told = el("p", { class: "told", "data-testid": "report-text" });
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private readonly from = el("input", { type: "datetime-local", name: "from", "data-testid": "from" });
  private readonly to = el("input", { type: "datetime-local", name: "to", "data-testid": "to" });
  private readonly fromName = el("span");
  private readonly toName = el("span");
  private readonly show = el("button", { type: "submit", "data-testid": "show" });
  private readonly print = el("button", { type: "button", "data-testid": "print" });
  private readonly wrong = el("p", { class: "problem", role: "alert" });
  private readonly form: HTMLFormElement;
  private readonly tables = el("div", { class: "report-columns" });
  private readonly sheet = new Sheet();
  private shape = "";
  private read: unknown = null;
  /** Officers are told names and notes. */
  private role = "viewer";

  constructor(
    root: HTMLElement,
    private readonly app: App,
  ) {
    this.asked = new Asked(getJson, () => app.schedule());
    const choices = el("div", { class: "choices", role: "group" });
    for (const name of NAMED) {
      const button = el("button", { type: "button", "data-testid": `shift-${name}` });
      button.addEventListener("click", () => this.want(name));
      this.buttons.set(name, button);
      choices.append(button);
    }
    this.form = el(
      "form",
      { class: "spans" },
      ...[choices, el("label", {}, this.fromName, this.from), el("label", {}, this.toName, this.to)],
      ...[this.show, this.print],
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.wantTyped();
    });
    this.print.addEventListener("click", () => print());
    const head = el("header", { class: "place-head" }, this.heading, this.span);
    const body = [head, this.form, this.wrong, this.trouble, this.told, this.tables];
    root.append(el("div", { class: "report-page" }, ...body), this.sheet.place);
  }

  title(): string {
    const { language } = this.app;
    return `${word("handover_title", language)} · ${word("river_name", language)}`;
  }

  update(at: Moment): void {
    const { language, now_ms } = at;
    const { held } = this.app;
    const past = held.past !== null;
    // While the link is down nobody has a role; what is shown stays.
    this.role = held.client?.role || this.role;
    const key = [wantedText(this.wanted), this.role, past].join();
    // A shift that is over goes on too: late readings come, and alerts are taken.
    const every_ms = spanOfShift(this.wanted, now_ms).goesOn ? EVERY_MS : 5 * EVERY_MS;
    void this.asked.look(key, handoverPath(this.wanted, now_ms, past), every_ms, performance.now());
    const { answer } = this.asked;
    this.label(language);
    // Once the service's clock is known.
    if (this.from.value === "" && this.shape === "") this.fill();
    const made = typeof answer?.["now"] === "number" ? clockTime(answer["now"]) : "";
    setText(this.trouble, troubleText(this.asked, made, language));
    this.draw(answer, language);
  }

  renewed(): void {
    this.asked.again();
    this.app.schedule();
  }

  restyled(): void {
    this.shape = "";
  }

  close(): void {
    this.asked.again();
  }

  // --- which stretch ------------------------------------------------------------------------

  private want(wanted: Wanted): void {
    this.wanted = wanted;
    history.replaceState(null, "", location.pathname + location.search + wantedText(wanted));
    setText(this.wrong, "");
    this.fill();
    this.app.schedule();
  }

  private fill(): void {
    const { from_ms, to_ms } = spanOfShift(this.wanted, this.app.moment().now_ms);
    this.from.value = localField(from_ms);
    this.to.value = localField(to_ms);
  }

  private wantTyped(): void {
    const { now_ms, language } = this.app.moment();
    // Of a field that is empty: no time at all.
    const [from_ms, to_ms] = [this.from, this.to].map((one) => localTime(one.value) ?? NaN);
    const span = { from_ms: from_ms ?? NaN, to_ms: to_ms ?? NaN };
    if (showable(span, now_ms)) return this.want(span);
    setText(this.wrong, word("shift_wrong", language));
    this.from.focus();
  }

  // --- drawing ------------------------------------------------------------------------------

  private label(language: Moment["language"]): void {
    setText(this.heading, word("handover_title", language));
    for (const [name, button] of this.buttons) {
      setText(button, word(`shift_${name as "this"}`, language));
      setAttribute(button, "aria-pressed", name === this.wanted ? "true" : "false");
    }
    setAttribute(this.form, "aria-label", word("shift_span", language));
    setText(this.fromName, word("shift_from", language));
    setText(this.toName, word("shift_to", language));
    setText(this.show, word("shift_show", language));
    setText(this.print, word("report_print", language));
  }

  private draw(answer: Fields | null, language: Moment["language"]): void {
    const { stations } = this.app.held;
    const shape = [language, stations.length].join();
    if (answer === this.read && shape === this.shape) return;
    this.read = answer;
    this.shape = shape;
    this.print.disabled = answer === null;
    if (answer === null) {
      setText(this.span, "");
      setText(this.told, "");
      this.tables.replaceChildren();
      return;
    }
    const past = this.app.held.past !== null;
    const shift = shiftOf(answer, stations, language, past);
    const name = named("shift_name", text(answer["shift"]), language);
    const made = word("report_made", language, { time: dateTime(shift.now_ms) });
    setText(this.span, `${name}: ${spanText(shift.span, language)} · ${made}`);
    const partial = answer["complete"] === true ? "" : word("report_incomplete", language);
    // Its sentence counts what is open now.
    const said = past ? "" : text(answer[language === "vi" ? "text_vi" : "text_en"]);
    setText(this.told, [partial, said].filter(Boolean).join(" "));
    const focused = focusedHref(this.tables);
    this.tables.replaceChildren(
      el("div", {}, ...shift.happened.map((table) => tableElement(table))),
      el("div", {}, ...shift.measured.map((table) => tableElement(table))),
    );
    reachable(this.tables);
    refocus(this.tables, focused);
    this.drawSheet(shift, name, [partial, said], language);
  }

  private drawSheet(shift: Shift, name: string, lead: string[], language: Moment["language"]): void {
    const where = location.origin + location.pathname + wantedText(shift.span);
    const content = {
      title: `${word("handover_title", language)} · ${name}, ${spanText(shift.span, language)}`,
      lead,
      columns: [shift.happened, shift.measured],
      foot: [word("paper_source", language, { where, time: dateTime(shift.now_ms) })],
      signed: [word("sign_from", language), word("sign_to", language)],
      whole: location.origin + location.pathname,
    };
    this.sheet.draw(content, language);
  }
}

/** Drawn anew each minute, and the reader's place is kept. */
export function focusedHref(place: HTMLElement): string {
  const { activeElement } = document;
  return place.contains(activeElement) ? (activeElement?.getAttribute("href") ?? "") : "";
}

export function refocus(place: HTMLElement, href: string): void {
  if (href === "") return;
  const links = [...place.querySelectorAll<HTMLElement>("a[href]")];
  links.find((link) => link.getAttribute("href") === href)?.focus({ preventScroll: true });
}
