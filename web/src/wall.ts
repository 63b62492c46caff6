// The wall: river, bridges, alerts, intakes and one curve at a glance.

import { adviceOf } from "./advice.ts";
import { AdvicePanel } from "./advicepanel.ts";
import { alertDoings } from "./alertdoings.ts";
import { Alerts, type AlertStep, pageOf } from "./alerts.ts";
import { Before, risesOf } from "./before.ts";
import { Bridges } from "./bridges.ts";
import { inAddress } from "./browser.ts";
import type { Chart } from "./chart.ts";
import { byId } from "./dom.ts";
import { type Fold, untaken } from "./fold.ts";
import { getJson } from "./http.ts";
import { rowsOf } from "./layout.ts";
import * as model from "./model.ts";
import type { App, Page } from "./page.ts";
import { prominent } from "./prominence.ts";
import { QuietStrip } from "./quietstrip.ts";
import { RiverList } from "./riverlist.ts";
import { routeOf } from "./routes.ts";
import { markedIn, Schematic } from "./schematic.ts";
import { modesOf, saidOf } from "./traffic.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";

const STEPS: Readonly<Record<string, AlertStep>> = { a: "ack", s: "shelve", n: "note" };

export class Wall implements Page {
  private chosen: string | null = inAddress();
  /** What was picked by hand last; what stands there by itself opens no page at the first click. */
  private picked = "";
  private mounted = "";
  private readonly river = byId("river");
  private readonly narrow = matchMedia("(max-width: 899px), (max-aspect-ratio: 1/1)");
  private schematic: Schematic | RiverList;
  private readonly before: Before;
  private readonly bridges = new Bridges(byId("bridges"), (key) => this.pick(key));
  private readonly quiet = new QuietStrip(byId("quiet"), ({ station }) => {
    const known = this.app.held.station(station);
    if (known !== undefined) this.chooseStation(known);
  });
  private readonly advice = new AdvicePanel(byId("advice"));
  private readonly alertList: Alerts;
  /** Draws the curve; it comes once the figures stand. */
  private chart: Chart | null = null;
  private chartAsked = false;

  constructor(private readonly app: App) {
    this.schematic = this.makeRiver();
    this.before = new Before(getJson, () => app.schedule());
    this.alertList = new Alerts(byId("alerts"), {
      choose: (key) => this.choose(key),
      act: (fold, step) => this.offer(fold, step),
    });
    addEventListener("hashchange", () => {
      this.chosen = inAddress();
      app.schedule();
    });
    this.narrow.addEventListener("change", () => {
      this.schematic = this.makeRiver();
      this.mounted = "";
      app.schedule();
    });
    new ResizeObserver(() => app.schedule()).observe(this.river);
  }

  title(): string {
    return word("page_title", this.app.language);
  }

  update(at: Moment): void {
    const { held } = this.app;
    const { stations, byStation } = held;
    const chosen = this.chosenReading();
    const key = chosen?.key ?? null;
    const [modes, said] = [modesOf(held.desk.answer), saidOf(held.bridges.answer)];
    this.bridges.update(stations, byStation, modes, said, key, at);
    this.quiet.update(stations, byStation, at);
    this.advice.update(held.advice.answer, held.desk.answer, at);
    this.renderRiver(at);
    this.alertList.update(held.folded, stations, held.readings, key, at);
    this.chart?.update(chosen, this.placeOf(chosen), this.kinOf(chosen), at);
    setTimeout(() => this.afterwards());
  }

  renewed(): void {
    this.before.again();
    this.chart?.reload(false);
    this.chartAsked = this.chart !== null;
  }

  restyled(): void {
    this.mounted = ""; // labels are as wide as their letters
    this.chart?.rebuild();
  }

  /** What the figures need not wait for. */
  private afterwards(): void {
    this.before.look([...this.app.held.salt.values()].flat(), performance.now());
    if (!this.chartAsked) void this.openChart();
  }

  private async openChart(): Promise<void> {
    const { held } = this.app;
    this.chartAsked = true;
    try {
      const { Chart } = await import("./chart.ts");
      // Asked for twice where the link came back meanwhile; there is to be one.
      this.chart ??= new Chart(byId("chart"), {
        now_ms: () => held.now_ms(),
        rules: () => held.rules,
        choose: (key) => this.choose(key),
      });
      this.app.schedule();
    } catch (error) {
      console.warn("the curve could not be loaded; asked for again with the next link", error);
    }
  }

  /** The station whose curve stands on the wall; "" where it is of none. */
  get station(): string {
    return this.chosenReading()?.station ?? "";
  }

  /** The wall stays, hidden behind other pages: it is what everybody comes back to. */
  close(): void {
    this.mounted = "";
  }

  key(key: string): boolean {
    const { focused } = this.alertList;
    if (key === "j" || key === "ArrowDown") return this.alertList.step(1);
    if (key === "k" || key === "ArrowUp") return this.alertList.step(-1);
    if (focused === null) return false;
    if (key === "Enter") {
      // Any other button in the row does its own.
      if (!document.activeElement?.matches(".what") || routeOf(pageOf(focused.speaks)) === null) {
        return false;
      }
      this.app.go(pageOf(focused.speaks));
      return true;
    }
    const step = STEPS[key];
    if (step === undefined) return false;
    this.offer(focused, step);
    return true;
  }

  private choose(key: string): void {
    this.chosen = key;
    history.replaceState(null, "", `${location.search}#${key}`);
    this.app.schedule();
    if (this.narrow.matches) byId("chart").scrollIntoView({ behavior: "smooth", block: "nearest" });
  }

  private chooseStation(station: model.Station): void {
    const shown = model.shownSalinity(this.app.held.byStation.get(station.id) ?? []);
    if (shown === null) this.app.go(`/tram/${station.id}`);
    else this.pick(shown.key);
  }

  /** A place on the wall: its curve; when it was picked already, its page. */
  private pick(key: string): void {
    const picked = this.app.held.station(this.app.held.readings.get(key)?.station ?? "");
    const again = this.picked === key && this.chosen === key;
    this.picked = key;
    if (!again || picked === undefined) return this.choose(key);
    this.picked = "";
    this.app.go(`/${picked.kind === "traffic" ? "cau" : "tram"}/${picked.id}`);
  }

  private offer(fold: Fold, step: AlertStep | null): void {
    const { held } = this.app;
    const doings = alertDoings(fold, held.station(fold.speaks.station), this.app.moment(), {
      call: (method, params) => held.call(method, params),
      renew: (id) => held.renew(id),
      now_ms: () => held.now_ms(),
    });
    const asked = step === null ? doings : doings.filter((doing) => doing.id === step);
    // What was shelved meanwhile can no longer be shelved; then all that can be done is shown.
    if (doings.length > 0) this.app.offer(asked.length > 0 ? asked : doings);
  }

  private makeRiver(): Schematic | RiverList {
    this.river.replaceChildren();
    const Kind = this.narrow.matches ? RiverList : Schematic;
    const chooseStation = (station: model.Station): void => this.chooseStation(station);
    return new Kind(this.river, chooseStation, (key) => this.choose(key));
  }

  private renderRiver(at: Moment): void {
    const { stations, byStation, salt, folded, advice, river } = this.app.held;
    const shown = new Map(
      stations.map((s) => [s.id, model.shownSalinity(byStation.get(s.id) ?? [])]),
    );
    const selected = this.chosenReading()?.station ?? null;
    const { rows } = rowsOf(stations);
    const plan = {
      salty: new Set(salt.keys()),
      prominent: prominent(rows, folded, salt, adviceOf(advice.answer)),
      marked: markedIn(shown),
      language: at.language,
    };
    const { width, height } = this.river.getBoundingClientRect();
    const size = this.narrow.matches ? "" : [width, height].map(Math.round).join("x");
    const names = stations.map((s) => s.id + s.name).join();
    const looks = [[...plan.salty], plan.prominent, [...plan.marked]].join(";");
    const mounted = [this.narrow.matches, size, at.language, names, looks].join();
    if (mounted !== this.mounted) {
      this.mounted = mounted;
      this.schematic.draw(stations, plan);
    }
    const rises = risesOf(river.answer);
    this.schematic.update({ shown, rises, salt, before: this.before, selected }, at);
  }

  /** The station of a reading; of a line of salt the arm of the river. */
  private placeOf(reading: model.Reading | null): model.Station | null {
    if (reading === null) return null;
    return this.app.held.station(reading.station) ?? model.armOf(reading);
  }

  private kinOf(reading: model.Reading | null): readonly model.Reading[] {
    const kin = this.app.held.byStation.get(reading?.station ?? "") ?? [];
    return reading?.station === "" ? kin.filter((r) => r.device === reading.device) : kin;
  }

  /** What was clicked; else the worst alert's series; else the first station with a figure. */
  private chosenReading(): model.Reading | null {
    const { readings, byStation, stations, folded, whole } = this.app.held;
    const wished = this.chosen === null ? undefined : readings.get(this.chosen);
    if (wished !== undefined) return wished;
    if (!whole) return null;
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
}

/** "(3) " before a title while nobody has taken three alerts. */
export function openMark(folded: Parameters<typeof untaken>[0]): string {
  const open = untaken(folded);
  return open > 0 ? `(${open}) ` : "";
}
