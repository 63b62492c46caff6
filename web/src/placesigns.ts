// The signs that a picture uses, with their meanings. Pure.

import { counted } from "./history.ts";
import type { Picture } from "./picture.ts";
import { type Language, word } from "./words.ts";

/** A sign with its meaning; `ink` is a variable of the style sheets. */
export interface Sign {
  sign: "line" | "dashed" | "band" | "area" | "suspect" | "failed" | "hand" | "alert" | "hatch";
  ink: string;
  meaning: string;
}

/** The signs that a picture uses, the lines first. */
export function signsOf(picture: Picture, language: Language): Sign[] {
  const { lines, stacked, span } = picture;
  const inside = (t_ms: number): boolean => t_ms >= span.from_ms && t_ms <= span.to_ms;
  const signs: Sign[] = lines
    .filter((line) => line.points.length > 0)
    .map(({ dash, ink, label }) => ({
      sign: stacked ? "area" : dash ? "dashed" : "line",
      ...{ ink, meaning: label },
    }));
  const main = lines.filter((line) => line.main && !stacked);
  if (main.some((line) => line.band && line.points.length > 0)) {
    signs.push({ sign: "band", ink: "--water", meaning: word("legend_band", language) });
  }
  const points = main.flatMap((line) => line.points.filter((p) => inside(p.t_ms)));
  if (points.some((p) => p.flag === 3)) {
    signs.push({ sign: "suspect", ink: "--text", meaning: word("chart_suspect", language) });
  }
  if (points.some((p) => !counted(p))) {
    signs.push({ sign: "failed", ink: "--muted", meaning: word("chart_failed_mark", language) });
  }
  if (picture.hands.some(({ t_ms }) => inside(t_ms))) {
    signs.push({ sign: "hand", ink: "--strong", meaning: word("legend_hand", language) });
  }
  if (picture.alerts.length > 0) {
    signs.push({ sign: "alert", ink: "--muted", meaning: word("legend_alert", language) });
  }
  if (picture.stretches.length > 0) {
    signs.push({ sign: "hatch", ink: "--muted", meaning: word("legend_stretch", language) });
  }
  return signs;
}
