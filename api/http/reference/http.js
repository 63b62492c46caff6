// Draws the reference of the HTTP API from /openapi.json.

import { contents, element, heading, idOf, paragraphs, prose, rows, shown, start } from "./docs.js";
import { fieldList, row, schemaSection, typeOf } from "./schema.js";

function examplesOf(content) {
  const found = [];
  for (const [type, entry] of Object.entries(content ?? {})) {
    if (entry.example !== undefined) found.push([type, entry.example]);
    for (const one of [entry.examples ?? []].flatMap((all) => Object.values(all))) {
      found.push([type, one.value]);
    }
  }
  return found;
}

function examples(content) {
  return examplesOf(content).flatMap(([type, value]) => [
    element("p", { class: "muted" }, type),
    element("pre", {}, shown(value)),
  ]);
}

function parameters(list) {
  if (!list?.length) return [];
  const told = list.map((one) => row(one.name, one.schema, {
    needed: one.required,
    words: one.description ?? one.schema?.description,
    beside: `in ${one.in}`,
  }));
  return [element("h4", {}, "Parameters"), rows(told)];
}

function body(api, said) {
  const content = said?.content;
  if (!content) return [];
  const schema = Object.values(content)[0].schema;
  return [element("h4", {}, "Body"), fieldList(api, schema), ...examples(content)];
}

function answers(responses) {
  return Object.entries(responses).map(([status, response]) => {
    const content = response.content ?? {};
    const named = Object.values(content).map((entry) => entry.schema).find((one) => one?.$ref);
    const title = element("summary", {}, element("code", {}, status), ` ${response.description}`);
    const details = element(
      "details", {}, title,
      named ? element("p", { class: "muted" }, "A ", ...typeOf(named)) : null,
      ...examples(content));
    if (status === "200") details.open = true;
    return details;
  });
}

function operation(api, method, path, found) {
  const id = idOf(method, path);
  return element(
    "article", { id },
    heading("h3", id, found.summary,
      element("span", { class: "mark" }, method.toUpperCase()), element("code", {}, path)),
    element("p", {}, element("strong", {}, found.summary ?? "")),
    ...paragraphs(found.description),
    found.responses["403"]
      ? element("p", { class: "muted" }, "Needs a token, and a role that allows it.") : null,
    ...parameters(found.parameters),
    ...body(api, found.requestBody),
    element("h4", {}, "Answers"),
    ...answers(found.responses),
  );
}

function problems(kinds) {
  return Object.entries(kinds).map(([name, kind]) => {
    const id = `problem-${name}`;
    return element(
      "article", { id },
      heading("h3", id, name, element("code", {}, String(kind.status)), ` ${name}`),
      element("p", {}, element("strong", {}, kind.title)),
      element("p", {}, ...prose(kind.advice)));
  });
}

function draw(api, main) {
  const listed = [];
  main.append(
    element("p", { class: "muted" }, "This page draws itself from ",
      element("a", { href: "/openapi.json" }, "/openapi.json"), `, version ${api.info.version}.`),
    ...paragraphs(api.info.description));
  for (const tag of api.tags) {
    const id = idOf("tag", tag.name);
    const section = element(
      "section", { id }, heading("h2", id, tag.name, tag.name), ...paragraphs(tag.description));
    const below = [];
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, found] of Object.entries(methods)) {
        if (!found.tags?.includes(tag.name)) continue;
        section.append(operation(api, method, path, found));
        below.push([found.summary, idOf(method, path)]);
      }
    }
    main.append(section);
    listed.push([tag.name, id, below]);
  }
  main.append(element("section", { id: "problems" },
    heading("h2", "problems", "Problems", "Problems"),
    ...paragraphs("Every error is one of these."), ...problems(api["x-problems"])));
  const names = Object.keys(api["x-problems"]);
  listed.push(["Problems", "problems", names.map((name) => [name, `problem-${name}`])]);
  const [schemas, entry] = schemaSection(api);
  main.append(schemas);
  contents([...listed, entry]);
}

start("/openapi.json", draw);
