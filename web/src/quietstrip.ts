// A line with the names of devices that are late or lost: nobody has to look for them.

import { type Quiet, quietOf, quietText } from "./devices.ts";
import { el, setAttribute, setText } from "./dom.ts";
import type { Reading, Station } from "./model.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";

export class QuietStrip {
  private readonly title = el("h2");
  private readonly list = el("ul", { class: "names" });
  private readonly rest = el("span", { class: "rest", "data-testid": "quiet-rest" });
  private shown = "";

  constructor(
    private readonly place: HTMLElement,
    private readonly choose: (quiet: Quiet) => void,
  ) {
    place.append(this.title, this.list, this.rest);
  }

  update(
    stations: readonly Station[],
    readings: ReadonlyMap<string, readonly Reading[]>,
    at: Moment,
  ): void {
    const all = quietOf(stations, readings);
    const hidden = all.length === 0;
    if (this.place.hidden !== hidden) this.place.hidden = hidden;
    if (hidden) return;
    setText(this.title, word("panel_quiet", at.language));
    const texts = all.map((quiet) => quietText(quiet, at));
    setAttribute(this.place, "title", texts.join("\n"));
    const width = this.place.clientWidth;
    const shown = [width, at.language, ...texts].join("\n");
    if (shown === this.shown) return;
    this.shown = shown;
    this.list.replaceChildren(...all.map((quiet, n) => this.item(quiet, texts[n] ?? "")));
    this.cut();
  }

  private item(quiet: Quiet, text: string): HTMLElement {
    const button = el("button", { type: "button", class: `quiet-${quiet.st}` }, text);
    button.addEventListener("click", () => this.choose(quiet));
    return el("li", { "data-testid": `quiet-${quiet.device}` }, button);
  }

  /** As many names as the line holds; how many more there are is said. */
  private cut(): void {
    const items = [...this.list.children] as HTMLElement[];
    setText(this.rest, "");
    for (let left = items.length - 1; left > 0; left -= 1) {
      if (this.list.scrollWidth <= this.list.clientWidth + 1) return;
      (items[left] as HTMLElement).hidden = true;
      setText(this.rest, `+${items.length - left}`);
    }
  }
}
