// What the lines and marks of a picture mean.

import { el } from "./dom.ts";
import type { Picture } from "./picture.ts";
import { signsOf } from "./placesigns.ts";
import type { Language } from "./words.ts";

export class Legend {
  readonly place = el("ul", { class: "legend" });
  private shape = "";

  update(picture: Picture, language: Language): void {
    const signs = signsOf(picture, language);
    const shape = JSON.stringify(signs);
    if (shape === this.shape) return;
    this.shape = shape;
    this.place.replaceChildren(
      ...signs.map(({ sign, ink, meaning }) => {
        const mark = el("i", { class: `sign-${sign}`, "aria-hidden": "true" });
        mark.style.setProperty("--ink", `var(${ink})`);
        return el("li", {}, mark, meaning);
      }),
    );
  }
}
