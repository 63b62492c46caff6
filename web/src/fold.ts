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
  /** Those for which another speaks and that nobody has taken: they are taken along with it. */
  along: Alert[];
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
  /** What nobody is told of for a while: shelved, in maintenance, of a closed direction. */
  aside: Fold[];
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

export function shelved(alert: Alert): boolean {
  return alert.shelved_ms !== null;
}

export function setAside(alert: Alert): boolean {
  return alert.suppressed !== null && ["maintenance", "closed"].includes(alert.suppressed.why);
}

export function fold(alerts: readonly Alert[]): Folded {
  const byId = new Map(alerts.map((alert) => [alert.id, alert]));
  const kin = new Map<string, Alert[]>();
  for (const alert of alerts) {
    if (alert.test) continue; // a figure in the midst of real ones would be taken for one
    const id = foldId(alert, byId);
    kin.set(id, [...(kin.get(id) ?? []), alert]);
  }
  const folds = [...kin].map(([id, all]) => folded(id, all)).sort(compare);
  const isAside = (one: Fold): boolean => aside(one.speaks);
  const isInfo = (one: Fold): boolean => one.severity === "info";
  const told = folds.filter((one) => !isAside(one));
  return {
    rows: told.filter((one) => !isInfo(one)),
    everyday: told.filter(isInfo),
    aside: folds.filter(isAside),
  };
}

/** Rows that wait for somebody; everyday notices wait for nobody. */
export function untaken({ rows }: Folded): number {
  return rows.filter((row) => row.open.length > 0).length;
}

/** Whether nobody has taken an alert of the worst kind that still holds. */
export function criticalUntaken({ rows }: Folded): boolean {
  const waits = (alert: Alert): boolean =>
    alert.severity === SEVERITIES[0] && alert.state === "unacked";
  return rows.some((row) => row.open.some(waits));
}

function lowerThan(one: Alert, other: Alert): boolean {
  return severityRank(one) > severityRank(other);
}

/** Of the alerts beside the speaking one: how many are lower, as high, and over. */
export function others({ speaks, others: rest }: Fold): Others {
  // Where all are over the lower levels are told as such; what came and went before is over.
  const after = (a: Alert): boolean => a.state !== speaks.state || !lowerThan(a, speaks);
  const cleared = rest.filter((a) => a.state === "cleared-unacked" && after(a));
  const standing = rest.filter((a) => !cleared.includes(a));
  const lower = standing.filter((a) => lowerThan(a, speaks));
  return {
    lower: lower.length,
    other: standing.length - lower.length,
    cleared: cleared.length,
  };
}

function aside(alert: Alert): boolean {
  return shelved(alert) || setAside(alert);
}

/** What one that is told by another goes under: that one, where it is here. */
function covering(alert: Alert, byId: ReadonlyMap<string, Alert>): Alert {
  const { suppressed } = alert;
  const covered = suppressed !== null && ["uplink", "station"].includes(suppressed.why);
  return (covered && byId.get(suppressed.by)) || alert;
}

function foldId(alert: Alert, byId: ReadonlyMap<string, Alert>): string {
  // A device may be told by its station, and the station by its uplink.
  const by = covering(covering(alert, byId), byId);
  const one = aside(alert) ? alert : by;
  // What is put aside must not hide what is raised beside it, nor speak for it.
  const apart = shelved(one) ? "shelved " : setAside(one) ? "maintenance " : "";
  // A device falls silent as a whole: its directions and depths are one thing to be told.
  return apart + (silent(one) ? `silent ${one.key.split("/", 1)[0]}` : one.key);
}

function folded(id: string, all: readonly Alert[]): Fold {
  const sorted = inOrder(all);
  const telling = sorted.filter((a) => a.suppressed === null);
  const holding = telling.filter((a) => a.state !== "cleared-unacked");
  const speaks = (holding[0] ?? telling[0] ?? sorted[0]) as Alert;
  const taken = (a: Alert): boolean => a.state === "acked";
  const quiet = (a: Alert): boolean => a.suppressed !== null || shelved(a);
  const open = sorted.filter((a) => !taken(a) && !quiet(a));
  const state = open.some((a) => a.state === "unacked") ? "unacked" : speaks.state;
  const rank = Math.min(...[speaks, ...open].map(severityRank));
  return {
    id,
    speaks,
    others: sorted.filter((a) => a !== speaks),
    open,
    along: sorted.filter((a) => !taken(a) && quiet(a) && !aside(a)),
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
