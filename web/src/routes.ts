// Which path is which page. A page's module is loaded when it is first opened.

import type { Opening } from "./page.ts";
import type { Word } from "./words.ts";

export interface Route {
  /** The first part of the path; "" is the wall. */
  name: string;
  /** What the path names after it, as an id; "" where it names nothing. */
  subject: string;
}

interface PageModule {
  open: Opening;
}

/** Pages beside the wall, by the first part of their path. */
export const PAGES: Readonly<Record<string, () => Promise<PageModule>>> = {
  tram: () => import("./station.ts"),
  cau: () => import("./bridge.ts"),
  "canh-bao": () => import("./alert.ts"),
  "con-nuoc": () => import("./gates.ts"),
  "ban-giao": () => import("./handover.ts"),
  "ban-tin": () => import("./bulletin.ts"),
  "ban-do": () => import("./map.ts"),
  "thong-bao": () => import("./tellingpage.ts"),
};

export interface Entry {
  path: string;
  word: Word;
  /** Shown to officers alone. */
  officers?: boolean;
}

/** Pages that the header leads to, in its order. */
export const MENU: readonly Entry[] = [
  { path: "/con-nuoc", word: "menu_gates" },
  { path: "/ban-giao", word: "menu_handover" },
  { path: "/ban-tin", word: "menu_bulletin" },
  { path: "/ban-do", word: "menu_map" },
  { path: "/thong-bao", word: "menu_telling", officers: true },
];

/** What somebody of this role is led to. */
export function menuOf(role: string): readonly Entry[] {
  const officer = role === "operator" || role === "admin";
  return MENU.filter(({ officers }) => officer || officers !== true);
}

/** What a path names; null where it is no page of ours. */
export function routeOf(path: string): Route | null {
  const [name = "", subject = "", ...more] = path.split("/").filter(Boolean);
  if (more.length > 0 || (name !== "" && !(name in PAGES))) return null;
  if (!/^[a-z0-9_-]*$/.test(subject)) return null;
  return { name, subject };
}
