// The form by which an officer brings in a community's list: tried first, then what is right taken.

import { el, setAttribute, setText } from "./dom.ts";
import type { Fields } from "./held.ts";
import { sendFile } from "./http.ts";
import { save } from "./saving.ts";
import { reachable, tableElement } from "./sheet.ts";
import {
  BYTES_MAX,
  countsText,
  doubtful,
  exampleFile,
  factLines,
  leftLines,
  listTable,
  listTrouble,
  reportFile,
  reportName,
  reportOf,
  right,
  tooLarge,
} from "./tellinglist.ts";
import type { Around } from "./tellingforms.ts";
import { count } from "./tellingmodel.ts";
import type { Moment } from "./view.ts";
import { type Language, type Word, word } from "./words.ts";

const TYPE = "text/csv";

/** What was tried: just this is taken, whatever becomes of the file meanwhile. */
interface Tried {
  file: ArrayBuffer;
  channel: string;
}

export class ListForm {
  readonly place = el("section", { class: "tell-list", "data-testid": "list" });
  private readonly heading = el("h3");
  private readonly hint = el("p", { class: "hint" });
  private readonly example = el("a", { href: "", "data-testid": "list-example" });
  private readonly form = el("form");
  private readonly channelWords = el("label", { for: "list-channel" });
  private readonly channel = el("select", { id: "list-channel", "data-testid": "list-channel" });
  private readonly fileWords = el("label", { for: "list-file" });
  private readonly file = el("input", {
    ...{ id: "list-file", type: "file", accept: ".csv,.txt,text/csv,text/plain" },
    ...{ "aria-describedby": "list-problem", "data-testid": "list-file" },
  });
  private readonly problem = el("p", {
    ...{ class: "problem", id: "list-problem", role: "alert", "data-testid": "list-problem" },
  });
  private readonly submit = el("button", { type: "submit", "data-testid": "list-try" });
  private readonly told = el("p", { class: "tell-counts", role: "status", "data-testid": "list-told" });
  private readonly report = el("div", { "data-testid": "list-report" });
  private readonly facts = el("ul", { class: "facts" });
  private readonly take = el("button", { type: "button", class: "primary", "data-testid": "list-take" });
  private readonly keep = el("button", { type: "button", "data-testid": "list-save" });
  private readonly only = el("input", { type: "checkbox", "data-testid": "list-only" });
  private readonly onlyWords = el("span");
  private readonly table = el("div");
  private readonly left = el("p", { class: "facts" });
  private tried: Tried | null = null;
  private answer: Fields | null = null;
  /** The channel of the answer. */
  private by = "";
  private drawn = "";
  private busy = false;

  constructor(private readonly around: Around) {
    this.form.append(
      el("p", { class: "field" }, this.channelWords, this.channel),
      el("p", { class: "field" }, this.fileWords, this.file),
      this.problem,
      el("p", { class: "actions" }, this.submit),
    );
    const actions = el("p", { class: "actions" }, this.take, this.keep);
    const only = el("label", { class: "box" }, this.only, this.onlyWords);
    this.report.append(this.facts, actions, only, this.table, this.left);
    this.place.append(this.heading, this.hint, el("p", {}, this.example), this.form, this.told, this.report);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.tryOut();
    });
    // What was tried is another list, or goes another way: it says nothing of this one.
    for (const control of [this.file, this.channel]) control.addEventListener("change", () => this.forget());
    this.take.addEventListener("click", () => void this.takeIn());
    this.keep.addEventListener("click", () => this.saveReport());
    this.only.addEventListener("change", () => this.drawTable(this.language));
    this.example.addEventListener("click", (event) => {
      event.preventDefault();
      const file = new Blob([exampleFile(this.language)], { type: TYPE });
      save(file, `${word("list_file_example", this.language)}.csv`);
    });
    this.say("");
    this.drawReport(this.language);
  }

  /** `channels`: those that take phone numbers. */
  update({ language }: Moment, channels: readonly string[]): void {
    const shape = [language, ...channels].join();
    if (shape === this.drawn) return;
    this.drawn = shape;
    const words: [Element, Word][] = [
      [this.heading, "list_title"],
      [this.hint, channels.length === 0 ? "list_no_channel" : "list_hint"],
      [this.example, "list_example"],
      [this.channelWords, "list_channel"],
      [this.fileWords, "list_choose"],
      [this.submit, "list_try"],
      [this.keep, "list_save"],
    ];
    for (const [place, key] of words) setText(place, word(key, language));
    const chosen = this.channel.value;
    this.channel.replaceChildren(...channels.map((name) => el("option", { value: name }, name)));
    if (channels.includes(chosen)) this.channel.value = chosen;
    this.bar();
    this.say("");
    this.drawReport(language);
  }

  /** Numbers of people are held no longer than the page, and by nobody who has signed out. */
  clear(): void {
    if (this.tried === null && this.answer === null && this.file.value === "") return;
    this.file.value = "";
    this.forget();
  }

  private get language(): Language {
    return this.around.moment().language;
  }

  private forget(): void {
    this.tried = this.answer = null;
    this.say("");
    this.drawReport(this.language);
  }

  // --- sending ------------------------------------------------------------------------------

  private async tryOut(): Promise<void> {
    const [chosen] = this.file.files ?? [];
    if (this.busy) return;
    this.forget();
    if (chosen === undefined || chosen.size > BYTES_MAX) {
      this.say(chosen === undefined ? word("list_choose_first", this.language) : tooLarge(this.language));
      return this.file.focus();
    }
    const channel = this.channel.value;
    await this.send(true, async () => {
      const file = await chosen.arrayBuffer();
      const answer = await sendFile(pathTo(channel, true), TYPE, file);
      this.tried = { file, channel };
      return [answer, channel];
    });
  }

  private async takeIn(): Promise<void> {
    const { tried } = this;
    if (this.busy || tried === null) return;
    await this.send(false, async () => {
      const answer = await sendFile(pathTo(tried.channel, false), TYPE, tried.file);
      this.tried = null;
      this.file.value = "";
      return [answer, tried.channel];
    });
    if (this.tried !== null) return;
    this.around.toast(word("list_done", this.language));
    this.around.entered();
    // The button that was pressed is gone; what came of it is read next.
    this.keep.focus();
  }

  private async send(dry: boolean, act: () => Promise<[Fields, string]>): Promise<void> {
    this.busy = true;
    this.bar();
    this.say("");
    setText(this.told, word(dry ? "list_trying" : "list_taking", this.language));
    try {
      [this.answer, this.by] = await act();
      if (dry) this.only.checked = false;
    } catch (error) {
      this.say(listTrouble(error, !dry, this.language));
    } finally {
      this.busy = false;
      this.bar();
      this.drawReport(this.language);
    }
  }

  // --- drawing ------------------------------------------------------------------------------

  /** While something is on its way nothing else can be chosen: the answer is of what stands here. */
  private bar(): void {
    this.submit.disabled = this.busy || this.channel.options.length === 0;
    this.take.disabled = this.file.disabled = this.channel.disabled = this.busy;
  }

  private drawReport(language: Language): void {
    this.report.hidden = this.answer === null;
    if (this.answer === null) return setText(this.told, "");
    const report = reportOf(this.answer, language);
    setText(this.told, countsText(report, language));
    this.facts.replaceChildren(...factLines(report, this.by, language).map((line) => el("li", {}, line)));
    this.take.hidden = this.tried === null || right(report) === 0;
    setText(this.take, word("list_take", language, { n: count(right(report), language) }));
    const n = doubtful(report);
    setText(this.onlyWords, word("list_only", language, { n: count(n, language) }));
    setAttribute(this.only.parentElement as Element, "hidden", n === 0);
    this.drawTable(language);
  }

  private drawTable(language: Language): void {
    if (this.answer === null) return;
    const report = reportOf(this.answer, language);
    const only = this.only.checked;
    this.table.replaceChildren(tableElement(listTable(report, only, language)));
    reachable(this.table);
    const left = leftLines(report, only);
    setText(this.left, left === 0 ? "" : word("list_left", language, { n: count(left, language) }));
  }

  private saveReport(): void {
    if (this.answer === null) return;
    const { language, now_ms } = this.around.moment();
    const report = reportOf(this.answer, language);
    save(new Blob([reportFile(report, language)], { type: TYPE }), reportName(report, now_ms, language));
  }

  private say(text: string): void {
    setText(this.problem, text);
    this.problem.hidden = text === "";
  }
}

function pathTo(channel: string, dry: boolean): string {
  const query = new URLSearchParams({ channel, dry_run: String(dry) });
  return `/api/v1/subscriptions/import?${query.toString()}`;
}
