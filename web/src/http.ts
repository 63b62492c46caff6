// The little HTTP that the page needs beside its socket.

import type { Fields } from "./held.ts";

export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 15_000;

export async function getJson(path: string, token: string | null): Promise<Fields> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token !== null) headers["Authorization"] = `Bearer ${token}`;
  let answer: Response;
  try {
    answer = await fetch(path, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new HttpError(0, error instanceof Error ? error.message : String(error));
  }
  if (!answer.ok) throw new HttpError(answer.status, await detailOf(answer));
  return (await answer.json()) as Fields;
}

/** What a problem document says, else the status line. */
async function detailOf(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as Fields;
    return String(problem["detail"] ?? problem["title"] ?? answer.status);
  } catch {
    return `${answer.status} ${answer.statusText}`.trim();
  }
}
