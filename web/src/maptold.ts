// What the map and the list beside it say of each place. No DOM.

import type { Fold, Folded } from "./fold.ts";
import { figure, MINUTE_MS, shortDuration } from "./format.ts";
import { shortName } from "./layout.ts";
import { bandOf, type Reading, severityRank, type Station, usable } from "./model.ts";
import { directionsOf, directionView, type Mode } from "./traffic.ts";
import { ageText, bandWord, type Look, lookOf, type Moment, spoken } from "./view.ts";
import { named, unitOf, type Word, word } from "./words.ts";

export interface Told {
  station: Station;
  name: string;
  bridge: boolean;
  /** "4,30", "34 phút", "ùn ứ"; "–" where nothing is known. */
  figure: string;
  /** What the figure means, in a word or two: its band, the state of the traffic. */
  meaning: string;
  /** Band 0 to 4 of a figure that is known, level 0 to 4 of a bridge; null where there is none. */
  degree: number | null;
  look: Look;
  suspect: boolean;
  /** As short as can be: "4 phút". */
  age: string;
  /** With what is wrong: "cách đây 4 phút", "mất tín hiệu từ 09:10". */
  ageLong: string;
  /** All of it in a sentence, for who does not see the map. */
  sentence: string;
  /** Of a bridge, a line for each direction. */
  lines: string[];
  alerts: Fold[];
  /** The worst of its alerts; "" where it has none. */
  severity: string;
}

export interface Known {
  readings: readonly Reading[];
  shown: Reading | null;
  modes: ReadonlyMap<string, Mode>;
  folded: Folded;
}

export function toldOf(station: Station, known: Known, at: Moment): Told {
  const alerts = known.folded.rows.filter(({ speaks }) => speaks.station === station.id);
  const worst = [...alerts].sort((a, b) => severityRank(a) - severityRank(b))[0];
  const about =
    station.kind === "traffic" ? bridgeTold(station, known, at) : salinityTold(station, known, at);
  const warned = alerts.map(({ severity }) => named("severity", severity, at.language));
  return {
    ...{ station, name: shortName(station.name), alerts, severity: worst?.severity ?? "" },
    ...about,
    sentence: [about.sentence, ...warned].join(", "),
  };
}

type About = Omit<Told, "station" | "name" | "alerts" | "severity">;

function agesOf(reading: Reading | null, at: Moment): { age: string; ageLong: string } {
  const t_ms = reading?.t_ms ?? null;
  const age_ms = at.now_ms - (t_ms ?? 0);
  // As short as can be: every letter takes room from another place's figure.
  const told = age_ms < MINUTE_MS ? word("map_now", at.language) : shortDuration(age_ms, at.language);
  const age = t_ms === null ? "" : told;
  return { age, ageLong: ageText(reading, at) };
}

function salinityTold(station: Station, { shown }: Known, at: Moment): About {
  const value = shown?.value ?? null;
  return {
    ...agesOf(shown, at),
    bridge: false,
    figure: value === null ? "–" : figure(value, "salinity_g_l", at.language),
    meaning: value === null ? "" : bandWord(value, at.language),
    degree: value === null ? null : bandOf(value),
    look: lookOf(shown),
    suspect: shown?.flag === 3,
    sentence: spoken(station.name, shown, at),
    lines: [],
  };
}

/** A bridge is as its worse direction; the other one stands in its lines. */
function bridgeTold(station: Station, { readings, modes }: Known, at: Moment): About {
  const { language } = at;
  const views = directionsOf(station, readings).map((direction) => {
    const view = directionView(station, direction, readings);
    const mode = modes.get(`${station.id}/${direction}`);
    const working = mode !== undefined && (mode.until_ms ?? Infinity) > at.now_ms ? mode.mode : "";
    const closed = working === "closed";
    const level = closed ? null : view.level;
    const minutes = closed ? null : view.whole.minutes;
    const bound = minutes?.bound === "above" ? "> " : minutes?.bound === "below" ? "< " : "";
    const figure_ =
      minutes === null || minutes.value === null
        ? ""
        : `${bound}${figure(minutes.value, minutes.quantity, language)} ${unitOf("crossing_time_min", "min", language)}`;
    const state = word((level === null ? "level_none" : `level_${level}`) as Word, language);
    const meaning = working === "" ? state : named("mode", working, language);
    const name = station.directions[direction]?.[language] ?? direction;
    const line = [`${name}: ${meaning}`, figure_, ageText(view.main, at)].filter(Boolean).join(", ");
    // Nobody crosses where it is closed: that is worse than any queue.
    return { main: view.main, level, figure: figure_, meaning, line, rank: closed ? 9 : (level ?? -1) };
  });
  const worst = [...views].sort((a, b) => b.rank - a.rank)[0];
  const main = worst?.main ?? null;
  return {
    ...agesOf(main, at),
    bridge: true,
    figure: worst?.figure || worst?.meaning || "–",
    meaning: worst?.figure ? worst.meaning : "",
    degree: main !== null && usable(main) ? (worst?.level ?? null) : null,
    look: lookOf(main),
    suspect: main?.flag === 3,
    sentence: [station.name, ...views.map(({ line }) => line)].join(". "),
    lines: views.map(({ line }) => line),
  };
}
