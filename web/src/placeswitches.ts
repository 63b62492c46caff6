// What may be laid over a picture, as switches; what was chosen stays while the page is open.

import { el, setAttribute, setText } from "./dom.ts";

export interface Switch {
  id: string;
  label: string;
  /** How it stands before anybody has touched it. */
  on: boolean;
  /** Whether it makes sense just now. */
  offered: boolean;
}

export class Switches {
  private readonly boxesPlace = el("div", { class: "boxes" });
  private readonly told = el("p", { class: "note", "data-testid": "lay-note" });
  readonly place = el("div", { class: "switches" }, this.boxesPlace, this.told);
  private readonly chosen = new Map<string, boolean>();
  private readonly boxes = new Map<string, { box: HTMLInputElement; text: HTMLElement }>();
  private offered: readonly Switch[] = [];

  constructor(private readonly changed: () => void) {}

  on(id: string): boolean {
    const one = this.offered.find((each) => each.id === id);
    return one !== undefined && one.offered && (this.chosen.get(id) ?? one.on);
  }

  update(switches: readonly Switch[]): void {
    const ids = switches.map((one) => one.id).join();
    if (ids !== this.boxesPlace.dataset["ids"]) {
      this.boxesPlace.dataset["ids"] = ids;
      this.boxes.clear();
      this.boxesPlace.replaceChildren(...switches.map((one) => this.label(one)));
    }
    this.offered = switches;
    for (const one of switches) {
      const { box, text } = this.boxes.get(one.id) as { box: HTMLInputElement; text: HTMLElement };
      setText(text, one.label);
      box.checked = this.chosen.get(one.id) ?? one.on;
      setAttribute(box.parentElement as HTMLElement, "hidden", !one.offered);
    }
  }

  /** What is to be said of what could be laid over. */
  note(text: string): void {
    setText(this.told, text);
    this.told.hidden = text === "";
  }

  private label({ id }: Switch): HTMLElement {
    const box = el("input", { type: "checkbox", "data-testid": `lay-${id}` });
    const text = el("span");
    box.addEventListener("change", () => {
      this.chosen.set(id, box.checked);
      this.changed();
    });
    this.boxes.set(id, { box, text });
    return el("label", {}, box, text);
  }
}
