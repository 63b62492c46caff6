// The page of an alert: what holds, since when, what was done about it, and what each step rests on.

import { alertDoings } from "./alertdoings.ts";
import { storyOf, type Step } from "./alertstory.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { fold, type Fold } from "./fold.ts";
import { DAY_MS, dateTime, duration, HOUR_MS } from "./format.ts";
import type { Fields } from "./held.ts";
import { getJson, HttpError } from "./http.ts";
import * as model from "./model.ts";
import type { App, Opening, Page } from "./page.ts";
import { Past } from "./past.ts";
import { viewText } from "./placeaddress.ts";
import { whyText } from "./reporting.ts";
import { StationCurves } from "./stationcurves.ts";
import {
  figuresOf,
  heading,
  marksOf,
  newestText,
  placeOf,
  rowFigures,
  shelvedText,
} from "./telling.ts";
import type { Moment } from "./view.ts";
import { named, type Word, word } from "./words.ts";
import { type Wish, Zoom } from "./zoom.ts";

export const open: Opening = (root, app, subject) => new AlertPage(root, app, subject);

const AGAIN_MS = 10_000;
/** Of the curve, before it began and after it was over. */
const BEFORE_MS = 6 * HOUR_MS;
const AFTER_MS = 3 * HOUR_MS;

class AlertPage implements Page {
  private raw: Fields | null = null;
  private problem: unknown = null;
  private asking = false;
  private due_ms = -Infinity;
  /** The version that the socket last told of; another one is asked for. */
  private heard = "";
  private drawn = "";
  private curves: StationCurves | null = null;
  private readonly title_ = el("h2", { "data-testid": "alert-title" });
  private readonly facts = el("p", { class: "facts", "data-testid": "alert-facts" });
  private readonly state = el("p", { class: "state", "data-testid": "alert-state" });
  private readonly doings = el("p", { class: "actions doings" });
  private readonly ways = el("nav", { class: "ways" });
  private readonly steps = el("ol", { class: "story", "data-testid": "timeline" });
  private readonly stepsTitle = el("h3");
  private readonly curvePlace = el("div", { class: "alert-curve" });
  private readonly note = el("p", { class: "panel nowhere", role: "status" });
  private readonly body: HTMLElement;

  constructor(
    root: HTMLElement,
    private readonly app: App,
    private readonly id: string,
  ) {
    const head = el("header", { class: "panel alert-head" }, this.title_, this.state, this.facts);
    head.append(this.doings, this.ways);
    const story = el("section", { class: "panel story-panel" }, this.stepsTitle, this.steps);
    this.body = el("div", { class: "alert-page" }, head, this.curvePlace, story);
    this.body.hidden = true;
    root.append(this.note, this.body);
  }

  title(): string {
    return `${word("alert_page", this.app.language)} · ${word("river_name", this.app.language)}`;
  }

  update(at: Moment): void {
    this.listen();
    void this.load();
    const { raw } = this;
    this.body.hidden = raw === null;
    this.tellTrouble(at);
    if (raw === null) return;
    const alert = model.alert(raw);
    const station = this.app.held.station(alert.station);
    const { client, past } = this.app.held;
    const drawn = [at.language, raw["ver"], alert.state, client?.role, past !== null].join();
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.write(alert, raw, station, at);
      this.writeStory(storyOf(raw, at.language), at);
    }
    // The record is of the present also where readings are of the past.
    const reading = past === null ? this.app.held.readings.get(alert.key) : undefined;
    setText(this.facts, factsOf(alert, raw, newestText(alert, reading, at), at));
    this.drawCurve(alert, station, at);
  }

  renewed(): void {
    this.due_ms = -Infinity;
    this.heard = "";
    this.curves?.renew();
  }

  restyled(): void {
    this.curves?.restyle();
  }

  close(): void {
    this.curves?.close();
  }

  /** Another version on the socket, or gone from it: the records have more by now. */
  private listen(): void {
    const { rows, everyday, aside } = this.app.held.folded;
    const all = [...rows, ...everyday, ...aside].flatMap((one) => [one.speaks, ...one.others]);
    const ver = all.find(({ id }) => id === this.id)?.ver;
    const heard = String(ver ?? "");
    if (heard !== this.heard) this.due_ms = -Infinity;
    this.heard = heard;
  }

  private async load(): Promise<void> {
    const now_ms = performance.now();
    if (this.asking || now_ms < this.due_ms) return;
    this.asking = true;
    try {
      const path = `/api/v1/alerts/${encodeURIComponent(this.id)}`;
      this.raw = await getJson(path);
      this.problem = null;
      this.due_ms = Infinity; // until the socket tells of it again
    } catch (problem) {
      this.problem = problem;
      this.due_ms = now_ms + AGAIN_MS;
    } finally {
      this.asking = false;
      this.app.schedule();
    }
  }

  /** That it is not here, or not as it now is, or not as it was at the moment that is shown. */
  private tellTrouble({ language }: Moment): void {
    const { problem, raw } = this;
    const gone = problem instanceof HttpError && [404, 422].includes(problem.status);
    let text = raw === null ? word("report_loading", language) : "";
    if (gone) text = word("alert_unknown", language, { id: this.id });
    else if (problem !== null) {
      const why = whyText(problem, language);
      text = word(raw === null ? "alert_away" : "alert_old", language, { why });
    } else if (raw !== null && this.app.held.past !== null) text = word("alert_not_then", language);
    setText(this.note, text);
    this.note.hidden = text === "";
  }

  private write(
    alert: model.Alert,
    raw: Fields,
    station: model.Station | undefined,
    at: Moment,
  ): void {
    const { language } = at;
    const place = placeOf(alert, station, language) + heading(alert, station, at);
    // Kilometres of a line or of a queue: of which, the figures alone do not say.
    const compared = rowFigures(alert, undefined, at) !== null;
    const what = compared ? ` · ${named("q", alert.quantity, language)}` : "";
    setText(this.title_, `${place}${what}: ${figuresOf(alert, at)}`);
    setAttribute(this.body, "data-severity", alert.severity);
    setAttribute(this.body, "data-state", alert.state);
    const told = [
      named("severity", alert.severity, language),
      named("state", alert.state, language),
      alert.by,
      shelvedText(alert, at),
      marksOf(alert, at),
      raw["historic"] === true ? word("alert_historic", language) : "",
    ];
    setText(this.state, told.filter(Boolean).join(" · "));
    setText(this.stepsTitle, word("timeline", language));
    this.ways.replaceChildren(...waysOf(alert, station, at));
    this.writeDoings(alert, station, at);
  }

  private writeDoings(alert: model.Alert, station: model.Station | undefined, at: Moment): void {
    const { held } = this.app;
    const one = held.past === null ? foldOf(alert) : null;
    const doings =
      one === null
        ? []
        : alertDoings(one, station, at, {
            call: (method, params) => held.call(method, params),
            renew: (id) => held.renew(id),
            now_ms: () => held.now_ms(),
          });
    const buttons = doings.map((doing) => {
      const button = el(
        "button",
        { type: "button", class: "step", "data-testid": `step-${doing.id}` },
        word(doing.tab, at.language),
      );
      button.addEventListener("click", () => this.app.offer(doings, doing));
      return button;
    });
    this.doings.replaceChildren(...buttons);
    this.doings.hidden = buttons.length === 0;
  }

  private writeStory(steps: readonly Step[], { language }: Moment): void {
    this.steps.replaceChildren(...steps.map((step) => stepRow(step, (key) => word(key, language))));
  }

  private drawCurve(alert: model.Alert, station: model.Station | undefined, at: Moment): void {
    const { held } = this.app;
    const reading = held.readings.get(alert.key);
    const place = station ?? (reading === undefined ? null : model.armOf(reading));
    this.curvePlace.hidden = reading === undefined || place === null;
    if (reading === undefined || place === null) return;
    if (this.curves === null) {
      const past = new Past(getJson);
      const now = (): number => this.app.moment().now_ms;
      const zoom = new Zoom(wishOf(alert, at.now_ms));
      this.curves = new StationCurves(held, past, zoom, now, () => this.app.schedule());
      this.curvePlace.append(this.curves.place);
    }
    const marks = [
      {
        from_ms: alert.since_ms,
        to_ms: alert.cleared_ms,
        text: figuresOf(alert, at),
        severity: alert.severity,
      },
    ];
    this.curves.update(place, reading, { alerts: marks, hands: [], years: [] }, at);
  }
}

/** The alert as a row of its own; null where nothing can be done with it any more. */
function foldOf(alert: model.Alert): Fold | null {
  if (alert.state === "normal") return null;
  const { rows, everyday, aside } = fold([alert]);
  return rows[0] ?? everyday[0] ?? aside[0] ?? null;
}

/** From before it began until after it was over, or on with now. */
function wishOf(alert: model.Alert, now_ms: number): Wish {
  const from_ms = alert.since_ms - BEFORE_MS;
  const over_ms = alert.cleared_ms === null ? null : alert.cleared_ms + AFTER_MS;
  const end_ms = over_ms === null || over_ms >= now_ms ? null : over_ms;
  return { span_ms: Math.max(DAY_MS / 2, (end_ms ?? now_ms) - from_ms), end_ms };
}

/** `newest` is "" where nothing is measured now that could be set against the alert's limit. */
function factsOf(alert: model.Alert, raw: Fields, newest: string, at: Moment): string {
  const { language, now_ms } = at;
  const known_ms = model.number(raw["t_detected"]);
  const end_ms = alert.cleared_ms ?? now_ms;
  const age = duration(end_ms - alert.since_ms, language);
  const parts = [
    word("alert_since", language, { time: dateTime(alert.since_ms) }),
    known_ms === null ? "" : word("alert_known", language, { time: dateTime(known_ms) }),
    alert.cleared_ms === null
      ? ""
      : word("alert_cleared", language, { time: dateTime(alert.cleared_ms) }),
    word(alert.cleared_ms === null ? "alert_lasts" : "alert_lasted", language, { age }),
    newest,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Where to go on from here: the place over the same time, the wall of then, what speaks for it. */
function waysOf(
  alert: model.Alert,
  station: model.Station | undefined,
  { language, now_ms }: Moment,
): HTMLElement[] {
  const ways: HTMLElement[] = [];
  const way = (href: string, name: Word, testid: string): void => {
    ways.push(el("a", { href, "data-testid": testid }, word(name, language)));
  };
  if (station !== undefined) {
    const path = station.kind === "traffic" ? "/cau/" : "/tram/";
    way(path + station.id + viewText(alert.key, wishOf(alert, now_ms)), "see_place", "see-place");
  }
  way(`/?at=${alert.told_ms ?? alert.since_ms}`, "see_wall_then", "see-wall-then");
  const by = alert.suppressed?.by ?? "";
  if (/^[0-9a-f]{16}$/.test(by)) way(`/canh-bao/${by}`, "alert_spoken_for", "spoken-for");
  return ways;
}

function stepRow(step: Step, t: (key: Word) => string): HTMLElement {
  const who = step.who || (["acked", "noted"].includes(step.type) ? "" : t("by_clock"));
  const line = el(
    "p",
    {},
    el("time", { datetime: new Date(step.at_ms).toISOString() }, step.time),
    el("b", {}, step.what),
    el("span", { class: "who" }, [step.why, who, step.heard].filter(Boolean).join(" · ")),
  );
  const note = step.note === "" ? null : el("blockquote", {}, step.note);
  return el("li", { "data-type": step.type }, line, note, proofPlace(step, t));
}

function proofPlace(step: Step, t: (key: Word) => string): HTMLElement | null {
  if (step.raw === null || step.proof.length === 0) return null;
  const rows = step.proof.flatMap(({ label, value }) => [el("dt", {}, label), el("dd", {}, value)]);
  const whole = el(
    "details",
    { class: "whole" },
    el("summary", {}, t("proof_all")),
    el("pre", { tabindex: 0 }, JSON.stringify(step.raw, null, 1)),
  );
  const summary = el("summary", {}, t("proof"));
  return el("details", { open: step.type === "raised" }, summary, el("dl", {}, ...rows), whole);
}
