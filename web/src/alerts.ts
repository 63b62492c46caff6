// Active alerts, one line each, and what is said aloud of them.

import { el, setAttribute, setText } from "./dom.ts";
import { figure, limit, shortTime, sinceTime } from "./format.ts";
import { shortName } from "./layout.ts";
import { type Alert, inOrder, type Station } from "./model.ts";
import type { Moment } from "./view.ts";
import { named, unitOf, word } from "./words.ts";

interface Row {
  item: HTMLElement;
  what: HTMLButtonElement;
  place: HTMLElement;
  figures: HTMLElement;
  since: HTMLElement;
  who: HTMLElement;
  severity: HTMLElement;
  ack: HTMLButtonElement;
}

export interface AlertActions {
  choose(key: string): void;
  acknowledge(alert: Alert): void;
}

export class Alerts {
  private rows = new Map<string, Row>();
  private readonly title = el("h2", { id: "alerts-title" });
  private readonly count = el("span", { class: "count" });
  private readonly list = el("ul", {
    "aria-labelledby": "alerts-title",
    tabindex: "-1",
    id: "alerts-list",
  });
  private readonly none = el("p", { class: "none" });
  private readonly more = el("button", { type: "button", class: "more", hidden: true });
  private current = new Map<string, Alert>();

  constructor(
    place: HTMLElement,
    private readonly actions: AlertActions,
  ) {
    const head = el("header", {}, this.title, this.count);
    place.append(head, this.list, this.none, this.more);
    this.more.addEventListener("click", () =>
      this.list.scrollBy({ top: this.list.clientHeight * 0.8, behavior: "smooth" }),
    );
    this.list.addEventListener("scroll", () => this.tellHidden());
    new ResizeObserver(() => this.tellHidden()).observe(this.list);
  }

  private moment: Moment = { language: "vi", now_ms: 0 };

  update(
    alerts: readonly Alert[],
    stations: readonly Station[],
    key: string | null,
    at: Moment,
  ): void {
    this.moment = at;
    const { language } = at;
    const sorted = inOrder(alerts);
    const unacked = alerts.filter((a) => a.state !== "acked").length;
    this.current = new Map(sorted.map((a) => [a.id, a]));
    setText(this.title, word("panel_alerts", language));
    setText(
      this.count,
      sorted.length === 0
        ? ""
        : unacked > 0
          ? word("n_unacked", language, { n: unacked })
          : word("all_acked", language),
    );
    setAttribute(this.count, "class", unacked > 0 ? "count open" : "count");
    setText(this.none, word("no_alerts", language));
    this.none.hidden = sorted.length > 0;
    for (const [id, row] of this.rows) {
      if (this.current.has(id)) continue;
      row.item.remove();
      this.rows.delete(id);
    }
    sorted.forEach((alert, n) => {
      const row = this.rows.get(alert.id) ?? this.make(alert.id);
      const station = stations.find((s) => s.id === alert.station);
      write(row, alert, station, at);
      setAttribute(row.item, "data-chosen", key !== null && key === alert.key);
      // Moving a row that stands right would take the focus from its button.
      if (this.list.children[n] !== row.item)
        this.list.insertBefore(row.item, this.list.children[n] ?? null);
    });
    this.tellHidden();
  }

  private make(id: string): Row {
    const severity = el("span", { class: "severity" });
    const place = el("span", { class: "place" });
    const figures = el("span", { class: "figures" });
    const since = el("span", { class: "since" });
    const who = el("span", { class: "who" });
    const what = el("button", { type: "button", class: "what" });
    what.append(el("span", { class: "drawn" }, severity, place, figures, since));
    const ack = el("button", { type: "button", class: "ack", "data-testid": "ack" });
    const item = el("li", { "data-testid": `alert-${id}` }, what, who, ack);
    what.addEventListener("click", () => {
      const alert = this.current.get(id);
      if (alert !== undefined) this.actions.choose(alert.key);
    });
    ack.addEventListener("click", () => {
      const alert = this.current.get(id);
      if (alert !== undefined) this.actions.acknowledge(alert);
    });
    const row = { item, what, place, figures, since, who, severity, ack };
    this.rows.set(id, row);
    return row;
  }

  private tellHidden(): void {
    const bottom = this.list.getBoundingClientRect().bottom;
    let below = 0;
    for (const { item } of this.rows.values()) {
      if (item.getBoundingClientRect().bottom > bottom + 4) below += 1;
    }
    this.more.hidden = below === 0;
    if (below > 0) setText(this.more, word("more_below", this.moment.language, { n: below }));
  }
}

/** "4,30 > 4 g/l", or the rule's own words where there is no figure to compare. */
export function figuresOf(alert: Alert, at: Moment): string {
  const { language } = at;
  const message = language === "vi" ? alert.message_vi : alert.message_en;
  if (alert.value !== null && alert.limit !== null && alert.ask !== "no_data") {
    const bound = limit(alert.limit, alert.quantity, language);
    const rounded = figure(alert.value, alert.quantity, language);
    // 7,9 < 8, not 8 < 8.
    const same = rounded === figure(alert.limit, alert.quantity, language);
    const value = same ? limit(alert.value, alert.quantity, language) : rounded;
    const per = alert.ask === "rise" ? word("per_hour", language) : "";
    const unit = unitOf(alert.quantity, unitName(alert.quantity), language) + per;
    const sign = alert.ask === "below" || alert.value < alert.limit ? "<" : ">";
    return `${value} ${sign} ${bound} ${unit}`.trimEnd();
  }
  // The place stands beside it already.
  return message.replace(/^[^:]{1,60}:\s+/, "") || alert.rule;
}

/** The whole story in a sentence. */
export function alertSentence(alert: Alert, station: Station | undefined, at: Moment): string {
  const { language, now_ms } = at;
  const message = language === "vi" ? alert.message_vi : alert.message_en;
  if (message !== "") {
    const parts = [named("severity", alert.severity, language), message];
    return [...parts, named("state", alert.state, language)].join(" · ");
  }
  return [
    named("severity", alert.severity, language),
    station?.name ?? alert.station,
    named("q", alert.quantity, language),
    figuresOf(alert, at),
    word("since", language, { time: shortTime(alert.since_ms, now_ms) }),
    named("state", alert.state, language),
  ]
    .filter((part, n, all) => part !== "" && all.indexOf(part) === n)
    .join(", ");
}

function write(row: Row, alert: Alert, station: Station | undefined, at: Moment): void {
  const { language, now_ms } = at;
  setAttribute(row.item, "class", `severity-${alert.severity} state-${alert.state}`);
  const sentence = alertSentence(alert, station, at);
  setAttribute(row.what, "title", sentence);
  setText(row.severity, named("severity", alert.severity, language));
  setText(row.place, shortName(station?.name ?? alert.station));
  const towards = heading(alert, station, at);
  setText(row.figures, (alert.flag === 3 ? "◇ " : "") + figuresOf(alert, at) + towards);
  const time = word("since", language, { time: sinceTime(alert.since_ms, now_ms) });
  const cleared =
    alert.state === "cleared-unacked" && alert.cleared_ms !== null
      ? word("cleared_at", language, { time: sinceTime(alert.cleared_ms, now_ms) })
      : "";
  setText(row.since, cleared || time);
  const acked = alert.state === "acked";
  setText(row.who, acked ? `✓ ${alert.by}`.trim() : "");
  row.ack.hidden = acked;
  setText(row.ack, word("acknowledge_short", language));
  setAttribute(row.ack, "aria-label", `${word("acknowledge_short", language)}: ${sentence}`);
}

/** " → Bến Tre" for a direction called "Mỹ Tho → Bến Tre". */
function heading(alert: Alert, station: Station | undefined, at: Moment): string {
  const parts = alert.key.split("/");
  const name = parts.length === 3 ? station?.directions[parts[1] ?? ""]?.[at.language] : undefined;
  const arrow = name?.indexOf("→") ?? -1;
  return name === undefined ? "" : ` ${arrow === -1 ? name : name.slice(arrow)}`;
}

function unitName(quantity: string): string {
  if (quantity.startsWith("salinity")) return "g/L";
  if (quantity.startsWith("conductivity")) return "mS/cm";
  const units: Record<string, string> = {
    temperature_c: "°C",
    water_level_m: "m",
    flow_veh_h: "veh/h",
    flow_pcu_h: "pcu/h",
    speed_km_h: "km/h",
    queue_m: "m",
    density_pcu_km: "pcu/km",
  };
  return units[quantity] ?? "";
}
