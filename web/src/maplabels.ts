// Which labels of the map can be read: none may cover another, or a place. No DOM; lengths in px.

export interface Wanted {
  /** The place that it speaks of. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Half of the width of the mark that stands at the place. */
  mark: number;
  /** It may also stand a little away from its place. */
  afar: boolean;
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Where its upper left corner stands, from its place. */
export interface Offset {
  left: number;
  top: number;
}

const SIDES = ["e", "w", "n", "s", "ne", "se", "nw", "sw"] as const;
const GAP = 3;
const AFAR = 24;

function boxOf(at: Wanted, side: (typeof SIDES)[number], away: number): Box {
  const { x, y, width, height } = at;
  // A corner stands off by less on each side, and as far as the others in all.
  const off = side.length === 1 ? away : away * Math.SQRT1_2;
  const left = side.endsWith("e") ? x + off : side.endsWith("w") ? x - off - width : x - width / 2;
  const south = side.startsWith("s");
  const top = side.startsWith("n") ? y - off - height : south ? y + off : y - height / 2;
  return { left, top, right: left + width, bottom: top + height };
}

const touch = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const inside = (a: Box, b: Box): boolean =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;

/**
 * Where each label can stand, the first of the list having the choice; null where there is no
 * room for it `within` what is seen. `covered` is what lies over the map: its buttons, its legend.
 */
export function placesOf(
  labels: readonly Wanted[],
  within: Box,
  covered: readonly Box[] = [],
): (Offset | null)[] {
  const taken: Box[] = labels.map(({ x, y, mark }) => {
    return { left: x - mark, top: y - mark, right: x + mark, bottom: y + mark };
  });
  return labels.map((label, n) => {
    const near = label.mark + GAP;
    for (const away of label.afar ? [near, near + AFAR, near + 2 * AFAR] : [near]) {
      for (const side of SIDES) {
        const box = boxOf(label, side, away);
        if (!inside(box, within)) continue;
        if (taken.some((other, i) => i !== n && touch(box, other))) continue;
        if (covered.some((other) => touch(box, other))) continue;
        taken.push(box);
        return { left: box.left - label.x, top: box.top - label.y };
      }
    }
    return null;
  });
}
