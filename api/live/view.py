"""What one filter selects of the items, encoded once for all who ask the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from api.live.where import Where

if TYPE_CHECKING:
    from api.live.items import Items

Made = TypeVar("Made")
Framed = TypeVar("Framed")

BODY_BYTES_MAX = 31_000
"""Of the items in one frame. With its envelope a frame then fits into the 32 kB that may be
in flight, and all the more into the 64 KiB of the protocol."""

SHARED_MAX = 64
"""Encoded pieces and pages kept for sharing in one view; beyond it they are made again."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What brings a reader from one version to `upto`: `changed` is the JSON of a list.

    complete : whether `upto` is all there is; else another piece follows from there
    count : how many items the piece tells of
    updates : how many updates the view has seen in all, when the piece was made
    """

    upto: int
    changed: bytes
    gone: list[str]
    count: int
    complete: bool
    updates: int


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Part of a snapshot; `following` is the slot at which the next page begins, or None."""

    items: bytes
    following: int | None


class View:
    """A filter over the items. `__weakref__`: it lives as long as somebody subscribes."""

    __slots__ = (
        "__weakref__",
        "_at",
        "_frames",
        "_items",
        "_newest",
        "_pages",
        "_pieces",
        "_slots",
        "_updates",
        "where",
    )

    def __init__(self, items: "Items", where: Where) -> None:
        self._items = items
        self.where = where
        self._at = -1
        self._newest = 0
        self._updates = 0
        self._frames: dict[tuple[int, int, int], Any] = {}
        self._pieces: dict[int, Piece] = {}
        self._pages: dict[int, Page] = {}
        self._slots: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self.refresh()

    def refresh(self) -> None:
        """Find the slots anew, after the items got others."""
        self._slots = self._items.slots_of(self.where)
        self._at = -1

    def newest(self) -> int:
        """The version of the newest change in the view."""
        if self._at != self._items.version:
            self._catch_up()
        return self._newest

    def updates(self) -> int:
        """How many updates the view's items have had."""
        self._catch_up()
        return self._updates

    def _catch_up(self) -> None:
        if self._at == self._items.version:
            return
        self._at = self._items.version
        self._newest = int(self._items.changed[self._slots].max(initial=0))
        self._updates = int(self._items.updates[self._slots].sum())
        self._frames.clear()
        self._pieces.clear()
        self._pages.clear()

    def frame_after(
        self, version: int, number: int, told: int, make: Callable[[], Framed]
    ) -> Framed | None:
        """None where nothing has changed after the version; else what `make` gives, shared by
        all of equal version, number and told until the items change.
        """
        if self._at != self._items.version:
            self._catch_up()
        if self._newest <= version:
            return None
        key = (version, number, told)
        found = self._frames.get(key)
        if found is None:
            if len(self._frames) >= SHARED_MAX:
                self._frames.clear()
            found = make()
            self._frames[key] = found
        framed: Framed = found
        return framed

    def piece(self, since: int) -> Piece:
        """What has changed after the version `since`."""
        self._catch_up()
        return _shared(self._pieces, since, self._make_piece)

    def _make_piece(self, since: int) -> Piece:
        items = self._items
        slots = self._slots[items.changed[self._slots] > since]
        shown = items.shown[slots]
        present, absent = slots[shown], slots[~shown]
        changed = items.changes(present, since, items.version)
        gone = [items.series[slot].key for slot in absent.tolist()]
        size = sum(map(len, changed)) + sum(map(len, gone)) + len(changed) + 3 * len(gone)
        if size <= BODY_BYTES_MAX:
            return Piece(
                items.version,
                _list(changed),
                gone,
                len(slots),
                complete=True,
                updates=self._updates,
            )
        return self._cut(since, present, [len(text) + 1 for text in changed], absent)

    def _cut(
        self, since: int, present: NDArray[np.intp], sizes: list[int], absent: NDArray[np.intp]
    ) -> Piece:
        """The part of a large change that fits a frame, up to a version in between.

        Cut by the versions of the parts of items, not of the items: an item whose flag
        changed before the cut and whose value after it must appear on both sides.
        """
        items = self._items
        stamps = items.part_changed[:, present]
        part, column = np.nonzero(stamps > since)
        del part
        versions = np.r_[stamps[stamps > since], items.changed[absent]]
        owner = np.r_[column, len(present) + np.arange(len(absent))]
        weight = np.r_[np.array(sizes, dtype=np.int64), np.full(len(absent), 64, dtype=np.int64)]
        order = np.argsort(versions, kind="stable")
        versions, owner = versions[order], owner[order]
        first = np.zeros(len(owner), dtype=np.bool_)
        first[np.unique(owner, return_index=True)[1]] = True
        running = np.cumsum(np.where(first, weight[owner], 0))
        # Parts that changed together share a version, so the cut falls between two versions.
        fitting = int(np.searchsorted(running, BODY_BYTES_MAX, side="right"))
        upto = int(versions[max(fitting - 1, 0)])
        if fitting < len(versions) and int(versions[fitting]) == upto:
            smaller = versions[versions < upto]
            upto = int(smaller[-1]) if len(smaller) else upto
        taken = present[((stamps > since) & (stamps <= upto)).any(axis=0)]
        left = absent[items.changed[absent] <= upto]
        return Piece(
            upto,
            _list(items.changes(taken, since, upto)),
            [items.series[slot].key for slot in left.tolist()],
            len(taken) + len(left),
            complete=False,
            updates=self._updates,
        )

    def page(self, begin: int) -> Page:
        """A page of the items as they are now, from the slot `begin` on.

        Later pages may hold newer values than earlier ones: a reader whose position is that
        of the first page is told of those again, and then has them all.
        """
        self._catch_up()
        return _shared(self._pages, begin, self._make_page)

    def _make_page(self, begin: int) -> Page:
        texts: list[bytes] = []
        size = 0
        for slot in self._shown_slots(begin):
            text = self._items.whole(slot)
            if texts and size + len(text) + 1 > BODY_BYTES_MAX:
                return Page(_list(texts), slot)
            texts.append(text)
            size += len(text) + 1
        return Page(_list(texts), None)

    def whole(self) -> bytes:
        """All items of the view, as the JSON of a list."""
        return _list([self._items.whole(slot) for slot in self._shown_slots(0)])

    def _shown_slots(self, begin: int) -> list[int]:
        slots = self._slots[np.searchsorted(self._slots, begin) :]
        found: list[int] = slots[self._items.shown[slots]].tolist()
        return found


def _list(texts: list[bytes]) -> bytes:
    return b"[" + b",".join(texts) + b"]"


def _shared(kept: dict[int, Made], key: int, make: Callable[[int], Made]) -> Made:
    found = kept.get(key)
    if found is None:
        if len(kept) >= SHARED_MAX:
            kept.clear()
        found = make(key)
        kept[key] = found
    return found
