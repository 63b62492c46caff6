// The little of DOM that is needed everywhere.

type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | null>;

function fill<E extends Element>(made: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  for (const child of children) if (child !== null) made.append(child);
  return made;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Writing only what changed keeps focus, selection and the screen reader's place. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(
  node: Element,
  name: string,
  value: string | number | boolean | null,
): void {
  if (value === null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** Activate with a click, Enter or the space bar. */
export function onActivate(node: Element, act: () => void): void {
  node.addEventListener("click", act);
  node.addEventListener("keydown", (event) => {
    const { key } = event as KeyboardEvent;
    if (key === "Enter" || key === " ") {
      event.preventDefault();
      act();
    }
  });
}

const ruler = document.createElement("canvas").getContext("2d");

const widths = new Map<string, number>();
const WIDTHS_MAX = 5000;
document.fonts.addEventListener("loadingdone", () => widths.clear());

/** Width of a text, px, in the page's face. */
export function textWidth(text: string, size_px: number, weight: number): number {
  if (ruler === null) return text.length * size_px * 0.56;
  const key = `${weight} ${size_px} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    ruler.font = `${weight} ${size_px}px "Be Vietnam Pro", sans-serif`;
    width = ruler.measureText(text).width;
    if (widths.size >= WIDTHS_MAX) widths.clear();
    widths.set(key, width);
  }
  return width;
}

/** The page's letter unit, px: 16 on a wall of 1080 lines. */
export function rem(): number {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}
