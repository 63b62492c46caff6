// The dialog of an officer: signing in with name and password, and forms of what can be done.

import { byId, el, setAttribute, setText } from "./dom.ts";
import { asked, type Doing, type Field, type Values } from "./doing.ts";
import type { Who } from "./door.ts";
import { HttpError, sendJson } from "./http.ts";
import { passwordDoing } from "./password.ts";
import { type Language, type Word, word } from "./words.ts";
import { CallError } from "./world.ts";

export interface Desk {
  language(): Language;
  /** The role in which the link stands now. */
  role(): string;
  /** Who is signed in; "" where nobody is. */
  name(): string;
  /** Begin a session; resolves when the link stands again. */
  signIn(name: string, password: string): Promise<Who>;
  toast(text: string): void;
}

type Input = HTMLInputElement | HTMLSelectElement;

export class Officer {
  private readonly dialog = byId("officer") as HTMLDialogElement;
  private readonly title = byId("officer-title");
  private readonly tabs = byId("officer-tabs");
  private readonly about = byId("officer-about");
  private readonly facts = byId("officer-facts");
  private readonly fields = byId("officer-fields");
  private readonly signFields = byId("sign-fields");
  private readonly name = byId("sign-name") as HTMLInputElement;
  private readonly password = byId("sign-password") as HTMLInputElement;
  private readonly problem = byId("officer-problem");
  private readonly submit = byId("officer-submit") as HTMLButtonElement;
  private inputs = new Map<string, { field: Field; place: HTMLElement; input: Input }>();
  /** What is to be done; null where this is a mere sign-in. */
  private doing: Doing | null = null;
  private busy = false;

  constructor(private readonly desk: Desk) {
    byId("officer-cancel").addEventListener("click", () => this.dialog.close());
    byId("officer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.act();
    });
    this.fields.addEventListener("change", (event) => {
      this.follow((event.target as Input).name);
      this.showAsked();
    });
    byId("who").addEventListener("click", () =>
      this.offer([passwordDoing(sendJson, () => this.desk.language())]),
    );
    this.dialog.addEventListener("close", () => {
      // A password that was typed and not sent is not left lying there.
      this.password.value = "";
      for (const { field, input } of this.inputs.values()) {
        if (field.kind === "password") input.value = "";
      }
      if (this.shut) location.reload();
    });
  }

  /** Whether something is being written that a reload would lose. */
  get filling(): boolean {
    return this.dialog.open && this.doing !== null;
  }

  /** The screen behind the dialog is not for whoever sits there now. */
  private get shut(): boolean {
    return document.body.hasAttribute("data-shut");
  }

  /** Ask for name and password; `why` where nobody has asked to be asked. */
  askSignIn(why = ""): void {
    if (this.filling) {
      setAttribute(document.body, "data-shut", "");
      this.askWho(true);
      return this.say(why);
    }
    if (this.dialog.open) return;
    this.tabs.hidden = true;
    this.show(null);
    setText(this.about, why);
    this.about.hidden = why === "";
    this.dialog.showModal();
    this.name.focus();
  }

  /** Offer what can be done, with one of it before the officer. */
  offer(doings: readonly Doing[], chosen = doings[0]): void {
    if (chosen === undefined) return;
    const buttons = doings.map((doing) => {
      const tab = el("button", { type: "button", "data-testid": `do-${doing.id}` });
      setText(tab, word(doing.tab, this.desk.language()));
      setAttribute(tab, "aria-pressed", doing === chosen ? "true" : "false");
      tab.addEventListener("click", () => {
        if (this.busy) return;
        for (const each of buttons) setAttribute(each, "aria-pressed", "false");
        setAttribute(tab, "aria-pressed", "true");
        this.show(doing);
        this.focusFirst();
      });
      return tab;
    });
    this.tabs.replaceChildren(...buttons);
    this.tabs.hidden = doings.length < 2;
    this.show(chosen);
    this.dialog.showModal();
    this.focusFirst();
  }

  private show(doing: Doing | null): void {
    const t = (key: Word): string => word(key, this.desk.language());
    this.doing = doing;
    setText(this.title, t(doing?.title ?? "sign_in"));
    setText(this.about, doing?.about ?? "");
    this.about.hidden = (doing?.about ?? "") === "";
    this.about.title = doing?.story ?? "";
    this.tellFacts();
    this.askWho(doing === null || !this.mayDo(doing, this.desk.role()));
    setText(byId("sign-name-label"), t("sign_in_name"));
    setText(byId("sign-password-label"), t("sign_in_password"));
    setText(byId("sign-hint"), t("sign_in_hint"));
    setText(byId("officer-cancel"), t("cancel"));
    setText(this.submit, t(doing?.submit ?? "sign_in"));
    this.inputs = new Map();
    const places = (doing?.fields ?? []).map((field) => this.make(field));
    this.fields.replaceChildren(...places);
    this.showAsked();
    this.say("");
    this.submit.hidden = false;
  }

  private mayDo(doing: Doing, role: string): boolean {
    return !["", ...(doing.forViewers ? [] : ["viewer"])].includes(role);
  }

  private askWho(asked: boolean): void {
    this.signFields.hidden = !asked;
    this.name.required = this.password.required = asked;
    this.password.value = "";
  }

  private make(field: Field): HTMLElement {
    const language = this.desk.language();
    const { name, label, kind, choices = [], value = "", hint, complete = "off" } = field;
    const id = `field-${name}`;
    const common = { id, name, "data-testid": name };
    let input: Input;
    if (kind === "choice") {
      const options = choices.map((one) => el("option", { value: one.value }, one.label));
      input = el("select", common, ...options);
    } else {
      const type = kind === "time" ? "datetime-local" : kind;
      const maxlength = kind === "password" ? "1000" : "500";
      input = el("input", { ...common, type, maxlength, autocomplete: complete });
      if (hint !== undefined) input.placeholder = word(hint, language);
    }
    input.value = value || (choices[0]?.value ?? "");
    const words = el("label", { for: id }, word(label, language));
    const place = el("p", { class: "field" }, words, input);
    this.inputs.set(name, { field, place, input });
    return place;
  }

  private values(): Values {
    const entries = [...this.inputs].map(([name, { field, input }]) => [
      name,
      field.kind === "password" ? input.value : input.value.trim(),
    ]);
    return Object.fromEntries(entries) as Values;
  }

  /** What stands now where another place is chosen. */
  private follow(changed: string): void {
    const follows = this.doing?.follow?.(changed, this.values()) ?? {};
    for (const [name, value] of Object.entries(follows)) {
      const input = this.inputs.get(name)?.input;
      if (input !== undefined) input.value = value;
    }
  }

  private showAsked(): void {
    const wanted = asked(this.doing?.fields ?? [], this.values());
    for (const { field, place, input } of this.inputs.values()) {
      place.hidden = !wanted.includes(field);
      input.required = field.required === true && !place.hidden;
    }
  }

  private tellFacts(): void {
    const facts = this.doing?.facts() ?? [];
    this.facts.replaceChildren(...facts.map((fact) => el("li", {}, fact)));
    this.facts.hidden = facts.length === 0;
  }

  private focusFirst(): void {
    const first = [...this.inputs.values()].find(({ place }) => !place.hidden)?.input;
    (this.signFields.hidden ? (first ?? this.submit) : this.name).focus();
  }

  private async act(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.submit.disabled = true;
    this.say(word("working", this.desk.language()));
    try {
      const signedIn = this.signFields.hidden || (await this.signIn());
      if (signedIn && (this.doing === null || (await this.carryOut(this.doing)))) {
        this.dialog.close();
      }
    } finally {
      this.busy = false;
      this.submit.disabled = false;
    }
  }

  private async signIn(): Promise<boolean> {
    try {
      const { role } = await this.desk.signIn(this.name.value.trim(), this.password.value);
      setAttribute(document.body, "data-shut", null);
      if (this.doing !== null && !this.mayDo(this.doing, role)) return this.fail("sign_in_weak");
    } catch (error) {
      this.password.value = "";
      return this.notIn(error);
    }
    this.askWho(false);
    return true;
  }

  private notIn(error: unknown): false {
    const status = error instanceof HttpError ? error.status : 0;
    const problem = error instanceof HttpError ? error.problem : {};
    if (status === 401 || status === 422) return this.fail("sign_in_wrong");
    if (status === 429) {
      const s = Number(problem["retry_after_s"] ?? 1);
      this.say(word("sign_in_wait", this.desk.language(), { s }));
      return false;
    }
    return this.fail(status === 503 ? "sign_in_busy" : "sign_in_unchecked");
  }

  private async carryOut(doing: Doing): Promise<boolean> {
    try {
      const answer = await doing.act(this.values());
      this.tellFacts();
      if ("done" in answer) {
        this.desk.toast(answer.done);
        return true;
      }
      this.say(answer.told);
      this.submit.hidden = !answer.again;
      return false;
    } catch (problem) {
      return this.stopped(problem);
    }
  }

  private stopped(problem: unknown): false {
    let code = -1;
    if (problem instanceof CallError) code = problem.code;
    if (problem instanceof HttpError) code = problem.status;
    if (code === 0) return this.fail("ack_unknown");
    if (code === 401 || code === 403) {
      this.askWho(true);
      return this.fail(this.desk.name() === "" || code === 401 ? "session_over" : "sign_in_weak");
    }
    return this.fail("ack_failed", problem instanceof Error ? problem.message : String(problem));
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
