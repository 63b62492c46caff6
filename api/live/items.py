"""The newest value of every series, with a version for each change: the channel `state`.

A subscriber is a position, nothing more. What it lacks is whatever has a version above its
position, so there is no queue for a slow one, and what the service holds is bounded by the
number of series, never by their rate or by the number of screens.

Versions count changes of items, one each, and every part of an item (its value, its flag,
its age, ...) keeps the version of its own last change: a delta then names what changed and
nothing else.
"""

from collections import deque
from collections.abc import Mapping
from itertools import chain
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from api.live.ages import NEVER_MS, WORDS, Age, ages
from api.live.frames import Item, encode
from api.live.parts import LinkState, Part, bound_word, last_of_each, wire_link
from api.live.view import View
from api.live.where import Where, facets_of_series
from ingest.reading import Batch, BoolArray, IntArray, Why
from ingest.series import Series, SeriesTable

RECENT_VIEWS = 32


class Items:
    """All items, by the numbers of their series. A number's row is called a slot.

    epoch : positions of another say nothing about these items
    """

    def __init__(self, epoch: str) -> None:
        self._first_epoch = epoch
        self._generation = 0
        self.epoch = epoch
        self.version = 0
        self.now_ms = 0
        self.series: list[Series] = []
        self.links: dict[str, LinkState] = {}
        self.maintenance: frozenset[str] = frozenset()
        self.shown: BoolArray = np.zeros(0, dtype=np.bool_)
        self.returned: BoolArray = np.zeros(0, dtype=np.bool_)
        self.appeared: IntArray = np.zeros(0, dtype=np.int64)
        self.value = np.zeros(0)
        self.t_ms: IntArray = np.zeros(0, dtype=np.int64)
        self.flag = np.zeros(0, dtype=np.uint8)
        self.simulated: BoolArray = np.zeros(0, dtype=np.bool_)
        self.bound: BoolArray = np.zeros(0, dtype=np.bool_)
        self.age = np.zeros(0, dtype=np.uint8)
        self.expected_ms: IntArray = np.zeros(0, dtype=np.int64)
        self._retired: BoolArray = np.zeros(0, dtype=np.bool_)
        self._in_maintenance: BoolArray = np.zeros(0, dtype=np.bool_)
        self.changed: IntArray = np.zeros(0, dtype=np.int64)
        self.part_changed: IntArray = np.zeros((len(Part), 0), dtype=np.int64)
        self.updates: IntArray = np.zeros(0, dtype=np.int64)
        self._whole: list[bytes | None] = []
        self._slots_by_facet: dict[tuple[str, str], list[int]] = {}
        self._views: WeakValueDictionary[Where, View] = WeakValueDictionary()
        # Polling readers hold no view between two polls; the newest few outlive them.
        self._recent: deque[View] = deque(maxlen=RECENT_VIEWS)

    def position(self, version: int) -> str:
        return f"{self.epoch}.{version}"

    def version_of(self, position: str) -> int | None:
        """The version that a position stands for; None where it isn't one of this epoch."""
        epoch, _, number = position.rpartition(".")
        if epoch != self.epoch or not (number.isascii() and number.isdecimal()):
            return None
        if len(number) > 18 or int(number) > self.version:
            return None
        return int(number)

    def view(self, where: Where) -> View:
        """The items that a filter selects; equal filters share one view and its frames."""
        view = self._views.get(where)
        if view is None:
            view = View(self, where)
            self._views[where] = view
            self._recent.append(view)
        return view

    def slots_of(self, where: Where) -> NDArray[np.intp]:
        """The slots that a filter selects, in order, shown or not."""
        found = np.arange(len(self.series), dtype=np.intp)
        for field, wanted in where.terms:
            lists = [self._slots_by_facet.get((field, value), []) for value in wanted]
            found = np.intersect1d(found, np.fromiter(chain.from_iterable(lists), dtype=np.intp))
        return found

    # Changes.

    def configure(
        self, series: SeriesTable, newest: Batch, links: Mapping[str, LinkState | None]
    ) -> None:
        """Take a (new) registry's series and the newest values known.

        Added series appear and retired ones are deleted by ordinary deltas. Where something
        moved that filters select by, a subscriber could not tell what left its selection:
        a new epoch then makes everybody load afresh.
        """
        before = len(self.series)
        assert len(series) >= before
        self._grow(len(series))
        moved, restated, removed = False, [], []
        for slot, entry in enumerate(series.entries):
            if slot >= before:
                self.series.append(entry)
                continue
            old = self.series[slot]
            assert old.key == entry.key
            if entry.retired:
                removed.append(slot)  # It keeps its old entry: views must still find it.
                continue
            self.series[slot] = entry
            if not old.retired and facets_of_series(old) != facets_of_series(entry):
                moved = True
            elif old != entry:
                restated.append(slot)
        if moved:
            self._generation += 1
            self.epoch = f"{self._first_epoch}g{self._generation}"
            self._whole = [None] * len(self._whole)
        self.expected_ms = series.expected_ms.copy()
        self._retired = np.array([entry.retired for entry in series.entries], dtype=np.bool_)
        self._index()
        for view in self._views.values():
            view.refresh()
        self._remove(np.array(removed, dtype=np.int64))
        self._restate(np.array(restated, dtype=np.int64))
        announced = [e.id for e in series.entries if e.announced and not e.retired]
        self._appear(np.array(announced, dtype=np.int64))
        self.apply(newest)
        self.set_links(links)
        self.tick(self.now_ms)

    def restart(self, newest: Batch) -> None:
        """Take these values in place of all that there are, also where they are older."""
        kept = np.zeros(len(self.series), dtype=np.bool_)
        kept[newest.series] = True
        self._remove(np.flatnonzero(~kept & self.shown & (self.t_ms != NEVER_MS)))
        announced = [e.id for e in self.series if e.announced and not self._retired[e.id]]
        self._appear(np.array(announced, dtype=np.int64))
        self.apply(newest, older=True)

    def apply(self, newest: Batch, *, older: bool = False) -> None:
        """Take the newest values of series, or revised flags of them.

        A row older than what an item shows is history and changes nothing here, but where
        `older` says so. A value may only stand here with a finite number.
        """
        rows = last_of_each(newest)
        slots = rows.series
        alive = ((rows.t_ms >= self.t_ms[slots]) | older) & np.isfinite(rows.value)
        alive &= ~self._retired[slots]
        if not alive.all():
            rows = rows.take(alive)
            slots = rows.series
        if len(slots) == 0:
            return
        simulated = (rows.why & Why.SIMULATED) != 0
        bound = (rows.why & Why.BOUND) != 0
        age = ages(self.now_ms, rows.t_ms, self.expected_ms[slots], self._in_maintenance[slots])
        parts = np.zeros((len(Part), len(slots)), dtype=np.bool_)
        parts[Part.STATIC] = ~self.shown[slots]
        parts[Part.VALUE] = (self.t_ms[slots] != rows.t_ms) | (self.value[slots] != rows.value)
        parts[Part.QUALITY] = (self.flag[slots] != rows.flag) | (self.t_ms[slots] == NEVER_MS)
        parts[Part.AGE] = self.age[slots] != age
        parts[Part.SIM] = self.simulated[slots] != simulated
        # Which side a bound is on goes by its flag.
        parts[Part.BOUND] = (self.bound[slots] != bound) | (bound & parts[Part.QUALITY])
        self.value[slots] = rows.value
        self.t_ms[slots] = rows.t_ms
        self.flag[slots] = rows.flag
        self.age[slots] = age
        self.simulated[slots] = simulated
        self.bound[slots] = bound
        self._touch(slots, parts)

    def set_links(self, links: Mapping[str, LinkState | None]) -> None:
        """Take what devices say of their links; None forgets one. Others stay as they are."""
        touched: list[int] = []
        for device, link in links.items():
            if self.links.get(device) == link:
                continue
            if link is None:
                del self.links[device]
            else:
                self.links[device] = link
            touched.extend(self._slots_by_facet.get(("device", device), ()))
        self._touch_shown(touched, Part.LINK)

    def set_maintenance(self, devices: frozenset[str]) -> None:
        """The devices that are known to be worked on; their age is not judged."""
        self.maintenance = devices
        self._mark_maintenance()
        self.tick(self.now_ms)

    def tick(self, now_ms: int) -> None:
        """Judge all ages anew by the service's clock; what changed is news like any other."""
        self.now_ms = now_ms
        age = ages(now_ms, self.t_ms, self.expected_ms, self._in_maintenance)
        slots = np.flatnonzero((age != self.age) & self.shown)
        self.age = age
        self._touch_shown(slots.tolist(), Part.AGE)

    # What an item looks like.

    def whole(self, slot: int) -> bytes:
        """The JSON of a whole item, encoded at most once between two changes of it."""
        found = self._whole[slot]
        if found is None:
            found = encode(self._item(slot))
            self._whole[slot] = found
        return found

    def _item(self, slot: int) -> Item:
        series, t_ms = self.series[slot], int(self.t_ms[slot])
        link = self.links.get(series.device)
        seen = t_ms != NEVER_MS
        return Item(
            k=series.key,
            v=float(self.value[slot]) if seen else UNSET,
            t=t_ms if seen else UNSET,
            q=int(self.flag[slot]) if seen else UNSET,
            st=WORDS[self.age[slot]],
            station=series.station or UNSET,
            device=series.device,
            kind=series.kind,
            quantity=series.quantity,
            unit=series.unit,
            branch=series.branches,
            expected_s=series.expected_s,
            direction=UNSET if series.direction is None else series.direction,
            level=UNSET if series.level is None else series.level,
            link=UNSET if link is None else wire_link(link),
            sim=True if self.simulated[slot] else UNSET,
            bound=bound_word(int(self.flag[slot])) if self.bound[slot] else UNSET,
        )

    def changes(self, slots: NDArray[np.intp], since: int, upto: int) -> list[bytes]:
        """The JSON of what changed in each of `slots` at versions in (since, upto].

        An item that appeared since then comes whole. `null` says that a field is gone; a
        field that the reader can't have is left out.
        """
        stamps = self.part_changed[:, slots]
        return [
            self._restated(slot, new=new)
            if new or parts[Part.STATIC]
            else self._change(slot, parts, v, t_ms, flag, age)
            for slot, parts, new, v, t_ms, flag, age in zip(
                slots.tolist(),
                ((stamps > since) & (stamps <= upto)).T.tolist(),
                (self.appeared[slots] > since).tolist(),
                self.value[slots].tolist(),
                self.t_ms[slots].tolist(),
                self.flag[slots].tolist(),
                self.age[slots].tolist(),
                strict=True,
            )
        ]

    def _change(
        self,
        slot: int,
        parts: list[bool],
        v: float,
        t_ms: int,
        flag: int,
        age: int,
    ) -> bytes:
        """Only the parts that changed. What had a value keeps one, so v, t, q are not null."""
        series = self.series[slot]
        link: Any = UNSET
        if parts[Part.LINK]:
            said = self.links.get(series.device)
            link = None if said is None else wire_link(said)
        return encode(
            Item(
                k=series.key,
                v=v if parts[Part.VALUE] else UNSET,
                t=t_ms if parts[Part.VALUE] else UNSET,
                q=flag if parts[Part.QUALITY] else UNSET,
                st=WORDS[age] if parts[Part.AGE] else UNSET,
                link=link,
                sim=(True if self.simulated[slot] else None) if parts[Part.SIM] else UNSET,
                bound=(bound_word(flag) if self.bound[slot] else None)
                if parts[Part.BOUND]
                else UNSET,
            )
        )

    def _restated(self, slot: int, *, new: bool) -> bytes:
        """A whole item; where the reader may have held it before, absent fields as null."""
        if new and not self.returned[slot]:
            return self.whole(slot)
        item = self._item(slot)
        fields = {name: getattr(item, name) for name in Item.__struct_fields__}
        removable = ("v", "t", "q", "direction", "level", "link", "sim", "bound")
        gone = {name: None for name in removable if fields[name] is UNSET}
        return encode(Item(**(fields | gone)))

    # How changes are kept.

    def _touch(self, slots: IntArray, parts: BoolArray) -> None:
        """Give each slot that has a changed part the next version. Slots are distinct."""
        any_part = parts.any(axis=0)
        if not any_part.all():
            slots, parts = slots[any_part], parts[:, any_part]
        count = len(slots)
        stamps = np.arange(self.version + 1, self.version + 1 + count)
        for part in Part:
            rows = parts[part]
            self.part_changed[part, slots[rows]] = stamps[rows]
        new = parts[Part.STATIC] & ~self.shown[slots]
        self.appeared[slots[new]] = stamps[new]
        self.shown[slots] = True
        self.changed[slots] = stamps
        self.updates[slots] += 1
        self.version += count
        for slot in slots.tolist():
            self._whole[slot] = None

    def _touch_shown(self, slots: list[int], part: Part) -> None:
        chosen = np.array([slot for slot in slots if self.shown[slot]], dtype=np.int64)
        parts = np.zeros((len(Part), len(chosen)), dtype=np.bool_)
        parts[part] = True
        self._touch(chosen, parts)

    def _appear(self, slots: IntArray) -> None:
        slots = slots[~self.shown[slots]]
        self.age[slots] = ages(
            self.now_ms, self.t_ms[slots], self.expected_ms[slots], self._in_maintenance[slots]
        )
        self._restate(slots)

    def _restate(self, slots: IntArray) -> None:
        slots = np.array(
            [s for s in slots.tolist() if self.shown[s] or self.series[s].announced],
            dtype=np.int64,
        )
        parts = np.zeros((len(Part), len(slots)), dtype=np.bool_)
        parts[Part.STATIC] = True
        self._touch(slots, parts)

    def _remove(self, slots: IntArray) -> None:
        slots = slots[self.shown[slots]]
        parts = np.ones((len(Part), len(slots)), dtype=np.bool_)
        self._touch(slots, parts)
        self.shown[slots] = False
        self.returned[slots] = True
        self.t_ms[slots] = NEVER_MS
        self.simulated[slots] = self.bound[slots] = False

    def _grow(self, size: int) -> None:
        more = size - len(self.series)
        self.shown = np.r_[self.shown, np.zeros(more, dtype=np.bool_)]
        self.returned = np.r_[self.returned, np.zeros(more, dtype=np.bool_)]
        self.appeared = np.r_[self.appeared, np.zeros(more, dtype=np.int64)]
        self.value = np.r_[self.value, np.zeros(more)]
        self.t_ms = np.r_[self.t_ms, np.full(more, NEVER_MS, dtype=np.int64)]
        self.flag = np.r_[self.flag, np.zeros(more, dtype=np.uint8)]
        self.simulated = np.r_[self.simulated, np.zeros(more, dtype=np.bool_)]
        self.bound = np.r_[self.bound, np.zeros(more, dtype=np.bool_)]
        self.age = np.r_[self.age, np.full(more, Age.NEVER, dtype=np.uint8)]
        self.changed = np.r_[self.changed, np.zeros(more, dtype=np.int64)]
        self.updates = np.r_[self.updates, np.zeros(more, dtype=np.int64)]
        self.part_changed = np.c_[self.part_changed, np.zeros((len(Part), more), dtype=np.int64)]
        self._whole.extend([None] * more)

    def _index(self) -> None:
        self._slots_by_facet = {}
        for slot, series in enumerate(self.series):
            for field, values in facets_of_series(series).items():
                for value in values:
                    self._slots_by_facet.setdefault((field, value), []).append(slot)
        self._mark_maintenance()

    def _mark_maintenance(self) -> None:
        self._in_maintenance = np.array(
            [series.device in self.maintenance for series in self.series], dtype=np.bool_
        )
