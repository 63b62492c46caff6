// Alerts folded into rows: one for each series, or for each device that is silent. No DOM.

import { type Alert, inOrder, severityRank, SEVERITIES } from "./model.ts";

export interface Fold {
  /** What the alerts have in common; it stays when another of them speaks. */
  id: string;
  /** The worst that still holds, else the worst that nobody has seen. */
  speaks: Alert;
  /** All others, the worst first. */
  others: Alert[];
  /** Those that wait to be taken, the worst first; empty where nobody is waited for. */
  open: Alert[];
  /** "unacked" while any that holds is not taken, else how the speaking one stands. */
  state: string;
  /** The worst of what speaks and what is open: the place in the list. */
  severity: string;
}

export interface Folded {
  /** What is warning or worse, in order. */
  rows: Fold[];
  /** What is everyday on this river: notices alone. */
  everyday: Fold[];
}

/** Ways to count the alerts of a fold that do not speak. */
export interface Others {
  lower: number;
  other: number;
  cleared: number;
}

const SILENT: readonly string[] = ["no_data", "never_seen"];

export function silent(alert: Alert): boolean {
  return SILENT.includes(alert.ask);
}

export function fold(alerts: readonly Alert[]): Folded {
  const kin = new Map<string, Alert[]>();
  for (const alert of alerts) {
    if (alert.test) continue; // a figure in the midst of real ones would be taken for one
    const id = foldId(alert);
    kin.set(id, [...(kin.get(id) ?? []), alert]);
  }
  const folds = [...kin].map(([id, all]) => folded(id, all)).sort(compare);
  const isInfo = (one: Fold): boolean => one.severity === "info";
  return { rows: folds.filter((one) => !isInfo(one)), everyday: folds.filter(isInfo) };
}

/** Rows that wait for somebody; everyday notices wait for nobody. */
export function untaken({ rows }: Folded): number {
  return rows.filter((row) => row.open.length > 0).length;
}

/** Of the alerts beside the speaking one: how many are lower, as high, and over. */
export function others({ speaks, others: rest }: Fold): Others {
  const cleared = rest.filter((a) => a.state === "cleared-unacked" && a.state !== speaks.state);
  const standing = rest.filter((a) => !cleared.includes(a));
  const lower = standing.filter((a) => severityRank(a) > severityRank(speaks));
  return {
    lower: lower.length,
    other: standing.length - lower.length,
    cleared: cleared.length,
  };
}

function foldId(alert: Alert): string {
  // A device falls silent as a whole: its directions and depths are one thing to be told.
  return silent(alert) ? `silent ${alert.key.split("/", 1)[0]}` : alert.key;
}

function folded(id: string, all: readonly Alert[]): Fold {
  const sorted = inOrder(all);
  const holding = sorted.filter((a) => a.state !== "cleared-unacked");
  const speaks = (holding[0] ?? sorted[0]) as Alert;
  const open = sorted.filter((a) => a.state !== "acked");
  const state = open.some((a) => a.state === "unacked") ? "unacked" : speaks.state;
  const rank = Math.min(...[speaks, ...open].map(severityRank));
  return {
    id,
    speaks,
    others: sorted.filter((a) => a !== speaks),
    open,
    state,
    severity: SEVERITIES[rank] ?? speaks.severity,
  };
}

/** By severity, then what waits for somebody, then the newest first. */
function compare(a: Fold, b: Fold): number {
  const waits = (one: Fold): number => (one.state === "unacked" ? 0 : one.open.length > 0 ? 1 : 2);
  const rank = (one: Fold): number => severityRank(one);
  return (
    rank(a) - rank(b) ||
    waits(a) - waits(b) ||
    b.speaks.since_ms - a.speaks.since_ms ||
    (a.id < b.id ? -1 : 1)
  );
}
