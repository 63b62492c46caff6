// Messages to farmers: what needs somebody, channels, recent notices, subscribers, bulletins.

import { adviceOf } from "./advice.ts";
import { Asked } from "./asked.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { clockTime, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { getJson, sendJson } from "./http.ts";
import { number, text } from "./model.ts";
import type { App, Opening, Page } from "./page.ts";
import { rowsOf } from "./reportcells.ts";
import { troubleText } from "./reporting.ts";
import { reachable, tableElement } from "./sheet.ts";
import type { Table } from "./tables.ts";
import { type Act, actsOf, deciding, moving } from "./tellingdoings.ts";
import { CastForm, TrialForm } from "./tellingforms.ts";
import { ListForm } from "./tellinglistform.ts";
import {
  type Cast,
  castsOf,
  eventsOf,
  type Names,
  type Need,
  needsOf,
  reachLines,
  type Told,
} from "./tellingmodel.ts";
import { channelTable, dayTable, subscriberTable, undeliveredTable } from "./tellingtables.ts";
import type { Moment } from "./view.ts";
import { type Language, named, type Word, word } from "./words.ts";

export const open: Opening = (root, app) => new TellingPage(root, app);

const EVERY_MS = 10_000;
const SELDOM_MS = 600_000;
const PATHS = {
  now: "/api/v1/telling",
  events: "/api/v1/telling/events?limit=20",
  lost: "/api/v1/telling/messages?state=undelivered&limit=20",
  casts: "/api/v1/broadcasts",
} as const;

class TellingPage implements Page {
  private readonly asked: Record<keyof typeof PATHS, Asked>;
  private readonly crops: Asked;
  private readonly takes: Asked;
  private readonly heading = el("h2", { "data-testid": "telling-title" });
  private readonly stood = el("p", { class: "facts" });
  private readonly trouble = el("p", { class: "trouble", role: "status", "data-testid": "trouble" });
  private readonly body = el("div", { class: "tell-body" });
  private readonly needsWords = el("h3");
  private readonly needs = el("ul", { class: "tell-needs", "data-testid": "needs" });
  private readonly channels = el("div");
  private readonly eventsWords = el("h3");
  private readonly events = el("ul", { class: "tell-events", "data-testid": "events" });
  private readonly beside = el("div", { class: "tell-tables" });
  private readonly castsWords = el("h3");
  private readonly casts = el("ul", { class: "tell-casts", "data-testid": "casts" });
  private readonly cast: CastForm;
  private readonly list: ListForm;
  private readonly trial: TrialForm;
  private readonly drawn = new Map<HTMLElement, string>();
  private role = "viewer";

  constructor(
    root: HTMLElement,
    private readonly app: App,
  ) {
    const ask = (): Asked => new Asked(getJson, () => app.schedule());
    this.asked = { now: ask(), events: ask(), lost: ask(), casts: ask() };
    this.crops = ask();
    this.takes = ask();
    const around = {
      moment: () => app.moment(),
      entered: () => this.again(),
      toast: (said: string) => app.toast(said),
    };
    this.cast = new CastForm(around);
    this.list = new ListForm(around);
    this.trial = new TrialForm(around);
    const head = el("header", { class: "place-head" }, this.heading, this.stood);
    this.body.append(
      el("section", { class: "panel tell-panel" }, this.needsWords, this.needs),
      this.channels,
      el("section", { class: "panel tell-panel" }, this.eventsWords, this.events),
      this.beside,
      el("section", { class: "panel tell-panel" }, this.castsWords, this.casts),
      ...[this.cast.place, this.list.place, this.trial.place],
    );
    root.append(el("div", { class: "report-page telling-page" }, head, this.trouble, this.body));
  }

  title(): string {
    const { language } = this.app;
    return `${word("tell_title", language)} · ${word("river_name", language)}`;
  }

  update(at: Moment): void {
    const { language } = at;
    // While the link is down nobody has a role; what is shown stays.
    this.role = this.app.held.client?.role || this.role;
    const officer = this.role === "operator" || this.role === "admin";
    this.body.hidden = !officer;
    setText(this.heading, word("tell_title", language));
    if (!officer) {
      this.list.clear();
      setText(this.trouble, word("tell_officers", language));
      setText(this.stood, "");
      return;
    }
    const mono_ms = performance.now();
    for (const name of ["now", "events", "lost", "casts"] as const) {
      void this.asked[name].look(this.role, PATHS[name], EVERY_MS, mono_ms);
    }
    void this.crops.look("", "/api/v1/farmers/crops", SELDOM_MS, mono_ms);
    void this.takes.look("", "/api/v1/farmers/channels", SELDOM_MS, mono_ms);
    const answer = this.asked.now.answer;
    const stood_ms = number(answer?.["now"]);
    const time = stood_ms === null ? "" : clockTime(stood_ms);
    setText(this.stood, time && word("tell_stood", language, { time }));
    setText(this.trouble, troubleText(this.asked.now, time, language));
    this.draw(at);
  }

  renewed(): void {
    this.again();
  }

  close(): void {
    this.cast.close();
    this.list.clear();
  }

  private again(): void {
    for (const one of Object.values(this.asked)) one.again();
    this.app.schedule();
  }

  private async send(path: string, body: Fields): Promise<Fields> {
    try {
      return await sendJson("POST", path, body);
    } finally {
      // Also where somebody else was first: the page shows what he did.
      this.again();
    }
  }

  // --- drawing ------------------------------------------------------------------------------

  private draw(at: Moment): void {
    const { language } = at;
    const names = this.names();
    const casts = castsOf(this.asked.casts.answer, names, at);
    setText(this.needsWords, word("tell_needs", language));
    setText(this.eventsWords, word("tell_events", language));
    setText(this.castsWords, word("cast_list", language));
    this.drawNeeds(needsOf(this.asked.now.answer, at), casts, at);
    const answer = this.asked.now.answer;
    this.drawTables(this.channels, [channelTable(answer, language)], language);
    this.drawEvents(eventsOf(this.asked.events.answer, names, at), language);
    const tables = [
      subscriberTable(answer, names, this.cropNames(language), language),
      undeliveredTable(this.asked.lost.answer, names, at),
      dayTable(answer, language),
    ];
    this.drawTables(this.beside, tables, language);
    this.drawCasts(casts, language);
    this.cast.update(at, names);
    const channels = answer === null ? [] : rowsOf(answer, "channels");
    this.trial.update(at, channels.map((raw) => text(raw["name"])));
    if (this.takes.answer !== null) this.list.update(at, phoneChannels(this.takes.answer));
    this.list.place.hidden = this.takes.answer === null;
  }

  private names(): Names {
    const items = adviceOf(this.app.held.advice.answer);
    return new Map(items.map(({ intake, name }) => [intake, name]));
  }

  private cropNames(language: Language): Names {
    const { answer } = this.crops;
    const items = answer === null ? [] : rowsOf(answer, "items");
    return new Map(items.map((raw) => [text(raw["id"]), text(raw[language])]));
  }

  /** Drawn anew only where it says something else, so that the focus stays. */
  private changed(place: HTMLElement, said: unknown): boolean {
    const key = JSON.stringify(said);
    if (this.drawn.get(place) === key) return false;
    this.drawn.set(place, key);
    return true;
  }

  private drawTables(place: HTMLElement, tables: readonly Table[], language: Language): void {
    if (!this.changed(place, [language, tables])) return;
    place.replaceChildren(...tables.map((table) => tableElement(table)));
    reachable(place);
  }

  private drawNeeds(needs: readonly Need[], casts: readonly Cast[], at: Moment): void {
    const { language, now_ms } = at;
    const who = this.app.held.door.who.name;
    const waiting = casts.filter(({ waits }) => waits);
    if (!this.changed(this.needs, [language, needs, waiting, who])) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["testid"];
    const rows = needs.map((need) => this.needRow(need, language));
    for (const cast of waiting) rows.push(this.castRow(cast, who, now_ms, language));
    if (rows.length === 0) rows.push(el("li", { class: "none" }, word("tell_needs_none", language)));
    this.needs.replaceChildren(...rows);
    if (focused === undefined) return;
    const again = this.needs.querySelector<HTMLElement>(`[data-testid="${CSS.escape(focused)}"]`);
    again?.focus({ preventScroll: true });
  }

  private needRow(need: Need, language: Language): HTMLElement {
    const grave = need.kind === "channel" || need.kind === "spent";
    const row = el("li", { class: grave ? "grave" : null, "data-testid": `need-${need.kind}` });
    row.append(el("span", {}, need.text));
    if (need.kind !== "held") return row;
    for (const deed of ["release", "drop"] as const) {
      const button = el(
        "button",
        { type: "button", "data-testid": `${deed}-${need.channel}` },
        word(`held_${deed}`, language),
      );
      button.addEventListener("click", () => {
        const doing = moving(need, deed, language, (path, body) => this.send(path, body));
        this.app.offer([doing]);
      });
      row.append(button);
    }
    return row;
  }

  /** A bulletin that waits for a second officer. */
  private castRow(cast: Cast, who: string, now_ms: number, language: Language): HTMLElement {
    const time = shortTime(cast.until_ms, now_ms);
    const said = word("need_bulletin", language, { title: cast.title, time });
    const row = el("li", { "data-testid": `waits-${cast.id}` }, el("span", {}, said));
    const own = cast.who === who;
    const hint = el("small", { id: `own-${cast.id}` }, own ? word("cast_own", language) : "");
    if (own) {
      row.append(
        el(
          "button",
          {
            ...{ type: "button", disabled: true, "data-testid": `confirm-${cast.id}` },
            "aria-describedby": `own-${cast.id}`,
          },
          word("cast_confirm", language),
        ),
      );
    }
    for (const act of actsOf(cast, who)) {
      const button = el(
        "button",
        { type: "button", "data-testid": `${act}-${cast.id}` },
        word(`cast_${act}` satisfies Word, language),
      );
      button.addEventListener("click", () => void this.decide(cast, act));
      row.append(button);
    }
    if (own) row.append(hint);
    return row;
  }

  private async decide(cast: Cast, act: Act): Promise<void> {
    const { language } = this.app;
    const raw = rowsOf(this.asked.casts.answer ?? {}, "items").find((one) => one["id"] === cast.id);
    const { title, text: said, issuer, places, official, issued } = raw ?? {};
    const asked = { title, text: said, issuer, places, issued, ...(official ? { official } : {}) };
    // Whom it reaches is good to know, and no reason to keep him waiting for long.
    const reach =
      act === "confirm"
        ? await sendJson("POST", "/api/v1/broadcasts/preview", asked).catch(() => null)
        : null;
    const lines = reachLines(reach, language);
    this.app.offer([deciding(cast, act, lines, language, (path, body) => this.send(path, body))]);
  }

  private drawEvents(events: readonly Told[], language: Language): void {
    if (!this.changed(this.events, [language, events])) return;
    const rows = events.map(({ title, time, done, doneText, far, left }) =>
      el(
        "li",
        {},
        el("p", { class: "tell-event" }, el("b", {}, title), el("span", {}, time)),
        el("progress", { max: 1, value: done, "aria-label": `${title}: ${doneText}` }),
        el("p", { class: "facts" }, [doneText, far, left].filter(Boolean).join(" · ")),
      ),
    );
    const none = el("li", { class: "none" }, word("tell_events_none", language));
    this.events.replaceChildren(...(rows.length === 0 ? [none] : rows));
  }

  private drawCasts(casts: readonly Cast[], language: Language): void {
    const shown = casts.slice(0, 20);
    setAttribute(this.castsWords.parentElement as Element, "hidden", shown.length === 0);
    if (!this.changed(this.casts, [language, shown])) return;
    const rows = shown.map((cast) =>
      el(
        "li",
        { "data-testid": `cast-${cast.id}` },
        el(
          "p",
          { class: "tell-event" },
          el("b", {}, cast.title),
          el("span", { class: cast.waits ? "waits" : null }, named("cast_state", cast.state, language)),
        ),
        el("p", { class: "tell-words" }, cast.text),
        el("p", { class: "facts" }, cast.facts.join(" · ")),
      ),
    );
    this.casts.replaceChildren(...rows);
  }
}

/** A list holds phone numbers. */
function phoneChannels(answer: Fields): string[] {
  const phones = rowsOf(answer, "channels").filter((raw) => raw["takes"] === "phone");
  return phones.map((raw) => text(raw["name"]));
}
