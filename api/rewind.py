"""What the doors need for showing the past: which time is wanted, and what stood there.

Whoever has kept the past fills these seams. The live socket plays it through the same hub,
session and frames as the present; HTTP shows one moment of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from alerts.rules import RuleSet
from api.live.where import Where
from api.moments import moment_ms
from ingest.registry import Registry
from ingest.series import SeriesTable

if TYPE_CHECKING:
    from api.live.hub import Hub

SPEED_MAX: Final = 600.0
RECORDED: Final = "recorded"
REBUILT: Final = "rebuilt"
NOTHING: Final = "none"


class RewindError(Exception):
    """A time that can't be shown. `code` closes the socket; the text says what is accepted."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wanted:
    """From which time on, and how fast: 0 stands still, 1 is the pace of the clock."""

    at_ms: int
    speed: float


def wanted(at: object, speed: object) -> Wanted | None:
    """What the first frame of a client asks for; None where it asks for the present.

    Raises
    ------
    ValueError
        In words that fit the reason of a close frame.
    """
    if at is None:
        if speed is not None:
            raise ValueError("speed: only with at, the time to begin from")
        return None
    number = isinstance(at, int) and not isinstance(at, bool)
    at_ms = moment_ms(str(at)) if isinstance(at, str) or number else None
    if at_ms is None:
        raise ValueError(
            "at: accepted are RFC 3339 with its offset (2026-03-02T04:10+07) and ms since 1970"
        )
    if speed is None:
        return Wanted(at_ms, 1.0)
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 <= speed <= SPEED_MAX:
        raise ValueError(f"speed: accepted is a number from 0 (stands still) to {SPEED_MAX:g}")
    return Wanted(at_ms, float(speed))


class Playing(Protocol):
    """The past as one client sees it: a hub of its own, at a time of its own.

    source : `RECORDED`, `REBUILT` or `NOTHING`, of the time it began with
    speed : at which it plays now; 1 once it has met the present
    """

    hub: "Hub"
    at_ms: int
    source: str
    speed: float

    def now_ms(self) -> int:
        """The time that is shown, UTC."""

    async def play(self, changed: Callable[[], None]) -> None:
        """Go on until cancelled; tells, on the loop, when there may be something to send."""

    def close(self) -> None:
        """Let go of what it holds."""


class Rewinds(Protocol):
    """Opens the past for clients of the live socket."""

    async def open(self, wanted: Wanted) -> Playing:
        """Raises RewindError: too many play already, or the time lies ahead."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back the past can be shown, ms UTC.

    recorded : stretches [from, to) of which it is known what the wall showed, oldest first
    rebuilt_from_ms : the oldest stored reading; before a record began, the wall is rebuilt
        from readings. None where there is none
    """

    now_ms: int
    recorded: Sequence[tuple[int, int]] = ()
    rebuilt_from_ms: int | None = None

    def told(self) -> dict[str, Any]:
        """As `GET /api/v1/rewind` gives it."""
        return {
            "now": self.now_ms,
            "recorded": [{"from": begin, "to": end} for begin, end in self.recorded],
            "rebuilt_from": self.rebuilt_from_ms,
        }


@dataclass(frozen=True, slots=True)
class Then:
    """What the wall showed at one moment; the fields are those of `api.service.Service`.

    settled : nothing that is still to be written can change it
    alerts : the active ones, whole, oldest first
    """

    at_ms: int
    source: str
    settled: bool
    registry: Registry
    series: SeriesTable
    rules: RuleSet
    items_json: Callable[[Where], bytes]
    items_pos: str
    alerts: Sequence[dict[str, Any]] = ()
    river: dict[str, Any] = field(default_factory=dict)
    bridges: dict[str, Any] = field(default_factory=dict)
    advice: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    desk: dict[str, Any] = field(default_factory=dict)
