// What else can be seen where a series is looked at; no DOM.

import type { Reading } from "./model.ts";

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
