// What an officer enters beside alerts: maintenance, how a bridge is worked, the official level
// of risk, what happens at an intake. No DOM.

import type { Advice } from "./advice.ts";
import type { Answer, Choice, Doing, Field, Values } from "./doing.ts";
import { DAY_MS, HOUR_MS, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { HttpError } from "./http.ts";
import { mouthName } from "./layout.ts";
import { fields, list, number, type Station, text } from "./model.ts";
import { riskText } from "./risk.ts";
import { localField, localTime } from "./shelving.ts";
import { bridgesIn, MODES, modesIn } from "./traffic.ts";
import type { Moment } from "./view.ts";
import { named, type Word, word } from "./words.ts";

type Method = "POST" | "DELETE";

export interface EntryDesk {
  /** Rejects with `HttpError`. */
  send(method: Method, path: string, body: Fields | null): Promise<Fields>;
}

export interface Known {
  stations: readonly Station[];
  /** The answer of /api/v1/desk. */
  entered: Fields;
  intakes: readonly Advice[];
  /** The intake that is before the officer first. */
  intake?: string;
}

const EVERYWHERE = "*";
const LEVELS = ["1", "2", "3", "4", "5"];

export function deskDoings(known: Known, at: Moment, desk: EntryDesk): Doing[] {
  return [
    maintaining(known, at, desk),
    ending(known, at, desk),
    working(known, at, desk),
    warning(known, at, desk),
    taking(known, at, desk),
  ].filter((doing) => doing !== null);
}

/** How an entry is asked, and what is made of its values; null where they will not do. */
interface Entry {
  id: string;
  words: { tab: Word; title: Word; submit: Word };
  fields: readonly Field[];
  facts(): readonly string[];
  request(values: Values): { method: Method; path: string; body: Fields | null } | null;
  follow?(name: string, values: Values): Values;
  /** Somebody was first: take it as it now is. */
  renewed?(item: Fields, values: Values): void;
}

function doingOf(entry: Entry, at: Moment, desk: EntryDesk): Doing {
  const { language } = at;
  const act = async (values: Values): Promise<Answer> => {
    const request = entry.request(values);
    if (request === null) return { told: word("entry_bad", language), again: true };
    try {
      await desk.send(request.method, request.path, request.body);
      return { done: word("entry_done", language) };
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const why = error.message;
      const known = error.status === 409 ? itemOf(error.problem) : null;
      if (known !== null) entry.renewed?.(known, values);
      if (error.status === 409) return { told: word("entry_changed", language), again: true };
      if (error.status === 422) {
        return { told: word("entry_refused", language, { why }), again: true };
      }
      throw error;
    }
  };
  const { tab, title, submit } = entry.words;
  const { id, fields: asked, facts, follow } = entry;
  const doing = { id, tab, title, submit, about: "", story: "", fields: asked, facts, act };
  return follow === undefined ? doing : { ...doing, follow };
}

/** The thing as it now is, which a refusal brings. */
function itemOf(problem: Fields): Fields | null {
  return fields(problem["item"]);
}

const SUBMIT: Word = "entry_submit";

const reason = (when?: readonly [string, string]): Field => ({
  ...{ name: "reason", label: "reason_label", kind: "text", required: true },
  ...(when === undefined ? {} : { when }),
});

// --- maintenance ----------------------------------------------------------------------------

function windowText(raw: Fields, { stations }: Known, at: Moment): string {
  const [from, to] = [number(raw["from"]) ?? 0, number(raw["to"]) ?? 0];
  return word("window", at.language, {
    station: stations.find((s) => s.id === raw["station"])?.name ?? text(raw["station"]),
    from: shortTime(from, at.now_ms),
    to: shortTime(to, at.now_ms),
    why: text(raw["reason"]),
  });
}

/** Windows that hold or are to come. */
function windowsOf({ entered }: Known, at: Moment): Fields[] {
  return (list(entered["maintenance"]) as Fields[]).filter(
    (raw) => (number(raw["to"]) ?? 0) > at.now_ms && raw["ended"] === undefined,
  );
}

function maintaining(known: Known, at: Moment, desk: EntryDesk): Doing {
  const choices = known.stations.map(({ id, name }) => ({ value: id, label: name }));
  const entry: Entry = {
    id: "maintenance",
    words: { tab: "maintenance_tab", title: "maintenance_title", submit: SUBMIT },
    fields: [
      { name: "station", label: "station", kind: "choice", choices },
      time("from", "from", at.now_ms),
      time("to", "to", at.now_ms + 2 * HOUR_MS),
      reason(),
    ],
    facts: () => windowsOf(known, at).map((raw) => windowText(raw, known, at)),
    request: (values) => {
      const [from, to] = [localTime(values["from"] ?? ""), localTime(values["to"] ?? "")];
      if (from === null || to === null || to <= from) return null;
      const body = { station: values["station"], from, to, reason: values["reason"] };
      return { method: "POST", path: "/api/v1/maintenance", body };
    },
  };
  return doingOf(entry, at, desk);
}

function ending(known: Known, at: Moment, desk: EntryDesk): Doing | null {
  const windows = windowsOf(known, at);
  if (windows.length === 0) return null;
  const choices = windows.map((raw) => ({
    value: text(raw["id"]),
    label: windowText(raw, known, at),
  }));
  const entry: Entry = {
    id: "maintenance-end",
    words: { tab: "ending_tab", title: "ending_title", submit: "ending_submit" },
    fields: [{ name: "window", label: "window_label", kind: "choice", choices }],
    facts: () => [],
    request: ({ window }) => {
      const path = `/api/v1/maintenance/${encodeURIComponent(window ?? "")}`;
      return { method: "DELETE", path, body: null };
    },
  };
  return doingOf(entry, at, desk);
}

// --- bridges --------------------------------------------------------------------------------

function working(known: Known, at: Moment, desk: EntryDesk): Doing | null {
  const { language } = at;
  const bridges = known.stations.filter((s) => Object.keys(s.directions).length > 0);
  if (bridges.length === 0) return null;
  const versions = new Map(
    bridgesIn(known.entered).map((raw) => [text(raw["station"]), number(raw["ver"]) ?? 0]),
  );
  const places = bridges.flatMap((bridge) => [
    { value: bridge.id, label: `${bridge.name}: ${word("both_directions", language)}` },
    ...Object.entries(bridge.directions).map(([direction, names]) => ({
      value: `${bridge.id}/${direction}`,
      label: `${bridge.name}: ${names[language] ?? direction}`,
    })),
  ]);
  const modes = MODES.map((value) => ({ value, label: named("mode", value, language) }));
  let entered = known.entered;
  const entry: Entry = {
    id: "mode",
    words: { tab: "mode_tab", title: "mode_title", submit: SUBMIT },
    fields: [
      { name: "bridge", label: "bridge", kind: "choice", choices: places },
      { name: "mode", label: "mode", kind: "choice", choices: modes },
      { ...time("until", "mode_until", at.now_ms + 2 * HOUR_MS), required: false },
      { ...reason(), label: "mode_reason", required: false },
    ],
    facts: () =>
      modesIn(entered).map(({ station, direction, mode, until_ms }) => {
        const bridge = bridges.find((s) => s.id === station);
        const name = bridge?.directions[direction]?.[language] ?? direction;
        const time_ = until_ms === null ? "" : shortTime(until_ms, at.now_ms);
        const values = { mode: named("mode", mode, language), time: time_ };
        return `${bridge?.name ?? station}, ${name}: ${word("mode_now", language, values)}`;
      }),
    request: (values) => {
      const [station = "", direction] = (values["bridge"] ?? "").split("/");
      const { mode } = values;
      const until = mode === "two-way" ? null : localTime(values["until"] ?? "");
      const bad = mode !== "two-way" && (until === null || values["reason"] === "");
      if (bad) return null;
      const body = {
        ver: versions.get(station) ?? 0,
        mode,
        ...(direction === undefined ? {} : { direction }),
        ...(until === null ? {} : { until }),
        ...(mode === "two-way" ? {} : { reason: values["reason"] }),
      };
      return { method: "POST", path: `/api/v1/bridges/${encodeURIComponent(station)}/mode`, body };
    },
    renewed: (item, values) => {
      const [station = ""] = (values["bridge"] ?? "").split("/");
      versions.set(station, number(item["ver"]) ?? 0);
      entered = { bridges: { ...fields(entered["bridges"]), [station]: item } };
    },
  };
  return doingOf(entry, at, desk);
}

// --- the official level of risk -------------------------------------------------------------

function warning(known: Known, at: Moment, desk: EntryDesk): Doing {
  const { language, now_ms } = at;
  const items = list(known.entered["risk"]) as Fields[];
  const levels = new Map(items.map((raw) => [text(raw["branch"]) || EVERYWHERE, raw]));
  const mouths = [...new Set(known.stations.flatMap((s) => Object.keys(s.km_from_mouth)))];
  const branches = [
    { value: EVERYWHERE, label: word("risk_everywhere", language) },
    ...mouths.map((value) => ({ value, label: mouthName(value) })),
  ];
  const degrees = [
    ...LEVELS.map((value) => ({ value, label: word("risk_degree", language, { level: value }) })),
    { value: "", label: word("risk_over", language) },
  ];
  const words = (name: string, label: Word, value = ""): Field => {
    return { name, label, kind: "text", required: true, value };
  };
  const entry: Entry = {
    id: "risk",
    words: { tab: "risk_tab", title: "risk_title", submit: SUBMIT },
    fields: [
      { name: "branch", label: "risk_branch", kind: "choice", choices: branches },
      { name: "level", label: "risk_level", kind: "choice", choices: degrees },
      words("region", "risk_region"),
      words("bulletin", "risk_bulletin"),
      words("title", "risk_bulletin_title"),
      words("source", "risk_source"),
      time("issued", "risk_issued", now_ms),
      time("valid-until", "risk_valid_until", now_ms + DAY_MS),
    ],
    facts: () => [...levels.values()].map((raw) => riskText(raw, at)).filter(Boolean),
    request: (values) => {
      const issued = localTime(values["issued"] ?? "");
      const valid_until = localTime(values["valid-until"] ?? "");
      if (issued === null || valid_until === null) return null;
      const branch = values["branch"] ?? EVERYWHERE;
      const { region, bulletin, title, source } = values;
      const body = {
        ver: number(levels.get(branch)?.["ver"]) ?? 0,
        ...(branch === EVERYWHERE ? {} : { branch }),
        level: values["level"] === "" ? null : Number(values["level"]),
        ...{ region, bulletin, title, source, issued, valid_until },
      };
      return { method: "POST", path: "/api/v1/risk-level", body };
    },
    renewed: (item, values) => void levels.set(values["branch"] ?? EVERYWHERE, item),
  };
  return doingOf(entry, at, desk);
}

// --- intakes --------------------------------------------------------------------------------

function taking(known: Known, at: Moment, desk: EntryDesk): Doing | null {
  const { language, now_ms } = at;
  const { intakes } = known;
  if (intakes.length === 0) return null;
  const entries = Object.entries(fields(known.entered["intakes"]) ?? {});
  const entered = new Map(entries.map(([id, raw]) => [id, fields(raw) ?? {}]));
  const choices = intakes.map(({ intake, name }) => ({ value: intake, label: name }));
  const said = (prefix: string, values: readonly string[]): Choice[] =>
    values.map((value) => ({ value, label: named(prefix, value, language) }));
  const first = intakes.find(({ intake }) => intake === known.intake) ?? intakes[0];
  const stands = (intake: string): Values => standsNow(entered.get(intake));
  const { taking: takes = "", gate = "" } = stands(first?.intake ?? "");
  // Where nobody has entered anything, nothing is chosen for him who does.
  const choose = { value: "", label: word("choose", language) };
  const entry: Entry = {
    id: "intake",
    words: { tab: "intake_tab", title: "intake_title", submit: SUBMIT },
    fields: [
      { name: "intake", label: "intake", kind: "choice", choices, value: first?.intake ?? "" },
      {
        ...{ name: "taking", label: "taking", kind: "choice", required: true, value: takes },
        choices: [choose, ...said("taking", ["no", "yes"])],
      },
      {
        ...{ name: "gate", label: "gate", kind: "choice", required: true, value: gate },
        choices: [choose, ...said("gate", ["open", "closed", "unsaid"])],
      },
    ],
    follow: (name, { intake = "" }) => (name === "intake" ? stands(intake) : {}),
    facts: () =>
      [...entered].map(([id, raw]) =>
        word("intake_now", language, {
          name: intakes.find(({ intake }) => intake === id)?.name ?? id,
          taking: named("taking", raw["taking"] === true ? "yes" : "no", language),
          gate: named("gate", text(raw["gate"]) || "unsaid", language),
          time: shortTime(number(raw["t"]) ?? 0, now_ms),
        }),
      ),
    request: (values) => {
      const intake = values["intake"] ?? "";
      if (!values["taking"] || !values["gate"]) return null;
      const body = {
        ver: number(entered.get(intake)?.["ver"]) ?? 0,
        taking: values["taking"] === "yes",
        ...(values["gate"] === "unsaid" ? {} : { gate: values["gate"] }),
      };
      return { method: "POST", path: `/api/v1/intakes/${encodeURIComponent(intake)}`, body };
    },
    renewed: (item, { intake = "" }) => void entered.set(intake, item),
  };
  return doingOf(entry, at, desk);
}

/** What was entered of an intake as the form has it; nothing chosen where nobody has. */
function standsNow(raw: Fields | undefined): Values {
  if (raw === undefined) return { taking: "", gate: "" };
  return { taking: raw["taking"] === true ? "yes" : "no", gate: text(raw["gate"]) || "unsaid" };
}

function time(name: string, label: Word, value_ms: number): Field {
  return { name, label, kind: "time", value: localField(value_ms), required: true };
}
