"""How old a series' newest value is, in words, for all series at once.

By the service's clock minus the newest observed time, in expected intervals of the device:
live up to 1.5, late to 3, stale to 8, then lost; never where nothing has come yet;
maintenance where somebody said so. Whether the device's link lives has no say in it.
"""

from enum import IntEnum

import numpy as np

from ingest.reading import BoolArray, FlagArray, IntArray


class Age(IntEnum):
    LIVE = 0
    LATE = 1
    STALE = 2
    LOST = 3
    NEVER = 4
    MAINTENANCE = 5


WORDS = tuple(age.name.lower() for age in Age)
"""The word on the wire, by the number of the age."""

NEVER_MS = -1
"""The newest observed time of a series that has none."""


def ages(
    now_ms: int, newest_ms: IntArray, expected_ms: IntArray, maintenance: BoolArray
) -> FlagArray:
    """The age of every series.

    newest_ms, expected_ms : int64[S]; `newest_ms` is -1 where nothing has come yet
    maintenance : bool[S]

    Returns uint8[S], see `Age`. A bound belongs to the better side. A device whose clock is
    ahead is live. In whole milliseconds: nothing is rounded.
    """
    age_ms = now_ms - newest_ms
    late = 2 * age_ms > 3 * expected_ms
    stale = age_ms > 3 * expected_ms
    lost = age_ms > 8 * expected_ms
    found = late.astype(np.uint8) + stale + lost
    found[newest_ms == NEVER_MS] = Age.NEVER
    found[maintenance] = Age.MAINTENANCE
    return found.astype(np.uint8)
