// The board of gates (bảng canh con nước): each intake with both sides, its advice, its crew's word.

import { adviceOf } from "./advice.ts";
import { Asked } from "./asked.ts";
import { deskDoings } from "./deskdoings.ts";
import { el, setAttribute, setText } from "./dom.ts";
import { clockTime } from "./format.ts";
import { type Drawn, GateCard } from "./gatecard.ts";
import { type Gate, gatesOf, gateThen, sorted } from "./gateboard.ts";
import { GateChecks } from "./gatechecks.ts";
import { getJson, sendJson } from "./http.ts";
import { fields, number } from "./model.ts";
import type { App, Opening, Page } from "./page.ts";
import { Past } from "./past.ts";
import { troubleText } from "./reporting.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";

export const open: Opening = (root, app) => new GatesPage(root, app);

const EVERY_MS = 60_000;
const PATH = "/api/v1/gates";

class GatesPage implements Page {
  private readonly asked: Asked;
  private readonly past: Past;
  private readonly checks: GateChecks;
  private readonly title_ = el("h2", { "data-testid": "gates-title" });
  private readonly stood = el("p", { class: "facts", "data-testid": "gates-stood" });
  private readonly trouble = el("p", { class: "trouble", role: "status", "data-testid": "trouble" });
  private readonly board = el("div", { class: "gate-board", role: "list" });
  private readonly cards = new Map<string, GateCard>();
  private gates: Gate[] = [];
  private read: unknown = null;
  private role = "viewer";
  /** What crews had entered by the advice that is polled: another one, and all is asked again. */
  private entered = "";

  constructor(
    root: HTMLElement,
    private readonly app: App,
  ) {
    const changed = (): void => app.schedule();
    this.asked = new Asked(getJson, changed);
    this.past = new Past(getJson);
    this.checks = new GateChecks(app);
    const head = el("header", { class: "place-head" }, this.title_, this.stood);
    const parts = [head, this.trouble, this.checks.note, this.board, this.checks.forms];
    root.append(el("div", { class: "gates-page" }, ...parts));
  }

  title(): string {
    const { language } = this.app;
    return `${word("gates_title", language)} · ${word("river_name", language)}`;
  }

  update(at: Moment): void {
    const { held } = this.app;
    this.listen();
    // While the link is down nobody has a role; what is shown stays.
    this.role = held.client?.role || this.role;
    void this.asked.look(this.role, PATH, EVERY_MS, performance.now());
    const { answer } = this.asked;
    if (answer !== this.read) {
      this.read = answer;
      this.gates = gatesOf(answer);
    }
    const then = held.past !== null;
    const stood_ms = number(answer?.["now"]);
    setText(this.title_, word("gates_title", at.language));
    const time = stood_ms === null ? "" : clockTime(stood_ms);
    setText(this.stood, then ? "" : time && word("gates_stood", at.language, { time }));
    const none = answer !== null && this.gates.length === 0;
    const told = none ? word("gates_none", at.language) : "";
    setText(this.trouble, troubleText(this.asked, time, at.language) || told);
    this.checks.update(at);
    this.draw(at);
  }

  renewed(): void {
    this.asked.again();
    this.past.forget();
    for (const card of this.cards.values()) card.renew();
    this.app.schedule();
  }

  close(): void {
    this.checks.close();
  }

  /** A crew has entered something, here or elsewhere: the board is of before. */
  private listen(): void {
    const items = adviceOf(this.app.held.advice.answer);
    const entered = JSON.stringify(items.map(({ intake, taking, row }) => [intake, taking, row]));
    if (this.entered !== "" && entered !== this.entered) this.asked.again();
    this.entered = entered;
  }

  private draw(at: Moment): void {
    const { held } = this.app;
    const polled = adviceOf(held.advice.answer);
    const shown =
      held.past === null ? this.gates : this.gates.map((gate) => gateThen(gate, held.desk.answer));
    const order = sorted(shown, polled, at.now_ms);
    for (const [id, { place }] of this.cards) {
      if (order.some(({ gate }) => gate.id === id)) continue;
      place.remove();
      this.cards.delete(id);
    }
    order.forEach((drawn, n) => {
      const card = this.cards.get(drawn.gate.id) ?? this.make(drawn);
      card.update(drawn, held.readings, at);
      // Moving one that has the focus would take the focus away.
      const here = this.board.children[n];
      if (here !== card.place && !card.place.contains(document.activeElement)) {
        this.board.insertBefore(card.place, here ?? null);
      }
    });
    setAttribute(this.board, "aria-label", word("gates_title", at.language));
  }

  private make({ gate }: Drawn): GateCard {
    const card = new GateCard(this.past, () => this.app.schedule(), {
      enter: (id) => this.enter(id),
      check: (station) => this.checks.open(station),
    });
    this.cards.set(gate.id, card);
    this.board.append(card.place);
    return card;
  }

  /** The crew's form, at this intake, with what stands now. */
  private enter(id: string): void {
    const states = this.gates.flatMap(({ id: intake, entered }) =>
      entered === null ? [] : [[intake, entered.raw] as const],
    );
    const { stations } = this.app.held;
    const intakes = this.gates.map(({ id: intake, name }) => ({ intake, name }));
    const known = {
      ...{ stations, intake: id },
      entered: { intakes: Object.fromEntries(states) },
      intakes: adviceOf({ items: intakes }),
    };
    const doings = deskDoings(known, this.app.moment(), {
      send: async (method, path, body) => {
        try {
          const item = await sendJson(method, path, body);
          return fields(item) ?? {};
        } finally {
          // Also where somebody else was first: the board shows what he entered.
          this.app.held.lookAgain();
          this.asked.again();
          this.app.schedule();
        }
      },
    });
    const doing = doings.find((one) => one.id === "intake");
    if (doing !== undefined) this.app.offer([doing], doing);
  }
}
