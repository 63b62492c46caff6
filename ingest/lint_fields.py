"""The fields of an `obs` message: what is refused, with how to mend it, and what is passed over."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from ingest import topics
from ingest.lint_finding import Finding, errors, warning
from ingest.lint_mend import mend, mend_bytes, mend_object
from ingest.lint_names import unknown_fields
from ingest.payload import PAYLOAD_BYTES_MAX, Observations, SalinitySample, TrafficSample
from ingest.refusal import UNREADABLE, Reason, Refusal

ENVELOPE_FIELDS: Final = ("v", "boot", "seq", "samples", "sim")
SAMPLE_FIELDS: Final = {
    "salinity": tuple(f.name for f in msgspec.structs.fields(SalinitySample)),
    "traffic": tuple(f.name for f in msgspec.structs.fields(TrafficSample)),
}

_FIELD = re.compile(r"(?:samples\[(\d+)\]\.)?(\w+)")
_ANY = msgspec.json.Decoder(Any)


def document_of(payload: bytes) -> Any:
    """What JSON the payload is, None where it is none that can be read whole, or too long."""
    if len(payload) > PAYLOAD_BYTES_MAX:
        return None  # as objects it is many times as large
    try:
        return _ANY.decode(payload)
    except UNREADABLE:
        return None


def numbers_of(document: Any) -> tuple[int | None, int | None]:
    """`boot` and `seq` of a message, also of one that is refused."""
    if not isinstance(document, Mapping):
        return None, None
    boot, seq = (
        value if type(value := document.get(name)) is int and value >= 0 else None
        for name in ("boot", "seq")
    )
    return boot, seq


def _sent(document: Any, where: str) -> Any:
    """The value that stands at the path of a field, None where there is none."""
    found = _FIELD.fullmatch(where)
    if found is None or not isinstance(document, Mapping):
        return None
    holder = document if found[1] is None else document["samples"][int(found[1])]
    return holder.get(found[2]) if isinstance(holder, Mapping) else None


def _mended(finding: Finding, document: Any) -> Finding:
    """An error with what to do about it."""
    value = _sent(document, finding.where)
    told = "" if value is None else mend(finding.where.rpartition(".")[2], value)
    start, end = _ends(finding.where, document)
    if not told and start is not None and end is not None:
        told = "t0 and t1 look swapped" if end < start else ""
    return replace(finding, text=f"{finding.text}; {told}") if told else finding


def _ends(where: str, document: Any) -> tuple[int | None, int | None]:
    if not where.endswith(".t1"):
        return None, None
    start, end = _sent(document, f"{where[:-1]}0"), _sent(document, where)
    return (start, end) if isinstance(start, int) and isinstance(end, int) else (None, None)


def refused_message(refusal: Refusal, payload: bytes, document: Any) -> Iterator[Finding]:
    """A message that is refused whole, field by field, with how to mend it."""
    whole = mend_object(document) if document is not None else ""
    for finding in errors(refusal, "payload"):
        told = finding
        if finding.code == Reason.SIZE:
            told = replace(finding, text=f"{finding.text}; send several messages")
        elif document is None and finding.where == "payload":
            looks = mend_bytes(payload, finding.text)
            told = replace(finding, text=f"{finding.text}; {looks}") if looks else finding
        elif finding.where == "v" and not finding.value and not whole:
            told = replace(finding, text=f'{finding.text}; add "v":1')
        elif whole and finding.where in ("payload", "samples"):
            told = replace(finding, text=f"{finding.text}; {whole}")
        else:
            told = _mended(finding, document)
        yield told


def each_sample(
    found: Observations[Any], document: Mapping[str, Any], kind: topics.Kind
) -> Iterator[Finding]:
    """Samples that are refused, and fields that are passed over, sample by sample."""
    other = SAMPLE_FIELDS["traffic" if kind == "salinity" else "salinity"]
    for index, sample in enumerate(found.samples):
        where, sent = f"samples[{index}]", document["samples"][index]
        if isinstance(sample, Refusal):
            for finding in errors(sample, where):
                yield _mended(finding, document)
        if not isinstance(sent, Mapping):
            continue
        strange = {name: value for name, value in sent.items() if value is not None}
        foreign = [n for n in strange if n in other and n not in SAMPLE_FIELDS[kind]]
        if foreign:
            text = f"a {kind} sample has no such field: was it sent on the wrong topic?"
            yield warning("unknown-field", f"{where}.{foreign[0]}", None, text)
        for name in ("boot", "seq", "v"):
            if strange.pop(name, None) is not None:
                text = "stands in the message, beside samples, and is not read here"
                yield warning("unknown-field", f"{where}.{name}", sent[name], text)
        known = {name: value for name, value in strange.items() if name not in foreign}
        yield from unknown_fields(known, SAMPLE_FIELDS[kind], where)
