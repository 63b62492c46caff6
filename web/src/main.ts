// The operations screen: what is held of the service, drawn at most once a frame.

import { Alerts } from "./alerts.ts";
import { Bridges } from "./bridges.ts";
import { browserWorld as world, inAddress, liveUrl, memory } from "./browser.ts";
import { Chart } from "./chart.ts";
import { byId, setAttribute, setText } from "./dom.ts";
import { fold, untaken } from "./fold.ts";
import { Header } from "./header.ts";
import type { Fields, Held } from "./held.ts";
import { getJson, HttpError } from "./http.ts";
import { identify } from "./identify.ts";
import { backoff_ms, type Link, LiveClient, type Occurrence } from "./live.ts";
import * as model from "./model.ts";
import { Officer } from "./officer.ts";
import { Overlay } from "./overlay.ts";
import { RiverList } from "./riverlist.ts";
import { Schematic } from "./schematic.ts";
import { Takers } from "./takers.ts";
import { alertSentence } from "./telling.ts";
import { flipTheme, recallTheme } from "./theme.ts";
import type { Moment } from "./view.ts";
import { type Language, word } from "./words.ts";

const STATE_HZ = 4;
const TICK_MS = 1000;
const TOAST_MS = 4000;
const SIGN_IN_MS = 15_000;

class Screen {
  private language: Language = memory.language.read() === "en" ? "en" : "vi";
  private token: string | null = memory.token.read();
  private about: Fields = {};
  private stations: model.Station[] = [];
  private rules: model.Rule[] = [];
  private client: LiveClient | null = null;
  private heldState: Held | null = null;
  private heldAlerts: Held | null = null;
  private readings = new Map<string, model.Reading>();
  private byStation = new Map<string, model.Reading[]>();
  private folded = fold([]);
  private readonly takers = new Takers();
  private chosen: string | null = inAddress();
  private link: Link = { phase: "connecting" };
  private gone_ms: number | null = world.now();
  private wasLive = false;
  private expected = false;
  private mounted = "";
  private scheduled = false;
  private changed = { state: true, alerts: true };
  private bootAttempt = 0;
  private retryBoot: (() => void) | null = null;
  private whenLive: (() => void)[] = [];

  private readonly river = byId("river");
  private readonly narrow = matchMedia("(max-width: 899px), (max-aspect-ratio: 1/1)");
  private readonly header = new Header();
  private schematic: Schematic | RiverList;
  private readonly bridges = new Bridges(byId("bridges"), (key) => this.choose(key));
  private readonly alertList = new Alerts(byId("alerts"), {
    choose: (key) => this.choose(key),
    acknowledge: (row) => {
      const station = this.stations.find((s) => s.id === row.speaks.station);
      this.officer.askAcknowledge(row, station, this.moment());
    },
  });
  private readonly chart = new Chart(byId("chart"), {
    token: () => this.token,
    now_ms: () => this.now_ms(),
    rules: () => this.rules,
    choose: (key) => this.choose(key),
  });
  private readonly overlay = new Overlay({
    retry: () => this.retry(),
    asViewer: () => this.signOut(),
    signIn: () => this.officer.askToken(),
  });
  private readonly officer = new Officer({
    language: () => this.language,
    role: () => this.client?.role ?? "",
    identify: (token) => identify(this.liveUrl(), token, world),
    signIn: (token) => this.signIn(token),
    acknowledge: async (alert, note) => {
      const { id, ver } = alert;
      await this.client?.call("alert.ack", note === "" ? { id, ver } : { id, ver, note });
      this.takers.hear(id, this.client?.name);
      this.tellChange("alerts");
    },
    toast: (text) => this.toast(text),
  });

  constructor() {
    this.schematic = this.makeRiver();
    for (const code of ["vi", "en"] as const) {
      byId(`lang-${code}`).addEventListener("click", () => this.speak(code));
    }
    byId("theme").addEventListener("click", () => {
      flipTheme();
      this.chart.rebuild();
    });
    byId("sign").addEventListener("click", () =>
      this.token === null ? this.officer.askToken() : this.signOut(),
    );
    addEventListener("hashchange", () => {
      this.chosen = inAddress();
      this.schedule();
    });
    addEventListener("online", () => this.retry());
    this.narrow.addEventListener("change", () => {
      this.schematic = this.makeRiver();
      this.mounted = "";
      this.schedule();
    });
    new ResizeObserver(() => this.schedule()).observe(this.river);
    // Labels are as wide as their letters: draw again when the face has come.
    void document.fonts.ready.then(() => {
      this.mounted = "";
      this.chart.rebuild();
      this.schedule();
    });
    recallTheme();
    setInterval(() => this.schedule(), TICK_MS);
    this.schedule();
    void this.boot();
  }

  // --- loading ------------------------------------------------------------------------------

  /** What the page needs before its socket; tried until it is there. */
  private async boot(): Promise<void> {
    try {
      this.about = await getJson("/api/v1/about", this.token);
      if (memory.language.read() === null && this.about["language"] === "en") this.language = "en";
      await this.loadRegistry();
    } catch (error) {
      if (error instanceof HttpError && (error.status === 401 || error.status === 403)) {
        this.tellLink({ phase: "stopped", code: 4000 + error.status, reason: "" });
        return;
      }
      const delay_ms = backoff_ms(this.bootAttempt++, world.random());
      this.retryBoot = world.after(delay_ms, () => void this.boot());
      this.tellLink({ phase: "lost", retryAt_ms: world.now() + delay_ms });
      return;
    }
    this.client = new LiveClient(this.liveUrl(), this.token, world, {
      onLink: (link) => this.tellLink(link),
      onChange: (chan) => this.tellChange(chan),
      onEvent: (occurrence) => this.announce(occurrence),
    });
    this.heldState = this.client.subscribe({ chan: "state", max_hz: STATE_HZ });
    this.heldAlerts = this.client.subscribe({ chan: "alerts" });
    this.client.start();
  }

  private async loadRegistry(): Promise<void> {
    const [registry, rules] = await Promise.all([
      getJson("/api/v1/stations", this.token),
      // Without the rules the curve has no limits drawn in, and that is all.
      getJson("/api/v1/rules", this.token).catch((): Fields => ({})),
    ]);
    const list = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
    this.stations = list(registry["stations"]).map(model.station);
    this.rules = list(rules["rules"] ?? rules["items"]).map(model.rule);
    this.schedule();
  }

  /** After a loss the service may be another: its registry, its rules, even its pages. */
  private async refresh(): Promise<void> {
    try {
      const about = await getJson("/api/v1/about", this.token);
      if (about["version"] !== this.about["version"]) return location.reload();
      this.about = about;
      await this.loadRegistry();
    } catch (error) {
      console.warn("the registry could not be loaded again; the last one stays", error);
    }
  }

  private async loadTakers(): Promise<void> {
    await this.takers.load(this.token);
    this.tellChange("alerts");
  }

  private liveUrl(): string {
    const live = this.about["live"];
    const nested = typeof live === "object" && live !== null ? (live as Fields)["url"] : "";
    return liveUrl(String(this.about["live_url"] ?? nested ?? ""), location);
  }

  // --- news ---------------------------------------------------------------------------------

  private tellLink(link: Link): void {
    this.link = link;
    if (link.phase === "live") {
      if (this.wasLive) {
        void this.refresh();
        this.chart.reload(false);
      }
      this.wasLive = true;
      if (this.client?.role !== "viewer") void this.loadTakers();
      this.gone_ms = null;
      this.expected = false;
      for (const act of this.whenLive.splice(0)) act();
    } else {
      this.gone_ms ??= world.now();
    }
    this.schedule();
  }

  private tellChange(chan: string): void {
    this.changed[chan === "alerts" ? "alerts" : "state"] = true;
    this.schedule();
  }

  private announce({ type, alert: raw, frame }: Occurrence): void {
    if (type === "acked") this.takers.hear(raw["id"], frame["who"]);
    if (type !== "raised" && type !== "escalated") return;
    const alert = model.alert(raw);
    if (alert.test) return;
    const station = this.stations.find((s) => s.id === alert.station);
    const text = alertSentence(alert, station, this.moment());
    setText(byId("announce"), word("new_alert", this.language, { text }));
  }

  // --- doings -------------------------------------------------------------------------------

  private choose(key: string): void {
    this.chosen = key;
    history.replaceState(null, "", `#${key}`);
    this.schedule();
    if (this.narrow.matches) byId("chart").scrollIntoView({ behavior: "smooth", block: "nearest" });
  }

  private chooseStation(station: model.Station): void {
    const shown = model.shownSalinity(this.byStation.get(station.id) ?? []);
    if (shown !== null) this.choose(shown.key);
  }

  private speak(language: Language): void {
    this.language = language;
    memory.language.write(language);
    this.schedule();
  }

  private retry(): void {
    if (this.link.phase === "stopped") return location.reload();
    if (this.client !== null) return this.client.retryNow();
    this.retryBoot?.();
    void this.boot();
  }

  private signIn(token: string): Promise<void> {
    this.token = token;
    memory.token.write(token);
    return new Promise((resolve, reject) => {
      const cancel = world.after(SIGN_IN_MS, () => reject(new Error("no link")));
      this.whenLive.push(() => (cancel(), resolve()));
      this.restart();
    });
  }

  private signOut(): void {
    this.token = null;
    memory.token.write(null);
    this.takers.forget();
    this.changed.alerts = true;
    this.restart();
  }

  private restart(): void {
    this.expected = true;
    if (this.client === null) void this.boot();
    else this.client.restart(this.token);
  }

  private toast(text: string): void {
    const toast = byId("toast");
    setText(toast, text);
    toast.hidden = false;
    setTimeout(() => (toast.hidden = true), TOAST_MS);
  }

  // --- drawing ------------------------------------------------------------------------------

  private now_ms(): number {
    return this.client?.clock.at(world.now()) ?? Number(this.about["now"] ?? 0);
  }

  private moment(): Moment {
    return { language: this.language, now_ms: this.now_ms() };
  }

  private makeRiver(): Schematic | RiverList {
    this.river.replaceChildren();
    const Kind = this.narrow.matches ? RiverList : Schematic;
    return new Kind(this.river, (station) => this.chooseStation(station));
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.render();
    });
  }

  private takeNews(): void {
    if (this.changed.state) {
      this.changed.state = false;
      this.readings = new Map();
      this.byStation = new Map();
      for (const [key, raw] of this.heldState?.items ?? []) {
        const reading = model.reading(raw);
        this.readings.set(key, reading);
        const kin = this.byStation.get(reading.station) ?? [];
        kin.push(reading);
        this.byStation.set(reading.station, kin);
      }
    }
    if (this.changed.alerts) {
      this.changed.alerts = false;
      const alerts = [...(this.heldAlerts?.items.values() ?? [])].map(model.alert);
      this.folded = fold(alerts.map((a) => ({ ...a, by: a.by || this.takers.of(a.id) })));
    }
  }

  private render(): void {
    this.takeNews();
    const at = this.moment();
    const { client } = this;
    setAttribute(document.documentElement, "lang", this.language);
    document.title = this.title();
    const head = {
      link: this.link,
      delay_ms: client?.clock.delay_ms ?? null,
      clockKnown: client?.clock.at(0) != null,
      demo: this.about["demo"] === true,
      role: client?.role ?? "",
      name: client?.name ?? "",
    };
    this.header.update(head, this.stations, this.byStation, at);
    this.overlay.update(this.linkView(), this.token !== null, world.now(), this.language);
    if (this.stations.length === 0) return;
    this.renderRiver(at);
    const chosen = this.chosenReading();
    this.bridges.update(this.stations, this.byStation, chosen?.key ?? null, at);
    this.alertList.update(this.folded, this.stations, this.readings, chosen?.key ?? null, at);
    const station = this.stations.find((s) => s.id === chosen?.station) ?? null;
    this.chart.update(chosen, station, this.byStation.get(chosen?.station ?? "") ?? [], at);
  }

  private renderRiver(at: Moment): void {
    const { width, height } = this.river.getBoundingClientRect();
    const size = this.narrow.matches ? "" : [width, height].map(Math.round).join("x");
    const names = this.stations.map((s) => s.id + s.name).join();
    const mounted = [this.narrow.matches, size, this.language, names].join();
    if (mounted !== this.mounted) {
      this.mounted = mounted;
      this.schematic.draw(this.stations, this.language);
    }
    const shown = new Map(
      this.stations.map((s) => [s.id, model.shownSalinity(this.byStation.get(s.id) ?? [])]),
    );
    this.schematic.update(shown, this.chosenReading()?.station ?? null, at);
  }

  /** What was clicked; else the worst alert's series; else the first station with a figure. */
  private chosenReading(): model.Reading | null {
    const wished = this.chosen === null ? undefined : this.readings.get(this.chosen);
    if (wished !== undefined) return wished;
    if (this.heldAlerts?.position == null || this.heldState?.position == null) return null;
    // What the service says of itself has no series.
    const alarming = [...this.folded.rows, ...this.folded.everyday]
      .map((fold) => this.readings.get(fold.speaks.key))
      .find((reading) => reading !== undefined);
    const first = this.stations
      .map((s) => model.shownSalinity(this.byStation.get(s.id) ?? []))
      .find((r) => r !== null && r.value !== null);
    const found = alarming ?? first ?? null;
    this.chosen = found?.key ?? this.chosen; // it stays, so that the curve does not jump about
    return found;
  }

  private linkView() {
    const { client } = this;
    const heard_ms = client?.lastHeard_ms ?? null;
    return {
      link: this.link,
      gone_ms: this.gone_ms,
      lastWord_ms: heard_ms === null ? null : (client?.clock.at(heard_ms) ?? null),
      serviceNow_ms: client?.clock.at(world.now()) ?? null,
      expected: this.expected,
    };
  }

  private title(): string {
    const open = untaken(this.folded);
    return (open > 0 ? `(${open}) ` : "") + word("page_title", this.language);
  }
}

new Screen();
