"""JSON schemas of what goes over the wire, from the types that decode and encode it."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import msgspec

from api.asyncapi import bodies
from api.asyncapi.words import FIELDS, OPEN
from api.live import frames
from ingest.payload import DeviceState, Message, SalinitySample, TrafficSample

Schema = dict[str, Any]

CLIENT_FRAMES: Final[tuple[type[msgspec.Struct], ...]] = get_args(frames.ClientFrame)
SERVER_FRAMES: Final[tuple[type[msgspec.Struct], ...]] = get_args(frames.ServerFrame)

_TYPES: Final[tuple[Any, ...]] = (
    *CLIENT_FRAMES,
    *frames.CALLS.values(),
    *SERVER_FRAMES,
    frames.Item,
    Message[SalinitySample],
    Message[TrafficSample],
    DeviceState,
    bodies.Alert,
    bodies.Advice,
    bodies.Ack,
    bodies.ServerState,
    bodies.Link,
)
_NAMES: Final = {
    "Message_SalinitySample_": "SalinityObservations",
    "Message_TrafficSample_": "TrafficObservations",
}
_WORDED_AS: Final = dict.fromkeys(_NAMES.values(), "Observations")
_REFERENCE: Final = "#/components/schemas/"


def components() -> dict[str, Schema]:
    """The schema of each type by its name, in the order of names.

    Enumerations stand where they are used; each field has words where there are some; what
    the codecs leave open (text that is encoded already, values that are judged later) is as
    `OPEN` has it. Unknown fields are allowed everywhere, as the readers allow them.
    """
    _, found = msgspec.json.schema_components(_TYPES, ref_template=_REFERENCE + "{name}")
    enums = {name: schema for name, schema in found.items() if "enum" in schema}
    return {
        name: _told(name, _tidy(found[raw], enums))
        for name, raw in sorted((_NAMES.get(raw, raw), raw) for raw in found)
        if raw not in enums
    }


def open_fields() -> Iterator[tuple[str, str]]:
    """(struct, field) of each field that the codecs leave open altogether."""
    _, found = msgspec.json.schema_components(_TYPES, ref_template=_REFERENCE + "{name}")
    for name, schema in found.items():
        for field, said in schema.get("properties", {}).items():
            if not said.keys() - {"default", "description"}:
                yield name, field


def _told(name: str, schema: Schema) -> Schema:
    """With the words for its fields, and with what the codec doesn't say of them."""
    words = FIELDS.get(_WORDED_AS.get(name, name), {})
    fields = {
        field: _described(dict(OPEN.get((name, field), said)), words.get(field), said)
        for field, said in schema.get("properties", {}).items()
    }
    return {**schema, "title": name, **({"properties": fields} if fields else {})}


def _described(schema: Schema, words: str | None, before: Schema) -> Schema:
    said = before.get("description")
    text = "; ".join(each for each in (words, said) if each)
    schema.pop("description", None)
    if not text:
        return schema
    # Beside a reference nothing else counts (JSON Schema draft 7).
    return {"description": text, **({"allOf": [schema]} if "$ref" in schema else schema)}


def _tidy(schema: Any, enums: Mapping[str, Schema]) -> Any:
    """Enumerations inlined, one value as a constant, names and texts as people read them."""
    if isinstance(schema, list):
        return [_tidy(each, enums) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _tidy(value, enums) for name, value in schema.items()}
    reference = found.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_REFERENCE)
        if name in enums:
            del found["$ref"]
            found["enum"] = enums[name]["enum"]
        else:
            found["$ref"] = _REFERENCE + _NAMES.get(name, name)
    if isinstance(found.get("enum"), list) and len(found["enum"]) == 1:
        found = {"const": found.pop("enum")[0], **found}
    if isinstance(found.get("description"), str):
        found["description"] = inspect.cleandoc(found["description"]).replace("\n", " ")
    # Of a field that may be null the words stand with the field.
    parts = found.get("anyOf")
    if isinstance(parts, list):
        inner = next((each["description"] for each in parts if "description" in each), None)
        found["anyOf"] = [
            {name: value for name, value in each.items() if name != "description"} for each in parts
        ]
        if inner is not None:
            found.setdefault("description", inner)
    return found
