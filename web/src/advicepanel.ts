// What may be taken where, a line for each intake, and the official level of risk.

import { type Advice, adviceOf, expired, standingOf } from "./advice.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { duration, figure, shortTime } from "./format.ts";
import type { Fields } from "./held.ts";
import { shortName } from "./layout.ts";
import { riskText, risksOf } from "./risk.ts";
import type { Moment } from "./view.ts";
import { unitOf, type Word, word } from "./words.ts";

interface Line {
  item: HTMLElement;
  name: HTMLElement;
  standing: HTMLElement;
  figures: HTMLElement;
}

export class AdvicePanel {
  private readonly lines = new Map<string, Line>();
  private readonly title = el("h2", { id: "advice-title" });
  private readonly risk = el("p", { class: "risk", "data-testid": "risk" });
  private readonly list = el("ul", { "aria-labelledby": "advice-title" });

  constructor(private readonly place: HTMLElement) {
    place.append(this.title, this.risk, this.list);
  }

  /** Answers of /api/v1/advice and /api/v1/desk; null where there is none. */
  update(answer: Fields | null, entered: Fields | null, at: Moment): void {
    const all = adviceOf(answer);
    const risks = risksOf(entered, at.now_ms).map((raw) => riskText(raw, at));
    this.place.hidden = all.length === 0 && risks.length === 0;
    if (this.place.parentElement !== null)
      setAttribute(this.place.parentElement, "data-advice", !this.place.hidden);
    setText(this.title, word("panel_advice", at.language));
    this.title.hidden = all.length === 0;
    setText(this.risk, risks.join("; "));
    setAttribute(this.risk, "title", risks.join("\n") || null);
    this.risk.hidden = risks.length === 0;
    const ids = all.map(({ intake }) => intake);
    for (const [id, { item }] of this.lines) {
      if (ids.includes(id)) continue;
      item.remove();
      this.lines.delete(id);
    }
    for (const one of all) write(this.lines.get(one.intake) ?? this.make(one.intake), one, at);
  }

  private make(intake: string): Line {
    const name = el("span", { class: "name" });
    const standing = el("b", { class: "standing" });
    const figures = el("span", { class: "figures", "data-testid": "age" });
    const item = el("li", { "data-testid": `advice-${intake}` }, name, standing, figures);
    this.list.append(item);
    const line = { item, name, standing, figures };
    this.lines.set(intake, line);
    return line;
  }
}

function write(line: Line, one: Advice, at: Moment): void {
  const { language, now_ms } = at;
  const standing = standingOf(one, now_ms);
  const said = language === "vi" ? one.text_vi : one.text_en;
  const over = expired(one, now_ms);
  setAttribute(line.item, "class", `standing-${standing}`);
  setText(line.name, shortName(one.name).replace(/^Trạm bơm (nước thô )?/, ""));
  setText(line.standing, word(`advice_${standing}` as Word, language));
  // What forbids is shown with its figure, what permits, or is over, with its time: the age of
  // either is in the sentence, and none is shown after its time.
  const timed = over || standing === "may" || standing === "pump";
  const parts = [
    one.simulated ? word("simulated", language) : "",
    one.taking ? word("taking_yes", language) : "",
    one.figure_g_l === null || timed ? "" : `${figure(one.figure_g_l, "salinity_g_l", language)} ${unitOf("salinity_g_l", "g/L", language)}`,
    one.stop_ms === null || over
      ? ""
      : word("advice_stop_by", language, { time: shortTime(one.stop_ms, now_ms) }),
    one.until_ms === null || !timed
      ? ""
      : word(over ? "advice_over" : "advice_until", language, {
          time: shortTime(one.until_ms, now_ms),
        }),
  ];
  setText(line.figures, parts.filter(Boolean).join(" · "));
  // What it said holds no longer than it said.
  const age = one.figure_ms === null ? "" : duration(now_ms - one.figure_ms, language);
  const aged = age === "" ? "" : ` (${word("measured_ago", language, { age })})`;
  const told = over ? `${one.name}: ${line.standing.textContent}` : said + aged;
  setAttribute(line.item, "title", told);
}
