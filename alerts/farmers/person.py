"""A subscriber as the senders need him: no more than what it takes to tell him. Pure."""

from dataclasses import dataclass, field

from alerts.farmers.notice import USUAL, Wants
from alerts.farmers.place import Place

DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class Follow:
    """What somebody follows: a place, for a crop, by a limit of his own or the crop's."""

    place: Place
    crop: str
    level_mg_l: int
    wants: Wants = USUAL


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day, Vietnam's time, minutes since midnight; `from_min` may be after `to_min`.

    urgent_passes : critical notices come even then
    """

    from_min: int
    to_min: int
    urgent_passes: bool = True

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day lies in [from, to)."""
        return (minute - self.from_min) % DAY_MIN < (self.to_min - self.from_min) % DAY_MIN


@dataclass(frozen=True, slots=True)
class Person:
    """id : of `api.people`, never used again for anybody else. `address` is never logged.

    channel : the name of a configured channel
    stop_token : for the link by which he leaves without signing in
    """

    id: int
    channel: str
    address: str = field(repr=False)
    lang: str
    stop_token: str = field(repr=False)
    quiet: Quiet | None = None
    follows: tuple[Follow, ...] = ()
