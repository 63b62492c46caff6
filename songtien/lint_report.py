"""The findings of `songtien lint` as lines: for people, folded; for machines, one by one."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.lint import Finding, Lint, Severity
from ingest.refusal import shown

SHOWN: Final = 3
"""Findings of one kind and device that are told in full."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: which message of the input (None: all), of which device.

    word : "line" of a file, "message" of a feed; of : what stands behind its number, if anything
    """

    number: int | None
    word: str
    device: str
    topic: str = ""
    of: str = ""

    def __str__(self) -> str:
        if self.number is None:
            return shown(self.device)
        return f"{self.word} {self.number}{f' {shown(self.of)}' if self.of else ''}"


@dataclass(slots=True)
class Report:
    """Counts what is found, and keeps back what has been told often enough."""

    everything: bool = False
    found: Counter[Severity] = field(default_factory=Counter)
    _kinds: Counter[tuple[str, tuple[str, str, str]]] = field(default_factory=Counter)

    def line(self, place: Place, finding: Finding) -> str | None:
        """A finding for people, None where it is folded away."""
        self.found[finding.severity] += 1
        kind = (place.device, finding.kind)
        self._kinds[kind] += 1
        if self._kinds[kind] > SHOWN and not self.everything:
            return None
        return f"{place}: {finding.severity} {finding.code}: {finding}"

    def json(self, place: Place, finding: Finding) -> str:
        """A finding as one JSON object."""
        self.found[finding.severity] += 1
        content = {
            place.word: place.number,
            "topic": place.topic or None,
            "device": place.device,
            "severity": finding.severity,
            "code": finding.code,
            "where": finding.where,
            "value": finding.value or None,
            "text": finding.text,
        }
        there = {name: value for name, value in content.items() if value is not None}
        return msgspec.json.encode(there).decode()

    def folded(self) -> list[str]:
        """What was kept back, a line for each kind."""
        if self.everything:
            return []
        return [
            f"{shown(device)}: {count - SHOWN:,} more: {severity} {code} at {where}"
            for (device, (severity, code, where)), count in self._kinds.items()
            if count > SHOWN
        ]

    def wrong(self, *, lenient: bool) -> bool:
        """Whether anything is: `lenient` counts what is refused alone."""
        warnings = 0 if lenient else self.found[Severity.WARNING]
        return bool(self.found[Severity.ERROR] or warnings)

    def summary(self, lint: Lint) -> list[str]:
        """All in a few lines: how much was looked at, what is wrong, what becomes of the last."""
        errors, warnings = self.found[Severity.ERROR], self.found[Severity.WARNING]
        hints = self.found[Severity.HINT]
        messages, samples = _many(lint.messages, "message"), _many(lint.samples, "sample")
        extra = f", {_many(hints, 'hint')}" if hints else ""
        if errors or warnings:
            told = f"{_many(errors, 'error')}, {_many(warnings, 'warning')}{extra}"
            lines = [f"{messages}, {samples}: {told}"]
        else:
            taken = _many(lint.taken, "sample")
            lines = [f"nothing wrong: {messages}, {taken} would be taken{extra}"]
        if lint.duplicates:
            lines.append(f"{_many(lint.duplicates, 'sample')} sent again, counted as duplicate")
        if lint.passed_over:
            passed = _many(lint.passed_over, "message")
            lines.append(f"{passed} on topics of the service's own, passed over")
        if lint.last is not None:
            lines.append(f"the last one: {lint.last}")
        return lines


def _many(count: int, of: str) -> str:
    return f"{count:,} {of}{'' if count == 1 else 's'}"
