// Which stations deserve a large figure: what is alarming, what stands at the lines of salt, and
// where water is taken. All others are a dot and a short figure. No DOM.

import type { Advice } from "./advice.ts";
import type { Folded } from "./fold.ts";
import type { Row } from "./layout.ts";
import type { SaltLine } from "./salt.ts";
import { standing } from "./salt.ts";

/** Not everything can be large, or nothing is. */
export const PROMINENT_MAX = 12;

/** What each reason weighs; a station with several has their sum, so the worst place comes first. */
const WEIGHT = {
  ...{ critical: 40, major: 14, warning: 6 },
  ...{ salt_4: 12, salt_1: 10, intake: 11 },
} as const;

/** Ids of stations, the one that most deserves it first, at most `PROMINENT_MAX`. */
export function prominent(
  rows: readonly Row[],
  folded: Folded,
  salt: ReadonlyMap<string, readonly SaltLine[]>,
  intakes: readonly Pick<Advice, "station">[],
): string[] {
  const weights = new Map<string, number>();
  const add = (id: string, weight: number): void => {
    weights.set(id, (weights.get(id) ?? 0) + weight);
  };
  for (const { speaks, severity } of folded.rows) {
    const weight = WEIGHT[severity as keyof typeof WEIGHT] ?? 0;
    if (speaks.quantity === "salinity_g_l") add(speaks.station, weight);
  }
  for (const { mouth, placed } of rows) {
    for (const line of salt.get(mouth) ?? []) {
      if (line.basis !== "now" || !standing(line)) continue;
      const weight = line.level_g_l === 4 ? WEIGHT.salt_4 : WEIGHT.salt_1;
      for (const id of beside(placed, line)) add(id, weight);
    }
  }
  for (const { station } of intakes) add(station, WEIGHT.intake);
  const here = rows.flatMap((row) => row.placed.map((p) => p.station.id));
  return here
    .filter((id) => (weights.get(id) ?? 0) >= WEIGHT.warning)
    .sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0) || (a < b ? -1 : 1))
    .slice(0, PROMINENT_MAX);
}

/** The stations between which a line lies; of a bound the one at which it is known. */
function beside(placed: Row["placed"], { km }: SaltLine): string[] {
  const at = km.value ?? 0;
  const [below, above] = [
    placed.filter((p) => p.km >= 0 && p.km <= at + 0.05).at(-1),
    placed.find((p) => p.km > at + 0.05),
  ];
  const own = km.bound === "above" ? [below] : km.bound === "below" ? [above ?? below] : [below, above];
  return own.flatMap((p) => (p === undefined ? [] : [p.station.id]));
}
