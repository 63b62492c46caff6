// Hand checks of a probe (đo đối chứng): what was entered, and what waits on this phone. No DOM.

import { HOUR_MS } from "./format.ts";
import type { Fields } from "./held.ts";
import { HttpError } from "./http.ts";
import { fields, list, number, type Reading, text } from "./model.ts";
import type { Hand } from "./strokes.ts";

export interface HandValue {
  quantity: string;
  unit: string;
  hand: number;
  probe: number | null;
  /** Probe minus hand. */
  difference: number | null;
  key: string;
}

export interface Check {
  id: string;
  t_ms: number;
  depth: string;
  cleaned: boolean;
  calibrated: boolean;
  /** It has been corrected, and counts no more. */
  replaced: boolean;
  values: HandValue[];
}

/** Of an answer of /api/v1/checks, the newest first, without what was corrected. */
export function checksOf(answer: Fields): Check[] {
  return (list(answer["items"]) as Fields[])
    .map((raw) => ({
      id: text(raw["id"]),
      t_ms: number(raw["t"]) ?? 0,
      depth: text(raw["depth"]),
      cleaned: raw["cleaned"] === true,
      calibrated: raw["calibrated"] === true,
      replaced: text(raw["replaced_by"]) !== "",
      values: (list(raw["values"]) as Fields[]).flatMap((value) => {
        const hand = number(value["hand"]);
        if (hand === null) return [];
        return [
          {
            ...{ quantity: text(value["quantity"]), unit: text(value["unit"]), hand },
            ...{ probe: number(value["probe"]), difference: number(value["difference"]) },
            key: text(value["key"]),
          },
        ];
      }),
    }))
    .filter((check) => !check.replaced);
}

/** What was measured by hand of what a series measures. */
export function handsOf(checks: readonly Check[], { key, quantity }: Reading): Hand[] {
  return checks.flatMap(({ t_ms, values }) =>
    values
      .filter((value) => (value.key === "" ? value.quantity === quantity : value.key === key))
      .map(({ hand }) => ({ t_ms, value: hand })),
  );
}

/** How far a probe can be trusted, as the service says it; null before it was asked. */
export interface Care {
  text_vi: string;
  text_en: string;
  state: string;
  checked_days: number | null;
  cleaned_days: number | null;
}

export function careOf(answer: Fields): Care {
  const days = (of: string): number | null => number(fields(answer[of])?.["days"]);
  return {
    text_vi: text(answer["text_vi"]),
    text_en: text(answer["text_en"]),
    state: text(answer["state"]),
    ...{ checked_days: days("checked"), cleaned_days: days("cleaned") },
  };
}

// --- entering one ---------------------------------------------------------------------------

/** What can be measured by hand, as the service's body names it, with what is accepted. */
export const MEASURED = [
  { name: "salinity_g_l", most: 45 },
  { name: "temperature_c", most: 45 },
  { name: "conductivity_ms_cm", most: 80 },
  { name: "level_m", most: 20 },
] as const;

export interface Filled {
  station: string;
  /** Vietnam's, as a field of the kind datetime-local holds it. */
  time: string;
  depth: string;
  values: Readonly<Record<string, string>>;
  cleaned: boolean;
  calibrated: boolean;
  crew: string;
  note: string;
}

/** A figure as people here write it, 1,2 or 1.2; null for what is none. */
export function typedNumber(typed: string): number | null {
  const plain = typed.trim().replace(",", ".");
  return /^-?\d{1,4}(\.\d{1,4})?$/.test(plain) ? Number(plain) : null;
}

/** The body of the entry; or the name of the field that is wrong. */
export function bodyOf(filled: Filled, now_ms: number): { body: Fields } | { wrong: string } {
  const utc = Date.parse(`${filled.time}:00Z`);
  const t_ms = utc - 7 * HOUR_MS;
  if (!Number.isFinite(utc) || t_ms > now_ms + 60_000) return { wrong: "time" };
  const body: Fields = { station: filled.station, t: t_ms, depth: filled.depth };
  let any = filled.cleaned || filled.calibrated;
  for (const { name, most } of MEASURED) {
    const typed = filled.values[name]?.trim() ?? "";
    if (typed === "") continue;
    const value = typedNumber(typed);
    const least = name === "level_m" ? -10 : 0;
    if (value === null || value < least || value > most) return { wrong: name };
    body[name] = value;
    any = true;
  }
  if (!any) return { wrong: "salinity_g_l" };
  const { cleaned, calibrated, crew, note } = filled;
  return { body: { ...body, cleaned, calibrated, crew: crew.trim(), note: note.trim() } };
}

// --- what waits on this phone ---------------------------------------------------------------

interface Store {
  read(): string | null;
  write(value: string | null): void;
}

export interface Waiting {
  body: Fields;
  /** Why the service did not take it; "" where it could not be asked. */
  refused: string;
}

/** Entries that are not with the service yet; each is sent until it is, and the same twice is one. */
export class Unsent {
  private sending = false;

  constructor(
    private readonly store: Store,
    private readonly send: (body: Fields) => Promise<unknown>,
  ) {}

  get waiting(): Waiting[] {
    try {
      const kept: unknown = JSON.parse(this.store.read() ?? "[]");
      return (list(kept) as Fields[]).flatMap((raw) => {
        const body = fields(raw["body"]);
        return body === null ? [] : [{ body, refused: text(raw["refused"]) }];
      });
    } catch {
      return []; // whatever stands there is not ours
    }
  }

  add(body: Fields): void {
    this.keep([...this.waiting, { body, refused: "" }]);
  }

  /** Take back one that the service does not want. */
  drop(place: number): void {
    this.keep(this.waiting.filter((_, n) => n !== place));
  }

  /** Send what waits, in order; gives how many were taken. Nothing is lost where the link fails. */
  async flush(): Promise<number> {
    if (this.sending) return 0;
    this.sending = true;
    let taken = 0;
    try {
      for (const one of this.waiting) {
        try {
          await this.send(one.body);
          taken += 1;
          this.replace(one, null);
        } catch (error) {
          const status = error instanceof HttpError ? error.status : 0;
          // Not asked, or not now: it waits. Refused for what it says: it is told, and waits too.
          if (status === 0 || status === 429 || status >= 500) break;
          this.replace(one, { ...one, refused: (error as HttpError).message });
        }
      }
    } finally {
      this.sending = false;
    }
    return taken;
  }

  /** Others may have been added while this one was on its way. */
  private replace(one: Waiting, by: Waiting | null): void {
    const same = JSON.stringify(one.body);
    const now = this.waiting;
    const place = now.findIndex(({ body }) => JSON.stringify(body) === same);
    if (place === -1) return;
    this.keep(now.flatMap((each, n) => (n === place ? (by === null ? [] : [by]) : [each])));
  }

  private keep(all: readonly Waiting[]): void {
    this.store.write(all.length === 0 ? null : JSON.stringify(all));
  }
}
