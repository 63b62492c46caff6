// What both pages have in common. Text only ever enters as text, never as markup.

/** An element with attributes and children; strings become text, null and undefined nothing. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const MARKED = /`([^`]+)`|\[([^\]]+)\]\((\/[^)\s]*)\)|\*([^*\s][^*]*)\*/;

/** A line of text in which `so` marks code, *so* emphasis, and [so](/path) a page of ours. */
export function prose(text) {
  const found = [];
  let rest = (text ?? "").replace(/\s*\n\s*/g, " ");
  for (let match = MARKED.exec(rest); match; match = MARKED.exec(rest)) {
    const [whole, code, words, path, emphasis] = match;
    found.push(rest.slice(0, match.index));
    if (code) found.push(element("code", {}, code));
    else if (path) found.push(element("a", { href: path }, words));
    else found.push(element("em", {}, emphasis));
    rest = rest.slice(match.index + whole.length);
  }
  return [...found, rest];
}

/** Paragraphs, which blank lines part. */
export function paragraphs(text) {
  return (text ?? "").split(/\n\s*\n/).filter(Boolean)
    .map((part) => element("p", {}, ...prose(part)));
}

/** An id of words; the same words give the same id. */
export function idOf(...words) {
  return words.join("-").replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "");
}

/** A heading that can be linked to. `title` says of what the link is. */
export function heading(level, id, title, ...children) {
  const link = element("a", { class: "anchor", href: `#${id}`, "aria-label": `Link to ${title}` }, "#");
  return element(level, {}, ...children, link);
}

/** Rows of a name and what is said of it. */
export function rows(pairs) {
  if (pairs.length === 0) return null;
  return element("dl", {}, ...pairs.map(([name, ...said]) =>
    element("div", {}, element("dt", {}, ...[name].flat()), element("dd", {}, ...said))));
}

const LINE = 72;

/** JSON on several lines, of which each holds as much as fits. */
export function shown(value, indent = "") {
  if (typeof value === "string" && indent === "") return value;
  const short = JSON.stringify(value);
  if (value === null || typeof value !== "object" || indent.length + short.length <= LINE) return short;
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((one) => inner + shown(one, inner))
    : Object.entries(value).map(([name, one]) => `${inner}${JSON.stringify(name)}: ${shown(one, inner)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}

/** What stands in the contents: [words, id, [[words, id], …]]. */
export function contents(entries) {
  const item = ([words, id, below]) => element(
    "li", { "data-for": id },
    element("a", { href: `#${id}` }, words),
    below?.length ? element("ul", {}, ...below.map(item)) : null,
  );
  const wide = matchMedia("(min-width: 60.01rem)");
  const folded = element(
    "details", {}, element("summary", {}, "Contents"), element("ul", {}, ...entries.map(item)));
  const unfold = () => { folded.open = wide.matches; };
  wide.addEventListener("change", unfold);
  unfold();
  document.getElementById("contents").append(folded);
}

/** Whether a text has each of the words. */
export function fits(text, words) {
  return words.every((word) => text.includes(word));
}

function filtering() {
  const input = document.getElementById("wanted");
  const told = document.getElementById("found");
  const articles = [...document.querySelectorAll("main article")];
  const texts = new Map(articles.map((one) => [one, one.textContent.toLowerCase()]));
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const one of articles) one.hidden = !fits(texts.get(one), words);
    for (const section of document.querySelectorAll("main section")) {
      section.hidden = words.length > 0 && !section.querySelector("article:not([hidden])");
    }
    for (const item of document.querySelectorAll("#contents li")) {
      const place = document.getElementById(item.dataset.for);
      item.hidden = place === null || place.closest("[hidden]") !== null;
    }
    const left = articles.filter((one) => !one.hidden).length;
    told.textContent = words.length ? `${left} of ${articles.length}` : "";
  };
  const clear = () => {
    input.value = "";
    apply();
  };
  input.addEventListener("input", apply);
  document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    } else if (event.key === "Escape" && event.target === input) clear();
  });
  // Whoever follows a link to what is filtered out wants to see it.
  const arrive = () => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (place === null) return;
    if (place.closest("[hidden]")) clear();
    place.scrollIntoView();
  };
  addEventListener("hashchange", arrive);
  arrive();
}

/** Fetch a document and draw it; say so where that fails. */
export async function start(path, draw) {
  const main = document.getElementById("reference");
  try {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    draw(await answer.json(), main);
    filtering();
  } catch (error) {
    const said = `This page could not be drawn: ${error.message}`;
    main.append(element("p", { class: "failed", role: "alert" }, said));
  }
}
