// An officer's doings: signing in with a token, and taking an alert.

import { byId, setText } from "./dom.ts";
import type { Fold } from "./fold.ts";
import type { Identity } from "./identify.ts";
import type { Alert, Station } from "./model.ts";
import { takeAll, type Taken } from "./taking.ts";
import { alertSentence, figuresOf, placeOf } from "./telling.ts";
import type { Moment } from "./view.ts";
import { type Language, type Word, word } from "./words.ts";
import { CallError } from "./world.ts";

export interface Desk {
  language(): Language;
  /** The role in which the link stands now. */
  role(): string;
  identify(token: string): Promise<Identity>;
  /** Go on with this token; resolves when the link stands again. */
  signIn(token: string): Promise<void>;
  acknowledge(alert: Alert, note: string): Promise<void>;
  toast(text: string): void;
}

export class Officer {
  private readonly dialog = byId("officer") as HTMLDialogElement;
  private readonly title = byId("officer-title");
  private readonly about = byId("officer-about");
  private readonly noteField = byId("note-field");
  private readonly note = byId("note") as HTMLInputElement;
  private readonly tokenField = byId("token-field");
  private readonly token = byId("token") as HTMLInputElement;
  private readonly problem = byId("officer-problem");
  private readonly submit = byId("officer-submit") as HTMLButtonElement;
  /** What is to be taken, as the officer saw it; null where this is a mere sign-in. */
  private alerts: readonly Alert[] | null = null;
  private moment: Moment = { language: "vi", now_ms: 0 };
  private busy = false;

  constructor(private readonly desk: Desk) {
    byId("officer-cancel").addEventListener("click", () => this.dialog.close());
    byId("officer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.act();
    });
  }

  askToken(): void {
    this.open(null, "sign_in", "");
  }

  /** Take all of a row that nobody has taken. */
  askAcknowledge({ speaks, open }: Fold, station: Station | undefined, at: Moment): void {
    const name = placeOf(speaks, station, at.language);
    const n = open.filter((alert) => alert.id !== speaks.id).length;
    const more = n === 0 ? "" : `, ${word("ack_with_others", at.language, { n })}`;
    this.moment = at;
    this.open(open, "ack_title", `${name}: ${figuresOf(speaks, at)}${more}`);
    this.about.title = open.map((alert) => alertSentence(alert, station, at)).join("\n");
  }

  private open(alerts: readonly Alert[] | null, title: Word, about: string): void {
    const t = (key: Word): string => word(key, this.desk.language());
    this.alerts = alerts;
    setText(this.title, t(title));
    setText(this.about, about);
    this.about.hidden = about === "";
    this.noteField.hidden = alerts === null;
    const mayAct = alerts !== null && this.desk.role() !== "viewer" && this.desk.role() !== "";
    this.tokenField.hidden = mayAct;
    this.token.required = !mayAct;
    this.token.value = "";
    this.note.value = "";
    setText(byId("note-label"), t("note_label"));
    this.note.placeholder = t("note_hint");
    setText(byId("token-label"), t("token_label"));
    setText(byId("token-hint"), t("token_hint"));
    setText(byId("officer-cancel"), t("cancel"));
    setText(this.submit, t(alerts === null ? "sign_in" : "acknowledge"));
    this.say("");
    this.submit.hidden = false;
    this.dialog.showModal();
    (mayAct ? this.note : this.token).focus();
  }

  private async act(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.submit.disabled = true;
    this.say(word("working", this.desk.language()));
    try {
      const signedIn = this.tokenField.hidden || (await this.takeToken());
      if (signedIn && (this.alerts === null || (await this.take(this.alerts)))) this.dialog.close();
    } finally {
      this.busy = false;
      this.submit.disabled = false;
    }
  }

  private async takeToken(): Promise<boolean> {
    const token = this.token.value.trim();
    try {
      const { role } = await this.desk.identify(token);
      if (role === "viewer" && this.alerts !== null) return this.fail("token_weak");
      await this.desk.signIn(token);
    } catch (error) {
      const known = error instanceof CallError && (error.code === 401 || error.code === 403);
      return this.fail(known ? "token_bad" : "token_unchecked");
    }
    this.tokenField.hidden = true;
    this.token.required = false;
    return true;
  }

  private async take(alerts: readonly Alert[]): Promise<boolean> {
    if (alerts.length === 0) return true; // those that were refused have been told
    const note = this.note.value.trim();
    const taken = await takeAll(alerts, (alert) => this.desk.acknowledge(alert, note));
    // What is done is not asked for again; what has changed is told when the rest is through.
    this.alerts = taken.problem === null ? [] : [...taken.left, ...taken.refused];
    if (taken.problem !== null) return this.stopped(taken.problem);
    if (taken.refused.length > 0) return this.refused(taken);
    this.desk.toast(word("ack_done", this.desk.language()));
    return true;
  }

  private stopped(problem: unknown): false {
    const code = problem instanceof CallError ? problem.code : -1;
    if (code === 0) return this.fail("ack_unknown");
    if (code === 401 || code === 403) {
      this.tokenField.hidden = false;
      this.token.required = true;
      return this.fail("token_weak");
    }
    return this.fail("ack_failed", problem instanceof Error ? problem.message : String(problem));
  }

  private refused({ done, refused, codes }: Taken): false {
    this.submit.hidden = true;
    if (done.length === 0 && refused.length === 1) {
      return this.fail(codes[0] === 404 ? "ack_404" : "ack_409");
    }
    const which = refused.map((alert) => figuresOf(alert, this.moment)).join("; ");
    const counts = { done: done.length, n: refused.length, which };
    this.say(word("ack_some", this.desk.language(), counts));
    return false;
  }

  private fail(key: Word, why = ""): false {
    this.say(word(key, this.desk.language(), { why }));
    return false;
  }

  private say(text: string): void {
    setText(this.problem, text);
    this.problem.hidden = text === "";
  }
}
