// The delta as the map draws it, and where on it a kilometre of a branch lies. No DOM.
//
// The lines of the river and of the coast are approximate, of general knowledge: good for drawing
// and for nothing else. Places of stations are those of the registry.

import type { Station } from "./model.ts";

/** Degrees north and east. */
export interface Spot {
  lat: number;
  lon: number;
}

const spot = (lat: number, lon: number): Spot => ({ lat, lon });

const COCHIEN_LEAVES = spot(10.26, 105.97);
const HAMLUONG_LEAVES = spot(10.28, 106.14);
const PARTING = spot(10.3, 106.5);

/** Each reach of the river once, from the land to the sea. */
export const REACHES: readonly { name: string; spots: readonly Spot[] }[] = [
  {
    name: "Sông Tiền",
    spots: [
      ...[spot(10.28, 105.91), COCHIEN_LEAVES, spot(10.33, 106.03), HAMLUONG_LEAVES],
      ...[spot(10.35, 106.35), spot(10.34, 106.41), PARTING],
    ],
  },
  {
    name: "Cửa Tiểu",
    spots: [PARTING, spot(10.3, 106.55), spot(10.29, 106.59), spot(10.27, 106.74), spot(10.26, 106.78)],
  },
  {
    name: "Cửa Đại",
    spots: [PARTING, spot(10.24, 106.6), spot(10.2, 106.71), spot(10.17, 106.77)],
  },
  {
    name: "Hàm Luông",
    spots: [
      ...[HAMLUONG_LEAVES, spot(10.22, 106.35), spot(10.05, 106.46)],
      ...[spot(9.98, 106.61), spot(9.94, 106.66)],
    ],
  },
  {
    name: "Cổ Chiên",
    spots: [COCHIEN_LEAVES, spot(9.98, 106.35), spot(9.88, 106.53), spot(9.82, 106.58)],
  },
];

/** Which reaches lead up from a mouth, from the sea to the land. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  "cua-tieu": ["Cửa Tiểu", "Sông Tiền"],
  "cua-dai": ["Cửa Đại", "Sông Tiền"],
  "ham-luong": ["Hàm Luông", "Sông Tiền"],
  "co-chien": ["Cổ Chiên", "Sông Tiền"],
};

/** The land's edge from north to south; east of it lies the sea. */
export const COAST: readonly Spot[] = [
  ...[spot(10.75, 106.74), spot(10.52, 106.79), spot(10.4, 106.79), spot(10.26, 106.785)],
  ...[spot(10.17, 106.775), spot(10.06, 106.74), spot(9.94, 106.665), spot(9.82, 106.585)],
  ...[spot(9.66, 106.55), spot(9.45, 106.3), spot(9.2, 106.0)],
];

// --- lengths --------------------------------------------------------------------------------

const KM_PER_DEGREE = 111.2;
/** The delta is small enough for one width of a degree of longitude. */
const WIDTH = Math.cos((10.2 * Math.PI) / 180);

export function distance_km(a: Spot, b: Spot): number {
  return KM_PER_DEGREE * Math.hypot(b.lat - a.lat, (b.lon - a.lon) * WIDTH);
}

const CURVE_STEPS = 8;

/** A smooth line through all the spots (Catmull and Rom, 1974). */
export function smooth(spots: readonly Spot[]): Spot[] {
  const of = (i: number): Spot => spots[Math.min(Math.max(i, 0), spots.length - 1)] as Spot;
  const found: Spot[] = spots.slice(0, 1);
  for (let i = 0; i + 1 < spots.length; i += 1) {
    const [a, b, c, d] = [of(i - 1), of(i), of(i + 1), of(i + 2)];
    for (let step = 1; step <= CURVE_STEPS; step += 1) {
      const t = step / CURVE_STEPS;
      const mix = (p: number, q: number, r: number, s: number): number =>
        0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t ** 2 + (3 * q - p - 3 * r + s) * t ** 3);
      found.push(spot(mix(a.lat, b.lat, c.lat, d.lat), mix(a.lon, b.lon, c.lon, d.lon)));
    }
  }
  return found;
}

/** The drawn line up from a mouth, from the sea to the land; null for a mouth that isn't drawn. */
export function wayUp(mouth: string): Spot[] | null {
  const [lowest, above] = WAYS[mouth] ?? [];
  const reach = (name: string | undefined): Spot[] => {
    const found = REACHES.find((one) => one.name === name);
    return smooth(found?.spots ?? []).reverse();
  };
  const arm = reach(lowest);
  const end = arm.at(-1);
  if (end === undefined) return null;
  const stem = reach(above);
  const leaves = stem.findIndex((one) => distance_km(one, end) < 0.01);
  return [...arm, ...stem.slice(leaves + 1)];
}

// --- a kilometre on the drawn line ----------------------------------------------------------

/** A kilometre of the river, and how far along the drawn line it lies, km. */
interface Anchor {
  km: number;
  drawn_km: number;
}

/** The drawn line of one arm, held to the registered places of its stations. */
export interface Way {
  spots: readonly Spot[];
  /** Of each spot, how far along the line, km. */
  along_km: readonly number[];
  anchors: readonly Anchor[];
}

/** A station farther than this from the drawn line tells nothing of the line's lengths. */
const NEAR_KM = 8;

/**
 * The drawn line up from a mouth with the kilometres of its stations on it: a drawing is shorter
 * than the river, and an agency's kilometres are its own. Stations out of order are left out.
 */
export function wayOf(mouth: string, stations: readonly Station[]): Way | null {
  const spots = wayUp(mouth);
  if (spots === null) return null;
  const along_km = [0];
  for (let i = 1; i < spots.length; i += 1) {
    along_km.push((along_km[i - 1] as number) + distance_km(spots[i - 1] as Spot, spots[i] as Spot));
  }
  const anchors: Anchor[] = [{ km: 0, drawn_km: 0 }];
  const known = stations
    .flatMap(({ km_from_mouth, lat, lon }) => {
      const km = km_from_mouth[mouth];
      return km === undefined || lat === null || lon === null ? [] : [{ km, lat, lon }];
    })
    .sort((a, b) => a.km - b.km);
  for (const { km, ...at } of known) {
    const { drawn_km, away_km } = nearest(spots, along_km, at);
    const last = anchors.at(-1) as Anchor;
    if (away_km > NEAR_KM || km <= last.km || drawn_km <= last.drawn_km) continue;
    anchors.push({ km, drawn_km });
  }
  return { spots, along_km, anchors };
}

function nearest(spots: readonly Spot[], along_km: readonly number[], at: Spot) {
  let found = { drawn_km: 0, away_km: Infinity };
  for (let i = 0; i + 1 < spots.length; i += 1) {
    const [a, b] = [spots[i] as Spot, spots[i + 1] as Spot];
    const [x, y] = [(b.lon - a.lon) * WIDTH, b.lat - a.lat];
    const reach = ((at.lon - a.lon) * WIDTH * x + (at.lat - a.lat) * y) / (x * x + y * y);
    const t = Math.min(1, Math.max(0, reach));
    const away_km = distance_km(at, between(a, b, t));
    const drawn_km = (along_km[i] as number) + t * distance_km(a, b);
    if (away_km < found.away_km) found = { drawn_km, away_km };
  }
  return found;
}

const between = (a: Spot, b: Spot, t: number): Spot =>
  spot(a.lat + t * (b.lat - a.lat), a.lon + t * (b.lon - a.lon));

/** A place on the drawn line; `next` lies a little farther up. */
export interface OnLine {
  at: Spot;
  next: Spot;
}

const A_LITTLE_KM = 0.2;

/**
 * Where a kilometre from the mouth lies on the drawn line, between the stations that it lies
 * between; null for one that lies beyond the drawing.
 */
export function placeOf(way: Way, km: number): OnLine | null {
  const { anchors, along_km } = way;
  if (km < 0) return null;
  const i = Math.max(1, anchors.findIndex((one) => one.km >= km));
  const above = anchors.some((one) => one.km >= km) ? anchors[i] : undefined;
  let drawn_km: number;
  if (above !== undefined) {
    const below = anchors[i - 1] as Anchor;
    const t = (km - below.km) / (above.km - below.km);
    drawn_km = below.drawn_km + t * (above.drawn_km - below.drawn_km);
  } else {
    // Above the highest station the line is as much shorter than the river as below it.
    const top = anchors.at(-1) as Anchor;
    drawn_km = top.drawn_km + (km - top.km) * (top.km > 0 ? top.drawn_km / top.km : 1);
  }
  const end_km = along_km.at(-1) as number;
  if (drawn_km > end_km) return null;
  const from_km = Math.min(drawn_km, end_km - A_LITTLE_KM);
  return { at: onLine(way, drawn_km), next: shifted(onLine(way, drawn_km), way, from_km) };
}

/** Upstream of a spot, by the direction of the line there. */
function shifted(from: Spot, way: Way, drawn_km: number): Spot {
  const [a, b] = [onLine(way, drawn_km), onLine(way, drawn_km + A_LITTLE_KM)];
  return spot(from.lat + b.lat - a.lat, from.lon + b.lon - a.lon);
}

function onLine({ spots, along_km }: Way, drawn_km: number): Spot {
  const found = along_km.findIndex((one) => one >= drawn_km);
  const i = Math.max(1, found === -1 ? along_km.length - 1 : found);
  const [low, high] = [along_km[i - 1] as number, along_km[i] as number];
  return between(spots[i - 1] as Spot, spots[i] as Spot, high > low ? (drawn_km - low) / (high - low) : 0);
}
