// Who took which alert. The service tells it to officers alone, and apart from the alert itself.

import type { Fields } from "./held.ts";
import { getJson } from "./http.ts";

export class Takers {
  private readonly names = new Map<string, string>();

  of(alert: string): string {
    return this.names.get(alert) ?? "";
  }

  hear(alert: unknown, who: unknown): void {
    if (typeof alert !== "string" || typeof who !== "string" || who === "") return;
    this.names.set(alert, who);
  }

  forget(): void {
    this.names.clear();
  }

  /** Those who took alerts before we came, from the timelines. */
  async load(): Promise<void> {
    let answer: Fields;
    try {
      answer = await getJson("/api/v1/alerts?state=active");
    } catch (error) {
      console.warn("the names of who took alerts could not be loaded", error);
      return;
    }
    for (const raw of (answer["items"] ?? []) as Fields[]) this.read(raw);
  }

  /** An alert with its timeline, as HTTP gives it. */
  read(raw: Fields): void {
    for (const step of (raw["timeline"] ?? []) as Fields[]) {
      if (step["type"] === "acked") this.hear(raw["id"], step["who"]);
    }
  }
}
