// The river as a schematic: branches side by side, the sea on the right, stations at their km.

import type { Before } from "./before.ts";
import { onActivate, rem, setAttribute, setText, svg, textWidth } from "./dom.ts";
import { type Label, lay, makeLabel, marked, sizeOf, type Tier, write } from "./label.ts";
import { type Lanes, lanesOf, partingOf, type Row, rowsOf } from "./layout.ts";
import type { Reading, Station } from "./model.ts";
import type { SaltLine } from "./salt.ts";
import { BLOCK_WIDTH, blockHeight, SaltMarks } from "./saltmarks.ts";
import type { Moment } from "./view.ts";
import { type Language, unitOf, word } from "./words.ts";

/** Lengths in letter units (rem) at full size. */
const LANE_GAP = 1.05;
const FAR_GAP = 0.15;
const BELOW = 0.6;
const AXIS_HEIGHT = 1.7;
const AXIS = 1.15;
const LEFT = 3;
/** How far labels may stand from their place, in their own widths. */
const TOLERANCE = 0.9;
const SMALLEST = 0.45;

/** What the river shows: the newest figures, and what they are compared with. */
export interface RiverView {
  shown: ReadonlyMap<string, Reading | null>;
  /** g/L above the same tide the day before, by station. */
  rises: ReadonlyMap<string, number>;
  salt: ReadonlyMap<string, readonly SaltLine[]>;
  before: Before;
  selected: string | null;
}

/** What decides how the river is drawn, beside its stations. */
export interface Plan {
  /** Mouths of which the service follows lines of salt. */
  salty: ReadonlySet<string>;
  /** Stations with large figures, the one that most deserves it first; as many as fit. */
  prominent: readonly string[];
  /** Stations of which more must be said than their figure. */
  marked: ReadonlySet<string>;
  language: Language;
}

export function markedIn(shown: RiverView["shown"]): Set<string> {
  return new Set([...shown].filter(([, reading]) => marked(reading)).map(([id]) => id));
}

interface Frame {
  width: number;
  /** px of one letter unit. */
  u: number;
  seaX: number;
  x(km: number): number;
}

interface Member {
  station: Station;
  km: number;
  tier: Tier;
  width: number;
  height: number;
}

/** One arm: its labels from left to right, how they lie in lanes, and how high it is, px. */
interface Strip {
  row: Row;
  members: Member[];
  lanes: Lanes;
  above: number;
  height: number;
}

interface Fitted {
  frame: Frame;
  strips: Strip[];
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

  /** Draw the water and the labels anew: other stations, another size, another plan. */
  draw(stations: readonly Station[], plan: Plan): void {
    const focused = this.focused();
    this.salts = [];
    this.root.replaceChildren();
    const { width, height } = this.place.getBoundingClientRect();
    if (width === 0 || height === 0) return;
    setAttribute(this.root, "viewBox", `0 0 ${width} ${height}`);
    setAttribute(this.root, "aria-label", word("panel_river", plan.language));
    const { rows, coast, elsewhere } = rowsOf(stations);
    const ids = new Set(stations.map(({ id }) => id));
    for (const id of this.labels.keys()) if (!ids.has(id)) this.labels.delete(id);
    const first = rows[0];
    if (first === undefined) {
      const none = word("no_stations", plan.language);
      this.root.append(svg("text", { x: 24, y: 40, class: "axis unit" }, none));
      return;
    }
    // What has no place along a branch still has to be seen: it stands by the sea.
    const shore = [...coast, ...elsewhere].map((s) => ({ station: s, km: -1, shared: false }));
    const withShore = [{ mouth: first.mouth, placed: [...shore, ...first.placed] }, ...rows.slice(1)];
    const { frame, strips } = fit(withShore, width, height, plan);
    const total = strips.reduce((sum, strip) => sum + strip.height, 0);
    const spare = Math.max(0, height - AXIS_HEIGHT * frame.u - total) / strips.length;
    this.root.style.setProperty("--u", `${frame.u}px`);
    this.water(frame, strips, spare, height, plan);
    for (const marks of this.salts) this.root.append(marks.group);
    if (focused !== null) this.labels.get(focused)?.group.focus();
  }

  /** Write the newest figures into what is drawn. */
  update({ shown, rises, salt, before, selected }: RiverView, at: Moment): void {
    for (const marks of this.salts) {
      marks.update(salt.get(marks.mouth) ?? [], (line) => before.rise(line), at);
    }
    for (const [id, label] of this.labels) {
      write(label, shown.get(id) ?? null, rises.get(id) ?? null, at);
      setAttribute(label.group, "aria-pressed", id === selected ? "true" : "false");
    }
  }

  /** Drawing anew must not take the focus away. */
  private focused(): string | null {
    const here = document.activeElement;
    for (const [id, { group }] of this.labels) if (group === here) return id;
    return null;
  }

  private water(
    frame: Frame,
    strips: readonly Strip[],
    spare: number,
    height: number,
    { salty, language }: Plan,
  ): void {
    const { u, seaX, width } = frame;
    const water = svg("g", { class: "water", "aria-hidden": "true" });
    const size = 0.5 * u;
    const stripe = svg("path", { d: `M0,${size} L${size},0`, class: "stripe" });
    const pattern = {
      ...{ id: "stale-hatch", width: size, height: size },
      patternUnits: "userSpaceOnUse",
    };
    this.root.append(svg("defs", {}, svg("pattern", pattern, stripe)));
    const marks = svg("g");
    this.root.append(water, marks);
    water.append(svg("rect", { class: "sea", x: seaX, y: 0, width: width - seaX, height }));
    this.axis(water, frame, height, language);
    const lines: { row: Row; y: number; top: number }[] = [];
    let top = 0;
    for (const { row, above, height: own } of strips) {
      lines.push({ row, y: top + spare / 2 + above, top: top + spare / 2 });
      top += own + spare;
    }
    lines.forEach(({ row, y, top: own }, n) => {
      const strip = strips[n] as Strip;
      this.river(water, frame, row, y, lines, n);
      this.labelsOf(marks, frame, strip, y);
      const free = strip.height - blockHeight(salty.has(row.mouth)) * u;
      const place = { ...frame, y, top: own + Math.max(0, free / 2) };
      this.salts.push(new SaltMarks(row.mouth, place, this.pick));
    });
  }

  private axis(water: SVGGElement, frame: Frame, height: number, language: Language): void {
    const { u, x } = frame;
    const bottom = height - AXIS_HEIGHT * u;
    const unitName = unitOf("salinity_g_l", "g/L", language);
    const told = `${word("km_from_mouth", language)} · ${unitName} · ${word("legend_change", language)}`;
    const words = textWidth(told, AXIS * u, 400) + 2 * u;
    for (let km = 0; x(km) > 0; km += 10) {
      water.append(
        svg("line", { class: "grid", x1: x(km), x2: x(km), y1: 0, y2: bottom + 0.3 * u }),
      );
      if (x(km) < words) continue;
      water.append(svg("text", { class: "axis", x: x(km), y: height - 0.45 * u }, String(km)));
    }
    const unit = svg("text", { class: "axis unit", x: 0.5 * u, y: height - 0.5 * u });
    setText(unit, told);
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
    const { u, x, seaX } = frame;
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
    const flare = `M${seaX - 7 * u},${y} L${seaX},${y - 0.5 * u} V${y + 0.5 * u} Z`;
    water.append(
      svg("path", { class: "river", d: `M${start},${y} H${seaX}` }),
      svg("path", { class: "estuary", d: flare }),
    );
  }

  private labelsOf(marks: SVGGElement, frame: Frame, strip: Strip, y: number): void {
    const { u, x } = frame;
    const { members, lanes } = strip;
    members.forEach((member, i) => {
      const { station, km, tier, width, height } = member;
      const side = lanes.lane[i] as 0 | 1 | 2;
      const centre = lanes.centres[i] as number;
      const near = y - LANE_GAP * u;
      const far = near - lanes.heights[0] - FAR_GAP * u;
      const bottom = side === 2 ? far : near;
      const top = side === 1 ? y + LANE_GAP * u : bottom - height;
      const edge = side === 1 ? top : bottom;
      const label = this.labelOf(station);
      // Shore stations stand on the coast, beside the mouth.
      const dot = { dotX: x(Math.max(km, 0)), dotY: km < 0 ? y - 0.9 * u : y };
      lay(label, tier, { u, x: centre - width / 2, y: top, width, height, edge, ...dot });
      marks.append(label.group);
    });
  }

  private labelOf(station: Station): Label {
    const known = this.labels.get(station.id);
    if (known !== undefined && known.station.name === station.name) return known;
    const label = makeLabel(station);
    onActivate(label.group, () => this.choose(station));
    this.labels.set(station.id, label);
    return label;
  }
}

/** As many large figures as fit; only where not even small ones do, all letters grow smaller. */
function fit(rows: readonly Row[], width: number, height: number, plan: Plan): Fitted {
  for (let u = rem(); ; u *= 0.98) {
    const frame = frameOf(rows, width, u);
    const tried = (large: readonly string[], as = plan): Strip[] | null => {
      const chosen = new Set(large);
      const strips = rows.map((row) => stripOf(row, frame, as, chosen));
      const there = strips.filter((strip) => strip !== null);
      const total = there.reduce((sum, strip) => sum + strip.height, AXIS_HEIGHT * u);
      return there.length === rows.length && total <= height ? there : null;
    };
    // On a bad day what is wrong is told by signs alone, before anything grows smaller.
    const terse = { ...plan, marked: new Set<string>() };
    const as = tried([]) === null ? terse : plan;
    let strips = tried([], as);
    if (strips === null && u > SMALLEST * rem()) continue;
    if (strips === null) {
      const none = new Set<string>();
      return { frame, strips: rows.flatMap((row) => stripOf(row, frame, plan, none) ?? []) };
    }
    let large: readonly string[] = [];
    for (const id of plan.prominent) {
      const more = [...large, id];
      const found = tried(more, as);
      if (found === null) continue;
      [large, strips] = [more, found];
    }
    return { frame, strips };
  }
}

function frameOf(rows: readonly Row[], width: number, u: number): Frame {
  const farthest = Math.max(10, ...rows.flatMap((row) => row.placed.map((p) => p.km)));
  const seaX = width - BLOCK_WIDTH * u;
  const scale = (seaX - LEFT * u) / (farthest + 2);
  return { width, u, seaX, x: (km) => seaX - km * scale };
}

/** null where the labels of this arm cannot stand beside each other. */
function stripOf(
  row: Row,
  frame: Frame,
  { salty, marked, language }: Plan,
  chosen: ReadonlySet<string>,
): Strip | null {
  const { u, seaX } = frame;
  const members = [...row.placed].reverse().map(({ station, km }) => {
    const tier = { large: chosen.has(station.id), marked: marked.has(station.id) };
    return { station, km, tier, ...sizeOf(station, tier, u, language) };
  });
  const boxes = members.map((m) => ({ wanted: frame.x(m.km), width: m.width, height: m.height }));
  const lanes = lanesOf(boxes, 0.3 * u, seaX - 0.2 * u, TOLERANCE);
  if (lanes === null) return null;
  const [near, below, far] = lanes.heights;
  const above = near + (far > 0 ? far + FAR_GAP * u : 0) + LANE_GAP * u;
  const under = below > 0 ? below + LANE_GAP * u : BELOW * u;
  const block = blockHeight(salty.has(row.mouth)) * u;
  return { row, members, lanes, above, height: Math.max(above + under, block) };
}
