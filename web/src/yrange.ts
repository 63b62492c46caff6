// How high a picture reaches. Pure.

/** Quantities whose zero says nothing. */
const FREE: readonly string[] = ["temperature_c", "battery_v", "water_level_m"];

/** How much a picture spans at least, in the unit of the quantity. */
function leastSpan(quantity: string): number {
  if (quantity.startsWith("occupancy")) return 0.05;
  // A quarter of an hour is usual: four minutes against five are no mountain.
  if (quantity === "crossing_time_min") return 15;
  return quantity.startsWith("flow_") ? 60 : 0.5;
}

/** The data, zero for what is never negative, and the first limit above the data. */
export function yRange(
  quantity: string,
  low: number | null,
  high: number | null,
  limits: readonly number[],
): [number, number] {
  const [least, most] = [low ?? 0, high ?? 1];
  const next = [...limits].sort((a, b) => a - b).find((level) => level > most);
  const scale = leastSpan(quantity);
  let top = Math.max(most, least + scale);
  if (next !== undefined && next < most * 2.5 + scale) top = Math.max(top, next);
  const fromZero = !FREE.includes(quantity) && least >= 0;
  const bottom = fromZero ? 0 : least - (top - least) * 0.08;
  return [bottom, top + (top - bottom) * 0.08];
}
