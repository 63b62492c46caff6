"""What a check of devices' messages finds: one finding for one field."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ingest.refusal import Refusal, shown

NONE_SHOWN: Final = ""
PATH_MAX: Final = 120
_INDEX = re.compile(r"\[(\d+)\]")
_GOES_ON: Final = ("is absent", "of ", "are ", "has ")
_VALUE = re.compile(r"(\S+) = (.*?): (.*)", re.DOTALL)
_NAMED = re.compile(r"(payload|samples(?:\[\d+\])?|depth_m|until) (.*)", re.DOTALL)


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"  # the service refuses it
    WARNING = "warning"  # the service takes it, and it is probably not what was meant
    HINT = "hint"  # it is right, and could serve better


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one field of a message, and how to mend it.

    code : of an error the reason of the refusal (`ingest.refusal.Reason`), else what is suspected
    where : the path of the field, `samples[3].ec_ms_cm`; `topic` and `payload` stand for the whole
    value : as it was sent, cut to a line; empty where it is absent or is no single value
    """

    severity: Severity
    code: str
    where: str
    value: str
    text: str

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it has in common with others of its sort, whichever sample they are of."""
        return self.severity, self.code, _INDEX.sub("[]", self.where)

    def __str__(self) -> str:
        if self.value:
            return f"{self.where} = {self.value}: {self.text}"
        joint = " " if self.text.startswith(_GOES_ON) else ": "
        return f"{self.where}{joint}{self.text}"

    @property
    def sample(self) -> int:
        """The number of its sample within the message, -1 where it is of none."""
        found = _INDEX.search(self.where)
        return -1 if found is None else int(found[1])


def warning(code: str, where: str, value: object, text: str) -> Finding:
    return Finding(Severity.WARNING, code, _path(where), _value(value), text)


def hint(code: str, where: str, value: object, text: str) -> Finding:
    return Finding(Severity.HINT, code, _path(where), _value(value), text)


def errors(refusal: Refusal, where: str) -> list[Finding]:
    """A refusal as findings, one for each field; `where` stands for what is no field of its own."""
    if refusal.fields:
        return [
            Finding(
                Severity.ERROR,
                each.reason,
                each.where,
                each.value,
                each.text if each.value else f"is absent: {each.text}",
            )
            for each in refusal.fields
        ]
    path, value, text = where, NONE_SHOWN, refusal.detail
    if named := _VALUE.fullmatch(text):
        path, value, text = named.groups()
    elif named := _NAMED.fullmatch(text):
        path, text = named.groups()
    if where.startswith("samples[") and not path.startswith(where):
        path = f"{where}.{path}"
    return [Finding(Severity.ERROR, refusal.reason, path, value, text)]


def number(value: float) -> str:
    """At most four digits behind the point, and none that say nothing."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _path(where: str) -> str:
    """A path, whose names are a device's, with nothing in it that a terminal would obey."""
    cut = where if len(where) <= PATH_MAX else f"{where[:PATH_MAX]}…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def _value(value: object) -> str:
    if value is None:
        return NONE_SHOWN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return shown(number(value))
    return shown(value if isinstance(value, str) else str(value))
