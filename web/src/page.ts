// What a page is to the app, and the app to a page.

import type { Doing } from "./doing.ts";
import type { Holding } from "./holding.ts";
import type { Moment } from "./view.ts";
import type { Language } from "./words.ts";

/** What stays while pages come and go: the link, the header, the officer's dialogs. */
export interface App {
  readonly held: Holding;
  readonly language: Language;
  moment(): Moment;
  /** Move to another page, such as `/tram/vam-kenh`. */
  go(path: string): void;
  /** Put forms of what can be done before the officer; `chosen` is open, else the first. */
  offer(doings: readonly Doing[], chosen?: Doing): void;
  toast(text: string): void;
  /** Draw soon: something that the page shows is another. */
  schedule(): void;
}

export interface Page {
  /** For the window's title, in the app's language. */
  title(): string;
  /** Draw what is known at this moment; called at most once a frame, and once a second. */
  update(at: Moment): void;
  /** The link stands again after it was lost: what was loaded may be old. */
  renewed?(): void;
  /** Light or dark has been chosen, or the face of the letters has come. */
  restyled?(): void;
  /** A key of the page's own (`shortcuts.ts`) while nobody types; whether it did something. */
  key?(key: string): boolean;
  /** The page is left: let go of timers and listeners. */
  close(): void;
}

/** Opens a page in an empty element. `subject` is what the path names after the page's name. */
export type Opening = (root: HTMLElement, app: App, subject: string) => Page;
