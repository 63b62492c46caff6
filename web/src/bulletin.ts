// The bulletin of a day: its table, its text to be read aloud, one sheet in print.

import { Asked } from "./asked.ts";
import { anySame, csvOf, type Daily, dailyOf, dayAfter, dayIn, dayShown } from "./daily.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { clockTime, dateTime } from "./format.ts";
import { focusedHref, refocus } from "./handover.ts";
import type { Fields } from "./held.ts";
import { getJson } from "./http.ts";
import { isoDay } from "./lunar.ts";
import type { App, Opening, Page } from "./page.ts";
import { troubleText } from "./reporting.ts";
import { save } from "./saving.ts";
import { reachable, Sheet, tableElement } from "./sheet.ts";
import type { Moment } from "./view.ts";
import { type Language, type Word, word } from "./words.ts";

export const open: Opening = (root, app) => new BulletinPage(root, app);

const TODAY_MS = 60_000;
/** Of a day that is over, late readings may still come. */
const PAST_MS = 10 * 60_000;
const FIRST = "2000-01-02";

class BulletinPage implements Page {
  private wanted: string | null = dayIn(location.hash);
  private readonly asked: Asked;
  private readonly heading = el("h2", { "data-testid": "report-title" });
  private readonly facts = el("p", { class: "facts", "data-testid": "lunar" });
  private readonly warning = el("p", { class: "warning", role: "status", "data-testid": "warning" });
  private readonly trouble = el("p", { class: "trouble", role: "status", "data-testid": "trouble" });
  private readonly before = el("button", { type: "button", "data-testid": "day-before" });
  private readonly after = el("button", { type: "button", "data-testid": "day-after" });
  private readonly day = el("input", { type: "date", min: FIRST, "data-testid": "day" });
  private readonly dayName = el("span");
  private readonly csv = el("button", { type: "button", "data-testid": "csv" });
  private readonly print = el("button", { type: "button", "data-testid": "print" });
  private readonly textName = el("h3", { id: "bulletin-text" });
  private readonly reading = el("textarea", {
    ...{ readonly: true, rows: 8, "aria-labelledby": "bulletin-text", "data-testid": "text" },
  });
  private readonly copy = el("button", { type: "button", "data-testid": "copy" });
  private readonly box: HTMLElement;
  private readonly tables = el("div", { class: "report-columns" });
  private readonly notes = el("div", { class: "notes", "data-testid": "sources" });
  private readonly sheet = new Sheet();
  /** The day that is shown. */
  private date = "";
  private shape = "";
  private read: unknown = null;

  constructor(
    root: HTMLElement,
    private readonly app: App,
  ) {
    this.asked = new Asked(getJson, () => app.schedule());
    this.before.addEventListener("click", () => this.step(-1));
    this.after.addEventListener("click", () => this.step(1));
    this.day.addEventListener("change", () => this.want(dayIn(this.day.value)));
    this.csv.addEventListener("click", () => this.saveTable());
    this.print.addEventListener("click", () => print());
    this.copy.addEventListener("click", () => void this.copyText());
    const date = el("label", {}, this.dayName, this.day);
    const bar = el("div", { class: "spans" }, this.before, date, this.after, this.csv, this.print);
    const head = el("header", { class: "place-head" }, this.heading, this.facts);
    const title = el("header", {}, this.textName, this.copy);
    this.box = el("section", { class: "panel read-aloud" }, title, this.reading);
    const body = [head, bar, this.warning, this.trouble, this.tables, this.notes];
    root.append(el("div", { class: "report-page" }, ...body), this.sheet.place);
  }

  title(): string {
    const { language } = this.app;
    return `${word("bulletin_page", language)} · ${word("river_name", language)}`;
  }

  update({ language, now_ms }: Moment): void {
    const today = isoDay(now_ms);
    const past = this.app.held.past !== null;
    const last = past ? dayAfter(today, -1) : today;
    const date = dayShown(this.wanted, today, past);
    this.date = date;
    const every_ms = date === today ? TODAY_MS : PAST_MS;
    void this.asked.look(date, `/api/v1/bulletin?date=${date}`, every_ms, performance.now());
    this.label(date, last, language);
    const { answer } = this.asked;
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

  private want(date: string | null): void {
    this.wanted = date;
    const hash = date === null ? "" : `#${date}`;
    history.replaceState(null, "", location.pathname + location.search + hash);
    this.app.schedule();
  }

  private step(days: number): void {
    this.want(dayAfter(this.date, days));
  }

  private label(date: string, last: string, language: Language): void {
    const told = date.split("-").reverse().join("/");
    setText(this.heading, word("bulletin_title", language, { date: told }));
    const names: [Element, Word][] = [
      ...([[this.before, "bulletin_before"], [this.after, "bulletin_after"]] as [Element, Word][]),
      ...([[this.dayName, "bulletin_date"], [this.csv, "bulletin_csv"]] as [Element, Word][]),
      ...([[this.print, "report_print"], [this.copy, "bulletin_copy"]] as [Element, Word][]),
      [this.textName, "bulletin_text"],
    ];
    for (const [place, key] of names) setText(place, word(key, language));
    // While somebody types a date it is left alone.
    if (this.day.value !== date && document.activeElement !== this.day) this.day.value = date;
    setAttribute(this.day, "max", last);
    this.after.disabled = date >= last;
    this.before.disabled = date <= FIRST;
  }

  private draw(answer: Fields | null, language: Language): void {
    const { stations } = this.app.held;
    const shape = [language, stations.length].join();
    if (answer === this.read && shape === this.shape) return;
    this.read = answer;
    this.shape = shape;
    this.print.disabled = this.csv.disabled = this.copy.disabled = answer === null;
    this.tables.hidden = this.notes.hidden = answer === null;
    if (answer === null) {
      setText(this.facts, "");
      setText(this.warning, "");
      return;
    }
    const daily = dailyOf(answer, stations, language);
    setText(this.facts, daily.lunar);
    setText(this.warning, daily.warnings.join(" "));
    if (this.reading.value !== daily.text) this.reading.value = daily.text;
    const notes = notesOf(answer, daily, language);
    const focused = focusedHref(this.tables);
    const scrolled = this.reading.scrollTop;
    const selected = document.activeElement === this.reading;
    this.tables.replaceChildren(
      el("div", {}, tableElement(daily.stations)),
      el("div", {}, this.box, ...daily.rest.map((table) => tableElement(table))),
    );
    if (selected) this.reading.focus({ preventScroll: true });
    this.reading.scrollTop = scrolled;
    reachable(this.tables);
    refocus(this.tables, focused);
    this.notes.replaceChildren(...notes.map((note) => el("p", {}, note)));
    this.drawSheet(daily, notes, language);
  }

  private drawSheet(daily: Daily, notes: readonly string[], language: Language): void {
    const told = daily.date.split("-").reverse().join("/");
    const where = `${location.origin}${location.pathname}#${daily.date}`;
    const source = word("paper_source", language, { where, time: dateTime(daily.now_ms) });
    const content = {
      title: word("bulletin_title", language, { date: told }),
      lead: [daily.lunar, daily.warnings.join(" ")],
      columns: [[daily.stations, ...daily.rest]],
      foot: [...notes.slice(0, -1), source],
      signed: [],
      whole: where,
    };
    this.sheet.draw(content, language);
  }

  private saveTable(): void {
    const { answer } = this.asked;
    if (answer === null) return;
    // With a mark at its head, so that spreadsheets read the names as they are written.
    const file = new Blob(["\ufeff", csvOf(answer)], { type: "text/csv;charset=utf-8" });
    save(file, `ban-tin_${String(answer["date"])}.csv`);
  }

  private async copyText(): Promise<void> {
    const { language } = this.app;
    const done = await copied(this.reading);
    this.app.toast(word(done ? "bulletin_copied" : "bulletin_not_copied", language));
  }
}

/** Whom the figures are of, and where each comes from; the last for the screen alone. */
function notesOf(answer: Fields, daily: Daily, language: Language): string[] {
  const same = anySame(answer) ? "" : word("same_none", language);
  return [same, daily.attribution, word("bulletin_sources", language)].filter(Boolean);
}

/** The clipboard is for pages by https alone; elsewhere the old way, else the reader's own keys. */
async function copied(from: HTMLTextAreaElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(from.value);
    return true;
  } catch {
    from.focus();
    from.select();
    return document.execCommand("copy");
  }
}
