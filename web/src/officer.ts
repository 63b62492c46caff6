// An officer's doings: signing in with a token, and taking an alert.

import { alertSentence, figuresOf } from "./alerts.ts";
import { byId, setText } from "./dom.ts";
import { shortName } from "./layout.ts";
import type { Identity } from "./identify.ts";
import type { Alert, Station } from "./model.ts";
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
  private alert: Alert | null = null;
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

  askAcknowledge(alert: Alert, station: Station | undefined, at: Moment): void {
    const name = shortName(station?.name ?? alert.station);
    this.open(alert, "ack_title", `${name}: ${figuresOf(alert, at)}`);
    this.about.title = alertSentence(alert, station, at);
  }

  private open(alert: Alert | null, title: Word, about: string): void {
    const t = (key: Word): string => word(key, this.desk.language());
    this.alert = alert;
    setText(this.title, t(title));
    setText(this.about, about);
    this.about.hidden = about === "";
    this.noteField.hidden = alert === null;
    const mayAct = alert !== null && this.desk.role() !== "viewer" && this.desk.role() !== "";
    this.tokenField.hidden = mayAct;
    this.token.required = !mayAct;
    this.token.value = "";
    this.note.value = "";
    setText(byId("note-label"), t("note_label"));
    this.note.placeholder = t("note_hint");
    setText(byId("token-label"), t("token_label"));
    setText(byId("token-hint"), t("token_hint"));
    setText(byId("officer-cancel"), t("cancel"));
    setText(this.submit, t(alert === null ? "sign_in" : "acknowledge"));
    this.say("");
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
      if (signedIn && (this.alert === null || (await this.take(this.alert)))) this.dialog.close();
    } finally {
      this.busy = false;
      this.submit.disabled = false;
    }
  }

  private async takeToken(): Promise<boolean> {
    const token = this.token.value.trim();
    try {
      const { role } = await this.desk.identify(token);
      if (role === "viewer" && this.alert !== null) return this.fail("token_weak");
      await this.desk.signIn(token);
    } catch (error) {
      const known = error instanceof CallError && (error.code === 401 || error.code === 403);
      return this.fail(known ? "token_bad" : "token_unchecked");
    }
    this.tokenField.hidden = true;
    this.token.required = false;
    return true;
  }

  private async take(alert: Alert): Promise<boolean> {
    try {
      await this.desk.acknowledge(alert, this.note.value.trim());
    } catch (error) {
      const code = error instanceof CallError ? error.code : -1;
      if (code === 0) return this.fail("ack_unknown");
      if (code === 404) return this.fail("ack_404");
      if (code === 409) return this.fail("ack_409");
      if (code === 401 || code === 403) {
        this.tokenField.hidden = false;
        this.token.required = true;
        return this.fail("token_weak");
      }
      return this.fail("ack_failed", error instanceof Error ? error.message : String(error));
    }
    this.desk.toast(word("ack_done", this.desk.language()));
    return true;
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
