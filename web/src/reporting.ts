// What pages that ask again and again say of it. No DOM.

import type { Asked } from "./asked.ts";
import { HttpError } from "./http.ts";
import { type Language, type Word, word } from "./words.ts";

/** That nothing has come yet, or why not; "" where all is well. `time`: of what is shown. */
export function troubleText(asked: Asked, time: string, language: Language): string {
  const { answer, problem } = asked;
  if (problem === null) return answer === null ? word("report_loading", language) : "";
  const why = whyText(problem, language);
  return answer === null
    ? word("report_away", language, { why })
    : word("report_old", language, { why, time });
}

const WHY: Readonly<Record<number, Word>> = {
  0: "why_no_answer", // or none in time; the browser's own words are for who wrote the page
  401: "why_signed_out",
  403: "why_not_allowed",
  429: "why_too_often",
};

/** Why something could not be asked or sent, in the reader's language. */
export function whyText(problem: unknown, language: Language): string {
  if (!(problem instanceof HttpError)) {
    return problem instanceof Error ? problem.message : String(problem);
  }
  const { status, message } = problem;
  const known = WHY[status];
  if (known !== undefined) return word(known, language);
  return status >= 500 ? word("why_fault", language, { status }) : message;
}
