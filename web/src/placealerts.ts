// Alerts of one place: those of now, and those of the span that is looked at.

import { Asked } from "./asked.ts";
import { el, setText } from "./dom.ts";
import { clockTime, shortTime } from "./format.ts";
import type { Folded } from "./fold.ts";
import type { Fields } from "./held.ts";
import { type Alert, alert as alertOf, inOrder, list, type Station, text } from "./model.ts";
import { troubleText } from "./reporting.ts";
import type { Mark } from "./strokes.ts";
import { figuresOf, heading } from "./telling.ts";
import type { Moment } from "./view.ts";
import { named, word } from "./words.ts";
import type { Span } from "./zoom.ts";

const ASKED_MAX = 500;
const SHOWN_MAX = 50;
/** What was asked of a span that goes on with now is asked again after this. */
const KEPT_MS = 60_000;
/** Nor sooner than this, however fast a moment of the past goes on. */
const PACE_MS = 5_000;

export class PlaceAlerts {
  readonly place = el("section", { class: "panel place-alerts", "data-testid": "place-alerts" });
  private readonly title = el("h3");
  private readonly rows = el("ul");
  private readonly note = el("p", { class: "note" });
  private found: Alert[] = [];
  private truncated = false;
  private readonly asked: Asked;
  private read: Fields | null = null;
  /** When that came. */
  private read_ms = 0;

  constructor(
    private readonly station: string,
    ask: (path: string) => Promise<Fields>,
    changed: () => void,
  ) {
    this.asked = new Asked(ask, changed);
    this.place.append(this.title, this.rows, this.note);
  }

  /** Ask for the alerts of another span. */
  look({ from_ms, to_ms }: Span, now_ms: number, speed: number): void {
    const open = to_ms >= now_ms - KEPT_MS;
    const wanted = [Math.round((to_ms - from_ms) / KEPT_MS), open ? "" : to_ms].join();
    const every_ms = open ? Math.max(PACE_MS, KEPT_MS / Math.max(1, speed)) : Infinity;
    const span = `from=${Math.round(from_ms)}&to=${Math.round(to_ms) + 1}`;
    const own = `station=${encodeURIComponent(this.station)}&limit=${ASKED_MAX}`;
    const path = `/api/v1/alerts?${span}&${own}`;
    void this.asked.look(wanted, path, every_ms, performance.now());
    const { answer, problem } = this.asked;
    // Until another span has come the one before it stays, that nothing jumps.
    if (answer === this.read || (answer === null && problem === null)) return;
    this.read = answer;
    this.read_ms = now_ms;
    this.found = (list(answer?.["items"]) as Fields[]).map(alertOf).filter((one) => !one.test);
    this.truncated = text(answer?.["next"]) !== "";
  }

  /** The link was gone, or another moment is shown. */
  renew(): void {
    this.asked.again();
  }

  /** Marks on the axis of time, of one series or of all. */
  marks(key: string | null, now_ms: number): Mark[] {
    return this.found
      .filter((one) => (key === null || one.key === key) && one.since_ms <= now_ms)
      .map(({ since_ms, cleared_ms, severity }) => {
        // What cleared after the moment that is looked back to still held then.
        const over = cleared_ms !== null && cleared_ms <= now_ms;
        return { from_ms: since_ms, to_ms: over ? cleared_ms : null, text: "", severity };
      });
  }

  update(active: readonly Alert[], station: Station, at: Moment): void {
    const { language } = at;
    const own = active.filter((one) => one.station === this.station && !one.test);
    const ids = new Set(own.map((one) => one.id));
    const past = this.found.filter((one) => !ids.has(one.id));
    past.sort((a, b) => b.since_ms - a.since_ms);
    const all = [...inOrder(own), ...past].slice(0, SHOWN_MAX);
    setText(this.title, word("alerts_here", language, { n: own.length, m: past.length }));
    const rest = own.length + past.length - all.length;
    const more = rest > 0 || this.truncated;
    const none = all.length === 0 ? word("alerts_none", language) : "";
    const told = more ? word("alerts_more", language, { n: rest }) : none;
    // Of a span that could not be asked about nobody knows that there were none.
    setText(this.note, troubleText(this.asked, clockTime(this.read_ms), language) || told);
    this.note.hidden = this.note.textContent === "";
    const shape = JSON.stringify(all.map((one) => [one.id, one.ver, one.state, language]));
    if (this.rows.dataset["shape"] === shape) return;
    this.rows.dataset["shape"] = shape;
    this.rows.replaceChildren(...all.map((one) => row(one, ids.has(one.id), station, at)));
  }
}

/** Every alert that holds, whatever row it stands in. */
export function activeOf({ rows, everyday, aside }: Folded): Alert[] {
  return [...rows, ...everyday, ...aside].flatMap((fold) => [fold.speaks, ...fold.others]);
}

function row(one: Alert, now: boolean, station: Station, at: Moment): HTMLElement {
  const { language, now_ms } = at;
  const since = word("since", language, { time: shortTime(one.since_ms, now_ms) });
  const until =
    one.cleared_ms === null
      ? ""
      : word("cleared_at", language, { time: shortTime(one.cleared_ms, now_ms) });
  const sign = el("i", { class: `severity ${one.severity}`, "aria-hidden": "true" });
  const link = el("a", { href: `/canh-bao/${one.id}` });
  const parts = [
    named("severity", one.severity, language),
    named("q", one.quantity, language) + heading(one, station, at),
    figuresOf(one, at),
    [since, until].filter(Boolean).join(", "),
    // What is not over and stands in no row yet: the socket has not told of it so far.
    now || one.cleared_ms === null
      ? named("state", one.state, language)
      : word("alert_over", language),
  ];
  setText(link, parts.filter(Boolean).join(" · "));
  return el("li", { class: now ? "now" : "over", "data-testid": `past-${one.id}` }, sign, link);
}
