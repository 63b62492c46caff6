// The form for a hand check: for an officer at a desk, and for a crew with a phone at the gate.

import { el, setAttribute, setText } from "./dom.ts";
import { clockTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { isoDay } from "./lunar.ts";
import { bodyOf, MEASURED } from "./stationchecks.ts";
import { type Language, type Word, word } from "./words.ts";

export interface Entering {
  language(): Language;
  now_ms(): number;
  /** Keeps it at least; whether it has been sent already is told elsewhere. */
  enter(body: Fields): Promise<void>;
}

const LABELS: Readonly<Record<string, Word>> = {
  salinity_g_l: "check_salinity",
  temperature_c: "check_temperature",
  conductivity_ms_cm: "check_conductivity",
  level_m: "check_level",
};

export class CheckForm {
  readonly place = el("dialog", { class: "check-form", "data-testid": "check-form" });
  private readonly form = el("form", { method: "dialog" });
  private readonly problem = el("p", { class: "problem", role: "alert", "data-testid": "check-problem" });
  private readonly inputs = new Map<string, HTMLInputElement | HTMLSelectElement>();

  constructor(
    private readonly station: string,
    private readonly entering: Entering,
  ) {
    this.place.append(this.form);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
  }

  open(): void {
    this.draw();
    this.place.showModal();
    this.inputs.get("salinity_g_l")?.focus();
  }

  close(): void {
    this.place.close();
  }

  private draw(): void {
    const language = this.entering.language();
    const now_ms = this.entering.now_ms();
    const title = el("h2", { id: "check-title" }, word("check_title", language));
    setAttribute(this.place, "aria-labelledby", "check-title");
    this.inputs.clear();
    const time = this.input("time", "check_time", "datetime-local");
    (time.lastChild as HTMLInputElement).value = `${isoDay(now_ms)}T${clockTime(now_ms)}`;
    const fields = MEASURED.map(({ name }) => {
      const field = this.input(name, LABELS[name] ?? "check_salinity", "text");
      setAttribute(field.lastChild as Element, "inputmode", "decimal");
      setAttribute(field.lastChild as Element, "autocomplete", "off");
      return field;
    });
    const depth = el("select", { name: "depth", "data-testid": "check-depth" });
    for (const value of ["surface", "bottom"] as const) {
      depth.append(el("option", { value }, word(`depth_${value}`, language)));
    }
    this.inputs.set("depth", depth);
    const cancel = el("button", { type: "button" }, word("cancel", language));
    cancel.addEventListener("click", () => this.place.close());
    const submit = el("button", { type: "submit", class: "primary", "data-testid": "check-submit" });
    setText(submit, word("entry_submit", language));
    setText(this.problem, "");
    this.problem.hidden = true;
    this.form.replaceChildren(
      title,
      el("p", { class: "hint" }, word("check_hint", language)),
      el(
        "div",
        { class: "fields" },
        ...[fields[0] as HTMLElement, time],
        el("label", { class: "field" }, word("check_depth", language), depth),
        ...fields.slice(1),
        this.box("cleaned", "check_did_clean"),
        this.box("calibrated", "check_did_calibrate"),
        ...[this.input("crew", "check_crew", "text"), this.input("note", "note_label", "text")],
      ),
      this.problem,
      el("p", { class: "actions" }, cancel, submit),
    );
  }

  private input(name: string, label: Word, type: string): HTMLElement {
    const input = el("input", { name, type, "data-testid": `check-${name}` });
    if (type === "text") setAttribute(input, "maxlength", name === "note" ? 500 : 80);
    this.inputs.set(name, input);
    return el("label", { class: "field" }, word(label, this.entering.language()), input);
  }

  private box(name: string, label: Word): HTMLElement {
    const input = el("input", { name, type: "checkbox", "data-testid": `check-${name}` });
    this.inputs.set(name, input);
    return el("label", { class: "box" }, input, word(label, this.entering.language()));
  }

  private async submit(): Promise<void> {
    const value = (name: string): string => this.inputs.get(name)?.value ?? "";
    const checked = (name: string): boolean =>
      (this.inputs.get(name) as HTMLInputElement | undefined)?.checked ?? false;
    const found = bodyOf(
      {
        ...{ station: this.station, time: value("time"), depth: value("depth") },
        values: Object.fromEntries(MEASURED.map(({ name }) => [name, value(name)])),
        ...{ cleaned: checked("cleaned"), calibrated: checked("calibrated") },
        ...{ crew: value("crew"), note: value("note") },
      },
      this.entering.now_ms(),
    );
    if ("wrong" in found) {
      setText(this.problem, word("check_wrong", this.entering.language()));
      this.problem.hidden = false;
      const field = this.inputs.get(found.wrong);
      setAttribute(field as Element, "aria-invalid", "true");
      field?.focus();
      return;
    }
    this.place.close();
    await this.entering.enter(found.body);
  }
}
