"""Screens whose every moment is known, and a recorder beside them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from alerts.desk import Desk
from alerts.rulesfile import parse_rules
from api.live.hub import Hub
from api.live.where import EVERYTHING
from ingest.history import StoreReader
from ingest.journal import Config
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from songtien.news import Parts, Pictures
from songtien.rewind.recorder import Recorder
from songtien.rewind.scene import NO_PICTURES, Change
from songtien.rewind.timeline import Timeline
from songtien.rewind.walk import Walk
from songtien.rewind.wall_file import WallReader
from songtien.screens import Screens
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES

Shown = dict[str, Any]


@cache
def parts(registry: str = REGISTRY, keys: tuple[str, ...] = ()) -> Parts:
    config = Config(registry, RULES, 30.0)
    found = parse_registry(registry, "stations.toml")
    series = SeriesTable.of(found, keys)
    rules = parse_rules(RULES, "rules.toml", found)
    return Parts(found, rules, series, Batch.empty(), {}, Desk(), config)


def shown(screens: Screens, now_ms: int) -> Shown:
    """All that people see at a time, without positions."""
    screens.tick(now_ms)
    items, _ = screens.hub.items()
    return {
        "items": sorted(items, key=lambda item: str(item["k"])),
        "alerts": screens.hub.alerts.active(EVERYTHING),
        "desk": screens.desk.picture(now_ms),
        "pictures": screens.pictures,
    }


@dataclass
class Past:
    """Screens of a present that is moved by hand, their record, and what they have shown."""

    directory: Path
    now_ms: int = BEGIN_MS
    keep_days: int = 400
    position: int = 0
    moments: list[tuple[int, Shown]] = field(default_factory=list)
    lives: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.directory / "wall.sqlite"
        self.screens = Screens(Hub("e0", "a0"), parts(), NO_PICTURES)

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """A life of the service."""
        begun_ms = self.now_ms
        recorder = Recorder(
            self.path, self.screens.key, lambda: self.now_ms, keep_days=self.keep_days
        )
        thread = threading.Thread(target=recorder.run)
        thread.start()
        self.screens.followers.append(recorder.note)
        recorder.beat()
        try:
            yield recorder
        finally:
            self.screens.followers.remove(recorder.note)
            recorder.beat()
            recorder.stop()
            thread.join()
            self.lives.append((begun_ms, self.now_ms))

    def show(self, change: Change) -> None:
        self.screens.show(change)
        self.screens.tick(self.now_ms)

    def remember(self) -> None:
        self.moments.append((self.now_ms, shown(self.screens, self.now_ms)))

    @property
    def timeline(self) -> Timeline:
        return Timeline(
            WallReader(self.path),
            StoreReader(self.directory / "store.sqlite"),
            lambda: self.screens.parts,
            lambda: self.screens.desk,
            lambda: self.now_ms,
        )

    def at(self, at_ms: int) -> Walk:
        """The past at a time, as it is opened for a client."""
        pieces = self.timeline.open(at_ms)
        walk = Walk(pieces.first, "w")
        while walk.loaded_ms < at_ms and (piece := pieces.next()) is not None:
            walk.feed(piece)
        walk.advance(at_ms)
        return walk


def pictures(number: int) -> Pictures:
    lines = [{"km": number * 0.5, "used": [{"g_l": number, "t": n} for n in range(3)]}]
    river = {"now": number, "mouths": {"cua-tieu": {"lines": lines}}, "stations": {}}
    return Pictures(river, {"bridges": []}, {"xuan-hoa": {"take": number % 2 == 0}})


def alert(number: int, state: str) -> dict[str, Any]:
    return {
        "id": f"{number:016x}",
        "ver": 1,
        "rule": "salinity-4",
        "k": "mt-02/salinity_g_l",
        "severity": "critical",
        "state": state,
        "historic": False,
    }
