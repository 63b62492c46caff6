// What else can be seen where a series is looked at; no DOM.

import type { Reading, Station } from "./model.ts";

/** What stands first of a station's quantities. */
const ORDER = [
  "salinity_g_l",
  "water_level_m",
  "temperature_c",
  "conductivity_ms_cm",
  "speed_km_h",
  "flow_veh_h",
  "occupancy",
  "queue_m",
  "density_pcu_km",
  "speed_car_km_h",
  "speed_motorbike_km_h",
  "crossing_time_min",
  "queue_length_km",
  "vehicles_on_bridge",
  "salt_4_km",
  "salt_4_max_km",
  "salt_1_km",
  "salt_1_max_km",
  "battery_v",
];

/** The place of a quantity among those of its station; what is not known goes last. */
export function figureOrder(quantity: string): number {
  const place = ORDER.indexOf(quantity);
  return place === -1 ? ORDER.length : place;
}

/** What a bridge as a whole says stands beside what each of its cameras says. */
function sameSource(one: Reading, chosen: Reading): boolean {
  return one.device === chosen.device || (one.kind === "bridge" && chosen.kind === "traffic");
}

/** The series of the same probe or direction, the one chosen among them, in a fixed order. */
export function kinOf(chosen: Reading, all: readonly Reading[]): Reading[] {
  return all
    .filter((r) => sameSource(r, chosen) && r.direction === chosen.direction)
    .filter((r) => r.level === chosen.level && ORDER.includes(r.quantity))
    .sort((a, b) => ORDER.indexOf(a.quantity) - ORDER.indexOf(b.quantity));
}

/** The next stations up and down the same water, by their distance from a mouth they share. */
export function neighboursOf(
  of: Station,
  stations: readonly Station[],
): { up: Station | null; down: Station | null } {
  let [up, down]: [Station | null, Station | null] = [null, null];
  let [upKm, downKm] = [Infinity, Infinity];
  for (const other of stations) {
    if (other.id === of.id || other.kind !== "salinity") continue;
    const km = kmBetween(of, other);
    if (km === null) continue;
    if (km > 0 && km < upKm) [up, upKm] = [other, km];
    if (km < 0 && -km < downKm) [down, downKm] = [other, -km];
  }
  return { up, down };
}

/** How far another station lies above one along the water, km; null on another arm. */
function kmBetween(of: Station, other: Station): number | null {
  const mouths = Object.keys(of.km_from_mouth).filter((mouth) => mouth in other.km_from_mouth);
  const mouth = mouths.includes(of.branch) ? of.branch : mouths[0];
  if (mouth === undefined) return null;
  return (other.km_from_mouth[mouth] ?? 0) - (of.km_from_mouth[mouth] ?? 0);
}

/** The water level that goes with a station: its own, else of the nearest that has told one. */
export function levelFor(
  of: Station,
  stations: readonly Station[],
  byStation: ReadonlyMap<string, readonly Reading[]>,
): { station: Station; reading: Reading } | null {
  const level = (id: string): Reading | undefined =>
    (byStation.get(id) ?? []).find((r) => r.quantity === "water_level_m" && r.t_ms !== null);
  const own = level(of.id);
  if (own !== undefined) return { station: of, reading: own };
  const far = (other: Station): number => {
    const km = kmBetween(of, other);
    // On the same water first; elsewhere by the map, behind all of those.
    return km === null ? 1000 + chord(of, other) : Math.abs(km);
  };
  const others = stations.filter((other) => other.id !== of.id && level(other.id) !== undefined);
  const nearest = others.sort((a, b) => far(a) - far(b))[0];
  const reading = nearest === undefined ? undefined : level(nearest.id);
  return nearest === undefined || reading === undefined ? null : { station: nearest, reading };
}

/** km as the bird flies, near enough on this latitude; far away where a place is not known. */
function chord(a: Station, b: Station): number {
  if (a.lat === null || a.lon === null || b.lat === null || b.lon === null) return 1e6;
  return Math.hypot((a.lat - b.lat) * 110.6, (a.lon - b.lon) * 109.5);
}
