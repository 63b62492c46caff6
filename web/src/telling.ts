// What is said of an alert, in words.

import { clockTime, date, DAY_MS, figure, limit, shortTime, sinceTime } from "./format.ts";
import { type Fold, setAside, others, shelved } from "./fold.ts";
import { mouthName, shortName } from "./layout.ts";
import { type Alert, type Reading, type Station, usable } from "./model.ts";
import type { Moment } from "./view.ts";
import { type Language, named, unitOf, word } from "./words.ts";

/** What the service says of itself: no station, and no figure to compare. */
const NOTICE = "notice";

/** Where it is: the station's name, or that it is the service itself. */
export function placeOf(alert: Alert, station: Station | undefined, language: Language): string {
  const uplink = /^songtien\/uplink\/(.+)$/.exec(alert.key)?.[1];
  if (uplink !== undefined) return word("uplink", language, { name: uplink });
  if (alert.ask === NOTICE && alert.station === "") return word("the_service", language);
  // A line of salt has an arm of the river, and no station.
  const elsewhere = alert.station || (alert.branch && mouthName(alert.branch));
  return shortName(station?.name ?? elsewhere);
}

/** What stands for a state: no officer reads "2 > 1,5" as a jam. */
const STATES = ["traffic_state", "incident", "level_of_service"];

/** Asks of which value and limit are figures of the series itself, or of how fast it rises. */
const FIGURES = ["above", "below", "rise"];

/** Whether value and limit can be set side by side; else the rule's own words say it better. */
function comparable(alert: Alert): boolean {
  // Of a group they count its members.
  return FIGURES.includes(alert.ask) && !STATES.includes(alert.quantity) && alert.members === 0;
}

/** As the service fills in `{since}`. */
export const SINCE = /,? (từ|since) \d\d\/\d\d\/\d{4} \d\d:\d\d(?=$|[.,])/;

/** A figure against its limit: "4,30" and "> 4 g/l". */
export interface Compared {
  value: string;
  bound: string;
}

/** `value` is what is set against the alert's limit; null where there is nothing to compare. */
function compared(alert: Alert, value: number | null, at: Moment): Compared | null {
  const { language } = at;
  if (value === null || alert.limit === null || !comparable(alert)) return null;
  const bound = limit(alert.limit, alert.quantity, language);
  const rounded = figure(value, alert.quantity, language);
  // 7,9 < 8, not 8 < 8.
  const same = rounded === figure(alert.limit, alert.quantity, language);
  const told = same ? limit(value, alert.quantity, language) : rounded;
  const per = alert.ask === "rise" ? word("per_hour", language) : "";
  const unit = unitOf(alert.quantity, unitName(alert.quantity), language) + per;
  const sign = alert.ask === "below" || value < alert.limit ? "<" : ">";
  return { value: told, bound: `${sign} ${bound} ${unit}`.trimEnd() };
}

/** The newest value, where it can be set against the limit as the one that raised the alert was. */
function newestOf(alert: Alert, reading: Reading | undefined): number | null {
  const settled = alert.state === "cleared-unacked" || alert.ask === "rise" || alert.limit === null;
  if (settled || reading === undefined || reading.value === null || !usable(reading)) return null;
  return reading.value;
}

/**
 * What a row says in large figures: the newest value where it still breaches, which an alert that
 * is held through a tide has left far behind; else the one that raised it.
 */
export function rowFigures(
  alert: Alert,
  reading: Reading | undefined,
  at: Moment,
): Compared | null {
  const newest = newestOf(alert, reading);
  const breaches = newest !== null && (newest < (alert.limit ?? 0)) === (alert.ask === "below");
  return compared(alert, breaches ? newest : alert.value, at);
}

/** "4,30 > 4 g/l", or the rule's own words where there is no figure to compare. */
export function figuresOf(alert: Alert, at: Moment): string {
  const { language } = at;
  const message = language === "vi" ? alert.message_vi : alert.message_en;
  const figures = compared(alert, alert.value, at);
  if (figures !== null) return `${figures.value} ${figures.bound}`;
  // The place stands beside it already, and since when.
  return message.replace(/^[^:]{1,60}:\s+/, "").replace(SINCE, "") || alert.rule;
}

/** The whole story in a sentence. */
export function alertSentence(alert: Alert, station: Station | undefined, at: Moment): string {
  const { language, now_ms } = at;
  const message = language === "vi" ? alert.message_vi : alert.message_en;
  if (message !== "") {
    const parts = [named("severity", alert.severity, language), message];
    return [...parts, named("state", alert.state, language)].join(" · ");
  }
  return [
    named("severity", alert.severity, language),
    station?.name ?? alert.station,
    named("q", alert.quantity, language),
    figuresOf(alert, at),
    word("since", language, { time: shortTime(alert.since_ms, now_ms) }),
    named("state", alert.state, language),
  ]
    .filter((part, n, all) => part !== "" && all.indexOf(part) === n)
    .join(", ");
}

/** " → Bến Tre" for a direction called "Mỹ Tho → Bến Tre". */
export function heading(alert: Alert, station: Station | undefined, at: Moment): string {
  const parts = alert.key.split("/");
  const name = parts.length === 3 ? station?.directions[parts[1] ?? ""]?.[at.language] : undefined;
  const arrow = name?.indexOf("→") ?? -1;
  return name === undefined ? "" : ` ${arrow === -1 ? name : name.slice(arrow)}`;
}

function unitName(quantity: string): string {
  if (quantity.startsWith("salinity")) return "g/L";
  if (quantity.startsWith("conductivity")) return "mS/cm";
  if (quantity.endsWith("_km_h")) return "km/h";
  if (quantity.startsWith("salt_")) return "km";
  if (quantity.startsWith("battery")) return "V";
  const units: Record<string, string> = {
    queue_length_km: "km",
    crossing_time_min: "min",
    flow_car_veh_h: "veh/h",
    temperature_c: "°C",
    water_level_m: "m",
    depth_m: "m",
    flow_veh_h: "veh/h",
    flow_pcu_h: "pcu/h",
    queue_m: "m",
    density_pcu_km: "pcu/km",
  };
  return units[quantity] ?? "";
}

const SALT_LINE = /^salt_(\d+)(_max)?_km$/;

/** "ranh 4 g/l": of which line of salt an alert tells the kilometre; "" for all others. */
export function lineText({ quantity }: Alert, { language }: Moment): string {
  const [, level, max] = SALT_LINE.exec(quantity) ?? [];
  if (level === undefined) return "";
  return word(max === undefined ? "line_now_short" : "line_max_short", language, { level });
}

/** "từ 14:20", or when it was over. */
export function whenText(alert: Alert, at: Moment): string {
  const { language, now_ms } = at;
  return alert.state === "cleared-unacked" && alert.cleared_ms !== null
    ? word("cleared_at", language, { time: sinceTime(alert.cleared_ms, now_ms) })
    : word("since", language, { time: sinceTime(alert.since_ms, now_ms) });
}

/** As `whenText`, in the least of room: a time within the last day, before that a date. */
export function rowWhen(alert: Alert, at: Moment): string {
  const { language, now_ms } = at;
  const over = alert.state === "cleared-unacked" && alert.cleared_ms !== null;
  const t_ms = over ? (alert.cleared_ms ?? 0) : alert.since_ms;
  const time = now_ms - t_ms < DAY_MS ? clockTime(t_ms) : date(t_ms).slice(0, 5);
  return word(over ? "cleared_short" : "since", language, { time });
}

/**
 * "nay 1,86": the newest reading where it no longer breaches, beside the one that raised the
 * alert. "" where there is nothing to compare.
 */
export function nowText(alert: Alert, reading: Reading | undefined, at: Moment): string {
  const newest = newestOf(alert, reading);
  if (newest === null || alert.value === null || !comparable(alert)) return "";
  if ((newest < (alert.limit ?? 0)) === (alert.ask === "below")) return "";
  const value = figure(newest, alert.quantity, at.language);
  return word("value_now", at.language, { value });
}

/** "nay 8,53 g/l": the newest value, beside a heading that has the one which raised the alert. */
export function newestText(alert: Alert, reading: Reading | undefined, at: Moment): string {
  const newest = alert.cleared_ms === null ? newestOf(alert, reading) : null;
  if (newest === null || !comparable(alert)) return "";
  const unit = unitOf(alert.quantity, unitName(alert.quantity), at.language);
  const value = `${figure(newest, alert.quantity, at.language)} ${unit}`.trimEnd();
  return word("value_now", at.language, { value });
}

/** "+3 mức thấp hơn": what a row holds beside the alert that speaks; "" for nothing. */
export function othersText(fold: Fold, at: Moment): string {
  const { language } = at;
  const { lower, other, cleared } = others(fold);
  const parts = [
    lower === 0 ? "" : word(lower === 1 ? "one_lower" : "n_lower", language, { n: lower }),
    other === 0 ? "" : word(other === 1 ? "one_other" : "n_others", language, { n: other }),
    cleared === 0 ? "" : word("n_cleared", language, { n: cleared }),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** "tạm gác đến 16:00: đang sửa đầu đo"; "" for one that is not put aside. */
export function shelvedText(alert: Alert, at: Moment): string {
  const { language, now_ms } = at;
  if (setAside(alert))
    return word(
      alert.suppressed?.why === "closed" ? "direction_closed" : "in_maintenance",
      language,
    );
  if (!shelved(alert)) return "";
  const time = shortTime(alert.shelved_ms ?? 0, now_ms);
  const why = alert.shelved_why;
  return word(why === "" ? "shelved_back" : "shelved_until", language, { time, why });
}

/** Whether it comes and goes, for how many it stands, and how long nobody has taken it. */
export function marksOf(alert: Alert, at: Moment): string {
  const { language, now_ms } = at;
  const waiting = alert.state !== "acked" && alert.suppressed === null && !shelved(alert);
  const since_ms = alert.told_ms ?? alert.since_ms;
  const parts = [
    alert.flapping ? word("flapping_short", language) : "",
    alert.count > 0 && !figuresOf(alert, at).includes(`${alert.count} `)
      ? word("n_stands_for", language, { n: alert.count })
      : "",
    alert.count === 0 && alert.members > 1
      ? word("n_together", language, { n: alert.members })
      : "",
    waiting && alert.escalation > 0
      ? word("nobody_since", language, { time: shortTime(since_ms, now_ms) })
      : "",
    waiting && alert.reminders > 0 ? word("reminded", language, { n: alert.reminders }) : "",
  ];
  return parts.filter(Boolean).join(" · ");
}
