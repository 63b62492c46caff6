// The operations screen: what is held of the service, drawn at most once a frame.

import { adviceOf } from "./advice.ts";
import { AdvicePanel } from "./advicepanel.ts";
import { alertDoings } from "./alertdoings.ts";
import { Alerts } from "./alerts.ts";
import { Bridges } from "./bridges.ts";
import { browserWorld as world, inAddress, liveUrl, memory } from "./browser.ts";
import { Chart } from "./chart.ts";
import { deskDoings } from "./deskdoings.ts";
import { byId, setAttribute, setText } from "./dom.ts";
import { type Fold, shelved, untaken } from "./fold.ts";
import { Header } from "./header.ts";
import { Holding } from "./holding.ts";
import { getJson, sendJson } from "./http.ts";
import { identify } from "./identify.ts";
import type { Link, Occurrence } from "./live.ts";
import * as model from "./model.ts";
import { Officer } from "./officer.ts";
import { Overlay } from "./overlay.ts";
import { RiverList } from "./riverlist.ts";
import { Schematic } from "./schematic.ts";
import { alertSentence } from "./telling.ts";
import { flipTheme, recallTheme } from "./theme.ts";
import { modesOf, saidOf } from "./traffic.ts";
import type { Moment } from "./view.ts";
import { type Language, word } from "./words.ts";

const TICK_MS = 1000;
const TOAST_MS = 4000;
const SIGN_IN_MS = 15_000;

class Screen {
  /** What was chosen here; a browser that keeps nothing forgets it with the page. */
  private spoken: string | null = memory.language.read();
  private chosen: string | null = inAddress();
  private link: Link = { phase: "connecting" };
  private gone_ms: number | null = world.now();
  private wasLive = false;
  private expected = false;
  private mounted = "";
  private scheduled = false;
  private whenLive: (() => void)[] = [];

  private readonly held = new Holding(
    world,
    {
      link: (link) => this.tellLink(link),
      changed: () => this.schedule(),
      occurred: (occurrence) => this.announce(occurrence),
      outdated: () => location.reload(),
    },
    (configured) => liveUrl(configured, location),
    memory.token.read(),
  );
  private readonly river = byId("river");
  private readonly narrow = matchMedia("(max-width: 899px), (max-aspect-ratio: 1/1)");
  private readonly header = new Header();
  private schematic: Schematic | RiverList;
  private readonly bridges = new Bridges(byId("bridges"), (key) => this.choose(key));
  private readonly advice = new AdvicePanel(byId("advice"));
  private readonly alertList = new Alerts(byId("alerts"), {
    choose: (key) => this.choose(key),
    act: (fold, step) => this.offer(fold, step),
  });
  private readonly chart = new Chart(byId("chart"), {
    token: () => this.held.token,
    now_ms: () => this.held.now_ms(),
    rules: () => this.held.rules,
    choose: (key) => this.choose(key),
  });
  private readonly overlay = new Overlay({
    retry: () => this.retry(),
    asViewer: () => this.signOut(),
    signIn: () => this.officer.askToken(),
  });
  private readonly officer = new Officer({
    language: () => this.language,
    role: () => this.held.client?.role ?? "",
    identify: (token) => identify(this.held.liveUrl(), token, world),
    signIn: (token) => this.signIn(token),
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
      this.held.token === null ? this.officer.askToken() : this.signOut(),
    );
    byId("desk").addEventListener("click", () => void this.openDesk());
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
    setInterval(() => {
      this.held.poll();
      this.schedule();
    }, TICK_MS);
    this.schedule();
    void this.held.boot();
  }

  /** What was chosen here, else what the service is set to. */
  private get language(): Language {
    return (this.spoken ?? this.held.about["language"]) === "en" ? "en" : "vi";
  }

  // --- news ---------------------------------------------------------------------------------

  private tellLink(link: Link): void {
    this.link = link;
    if (link.phase === "live") {
      if (this.wasLive) this.chart.reload(false);
      this.wasLive = true;
      this.gone_ms = null;
      this.expected = false;
      for (const act of this.whenLive.splice(0)) act();
    } else {
      this.gone_ms ??= world.now();
    }
    this.schedule();
  }

  private announce({ type, alert: raw }: Occurrence): void {
    const again = type === "escalated" || type === "reminded";
    if (type !== "raised" && !again) return;
    const alert = model.alert(raw);
    if (alert.test || shelved(alert) || alert.suppressed !== null) return;
    const text = alertSentence(alert, this.held.station(alert.station), this.moment());
    setText(byId("announce"), word(again ? "still_open" : "new_alert", this.language, { text }));
  }

  // --- doings -------------------------------------------------------------------------------

  private choose(key: string): void {
    this.chosen = key;
    history.replaceState(null, "", `#${key}`);
    this.schedule();
    if (this.narrow.matches) byId("chart").scrollIntoView({ behavior: "smooth", block: "nearest" });
  }

  private chooseStation(station: model.Station): void {
    const shown = model.shownSalinity(this.held.byStation.get(station.id) ?? []);
    if (shown !== null) this.choose(shown.key);
  }

  private offer(fold: Fold, step: "ack" | null): void {
    const station = this.held.station(fold.speaks.station);
    const doings = alertDoings(fold, station, this.moment(), {
      call: (method, params) => this.held.call(method, params),
      renew: (id) => this.held.renew(id),
      now_ms: () => this.held.now_ms(),
    });
    this.officer.offer(step === null ? doings : doings.filter((doing) => doing.id === step));
  }

  private async openDesk(): Promise<void> {
    // What stands now, so that an officer changes what he sees; else what was last heard of it.
    const path = "/api/v1/desk";
    const entered = await getJson(path, this.held.token).catch(() => this.held.desk.answer);
    const { stations, advice } = this.held;
    const known = { stations, entered: entered ?? {}, intakes: adviceOf(advice.answer) };
    const doings = deskDoings(known, this.moment(), {
      send: async (method, path, body) => {
        const answer = await sendJson(method, path, this.held.token, body);
        this.held.lookAgain();
        return answer;
      },
    });
    this.officer.offer(doings);
  }

  private speak(language: Language): void {
    memory.language.write(language);
    this.spoken = language;
    this.schedule();
  }

  private retry(): void {
    if (this.link.phase === "stopped") location.reload();
    else this.held.retry();
  }

  private signIn(token: string): Promise<void> {
    memory.token.write(token);
    return new Promise((resolve, reject) => {
      const cancel = world.after(SIGN_IN_MS, () => reject(new Error("no link")));
      this.whenLive.push(() => (cancel(), resolve()));
      this.goOnAs(token);
    });
  }

  private signOut(): void {
    memory.token.write(null);
    this.goOnAs(null);
  }

  private goOnAs(token: string | null): void {
    this.expected = true;
    this.held.use(token);
  }

  private toast(text: string): void {
    const toast = byId("toast");
    setText(toast, text);
    toast.hidden = false;
    setTimeout(() => (toast.hidden = true), TOAST_MS);
  }

  // --- drawing ------------------------------------------------------------------------------

  private moment(): Moment {
    return { language: this.language, now_ms: this.held.now_ms() };
  }

  private makeRiver(): Schematic | RiverList {
    this.river.replaceChildren();
    const Kind = this.narrow.matches ? RiverList : Schematic;
    const chooseStation = (station: model.Station): void => this.chooseStation(station);
    return new Kind(this.river, chooseStation, (key) => this.choose(key));
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.render();
    });
  }

  private render(): void {
    const { held } = this;
    held.takeNews();
    const at = this.moment();
    const { client, stations, byStation } = held;
    setAttribute(document.documentElement, "lang", this.language);
    document.title = this.title();
    const head = {
      link: this.link,
      delay_ms: client?.clock.delay_ms ?? null,
      clockKnown: client?.clock.at(0) != null,
      demo: held.about["demo"] === true,
      role: client?.role ?? "",
      name: client?.name ?? "",
    };
    this.header.update(head, stations, byStation, at);
    this.overlay.update(this.linkView(), held.token !== null, world.now(), this.language);
    if (stations.length === 0) return;
    const chosen = this.chosenReading();
    const key = chosen?.key ?? null;
    const [modes, said] = [modesOf(held.desk.answer), saidOf(held.bridges.answer)];
    this.bridges.update(stations, byStation, modes, said, key, at);
    this.advice.update(held.advice.answer, held.desk.answer, at);
    this.renderRiver(at);
    this.alertList.update(held.folded, stations, held.readings, key, at);
    this.chart.update(chosen, this.placeOf(chosen), this.kinOf(chosen), at);
  }

  private renderRiver(at: Moment): void {
    const { stations, byStation, salt } = this.held;
    const { width, height } = this.river.getBoundingClientRect();
    const size = this.narrow.matches ? "" : [width, height].map(Math.round).join("x");
    const names = stations.map((s) => s.id + s.name).join();
    const mounted = [this.narrow.matches, size, this.language, names, [...salt.keys()]].join();
    if (mounted !== this.mounted) {
      this.mounted = mounted;
      this.schematic.draw(stations, new Set(salt.keys()), this.language);
    }
    const shown = new Map(
      stations.map((s) => [s.id, model.shownSalinity(byStation.get(s.id) ?? [])]),
    );
    this.schematic.update(shown, salt, this.chosenReading()?.station ?? null, at);
  }

  /** The station of a reading; of a line of salt the arm of the river. */
  private placeOf(reading: model.Reading | null): model.Station | null {
    if (reading === null) return null;
    return this.held.station(reading.station) ?? model.armOf(reading);
  }

  private kinOf(reading: model.Reading | null): readonly model.Reading[] {
    const kin = this.held.byStation.get(reading?.station ?? "") ?? [];
    return reading?.station === "" ? kin.filter((r) => r.device === reading.device) : kin;
  }

  /** What was clicked; else the worst alert's series; else the first station with a figure. */
  private chosenReading(): model.Reading | null {
    const { readings, byStation, stations, folded } = this.held;
    const wished = this.chosen === null ? undefined : readings.get(this.chosen);
    if (wished !== undefined) return wished;
    if (!this.held.whole) return null;
    // What the service says of itself has no series.
    const alarming = [...folded.rows, ...folded.everyday]
      .map((fold) => readings.get(fold.speaks.key))
      .find((reading) => reading !== undefined);
    const first = stations
      .map((s) => model.shownSalinity(byStation.get(s.id) ?? []))
      .find((r) => r !== null && r.value !== null);
    const found = alarming ?? first ?? null;
    this.chosen = found?.key ?? this.chosen; // it stays, so that the curve does not jump about
    return found;
  }

  private linkView() {
    const { client } = this.held;
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
    const open = untaken(this.held.folded);
    return (open > 0 ? `(${open}) ` : "") + word("page_title", this.language);
  }
}

new Screen();
