// What a client holds of one subscription, and the rules by which it may change (live.v1, client
// rules 1, 2 and 7). Nothing here knows a socket, a clock or a page.

export type Fields = Record<string, unknown>;

/** What the owner of the subscription has to do after a frame. */
export type Verdict = "applied" | "synced" | "ignored" | "resubscribe";

export class Held {
  readonly items = new Map<string, Fields>();
  /** Our position, or null while we hold nothing that a delta could follow. */
  position: string | null = null;
  synced = false;
  private pages: Map<string, Fields> | null = null;
  private pagesPosition: string | null = null;
  private faults = 0;

  constructor(private readonly key: "k" | "id") {}

  /** The position to ask for. After two faults in a row a whole snapshot is the honest answer. */
  wanted(): string | null {
    return this.faults > 1 ? null : this.position;
  }

  /** The subscription was granted: `recovered` says whether deltas or snapshot pages follow. */
  granted(recovered: boolean): Verdict {
    this.pages = null;
    this.pagesPosition = null;
    this.synced = recovered && this.position !== null;
    return this.synced ? "synced" : "ignored";
  }

  /** The connection ended, or we ask anew: what we hold stays, as of our position. */
  suspended(): void {
    this.pages = null;
    this.pagesPosition = null;
    this.synced = false;
  }

  reset(): Verdict {
    this.items.clear();
    this.position = null;
    this.suspended();
    return "applied";
  }

  /** One page; the whole snapshot takes effect at once with the last of them. */
  page(position: string, items: readonly Fields[], more: boolean): Verdict {
    if (this.pages === null) {
      this.pages = new Map();
      this.pagesPosition = position;
    } else if (position !== this.pagesPosition) {
      return this.fault(); // pages of two snapshots must not be mixed
    }
    for (const item of items) {
      const key = item[this.key];
      if (typeof key === "string") this.pages.set(key, { ...item });
    }
    if (more) return "ignored";
    this.items.clear();
    for (const [key, item] of this.pages) this.items.set(key, item);
    this.pages = null;
    this.pagesPosition = null;
    this.position = position;
    this.synced = true;
    this.faults = 0;
    return "synced";
  }

  delta(from: string, position: string, set: readonly Fields[], del: readonly string[]): Verdict {
    if (!this.synced || from !== this.position) return this.fault();
    for (const change of set) this.merge(change);
    for (const key of del) this.items.delete(key);
    this.position = position;
    this.faults = 0;
    return "applied";
  }

  event(from: string, position: string, alert: Fields): Verdict {
    if (!this.synced || from !== this.position) return this.fault();
    const id = alert[this.key];
    if (typeof id === "string") {
      // It comes whole: what it no longer says, such as an end of shelving, no longer holds.
      // A snapshot holds what is unacked, acked or cleared-unacked; so do we, to stay equal to it.
      if (alert["state"] === "normal") this.items.delete(id);
      else this.items.set(id, { ...alert });
    }
    this.position = position;
    this.faults = 0;
    return "applied";
  }

  /** The server says where it believes us to be: a lost last frame shows here. */
  told(position: string): Verdict {
    return this.synced && position !== this.position ? this.fault() : "ignored";
  }

  private merge(change: Fields): void {
    const key = change[this.key];
    if (typeof key !== "string") return;
    const item: Fields = { ...this.items.get(key) };
    for (const [name, value] of Object.entries(change)) {
      if (value === null) delete item[name];
      else item[name] = value;
    }
    this.items.set(key, item);
  }

  private fault(): Verdict {
    this.faults += 1;
    this.suspended();
    return "resubscribe";
  }
}
