"""What devices say of themselves, `state` and `meta`, and the topics they say it on."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ingest.lint_finding import Finding, errors, hint, warning
from ingest.lint_mend import mend, mend_bytes
from ingest.lint_names import meant, unknown_fields
from ingest.payload import PAYLOAD_BYTES_MAX, DeviceState, decode_meta, decode_state
from ingest.reading import EPOCH_2000_MS
from ingest.refusal import Reason, Refusal, is_id
from ingest.topics import KINDS, LEAVES

NEAR_FULL: Final = 0.9
STATE_FIELDS: Final = ("s", "boot", "t", "until")
QOS_OBS: Final = 1


def topic_findings(topic: str, refusal: Refusal, root: str) -> Iterator[Finding]:
    """What is wrong with a topic, and what it probably was to be."""
    (found,) = errors(refusal, "topic")
    told = _topic_mend(topic, root)
    text = f"{found.text}; {told}" if told else found.text
    yield Finding(found.severity, found.code, found.where, found.value, text)


def _topic_mend(topic: str, root: str) -> str:
    before, marked, after = topic.partition("/v1/")
    if topic.startswith("/"):
        return "it begins with a slash, which is a level of its own"
    if not marked:
        return "it has no /v1/ behind the root"
    if before != root:
        return f"the service listens to {root}/v1/# and never hears this; --root names another root"
    return _level_mend(after.split("/"))


def _level_mend(parts: list[str]) -> str:
    """What is wrong with the levels behind the version."""
    if parts[0] not in KINDS:
        kind = meant(parts[0], KINDS) or _KIND_OF.get(parts[0].lower())
        return f"did you mean {kind}?" if kind else ""
    if len(parts) != 4:
        return f"it has {len(parts)} levels behind v1/, accepted are 4"
    for part in parts[1:3]:
        if not is_id(part):
            plain = "-".join(filter(None, "".join(map(_plain, part)).split("-")))
            return f"send {plain[:40]!r}" if plain else ""
    leaf = meant(parts[3], LEAVES) or _LEAF_OF.get(parts[3].lower())
    return f"did you mean {leaf}?" if leaf else ""


def _plain(letter: str) -> str:
    lower = letter.lower()
    return lower if lower in "abcdefghijklmnopqrstuvwxyz0123456789" else "-"


_KIND_OF: Final = {
    "salt": "salinity",
    "water": "salinity",
    "river": "salinity",
    "camera": "traffic",
}
_LEAF_OF: Final = {
    "data": "obs",
    "observation": "obs",
    "observations": "obs",
    "status": "state",
    "lwt": "state",
    "info": "meta",
}


def sending_findings(
    leaf: str, size: int, *, retain: bool | None, qos: int | None
) -> Iterator[Finding]:
    """What is wrong with the way a message was sent, as far as it is known."""
    if NEAR_FULL * PAYLOAD_BYTES_MAX < size <= PAYLOAD_BYTES_MAX:
        text = f"{size:,} of {PAYLOAD_BYTES_MAX:,} bytes: one digit more may be refused. Send two"
        yield warning("size", "payload", None, text)
    if leaf == "obs" and retain:
        text = (
            "obs is sent without the retain flag: the broker gives this again to everybody who"
            " connects, as if it had just been measured"
        )
        yield warning("retain", "payload", None, text)
    if qos is not None and qos < QOS_OBS:
        text = "sent with QoS 0: what the connection loses is lost. Send with QoS 1"
        yield (warning if leaf == "obs" else hint)("qos", "payload", None, text)


def state_findings(payload: bytes, document: Any, now_ms: int | None) -> Iterator[Finding]:
    """What is wrong with a `state` payload. An empty one takes a retained state back."""
    found = decode_state(payload)
    if isinstance(found, Refusal):
        if found.reason is not Reason.EMPTY:
            yield from refused(found, payload, document)
        return
    if isinstance(document, Mapping):
        yield from unknown_fields(document, STATE_FIELDS, "")
    yield from _state(found, now_ms)


def _state(state: DeviceState, now_ms: int | None) -> Iterator[Finding]:
    if state.boot is None:
        text = (
            "is absent: the late will of an earlier connection then puts out the link of the new"
            " one"
        )
        yield hint("no-boot", "boot", None, text)
    if state.t is not None and state.t < EPOCH_2000_MS:
        told = mend("t", state.t) or "before 2000"
        yield hint(
            "clock", "t", state.t, f"{told} (taken: a device is born before its clock is set)"
        )
    if state.until is not None and state.s != "sleeping":
        yield hint("until", "until", state.until, 'goes with "sleeping" and is passed over else')
    over = state.until is not None and now_ms is not None and state.until <= now_ms
    if state.s == "sleeping" and over:
        text = "is over already: no data is an alert at once"
        yield warning("until", "until", state.until, text)


def meta_findings(payload: bytes, document: Any) -> Iterator[Finding]:
    """What is wrong with a `meta` payload: it is stored and not interpreted."""
    found = decode_meta(payload)
    if isinstance(found, Refusal):
        if found.reason is not Reason.EMPTY:
            yield from refused(found, payload, document)
        return
    for path, text in _texts(found, ""):
        said = text.replace("μ", "µ").lower()
        if said in _UNITS:
            ours = f"not converted: payloads are in {_UNITS[said]}"
            yield warning("unit", path, text, ours)


_UNITS: Final = {
    "µs/cm": "mS/cm",
    "us/cm": "mS/cm",
    "s/m": "mS/cm",
    "°f": "°C",
    "f": "°C",
    "fahrenheit": "°C",
    "mph": "km/h",
    "m/s": "km/h",
    "mg/l": "g/L",
    "ppm": "g/L",
    "mv": "V",
}


def sends_ec25(meta: Mapping[str, Any]) -> bool:
    """Whether a device says that the conductivity it sends is compensated to 25 °C."""
    told = [f"{path}={text}".lower() for path, text in _texts(meta, "")]
    return any(
        ("conduct" in each or "ec" in each.split("=")[0])
        and any(word in each.split("=", 1)[1] for word in ("ec25", "25 °c", "25°c", "25c", "25 c"))
        for each in told
    )


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts(each, f"{path}.{name}" if path else str(name))


def refused(refusal: Refusal, payload: bytes, document: Any) -> Iterator[Finding]:
    """A refused payload of no samples, field by field, with how to mend it."""
    for found in errors(refusal, "payload"):
        if found.code == Reason.SIZE:
            told = ""
        elif document is None and found.where == "payload":
            told = mend_bytes(payload, found.text)
        else:
            sent = document.get(found.where) if isinstance(document, Mapping) else None
            told = mend(found.where, sent) if sent is not None else ""
        text = f"{found.text}; {told}" if told else found.text
        yield Finding(found.severity, found.code, found.where, found.value, text)
