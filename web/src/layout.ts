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
 * Centres of boxes, as near as can be to where they are wanted (rising), without overlap, between
 * `low` and `high`. Boxes that push each other share the push evenly.
 */
export function spread(
  wanted: readonly number[],
  width: number | readonly number[],
  low: number,
  high: number,
): number[] {
  interface Block {
    first: number;
    count: number;
    left: number;
    width: number;
  }
  const widthOf = (i: number): number => (typeof width === "number" ? width : (width[i] ?? 0));
  const clamp = (block: Block): Block => ({
    ...block,
    left: Math.max(low, Math.min(block.left, high - block.width)),
  });
  let blocks: Block[] = [];
  wanted.forEach((x, i) => {
    const own = widthOf(i);
    let block = clamp({ first: i, count: 1, left: x - own / 2, width: own });
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (block.left >= last.left + last.width - 1e-9) break;
      blocks = blocks.slice(0, -1);
      const count = last.count + block.count;
      // The mean of where the block would have to begin to put each member right.
      let [sum, before] = [0, 0];
      for (let j = last.first; j < last.first + count; j += 1) {
        sum += (wanted[j] as number) - widthOf(j) / 2 - before;
        before += widthOf(j);
      }
      block = clamp({ first: last.first, count, left: sum / count, width: before });
    }
    blocks.push(block);
  });
  return blocks.flatMap(({ first, count, left }) => {
    let edge = left;
    return Array.from({ length: count }, (_, j) => {
      const own = widthOf(first + j);
      edge += own;
      return edge - own / 2;
    });
  });
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

/** A label to be placed beside the river: where it is wanted, and its size. */
export interface Box {
  wanted: number;
  width: number;
  height: number;
}

export interface Lanes {
  /** Of each box: 0 stands above the river, 1 below it, 2 above lane 0. */
  lane: number[];
  centres: number[];
  /** Of each lane, the highest of its boxes; 0 where it is empty. */
  heights: [number, number, number];
}

const LANES_MAX = 3;

/**
 * Divides the boxes of one row (rising) among as few lanes as keep them near their places; null
 * where they cannot stand between `low` and `high` at all.
 *
 * `tolerance` is how far a box may be pushed, in its own widths.
 */
export function lanesOf(
  boxes: readonly Box[],
  low: number,
  high: number,
  tolerance: number,
): Lanes | null {
  let found: Lanes | null = null;
  for (let count = 1; count <= LANES_MAX; count += 1) {
    const lane = dealt(boxes, count, low);
    const centres = boxes.map(() => 0);
    const heights: [number, number, number] = [0, 0, 0];
    let [fits, near] = [true, true];
    for (let n = 0; n < count; n += 1) {
      const own = boxes.flatMap((_, i) => (lane[i] === n ? [i] : []));
      const widths = own.map((i) => (boxes[i] as Box).width);
      fits &&= widths.reduce((sum, width) => sum + width, 0) <= high - low;
      const wanted = own.map((i) => (boxes[i] as Box).wanted);
      spread(wanted, widths, low, high).forEach((x, j) => {
        near &&= Math.abs(x - (wanted[j] as number)) <= tolerance * (widths[j] as number);
        centres[own[j] as number] = x;
      });
      heights[n] = Math.max(0, ...own.map((i) => (boxes[i] as Box).height));
    }
    // Two lanes stand on either side of the river; a third is taken where these do not hold all.
    if (fits) found = { lane, centres, heights };
    if (fits && (near || count > 1)) return found;
  }
  return found;
}

/** From left to right, each box goes to the lane in which it is pushed least. */
function dealt(boxes: readonly Box[], count: number, low: number): number[] {
  const ends = Array.from({ length: count }, () => low);
  return boxes.map(({ wanted, width }) => {
    const left = wanted - width / 2;
    let best = 0;
    ends.forEach((end, n) => {
      if (Math.max(0, end - left) < Math.max(0, (ends[best] as number) - left)) best = n;
    });
    ends[best] = Math.max(ends[best] as number, left) + width;
    return best;
  });
}
