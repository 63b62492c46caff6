// The forms of the page of messages: a bulletin with its preview, and a trial message to oneself.

import { el, setAttribute, setText } from "./dom.ts";
import { DAY_MS, HOUR_MS } from "./format.ts";
import type { Fields } from "./held.ts";
import { HttpError, sendJson } from "./http.ts";
import { fields } from "./model.ts";
import { whyText as troubleOf } from "./reporting.ts";
import { localField, localTime } from "./shelving.ts";
import { bodyOf, EVERYWHERE, leftText, type Names, reachLines, smsOf, type Written } from "./tellingmodel.ts";
import type { Moment } from "./view.ts";
import { type Language, type Word, word } from "./words.ts";

const PREVIEW_AFTER_MS = 400;

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const LABELS: Readonly<Record<keyof Written, Word>> = {
  title: "cast_heading",
  text: "cast_text",
  issuer: "cast_issuer",
  issued: "cast_issued",
  valid_until: "cast_valid_until",
  official: "cast_official",
  places: "cast_places",
  note: "cast_note",
};
const LIMITS = { title: 120, text: 600, issuer: 120, note: 2000 } as const;
const LEVELS = ["1", "2", "3", "4", "5"];

export interface Around {
  moment(): Moment;
  /** Something was entered: all is asked again. */
  entered(): void;
  toast(text: string): void;
}

/** The number or address is what is wrong, and not the channel. */
function wrongAddress(error: unknown): boolean {
  return error instanceof HttpError && error.status === 422 && error.message.startsWith("address");
}

/** Words before a control, by `for`, so that a press on them goes there. */
function labelled(control: Control, id: string, words: HTMLElement): HTMLElement {
  setAttribute(control, "id", id);
  return el("p", { class: "field" }, words, control);
}

export class CastForm {
  readonly place = el("section", { class: "tell-cast", "data-testid": "cast" });
  private readonly heading = el("h3");
  private readonly hint = el("p", { class: "hint" });
  private readonly form = el("form");
  private readonly words = new Map<string, HTMLElement>();
  private readonly controls = new Map<keyof Written, Control>();
  private readonly places = el("fieldset", { class: "tell-places" });
  private readonly placesWords = el("legend");
  private readonly ofPlaces = new Map<string, HTMLElement>();
  private readonly problem = el("p", { class: "problem", role: "alert", "data-testid": "cast-problem" });
  private readonly submit = el("button", { type: "submit", class: "primary", "data-testid": "cast-propose" });
  private readonly previewWords = el("h4");
  private readonly sms = el("p", { class: "tell-sms", "data-testid": "cast-sms" });
  private readonly counted = el("p", { class: "facts", "data-testid": "cast-counted" });
  private readonly cut = el("p", { class: "warning" });
  private readonly secondWords = el("p", { class: "warning" });
  private readonly second = el("ul", { class: "tell-second", "data-testid": "cast-second" });
  private readonly reach = el("ul", { class: "facts", "data-testid": "cast-reach" });
  private timer: ReturnType<typeof setTimeout> | null = null;
  private turn = 0;
  private shown: Fields | null = null;
  private drawn = "";
  private busy = false;

  constructor(private readonly around: Around) {
    const area = el("textarea", { name: "text", rows: 4 });
    this.put("title", el("input", { name: "title", type: "text", autocomplete: "off" }));
    this.put("text", area);
    this.put("issuer", el("input", { name: "issuer", type: "text", autocomplete: "organization" }));
    this.put("issued", el("input", { name: "issued", type: "datetime-local" }));
    this.put("valid_until", el("input", { name: "valid_until", type: "datetime-local" }));
    this.put("official", el("select", { name: "official" }));
    this.places.append(this.placesWords);
    this.put("note", el("input", { name: "note", type: "text", autocomplete: "off" }));
    const note = this.form.lastChild as HTMLElement;
    this.form.insertBefore(this.places, note);
    this.form.append(this.problem, el("p", { class: "actions" }, this.submit));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.propose();
    });
    this.form.addEventListener("input", () => this.previewSoon());
    const lines = [this.cut, this.secondWords, this.second, this.reach];
    const preview = el(
      "div",
      { class: "tell-preview", role: "status", "aria-live": "polite" },
      ...[this.previewWords, this.sms, this.counted, ...lines],
    );
    this.place.append(this.heading, this.hint, el("div", { class: "tell-two" }, this.form, preview));
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.turn += 1;
  }

  update(at: Moment, names: Names): void {
    const { language } = at;
    const shape = [language, ...names.keys()].join();
    if (shape === this.drawn) return;
    this.drawn = shape;
    setText(this.heading, word("cast_title", language));
    setText(this.hint, word("cast_hint", language));
    setText(this.submit, word("cast_propose", language));
    setText(this.previewWords, word("cast_preview", language));
    for (const [name, words] of this.words) setText(words, word(LABELS[name as "title"], language));
    setText(this.placesWords, word("cast_places", language));
    this.drawLevels(language);
    this.drawPlaces(names, language);
    if (this.control("issued").value === "") this.fillTimes(at.now_ms);
    this.drawPreview(language);
  }

  private put(name: keyof Written, control: Control): void {
    const id = `cast-${name}`;
    const words = el("label", { for: id });
    setAttribute(control, "data-testid", id);
    if (name in LIMITS) setAttribute(control, "maxlength", LIMITS[name as keyof typeof LIMITS]);
    this.words.set(name, words);
    this.controls.set(name, control);
    this.form.append(labelled(control, id, words));
  }

  private control(name: keyof Written): Control {
    return this.controls.get(name) as Control;
  }

  private drawLevels(language: Language): void {
    const select = this.control("official");
    const chosen = select.value;
    const none = el("option", { value: "" }, word("cast_no_level", language));
    const levels = LEVELS.map((level) =>
      el("option", { value: level }, word("cast_level", language, { level })),
    );
    select.replaceChildren(none, ...levels);
    select.value = chosen;
  }

  /** Boxes stay where they are: one that is being pressed must not be replaced by another. */
  private drawPlaces(names: Names, language: Language): void {
    const everywhere = [EVERYWHERE, word("cast_everywhere", language)] as const;
    for (const [id, name] of [everywhere, ...names]) {
      const known = this.ofPlaces.get(id);
      if (known !== undefined) {
        setText(known, name);
        continue;
      }
      const box = el("input", { type: "checkbox", name: "places", value: id });
      setAttribute(box, "data-testid", `cast-place-${id === EVERYWHERE ? "all" : id}`);
      const words = el("span", {}, name);
      this.ofPlaces.set(id, words);
      this.places.append(el("label", { class: "box" }, box, words));
    }
    this.barPlaces();
  }

  private boxes(): HTMLInputElement[] {
    return [...this.places.querySelectorAll<HTMLInputElement>("input")];
  }

  /** Where all are told, single places say nothing more. */
  private barPlaces(): void {
    const [all, ...single] = this.boxes();
    for (const box of single) box.disabled = all?.checked === true;
  }

  private chosen(): string[] {
    const boxes = this.boxes().filter((box) => box.checked);
    return boxes.some((box) => box.value === EVERYWHERE) ? [EVERYWHERE] : boxes.map((box) => box.value);
  }

  private fillTimes(now_ms: number): void {
    this.control("issued").value = localField(now_ms - (now_ms % HOUR_MS));
    this.control("valid_until").value = localField(now_ms + 5 * DAY_MS);
  }

  private written(): Written {
    const said = (name: keyof Written): string => this.control(name).value;
    return {
      ...{ title: said("title"), text: said("text"), issuer: said("issuer"), note: said("note") },
      ...{ issued: said("issued"), valid_until: said("valid_until"), official: said("official") },
      places: this.chosen(),
    };
  }

  // --- preview ------------------------------------------------------------------------------

  private previewSoon(): void {
    this.barPlaces();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.preview(), PREVIEW_AFTER_MS);
  }

  private async preview(): Promise<void> {
    this.timer = null;
    const turn = ++this.turn;
    const { title, text, issuer, places, official, issued } = this.written();
    const level = official === "" ? {} : { official: Number(official) };
    const issued_ms = localTime(issued);
    const since = issued_ms === null ? {} : { issued: issued_ms };
    const body = { title, text, issuer, places, ...level, ...since };
    let shown: Fields | null = null;
    if ([title, text, issuer].join("").trim() !== "") {
      // What can't be asked now is asked with the next letter; nothing depends on it.
      shown = await sendJson("POST", "/api/v1/broadcasts/preview", body).catch(() => this.shown);
    }
    if (turn !== this.turn) return;
    this.shown = shown;
    this.drawPreview(this.around.moment().language);
  }

  private drawPreview(language: Language): void {
    const { shown } = this;
    const sms = smsOf(fields(shown?.["sms"]), language);
    setText(this.sms, sms.text || "–");
    setText(this.counted, shown === null ? "" : sms.counted);
    setText(this.cut, sms.cut ? word("cast_cut", language) : "");
    setText(this.secondWords, sms.second.length > 0 ? word("cast_second", language) : "");
    this.second.replaceChildren(...sms.second.map((line) => el("li", {}, line)));
    this.reach.replaceChildren(...reachLines(shown, language).map((line) => el("li", {}, line)));
  }

  // --- sending ------------------------------------------------------------------------------

  private async propose(): Promise<void> {
    if (this.busy) return;
    const { language, now_ms } = this.around.moment();
    const found = bodyOf(this.written(), now_ms);
    if ("wrong" in found) return this.wrong(found.wrong, language);
    this.say("");
    this.busy = this.submit.disabled = true;
    try {
      await sendJson("POST", "/api/v1/broadcasts", found.body);
      this.around.toast(word("cast_proposed", language));
      for (const name of ["title", "text", "note"] as const) this.control(name).value = "";
      this.shown = null;
      this.drawPreview(language);
      this.around.entered();
    } catch (error) {
      this.say(word("entry_refused", language, { why: troubleOf(error, language) }));
    } finally {
      this.busy = this.submit.disabled = false;
    }
  }

  private wrong(name: keyof Written, language: Language): void {
    this.say(word("cast_bad", language, { field: word(LABELS[name], language) }));
    (name === "places" ? this.boxes()[0] : this.control(name))?.focus();
  }

  private say(text: string): void {
    setText(this.problem, text);
    this.problem.hidden = text === "";
  }
}

export class TrialForm {
  readonly place = el("section", { class: "tell-trial", "data-testid": "trial" });
  private readonly heading = el("h3");
  private readonly hint = el("p", { class: "hint" });
  private readonly form = el("form");
  private readonly channelWords = el("label", { for: "trial-channel" });
  private readonly channel = el("select", { name: "channel", "data-testid": "trial-channel" });
  private readonly addressWords = el("label", { for: "trial-address" });
  private readonly address = el("input", {
    ...{ name: "address", type: "text", autocomplete: "off", spellcheck: "false", required: true },
    ...{ maxlength: 2048, "data-testid": "trial-address" },
  });
  private readonly langWords = el("label", { for: "trial-lang" });
  private readonly lang = el("select", { name: "lang", "data-testid": "trial-lang" });
  private readonly submit = el("button", { type: "submit", "data-testid": "trial-send" });
  private readonly told = el("p", { class: "problem", role: "status", "data-testid": "trial-told" });
  private drawn = "";
  private busy = false;

  constructor(private readonly around: Around) {
    this.form.append(
      labelled(this.channel, "trial-channel", this.channelWords),
      labelled(this.address, "trial-address", this.addressWords),
      labelled(this.lang, "trial-lang", this.langWords),
      el("p", { class: "actions" }, this.submit),
      this.told,
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    this.place.append(this.heading, this.hint, this.form);
  }

  update({ language }: Moment, channels: readonly string[]): void {
    const shape = [language, ...channels].join();
    if (shape === this.drawn) return;
    this.drawn = shape;
    setText(this.heading, word("trial_title", language));
    setText(this.hint, word("trial_hint", language));
    setText(this.channelWords, word("trial_channel", language));
    setText(this.addressWords, word("trial_address", language));
    setText(this.langWords, word("trial_lang", language));
    setText(this.submit, word("trial_send", language));
    this.submit.disabled = channels.length === 0;
    const chosen = this.channel.value;
    this.channel.replaceChildren(...channels.map((name) => el("option", { value: name }, name)));
    if (channels.includes(chosen)) this.channel.value = chosen;
    const spoken = this.lang.value || "vi";
    const langs = (["vi", "en"] as const).map((code) =>
      el("option", { value: code }, word(`lang_of_${code}`, language)),
    );
    this.lang.replaceChildren(...langs);
    this.lang.value = spoken;
  }

  private async send(): Promise<void> {
    if (this.busy) return;
    const { language } = this.around.moment();
    const body = { channel: this.channel.value, address: this.address.value, lang: this.lang.value };
    this.busy = this.submit.disabled = true;
    try {
      await sendJson("POST", "/api/v1/telling/trial", body);
      this.address.value = "";
      setText(this.told, word("trial_sent", language));
      this.around.entered();
    } catch (error) {
      const wait_s = error instanceof HttpError ? Number(error.problem["retry_after_s"]) : NaN;
      setText(
        this.told,
        wait_s > 0
          ? word("trial_wait", language, { time: leftText(wait_s, language) })
          : word("trial_refused", language, {
              why: wrongAddress(error) ? word("trial_bad", language) : troubleOf(error, language),
            }),
      );
    } finally {
      this.busy = this.submit.disabled = false;
    }
  }
}
