// What officers do on the page of messages, as forms: a bulletin is decided, held ones go. No DOM.

import type { Answer, Doing, Field, Values } from "./doing.ts";
import type { Fields } from "./held.ts";
import { HttpError } from "./http.ts";
import { number } from "./model.ts";
import { type Cast, count, type Need } from "./tellingmodel.ts";
import type { Language, Word } from "./words.ts";
import { word } from "./words.ts";

/** Rejects with `HttpError`. */
export type Send = (path: string, body: Fields) => Promise<Fields>;

export type Act = "confirm" | "refuse" | "withdraw";

const NOTE: Field = { name: "note", label: "cast_note", kind: "text" };
const WHY: Field = { name: "note", label: "cast_why", kind: "text", required: true };

const DECIDING: Readonly<Record<Act, { title: Word; submit: Word; done: Word; field: Field }>> = {
  confirm: { title: "cast_confirm_title", submit: "cast_confirm", done: "cast_sent", field: NOTE },
  refuse: { title: "cast_refuse_title", submit: "cast_refuse", done: "cast_done", field: WHY },
  withdraw: { title: "cast_withdraw_title", submit: "cast_withdraw", done: "cast_done", field: NOTE },
};

/** What an officer may do to a bulletin that waits. */
export function actsOf(cast: Cast, who: string): readonly Act[] {
  return cast.who === who ? ["withdraw"] : ["confirm", "refuse"];
}

/** `reach` are lines on whom it reaches and what it costs. */
export function deciding(
  cast: Cast,
  act: Act,
  reach: readonly string[],
  language: Language,
  send: Send,
): Doing {
  const { title, submit, done, field } = DECIDING[act];
  const second = cast.sms.second.length > 0 ? [word("cast_second", language), ...cast.sms.second] : [];
  const sms = [`${word("cast_preview", language)}:`, cast.sms.text, cast.sms.cut ? word("cast_cut", language) : ""];
  // What is sent, what else it says and whom it reaches: before all else, and not scrolled for.
  const read = act === "confirm" ? [...second, ...reach, ...sms] : [];
  return {
    ...{ id: act, tab: title, title, submit, about: cast.title, story: cast.text },
    fields: [field],
    facts: () => [...read, cast.text, ...cast.facts].filter(Boolean),
    act: async ({ note = "" }: Values): Promise<Answer> => {
      try {
        await send(`/api/v1/broadcasts/${cast.id}/${act}`, { ver: cast.ver, note });
        return { done: word(done, language) };
      } catch (error) {
        if (!(error instanceof HttpError) || error.status !== 409) throw error;
        return { told: word("cast_changed", language, { why: error.message }), again: false };
      }
    },
  };
}

/** Letting go or giving up all that the budget of a channel holds. */
export function moving(
  need: Need,
  deed: "release" | "drop",
  language: Language,
  send: Send,
): Doing {
  const title: Word = deed === "release" ? "held_release_title" : "held_drop_title";
  const fact: Word = deed === "release" ? "held_released_fact" : "held_drop_fact";
  const all = { n: count(need.held, language), name: need.channel };
  return {
    ...{ id: `${deed}-held`, tab: "held_tab", title, about: "", story: "", fields: [] },
    submit: deed === "release" ? "held_release" : "held_drop",
    facts: () => [word("held_all", language, all), word(fact, language)],
    act: async (): Promise<Answer> => {
      const answer = await send(`/api/v1/telling/${deed}`, { channel: need.channel });
      const n = count(number(answer["moved"]) ?? 0, language);
      const key: Word = answer["more"] === true ? "held_done_more" : "held_done";
      return { done: word(key, language, { n }) };
    },
  };
}
