// Channels, subscribers, days and the undelivered as tables. No DOM.

import { decimal, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { fields, number, text } from "./model.ts";
import { rowsOf } from "./reportcells.ts";
import { cell, type Column, type Row, type Table } from "./tables.ts";
import { count, leftText, money, type Names, of, placeText, wayText } from "./tellingmodel.ts";
import type { Moment } from "./view.ts";
import { type Language, named, type Word, word } from "./words.ts";

const total = (raw: unknown): number =>
  Object.values(fields(raw) ?? {}).reduce<number>((sum, n) => sum + (number(n) ?? 0), 0);

const head = (language: Language, key: Word, more: Omit<Column, "head"> = {}): Column => ({
  head: word(key, language),
  ...more,
});

const FIGURES = { figures: true } as const;

export function channelTable(answer: Fields | null, language: Language): Table {
  const rows = (answer === null ? [] : rowsOf(answer, "channels")).map((raw): Row => {
    const month = fields(raw["month"]);
    const left_s = number(raw["left_s"]);
    const waiting = of(raw, "waiting");
    const budget = number(raw["budget"]);
    const spent = { spent: count(of(raw, "spent"), language), budget: count(budget ?? 0, language) };
    const good = raw["trouble"] === null;
    const cells = [
      cell(text(raw["name"])),
      cell(good ? named("tellway", text(raw["way"]), language) : wayText(text(raw["trouble"]), language), { strong: !good }),
      cell(count(waiting, language)),
      cell(waiting === 0 || left_s === null ? "" : leftText(left_s, language)),
      cell(count(total(raw["put_off"]), language)),
      cell(whysText(raw["held"], language)),
      cell(count(of(month, "sent"), language)),
      cell(count(of(month, "delivered"), language)),
      cell(count(of(month, "undelivered"), language)),
      cell(money(of(month, "cost"), language)),
      cell(budget === null ? word("no_budget", language) : word("budget_of", language, spent)),
      cell(word("per_second", language, { n: decimal(of(raw, "per_s"), 1, language) })),
    ];
    return { cells, rank: 0 };
  });
  return {
    id: "channels",
    caption: word("t_channels", language),
    columns: [
      head(language, "c_channel"),
      head(language, "c_state"),
      head(language, "c_waiting", FIGURES),
      head(language, "c_left", { tight: true }),
      head(language, "c_put_off", FIGURES),
      head(language, "c_held"),
      head(language, "c_sent_month", FIGURES),
      head(language, "c_delivered", FIGURES),
      head(language, "c_failed", FIGURES),
      head(language, "c_paid", FIGURES),
      head(language, "c_budget", FIGURES),
      head(language, "c_pace", FIGURES),
    ],
    rows,
    none: word("t_channels_none", language),
  };
}

/** "40 hết ngân sách, 3 cùng một đợt"; the most first. */
function whysText(raw: unknown, language: Language): string {
  const held = Object.entries(fields(raw) ?? {}).map(([why, n]) => [why, number(n) ?? 0] as const);
  const some = held.filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a);
  return some.map(([why, n]) => `${count(n, language)} ${whyText(why, language)}`).join(", ");
}

/** Why a message is where it is. */
export const whyText = (why: string, language: Language): string => named("tellwhy", why, language);

export function subscriberTable(
  answer: Fields | null,
  names: Names,
  crops: Names,
  language: Language,
): Table {
  const rows = (answer === null ? [] : rowsOf(answer, "subscribers")).map((raw): Row => {
    const grown = Object.entries(fields(raw["crops"]) ?? {}).map(
      ([crop, n]) => `${crops.get(crop) ?? crop} ${count(number(n) ?? 0, language)}`,
    );
    const cells = [
      cell(placeText(text(raw["place"]), names, language)),
      cell(count(of(raw, "people"), language)),
      cell(grown.join(", ")),
    ];
    return { cells, rank: 0 };
  });
  const people = fields(answer?.["people"]);
  const all = word("people_all", language, {
    active: count(of(people, "active"), language),
    pending: count(of(people, "pending"), language),
    stopped: count(of(people, "do_not_contact"), language),
  });
  return {
    id: "subscribers",
    caption: [word("t_subscribers", language), people === null ? "" : all].filter(Boolean).join(": "),
    columns: [
      head(language, "c_place"),
      head(language, "c_people", FIGURES),
      head(language, "c_crops", { long: true }),
    ],
    rows,
    none: word("t_subscribers_none", language),
  };
}

export function dayTable(answer: Fields | null, language: Language): Table {
  const rows = (answer === null ? [] : rowsOf(answer, "days")).map((raw): Row => {
    const day = text(raw["day"]).split("-").reverse().slice(0, 2).join("/");
    const figures = ["sent", "delivered", "undelivered", "dropped"].map((name) =>
      cell(count(of(raw, name), language)),
    );
    const paid = cell(money(of(raw, "cost"), language));
    return { cells: [cell(day), cell(text(raw["channel"])), ...figures, paid], rank: 0 };
  });
  return {
    id: "days",
    caption: word("t_days", language),
    columns: [
      head(language, "c_day", { tight: true }),
      head(language, "c_channel"),
      head(language, "c_sent", FIGURES),
      head(language, "c_delivered", FIGURES),
      head(language, "c_failed", FIGURES),
      head(language, "c_dropped", FIGURES),
      head(language, "c_cost", FIGURES),
    ],
    rows,
    none: word("t_days_none", language),
  };
}

export function undeliveredTable(answer: Fields | null, names: Names, at: Moment): Table {
  const { language, now_ms } = at;
  const rows = (answer === null ? [] : rowsOf(answer, "items")).map((raw): Row => {
    const detail = wayText(text(raw["detail"]), language);
    const why = [whyText(text(raw["why"]), language), detail].filter(Boolean).join(": ");
    const cells = [
      cell(shortTime(of(raw, "t"), now_ms)),
      cell(String(of(raw, "contact"))),
      cell(text(raw["channel"])),
      cell(named("kind", text(raw["kind"]), language)),
      cell(placeText(text(raw["place"]), names, language)),
      cell(why),
      cell(String(of(raw, "tries"))),
    ];
    return { cells, rank: 0 };
  });
  return {
    id: "undelivered",
    caption: word("t_undelivered", language),
    columns: [
      head(language, "c_time_made", { tight: true }),
      head(language, "c_contact", FIGURES),
      head(language, "c_channel"),
      head(language, "c_kind"),
      head(language, "c_place"),
      head(language, "c_why", { long: true }),
      head(language, "c_tries", FIGURES),
    ],
    rows,
    none: word("t_undelivered_none", language),
  };
}
