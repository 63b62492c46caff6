// Active alerts, a row for what belongs together.

import { el, setAttribute, setText } from "./dom.ts";
import { type Fold, type Folded, setAside, shelved, silent, untaken } from "./fold.ts";
import type { Alert, Reading, Station } from "./model.ts";
import {
  alertSentence,
  figuresOf,
  heading,
  lineText,
  marksOf,
  nowText,
  othersText,
  placeOf,
  rowFigures,
  rowWhen,
  shelvedText,
  whenText,
} from "./telling.ts";
import { routeOf } from "./routes.ts";
import type { Moment } from "./view.ts";
import { named, word } from "./words.ts";

/** A longer name is written in smaller letters, so that it need not be cut off. */
const LONG = 11;
/** As much, where it is told of which line of salt a figure is. */
const LONG_BESIDE_LINE = 8;

interface Row {
  item: HTMLElement;
  what: HTMLButtonElement;
  severity: HTMLElement;
  place: HTMLElement;
  figures: HTMLElement;
  value: HTMLElement;
  bound: HTMLElement;
  since: HTMLElement;
  now: HTMLElement;
  line: HTMLElement;
  rest: HTMLButtonElement;
  count: HTMLElement;
  counted: HTMLElement;
  story: HTMLElement;
  page: HTMLAnchorElement;
  who: HTMLElement;
  ack: HTMLButtonElement;
  actions: HTMLButtonElement;
  rungs: HTMLElement;
  unfolded: boolean;
}

export interface AlertActions {
  choose(key: string): void;
  /** What can be done with it; a step where that is what the officer wants. */
  act(fold: Fold, step: AlertStep | null): void;
}

export type AlertStep = "ack" | "shelve" | "note";

/** Rows that stand folded below the others. */
interface Section {
  button: HTMLButtonElement;
  shown: boolean;
  ids: string[];
}

export class Alerts {
  private rows = new Map<string, Row>();
  private readonly title = el("h2", { id: "alerts-title" });
  private readonly count = el("span", { class: "count", "data-testid": "untaken" });
  private readonly list = el("ul", {
    "aria-labelledby": "alerts-title",
    tabindex: "-1",
    id: "alerts-list",
    class: "rows",
  });
  private readonly none = el("p", { class: "none" });
  private readonly more = el("button", { type: "button", class: "more", hidden: true });
  /** Everyday notices; what is put aside or in maintenance. */
  private readonly everyday = section("everyday");
  private readonly aside = section("aside");
  private folds = new Map<string, Fold>();
  private moment: Moment = { language: "vi", now_ms: 0 };

  constructor(
    place: HTMLElement,
    private readonly actions: AlertActions,
  ) {
    const head = el("header", {}, this.title, this.count);
    const below = el("footer", {}, this.everyday.button, this.aside.button);
    place.append(head, this.list, this.none, this.more, below);
    this.more.addEventListener("click", () =>
      this.list.scrollBy({ top: this.list.clientHeight * 0.8, behavior: "smooth" }),
    );
    for (const each of [this.everyday, this.aside]) {
      each.button.addEventListener("click", () => this.unfold(each));
    }
    this.list.addEventListener("scroll", () => this.tellHidden());
    new ResizeObserver(() => this.tellHidden()).observe(this.list);
  }

  update(
    folded: Folded,
    stations: readonly Station[],
    readings: ReadonlyMap<string, Reading>,
    key: string | null,
    at: Moment,
  ): void {
    this.moment = at;
    const { language } = at;
    const { rows, everyday, aside } = folded;
    const all = [...rows, ...everyday, ...aside];
    const open = untaken(folded);
    this.folds = new Map(all.map((fold) => [fold.id, fold]));
    setText(this.title, word("panel_alerts", language));
    const count = open > 0 ? word("n_unacked", language, { n: open }) : word("all_acked", language);
    setText(this.count, rows.length === 0 ? "" : count);
    setAttribute(this.count, "class", open > 0 ? "count open" : "count");
    setText(this.none, word("no_alerts", language));
    const n = everyday.length;
    const everydays = word(n === 1 ? "one_everyday" : "n_everyday", language, { n });
    this.tellSection(this.everyday, everyday, everydays);
    this.tellSection(this.aside, aside, word("n_aside", language, { n: aside.length }));
    this.none.hidden = rows.length > 0 || this.anyUnfolded();
    for (const [id, row] of this.rows) {
      if (this.folds.has(id)) continue;
      row.item.remove();
      this.rows.delete(id);
    }
    all.forEach((fold, place) => {
      const row = this.rows.get(fold.id) ?? this.make(fold.id);
      const station = stations.find((s) => s.id === fold.speaks.station);
      write(row, fold, station, readings.get(fold.speaks.key), at);
      const chosen = key !== null && [fold.speaks, ...fold.others].some((a) => a.key === key);
      setAttribute(row.item, "data-chosen", chosen);
      row.item.hidden = this.folded(fold.id);
      // Moving a row that stands right would take the focus from its button.
      if (this.list.children[place] !== row.item)
        this.list.insertBefore(row.item, this.list.children[place] ?? null);
    });
    this.tellHidden();
  }

  private tellSection(of: Section, folds: readonly Fold[], text: string): void {
    of.ids = folds.map((fold) => fold.id);
    setText(of.button, text);
    of.button.hidden = folds.length === 0;
    setAttribute(of.button, "aria-expanded", of.shown ? "true" : "false");
  }

  private folded(id: string): boolean {
    return [this.everyday, this.aside].some((each) => !each.shown && each.ids.includes(id));
  }

  private anyUnfolded(): boolean {
    return [this.everyday, this.aside].some((each) => each.shown && each.ids.length > 0);
  }

  private make(id: string): Row {
    const severity = el("span", { class: "severity" });
    const place = el("span", { class: "place" });
    const value = el("b", { class: "value", "data-testid": "value" });
    const bound = el("span", { class: "bound" });
    const figures = el("span", { class: "figures" }, value, bound);
    const since = el("span", { class: "since" });
    const now = el("span", { class: "now" });
    const line = el("span", { class: "now" });
    const who = el("span", { class: "who" });
    const when = el("span", { class: "when" }, since, line, now);
    const what = el("button", { type: "button", class: "what" });
    what.append(el("span", { class: "drawn" }, severity, place, figures, when));
    const count = el("span");
    const counted = el("span", { class: "visually-hidden" });
    const rest = el("button", { type: "button", class: "rest", "data-testid": "others" });
    rest.append(count, counted);
    const ack = el("button", { type: "button", class: "ack", "data-testid": "ack" });
    const actions = el("button", { type: "button", class: "more-do", "data-testid": "actions" });
    setText(actions, "⋯");
    const story = el("span");
    const page = el("a", { class: "page", "data-testid": "open" });
    const below = el("p", { class: "below" }, story, " ", page);
    const rungs = el("ul", { class: "rungs" });
    const item = el("li", { class: "row" }, what, rest, who, ack, actions, below, rungs);
    const row: Row = {
      ...{ item, what, severity, place, figures, value, bound, since, line, now, rest, count },
      ...{ counted, story, page, who, ack, actions, rungs, unfolded: false },
    };
    const withFold = (act: (fold: Fold) => void): (() => void) => () => {
      const fold = this.folds.get(id);
      if (fold !== undefined) act(fold);
    };
    what.addEventListener("click", withFold((fold) => this.actions.choose(fold.speaks.key)));
    ack.addEventListener("click", withFold((fold) => this.actions.act(fold, "ack")));
    actions.addEventListener("click", withFold((fold) => this.actions.act(fold, null)));
    rest.addEventListener("click", () => {
      row.unfolded = !row.unfolded;
      showRungs(row);
      this.tellHidden();
    });
    this.rows.set(id, row);
    return row;
  }

  /** Move to the next row (1) or the one before (-1); false where there is none. */
  step(by: 1 | -1): boolean {
    const shown = [...this.list.children].filter((item) => !(item as HTMLElement).hidden);
    const here = shown.findIndex((item) => item.contains(document.activeElement));
    const next = shown[here === -1 && by === -1 ? shown.length - 1 : here + by];
    const button = next?.querySelector<HTMLElement>(".what");
    button?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return button != null;
  }

  /** The row that has the focus. */
  get focused(): Fold | null {
    const found = [...this.rows].find(([, { item }]) => item.contains(document.activeElement));
    return (found && this.folds.get(found[0])) ?? null;
  }

  private unfold(which: Section): void {
    which.shown = !which.shown;
    setAttribute(which.button, "aria-expanded", which.shown ? "true" : "false");
    for (const [id, row] of this.rows) row.item.hidden = this.folded(id);
    const quiet = this.everyday.ids.length + this.aside.ids.length;
    this.none.hidden = this.folds.size > quiet || this.anyUnfolded();
    const first = this.rows.get(which.ids[0] ?? "")?.item;
    if (which.shown && first !== undefined) {
      const top = this.list.getBoundingClientRect().top;
      this.list.scrollTop += first.getBoundingClientRect().top - top;
    }
    this.tellHidden();
  }

  private tellHidden(): void {
    const { bottom, height } = this.list.getBoundingClientRect();
    let below = 0;
    const all = [...this.rows.values()].map(({ item }) => ({ item, box: item.getBoundingClientRect() }));
    for (const { item, box } of all) {
      const out = !item.hidden && box.bottom > bottom + 4;
      if (out) below += 1;
      // Half a row at the edge reads as a whole one of something else; a tall one has to be cut.
      setAttribute(item, "data-cut", out && box.top < bottom && box.height < height / 2);
    }
    this.more.hidden = below === 0;
    if (below > 0) setText(this.more, word("more_below", this.moment.language, { n: below }));
  }
}

function section(name: string): Section {
  const of = { type: "button", class: "section", "aria-controls": "alerts-list" } as const;
  const button = el("button", { ...of, "data-testid": name, hidden: true });
  return { button, shown: false, ids: [] };
}

function write(
  row: Row,
  fold: Fold,
  station: Station | undefined,
  reading: Reading | undefined,
  at: Moment,
): void {
  const { language } = at;
  const { speaks } = fold;
  setAttribute(row.item, "class", `row severity-${fold.severity} state-${standing(fold)}`);
  setAttribute(row.item, "data-testid", `alert-${speaks.id}`);
  const sentence = alertSentence(speaks, station, at);
  const marks = marksOf(speaks, at);
  setAttribute(row.what, "title", [sentence, marks].filter(Boolean).join(" · "));
  sign(row.severity, speaks, at);
  const place = placeOf(speaks, station, language);
  setText(row.place, place);
  const most = lineText(speaks, at) === "" ? LONG : LONG_BESIDE_LINE;
  setAttribute(row.place, "class", place.length > most ? "place long" : "place");
  writeFigures(row, fold, station, reading, at);
  const aside = shelvedText(speaks, at);
  setText(row.since, aside || rowWhen(speaks, at));
  setText(row.who, speaks.state === "acked" ? `✓ ${speaks.by}`.trim() : "");
  row.ack.hidden = fold.open.length === 0;
  setText(row.ack, word("acknowledge_short", language));
  setAttribute(row.ack, "aria-label", `${word("acknowledge_short", language)}: ${sentence}`);
  const label = `${word("actions", language)}: ${sentence}`;
  setAttribute(row.actions, "aria-label", label);
  setAttribute(row.actions, "title", word("actions", language));
  const rest = othersText(fold, at);
  const short = rest === "" ? "" : `+${fold.others.length}`;
  // "+3" on the wall, "+3 mức thấp hơn" for who reads it out.
  setText(row.count, rest.startsWith(short) ? short : `${short} `);
  setText(row.counted, rest.startsWith(short) ? rest.slice(short.length) : rest);
  setAttribute(row.rest, "title", rest || null);
  row.rest.hidden = rest === "";
  setText(row.story, [sentence, marks, aside].filter(Boolean).join(" · "));
  row.page.hidden = routeOf(pageOf(speaks)) === null;
  setAttribute(row.page, "href", row.page.hidden ? null : pageOf(speaks));
  setText(row.page, word("open_alert", language));
  writeRungs(row, fold, station, at);
  showRungs(row);
}

/** A figure against its limit; else words, which may take two lines. */
function writeFigures(
  row: Row,
  fold: Fold,
  station: Station | undefined,
  reading: Reading | undefined,
  at: Moment,
): void {
  const { speaks } = fold;
  const figures = rowFigures(speaks, reading, at);
  // A device that is silent both ways has no direction to be named.
  const whole = silent(speaks) && fold.others.length > 0;
  const direction = heading(speaks, whole ? undefined : station, at);
  // A line of salt that is known as a bound is stored as suspect, and its bound says so.
  const mark = speaks.flag === 3 && !speaks.quantity.startsWith("salt_") ? "◇ " : "";
  setText(row.value, figures === null ? "" : mark + figures.value);
  const words = silent(speaks) ? named("silent", speaks.ask, at.language) : figuresOf(speaks, at);
  setText(row.bound, figures === null ? mark + words + direction : ` ${figures.bound}${direction}`);
  setAttribute(row.figures, "class", figures === null ? "figures words" : "figures");
  setText(row.line, lineText(speaks, at));
  setText(row.now, nowText(speaks, reading, at));
}

/** The alert's own page. */
export function pageOf({ id }: Alert): string {
  return `/canh-bao/${id}`;
}

/** Nobody is waited for where an alert is put aside: it does not breathe. */
function standing({ speaks, state }: Fold): string {
  return shelved(speaks) || setAside(speaks) ? "aside" : state;
}

function showRungs(row: Row): void {
  const shown = row.unfolded && !row.rest.hidden;
  row.rungs.hidden = !shown;
  setAttribute(row.rest, "aria-expanded", shown ? "true" : "false");
}

/** The alerts that don't speak, a line each; they are in the document also while folded. */
function writeRungs(row: Row, fold: Fold, station: Station | undefined, at: Moment): void {
  const lines = row.rungs.children;
  while (lines.length > fold.others.length) lines[lines.length - 1]?.remove();
  while (lines.length < fold.others.length) {
    const parts = ["severity", "figures", "since"].map((name) => el("span", { class: name }));
    row.rungs.append(el("li", {}, ...parts));
  }
  fold.others.forEach((alert, n) => {
    const line = lines[n] as HTMLElement;
    type Three = [HTMLElement, HTMLElement, HTMLElement];
    const [severity, figures, since] = [...line.children] as Three;
    setAttribute(line, "data-testid", `alert-${alert.id}`);
    setAttribute(line, "class", `severity-${alert.severity} state-${alert.state}`);
    setAttribute(line, "title", alertSentence(alert, station, at));
    sign(severity, alert, at);
    setText(figures, told(alert, station, at));
    const taken = alert.state === "acked" ? ` · ✓ ${alert.by}`.trimEnd() : "";
    const own = [shelvedText(alert, at), marksOf(alert, at)].filter(Boolean);
    setText(since, [whenText(alert, at) + taken, ...own].join(" · "));
  });
}

function sign(place: HTMLElement, alert: Alert, at: Moment): void {
  setAttribute(place, "class", `severity severity-${alert.severity}`);
  setText(place, named("severity", alert.severity, at.language));
}

/** The figures, with the mark of a suspect reading and the direction, where there is one. */
function told(alert: Alert, station: Station | undefined, at: Moment): string {
  const mark = alert.flag === 3 ? "◇ " : "";
  const line = lineText(alert, at);
  const of = line === "" ? "" : ` · ${line}`;
  return mark + figuresOf(alert, at) + of + heading(alert, station, at);
}
