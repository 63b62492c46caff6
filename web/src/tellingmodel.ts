// Messages to farmers as an officer reads them: what needs somebody, notices, bulletins. No DOM.

import { DAY_MS, dateTime, duration, MINUTE_MS, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { fields, list, number, text } from "./model.ts";
import { rowsOf } from "./reportcells.ts";
import { localTime } from "./shelving.ts";
import type { Moment } from "./view.ts";
import { type Language, named, type Word, word } from "./words.ts";

/** Names of intakes by their ids. */
export type Names = ReadonlyMap<string, string>;

/** From here on the budget of a month is said to be nearly gone. */
const NEARLY = 0.8;
const SLOW_MS = 30 * MINUTE_MS;
export const EVERYWHERE = "*";

export const of = (raw: Fields | null, name: string): number => number(raw?.[name]) ?? 0;

/** 1.968.000 đ in Vietnamese, 1,968,000 đ in English. */
export function money(dong: number, language: Language): string {
  return `${count(dong, language)} đ`;
}

export function count(n: number, language: Language): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, language === "vi" ? "." : ",");
}

/** How long it will take, roughly. */
export function leftText(left_s: number, language: Language): string {
  const s = Math.ceil(left_s);
  if (s < 60) return word("about_seconds", language, { n: s });
  return duration(s * 1000, language);
}

/** "Cống Xuân Hòa, ngoài sông". */
export function placeText(place: string, names: Names, language: Language): string {
  const [intake = "", side = ""] = place.split("/");
  if (intake === "") return "";
  const name = names.get(intake) ?? intake;
  return side === "" ? name : `${name}, ${named("side_of", side, language)}`;
}

// --- why nothing goes ---------------------------------------------------------------------

/** Why a channel sends nothing, in plain words where the service's own are for programmers. */
export function wayText(trouble: string, language: Language): string {
  const late = /^no answer within (\S+) s/.exec(trouble)?.[1];
  if (late !== undefined) return word("way_late", language, { n: late });
  if (trouble.startsWith("no answer: ConnectionRefusedError")) return word("way_shut", language);
  const [silent, why = ""] = /^no answer(?:: (.*))?$/.exec(trouble) ?? [];
  if (silent !== undefined) return [word("way_silent", language), why].filter(Boolean).join(": ");
  const [, status, unread] = /^status (\d+)(, an answer that can't be read)?$/.exec(trouble) ?? [];
  if (status === undefined) return trouble;
  return word(unread === undefined ? "way_status" : "way_unread", language, { n: status });
}

// --- what needs somebody --------------------------------------------------------------------

export interface Need {
  kind: "channel" | "spent" | "budget" | "held" | "slow";
  channel: string;
  text: string;
  /** Messages that are held. */
  held: number;
}

/** What does not go by itself, the gravest first. */
export function needsOf(answer: Fields | null, at: Moment): Need[] {
  const found = answer === null ? [] : rowsOf(answer, "channels").flatMap((raw) => needsIn(raw, at));
  const order = ["channel", "spent", "held", "budget", "slow"];
  return found.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

function needsIn(raw: Fields, { language, now_ms }: Moment): Need[] {
  const name = text(raw["name"]);
  const found: Need[] = [];
  const add = (kind: Need["kind"], key: Word, values: Record<string, string | number>, held = 0): void =>
    void found.push({ kind, channel: name, held, text: word(key, language, { name, ...values }) });
  const trouble = raw["trouble"];
  const again_ms = number(raw["again"]);
  if (typeof trouble === "string" && again_ms !== null) {
    add("channel", "need_channel_again", { why: wayText(trouble, language), time: shortTime(again_ms, now_ms) });
  } else if (typeof trouble === "string") {
    add("channel", "need_channel", { why: wayText(trouble, language) });
  }
  const [budget, spent] = [number(raw["budget"]), of(raw, "spent")];
  if (budget !== null) {
    const told = { spent: count(spent, language), budget: count(budget, language) };
    const percent = budget === 0 ? 100 : Math.floor((100 * spent) / budget);
    if (spent >= budget) add("spent", "need_spent", told);
    else if (spent >= NEARLY * budget) add("budget", "need_budget", { ...told, percent });
  }
  const held = of(fields(raw["held"]), "budget");
  if (held > 0) add("held", "need_held", { n: count(held, language) }, held);
  const oldest_ms = number(raw["oldest"]);
  if (trouble === null && oldest_ms !== null && now_ms - oldest_ms > SLOW_MS) {
    const age = duration(now_ms - oldest_ms, language);
    add("slow", "need_slow", { n: count(of(raw, "waiting"), language), age });
  }
  return found;
}

// --- events ---------------------------------------------------------------------------------

export interface Told {
  id: string;
  title: string;
  time: string;
  /** Of 1; what is held waits for a person, and is not done. */
  done: number;
  doneText: string;
  far: string;
  left: string;
}

export function eventsOf(answer: Fields | null, names: Names, at: Moment): Told[] {
  return answer === null ? [] : rowsOf(answer, "items").map((raw) => eventOf(raw, names, at));
}

function eventOf(raw: Fields, names: Names, { language, now_ms }: Moment): Told {
  const places = (list(raw["places"]) as string[]).map((one) => placeText(one, names, language));
  const [first = ""] = places;
  const more = { place: first, n: places.length - 1 };
  const place = places.length > 1 ? word("event_places", language, more) : first;
  const level = of(raw, "level") / 1000;
  const limit = String(level).replace(".", language === "vi" ? "," : ".");
  const title = word("event_head", language, {
    kind: named("kind", text(raw["kind"]), language),
    place,
    level: level === 0 ? "" : word("event_level", language, { level: limit }),
  });
  const [all, waiting] = [of(raw, "messages"), of(raw, "waiting")];
  const later = of(raw, "put_off") + of(raw, "held");
  // The planner may take more rows between the two countings than were there at the first.
  const done = all === 0 ? 1 : Math.min(1, Math.max(0, 1 - (waiting + later) / all));
  const left_s = number(raw["left_s"]);
  const n = (name: string): string => count(of(raw, name), language);
  return {
    id: `${text(raw["event"])} ${text(raw["kind"])}`,
    title,
    time: shortTime(of(raw, "t"), now_ms),
    done,
    doneText: word("event_progress", language, { percent: Math.floor(100 * done) }),
    far: word("event_far", language, {
      ...{ people: n("people"), sent: count(of(raw, "sent") + of(raw, "delivered"), language) },
      ...{ delivered: n("delivered"), waiting: n("waiting"), later: n("put_off"), held: n("held") },
      ...{ failed: n("undelivered"), dropped: n("dropped") },
    }),
    left:
      waiting === 0
        ? ""
        : left_s === null
          ? word("event_stands", language)
          : word("event_left", language, { time: leftText(left_s, language) }),
  };
}

// --- bulletins ------------------------------------------------------------------------------

export interface Sms {
  text: string;
  counted: string;
  cut: boolean;
  /** "dung: …", what else it says. */
  second: readonly string[];
}

export function smsOf(raw: Fields | null, language: Language): Sms {
  return {
    text: text(raw?.["text"]),
    counted: word("cast_counted", language, { n: of(raw, "length"), parts: of(raw, "parts") }),
    cut: raw?.["cut"] === true,
    second: (list(raw?.["second"]) as Fields[]).map(
      (one) => `“${text(one["words"])}”: ${text(one[language])}`,
    ),
  };
}

export interface Cast {
  id: string;
  ver: number;
  state: string;
  title: string;
  text: string;
  issuer: string;
  who: string;
  waits: boolean;
  until_ms: number;
  /** Lines about it, for the list and before it is decided. */
  facts: readonly string[];
  sms: Sms;
}

export function castsOf(answer: Fields | null, names: Names, at: Moment): Cast[] {
  return answer === null ? [] : rowsOf(answer, "items").map((raw) => castOf(raw, names, at));
}

function castOf(raw: Fields, names: Names, { language, now_ms }: Moment): Cast {
  const places = (list(raw["places"]) as string[]).map((one) =>
    one === EVERYWHERE ? word("cast_everywhere", language) : (names.get(one) ?? one),
  );
  const who = text(raw["who"]);
  const state = text(raw["state"]);
  const decided = fields(raw["decided"]);
  const ended = {
    who: text(decided?.["who"]),
    time: shortTime(of(decided, "t"), now_ms),
  };
  const level = number(raw["official"]);
  const facts = [
    `${text(raw["issuer"])}, ${dateTime(of(raw, "issued"))}`,
    level === null ? "" : word("cast_level", language, { level }),
    word("cast_to", language, { places: places.join(", ") }),
    word("cast_by", language, { who, time: shortTime(of(raw, "t"), now_ms) }),
    text(raw["note"]),
    decided === null
      ? ""
      : `${named("cast_state", state, language)}: ${word("cast_decided", language, ended)}`,
    text(decided?.["note"]),
  ].filter(Boolean);
  return {
    ...{ id: text(raw["id"]), ver: of(raw, "ver"), state, who, facts },
    ...{ title: text(raw["title"]), text: text(raw["text"]), issuer: text(raw["issuer"]) },
    waits: state === "proposed",
    until_ms: of(raw, "confirm_until"),
    sms: smsOf(fields(raw["sms"]), language),
  };
}

/** What is typed into the form; places as ids. */
export interface Written {
  title: string;
  text: string;
  issuer: string;
  issued: string;
  valid_until: string;
  official: string;
  places: readonly string[];
  note: string;
}

/** The body of a proposal, or the field that will not do. */
export function bodyOf(
  written: Written,
  now_ms: number,
): { body: Fields } | { wrong: keyof Written } {
  for (const name of ["title", "text", "issuer"] as const) {
    if (written[name].trim() === "") return { wrong: name };
  }
  if (written.places.length === 0) return { wrong: "places" };
  const issued = localTime(written.issued);
  if (issued === null || issued > now_ms) return { wrong: "issued" };
  const valid_until = localTime(written.valid_until);
  if (valid_until === null || valid_until <= now_ms || valid_until > issued + 45 * DAY_MS) {
    return { wrong: "valid_until" };
  }
  const { title, text: said, issuer, places, note } = written;
  const official = written.official === "" ? {} : { official: Number(written.official) };
  return { body: { title, text: said, issuer, issued, valid_until, places, note, ...official } };
}

/** Lines on whom it reaches and what it costs. */
export function reachLines(answer: Fields | null, language: Language): string[] {
  if (answer === null) return [];
  const channels = rowsOf(answer, "channels").map((raw) =>
    word("cast_reach_channel", language, {
      name: text(raw["channel"]),
      n: count(of(raw, "people"), language),
      parts: of(raw, "parts"),
    }),
  );
  const n = count(of(answer, "people"), language);
  const cost = money(of(answer, "cost"), language);
  return [word("cast_reach", language, { n, cost }), ...channels];
}
