// Where the stations stand on the schematic: honest in order and in distance along the river.
// Pure geometry; lengths in px, distances in km.

import type { Station } from "./model.ts";

/** The mouths from north-east to south-west; others follow in the order of the registry. */
const MOUTHS = ["cua-tieu", "cua-dai", "ba-lai", "ham-luong", "co-chien", "cung-hau"];

const MOUTH_NAMES: Record<string, string> = {
  "cua-tieu": "Cửa Tiểu",
  "cua-dai": "Cửa Đại",
  "ba-lai": "Ba Lai",
  "ham-luong": "Hàm Luông",
  "co-chien": "Cổ Chiên",
  "cung-hau": "Cung Hầu",
};

export function mouthName(id: string): string {
  return MOUTH_NAMES[id] ?? id;
}

/** "Mỹ Tho (Vườn hoa Lạc Hồng)" is Mỹ Tho on a wall. */
export function shortName(name: string): string {
  return name.replace(/\s*\(.*\)\s*$/, "").replace(/^(Cống|Cầu)\s+/, "");
}

export interface Placed {
  station: Station;
  km: number;
  /** Also on the way to another mouth: above a parting. */
  shared: boolean;
}

export interface Row {
  mouth: string;
  placed: Placed[];
}

export interface Rows {
  rows: Row[];
  coast: Station[];
  elsewhere: Station[];
}

/** Each salinity station on the row of its mouth, from the sea up. */
export function rowsOf(stations: readonly Station[]): Rows {
  const rows = new Map<string, Placed[]>();
  const coast: Station[] = [];
  const elsewhere: Station[] = [];
  for (const station of stations) {
    if (station.kind !== "salinity") continue;
    const mouths = Object.keys(station.km_from_mouth);
    const mouth = mouths.includes(station.branch) ? station.branch : mouths[0];
    if (mouth === undefined) {
      (station.side === "coast" ? coast : elsewhere).push(station);
      continue;
    }
    const km = station.km_from_mouth[mouth] as number;
    const placed = { station, km, shared: mouths.length > 1 };
    rows.set(mouth, [...(rows.get(mouth) ?? []), placed]);
  }
  const rank = (mouth: string): number => MOUTHS.indexOf(mouth) + 1 || MOUTHS.length + 1;
  const sorted = [...rows].sort(([a], [b]) => rank(a) - rank(b));
  return {
    rows: sorted.map(([mouth, placed]) => ({
      mouth,
      placed: placed.sort((a, b) => a.km - b.km),
    })),
    coast,
    elsewhere,
  };
}

/**
 * Which row another row parts from, and where: a station above the parting knows its distance
 * from both mouths. null: it parts far upstream of everything shown.
 */
export function partingOf(row: Row, rows: readonly Row[]): { from: Row; km: number } | null {
  for (const from of rows) {
    if (from === row) break;
    const above = from.placed.filter((p) => row.mouth in p.station.km_from_mouth);
    const lowest = above[0];
    if (lowest === undefined) continue;
    const below = from.placed.filter((p) => !above.includes(p) && p.km < lowest.km).at(-1);
    return { from, km: below === undefined ? lowest.km - 3 : (below.km + lowest.km) / 2 };
  }
  return null;
}

/**
 * Centres of boxes of one width, as near as can be to where they are wanted (rising), without
 * overlap, between `low` and `high`. Boxes that push each other share the push evenly.
 */
export function spread(
  wanted: readonly number[],
  width: number,
  low: number,
  high: number,
): number[] {
  interface Block {
    first: number;
    count: number;
    centre: number;
  }
  const clamp = (block: Block): Block => {
    const half = (block.count * width) / 2;
    const centre = Math.min(Math.max(block.centre, low + half), Math.max(high - half, low + half));
    return { ...block, centre };
  };
  let blocks: Block[] = [];
  wanted.forEach((x, i) => {
    let block = clamp({ first: i, count: 1, centre: x });
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      const touching =
        block.centre - (block.count * width) / 2 < last.centre + (last.count * width) / 2 - 1e-9;
      if (!touching) break;
      blocks = blocks.slice(0, -1);
      const count = last.count + block.count;
      // The mean of where each member's block would have to stand to put that member right.
      let sum = 0;
      for (let j = 0; j < count; j += 1) {
        sum += (wanted[last.first + j] as number) - (j - (count - 1) / 2) * width;
      }
      block = clamp({ first: last.first, count, centre: sum / count });
    }
    blocks.push(block);
  });
  return blocks.flatMap((block) =>
    Array.from(
      { length: block.count },
      (_, j) => block.centre + (j - (block.count - 1) / 2) * width,
    ),
  );
}

/**
 * Of labels at heights `y`, those that can be written without touching: the first of the list
 * wins, what is nearer than `height` to one that stands is left out.
 */
export function apart<T extends { y: number }>(wanted: readonly T[], height: number): T[] {
  const standing: T[] = [];
  for (const one of wanted) {
    if (standing.every(({ y }) => Math.abs(y - one.y) >= height)) standing.push(one);
  }
  return standing;
}

/** Lanes in the order in which they are taken: beside the river first. */
const LANES_MAX = 3;

/**
 * Divides the boxes of one row among as few lanes as keep them near their places: lane 0 stands
 * above the river, 1 below it, 2 above lane 0. Gives the lane of each wanted x (rising).
 *
 * `tolerance` is how far a box may be pushed, in its own widths.
 */
export function lanesOf(
  wanted: readonly number[],
  width: number,
  low: number,
  high: number,
  tolerance: number,
): number[] {
  for (let count = 1; ; count += 1) {
    const lane = wanted.map((_, i) => i % count);
    if (count === LANES_MAX) return lane;
    const near = lane.every((_, n) => {
      const own = wanted.filter((_x, i) => lane[i] === n);
      const placed = spread(own, width, low, high);
      return placed.every((x, i) => Math.abs(x - (own[i] as number)) <= tolerance * width);
    });
    const fits = Math.ceil(wanted.length / count) * width <= high - low;
    if (near && fits) return lane;
  }
}
