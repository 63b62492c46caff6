// Which key means what. No DOM.

import type { Word } from "./words.ts";

/** What a key asks of the screen; `page` keys are the page's own, such as j and k on the wall. */
export type Meaning =
  | { kind: "help" | "silence" | "back" | "wait" }
  | { kind: "go"; place: Place }
  | { kind: "page"; key: string };

/** Where `g` and a letter lead. */
export type Place = "wall" | "station" | "bridge" | "gates" | "handover" | "bulletin" | "map";

const PLACES: Readonly<Record<string, Place>> = {
  ...{ w: "wall", t: "station", c: "bridge", n: "gates", b: "handover" },
  ...{ i: "bulletin", d: "map" },
};

/** How long the letter after `g` is waited for, ms. */
export const WAIT_MS = 1500;

/** What stands in the help, in its order: keys, and what they do. */
export const HELP: readonly (readonly [keys: readonly string[], does: Word])[] = [
  [["j", "↓"], "key_next"],
  [["k", "↑"], "key_previous"],
  [["a"], "key_ack"],
  [["s"], "key_shelve"],
  [["n"], "key_note"],
  [["Enter"], "key_open"],
  [["m"], "key_silence"],
  [["g w"], "key_wall"],
  [["g t"], "key_station"],
  [["g c"], "key_bridge"],
  [["g n"], "key_gates"],
  [["g b"], "key_handover"],
  [["g i"], "key_bulletin"],
  [["g d"], "key_map"],
  [["Esc"], "key_back"],
  [["?"], "key_help"],
];

const OF_PAGE = ["j", "k", "a", "s", "n", "Enter", "ArrowDown", "ArrowUp"];

/** What this key means after the one before it; null where it means nothing to us. */
export function meaningOf(key: string, afterG: boolean): Meaning | null {
  const place = afterG ? PLACES[key] : undefined;
  if (place !== undefined) return { kind: "go", place };
  if (key === "?") return { kind: "help" };
  if (key === "m") return { kind: "silence" };
  if (key === "g") return { kind: "wait" };
  if (key === "Escape") return { kind: "back" };
  return OF_PAGE.includes(key) ? { kind: "page", key } : null;
}
