// All that the page holds of the service: its registry, its live channels, who looks. No DOM.

import { Door } from "./door.ts";
import { fold } from "./fold.ts";
import type { Fields, Held } from "./held.ts";
import { getJson, HttpError } from "./http.ts";
import { backoff_ms, type Link, LiveClient, type Occurrence } from "./live.ts";
import * as model from "./model.ts";
import { EVERY_MS, Polled } from "./polled.ts";
import { pathAt, type Rewind } from "./rewind.ts";
import { type SaltLine, saltLines } from "./salt.ts";
import { Takers } from "./takers.ts";
import type { World } from "./world.ts";

const STATE_HZ = 4;
/** What is asked for again and again is so of a past that goes fast, at most. */
const EVERY_LEAST_MS = 5_000;

export interface Told {
  link(link: Link): void;
  /** Something to be drawn is another. */
  changed(): void;
  occurred(occurrence: Occurrence): void;
  /** The service answers as another version: so are its pages. */
  outdated(): void;
}

export class Holding {
  about: Fields = {};
  stations: model.Station[] = [];
  rules: model.Rule[] = [];
  client: LiveClient | null = null;
  readings = new Map<string, model.Reading>();
  byStation = new Map<string, model.Reading[]>();
  salt = new Map<string, SaltLine[]>();
  folded = fold([]);
  readonly advice: Polled;
  /** What officers have entered beside alerts. */
  readonly desk: Polled;
  /** Why figures of bridges are missing, and bans of trucks. */
  readonly bridges: Polled;
  /** How the lines of salt came to be, and stations against the same tide the day before. */
  readonly river: Polled;
  private readonly takers = new Takers();
  private state: Held | null = null;
  private alerts: Held | null = null;
  private fresh = { state: true, alerts: true };
  private bootAttempt = 0;
  private retryBoot: (() => void) | null = null;
  private wasLive = false;

  constructor(
    private readonly world: World,
    private readonly told: Told,
    private readonly socketUrl: (configured: string) => string,
    /** The moment of the past that is shown; null in the present. */
    public past: Rewind | null = null,
    readonly door: Door = new Door(),
  ) {
    const polled = (path: string): Polled =>
      new Polled(() => this.path(path), () => told.changed(), getJson, () => this.every_ms());
    this.advice = polled("/api/v1/advice");
    this.desk = polled("/api/v1/desk");
    this.bridges = polled("/api/v1/bridges");
    this.river = polled("/api/v1/river");
  }

  /** A path of the service's, asked about the moment that is shown. */
  path(path: string): string {
    if (this.past === null) return path;
    // Not a guess that runs ahead of the service: of what has not come yet nothing can be asked.
    return pathAt(path, this.client?.clock.told_ms ?? this.past.at_ms);
  }

  private every_ms(): number {
    const speed = this.past === null ? 1 : Math.max(1, this.client?.speed ?? 1);
    return Math.max(EVERY_LEAST_MS, EVERY_MS / speed);
  }

  /** Nothing of alerts or readings may be said before both are whole. */
  get whole(): boolean {
    return this.alerts?.position != null && this.state?.position != null;
  }

  now_ms(): number {
    const known_ms = this.client?.clock.at(this.world.now()) ?? this.past?.at_ms;
    return known_ms ?? Number(this.about["now"] ?? 0);
  }

  liveUrl(): string {
    const live = this.about["live"];
    const nested = typeof live === "object" && live !== null ? (live as Fields)["url"] : "";
    return this.socketUrl(String(this.about["live_url"] ?? nested ?? ""));
  }

  station(id: string): model.Station | undefined {
    return this.stations.find((station) => station.id === id);
  }

  // --- loading ------------------------------------------------------------------------------

  /** What the page needs before its socket; tried until it is there. */
  async boot(): Promise<void> {
    try {
      // All at once: one way to the service and back, and the first figure can come.
      const about = getJson("/api/v1/about").then((answer) => (this.about = answer));
      if (this.past !== null && this.past.at_ms > Number((await about)["now"])) {
        this.told.link({ phase: "stopped", code: 4400, reason: "that time lies ahead" });
        return;
      }
      await Promise.all([about, this.door.look(), this.loadRegistry()]);
    } catch (error) {
      if (error instanceof HttpError && (error.status === 401 || error.status === 403)) {
        this.told.link({ phase: "stopped", code: 4000 + error.status, reason: "" });
        return;
      }
      const delay_ms = backoff_ms(this.bootAttempt++, this.world.random());
      this.retryBoot = this.world.after(delay_ms, () => void this.boot());
      this.told.link({ phase: "lost", retryAt_ms: this.world.now() + delay_ms });
      return;
    }
    this.client = new LiveClient(this.liveUrl(), () => this.door.pass(), this.world, {
      onLink: (link) => this.tellLink(link),
      onChange: (chan) => this.tellChange(chan),
      onEvent: (occurrence) => {
        const { type, alert, frame } = occurrence;
        if (type === "acked") this.takers.hear(alert["id"], frame["who"]);
        this.told.occurred(occurrence);
      },
    }, () => this.wanted());
    this.state = this.client.subscribe({ chan: "state", max_hz: STATE_HZ });
    this.alerts = this.client.subscribe({ chan: "alerts" });
    this.client.start();
  }

  private async loadRegistry(): Promise<void> {
    const [registry, rules] = await Promise.all([
      getJson(this.path("/api/v1/stations")),
      // Without the rules the curve has no limits drawn in, and that is all.
      getJson(this.path("/api/v1/rules")).catch((): Fields => ({})),
    ]);
    const list = (value: unknown): Fields[] => model.list(value) as Fields[];
    this.stations = list(registry["stations"]).map(model.station);
    this.rules = list(rules["rules"] ?? rules["items"]).map(model.rule);
    this.told.changed();
  }

  /** After a loss the service may be another: its registry, its rules, even its pages. */
  private async refresh(): Promise<void> {
    try {
      const about = await getJson("/api/v1/about");
      if (about["version"] !== this.about["version"]) return this.told.outdated();
      this.about = about;
      await this.loadRegistry();
    } catch (error) {
      console.warn("the registry could not be loaded again; the last one stays", error);
    }
  }

  private async loadTakers(): Promise<void> {
    await this.takers.load();
    this.tellChange("alerts");
  }

  /** Ask for what does not come by itself, where it is time. */
  poll(): void {
    if (this.client?.phase !== "live") return;
    const now_ms = this.world.now();
    for (const polled of [this.advice, this.desk, this.bridges, this.river]) {
      void polled.look(now_ms);
    }
  }

  // --- news ---------------------------------------------------------------------------------

  private tellLink(link: Link): void {
    if (link.phase === "live") {
      if (this.wasLive) void this.refresh();
      this.wasLive = true;
      if (this.client?.role !== "viewer") void this.loadTakers();
      this.lookAgain();
    }
    this.told.link(link);
  }

  /** Something was entered, or somebody else looks. */
  lookAgain(): void {
    for (const polled of [this.advice, this.desk, this.bridges, this.river]) polled.again();
  }

  private tellChange(chan: string): void {
    this.fresh[chan === "alerts" ? "alerts" : "state"] = true;
    this.told.changed();
  }

  /** Make of the newest frames what is drawn. */
  takeNews(): void {
    if (this.fresh.state) {
      this.fresh.state = false;
      this.readings = new Map();
      this.byStation = new Map();
      for (const [key, raw] of this.state?.items ?? []) {
        const reading = model.reading(raw);
        this.readings.set(key, reading);
        const kin = this.byStation.get(reading.station) ?? [];
        kin.push(reading);
        this.byStation.set(reading.station, kin);
      }
      this.salt = saltLines(this.readings.values());
    }
    if (this.fresh.alerts) {
      this.fresh.alerts = false;
      const alerts = [...(this.alerts?.items.values() ?? [])].map(model.alert);
      this.folded = fold(alerts.map((alert) => this.withTaker(alert)));
    }
  }

  private withTaker(alert: model.Alert): model.Alert {
    return { ...alert, by: alert.by || this.takers.of(alert.id) };
  }

  // --- doings -------------------------------------------------------------------------------

  /** A call of the live socket; what an officer has taken is known at once. */
  async call(method: string, params: Fields): Promise<unknown> {
    const answer = await this.client?.call(method, params);
    if (method === "alert.ack") this.takers.hear(params["id"], this.client?.name);
    this.tellChange("alerts");
    return answer;
  }

  /** An alert as it now is. */
  async renew(id: string): Promise<model.Alert> {
    const raw = await getJson(`/api/v1/alerts/${encodeURIComponent(id)}`);
    this.takers.read(raw);
    return this.withTaker(model.alert(raw));
  }

  /** Go on as whoever is signed in now, or as nobody in particular. */
  goOn(): void {
    if (!this.door.signedIn) this.takers.forget();
    this.tellChange("alerts");
    if (this.client === null) void this.boot();
    else this.client.restart();
  }

  /** After a loss the past goes on from where it was, not from where it began. */
  private wanted(): Rewind | null {
    if (this.past === null) return null;
    const heard_ms = this.client?.source == null ? null : this.client.lastHeard_ms;
    const shown_ms = heard_ms === null ? null : (this.client?.clock.at(heard_ms) ?? null);
    return { at_ms: shown_ms ?? this.past.at_ms, speed: this.past.speed };
  }

  /** Show another moment, or the same at another pace. */
  rewind(past: Rewind): void {
    this.past = past;
    this.client?.clock.restart();
    this.lookAgain();
    this.tellChange("state");
    this.tellChange("alerts");
    if (this.client === null) void this.boot();
    else this.client.restart(true);
  }

  retry(): void {
    if (this.client !== null) return this.client.retryNow();
    this.retryBoot?.();
    void this.boot();
  }
}
