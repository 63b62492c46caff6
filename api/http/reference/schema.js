// JSON schemas as people read them: fields, types, what is accepted.

import { element, heading, idOf, prose, rows } from "./docs.js";

const PREFIX = "#/components/schemas/";

function nameOf(schema) {
  return schema.$ref?.startsWith(PREFIX) ? schema.$ref.slice(PREFIX.length) : null;
}

/** The schema that a reference means, or the schema itself. */
export function resolved(api, schema) {
  const name = nameOf(schema ?? {});
  return name === null ? schema ?? {} : api.components.schemas[name];
}

/** Fields by name and which are needed, of all parts that hold together; later parts say more. */
export function fieldsOf(api, schema) {
  const whole = resolved(api, schema);
  const found = { fields: {}, needed: new Set() };
  for (const part of whole.allOf ?? []) {
    const inner = fieldsOf(api, part);
    for (const [name, field] of Object.entries(inner.fields)) {
      found.fields[name] = { description: found.fields[name]?.description, ...field };
    }
    inner.needed.forEach((name) => found.needed.add(name));
  }
  Object.assign(found.fields, whole.properties ?? {});
  (whole.required ?? []).forEach((name) => found.needed.add(name));
  return found;
}

function joined(parts, between) {
  return parts.flatMap((part, index) => (index ? [between, ...part] : part));
}

/** The type in words, as nodes; schemas with a name are linked. */
export function typeOf(schema) {
  if (!schema) return [];
  const name = nameOf(schema);
  if (name !== null) return [element("a", { href: `#${idOf("schema", name)}` }, name)];
  if (schema.const !== undefined) return [element("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) {
    return joined(schema.enum.map((one) => [element("code", {}, JSON.stringify(one))]), " ");
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either) {
    // That null is as good as absent is said once, at the top.
    const parts = either.filter((one) => one.type !== "null").map(typeOf);
    const orNull = parts.length < either.length ? [[element("code", {}, "null")]] : [];
    return joined([...parts, ...orNull], " or ");
  }
  if (schema.allOf?.length === 1) return typeOf(schema.allOf[0]);
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items ?? {})];
  if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    return ["object of ", ...typeOf(schema.additionalProperties), " by name"];
  }
  if (schema.type === "object" && schema.properties) {
    return [`object of ${Object.keys(schema.properties).join(", ")}`];
  }
  return [[schema.type].flat().join(" or ") || "anything"];
}

/** What bounds a value, in words; "" where nothing does. */
export function boundsOf(schema) {
  const bound = (schema?.anyOf ?? []).find((one) => one.type !== "null") ?? schema ?? {};
  const said = [];
  const between = (low, high, of) => {
    if (low !== undefined && high !== undefined) said.push(`${low} to ${high}${of}`);
    else if (low !== undefined) said.push(`at least ${low}${of}`);
    else if (high !== undefined) said.push(`at most ${high}${of}`);
  };
  between(bound.minimum, bound.maximum, "");
  between(bound.minLength, bound.maxLength, " characters");
  between(bound.minItems, bound.maxItems, " of them");
  if (bound.pattern) said.push(bound.pattern);
  return said.join(", ");
}

/** One row for a field or parameter: its name; its type, bounds, words. */
export function row(name, schema, { needed = false, words = schema?.description, beside = "" } = {}) {
  const bounds = boundsOf(schema);
  const preset = schema?.default;
  const after = [
    bounds,
    preset === undefined || preset === null ? "" : `default ${JSON.stringify(preset)}`,
    beside,
  ].filter(Boolean);
  const type = element("span", { class: "type" }, ...typeOf(schema), ...after.map((one) => `, ${one}`));
  const mark = needed ? element("span", { class: "needed" }, " needed") : null;
  const said = words ? [element("br"), ...prose(words)] : [];
  return [[element("code", {}, name), ...(mark ? [mark] : [])], type, ...said];
}

/** The fields of an object schema; its type where it has none. */
export function fieldList(api, schema) {
  const { fields, needed } = fieldsOf(api, schema);
  const listed = Object.entries(fields);
  if (listed.length === 0) return element("p", { class: "muted" }, ...typeOf(schema));
  return rows(listed.map(([name, field]) => row(name, field, { needed: needed.has(name) })));
}

/** A section of all schemas that have a name; [section, entry of the contents]. */
export function schemaSection(api) {
  const names = Object.keys(api.components?.schemas ?? {}).sort();
  const articles = names.map((name) => {
    const schema = api.components.schemas[name];
    const id = idOf("schema", name);
    return element(
      "article", { id },
      heading("h3", id, name, name),
      schema.description ? element("p", {}, ...prose(schema.description)) : null,
      fieldList(api, schema),
    );
  });
  const section = element("section", { id: "schemas" }, heading("h2", "schemas", "Schemas", "Schemas"), ...articles);
  return [section, ["Schemas", "schemas", names.map((name) => [name, idOf("schema", name)])]];
}
