// How far the salt has come up each arm, from the series that the service forms of it; no DOM.

import { decimal } from "./format.ts";
import { type Reading, usable } from "./model.ts";
import type { Moment } from "./view.ts";
import { type Language, word } from "./words.ts";

/** The levels whose lines are followed, g/L, the one that matters most first. */
export const LEVELS_G_L = [4, 1] as const;

export type Basis = "now" | "max";

/** The line of one level along one arm. */
export interface SaltLine {
  mouth: string;
  level_g_l: number;
  /** Of this hour, or of the last 25 hours: the two must never be compared. */
  basis: Basis;
  km: Reading;
  /** Standard deviation, km; null where the line is a bound. */
  sd_km: number | null;
}

const QUANTITY = /^salt_(\d+)(_max)?_km$/;

/** By mouth, what has ever been formed: 4 g/L before 1, now before the maximum. */
export function saltLines(readings: Iterable<Reading>): Map<string, SaltLine[]> {
  const river = [...readings].filter((r) => r.kind === "river");
  const byKey = new Map(river.map((r) => [r.key, r]));
  const lines = new Map<string, SaltLine[]>();
  for (const km of river) {
    const [, level, max] = QUANTITY.exec(km.quantity) ?? [];
    if (level === undefined) continue;
    const mouth = km.branches[0] ?? km.device;
    const sd = byKey.get(km.key.replace(/_km$/, "_sd_km"));
    // Two series of one moment: an older deviation is of another line.
    const fits = km.bound === null && sd !== undefined && sd.t_ms === km.t_ms;
    const line: SaltLine = {
      mouth,
      level_g_l: Number(level),
      basis: max === undefined ? "now" : "max",
      km,
      sd_km: fits ? sd.value : null,
    };
    lines.set(mouth, [...(lines.get(mouth) ?? []), line]);
  }
  for (const own of lines.values()) {
    own.sort((a, b) => b.level_g_l - a.level_g_l || b.basis.localeCompare(a.basis));
  }
  return lines;
}

/** Whether the line may be drawn in its place: it has been formed, and is not old. */
export function standing(line: SaltLine): boolean {
  return usable(line.km);
}

/** "42,4", "> 46", or "–" where it is not known. */
export function kmText({ km }: SaltLine, language: Language): string {
  if (km.value === null) return "–";
  const sign = km.bound === "above" ? "> " : km.bound === "below" ? "< " : "";
  // A bound is the place of a station, which has no uncertainty to be told.
  const digits = km.bound === null || !Number.isInteger(km.value) ? 1 : 0;
  return sign + decimal(km.value, digits, language);
}

/** "42,4 km ± 1,1", "> 46 km", "chưa rõ". */
function plainFigure(line: SaltLine, language: Language): string {
  if (line.km.value === null) return word("salt_none", language);
  const sd = line.sd_km === null ? "" : ` ± ${decimal(line.sd_km, 1, language)}`;
  return `${kmText(line, language)} km${sd}`;
}

/** The figure of a line; an old one says that it is old. */
export function lineFigure(line: SaltLine, language: Language): string {
  const old = standing(line) || line.km.value === null ? "" : ` (${word("salt_old", language)})`;
  return plainFigure(line, language) + old;
}

/** "Ranh mặn 4 g/l: bây giờ 42,4 km ± 1,1, lớn nhất 25 giờ > 46 km"; "" where there is none. */
export function levelText(lines: readonly SaltLine[], level_g_l: number, at: Moment): string {
  const { language } = at;
  const own = lines.filter((line) => line.level_g_l === level_g_l);
  if (own.every((line) => line.km.value === null)) return "";
  // Where all of it is old that is said once.
  const live = own.some(standing);
  const figures = own.map((line) => {
    const figure = live ? lineFigure(line, language) : plainFigure(line, language);
    return `${word(`salt_${line.basis}`, language)} ${figure}`;
  });
  const told = `${word("salt_line", language, { level: level_g_l })}: ${figures.join(", ")}`;
  return live ? told : `${told} (${word("salt_old", language)})`;
}

/** " (+3,1)", as bulletins write it; " (=)" within 0,3 km of the day before. */
export function changeText(rise_km: number | null, language: Language): string {
  if (rise_km === null) return "";
  if (Math.abs(rise_km) < 0.3) return " (=)";
  const sign = rise_km > 0 ? "+" : "−";
  const km = Math.abs(rise_km);
  return ` (${sign}${decimal(km, km < 9.95 ? 1 : 0, language)})`; // it has room for three letters
}
