// The fundamental diagram, drawn: the day in grey, the last hour in full, the newest with a ring.

import type { Spot, Spots } from "./diagram.ts";
import { axisOf } from "./diagram.ts";
import { el, rem, setAttribute } from "./dom.ts";
import { clockTime, limit } from "./format.ts";
import { palette } from "./strokes.ts";
import { type Language, word } from "./words.ts";

export interface Axis {
  label: string;
  /** In what a value is shown: 100 for shares. */
  scale: number;
  /** The least that the axis holds. */
  least: number;
}

export interface Diagram {
  title: string;
  x: Axis;
  y: Axis;
  spots: Spots;
  /** A level of y across the picture, such as the capacity; null where none is known. */
  line: { value: number; text: string } | null;
  language: Language;
}

export class DiagramPlot {
  private readonly canvas = el("canvas", { role: "img" });
  private readonly title = el("figcaption");
  readonly place = el("figure", { class: "diagram" }, this.title, this.canvas);
  private shown: Diagram | null = null;
  private shape = "";
  private readonly watch = new ResizeObserver(() => this.draw());

  constructor(testid: string) {
    setAttribute(this.place, "data-testid", testid);
    this.watch.observe(this.place);
  }

  show(diagram: Diagram): void {
    const shape = JSON.stringify(diagram);
    if (shape === this.shape) return;
    this.shape = shape;
    this.shown = diagram;
    this.title.textContent = diagram.title;
    setAttribute(this.canvas, "aria-label", sentence(diagram));
    this.draw();
  }

  restyle(): void {
    this.draw();
  }

  close(): void {
    this.watch.disconnect();
  }

  private draw(): void {
    const { shown, canvas } = this;
    const ctx = canvas.getContext("2d");
    const width = this.place.clientWidth;
    if (shown === null || ctx === null || width < 80) return;
    const ratio = devicePixelRatio;
    const unit = rem() * ratio;
    const height = Math.round(Math.min(width * 0.72, 24 * rem()));
    canvas.style.height = `${height}px`;
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const colour = palette();
    const { spots, line, x, y, language } = shown;
    const all = [...spots.day, ...spots.hour];
    const levels = line === null ? [] : [line.value * y.scale];
    const xs = axisOf(all.map((spot) => spot.x * x.scale), x.least);
    const ys = axisOf([...all.map((spot) => spot.y * y.scale), ...levels], y.least);
    const box = { left: 3.2 * unit, top: 0.8 * unit, right: 0.8 * unit, bottom: 3 * unit };
    const [w, h] = [canvas.width - box.left - box.right, canvas.height - box.top - box.bottom];
    const at = (spot: { x: number; y: number }): [number, number] => [
      box.left + (w * spot.x * x.scale) / xs.top,
      box.top + h - (h * spot.y * y.scale) / ys.top,
    ];
    ctx.font = `${0.9 * unit}px "Be Vietnam Pro", sans-serif`;
    ctx.strokeStyle = colour.line;
    ctx.fillStyle = colour.muted;
    ctx.lineWidth = Math.max(1, unit / 16);
    for (const tick of xs.ticks) {
      const px = box.left + (w * tick) / xs.top;
      stroke(ctx, [px, box.top], [px, box.top + h]);
      ctx.textAlign = "center";
      ctx.fillText(limit(tick, "", language), px, box.top + h + 1.2 * unit);
    }
    for (const tick of ys.ticks) {
      const py = box.top + h - (h * tick) / ys.top;
      stroke(ctx, [box.left, py], [box.left + w, py]);
      ctx.textAlign = "right";
      ctx.fillText(limit(tick, "", language), box.left - 0.4 * unit, py + 0.3 * unit);
    }
    ctx.textAlign = "right";
    ctx.fillText(x.label, box.left + w, box.top + h + 2.4 * unit);
    ctx.textAlign = "left";
    ctx.fillText(y.label, box.left + 0.3 * unit, box.top + 0.9 * unit);
    if (line !== null) {
      const py = box.top + h - (h * line.value * y.scale) / ys.top;
      ctx.strokeStyle = colour.muted;
      ctx.setLineDash([0.7 * unit, 0.35 * unit]);
      stroke(ctx, [box.left, py], [box.left + w, py]);
      ctx.setLineDash([]);
      ctx.textAlign = "right";
      // At the top it would lie over the name of the axis.
      const below = py - box.top < 2 * unit ? 1.1 * unit : -0.3 * unit;
      ctx.fillText(line.text, box.left + w - 0.3 * unit, py + below);
    }
    const dots = (these: readonly Spot[], r: number, fill: string): void => {
      ctx.fillStyle = fill;
      for (const spot of these) {
        ctx.beginPath();
        ctx.arc(...at(spot), r, 0, 2 * Math.PI);
        ctx.fill();
      }
    };
    dots(spots.day, 0.16 * unit, colour.named("--free"));
    dots(spots.hour, 0.26 * unit, colour.strong);
    if (spots.now !== null) {
      ctx.strokeStyle = colour.strong;
      ctx.lineWidth = 0.14 * unit;
      ctx.beginPath();
      ctx.arc(...at(spots.now), 0.62 * unit, 0, 2 * Math.PI);
      ctx.stroke();
    }
  }
}

function stroke(ctx: CanvasRenderingContext2D, a: [number, number], b: [number, number]): void {
  ctx.beginPath();
  ctx.moveTo(...a);
  ctx.lineTo(...b);
  ctx.stroke();
}

/** How many points, and where the newest stands, for who cannot see it. */
function sentence({ title, spots, x, y, language }: Diagram): string {
  const n = spots.day.length + spots.hour.length;
  if (n === 0) return word("diagram_none", language, { title });
  if (spots.now === null) return word("diagram_old", language, { title, n });
  const told = (value: number, { scale, label }: Axis): string =>
    `${label} ${limit(Math.round(value * scale * 10) / 10, "", language)}`;
  const now = `${told(spots.now.x, x)}, ${told(spots.now.y, y)}`;
  return word("diagram_now", language, { title, n, now, time: clockTime(spots.now.t_ms) });
}
