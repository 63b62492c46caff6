// The keyboard: single keys while nobody types, and the help that tells of them. They can be
// turned off there (WCAG 2.2, 2.1.4), and that is remembered.

import { Memory } from "./browser.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { HELP, type Meaning, meaningOf, WAIT_MS } from "./shortcuts.ts";
import { type Language, word } from "./words.ts";

const TYPED_IN = "input, select, textarea, [contenteditable]:not([contenteditable='false'])";

const memory = new Memory(() => localStorage, "songtien.keys");

export class Keys {
  private readonly dialog = el("dialog", { class: "keys", "aria-labelledby": "keys-title" });
  private readonly title = el("h2", { id: "keys-title" });
  private readonly list = el("dl");
  private readonly use = el("input", { type: "checkbox", "data-testid": "keys-on" });
  private readonly useLabel = el("span");
  private readonly shut = el("button", { type: "button", class: "primary" });
  private g_ms = -Infinity;
  private off = memory.read() === "off";

  /** `act` tells whether it did something. */
  constructor(private readonly act: (meaning: Meaning) => boolean) {
    setAttribute(this.dialog, "data-testid", "keys");
    const label = el("label", { class: "use" }, this.use, " ", this.useLabel);
    const below = el("p", { class: "actions" }, this.shut);
    this.dialog.append(this.title, this.list, label, below);
    document.body.append(this.dialog);
    this.shut.addEventListener("click", () => this.dialog.close());
    this.use.addEventListener("change", () => {
      this.off = !this.use.checked;
      memory.write(this.off ? "off" : null);
    });
    document.addEventListener("keydown", (event) => this.press(event));
  }

  help(language: Language): void {
    setText(this.title, word("keys_title", language));
    setText(this.useLabel, word("keys_use", language));
    setText(this.shut, word("close", language));
    this.use.checked = !this.off;
    const lines = HELP.flatMap(([keys, does]) => [
      el("dt", {}, ...keys.flatMap((key) => [el("kbd", {}, key), " "])),
      el("dd", {}, word(does, language)),
    ]);
    this.list.replaceChildren(...lines);
    if (!this.dialog.open) this.dialog.showModal();
  }

  private press(event: KeyboardEvent): void {
    const { key, target } = event;
    const chord = event.ctrlKey || event.metaKey || event.altKey;
    if (event.defaultPrevented || chord || event.isComposing) return;
    // Who types, or has a dialog open, means nothing of the screen behind it.
    if ((target as Element | null)?.closest?.(TYPED_IN)) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const afterG = performance.now() - this.g_ms < WAIT_MS;
    this.g_ms = -Infinity;
    const meaning = meaningOf(key, afterG);
    if (meaning === null) return;
    // The help stands open to all, or nobody would find how to turn them on again.
    const single = key.length === 1 && meaning.kind !== "help";
    if (single && this.off) return;
    if (meaning.kind === "wait") {
      this.g_ms = performance.now();
      return;
    }
    if (this.act(meaning)) event.preventDefault();
  }
}
