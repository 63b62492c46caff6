// The map itself: Leaflet with marks of the project's own.

import {
  Control,
  control,
  DomEvent,
  latLngBounds,
  Map as LeafletMap,
  type Point,
  type Polyline,
  polyline,
} from "leaflet";

import { el, setAttribute } from "./dom.ts";
import { mouthName } from "./layout.ts";
import { distance_km, type OnLine, type Way, wayOf } from "./mapgeo.ts";
import { drawGround, drawTiles, latLng, nameReaches } from "./mapground.ts";
import { type Box, type Offset, placesOf, type Wanted } from "./maplabels.ts";
import { Legend, North } from "./maplegend.ts";
import { PlaceMark, WordMark } from "./mapmarks.ts";
import type { Told } from "./maptold.ts";
import { severityRank, type Station } from "./model.ts";
import { saltSpots } from "./mapsalt.ts";
import { kmText, type SaltLine } from "./salt.ts";
import type { Moment } from "./view.ts";
import { type Language, word } from "./words.ts";

/** Half the length of the bar across the river, px. */
const BAR = { 4: 22, 1: 18 } as Readonly<Record<number, number>>;
/** Half of what is seen of a mark, px. */
const DOT = 10;
const NEAR_ZOOM = 12;
/** Ranks below it are of places with an alert that is major or critical. */
const GRAVE = 2;
/** Open water around the outermost stations, as a share of the whole. */
const MARGIN = 0.06;

export interface Tiles {
  url: string | null;
  source: string;
  failed(): void;
}

interface SaltOnMap {
  line: SaltLine;
  on: OnLine;
  bar: Polyline;
  mark: WordMark;
}

export class MapBoard {
  readonly place = el("div", { class: "geo-map", "data-testid": "map" });
  private readonly map: LeafletMap;
  private readonly legend: Legend;
  private readonly north = new North();
  private readonly marks = new Map<string, PlaceMark>();
  private reaches: readonly WordMark[] = [];
  private told: readonly Told[] = [];
  private salts = new Map<string, SaltOnMap>();
  private ways = new Map<string, Way | null>();
  private shape = "";
  private loose = true;
  private spoken: Language | null = null;
  private zoomBar: Control | null = null;
  private readonly sized: ResizeObserver;

  /** `choose` is told of the station whose popup opens. */
  constructor(root: HTMLElement, tiles: Tiles, private readonly choose: (id: string) => void) {
    root.append(this.place);
    this.map = new LeafletMap(this.place, {
      ...{ zoomControl: false, zoomSnap: 0.25, zoomDelta: 0.5, minZoom: 8 },
      maxZoom: tiles.url === null ? 14 : 17,
      // A map that is left in the midst of a zoom would have nothing to end it on.
      ...{ zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false, inertia: false },
      maxBounds: [[8.4, 104.4], [11.8, 108.6]],
    });
    this.map.setView([10.13, 106.4], 10);
    if (tiles.url !== null) drawTiles(this.map, tiles.url, tiles.source, tiles.failed);
    setAttribute(this.place, "data-tiled", tiles.url !== null);
    drawGround(this.map, tiles.url !== null);
    // Tiles have names of their own.
    if (tiles.url === null) this.reaches = nameReaches(this.map);
    this.legend = new Legend(this.place.clientWidth > 700);
    this.add("topright", this.north.place);
    this.add("bottomright", this.legend.place);
    control.scale({ imperial: false, maxWidth: 140 }).addTo(this.map);
    this.map.on("zoomend moveend", () => this.settle());
    // What opens and closes takes room or gives it.
    this.legend.place.addEventListener("toggle", () => this.settle());
    let width = this.place.clientWidth;
    this.sized = new ResizeObserver(() => {
      this.map.invalidateSize({ animate: false });
      if (width !== this.place.clientWidth) this.whole();
      width = this.place.clientWidth;
    });
    this.sized.observe(this.place);
  }

  update(
    told: readonly Told[],
    salt: ReadonlyMap<string, readonly SaltLine[]>,
    at: Moment,
  ): void {
    this.told = told;
    this.speak(at.language);
    this.mount(told.map(({ station }) => station));
    for (const one of told) {
      if (this.marks.get(one.station.id)?.write(one, at) === false) this.loose = true;
    }
    this.writeSalt([...salt.values()].flat(), at);
    if (this.loose) this.settle();
  }

  /** Bring a station before the reader and open what it says. */
  show(id: string): boolean {
    const mark = this.marks.get(id);
    if (mark === undefined) return false;
    const zoom = Math.max(this.map.getZoom(), NEAR_ZOOM);
    this.map.setView(mark.marker.getLatLng(), zoom, { animate: false });
    mark.marker.openPopup();
    return true;
  }

  /** Letters are of another width. */
  restyle(): void {
    this.settle();
  }

  close(): void {
    this.sized.disconnect();
    this.map.remove();
  }

  private add(position: "topright" | "bottomright", place: HTMLElement): void {
    const made = new Control({ position });
    made.onAdd = () => {
      DomEvent.disableClickPropagation(place);
      DomEvent.disableScrollPropagation(place);
      return place;
    };
    made.addTo(this.map);
  }

  private speak(language: Language): void {
    if (this.spoken === language) return;
    this.spoken = language;
    setAttribute(this.place, "role", "region");
    setAttribute(this.place, "aria-label", word("map_label", language));
    this.legend.update(language);
    this.north.update(language);
    this.map.attributionControl.setPrefix(word("map_note", language));
    this.zoomBar?.remove();
    const titles = { zoomInTitle: word("map_zoom_in", language), zoomOutTitle: word("map_zoom_out", language) };
    this.zoomBar = control.zoom({ position: "topleft", ...titles }).addTo(this.map);
    const whole = el("a", { href: "#", role: "button", title: word("map_whole", language) }, "⤢");
    setAttribute(whole, "aria-label", word("map_whole", language));
    setAttribute(whole, "data-testid", "map-whole");
    DomEvent.on(whole, "click", (event) => {
      DomEvent.stop(event);
      this.whole();
    });
    this.zoomBar.getContainer()?.append(whole);
    this.loose = true;
  }

  /** All stations, as near as they can be seen together. */
  private whole(): void {
    const spots = [...this.marks.values()].map(({ marker }) => marker.getLatLng());
    if (spots.length > 0) {
      this.map.fitBounds(latLngBounds(spots).pad(MARGIN), { animate: false });
    }
    this.settle();
  }

  private mount(stations: readonly Station[]): void {
    const known = stations.flatMap(({ id, lat, lon }) => (lat === null || lon === null ? [] : [{ id, lat, lon }]));
    const shape = JSON.stringify(stations.map(({ id, lat, lon, km_from_mouth }) => [id, lat, lon, km_from_mouth]));
    if (shape === this.shape) return;
    this.shape = shape;
    for (const { marker } of this.marks.values()) marker.remove();
    this.marks.clear();
    const mouths = new Set(stations.flatMap(({ km_from_mouth }) => Object.keys(km_from_mouth)));
    this.ways = new Map([...mouths].map((mouth) => [mouth, wayOf(mouth, stations)]));
    for (const { id, ...spot } of known) {
      const mark = new PlaceMark(latLng(spot), id);
      mark.marker.bindPopup(mark.popup, { maxWidth: 320, autoPanPadding: [30, 30] });
      mark.marker.on("popupopen", () => {
        const shut = mark.marker.getPopup()?.getElement()?.querySelector(".leaflet-popup-close-button");
        if (shut) setAttribute(shut, "aria-label", word("map_close", this.spoken ?? "vi"));
        this.choose(id);
      });
      mark.marker.on("popupclose", () => this.choose(""));
      mark.marker.addTo(this.map);
      this.marks.set(id, mark);
    }
    this.whole();
  }

  // --- lines of salt ------------------------------------------------------------------------

  private writeSalt(lines: readonly SaltLine[], { language }: Moment): void {
    const left = new Set(this.salts.keys());
    for (const { line, on, levels } of saltSpots(lines, this.ways)) {
      const id = `${line.mouth}-${line.level_g_l}`;
      left.delete(id);
      const drawn = this.salts.get(id) ?? this.drawSalt(id, line, on);
      const moved = distance_km(drawn.on.at, on.at) > 0;
      const level = word("map_line", language, { level: levels.join(" · ") });
      const text = `${level} ${mouthName(line.mouth)} ${kmText(line, language)} km`;
      Object.assign(drawn, { line, on });
      if (!drawn.mark.write(text) || moved) this.loose = true;
    }
    for (const id of left) {
      this.salts.get(id)?.bar.remove();
      this.salts.get(id)?.mark.marker.remove();
      this.salts.delete(id);
      this.loose = true;
    }
  }

  private drawSalt(id: string, line: SaltLine, on: OnLine): SaltOnMap {
    const className = `geo-line geo-line-${line.level_g_l}`;
    const bar = polyline([], { className, interactive: false }).addTo(this.map);
    const mark = new WordMark(latLng(on.at), `line-${id}`, "geo-salt-tag", "markerPane");
    mark.marker.addTo(this.map);
    const drawn = { line, on, bar, mark };
    this.salts.set(id, drawn);
    return drawn;
  }

  /** Across the river at every zoom, as long on the screen as ever. */
  private layBar({ line, on, bar, mark }: SaltOnMap): void {
    const [at, next] = [on.at, on.next].map((spot) => this.map.latLngToLayerPoint(latLng(spot)));
    const project = (spot: OnLine["at"]): Point => this.map.project(latLng(spot), 18);
    const along = project(on.next).subtract(project(on.at));
    const length = Math.hypot(along.x, along.y) || 1;
    const half = BAR[line.level_g_l] ?? BAR[1] ?? 0;
    const across = along.divideBy(length).multiplyBy(half);
    if (at === undefined || next === undefined) return;
    const ends = [at.add([-across.y, across.x]), at.subtract([-across.y, across.x])];
    bar.setLatLngs(ends.map((end) => this.map.layerPointToLatLng(end)));
    mark.marker.setLatLng(latLng(on.at));
  }

  // --- what stands beside the marks ---------------------------------------------------------

  /** Lay the bars, and let stand beside the marks what has room there. */
  private settle(): void {
    this.loose = false;
    for (const salt of this.salts.values()) this.layBar(salt);
    const all = this.inTurn();
    for (const { place } of all) place({ left: 0, top: 0 }); // what is hidden has no size
    const wanted = all.map(({ spot, tag, mark, afar }): Wanted => {
      const { x, y } = this.map.latLngToLayerPoint(spot);
      const { offsetWidth: width, offsetHeight: height } = tag;
      return { x, y, width, height, mark, afar };
    });
    const least = this.map.containerPointToLayerPoint([0, 0]);
    const most = this.map.containerPointToLayerPoint(this.map.getSize());
    const within = { left: least.x, top: least.y, right: most.x, bottom: most.y };
    const places = placesOf(wanted, within, this.covered(least));
    all.forEach(({ place }, n) => place(places[n] ?? null));
  }

  /** The map's own buttons and legend, as boxes of the layer. */
  private covered(least: { x: number; y: number }): Box[] {
    const { left, top } = this.map.getContainer().getBoundingClientRect();
    const controls = [...this.map.getContainer().querySelectorAll(".leaflet-control")];
    return controls.map((one) => {
      const box = one.getBoundingClientRect();
      const [x, y] = [box.left - left + least.x, box.top - top + least.y];
      return { left: x, top: y, right: x + box.width, bottom: y + box.height };
    });
  }

  /** What is grave has the choice, then the lines of salt, bridges, warnings, the saltiest. */
  private inTurn() {
    const rank = ({ severity, bridge, degree }: Told): number => {
      if (severity === "critical" || severity === "major") return severityRank({ severity });
      return bridge ? GRAVE : severity !== "" ? GRAVE + 1 : 9 - (degree ?? 0);
    };
    const grave = this.told.filter((one) => rank(one) < GRAVE).length;
    const places = [...this.told]
      .sort((a, b) => rank(a) - rank(b))
      .flatMap((one) => {
        const found = this.marks.get(one.station.id);
        // Both bridges stand among the stations of Mỹ Tho.
        return found === undefined ? [] : [{ found, mark: DOT, afar: one.bridge }];
      });
    const salts = [...this.salts.values()].map(({ mark }) => ({ found: mark, mark: DOT, afar: true }));
    const names = this.reaches.map((found) => ({ found, mark: 0, afar: true }));
    return [...places.slice(0, grave), ...salts, ...places.slice(grave), ...names].map(({ found, mark, afar }) => ({
      spot: found.marker.getLatLng(),
      tag: found.tag,
      ...{ mark, afar },
      place: (at: Offset | null) => found.place(at),
    }));
  }
}
