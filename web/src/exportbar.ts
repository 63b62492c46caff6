// The buttons that take along what is shown: the figures as CSV, the picture as PNG, the page on paper.

import uPlot from "uplot";

import { dataOf, optionsOf } from "./curve.ts";
import { el, setText } from "./dom.ts";
import { captions, csvPath, fileName } from "./export.ts";
import { getFile } from "./http.ts";
import type { Reading, Station } from "./model.ts";
import type { App } from "./page.ts";
import type { Picture } from "./picture.ts";
import { whyText } from "./reporting.ts";
import { save } from "./saving.ts";
import { palette } from "./strokes.ts";
import type { Moment } from "./view.ts";
import { unitOf, word } from "./words.ts";
import { RAW, type Step } from "./zoom.ts";

/** In letter units of 16 px; twice as many pixels on paper. */
const WIDTH = 90;
const MAIN_HEIGHT = 34;
const BELOW_HEIGHT = 13;
const SCALE = 2;

export class ExportBar {
  readonly place = el("span", { class: "exports" });
  private readonly csv = el("button", { type: "button", "data-testid": "csv" });
  private readonly png = el("button", { type: "button", "data-testid": "png" });
  private readonly print = el("button", { type: "button", "data-testid": "print" });
  private pictures: readonly Picture[] = [];
  private reading: Reading | null = null;
  private step: Step = RAW;
  private station: Station | null = null;

  constructor(private readonly app: App) {
    this.place.append(this.csv, this.png, this.print);
    this.csv.addEventListener("click", () => void this.told(this.saveCsv()));
    this.png.addEventListener("click", () => void this.told(this.savePng()));
    this.print.addEventListener("click", () => globalThis.print());
  }

  update(
    pictures: readonly Picture[],
    reading: Reading,
    step: Step | null,
    station: Station,
    { language }: Moment,
  ): void {
    [this.pictures, this.reading, this.step, this.station] = [pictures, reading, step ?? RAW, station];
    setText(this.csv, word("export_csv", language));
    setText(this.png, word("export_png", language));
    setText(this.print, word("export_print", language));
    this.place.hidden = pictures.length === 0;
  }

  private async saveCsv(): Promise<void> {
    const { reading, station, step } = this;
    const span = this.pictures[0]?.span;
    if (reading === null || station === null || span === undefined) return;
    const path = csvPath(reading.key, span, step);
    const file = await getFile(path, "text/csv");
    save(file, fileName(station.id, reading.key, span, step, "csv"));
  }

  private async savePng(): Promise<void> {
    const { reading, station, step } = this;
    const first = this.pictures[0];
    if (reading === null || station === null || first === undefined) return;
    const canvas = await onPaper(this.pictures, location.host, this.app.moment());
    const file = await new Promise<Blob | null>((give) => canvas.toBlob(give, "image/png"));
    if (file === null) throw new Error("no picture");
    save(file, fileName(station.id, reading.key, first.span, step, "png"));
  }

  private async told(act: Promise<void>): Promise<void> {
    try {
      await act;
    } catch (error) {
      const { language } = this.app;
      this.app.toast(word("export_failed", language, { why: whyText(error, language) }));
    }
  }
}

/** The pictures one below the other, as for print: light, with title, legend, span and source. */
export async function onPaper(
  pictures: readonly Picture[],
  source: string,
  { language, now_ms }: Moment,
): Promise<HTMLCanvasElement> {
  const unit = (16 * SCALE) / devicePixelRatio;
  const paper = el("div", { class: "paper" });
  document.body.append(paper);
  try {
    const colour = palette(paper);
    const plots = await Promise.all(
      pictures.map((picture, n) => {
        const size = { width: WIDTH * unit, height: (n === 0 ? MAIN_HEIGHT : BELOW_HEIGHT) * unit };
        return drawn(picture, size, unit, colour, paper);
      }),
    );
    const canvases = plots.map(({ ctx }) => ctx.canvas);
    const whole = composed(pictures, canvases, source, now_ms, language, colour);
    for (const plot of plots) plot.destroy(); // else the window's listeners would keep it
    return whole;
  } finally {
    paper.remove();
  }
}

/** A plot off the screen, once it is drawn. */
function drawn(
  picture: Picture,
  size: { width: number; height: number },
  unit: number,
  colour: ReturnType<typeof palette>,
  paper: HTMLElement,
): Promise<uPlot> {
  return new Promise((give) => {
    const options = optionsOf(() => picture, size, unit, colour);
    options.hooks = { ...options.hooks, draw: [...(options.hooks?.draw ?? []), give] };
    new uPlot(options, dataOf(picture), paper);
  });
}

function composed(
  pictures: readonly Picture[],
  plots: readonly HTMLCanvasElement[],
  source: string,
  now_ms: number,
  language: Moment["language"],
  colour: ReturnType<typeof palette>,
): HTMLCanvasElement {
  const unit = 16 * SCALE;
  const first = pictures[0] as Picture;
  const { title, span, signs, foot } = captions(first, source, now_ms, language);
  const names = 2 * unit;
  const height = plots.reduce((sum, plot) => sum + plot.height + names, 8 * unit);
  const canvas = el("canvas", { width: WIDTH * unit, height });
  const ctx = canvas.getContext("2d");
  if (ctx === null) throw new Error("no canvas");
  const say = (text: string, x: number, y: number, size: number, ink: string, weight = 400): number => {
    ctx.font = `${weight} ${size * unit}px "Be Vietnam Pro", sans-serif`;
    ctx.fillStyle = ink;
    ctx.fillText(text, x, y);
    return ctx.measureText(text).width;
  };
  ctx.fillStyle = colour.ground;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  const left = 1.2 * unit;
  const unitName = unitOf(first.quantity, first.unit, language);
  const heading = [title, unitName === "" ? "" : `(${unitName})`].filter(Boolean).join(" ");
  say(heading, left, 2.4 * unit, 1.7, colour.strong, 600);
  say(span, left, 4 * unit, 1.1, colour.text);
  let x = left;
  for (const { sign, ink, meaning } of signs) {
    ctx.fillStyle = ctx.strokeStyle = colour.named(ink);
    ctx.lineWidth = unit * 0.14;
    ctx.setLineDash(sign === "dashed" ? [unit * 0.3, unit * 0.3] : []);
    const glyph = { suspect: "◇", failed: "×", hand: "■", alert: "▲", hatch: "▨" }[sign as "hand"];
    if (glyph !== undefined) say(glyph, x + 0.5 * unit, 5.7 * unit, 1, colour.named(ink));
    else if (sign === "band" || sign === "area") ctx.fillRect(x, 4.9 * unit, 1.6 * unit, 0.8 * unit);
    else {
      ctx.beginPath();
      ctx.moveTo(x, 5.35 * unit);
      ctx.lineTo(x + 1.6 * unit, 5.35 * unit);
      ctx.stroke();
    }
    x += 2 * unit + say(meaning, x + 2 * unit, 5.7 * unit, 1, colour.text) + 1.6 * unit;
  }
  let y = 6.6 * unit;
  plots.forEach((plot, n) => {
    if (n > 0) say(pictures[n]?.title ?? "", left, y + 1.3 * unit, 1.1, colour.text, 600);
    if (n > 0) y += names;
    ctx.drawImage(plot, 0, y);
    y += plot.height;
  });
  say(foot, left, canvas.height - 0.7 * unit, 0.9, colour.muted);
  return canvas;
}
