// Which lines of salt the map draws, and where. No DOM.

import { distance_km, type OnLine, placeOf, type Way } from "./mapgeo.ts";
import { type SaltLine, standing } from "./salt.ts";

export interface SaltSpot {
  line: SaltLine;
  on: OnLine;
  /** Levels of which it tells, g/L: of two bounds at the same station one mark is enough. */
  levels: number[];
}

/** Above a parting both mouths' lines are one water: the first of the two speaks. */
const SAME_KM = 2;

/** The lines of now that stand, each level of each water once. */
export function saltSpots(
  lines: readonly SaltLine[],
  ways: ReadonlyMap<string, Way | null>,
): SaltSpot[] {
  const found: SaltSpot[] = [];
  for (const line of lines) {
    if (line.basis !== "now" || !standing(line) || line.km.value === null) continue;
    const way = ways.get(line.mouth) ?? null;
    const on = way && placeOf(way, line.km.value);
    if (on === null) continue;
    const near = found.filter((one) => distance_km(one.on.at, on.at) < SAME_KM);
    if (near.some((one) => one.levels.includes(line.level_g_l))) continue;
    const { km, mouth } = line;
    const twin = near.find(
      (one) => one.line.mouth === mouth && km.bound !== null && one.line.km.bound === km.bound,
    );
    if (twin === undefined) found.push({ line, on, levels: [line.level_g_l] });
    else twin.levels.push(line.level_g_l);
  }
  return found;
}
