"""How much of a message is said: all of it, or what a short message has room for. Pure.

Each rung of the ladder leaves out one thing more; the first that fits is sent. What is to be
done, where, and "measure again" on a permission stand on every rung.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Detail:
    """What is said beside what must be.

    site : the address of the page; around : trend, whether the spell is over, the station
    time : of the figure; that of a permission never stands without it
    name_max : characters of a place's name, None: all, 0: no name at all
    crops_max : names of crops to a limit; since : since when; others : a word on other places
    ends : until when by yesterday's tide; places_max : places that are named, None: all
    levels : each limit, and not the lowest and the highest alone
    terse : without the small words
    """

    site: bool = True
    around: bool = True
    time: bool = True
    name_max: int | None = None
    crops_max: int = 3
    since: bool = True
    others: bool = True
    ends: bool = True
    figure: bool = True
    levels: bool = True
    places_max: int | None = None
    terse: bool = False


FULL: Final = Detail()

_STEPS: Final[tuple[dict[str, Any], ...]] = (
    {"site": False},
    {"around": False},
    {"time": False},
    {"name_max": 24},
    {"crops_max": 1},
    {"name_max": 16},
    {"since": False},
    {"others": False},
    {"levels": False},
    {"crops_max": 0},
    {"terse": True},
    {"terse": False, "figure": False},
    {"ends": False},
    {"places_max": 2},
    {"places_max": 1},
    {"name_max": 0},
)


def _ladder() -> tuple[Detail, ...]:
    rungs = [FULL]
    for step in _STEPS:
        rungs.append(replace(rungs[-1], **step))
    return tuple(rungs)


LADDER: Final = _ladder()

TERSE: Final = tuple(
    Detail(
        site=False,
        around=False,
        time=False,
        name_max=name_max,
        crops_max=crops_max,
        since=since,
        terse=True,
    )
    for since, crops_max, name_max in ((True, 3, 24), (True, 1, 12), (False, 1, 12))
)
"""For one part of 70: still with figure, crop and limit, and all that is a warning."""


def first_fitting(
    say: Callable[[Detail], str], rungs: Iterable[Detail], fits: Callable[[str], bool]
) -> str | None:
    return next((text for text in map(say, rungs) if fits(text)), None)
