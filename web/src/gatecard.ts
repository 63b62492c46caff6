// One intake of the board: what may be done in large letters, both sides, its crew's word, its windows.

import type { Advice, Standing } from "./advice.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { figure, limit } from "./format.ts";
import {
  enteredText,
  type Gate,
  type Gauge,
  headText,
  type Need,
  newestOf,
  nextText,
  reasonText,
  type Side,
  untilText,
  windowsText,
} from "./gateboard.ts";
import { GateCurve } from "./gatecurve.ts";
import type { Reading } from "./model.ts";
import type { Past } from "./past.ts";
import { ageText, bandWord, lookOf, type Moment } from "./view.ts";
import { named, unitOf, type Word, word } from "./words.ts";

export interface Drawn {
  gate: Gate;
  advice: Advice | null;
  standing: Standing;
  need: Need;
}

export interface Acts {
  enter(intake: string): void;
  check(station: string): void;
}

export class GateCard {
  readonly place = el("article", { class: "panel gate", role: "listitem" });
  private readonly name = el("h3");
  private readonly about = el("p", { class: "about" });
  private readonly need = el("p", { class: "need", "data-testid": "need" });
  private readonly standing = el("p", { class: "standing", "data-testid": "standing" });
  private readonly until = el("p", { class: "until", "data-testid": "until" });
  private readonly reason = el("p", { class: "reason", "data-testid": "reason" });
  private readonly sides = { outside: new SideBox("outside"), inside: new SideBox("inside") };
  private readonly head = el("p", { class: "head", "data-testid": "head" });
  private readonly entered = el("p", { class: "entered", "data-testid": "entered" });
  private readonly enter = el("button", { type: "button", class: "primary", "data-testid": "enter" });
  private readonly check = el("button", { type: "button", "data-testid": "check" });
  private readonly windows = el("p", { class: "windows", "data-testid": "windows" });
  private readonly next = el("p", { class: "windows", "data-testid": "next" });
  private readonly curve: GateCurve;
  private id = "";
  private station = "";

  constructor(past: Past, changed: () => void, acts: Acts) {
    this.curve = new GateCurve(past, changed);
    this.enter.addEventListener("click", () => acts.enter(this.id));
    this.check.addEventListener("click", () => acts.check(this.station));
    const { outside, inside } = this.sides;
    this.place.append(
      el("header", {}, this.name, this.about),
      el("div", { class: "advised" }, this.standing, this.until, this.need),
      this.reason,
      el("div", { class: "sides" }, outside.place, inside.place),
      el("div", { class: "crew" }, this.entered, el("p", { class: "actions" }, this.enter, this.check)),
      el("div", { class: "past" }, this.curve.place, this.windows, this.next),
    );
    inside.place.append(this.head);
  }

  update(drawn: Drawn, live: ReadonlyMap<string, Reading>, at: Moment): void {
    const { gate, advice, standing, need } = drawn;
    const { language } = at;
    this.id = gate.id;
    this.station = gate.outside.salinity.station;
    setAttribute(this.place, "data-testid", `gate-${gate.id}`);
    setAttribute(this.place, "data-standing", standing);
    setAttribute(this.place, "data-need", need);
    setText(this.name, gate.name);
    setText(this.about, aboutText(gate, at));
    setText(this.standing, word(`advice_${standing}` as Word, language));
    setText(this.until, untilText(advice, standing, at));
    setText(this.reason, reasonText(advice, gate, at));
    this.need.hidden = need !== "close" && need !== "begin";
    if (!this.need.hidden) setText(this.need, word(`need_${need}` as Word, language));
    this.sides.outside.update(gate.outside, live, at);
    this.sides.inside.update(gate.inside, live, at);
    setText(this.head, `${word("gate_head", language)}: ${headText(gate, language)}`);
    setAttribute(this.head, "class", gate.head_m === null ? "head unknown" : "head");
    setText(this.entered, enteredText(gate, at));
    setText(this.enter, word("gate_enter", language));
    this.enter.hidden = !gate.now;
    setText(this.check, word("gate_check", language));
    this.check.hidden = this.station === "" || !gate.now;
    // "Enter" alone says nothing to who hears buttons one after the other.
    setAttribute(this.enter, "aria-label", `${word("gate_enter", language)}: ${gate.name}`);
    setAttribute(this.check, "aria-label", `${word("gate_check", language)}: ${gate.name}`);
    this.curve.update(gate, newestOf(gate.outside.salinity, live), at);
    setText(this.windows, windowsText(gate, at));
    setText(this.next, nextText(gate, at));
  }

  renew(): void {
    this.curve.renew();
  }
}

function aboutText(gate: Gate, { language }: Moment): string {
  const level = limit(gate.limit_g_l, "salinity_g_l", language);
  const parts = [
    named("lift", gate.lift, language),
    gate.crop === "" ? "" : named("crop", gate.crop, language),
    word("gate_limit", language, { level }),
  ];
  return parts.filter(Boolean).join(" · ");
}

class SideBox {
  readonly place: HTMLElement;
  private readonly title = el("h4");
  private readonly salinity = new Figure("gate_salinity");
  private readonly level = new Figure("gate_level");
  private readonly nothing = el("p", { class: "nothing" });

  constructor(private readonly side: "outside" | "inside") {
    const { title, salinity, level, nothing } = this;
    const parts = [title, salinity.place, level.place, nothing];
    this.place = el("section", { "data-testid": side }, ...parts);
  }

  update(side: Side, live: ReadonlyMap<string, Reading>, at: Moment): void {
    setText(this.title, word(`gate_${this.side}`, at.language));
    this.salinity.update(side.salinity, newestOf(side.salinity, live), at);
    this.level.update(side.level, newestOf(side.level, live), at);
    // The same reason twice is one.
    const { salinity, level } = side;
    const none = salinity.reading === null && level.reading === null;
    const same = none && salinity.why_vi === level.why_vi;
    this.salinity.place.hidden = this.level.place.hidden = same;
    setText(this.nothing, same ? (at.language === "vi" ? salinity.why_vi : salinity.why_en) : "");
  }
}

class Figure {
  readonly place: HTMLElement;
  private readonly name = el("span", { class: "name" });
  private readonly value = el("b", { "data-testid": "value" });
  private readonly unit = el("span", { class: "unit" });
  private readonly age = el("span", { class: "age", "data-testid": "age" });
  private readonly link = el("a", { class: "value" }, this.value, " ", this.unit);

  constructor(private readonly of: "gate_salinity" | "gate_level") {
    this.place = el("p", { class: "gauge" }, this.name, this.link, this.age);
    setAttribute(this.place, "data-of", of);
  }

  update(gauge: Gauge, reading: Reading | null, at: Moment): void {
    const { language } = at;
    const known = reading !== null && reading.value !== null;
    setText(this.name, word(this.of, language));
    setAttribute(this.place, "data-look", known ? lookOf(reading) : "none");
    this.link.hidden = !known;
    setAttribute(this.link, "href", known ? `/tram/${reading.station}` : null);
    if (!known) {
      const why = language === "vi" ? gauge.why_vi : gauge.why_en;
      setText(this.age, why || word("st_never", language));
      return;
    }
    const { quantity, unit } = reading;
    const value = reading.value ?? 0;
    setText(this.value, figure(value, quantity, language));
    setText(this.unit, unitOf(quantity, unit, language));
    const band = quantity === "salinity_g_l" && lookOf(reading) === "good" ? bandWord(value, language) : "";
    setText(this.age, [band, ageText(reading, at)].filter(Boolean).join(" · "));
  }
}
