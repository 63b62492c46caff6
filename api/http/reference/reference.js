// Draws the reference from /openapi.json. Text only ever enters as text, never as markup.
"use strict";

/** An element with attributes and children; strings become text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Text in which `so` marks code. */
function prose(text) {
  const parts = (text ?? "").replace(/\n/g, " ").split("`");
  return parts.map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function anchorOf(method, path) {
  return `${method}${path}`.replace(/[^a-z0-9]+/gi, "-");
}

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.anyOf) return schema.anyOf.map(typeOf).filter((t) => t !== "null").join(" | ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  return schema.type ?? "";
}

function shown(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}

function parameters(list) {
  if (!list || list.length === 0) return null;
  const rows = list.map((one) => {
    const preset = one.schema?.default;
    return element(
      "tr", {},
      element("td", {}, element("code", {}, one.name)),
      element("td", {}, one.in),
      element("td", {}, typeOf(one.schema)),
      element("td", {}, preset === undefined || preset === null ? "" : String(preset)),
      element("td", {}, ...prose(one.description ?? one.schema?.description)),
    );
  });
  const names = ["parameter", "in", "type", "default", ""];
  const head = element("tr", {}, ...names.map((name) => element("th", {}, name)));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

function examplesOf(content) {
  const found = [];
  for (const [type, entry] of Object.entries(content ?? {})) {
    if (entry.example !== undefined) found.push([type, entry.example]);
    for (const one of Object.values(entry.examples ?? {})) found.push([type, one.value]);
  }
  return found;
}

function answers(responses) {
  return Object.entries(responses).map(([status, response]) => {
    const title = element("summary", {}, element("code", {}, status), ` ${response.description}`);
    const types = Object.keys(response.content ?? {}).join(", ");
    const parts = examplesOf(response.content).map(([type, value]) =>
      element("div", {}, element("p", { class: "quiet" }, type), element("pre", {}, shown(value))));
    const quiet = element("p", { class: "quiet" }, types);
    const details = element("details", {}, title, parts.length ? null : quiet, ...parts);
    if (status === "200") details.open = true;
    return details;
  });
}

function operation(method, path, found) {
  const heading = element(
    "h3", {},
    element("span", { class: "method" }, method.toUpperCase()),
    element("code", {}, path),
  );
  return element(
    "article", { id: anchorOf(method, path) },
    heading,
    element("p", {}, element("strong", {}, found.summary ?? "")),
    element("p", {}, ...prose(found.description)),
    parameters(found.parameters),
    ...answers(found.responses),
  );
}

function problems(kinds) {
  const rows = Object.entries(kinds).map(([name, kind]) =>
    element(
      "tr", { id: `problem-${name}` },
      element("td", {}, element("code", {}, name)),
      element("td", {}, String(kind.status)),
      element("td", {}, kind.title),
      element("td", {}, ...prose(kind.advice)),
    ));
  return element("table", {}, element("tbody", {}, ...rows));
}

function draw(api) {
  const listed = element("ul");
  const sections = api.tags.map((tag) => {
    const section = element("section", {}, element("h2", {}, tag.name), tag.description);
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, found] of Object.entries(methods)) {
        if (!found.tags?.includes(tag.name)) continue;
        section.append(operation(method, path, found));
        const link = element("a", { href: `#${anchorOf(method, path)}` }, found.summary);
        listed.append(element("li", {}, link));
      }
    }
    return section;
  });
  listed.append(element("li", {}, element("a", { href: "#problems" }, "Problems")));
  document.title = `${api.info.title} ${api.info.version} · HTTP API`;
  document.getElementById("about").append(
    element("span", { class: "text" }, `\n\n${api.info.description}`));
  document.getElementById("contents").append(listed);
  document.getElementById("reference").append(
    ...sections,
    element("section", { id: "problems" }, element("h2", {}, "Problems"),
      problems(api["x-problems"])),
  );
  // The browser looked for the place before it was drawn.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("/openapi.json")
  .then((answer) => {
    if (!answer.ok) throw new Error(`/openapi.json: ${answer.status}`);
    return answer.json();
  })
  .then(draw)
  .catch((error) => {
    const said = `This page could not be drawn: ${error.message}`;
    document.getElementById("reference").append(element("p", { class: "failed" }, said));
  });
