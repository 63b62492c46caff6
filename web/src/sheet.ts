// Tables on the screen, and one sheet of A4 that holds them: what it has no room for is counted.

import { el, setAttribute, setText } from "./dom.ts";
import { type Cell, keptRows, shares, type Table } from "./tables.ts";
import { type Language, word } from "./words.ts";

export function tableElement(table: Table, most = Infinity, paper = false): HTMLElement {
  const caption = el("caption", {}, table.caption);
  const { columns } = table;
  if (table.rows.length === 0) {
    const none = el("p", { class: "none" }, table.none);
    return el("div", { class: "report-table" }, el("h3", {}, table.caption), none);
  }
  const looks = columns.map(({ figures, tight, long }) =>
    figures ? "figure" : tight ? "tight" : long ? "long" : null,
  );
  const heads = columns.map(({ head }, n) =>
    el("th", { scope: "col", class: looks[n] ?? null }, head),
  );
  const body = el("tbody");
  for (const { cells } of keptRows(table.rows, most)) {
    const parts = cells.map((one, n) => {
      const name = { class: looks[n] ?? null };
      return n === 0
        ? el("th", { scope: "row", ...name }, content(one, paper))
        : el("td", name, content(one, paper));
    });
    body.append(el("tr", {}, ...parts));
  }
  const made = el("table", {}, caption, el("thead", {}, el("tr", {}, ...heads)), body);
  const id = paper ? null : `table-${table.id}`;
  const stacked = columns.some(({ long }) => long) ? "" : null;
  const name = { class: "report-table", "data-testid": id, "data-stacked": stacked };
  return el("div", name, made);
}

/** Tables that are wider than their place are scrolled by keyboard too. */
export function reachable(tables: HTMLElement): void {
  for (const place of tables.querySelectorAll<HTMLElement>(".report-table")) {
    const wide = place.scrollWidth > place.clientWidth;
    setAttribute(place, "tabindex", wide ? 0 : null);
    setAttribute(place, "role", wide ? "group" : null);
    const name = place.querySelector("caption")?.textContent ?? "";
    setAttribute(place, "aria-label", wide ? name : null);
  }
}

function content({ text, href, strong }: Cell, paper: boolean): HTMLElement | string {
  const inner = strong ? el("b", {}, text) : text;
  // On paper nobody can follow a link, and the sheet must not be reached by the keyboard.
  return href === undefined || paper ? inner : el("a", { href }, inner);
}

export interface SheetContent {
  title: string;
  /** Lines below the title. */
  lead: readonly string[];
  /** Tables by column of the sheet; what may be cut, and what stays whole. */
  columns: readonly (readonly Table[])[];
  foot: readonly string[];
  /** Names below lines to sign on. */
  signed: readonly string[];
  /** Where all of it stands, such as the address of this page. */
  whole: string;
}

/** Drawn off the screen in its true size, so that what is printed is what was fitted. */
export class Sheet {
  readonly place = el("div", { class: "sheet-holder", "aria-hidden": "true" });
  private readonly sheet = el("div", { class: "sheet", "data-testid": "sheet" });

  constructor() {
    this.place.append(this.sheet);
  }

  /** Fill the sheet with as much as it holds. */
  draw(content: SheetContent, language: Language): void {
    const counts = content.columns.map((tables) =>
      tables.map(({ rows, printed }) => Math.min(rows.length, printed ?? Infinity)),
    );
    let shown = counts;
    this.fill(content, shown, language);
    // Each column by itself: a short one does not pay for a long one.
    const most = counts.map((of) => of.reduce((sum, n) => sum + n, 0));
    content.columns.forEach((_, n) => {
      let [low, high] = [0, most[n] ?? 0];
      if (!this.over(n)) return;
      while (low < high) {
        const room = Math.ceil((low + high) / 2);
        shown = shown.map((of, m) => (m === n ? shares(counts[n] ?? [], room) : of));
        this.fill(content, shown, language);
        if (this.over(n)) high = room - 1;
        else low = room;
      }
      shown = shown.map((of, m) => (m === n ? shares(counts[n] ?? [], low) : of));
      this.fill(content, shown, language);
    });
  }

  private over(column: number): boolean {
    const place = this.sheet.querySelector(".sheet-columns");
    const one = place?.children[column];
    return one !== undefined && place !== null && one.scrollHeight > place.clientHeight + 1;
  }

  private fill(content: SheetContent, shown: number[][], language: Language): void {
    const columns = content.columns.map((tables, n) => {
      const parts = tables.flatMap((table, m) => {
        const most = shown[n]?.[m] ?? 0;
        const left = table.rows.length - most;
        const note = word("rows_left", language, { n: left, where: content.whole });
        const drawn = most === 0 && left > 0 ? bare(table) : tableElement(table, most, true);
        return left > 0 ? [drawn, el("p", { class: "left-out" }, note)] : [drawn];
      });
      return el("div", {}, ...parts);
    });
    const signed = content.signed.map((name) => el("div", {}, name));
    this.sheet.replaceChildren(
      el("h1", {}, content.title),
      ...content.lead.filter(Boolean).map((line) => el("p", { class: "lead" }, line)),
      el("div", { class: "sheet-columns", "data-columns": columns.length }, ...columns),
      el("div", { class: "signed" }, ...signed),
      ...content.foot.map((line) => el("p", { class: "foot" }, line)),
    );
  }
}

/** Of a table with no room for a single row, its name at least. */
function bare(table: Table): HTMLElement {
  const place = el("div", { class: "report-table" });
  const title = el("h3");
  setText(title, table.caption);
  place.append(title);
  return place;
}
