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
  direction: string | null;
  level: string | null;
  value: number | null;
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
  by: string;
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

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => list(value).map(text).filter(Boolean);

export function station(raw: Fields): Station {
  return {
    id: text(raw["id"]),
    name: text(raw["name"]) || text(raw["id"]),
    kind: text(raw["kind"]),
    branch: text(raw["branch"]),
    km_from_mouth: (raw["km_from_mouth"] ?? {}) as Record<string, number>,
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
  const link = raw["link"];
  return {
    key,
    quantity: text(raw["quantity"]) || key.slice(key.lastIndexOf("/") + 1),
    unit: text(raw["unit"]),
    station: text(raw["station"]),
    device: text(raw["device"]) || key.slice(0, key.indexOf("/")),
    direction: text(raw["direction"]) || null,
    level: text(raw["level"]) || null,
    value: number(raw["v"]),
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
    by: text(raw["acked_by"]),
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
      r.ask !== "rise" &&
      r.ask !== "no_data" &&
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

// --- bridges --------------------------------------------------------------------------------

export type Level = 0 | 1 | 2 | 3 | 4 | null;

/** Fewer vehicles than this in three minutes tell nothing of the road. */
const FEW = 5;

/**
 * How the traffic is, by the enter levels of the car lane: 1 thông thoáng, 2 đông xe, 3 ùn ứ,
 * 4 ùn tắc; 0 too few vehicles to say; null unknown. Holds are the business of the rules.
 *
 * speed in km/h, occupancy 0..1, flow in vehicles an hour; what is missing does not vote.
 */
export function trafficLevel(
  speed: number | null,
  occupancy: number | null,
  flow: number | null,
): Level {
  if (speed === null && occupancy === null) return null;
  const slower = (bound: number): boolean | null => (speed === null ? null : speed < bound);
  const fuller = (bound: number): boolean | null => (occupancy === null ? null : occupancy > bound);
  const both = (bound: number, share: number): boolean =>
    (slower(bound) ?? true) && (fuller(share) ?? true);
  if (both(8, 0.45)) return 4;
  if (both(20, 0.3)) return 3;
  // A queue that stands still has few passing too: few vehicles only count where nothing is slow.
  if (flow !== null && (flow * 3) / 60 < FEW && !(fuller(0.2) ?? false)) return 0;
  if ((slower(35) ?? false) || (fuller(0.2) ?? false)) return 2;
  return 1;
}

export interface DirectionView {
  station: Station;
  direction: string;
  speed: Reading | null;
  flow: Reading | null;
  occupancy: Reading | null;
  queue: Reading | null;
  level: Level;
  /** The reading whose age and quality speak for the row. */
  main: Reading | null;
}

/** One direction of a bridge; with several cameras the worst place speaks. */
export function directionView(
  at: Station,
  direction: string,
  readings: readonly Reading[],
): DirectionView {
  const own = readings.filter((r) => r.direction === direction);
  const devices = [...new Set(own.map((r) => r.device))];
  const views = devices.map((device): DirectionView => {
    const find = (quantity: string): Reading | null =>
      own.find((r) => r.device === device && r.quantity === quantity) ?? null;
    const value = (r: Reading | null): number | null => (r !== null && usable(r) ? r.value : null);
    const [speed, flow] = [find("speed_km_h"), find("flow_veh_h")];
    const [occupancy, queue] = [find("occupancy"), find("queue_m")];
    const level = trafficLevel(value(speed), value(occupancy), value(flow));
    const known = [speed, flow, occupancy].filter((r): r is Reading => r?.t_ms != null);
    const newest = known.sort((a, b) => (b.t_ms ?? 0) - (a.t_ms ?? 0))[0];
    const main = newest ?? speed ?? flow;
    return { station: at, direction, speed, flow, occupancy, queue, level, main };
  });
  const rank = (v: DirectionView): number => (v.level ?? -1) * 1e14 + (v.main?.t_ms ?? 0);
  views.sort((a, b) => rank(b) - rank(a));
  const none = { speed: null, flow: null, occupancy: null, queue: null, level: null, main: null };
  return views[0] ?? { station: at, direction, ...none };
}

/** The directions of a bridge: as registered, else as they are heard. */
export function directionsOf(at: Station, readings: readonly Reading[]): string[] {
  const heard = readings.map((r) => r.direction).filter((d): d is string => d !== null);
  return [...new Set([...Object.keys(at.directions), ...heard])].sort().reverse();
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
