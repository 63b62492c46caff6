// How it goes on a bridge, by what the service forms and else by what its cameras measure; no DOM.

import type { Fields } from "./held.ts";
import { fields, list, number, type Reading, type Station, text, usable } from "./model.ts";

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
  /** Of cars, buses and trucks alone, and of motorbikes alone: these flow while cars stand. */
  speedCar: Reading | null;
  speedMotorbike: Reading | null;
  flow: Reading | null;
  occupancy: Reading | null;
  /** Metres, as a camera sees them. */
  queue: Reading | null;
  service: Reading | null;
  /** What the service forms of all cameras of the direction. */
  whole: Whole;
  level: Level;
  /** The reading whose age and quality speak for the row. */
  main: Reading | null;
}

/** What the service says of one direction as a whole; null where it says nothing now. */
export interface Whole {
  minutes: Reading | null;
  queue_km: Reading | null;
  incident: Reading | null;
}

/**
 * How it goes by the service's word, where it gives one: 0 to 3 of `traffic_state` are levels 1
 * to 4. `own` is what the cameras' newest figures say, which stands where the service has never
 * formed a state; of an old state only "too few to say" is left.
 */
export function levelOf(state: Reading | null, own: Level): Level {
  if (state === null || state.t_ms === null) return own;
  if (!usable(state) || state.value === null) return own === 0 ? 0 : null;
  return Math.min(4, Math.max(1, Math.round(state.value) + 1)) as Level;
}

/** One direction of a bridge; with several cameras the worst place speaks. */
export function directionView(
  at: Station,
  direction: string,
  readings: readonly Reading[],
): DirectionView {
  const own = readings.filter((r) => r.direction === direction && r.kind !== "bridge");
  const formed = readings.filter((r) => r.direction === direction && r.kind === "bridge");
  const whole = (quantity: string): Reading | null =>
    formed.find((r) => r.quantity === quantity) ?? null;
  const now = (quantity: string): Reading | null => {
    const found = whole(quantity);
    return found !== null && usable(found) ? found : null;
  };
  const devices = [...new Set(own.map((r) => r.device))];
  const views = devices.map((device) => cameraView(at, direction, device, own));
  const rank = (v: DirectionView): number => (v.level ?? -1) * 1e14 + (v.main?.t_ms ?? 0);
  views.sort((a, b) => rank(b) - rank(a));
  const view = views[0] ?? nothing(at, direction);
  const level = levelOf(whole("traffic_state"), view.level);
  const minutes = now("crossing_time_min");
  // "> 4 minutes" is true of any jam, and reads as four; "> 60 minutes" says something.
  const least = minutes?.bound === "above" && (minutes.value ?? 0) < NORMAL_MIN;
  const empty = least && (level ?? 0) >= JAMMED;
  return {
    ...view,
    level,
    whole: {
      minutes: empty ? null : minutes,
      queue_km: now("queue_length_km"),
      incident: now("incident"),
    },
  };
}

function nothing(station: Station, direction: string): DirectionView {
  const [speed, speedCar, speedMotorbike] = [null, null, null];
  const [flow, occupancy, queue, service, level, main] = [null, null, null, null, null, null];
  const whole = { minutes: null, queue_km: null, incident: null };
  const figures = { speed, speedCar, speedMotorbike, flow, occupancy, queue, service };
  return { station, direction, ...figures, whole, level, main };
}

function cameraView(
  at: Station,
  direction: string,
  device: string,
  own: readonly Reading[],
): DirectionView {
  const find = (quantity: string): Reading | null =>
    own.find((r) => r.device === device && r.quantity === quantity) ?? null;
  const value = (r: Reading | null): number | null => (r !== null && usable(r) ? r.value : null);
  const [speed, flow, occupancy] = [find("speed_km_h"), find("flow_veh_h"), find("occupancy")];
  const level = trafficLevel(value(speed), value(occupancy), value(flow));
  const known = [speed, flow, occupancy].filter((r): r is Reading => r?.t_ms != null);
  const newest = known.sort((a, b) => (b.t_ms ?? 0) - (a.t_ms ?? 0))[0];
  return {
    ...nothing(at, direction),
    speed,
    speedCar: find("speed_car_km_h"),
    speedMotorbike: find("speed_motorbike_km_h"),
    flow,
    occupancy,
    queue: find("queue_m"),
    service: find("level_of_service"),
    level,
    main: newest ?? speed ?? flow,
  };
}

/** Level ùn ứ; and a crossing that takes less is a normal one, minutes. */
const JAMMED = 3;
const NORMAL_MIN = 15;

/** The directions of a bridge: as registered, else as they are heard. */
export function directionsOf(at: Station, readings: readonly Reading[]): string[] {
  const heard = readings.map((r) => r.direction).filter((d): d is string => d !== null);
  return [...new Set([...Object.keys(at.directions), ...heard])].sort().reverse();
}

// --- how the police let it be used ----------------------------------------------------------

export const MODES = ["two-way", "one-way", "closed", "xa-tram"] as const;

/** One direction that is not worked as usual. */
export interface Mode {
  station: string;
  direction: string;
  mode: string;
  until_ms: number | null;
  reason: string;
}

/** Of what was entered (/api/v1/desk), each with its `station`, `ver` and `modes`. */
export function bridgesIn(entered: Fields | null): Fields[] {
  return Object.values(fields(entered?.["bridges"]) ?? {}) as Fields[];
}

export function modesIn(entered: Fields | null): Mode[] {
  return bridgesIn(entered).flatMap((raw) =>
    Object.entries(fields(raw["modes"]) ?? {}).map(([direction, mode]) => ({
      station: text(raw["station"]),
      direction,
      mode: text(fields(mode)?.["mode"]),
      until_ms: number(fields(mode)?.["until"]),
      reason: text(fields(mode)?.["reason"]),
    })),
  );
}

/** What the service says of one direction in words alone. */
export interface Said {
  /** Why a figure is missing, as a code; "" where none is. */
  why: string;
  why_vi: string;
  why_en: string;
  /** The ban of trucks in force; "" where there is none. */
  ban_vi: string;
  ban_en: string;
}

/** Of an answer of /api/v1/bridges, by "station/direction"; nothing where there is none. */
export function saidOf(answer: Fields | null): Map<string, Said> {
  const found = new Map<string, Said>();
  for (const bridge of list(answer?.["bridges"]) as Fields[]) {
    for (const raw of list(bridge["directions"]) as Fields[]) {
      const ban = fields(raw["truck_ban"]);
      found.set(`${text(bridge["station"]) || text(bridge["id"])}/${text(raw["direction"])}`, {
        ...{ why: text(raw["why"]), why_vi: text(raw["why_vi"]), why_en: text(raw["why_en"]) },
        ...{ ban_vi: text(ban?.["text_vi"]), ban_en: text(ban?.["text_en"]) },
      });
    }
  }
  return found;
}

/** Whether that is still the reason: it is asked for once a minute, the figures come at once. */
export function stillWhy({ why }: Said, { whole, main }: DirectionView): boolean {
  const { minutes, queue_km } = whole;
  if (why === "" || why === "closed") return false;
  // A mode that has just been entered begins anew, and the cameras are heard all the same.
  if (why === "unknown" && main !== null && usable(main)) return false;
  return minutes === null || minutes.bound !== null || queue_km === null;
}

/** By "station/direction". */
export function modesOf(entered: Fields | null): Map<string, Mode> {
  return new Map(modesIn(entered).map((one) => [`${one.station}/${one.direction}`, one]));
}
