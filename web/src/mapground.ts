// What lies under the marks: land, sea and branches, or the tiles of a configured server.

import {
  type LatLngExpression,
  type Map as LeafletMap,
  polygon,
  polyline,
  tileLayer,
} from "leaflet";

import { el } from "./dom.ts";
import { COAST, REACHES, smooth, type Spot } from "./mapgeo.ts";
import { WordMark } from "./mapmarks.ts";

export const latLng = ({ lat, lon }: Spot): LatLngExpression => [lat, lon];

/** Far out at sea, where no screen ends. */
const EAST = 112;

/** The project's own drawing; over tiles only the branches, thin. */
export function drawGround(map: LeafletMap, tiled: boolean): void {
  const under = map.createPane("ground");
  under.style.zIndex = "250";
  const fixed = { interactive: false, pane: "ground" };
  if (!tiled) {
    const coast = smooth(COAST);
    const [north, south] = [coast[0] as Spot, coast.at(-1) as Spot];
    const corners: LatLngExpression[] = [[south.lat, EAST], [north.lat, EAST]];
    polygon([...coast.map(latLng), ...corners], { ...fixed, className: "geo-sea" }).addTo(map);
  }
  for (const { spots } of REACHES) {
    const className = tiled ? "geo-river geo-thin" : "geo-river";
    polyline(smooth(spots).map(latLng), { ...fixed, className }).addTo(map);
  }
}

/** The names of the branches, each in the middle of its branch. */
export function nameReaches(map: LeafletMap): WordMark[] {
  return REACHES.map(({ name, spots }, n) => {
    const i = Math.ceil(spots.length / 2) - 1;
    const [a, b] = [spots[i] as Spot, spots[i + 1] as Spot];
    const middle: LatLngExpression = [(a.lat + b.lat) / 2, (a.lon + b.lon) / 2];
    const mark = new WordMark(middle, `reach-${n}`, "geo-reach", "ground");
    mark.write(name);
    mark.marker.addTo(map);
    return mark;
  });
}

/** `failed` is told when a tile does not come: the figures are right all the same. */
export function drawTiles(map: LeafletMap, url: string, source: string, failed: () => void): void {
  const tiles = tileLayer(url, { attribution: escaped(source), maxZoom: 19 });
  tiles.on("tileerror", failed);
  tiles.addTo(map);
}

/** Leaflet writes an attribution as HTML; a setting is a text. */
function escaped(text: string): string {
  return el("span", {}, text).innerHTML;
}
