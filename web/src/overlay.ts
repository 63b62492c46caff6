// Over the whole screen, when its link is gone: figures that may be old must not look new.

import { byId, setAttribute, setText } from "./dom.ts";
import { clockSeconds, date, duration } from "./format.ts";
import type { Link } from "./live.ts";
import { type Language, type Word, word } from "./words.ts";

const PATIENCE_MS = 1500; // a first connection may take this long before it is called lost

/** Here seconds count: somebody is waiting. */
function silence(span_ms: number, language: Language): string {
  const n = Math.max(0, Math.round(span_ms / 1000));
  return n < 60 ? word("n_seconds", language, { n }) : duration(span_ms, language);
}

export interface LinkView {
  link: Link;
  /** Since when there has been no believable picture; null while there is one. Monotonic, ms. */
  gone_ms: number | null;
  /** The service's time of the last frame of all. */
  lastWord_ms: number | null;
  serviceNow_ms: number | null;
  /** A connection that somebody asked for, for a moment, is not a loss. */
  expected: boolean;
}

export class Overlay {
  private readonly root = byId("link-lost");
  private readonly title = byId("lost-title");
  private readonly last = byId("lost-last");
  private readonly warning = byId("lost-warning");
  private readonly retry = byId("lost-retry");
  private readonly again = byId("lost-again");
  private readonly viewer = byId("lost-viewer");
  private readonly sign = byId("lost-sign-in");

  constructor(actions: { retry(): void; asViewer(): void; signIn(): void }) {
    this.again.addEventListener("click", () => actions.retry());
    this.viewer.addEventListener("click", () => actions.asViewer());
    this.sign.addEventListener("click", () => actions.signIn());
  }

  /** `local_ms` is monotonic. Tells whether the screen is covered. */
  update(view: LinkView, signedIn: boolean, local_ms: number, language: Language): boolean {
    const { link, gone_ms } = view;
    const waiting = gone_ms !== null && local_ms - gone_ms < PATIENCE_MS;
    const excused =
      link.phase === "connecting" && waiting && (view.expected || view.lastWord_ms === null);
    const covered = link.phase !== "live" && !excused;
    if (this.root.hidden === covered) this.root.hidden = !covered;
    setAttribute(document.body, "data-link", covered ? "lost" : "live");
    if (!covered) return false;
    const stopped = link.phase === "stopped";
    const t = (key: Word, values = {}): string => word(key, language, values);
    setText(
      this.title,
      t(stopped ? "stopped_title" : view.lastWord_ms === null ? "lost_first" : "lost_title"),
    );
    setText(this.last, this.lastWord(view, language));
    setText(this.warning, view.lastWord_ms === null ? "" : t("lost_warning"));
    setText(this.retry, this.next(link, local_ms, language));
    setText(this.again, t(stopped ? "reload" : "retry_now"));
    setText(this.viewer, t("go_on_as_viewer"));
    setText(this.sign, t("sign_in"));
    const refused = stopped && (link.code === 4401 || link.code === 4403);
    this.viewer.hidden = !(refused && signedIn);
    this.sign.hidden = !refused;
    return true;
  }

  private lastWord(view: LinkView, language: Language): string {
    const { lastWord_ms, serviceNow_ms } = view;
    if (lastWord_ms === null) return word("lost_none", language);
    return word("lost_last_word", language, {
      time: clockSeconds(lastWord_ms),
      date: date(lastWord_ms),
      age: silence((serviceNow_ms ?? lastWord_ms) - lastWord_ms, language),
    });
  }

  private next(link: Link, local_ms: number, language: Language): string {
    if (link.phase === "stopped") {
      const known = [400, 401, 403, 408, 429].includes(link.code - 4000);
      const key = known ? (`stopped_${link.code - 4000}` as Word) : "stopped_other";
      const reason = link.reason === "" ? "" : ` ${link.reason}`;
      return word(key, language, { code: link.code }) + reason;
    }
    if (link.phase !== "lost") return word("lost_trying", language);
    const s = Math.max(0, Math.ceil((link.retryAt_ms - local_ms) / 1000));
    return word("lost_retry", language, { s });
  }
}
