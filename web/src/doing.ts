// What an officer can do, as a form: its fields, and what becomes of them. No DOM.

import type { Word } from "./words.ts";

export interface Choice {
  value: string;
  label: string;
}

export interface Field {
  /** Also its `data-testid`. */
  name: string;
  label: Word;
  /** `time` is Vietnam's, as a field of the kind datetime-local holds it. */
  kind: "text" | "time" | "choice" | "password";
  choices?: readonly Choice[];
  value?: string;
  hint?: Word;
  required?: boolean;
  /** As what a browser may fill it in; nothing by default. */
  complete?: string;
  /** Asked only while another field has this value. */
  when?: readonly [name: string, value: string];
}

export type Values = Readonly<Record<string, string>>;

/** Done; or words for the officer, and whether the form may be sent once more. */
export type Answer = { done: string } | { told: string; again: boolean };

export interface Doing {
  id: string;
  /** Its name among others of the same dialog. */
  tab: Word;
  title: Word;
  submit: Word;
  about: string;
  /** The longer story, for a tooltip. */
  story: string;
  /** Whether viewers may do it too, once they have signed in. */
  forViewers?: boolean;
  fields: readonly Field[];
  /** Lines that stand above the fields; they may be others after `act`. */
  facts(): readonly string[];
  /** What other fields say once this one has changed: what stands now at another place. */
  follow?(name: string, values: Values): Values;
  /** Rejects with `CallError` or `HttpError` where the service could not be asked. */
  act(values: Values): Promise<Answer>;
}

/** The fields that are asked with these values. */
export function asked(fields: readonly Field[], values: Values): Field[] {
  return fields.filter(({ when }) => when === undefined || values[when[0]] === when[1]);
}
