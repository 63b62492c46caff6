// A report as tables, the same for the screen and for paper, and what of them a page holds. No DOM.

export interface Cell {
  text: string;
  /** Where the figure comes from: a page of ours. */
  href?: string;
  /** What wants to be seen first. */
  strong?: boolean;
}

export interface Row {
  /** The first one names the row. */
  cells: readonly Cell[];
  /** What is left out first where there is no room has the highest. */
  rank: number;
}

export interface Column {
  head: string;
  /** Figures stand below each other by their last digit. */
  figures?: boolean;
  /** A time, a word: it stays in one line. */
  tight?: boolean;
  /** A sentence: on a phone it has a line of its own, and the others stand beside each other. */
  long?: boolean;
}

export interface Table {
  id: string;
  caption: string;
  columns: readonly Column[];
  rows: readonly Row[];
  /** More rows than this are not printed, whatever room there is. */
  printed?: number;
  /** What is said where there are no rows. */
  none: string;
}

export const cell = (text: string, more: Omit<Cell, "text"> = {}): Cell => ({ text, ...more });

/** At most so many rows, those of the lowest rank, in the order in which they were. */
export function keptRows(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length <= most) return rows;
  const order = rows.map((_, n) => n).sort((a, b) => rankAt(rows, a) - rankAt(rows, b) || a - b);
  const kept = new Set(order.slice(0, most));
  return rows.filter((_, n) => kept.has(n));
}

function rankAt(rows: readonly Row[], n: number): number {
  return rows[n]?.rank ?? 0;
}

/** How many rows of each table where there is room for so many together: short ones stay whole. */
export function shares(counts: readonly number[], room: number): number[] {
  let level = Math.max(0, ...counts);
  const sum = (most: number): number => counts.reduce((all, n) => all + Math.min(n, most), 0);
  while (level > 0 && sum(level) > room) level -= 1;
  let rest = room - sum(level);
  return counts.map((n) => {
    const more = n > level && rest > 0 ? 1 : 0;
    rest -= more;
    return Math.min(n, level) + more;
  });
}
