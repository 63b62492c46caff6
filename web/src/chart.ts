// The last day of what is chosen: limits, flags, gaps as gaps, the same tide the day before.

import uPlot from "uplot";

import { el, rem, setAttribute, setText } from "./dom.ts";
import { clockTime, DAY_MS, figure, HOUR_MS, limit, MINUTE_MS } from "./format.ts";
import { columnsOf, counted, forget, type Point, pointsOf, splice } from "./history.ts";
import { getJson, HttpError } from "./http.ts";
import { joined } from "./joined.ts";
import { kinOf } from "./kin.ts";
import { shortName } from "./layout.ts";
import { limitsOf, type Reading, type Rule, type Station } from "./model.ts";
import {
  FAST_S,
  flagMarks,
  gapOf,
  hours,
  isTraffic,
  limitLines,
  limitNames,
  limitsAs,
  lonePoints,
  palette,
  shiftOf,
} from "./strokes.ts";
import { ageText, bandWord, lookOf, measuredAgo, type Moment } from "./view.ts";
import { named, unitOf, word } from "./words.ts";
import { yRange } from "./yrange.ts";

const REFRESH_MS = 15 * 60_000; // conflation may have merged some values away

export interface Source {
  now_ms(): number;
  rules(): readonly Rule[];
  choose(key: string): void;
}

export class Chart {
  private readonly name = el("a", { class: "place-link", "data-testid": "open-place" });
  private readonly figureNow = el("span", { class: "now" });
  private readonly tabs = el("span", { class: "tabs" });
  private readonly legend = el("span", { class: "legend", "aria-hidden": "true" });
  private readonly canvas = el("div", { class: "canvas", role: "img" });
  private readonly message = el("p", { class: "message" });
  private plot: uPlot | null = null;
  private chosen: { reading: Reading; station: Station } | null = null;
  private limits: Rule[] = [];
  private today: Point[] = [];
  private before: Point[] = [];
  private loaded_ms: number | null = null;
  private problem = "";
  private incomplete = false;
  private turn = 0;
  private shape = "";
  private moment: Moment = { language: "vi", now_ms: 0 };

  constructor(
    place: HTMLElement,
    private readonly source: Source,
  ) {
    setAttribute(place, "data-testid", "chart");
    const head = el("header", {}, el("h2", {}, this.name), this.figureNow, this.legend, this.tabs);
    place.append(head, this.canvas, this.message);
    new ResizeObserver(() => this.rebuild()).observe(this.canvas);
  }

  /** Show the chosen series; its newest value is taken into the curve. */
  update(
    reading: Reading | null,
    station: Station | null,
    all: readonly Reading[],
    at: Moment,
  ): void {
    this.moment = at;
    if (reading === null || station === null) {
      this.chosen = null;
      this.today = this.before = [];
      this.head(all);
      this.redraw();
      return;
    }
    const another = this.chosen?.reading.key !== reading.key;
    this.chosen = { reading, station };
    if (another) this.reload();
    else if (this.loaded_ms !== null) {
      if (at.now_ms - this.loaded_ms > REFRESH_MS) this.reload(false);
      this.take(reading);
    }
    this.limits = limitsOf(this.source.rules(), reading, station);
    this.head(all);
    this.redraw();
  }

  /** Load the history again, after the link came back or the sign-in changed. */
  reload(clear = true): void {
    const { chosen } = this;
    if (chosen === null) return;
    const turn = ++this.turn;
    if (clear) {
      this.today = [];
      this.before = [];
      this.loaded_ms = null;
    }
    this.problem = "";
    void this.load(chosen.reading, turn);
  }

  /** Colours and letters have changed. */
  rebuild(): void {
    this.shape = "";
    this.redraw();
  }

  private async load(reading: Reading, turn: number): Promise<void> {
    const now_ms = this.source.now_ms();
    const shift_ms = shiftOf(reading);
    const path = `/api/v1/series/${reading.key.split("/").map(encodeURIComponent).join("/")}`;
    const step = stepOf(reading) === 0 ? "step=raw" : "step=1m&agg=mean";
    const ask = async (from_ms: number, to_ms: number): Promise<[Point[], boolean]> => {
      const query = `from=${Math.round(from_ms)}&to=${Math.round(to_ms)}&${step}`;
      const answer = await getJson(`${path}?${query}`);
      return [pointsOf(answer), answer["complete"] !== false];
    };
    try {
      const [today, before] = await Promise.all([
        ask(now_ms - DAY_MS, now_ms + 60_000),
        ask(now_ms - DAY_MS - shift_ms, now_ms - shift_ms),
      ]);
      if (turn !== this.turn) return;
      [this.today] = today;
      [this.before] = before;
      this.incomplete = !today[1] || !before[1];
      this.loaded_ms = now_ms;
      if (this.chosen !== null) this.take(this.chosen.reading);
    } catch (error) {
      if (turn !== this.turn) return;
      const why = error instanceof HttpError ? error.message : String(error);
      this.problem = word("chart_failed", this.moment.language, { why });
      this.loaded_ms = now_ms; // asked for again after a while, or when the link is back
    }
    this.redraw();
  }

  private take({ t_ms, value, flag }: Reading): void {
    if (t_ms === null || value === null) return;
    splice(this.today, { t_ms, value, flag });
    forget(this.today, this.source.now_ms() - DAY_MS - HOUR_MS);
  }

  // --- drawing ------------------------------------------------------------------------------

  private head(all: readonly Reading[]): void {
    const { language } = this.moment;
    if (this.chosen === null) {
      setText(this.name, "");
      setAttribute(this.name, "href", null);
      setText(this.figureNow, "");
      this.tabs.replaceChildren();
      this.legend.replaceChildren();
      return;
    }
    const { reading, station } = this.chosen;
    const direction = reading.direction;
    const towards =
      direction === null ? "" : `, ${station.directions[direction]?.[language] ?? direction}`;
    setText(this.name, `${shortName(station.name)}${towards}`);
    setAttribute(this.name, "href", pathOf(station));
    setAttribute(this.name, "title", word("open_place", language, { name: station.name }));
    const value = reading.value === null ? "–" : figure(reading.value, reading.quantity, language);
    const unit = unitOf(reading.quantity, reading.unit, language);
    const band =
      reading.quantity === "salinity_g_l" && reading.value !== null && lookOf(reading) !== "bad"
        ? ` · ${bandWord(reading.value, language)}`
        : "";
    const plain = lookOf(reading) === "good" && reading.flag === 1 && !reading.simulated;
    const age = plain ? measuredAgo(reading, this.moment) : ageText(reading, this.moment);
    setText(this.figureNow, `${value} ${unit}${band} · ${age}`.replace(/\s+/g, " "));
    this.drawTabs(all);
    this.drawLegend();
  }

  private drawTabs(all: readonly Reading[]): void {
    if (this.chosen === null) return;
    const { reading } = this.chosen;
    const { language } = this.moment;
    const kin = kinOf(reading, all);
    const keys = kin.map((r) => r.key);
    const current = [...this.tabs.children].map((tab) => (tab as HTMLElement).dataset["key"]);
    if (keys.join() !== current.join()) {
      this.tabs.replaceChildren(
        ...keys.map((key) => {
          const tab = el("button", { type: "button", "data-key": key });
          tab.addEventListener("click", () => this.source.choose(key));
          return tab;
        }),
      );
    }
    kin.forEach((r, n) => {
      const tab = this.tabs.children[n] as HTMLElement;
      setText(tab, named("q", r.quantity, language));
      setAttribute(tab, "aria-pressed", r.key === reading.key ? "true" : "false");
    });
  }

  private drawLegend(): void {
    if (this.chosen === null) return;
    const { language } = this.moment;
    const parts: [string, string][] = [];
    if (this.before.length > 0) {
      const key = isTraffic(this.chosen.reading) ? "chart_same_hour" : "legend_tide";
      parts.push(["line before", word(key, language)]);
    }
    if (this.today.some((p) => p.flag === 3))
      parts.push(["suspect", word("chart_suspect", language)]);
    if (this.today.some((p) => !counted(p))) {
      parts.push(["failed", word("chart_failed_mark", language)]);
    }
    if (this.incomplete) parts.push(["warn", word("chart_incomplete", language)]);
    const text = JSON.stringify(parts);
    if (this.legend.dataset["shape"] === text) return;
    this.legend.dataset["shape"] = text;
    this.legend.replaceChildren(
      ...parts.map(([sign, meaning]) => el("span", {}, el("i", { class: sign }), meaning)),
    );
  }

  private redraw(): void {
    const { language } = this.moment;
    const empty = this.today.length === 0 && this.before.length === 0;
    let message = "";
    if (this.chosen === null) message = word("chart_empty", language);
    else if (this.problem !== "") message = this.problem;
    else if (this.loaded_ms === null) message = word("chart_loading", language);
    else if (empty) message = word("chart_none", language);
    setText(this.message, message);
    this.message.hidden = message === "";
    this.summarise();
    if (this.chosen === null) {
      this.plot?.destroy();
      this.plot = null;
      this.shape = "";
      return;
    }
    const { width, height } = this.canvas.getBoundingClientRect();
    if (width < 50 || height < 50) return;
    const shape = [this.chosen.reading.key, language, width, height, rem()].join();
    if (shape !== this.shape) {
      this.shape = shape;
      this.plot?.destroy();
      this.plot = new uPlot(this.options(width, height), this.data(), this.canvas);
    } else {
      this.plot?.setData(this.data());
    }
  }

  /** Lone samples of both days, limits and marks, with what the picture now shows. */
  private marks(plot: uPlot, what: "under" | "over"): void {
    const { reading } = this.chosen as { reading: Reading };
    const paint = { colour: palette(), unit: rem() * devicePixelRatio };
    const { colour, unit } = paint;
    const limits = limitsAs(this.limits, this.moment.language);
    if (what === "under") return limitLines(plot, limits, paint);
    const gap_ms = gapOf(reading.expected_s, stepOf(reading));
    const shift_ms = shiftOf(reading);
    lonePoints(plot, this.before, { gap_ms, shift_ms, fill: colour.muted, r: unit * 0.07 });
    lonePoints(plot, this.today, { gap_ms, shift_ms: 0, fill: colour.text, r: unit * 0.11 });
    limitNames(plot, limits, paint);
    flagMarks(plot, this.today, paint);
  }

  private data(): uPlot.AlignedData {
    const { reading } = this.chosen as { reading: Reading };
    const gap_ms = gapOf(reading.expected_s, stepOf(reading));
    const today = columnsOf(this.today, gap_ms);
    const before = columnsOf(this.before, gap_ms, shiftOf(reading));
    const empty: [number[], number[]] = [[this.moment.now_ms / 1000], []];
    return joined([today[0].length > 0 ? today : empty, before]);
  }

  private summarise(): void {
    const { language } = this.moment;
    const values = this.today.filter(counted).map((p) => p.value);
    const quantity = this.chosen?.reading.quantity;
    if (quantity === undefined || values.length === 0) {
      setAttribute(this.canvas, "aria-label", this.message.textContent ?? "");
      return;
    }
    const told = (v: number): string => figure(v, quantity, language);
    const label = word("chart_summary", language, {
      min: told(Math.min(...values)),
      max: told(Math.max(...values)),
      last: told(values.at(-1) as number),
    });
    setAttribute(this.canvas, "aria-label", label);
  }

  private options(width: number, height: number): uPlot.Options {
    const { reading } = this.chosen as { reading: Reading };
    const { language } = this.moment;
    const colour = palette();
    const unit = rem();
    const font = `${Math.round(unit * 0.95)}px "Be Vietnam Pro", sans-serif`;
    const axis = { stroke: colour.muted, font, ticks: { show: false } };
    const grid = { stroke: colour.line, width: 1 };
    return {
      width,
      height,
      // Room for half of a time that stands at the very end.
      padding: [unit * 0.6, unit * 1.6, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: unit * 0.6 }, drag: { x: false, y: false } },
      scales: {
        x: {
          time: false,
          range: () => [(this.moment.now_ms - DAY_MS) / 1000, this.moment.now_ms / 1000],
        },
        y: { range: (_plot, low, high) => this.range(low, high) },
      },
      axes: [
        {
          ...axis,
          grid,
          size: unit * 1.8,
          gap: unit * 0.3,
          splits: (_plot, _n, low, high) =>
            hours(low, high, width / unit < 45 ? 6 : width / unit < 75 ? 3 : 2),
          values: (_plot, splits) => splits.map((t) => clockTime(t * 1000)),
        },
        {
          ...axis,
          grid,
          size: unit * 3.4,
          gap: unit * 0.3,
          space: unit * 2.2,
          values: (_plot, splits) => splits.map((v) => limit(v, reading.quantity, language)),
        },
      ],
      series: [
        {},
        { stroke: colour.text, width: Math.max(1.5, unit * 0.14), points: { show: false } },
        {
          stroke: colour.muted,
          width: Math.max(1, unit * 0.08),
          dash: [unit * 0.3, unit * 0.3],
          points: { show: false },
        },
      ],
      hooks: {
        drawAxes: [(plot) => this.marks(plot, "under")],
        draw: [(plot) => this.marks(plot, "over")],
        setCursor: [(plot) => this.readOut(plot)],
      },
    };
  }

  private range(low: number | null, high: number | null): [number, number] {
    const levels = this.limits.map((rule) => rule.raise as number);
    return yRange(this.chosen?.reading.quantity ?? "", low, high, levels);
  }

  /** Under the pointer: the time, the value, and the day before. */
  private readOut(plot: uPlot): void {
    const index = plot.cursor.idx;
    if (
      this.chosen === null ||
      index === null ||
      index === undefined ||
      (plot.cursor.left ?? -1) < 0
    ) {
      delete this.canvas.dataset["readout"];
      return;
    }
    const { reading } = this.chosen;
    const { language } = this.moment;
    const t_s = plot.data[0][index];
    const [today, before] = [plot.data[1]?.[index], plot.data[2]?.[index]];
    const unit = unitOf(reading.quantity, reading.unit, language);
    const told = (v: number): string => `${figure(v, reading.quantity, language)} ${unit}`.trim();
    const parts = [t_s === undefined ? "" : clockTime(t_s * 1000)];
    if (today != null) parts.push(told(today));
    if (before != null) {
      const key = isTraffic(reading) ? "chart_same_hour" : "chart_yesterday";
      parts.push(`${word(key, language)}: ${told(before)}`);
    }
    this.canvas.dataset["readout"] = parts.join("  ·  ");
  }
}

function stepOf(reading: Reading): number {
  return reading.expected_s < FAST_S ? MINUTE_MS : 0;
}

/** The page of a place; null for an arm of the river, which has none. */
function pathOf({ kind, id }: Station): string | null {
  if (kind === "salinity") return `/tram/${id}`;
  return kind === "traffic" ? `/cau/${id}` : null;
}
