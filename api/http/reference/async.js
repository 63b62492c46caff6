// Draws the reference of the live socket and of the topics of devices from /asyncapi.json.

import { contents, element, heading, idOf, paragraphs, prose, rows, shown, start } from "./docs.js";
import { fieldList, row, schemaSection } from "./schema.js";

const DONE = { send: "The service sends", receive: "The service receives" };

function last(reference) {
  return reference.$ref.split("/").pop();
}

function link(name, titles) {
  return element("a", { href: `#${idOf("message", name)}` }, titles[name] ?? name);
}

function listed(references, titles) {
  return references.flatMap((one, index) => [index ? ", " : "", link(last(one), titles)]);
}

function addressOf(found) {
  return `${found.protocol}://${found.host}${found.pathname ?? ""}`;
}

function server(name, found) {
  const id = idOf("server", name);
  return element(
    "article", { id },
    heading("h3", id, found.title, found.title),
    element("p", {}, element("code", {}, addressOf(found))),
    ...paragraphs(found.description));
}

function operation(name, found, titles) {
  const id = idOf("operation", name);
  const out = found.action === "send";
  const binding = found.bindings?.mqtt;
  const carried = binding
    ? element("p", { class: "muted" }, `QoS ${binding.qos}, ${binding.retain ? "retained" : "not retained"}`)
    : null;
  return element(
    "article", { id },
    heading("h3", id, found.title,
      element("span", { class: out ? "mark out" : "mark" }, DONE[found.action]), found.title),
    ...paragraphs(binding ? "" : found.description),
    element("p", {}, "Messages: ", ...listed(found.messages, titles)),
    found.reply ? element("p", {}, "Answered by: ", ...listed(found.reply.messages, titles)) : null,
    carried);
}

function message(api, name, found) {
  const id = idOf("message", name);
  const json = found.contentType === "application/json";
  const texts = found.examples.map((one) => shown(one.payload)).filter(Boolean);
  return element(
    "article", { id },
    heading("h3", id, found.title, found.title, " ", element("code", { class: "address" }, name)),
    ...paragraphs(found.summary),
    json ? fieldList(api, found.payload) : null,
    texts.length ? element("h4", {}, texts.length > 1 ? "Examples" : "Example") : null,
    ...texts.map((text) => element("pre", {}, text)));
}

function figures(id, title, pairs, words) {
  if (!pairs.length) return null;
  return element(
    "article", { id },
    heading("h3", id, title, title),
    ...(words ? [element("p", {}, ...prose(words))] : []),
    rows(pairs));
}

function rules(found) {
  const limits = (found["x-limits"] ?? []).map((one) => [
    element("strong", {}, `${one.value.toLocaleString("en")} ${one.unit}`), ...prose(one.means)]);
  const closes = (found["x-close-codes"] ?? []).map((one) => [
    [element("code", {}, String(one.code)), one["come-back"] ? " come back" : " stop"],
    ...prose(one.means)]);
  const errors = (found["x-error-codes"] ?? []).map((one) => [
    element("code", {}, String(one.code)), ...prose(one.means)]);
  return [
    figures("limits", "Limits", limits),
    figures("close-codes", "Close codes", closes, found["x-come-back"]),
    figures("error-codes", "Codes of err", errors),
  ];
}

function parameters(found) {
  const entries = Object.entries(found.parameters ?? {});
  if (!entries.length) return null;
  return rows(entries.map(([name, one]) => row(
    name, { type: "string", enum: one.enum },
    { words: `${one.description}; such as \`${one.examples[0]}\`` })));
}

function channel(api, name, found, titles) {
  const id = idOf("channel", name);
  const operations = Object.entries(api.operations).filter(([, one]) => last(one.channel) === name);
  const names = Object.keys(found.messages);
  const at = api.servers[last(found.servers[0])];
  const address = at.protocol.startsWith("ws") ? addressOf(at) + found.address : found.address;
  const section = element(
    "section", { id },
    heading("h2", id, found.title, found.title),
    element("p", { class: "address" }, element("code", {}, address)),
    ...paragraphs(found.description),
    parameters(found),
    ...operations.map(([key, one]) => operation(key, one, titles)),
    ...names.map((key) => message(api, key, api.components.messages[key])),
    ...rules(found));
  const below = names.map((key) => [titles[key], idOf("message", key)]);
  if (found["x-limits"]) {
    below.push(["Limits", "limits"], ["Close codes", "close-codes"], ["Codes of err", "error-codes"]);
  }
  return [section, [found.title, id, names.length > 1 ? below : []]];
}

function draw(api, main) {
  const titles = Object.fromEntries(
    Object.entries(api.components.messages).map(([name, one]) => [name, one.title]));
  const servers = Object.entries(api.servers);
  main.append(
    element("p", { class: "muted" }, "This page draws itself from ",
      element("a", { href: "/asyncapi.json" }, "/asyncapi.json"),
      `, AsyncAPI ${api.asyncapi}, version ${api.info.version}.`),
    ...paragraphs(api.info.description),
    element("section", { id: "servers" },
      heading("h2", "servers", "Servers", "Servers"),
      ...servers.map(([name, one]) => server(name, one))));
  const entries = [["Servers", "servers", servers.map(([name, one]) => [one.title, idOf("server", name)])]];
  for (const [name, found] of Object.entries(api.channels)) {
    const [section, entry] = channel(api, name, found, titles);
    main.append(section);
    entries.push(entry);
  }
  const [schemas, entry] = schemaSection(api);
  main.append(schemas);
  contents([...entries, entry]);
}

start("/asyncapi.json", draw);
