"""The past from any time on, in pieces: as recorded, and before any record rebuilt."""

from collections.abc import Callable
from dataclasses import dataclass

from alerts.desk import Desk
from api.rewind import NOTHING, REBUILT, RECORDED
from ingest.history import StoreReader
from songtien.news import Parts
from songtien.rewind.rebuilt import Rebuilt
from songtien.rewind.recorded import Numbers, Recorded
from songtien.rewind.scene import Piece
from songtien.rewind.wall_file import WallReader


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is kept of the past. Its calls read files: they are for worker threads.

    parts, desk : what is in force now, and what officers have entered
    now_ms : the service's clock
    """

    wall: WallReader
    reader: StoreReader
    parts: Callable[[], Parts]
    desk: Callable[[], Desk]
    now_ms: Callable[[], int]

    def open(self, at_ms: int) -> "Pieces":
        return Pieces(self, at_ms)


class Pieces:
    """The past from a time on. `first` has a key and stands at or before the time.

    source : what `first` rests on
    """

    def __init__(self, timeline: Timeline, at_ms: int) -> None:
        parts = timeline.parts()
        self._wall = timeline.wall
        self.numbers = Numbers([series.key for series in parts.series.entries])
        segment = self._wall.at(at_ms)
        self._rebuilt: Rebuilt | None = None
        self._recorded: Recorded | None = None
        first: Piece | None
        if segment is not None:
            self.source = RECORDED
            self._recorded = Recorded(self._wall, self.numbers, segment)
            first = self._recorded.next()
        else:

            def until_ms() -> int:
                begun_ms = self._wall.first_ms()
                return timeline.now_ms() if begun_ms is None else begun_ms

            self._rebuilt = Rebuilt(
                timeline.reader, parts, timeline.desk().snapshot(), at_ms, until_ms
            )
            first = self._rebuilt.begin()
            self.source = NOTHING if self._rebuilt.empty else REBUILT
        assert first is not None
        self.first = first

    def next(self) -> Piece | None:
        """The next one; None where there is none yet."""
        if self._rebuilt is not None:
            piece = self._rebuilt.next()
            begun_ms = self._wall.first_ms()
            segment = None if begun_ms is None else self._wall.at(begun_ms)
            if piece is not None or segment is None:
                return piece
            self._rebuilt = None
            self._recorded = Recorded(self._wall, self.numbers, segment)
        assert self._recorded is not None
        return self._recorded.next()
