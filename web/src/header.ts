// The top line: the service's clock, the link, the stations in words, language and sign-in.

import { byId, el, setAttribute, setText } from "./dom.ts";
import { clockSeconds, date, decimal } from "./format.ts";
import type { Link } from "./live.ts";
import { type Freshness, type Reading, type Station, stationFreshness } from "./model.ts";
import type { Moment } from "./view.ts";
import { type Word, word } from "./words.ts";

export interface Head {
  link: Link;
  delay_ms: number | null;
  clockKnown: boolean;
  demo: boolean;
  role: string;
  name: string;
  /** How fast the past goes that is shown; null in the present. */
  rewind: number | null;
}

const TROUBLES: readonly Freshness[] = ["late", "stale", "lost", "never", "maintenance"];

export class Header {
  private readonly counts = byId("counts");
  private readonly link = el("span");
  private readonly delay = el("small");
  private readonly reporting = el("span");
  private readonly troubles = el("small");
  private readonly banner = byId("banner");

  constructor() {
    byId("link-text").replaceChildren(this.link, " ", this.delay);
    this.counts.append(this.reporting, " ", this.troubles);
  }

  update(
    head: Head,
    stations: readonly Station[],
    readings: ReadonlyMap<string, readonly Reading[]>,
    at: Moment,
  ): void {
    const { language } = at;
    const t = (key: Word, values = {}): string => word(key, language, values);
    setText(byId("river-name"), t("river_name"));
    setAttribute(byId("back"), "title", t("back_to_wall"));
    setText(byId("clock-date"), head.clockKnown ? date(at.now_ms) : "");
    setText(byId("clock-time"), head.clockKnown ? clockSeconds(at.now_ms) : "--:--:--");
    this.linkState(head, at);
    this.count(stations, readings, at);
    const simulated = [...readings.values()].some((all) => all.some((r) => r.simulated));
    this.banner.hidden = !head.demo && !simulated;
    setText(this.banner, t(head.demo ? "demo" : "simulated_present"));
    for (const code of ["vi", "en"] as const) {
      setAttribute(byId(`lang-${code}`), "aria-pressed", code === language ? "true" : "false");
    }
    setAttribute(byId("theme"), "aria-label", t("theme"));
    setAttribute(byId("theme"), "title", t("theme"));
    setText(byId("skip"), t("skip_to_alerts"));
    const officer = head.role === "operator" || head.role === "admin" || head.name !== "";
    const role = t(`role_${head.role || "viewer"}` as Word);
    setText(byId("who"), officer ? head.name || role : "");
    byId("who").hidden = !officer;
    setAttribute(byId("who"), "title", t("password_title"));
    byId("desk").hidden = head.role !== "operator" && head.role !== "admin";
    setText(byId("desk"), t("desk"));
    setText(byId("rewind-open"), t("rewind_open"));
    setText(byId("sign"), t(officer ? "sign_out" : "sign_in"));
    setText(byId("river-title"), t("panel_river"));
  }

  private linkState(head: Head, at: Moment): void {
    const { phase } = head.link;
    const key: Word =
      phase === "live"
        ? "link_live"
        : phase === "connecting"
          ? "link_connecting"
          : phase === "lost"
            ? "link_lost"
            : "link_stopped";
    setAttribute(byId("link"), "class", `link link-${phase}`);
    const { language } = at;
    const pace = head.rewind === 0 ? word("rewind_still", language) : `${head.rewind}×`;
    const past = phase === "live" && head.rewind !== null;
    const told = past ? word("rewind_link", language, { pace }) : word(key, language);
    const behind = !past && phase === "live" && head.delay_ms !== null ? head.delay_ms / 1000 : null;
    const delay =
      behind === null ? "" : word("link_delay", language, { s: decimal(behind, 1, language) });
    setText(this.link, told);
    setText(this.delay, delay);
  }

  private count(
    stations: readonly Station[],
    readings: ReadonlyMap<string, readonly Reading[]>,
    at: Moment,
  ): void {
    const names = new Map<Freshness, string[]>();
    for (const station of stations) {
      const freshness = stationFreshness(station, readings.get(station.id) ?? []);
      names.set(freshness, [...(names.get(freshness) ?? []), station.name]);
    }
    const reporting = names.get("live")?.length ?? 0;
    const told = word("stations_reporting", at.language, { n: reporting, all: stations.length });
    const troubles: string[] = [];
    for (const freshness of TROUBLES) {
      const n = names.get(freshness)?.length ?? 0;
      if (n > 0) troubles.push(word(`stations_${freshness}` as Word, at.language, { n }));
    }
    setText(this.reporting, stations.length === 0 ? "" : told);
    // By name they stand in the line below.
    setText(this.troubles, troubles.join(" · "));
    const troubled = TROUBLES.flatMap((f) => names.get(f) ?? []);
    setAttribute(this.counts, "title", troubled.join(", ") || null);
  }
}
