// What the screen knows, and what follows from it; no DOM, no clock of its own.

import type { Fields } from "./held.ts";

export interface Device {
  id: string;
  kind: string;
  expected_s: number;
  series: string[];
}

export interface Station {
  id: string;
  name: string;
  kind: string;
  branch: string;
  km_from_mouth: Record<string, number>;
  /** Degrees north and east; null where it is not known. */
  lat: number | null;
  lon: number | null;
  /** Of a bridge, between its cameras. */
  length_m: number | null;
  side: string;
  directions: Record<string, { vi: string; en: string }>;
  devices: Device[];
}

export type Freshness = "live" | "late" | "stale" | "lost" | "never" | "maintenance";

export interface Reading {
  key: string;
  quantity: string;
  unit: string;
  station: string;
  device: string;
  /** What it is of: salinity, traffic, or what the service forms: river, bridge. */
  kind: string;
  /** Ids of the mouths that it belongs to. */
  branches: string[];
  direction: string | null;
  level: string | null;
  value: number | null;
  /** On which side of the value the truth is, where the value is a bound; else null. */
  bound: "above" | "below" | null;
  t_ms: number | null;
  flag: number;
  st: Freshness;
  link: string;
  expected_s: number;
  simulated: boolean;
}

export interface Alert {
  id: string;
  rule: string;
  key: string;
  station: string;
  quantity: string;
  severity: string;
  ask: string;
  state: string;
  value: number | null;
  limit: number | null;
  flag: number;
  ver: number;
  since_ms: number;
  cleared_ms: number | null;
  /** When people were told; null before. */
  told_ms: number | null;
  by: string;
  /** Nobody is told of it until then, since an officer said so. */
  shelved_ms: number | null;
  shelved_why: string;
  /** Another alert, or a window of maintenance, speaks for it: why, and its id. */
  suppressed: { why: string; by: string } | null;
  /** It comes and goes, and is told once. */
  flapping: boolean;
  /** How often people were reminded, and told higher up, while nobody took it. */
  reminders: number;
  escalation: number;
  /** For how many devices one alert stands; 0 where it stands for itself. */
  count: number;
  /** How many series of a group breached together; 0 where it is of one. */
  members: number;
  /** The mouth or branch of a series that has no station. */
  branch: string;
  /** The daily test of the way of alerts: nothing has happened. */
  test: boolean;
  message_vi: string;
  message_en: string;
}

export interface Rule {
  id: string;
  quantity: string;
  severity: string;
  ask: string;
  raise: number | null;
  devices: string[];
  /** Ids of the stations that it watches, by the service's word. */
  watches: string[];
}

export const text = (value: unknown): string => (typeof value === "string" ? value : "");
export const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
export const fields = (value: unknown): Fields | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => list(value).map(text).filter(Boolean);

export function station(raw: Fields): Station {
  return {
    id: text(raw["id"]),
    name: text(raw["name"]) || text(raw["id"]),
    kind: text(raw["kind"]),
    branch: text(raw["branch"]),
    km_from_mouth: (raw["km_from_mouth"] ?? {}) as Record<string, number>,
    lat: number(raw["lat"]),
    lon: number(raw["lon"]),
    length_m: number(raw["length_m"]),
    side: text(raw["side"]),
    directions: (raw["directions"] ?? {}) as Station["directions"],
    devices: (list(raw["devices"]) as Fields[]).map((device) => ({
      id: text(device["id"]),
      kind: text(device["kind"]),
      expected_s: number(device["expected_s"]) ?? 0,
      series: texts(device["series"]),
    })),
  };
}

export function reading(raw: Fields): Reading {
  const key = text(raw["k"]);
  const { link, bound } = raw;
  return {
    key,
    quantity: text(raw["quantity"]) || key.slice(key.lastIndexOf("/") + 1),
    unit: text(raw["unit"]),
    station: text(raw["station"]),
    device: text(raw["device"]) || key.slice(0, key.indexOf("/")),
    kind: text(raw["kind"]),
    branches: texts(raw["branch"]),
    direction: text(raw["direction"]) || null,
    level: text(raw["level"]) || null,
    value: number(raw["v"]),
    bound: bound === "above" || bound === "below" ? bound : null,
    t_ms: number(raw["t"]),
    flag: number(raw["q"]) ?? 2,
    st: (text(raw["st"]) || "never") as Freshness,
    link: typeof link === "object" && link !== null ? text((link as Fields)["s"]) : text(link),
    expected_s: number(raw["expected_s"]) ?? 0,
    simulated: raw["sim"] === true,
  };
}

export function alert(raw: Fields): Alert {
  const key = text(raw["k"]);
  const suppressed = fields(raw["suppressed"]);
  return {
    id: text(raw["id"]),
    rule: text(raw["rule"]),
    key,
    station: text(raw["station"]),
    quantity: text(raw["quantity"]) || key.slice(key.lastIndexOf("/") + 1),
    severity: text(raw["severity"]) || "warning",
    ask: text(raw["ask"]),
    state: text(raw["state"]),
    value: number(raw["value"]),
    limit: number(raw["limit"]),
    flag: number(raw["flag"]) ?? 1,
    ver: number(raw["ver"]) ?? 1,
    since_ms: number(raw["t_since"]) ?? 0,
    cleared_ms: number(raw["t_cleared"]),
    told_ms: number(raw["t_told"]),
    by: text(raw["acked_by"]),
    shelved_ms: number(raw["shelved_until"]),
    shelved_why: text(raw["shelved_why"]),
    suppressed: suppressed && { why: text(suppressed["why"]), by: text(suppressed["by"]) },
    flapping: raw["flapping"] === true,
    reminders: number(raw["reminders"]) ?? 0,
    escalation: number(raw["escalation"]) ?? 0,
    count: number(raw["count"]) ?? 0,
    members: list(raw["members"]).length,
    branch: texts(raw["branch"])[0] ?? text(raw["branch"]),
    test: raw["test"] === true,
    message_vi: text(raw["message_vi"]),
    message_en: text(raw["message_en"]),
  };
}

export function rule(raw: Fields): Rule {
  return {
    id: text(raw["id"]),
    quantity: text(raw["quantity"]),
    severity: text(raw["severity"]),
    ask: text(raw["ask"]),
    raise: number(raw["raise_level"]) ?? number(raw["raise_above"]) ?? number(raw["raise_below"]),
    devices: texts(raw["devices"]),
    watches: texts(raw["watches"]),
  };
}

/** The levels that rules draw across a series, lowest first. */
export function limitsOf(rules: readonly Rule[], of: Reading, at: Station): Rule[] {
  const fitting = rules.filter(
    (r) =>
      r.quantity === of.quantity &&
      r.raise !== null &&
      ["above", "below"].includes(r.ask) &&
      r.watches.includes(at.id) &&
      (r.devices.length === 0 || r.devices.includes(of.device)),
  );
  return fitting.sort((a, b) => (a.raise ?? 0) - (b.raise ?? 0));
}

// --- salinity -------------------------------------------------------------------------------

/** Upper bounds of the bands, g/L; the last is open. */
export const BANDS_G_L = [0.5, 1, 2, 4] as const;

export function bandOf(salinity_g_l: number): 0 | 1 | 2 | 3 | 4 {
  const band = BANDS_G_L.findIndex((bound) => salinity_g_l <= bound);
  return (band === -1 ? 4 : band) as 0 | 1 | 2 | 3 | 4;
}

/** Where a value stands on a bar of five equal bands, 0..1; the open one ends at 32 g/L. */
export function placeOnBar(salinity_g_l: number): number {
  const band = bandOf(salinity_g_l);
  const low = band === 0 ? 0 : (BANDS_G_L[band - 1] as number);
  if (band === 4) return Math.min(1, (4 + Math.log(salinity_g_l / 4) / Math.log(8)) / 5);
  const high = BANDS_G_L[band] as number;
  return (band + Math.max(0, salinity_g_l - low) / (high - low)) / 5;
}

const FRESHEST: readonly Freshness[] = ["live", "late", "stale", "lost", "maintenance", "never"];

/** Whether a figure may be read as a measurement of now. */
export function usable(r: Reading): boolean {
  return r.value !== null && (r.st === "live" || r.st === "late") && r.flag !== 4 && r.flag !== 9;
}

/** What a station with several probes or depths shows: of the freshest, the saltiest. */
export function shownSalinity(readings: readonly Reading[]): Reading | null {
  const rank = (r: Reading): number =>
    FRESHEST.indexOf(r.st) * 2 + (r.flag === 4 || r.flag === 9 ? 1 : 0);
  const sorted = readings
    .filter((r) => r.quantity === "salinity_g_l")
    .sort((a, b) => rank(a) - rank(b) || (b.value ?? -1) - (a.value ?? -1));
  return sorted[0] ?? null;
}

// --- freshness of stations ------------------------------------------------------------------

/** A device is as fresh as its freshest series; a station as its worst device. */
export function stationFreshness(at: Station, readings: readonly Reading[]): Freshness {
  let worst: Freshness = "live";
  let any = false;
  for (const device of at.devices) {
    const own = readings.filter((r) => r.device === device.id);
    if (own.length === 0) continue;
    any = true;
    const ranks = own.map((r) => FRESHEST.indexOf(r.st));
    const freshest = FRESHEST[Math.min(...ranks)] ?? "never";
    if (FRESHEST.indexOf(freshest) > FRESHEST.indexOf(worst)) worst = freshest;
  }
  return any ? worst : "never";
}

// --- alerts ---------------------------------------------------------------------------------

export const SEVERITIES = ["critical", "major", "warning", "info"] as const;

const STATES = ["unacked", "cleared-unacked", "acked"];

/** 0 is the worst; one that is not known goes last. */
export function severityRank({ severity }: { severity: string }): number {
  return (SEVERITIES as readonly string[]).indexOf(severity) & 0xff;
}

/** By severity, then what nobody has taken, then the newest first. */
export function inOrder(alerts: readonly Alert[]): Alert[] {
  return [...alerts].sort(
    (a, b) =>
      severityRank(a) - severityRank(b) ||
      STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
      b.since_ms - a.since_ms ||
      (a.id < b.id ? -1 : 1),
  );
}

// --- lines of salt --------------------------------------------------------------------------

/** The arm that a line of salt runs along stands in the place of a station. */
export function armOf({ kind, branches, device }: Reading): Station | null {
  return kind === "river" ? station({ id: branches[0] ?? device, kind }) : null;
}
