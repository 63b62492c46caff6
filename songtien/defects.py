"""Parts of the processor that are due however often they are stepped, told to whoever operates."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from songtien.dues import Overdue

log = logging.getLogger(__name__)

Figures = dict[str, tuple[str, float]]

CLEAN: Final[Mapping[str, Overdue]] = {}


class Defects:
    """A line in the log when it begins and when it ends; the rest is asked for.

    `take` is for the processor's thread, everything else for any.
    """

    def __init__(self) -> None:
        self._overdue = CLEAN
        self._times = 0

    def take(self, overdue: Mapping[str, Overdue]) -> None:
        """What is put off as of an outcome."""
        known, self._overdue = self._overdue, overdue
        if known is overdue:
            return
        for part, found in overdue.items():
            held = known.get(part)
            self._times += held is None or held.again_ms != found.again_ms
            if held is None:
                log.error(
                    "a part stays due, it is put off: %s", _words(found), extra={"part": part}
                )
        for part in known.keys() - overdue.keys():
            log.warning("a part that stayed due goes on", extra={"part": part})

    @property
    def trouble(self) -> str | None:
        """What is wrong, None where nothing is."""
        return "; ".join(_words(each) for each in self._overdue.values()) or None

    def counters(self) -> Figures:
        words = "Times that a part of the processor was put off: it was stepped and stayed due."
        return {"processor_put_off": (words, self._times)}

    def gauges(self) -> Figures:
        words = "Parts of the processor that are put off: a defect of the service."
        return {"processor_overdue_parts": (words, len(self._overdue))}


def _words(found: Overdue) -> str:
    return (
        f"{found.part!r} is due at {_iso(found.due_ms)} however often it is stepped, since "
        f"{_iso(found.since_ms)}. A defect of the service: what this part does by the passing of "
        "time may be late or missing, all else goes on"
    )


def _iso(ms: int) -> str:
    # What has a defect may say any number.
    return datetime.fromtimestamp(max(0, ms) / 1000, UTC).isoformat(timespec="milliseconds")
