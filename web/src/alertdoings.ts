// What an officer can do with the alerts of a row: take, note, put aside, bring back. No DOM.

import type { Answer, Doing, Field, Values } from "./doing.ts";
import { type Fold, shelved } from "./fold.ts";
import { shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import type { Alert, Station } from "./model.ts";
import { CHOICES, endOf, localField } from "./shelving.ts";
import { takeAll } from "./taking.ts";
import { alertSentence, figuresOf, marksOf, placeOf, shelvedText } from "./telling.ts";
import type { Moment } from "./view.ts";
import { type Word, word } from "./words.ts";

export interface AlertDesk {
  /** A call of the live socket; rejects with `CallError`. */
  call(method: string, params: Fields): Promise<unknown>;
  /** The alert as it now is, by the service's word. */
  renew(id: string): Promise<Alert>;
  /** The service's clock, ms. */
  now_ms(): number;
}

/** What a step is called, which alerts it is for, and of which it still has to be asked. */
interface Step {
  id: string;
  method: string;
  words: { tab: Word; title: Word; submit: Word; done: Word };
  alerts: readonly Alert[];
  fields: readonly Field[];
  wanted(alert: Alert): boolean;
  /** Beside id and version; null where the values will not do. */
  params(values: Values): Fields | null;
}

const MOST_FACTS = 5;
const OVER = "normal";

const NOTE: Field = { name: "note", label: "note_label", kind: "text", hint: "note_hint" };

/** The steps that this row takes now; the first is the most likely. */
export function alertDoings(
  fold: Fold,
  station: Station | undefined,
  at: Moment,
  desk: AlertDesk,
): Doing[] {
  const all = [fold.speaks, ...fold.others];
  const steps = [
    acknowledging([...fold.open, ...fold.along]),
    shelving(all, at, desk),
    unshelving(all.filter(shelved)),
    noting([fold.speaks]),
  ];
  return steps
    .filter((step) => step.alerts.length > 0)
    .map((step) => doingOf(step, fold, station, at, desk));
}

function acknowledging(alerts: readonly Alert[]): Step {
  return {
    id: "ack",
    method: "alert.ack",
    words: { tab: "acknowledge", title: "ack_title", submit: "acknowledge", done: "ack_done" },
    alerts,
    fields: [NOTE],
    wanted: ({ state }) => state !== "acked" && state !== OVER,
    params: noteOf,
  };
}

function noting(alerts: readonly Alert[]): Step {
  return {
    id: "note",
    method: "alert.note",
    words: { tab: "note_tab", title: "note_title", submit: "note_submit", done: "note_done" },
    alerts,
    fields: [{ ...NOTE, label: "note_needed", required: true }],
    wanted: ({ state }) => state !== OVER,
    params: noteOf,
  };
}

function shelving(all: readonly Alert[], at: Moment, desk: AlertDesk): Step {
  // What another speaks for comes and goes with that one; a lower rung would come in its place.
  const own = all.filter((a) => a.suppressed === null || a.suppressed.why === "rung");
  const holding = own.filter((alert) => alert.state !== "cleared-unacked" && !shelved(alert));
  const choices = CHOICES.map((value) => ({
    value,
    label: word(`shelve_${value}` as Word, at.language),
  }));
  return {
    id: "shelve",
    method: "alert.shelve",
    words: { tab: "shelve", title: "shelve_title", submit: "shelve", done: "shelve_done" },
    alerts: all.some(shelved) ? [] : holding,
    fields: [
      { name: "until", label: "shelve_until", kind: "choice", choices, value: "1h" },
      {
        ...{ name: "until-own", label: "shelve_own_label", kind: "time", required: true },
        ...{ value: localField(at.now_ms), when: ["until", "own"] },
      },
      { name: "reason", label: "reason_label", kind: "text", hint: "reason_hint", required: true },
    ],
    wanted: (alert) => alert.state !== OVER && !shelved(alert),
    params: (values) => {
      const until = endOf(values["until"] ?? "", values["until-own"] ?? "", desk.now_ms());
      const reason = (values["reason"] ?? "").trim();
      return until === null || reason === "" ? null : { until, reason };
    },
  };
}

function unshelving(alerts: readonly Alert[]): Step {
  return {
    id: "unshelve",
    method: "alert.unshelve",
    words: { tab: "unshelve", title: "unshelve_title", submit: "unshelve", done: "unshelve_done" },
    alerts,
    fields: [NOTE],
    wanted: shelved,
    params: noteOf,
  };
}

function noteOf(values: Values): Fields {
  const note = (values["note"] ?? "").trim();
  return note === "" ? {} : { note };
}

function doingOf(
  step: Step,
  { speaks, others }: Fold,
  station: Station | undefined,
  at: Moment,
  desk: AlertDesk,
): Doing {
  const { language } = at;
  const n = step.alerts.filter((alert) => alert.id !== speaks.id).length;
  const more = n === 0 ? "" : `, ${word("ack_with_others", language, { n })}`;
  /** Each as the officer has seen it: by that version it is asked for. */
  let seen = step.alerts;
  let changed: readonly Alert[] = [];
  const act = async (values: Values): Promise<Answer> => {
    const params = step.params(values);
    if (params === null) return { told: word("values_bad", language), again: true };
    const taken = await takeAll(seen, async ({ id, ver }) => {
      await desk.call(step.method, { id, ver, ...params });
    });
    seen = [...taken.left, ...taken.refused];
    if (taken.problem !== null) throw taken.problem;
    if (seen.length === 0) return { done: word(step.words.done, language) };
    const renewed = await Promise.all(taken.refused.map((alert) => newest(alert, desk)));
    changed = renewed.filter((alert) => alert !== null);
    seen = changed.filter(step.wanted);
    const which = (alerts: readonly Alert[]): string =>
      alerts.map((alert) => figuresOf(alert, at)).join("; ");
    if (seen.length > 0) {
      const told = word("changed_again", language, { which: which(seen) });
      return { told, again: true };
    }
    const gone = taken.codes.every((code) => code === 404);
    const one = taken.done.length === 0 && taken.refused.length === 1;
    const counts = { done: taken.done.length, n: taken.refused.length };
    const who = step.id === "ack" ? (changed[0]?.by ?? "") : "";
    const first = who === "" ? word("ack_409", language) : word("ack_first", language, { who });
    const told = one
      ? gone ? word("ack_404", language) : first
      : word("ack_some", language, { ...counts, which: which(taken.refused) });
    return { told, again: false };
  };
  const { tab, title, submit } = step.words;
  return {
    ...{ id: step.id, tab, title, submit, fields: step.fields, act },
    about: `${placeOf(speaks, station, language)}: ${figuresOf(speaks, at)}${more}`,
    story: step.alerts.map((alert) => alertSentence(alert, station, at)).join("\n"),
    facts: () => (changed.length > 0 ? changed : [speaks, ...others]).flatMap(factsOf(station, at)),
  };
}

/** null where it is gone. */
async function newest(alert: Alert, desk: AlertDesk): Promise<Alert | null> {
  try {
    return await desk.renew(alert.id);
  } catch {
    return null; // said as changed or gone, which is what the refusal said
  }
}

/** What a row has no room for; nothing of an alert that has nothing to add. */
function factsOf(
  station: Station | undefined,
  at: Moment,
): (alert: Alert, n: number) => string[] {
  return (alert, n) => {
    if (n >= MOST_FACTS) return [];
    const told = [shelvedText(alert, at), marksOf(alert, at)].filter(Boolean);
    const when = word("since", at.language, { time: shortTime(alert.since_ms, at.now_ms) });
    return [[alertSentence(alert, station, at), when, ...told].join(" · ")];
  };
}
