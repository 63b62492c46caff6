"""Faults in what an operator wrote: one line each, naming file, key, value and what is accepted."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file. `key` is a dotted path such as `station[3].lat`.

    `line` is where the key stands, or what it is missing from; None where nobody knows.
    """

    file: str
    key: str
    value: object
    accepted: str
    line: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key} = {self.value!r}: {self.accepted}"


class ConfigError(Exception):
    """Configuration that can't be used, with every fault found. The command line exits 2."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))
