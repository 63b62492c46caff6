// Curves with times of their own on one axis. Pure.

import uPlot from "uplot";

/** A null beside times that only other curves have goes on over these: a gap stays a gap. */
const EXPAND = 2;

/**
 * Tables of times and columns as one table. Where a curve has no value at a time of another its
 * line goes on, but not over a gap.
 */
export function joined(tables: readonly uPlot.AlignedData[]): uPlot.AlignedData {
  const modes = tables.map((table) => table.map((): 0 | 1 | 2 => EXPAND));
  return uPlot.join([...tables], modes);
}
