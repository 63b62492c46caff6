"""What is formed from many readings: lines of salt, the state of bridges, advice to intakes.

The parts themselves are pure and know nothing of each other; here stands in which order they
hear of released readings, and that what they form is judged like any other reading.
"""

from collections.abc import Collection
from typing import Any

import numpy as np

from alerts.bridge.bridges import Bridges, Modes
from alerts.farmers.lookout import Lookout
from alerts.farmers.notice import Notice
from alerts.river.advice import Advice
from alerts.river.advisor import Advisor, Entries
from alerts.river.river import River
from ingest.reading import Batch
from ingest.registry import Registry
from ingest.series import SeriesTable


class Deriving:
    """Flagged, released readings in, readings of derived series out."""

    def __init__(
        self,
        series: SeriesTable,
        registry: Registry,
        reorder_ms: int,
        snapshot: dict[str, Any] | None = None,
    ) -> None:
        state = snapshot or dict.fromkeys(("river", "bridges", "advisor"))
        self.river = River(registry, series, reorder_ms, state["river"])
        self.bridges = Bridges(registry, series, reorder_ms, state["bridges"])
        self.advisor = Advisor(registry, series, state["advisor"])
        # Earlier checkpoints know of no farmers.
        self.lookout = Lookout(registry, state.get("lookout"))
        self._stations = np.array([one.station for one in series.entries])

    def reconfigure(self, series: SeriesTable, registry: Registry, reorder_ms: int) -> None:
        self.river.reconfigure(registry, series, reorder_ms)
        self.bridges.reconfigure(registry, series, reorder_ms)
        self.advisor.reconfigure(registry, series)
        self.lookout.reconfigure(registry)
        self._stations = np.array([one.station for one in series.entries])

    def push(self, rows: Batch, modes: Modes, maintained: Collection[str]) -> Batch:
        """Take readings, each series rising; the derived ones that are complete now.

        They have their flags, and come in order of time within each series. `modes` is how
        the police let the bridges be used, `maintained` the stations where somebody works.
        """
        self.advisor.push(rows)
        river = rows
        if maintained:
            # A probe in a bucket of fresh water must not draw the line of salt down.
            river = rows.take(~np.isin(self._stations[rows.series], sorted(maintained)))
        return Batch.concat([self.river.push(river), self.bridges.push(rows, modes)])

    def advance(
        self, now_ms: int, desk: Entries, listening_ms: int
    ) -> tuple[list[Advice], list[Notice]]:
        """What time and officers have changed at intakes, and what farmers are to be told."""
        advice = self.advisor.advance(now_ms, desk)
        return advice, self.lookout.advance(now_ms, listening_ms, self.advisor)

    def snapshot(self) -> dict[str, Any]:
        return {
            "river": self.river.snapshot(),
            "bridges": self.bridges.snapshot(),
            "advisor": self.advisor.snapshot(),
            "lookout": self.lookout.snapshot(),
        }
