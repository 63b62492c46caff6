// What stands in the place of a page that there is none of.

import { el } from "./dom.ts";
import type { Station } from "./model.ts";
import { type Language, word } from "./words.ts";

const NEAR_MAX = 6;

/** No such station or bridge, with a way on: its other page, or names that look alike. */
export function notice(
  id: string,
  station: Station | undefined,
  stations: readonly Station[],
  language: Language,
): HTMLElement {
  const name = station?.name ?? id;
  const text = word(station === undefined ? "place_unknown" : "place_other", language, { name });
  const near = station === undefined ? alike(id, stations) : [station];
  const links = near.map(({ id: other, kind, name: label }) =>
    el("li", {}, el("a", { href: kind === "traffic" ? `/cau/${other}` : `/tram/${other}` }, label)),
  );
  const back = el("a", { href: "/" }, word("back_to_wall", language));
  return el(
    "section",
    { class: "panel nowhere", role: "alert", "data-testid": "nowhere" },
    el("h2", {}, text),
    el("ul", {}, ...links, el("li", {}, back)),
  );
}

/** Stations of which the id has most letters in common with another, in their order. */
function alike(id: string, stations: readonly Station[]): Station[] {
  const pairs = (text: string): Set<string> =>
    new Set([...text].slice(1).map((letter, n) => text[n] + letter));
  const own = pairs(id);
  const share = ({ id: other }: Station): number => {
    const theirs = pairs(other);
    const common = [...own].filter((pair) => theirs.has(pair)).length;
    return common / Math.max(1, own.size, theirs.size);
  };
  return stations
    .filter((one) => share(one) > 0.3)
    .sort((a, b) => share(b) - share(a))
    .slice(0, NEAR_MAX);
}
