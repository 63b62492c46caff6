// What pages that ask again and again say of it. No DOM.

import type { Asked } from "./asked.ts";
import { HttpError } from "./http.ts";
import { type Language, word } from "./words.ts";

/** That nothing has come yet, or why not; "" where all is well. `time`: of what is shown. */
export function troubleText(asked: Asked, time: string, language: Language): string {
  const { answer, problem } = asked;
  if (problem === null) return answer === null ? word("report_loading", language) : "";
  const why = whyText(problem);
  return answer === null
    ? word("report_away", language, { why })
    : word("report_old", language, { why, time });
}

function whyText(problem: unknown): string {
  if (problem instanceof HttpError && problem.status > 0) return problem.message;
  return problem instanceof Error ? problem.message : String(problem);
}
