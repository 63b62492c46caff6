"""InfluxDB beside the store, where one is configured: the drain into it and the way back.

The embedded store is where every reading is first and always; what is here copies it onward
and reads beyond the store's window. Away, slow or wrong, it holds nothing up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.archive import Archive
from ingest.changes import Changes
from ingest.drain import Drain, DrainStatus
from ingest.history import StoreReader
from ingest.influx import Influx
from ingest.store import Store
from songtien.pipeline import Pipeline
from songtien.settings import StoreSettings

Figures = Mapping[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Historian:
    """The parts of it: a client for reading and writing, and the drain, for a thread."""

    influx: Influx
    drain: Drain

    @property
    def status(self) -> DrainStatus:
        return self.drain.status()

    def counters(self) -> Figures:
        status = self.status
        return {
            "historian_points_written": ("Points that InfluxDB took.", status.points_written),
            "historian_points_refused": ("Points that InfluxDB refused.", status.points_refused),
            "historian_retries": ("Answers after which a write was tried again.", status.retries),
        }

    def gauges(self) -> Figures:
        status = self.status
        last_s = (status.last_success_ms or 0) / 1000
        return {
            "historian_backlog_entries": ("Commits not yet in InfluxDB.", status.entries),
            "historian_backlog_age_seconds": ("Age of the oldest of them.", status.age_s),
            "historian_last_success_timestamp_seconds": ("Last write that was stored.", last_s),
            "historian_trouble": (
                "1 while InfluxDB does not take readings.",
                float(status.trouble is not None),
            ),
        }

    def versions(self) -> Mapping[str, str]:
        return {"historian": self.status.server_version or "unknown"}

    def close(self) -> None:
        self.influx.close()


def historian(
    settings: StoreSettings,
    store: Store,
    reader: StoreReader,
    pipeline: Pipeline,
    clock_ms: Callable[[], int],
) -> Historian | None:
    """The historian that is configured, given what it needs of the rest; None without one.

    The store keeps for it, from now on, what it has not got.
    """
    address = settings.historian
    store.drain_to(None if address is None else str(address), clock_ms())
    if address is None:
        return None

    def changes(after: int, limit: int) -> Changes:
        return reader.changes(after, limit, pipeline.processor.series)

    influx = Influx(address, settings.token)
    drain = Drain(
        changes,
        reader.change_backlog,
        influx,
        lambda: pipeline.processor.series,
        begin=store.drained,
        clock_ms=clock_ms,
    )
    pipeline.upkeep.follow(drain.settled)
    return Historian(influx, drain)


def archive(reader: StoreReader, found: Historian | None) -> Archive:
    """History over both."""
    return Archive(reader, None if found is None else found.influx)
