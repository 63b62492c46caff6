// Where `g` and a letter lead, by what is chosen. No DOM.

import type { Station } from "./model.ts";
import type { Place } from "./shortcuts.ts";

const PATHS: Partial<Record<Place, string>> = {
  ...{ wall: "/", gates: "/con-nuoc", handover: "/ban-giao", bulletin: "/ban-tin", map: "/ban-do" },
};

/** `chosen` is a station's id, or "". A station or a bridge that is not chosen: the first one. */
export function pathOf(place: Place, chosen: string, stations: readonly Station[]): string | null {
  const fixed = PATHS[place];
  if (fixed !== undefined) return fixed;
  const bridge = place === "bridge";
  const fitting = stations.filter(({ kind }) => (kind === "traffic") === bridge);
  const found = fitting.find(({ id }) => id === chosen) ?? fitting[0];
  return found === undefined ? null : `/${bridge ? "cau" : "tram"}/${found.id}`;
}
