"""The parts that an item is made of, and what comes in to change them."""

from enum import IntEnum
from typing import Any, TypedDict

import numpy as np

from ingest.reading import Batch, Flag


class LinkState(TypedDict, total=False):
    """What a device last said of its own link: ready, lost, sleeping (with `until`), bye."""

    s: str
    until: int | None


class Part(IntEnum):
    """The parts of an item that change by themselves."""

    STATIC = 0
    VALUE = 1
    QUALITY = 2
    AGE = 3
    LINK = 4
    SIM = 5
    BOUND = 6


def bound_word(flag: int) -> str:
    """Which side of a bound the truth is on, as it stands in an item.

    A figure that the truth is above may raise a danger and clear none, so it is suspect.
    """
    return "above" if flag == Flag.SUSPECT else "below"


def wire_link(link: LinkState) -> dict[str, Any]:
    """A link as it stands in an item."""
    return {name: value for name, value in link.items() if value is not None}


def last_of_each(batch: Batch) -> Batch:
    """One row for each series: the newest, and of equal times the one given last."""
    if len(batch) < 2 or len(np.unique(batch.series)) == len(batch):
        return batch
    order = np.lexsort((batch.t_ms, batch.series))
    last = np.r_[batch.series[order][1:] != batch.series[order][:-1], True]
    return batch.take(np.sort(order[last]))
