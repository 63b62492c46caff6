// What is shown, taken along: names of files, and the lines that stand over a picture on paper. Pure.

import { clockTime, date, dateTime } from "./format.ts";
import { seriesPath } from "./past.ts";
import type { Picture } from "./picture.ts";
import { signsOf } from "./placesigns.ts";
import { type Language, word } from "./words.ts";
import type { Span, Step } from "./zoom.ts";

/** "xuan-hoa_salinity_g_l_2026-11-21T1400+07_2026-11-22T1400+07_1h.csv", in Vietnam's time. */
export function fileName(
  place: string,
  key: string,
  { from_ms, to_ms }: Span,
  step: Step,
  ending: string,
): string {
  const series = key.split("/").slice(1).join("-");
  const stamp = (t_ms: number): string => {
    const [day, month, year] = date(t_ms).split("/");
    return `${year}-${month}-${day}T${clockTime(t_ms).replace(":", "")}+07`;
  };
  const suffix = step.ms === 0 ? "" : `_${step.name}`;
  return `${place}_${series}_${stamp(from_ms)}_${stamp(to_ms)}${suffix}.${ending}`;
}

/** The service's own file of the same series, span and step. */
export function csvPath(key: string, span: Span, step: Step): string {
  return `${seriesPath(key, span, step)}&format=csv`;
}

/** What stands around a picture on paper: it leaves the screen that explained it. */
export function captions(
  picture: Picture,
  source: string,
  now_ms: number,
  language: Language,
): { title: string; span: string; signs: ReturnType<typeof signsOf>; foot: string } {
  const { span } = picture;
  return {
    title: picture.title,
    span: `${dateTime(span.from_ms)} – ${dateTime(span.to_ms)} (UTC+7)`,
    signs: signsOf(picture, language),
    foot: word("paper_foot", language, { source, time: dateTime(now_ms) }),
  };
}
