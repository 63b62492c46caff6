"""From the processor's thread to the event loop, with a bound.

The loop may be slow for a moment. What waits for it is at most the newest value of each
series, the newest link and acknowledgement of each device, and alert events, which are few
and must not be lost.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ingest.reading import Batch
from songtien.announce import CANARIES_KEPT
from songtien.news import News, Pictures
from songtien.outcome import Outcome


@dataclass(slots=True)
class Post:
    """All news since the last post, in order; values of state already merged."""

    newest: Batch
    news: list[News] = field(default_factory=list)
    pictures: Pictures | None = None


ECHOES_KEPT = 20
"""Of the daily test: it has two to hear."""


class Mailbox:
    """`tell` is called on the processor's thread, `read` on the loop."""

    MERGE_AT = 4096

    def __init__(self, loop: asyncio.AbstractEventLoop, read: Callable[[Post], None]) -> None:
        self._loop = loop
        self._read = read
        self._lock = threading.Lock()
        self._newest: list[Batch] = []
        self._rows = 0
        self._news: list[News] = []
        self._pictures: Pictures | None = None
        self._called = False

    def tell(self, news: News) -> None:
        with self._lock:
            newest = news.outcome.newest
            _strip(news.outcome)
            if len(newest):
                self._newest.append(newest)
                self._rows += len(newest)
                if self._rows > self.MERGE_AT:
                    self._newest = [last_of_each(Batch.concat(self._newest))]
                    self._rows = 0
            self._pictures = news.pictures or self._pictures
            if self._news and not (_must_stay(self._news[-1]) or _must_stay(news)):
                _merge(self._news[-1], news)
            elif _must_stay(news) or _is_state(news):
                self._news.append(news)
            if not self._called:
                self._called = True
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        with self._lock:
            post = Post(last_of_each(Batch.concat(self._newest)), self._news, self._pictures)
            self._newest, self._news, self._rows, self._called = [], [], 0, False
            self._pictures = None
        self._read(post)


def last_of_each(newest: Batch) -> Batch:
    """The last row of each series."""
    if len(newest) < 2:
        return newest
    backwards = newest.series[::-1]
    _, first = np.unique(backwards, return_index=True)
    return newest.take(np.sort(len(newest) - 1 - first))


def _strip(outcome: Outcome) -> None:
    """Leave off what is on disk: nobody needs it here, and it must not pile up."""
    outcome.rows = outcome.newest = Batch.empty()
    outcome.intervals, outcome.letters, outcome.metas = (), [], {}


def _must_stay(news: News) -> bool:
    """Whether the news can't be merged with others without loss."""
    outcome = news.outcome
    return bool(outcome.events or outcome.configured or outcome.reply)


def _is_state(news: News) -> bool:
    """Whether there is state of which the newest is enough, beside values."""
    outcome = news.outcome
    told = outcome.links or outcome.advice or outcome.canaries or outcome.echoes or news.acks
    return bool(told)


def _merge(old: News, new: News) -> None:
    old.outcome.links.update(new.outcome.links)
    old.outcome.advice.update(new.outcome.advice)
    old.outcome.canaries[:] = (old.outcome.canaries + new.outcome.canaries)[-CANARIES_KEPT:]
    old.outcome.echoes[:] = (old.outcome.echoes + new.outcome.echoes)[-ECHOES_KEPT:]
    old.acks.update(new.acks)
