// Who looks: signing in and out by the session's cookie, which no script can read. No DOM.

import type { Fields } from "./held.ts";
import { getJson, HttpError, sendJson } from "./http.ts";
import { CallError } from "./world.ts";

export interface Who {
  /** Empty for somebody who has not signed in, and may look all the same. */
  name: string;
  role: string;
}

export const NOBODY: Who = { name: "", role: "viewer" };

const SESSION = "/api/v1/session";

type Get = (path: string) => Promise<Fields>;
type Send = (method: "POST" | "DELETE", path: string, body: Fields | null) => Promise<Fields>;

export class Door {
  /** As of the last answer. */
  who: Who = NOBODY;

  constructor(
    private readonly get: Get = getJson,
    private readonly send: Send = sendJson,
  ) {}

  get signedIn(): boolean {
    return this.who.name !== "";
  }

  /** Ask who this browser is. Fails with 401 where one must sign in before one sees anything. */
  async look(): Promise<void> {
    this.who = whoOf(await this.get(SESSION));
  }

  async signIn(name: string, password: string): Promise<Who> {
    this.who = whoOf(await this.send("POST", SESSION, { name, password }));
    return this.who;
  }

  /** Of this browser, in all its tabs; true where somebody was signed in. */
  async signOut(): Promise<void> {
    await this.send("DELETE", SESSION, null);
    this.who = NOBODY;
  }

  /**
   * What the live socket is shown: a ticket, good once, or nothing. A session that is over makes
   * us nobody in particular, who is refused where nobody may look.
   */
  async pass(): Promise<string | null> {
    if (!this.signedIn) return null;
    try {
      const answer = await this.send("POST", "/api/v1/live-ticket", null);
      return String(answer["ticket"]);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      if (error.status === 403) throw new CallError(403, error.message); // as behind a wrong proxy
      if (error.status !== 401) throw error;
    }
    this.who = NOBODY;
    try {
      await this.look();
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== 401) throw error;
      throw new CallError(401, "");
    }
    return null;
  }
}

function whoOf(answer: Fields): Who {
  return { name: String(answer["name"] ?? ""), role: String(answer["role"] ?? "viewer") };
}
