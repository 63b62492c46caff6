// The river as a schematic: branches side by side, the sea on the right, stations at their km.

import { onActivate, rem, setAttribute, setText, svg, textWidth } from "./dom.ts";
import { figureWidth, type Box, type Label, LABEL_HEIGHT, makeLabel, write } from "./label.ts";
import { lanesOf, mouthName, partingOf, type Row, rowsOf, spread } from "./layout.ts";
import type { Reading, Station } from "./model.ts";
import type { SaltLine } from "./salt.ts";
import { SALT_BESIDE_RIVER, SALT_HEIGHT, SaltMarks } from "./saltmarks.ts";
import type { Moment } from "./view.ts";
import { type Language, word } from "./words.ts";

/** Lengths in letter units (rem) at full size. */
const SMALL = 0.95;
const LANE_GAP = 0.95;
const FAR_GAP = 0.15;
const ROW_GAP = 0.25;
const AXIS_HEIGHT = 1.6;
const SEA_WIDTH = 8.2;
const LEFT = 3.2;
/** How far labels may stand from their place, in widths of a label. */
const TOLERANCES = [0.8, 1.2, 1.7];

interface Frame extends Box {
  width: number;
  seaX: number;
  x(km: number): number;
}

/** What there is to fit in, px and km, and how far labels may stand from their place. */
interface Space {
  width: number;
  height: number;
  farthest: number;
  tolerance: number;
  salty: ReadonlySet<string>;
  language: Language;
}

interface Lanes {
  row: Row;
  lane: number[];
  height: number;
}

export class Schematic {
  private readonly labels = new Map<string, Label>();
  private salts: SaltMarks[] = [];
  private readonly root: SVGSVGElement;

  constructor(
    private readonly place: HTMLElement,
    private readonly choose: (station: Station) => void,
    private readonly pick: (key: string) => void,
  ) {
    this.root = svg("svg", { class: "schematic", role: "group" });
    place.append(this.root);
  }

  /**
   * Draw the water and the labels anew: other stations, another size, another language. `salty`
   * are the mouths of which the service follows lines of salt.
   */
  draw(stations: readonly Station[], salty: ReadonlySet<string>, language: Language): void {
    this.labels.clear();
    this.salts = [];
    this.root.replaceChildren();
    const { width, height } = this.place.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    setAttribute(this.root, "viewBox", `0 0 ${width} ${height}`);
    const { rows, coast, elsewhere } = rowsOf(stations);
    const first = rows[0];
    if (first === undefined) {
      this.root.append(svg("text", { x: 24, y: 40, class: "axis" }, word("no_stations", language)));
      return;
    }
    // What has no place along a branch still has to be seen: it stands by the sea.
    const shore = [...coast, ...elsewhere];
    const withShore: Row[] = [
      {
        mouth: first.mouth,
        placed: [...shore.map((s) => ({ station: s, km: -1, shared: false })), ...first.placed],
      },
      ...rows.slice(1),
    ];
    const farthest = Math.max(10, ...rows.flatMap((row) => row.placed.map((p) => p.km)));
    let best: { frame: Frame; lanes: Lanes[] } | null = null;
    for (const tolerance of TOLERANCES) {
      const fitted = this.fit(withShore, { width, height, farthest, tolerance, salty, language });
      // Labels may stand farther from their place where that makes them clearly larger.
      if (best === null || fitted.frame.u > 1.04 * best.frame.u) best = fitted;
    }
    if (best === null) return;
    const { frame, lanes } = best;
    const spare = Math.max(0, (height - heightOf(lanes, frame.u)) / lanes.length);
    this.root.style.setProperty("--u", `${frame.u}px`);
    this.water(frame, lanes, spare, height, language);
    for (const marks of this.salts) this.root.append(marks.group);
  }

  /** Write the newest figures into what is drawn. */
  update(
    shown: ReadonlyMap<string, Reading | null>,
    salt: ReadonlyMap<string, readonly SaltLine[]>,
    selected: string | null,
    at: Moment,
  ): void {
    for (const marks of this.salts) marks.update(salt.get(marks.mouth) ?? [], at);
    for (const [id, label] of this.labels) {
      const reading = shown.get(id) ?? null;
      write(label, reading, at);
      setAttribute(label.group, "aria-pressed", id === selected ? "true" : "false");
    }
  }

  /** The largest letters with which everything fits. */
  private fit(
    rows: readonly Row[],
    to: Space,
  ): { frame: Frame; lanes: Lanes[] } {
    let u = rem();
    for (;;) {
      const frame = this.frame(to.width, to.farthest, u, to.language);
      const lanes = lanesIn(frame, rows, to);
      if (heightOf(lanes, u) <= to.height || u < 0.4 * rem()) return { frame, lanes };
      u *= 0.985;
    }
  }

  private frame(width: number, farthest_km: number, u: number, language: Language): Frame {
    const seaX = width - SEA_WIDTH * u;
    const scale = (seaX - LEFT * u) / (farthest_km + 2);
    const words = ["band_1", "band_4"] as const;
    const beside = words.map((w) => textWidth(word(w, language), SMALL * u, 400));
    const block = figureWidth(u) + Math.max(...beside, 4 * u);
    return {
      width,
      u,
      seaX,
      labelWidth: block + 0.7 * u,
      x: (km) => seaX - km * scale,
    };
  }

  private water(
    frame: Frame,
    lanes: readonly Lanes[],
    spare: number,
    height: number,
    language: Language,
  ): void {
    const { u, seaX, width } = frame;
    const water = svg("g", { class: "water", "aria-hidden": "true" });
    const size = 0.5 * u;
    const stripe = svg("path", { d: `M0,${size} L${size},0`, class: "stripe" });
    const pattern = {
      id: "stale-hatch",
      width: size,
      height: size,
      patternUnits: "userSpaceOnUse",
    };
    this.root.append(svg("defs", {}, svg("pattern", pattern, stripe)));
    const marks = svg("g");
    this.root.append(water, marks);
    water.append(svg("rect", { class: "sea", x: seaX, y: 0, width: width - seaX, height }));
    this.axis(water, frame, height, language);
    const lines: { row: Row; y: number }[] = [];
    let top = 0;
    for (const { row, lane, height: own } of lanes) {
      const far = lane.includes(2) ? LABEL_HEIGHT + FAR_GAP : 0;
      lines.push({ row, y: top + spare / 2 + (far + LABEL_HEIGHT + LANE_GAP) * u });
      top += own * u + spare;
    }
    lines.forEach(({ row, y }, n) => {
      this.river(water, frame, row, y, lines, n);
      const own = lanes[n] as Lanes;
      this.labelsOf(marks, frame, own, y, language);
      const below = own.lane.includes(1) ? LANE_GAP + LABEL_HEIGHT : 0;
      this.salts.push(new SaltMarks(row.mouth, { ...frame, y, below_px: below * u }, this.pick));
      const name = svg("text", { class: "mouth", x: width - 0.5 * u, y: y + 0.4 * u });
      setText(name, mouthName(row.mouth));
      water.append(name);
    });
  }

  private axis(water: SVGGElement, frame: Frame, height: number, language: Language): void {
    const { u, x } = frame;
    const bottom = height - AXIS_HEIGHT * u;
    const words = textWidth(word("km_from_mouth", language), 0.95 * u, 400) + 1.5 * u;
    for (let km = 0; x(km) > words; km += 10) {
      water.append(
        svg("line", { class: "grid", x1: x(km), x2: x(km), y1: 0, y2: bottom + 0.3 * u }),
        svg("text", { class: "axis", x: x(km), y: height - 0.5 * u }, String(km)),
      );
    }
    const unit = svg("text", { class: "axis unit", x: 0.5 * u, y: height - 0.5 * u });
    setText(unit, word("km_from_mouth", language));
    const sea = svg("text", { class: "sea-name", x: frame.width - 0.5 * u, y: height - 0.5 * u });
    setText(sea, word("sea", language));
    water.append(unit, sea);
  }

  private river(
    water: SVGGElement,
    frame: Frame,
    row: Row,
    y: number,
    lines: readonly { row: Row; y: number }[],
    n: number,
  ): void {
    const { u, x, seaX, width } = frame;
    const rows = lines.map((line) => line.row);
    const parting = partingOf(row, rows);
    const trunkY = lines[0]?.y ?? y;
    let start = 0;
    if (parting !== null) {
      const fromY = lines.find((line) => line.row === parting.from)?.y ?? trunkY;
      start = x(parting.km);
      const [a, b] = [start - 3.2 * u, start];
      const bend = `M${a},${fromY} C${b},${fromY} ${a},${y} ${b},${y}`;
      water.append(svg("path", { class: "river", d: bend }));
      const side = row.placed.filter((p) => x(p.km) < start).at(-1);
      if (side !== undefined) {
        const d = `M${x(side.km) - 1.2 * u},${y} H${start}`;
        water.append(svg("path", { class: "river side", d }));
      }
    } else if (n > 0) {
      // It leaves the trunk far upstream; the later the row, the farther.
      const leave = (LEFT * u * (lines.length - n - 0.5)) / lines.length;
      start = leave + 1.4 * u;
      const d = `M${leave},${trunkY} V${y - 1.4 * u} Q${leave},${y} ${start},${y}`;
      water.append(svg("path", { class: "river", d }));
    }
    const flare = `M${seaX - 9 * u},${y} L${seaX},${y - 0.55 * u} V${y + 0.55 * u} Z`;
    water.append(
      svg("path", { class: "river", d: `M${start},${y} H${seaX + 0.1 * (width - seaX)}` }),
      svg("path", { class: "estuary", d: flare }),
    );
  }

  private labelsOf(
    marks: SVGGElement,
    frame: Frame,
    { row, lane }: Lanes,
    y: number,
    language: Language,
  ): void {
    const { u, x, labelWidth } = frame;
    for (const side of [2, 0, 1]) {
      const members = row.placed.filter((_, i) => lane[i] === side).reverse(); // left to right
      const wanted = members.map((p) => x(p.km));
      const centres = spread(wanted, labelWidth, 0.3 * u, rightmost(frame, row));
      const near = y - (LANE_GAP + LABEL_HEIGHT) * u;
      const top = [near, y + LANE_GAP * u, near - (LABEL_HEIGHT + FAR_GAP) * u][side] as number;
      const edge = side === 1 ? top : top + LABEL_HEIGHT * u;
      members.forEach((placed, i) => {
        const centre = centres[i] as number;
        const km = placed.km >= 0 ? String(Math.round(placed.km)) : "";
        const label = makeLabel(placed.station, km, centre - labelWidth / 2, top, frame, language);
        // Shore stations stand on the coast, beside the mouth.
        const dotX = x(Math.max(placed.km, 0));
        const dotY = placed.km < 0 ? y - 1.1 * u : y;
        const dot = svg("circle", { class: "dot", cx: dotX, cy: dotY, r: 0.42 * u });
        const end = Math.min(
          Math.max(dotX, centre - labelWidth / 2 + u),
          centre + labelWidth / 2 - u,
        );
        const leader = svg("path", { class: "leader", d: `M${dotX},${dotY} L${end},${edge}` });
        label.group.prepend(leader);
        label.group.append(dot);
        label.dot = dot;
        setAttribute(label.group, "tabindex", 0);
        onActivate(label.group, () => this.choose(placed.station));
        marks.append(label.group);
        this.labels.set(placed.station.id, label);
      });
    }
  }
}

function lanesIn(frame: Frame, rows: readonly Row[], { tolerance, salty }: Space): Lanes[] {
  return rows.map((row) => {
    const wanted = row.placed.map((p) => frame.x(p.km)).reverse();
    const low = 0.3 * frame.u;
    const lane = lanesOf(wanted, frame.labelWidth, low, rightmost(frame, row), tolerance).reverse();
    const count = new Set(lane).size;
    const height = count * LABEL_HEIGHT + Math.min(count, 2) * LANE_GAP;
    const beside = count > 1 ? 0 : SALT_BESIDE_RIVER;
    const below = salty.has(row.mouth) ? SALT_HEIGHT + beside : ROW_GAP;
    return { row, lane, height: height + (count > 2 ? FAR_GAP : 0) + below };
  });
}

/** Labels leave the names of the mouths free; what stands on the shore may reach over the sea. */
function rightmost(frame: Frame, row: Row): number {
  const shore = row.placed.some((p) => p.km < 0);
  return shore ? frame.width - 0.3 * frame.u : frame.seaX + 1.6 * frame.u;
}

function heightOf(lanes: readonly Lanes[], u: number): number {
  return u * (lanes.reduce((sum, each) => sum + each.height, 0) + AXIS_HEIGHT + 0.5);
}
