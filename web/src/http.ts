// The little HTTP that the page needs beside its socket.

import type { Fields } from "./held.ts";

export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The problem document, which may bring the thing as it now is. */
    readonly problem: Fields = {},
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 15_000;
/** A list of thousands of people is read, encrypted and stored before it is answered. */
const FILE_TIMEOUT_MS = 120_000;

export function getJson(path: string, overtaken?: AbortSignal): Promise<Fields> {
  return ask("GET", path, null, overtaken);
}

/** The same answer as a file, such as text/csv. */
export async function getFile(path: string, accept: string): Promise<Blob> {
  return (await answered("GET", path, null, accept)).blob();
}

/** Changes something; the answer, or {} where there is none. */
export function sendJson(
  method: "POST" | "DELETE",
  path: string,
  body: Fields | null,
): Promise<Fields> {
  return ask(method, path, body);
}

/** Sends a file as it is; the answer. */
export async function sendFile(path: string, type: string, file: ArrayBuffer): Promise<Fields> {
  const headers = { Accept: "application/json", "X-Songtien": "1", "Content-Type": type };
  const signal = AbortSignal.timeout(FILE_TIMEOUT_MS);
  return (await (await fetched(path, { method: "POST", headers, body: file, signal })).json()) as Fields;
}

async function ask(
  method: string,
  path: string,
  body: Fields | null,
  overtaken?: AbortSignal,
): Promise<Fields> {
  const answer = await answered(method, path, body, "application/json", overtaken);
  return answer.status === 204 ? {} : ((await answer.json()) as Fields);
}

async function answered(
  method: string,
  path: string,
  body: Fields | null,
  accept: string,
  overtaken?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept };
  // A cookie alone changes nothing: no page of elsewhere can send this beside it.
  if (method !== "GET") headers["X-Songtien"] = "1";
  if (body !== null) headers["Content-Type"] = "application/json";
  const text = body === null ? null : JSON.stringify(body);
  const late = AbortSignal.timeout(TIMEOUT_MS);
  const signal = overtaken === undefined ? late : bothOf(late, overtaken);
  return fetched(path, { method, headers, body: text, signal });
}

async function fetched(path: string, how: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, how);
  } catch (error) {
    throw new HttpError(0, error instanceof Error ? error.message : String(error));
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** `AbortSignal.any`, which browsers of before 2023 have not got. */
function bothOf(one: AbortSignal, other: AbortSignal): AbortSignal {
  const either = new AbortController();
  for (const signal of [one, other]) {
    signal.addEventListener("abort", () => either.abort(signal.reason), { once: true });
  }
  if (other.aborted) either.abort(other.reason);
  return either.signal;
}

/** What a problem document says, else the status line. */
async function problemOf(answer: Response): Promise<HttpError> {
  const { status, statusText } = answer;
  try {
    const problem = (await answer.json()) as Fields;
    const detail = String(problem["detail"] ?? problem["title"] ?? status);
    return new HttpError(status, detail, problem);
  } catch {
    return new HttpError(status, `${status} ${statusText}`.trim());
  }
}
