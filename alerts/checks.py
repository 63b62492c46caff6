"""Hand checks (đo đối chứng): what a crew measured beside a probe, and whether it cleaned it.

An entry is held for as long as it can be corrected, so that a correction names one that there
is, and the same entry sent twice (a crew's telephone that got no answer) is one. All of them,
for good, stand in `alerts.entry_log`.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from alerts.entries import (
    DAY_MS,
    EnteredOutcome,
    Entering,
    Verdict,
    by,
    read,
    refused,
    stale,
    unknown,
)
from ingest.reading import EPOCH_2000_MS, FUTURE_TOLERANCE_MS
from ingest.registry import Registry

LATE_MAX_MS: Final = 31 * DAY_MS
"""A crew comes back from the field, and a book of theirs is copied at the end of a month."""

HELD_MAX: Final = 2_000
CREW_MAX: Final = 80

BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "salinity_g_l": (0.0, 45.0),
    "conductivity_ms_cm": (0.0, 80.0),
    "conductivity_25_ms_cm": (0.0, 80.0),
    "temperature_c": (0.0, 45.0),
    "water_level_m": (-10.0, 20.0),
}
"""What a hand meter or a staff gauge can show, both ends included."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one visit found, at `t_ms`, before anything was cleaned.

    values : by quantity, of `BOUNDS`
    depth : "surface" or "bottom"
    cleaned, calibrated : what was done to the probe after it was measured
    crew : whose visit it was; `who` entered it
    replaces : the check that this one corrects; `replaced_by` the one that has corrected it
    """

    id: str
    station: str
    t_ms: int
    entered_ms: int
    depth: str
    values: Mapping[str, float]
    cleaned: bool
    calibrated: bool
    crew: str
    who: str
    note: str
    replaces: str | None = None
    replaced_by: str | None = None

    def item(self) -> dict[str, Any]:
        """As it goes to the doors and into the log; the probe's side is joined where it is read."""
        told: dict[str, Any] = {
            "id": self.id,
            "station": self.station,
            "t": self.t_ms,
            "entered": self.entered_ms,
            "depth": self.depth,
            "cleaned": self.cleaned,
            "calibrated": self.calibrated,
            "replaces": self.replaces,
            "values": dict(sorted(self.values.items())),
        }
        if self.crew:
            told["crew"] = self.crew
        return told | by(self.who, self.note)


_Ms = Annotated[int, Meta(ge=EPOCH_2000_MS, le=4_102_444_800_000)]


class Measured(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of an entry."""

    t: _Ms
    depth: Literal["surface", "bottom"] = "surface"
    values: dict[str, float] = {}
    cleaned: bool = False
    calibrated: bool = False
    crew: Annotated[str, Meta(max_length=CREW_MAX)] = ""
    replaces: Annotated[str, Meta(max_length=20)] | None = None


class Checks:
    """Those that can still be corrected, by id, in the order in which they were entered.

    Parameters
    ----------
    snapshot : of `snapshot()`
    """

    def __init__(self, snapshot: Mapping[str, Any] | None = None) -> None:
        old = snapshot or {"next": 1, "held": []}
        self._next: int = old["next"]
        self._held = {one["id"]: Check(**one) for one in old["held"]}

    def snapshot(self) -> dict[str, Any]:
        # Not by `asdict`, which copies the values too: nobody ever changes them.
        names = Check.__slots__
        held = [{name: getattr(one, name) for name in names} for one in self._held.values()]
        return {"next": self._next, "held": held}

    def take(self, entering: Entering, registry: Registry, now_ms: int) -> EnteredOutcome:
        """Take an entry of a station. Raises NotTaken."""
        body = read(entering, Measured)
        check = self._judged(body, entering, registry, now_ms)
        for known in self._held.values():
            if replace(known, id="", entered_ms=now_ms, replaced_by=None) == check:
                return EnteredOutcome(Verdict.DONE, item=known.item(), again=True)
        if check.replaces is not None:
            corrected = self._held.get(check.replaces)
            if corrected is None:
                raise unknown("check to correct", check.replaces)
            if corrected.replaced_by is not None:
                # Where the clock was set back between the two, the newer is forgotten first.
                raise stale(self._held.get(corrected.replaced_by, corrected).item())
        check = replace(check, id=f"c{self._next}")
        self._next += 1
        if check.replaces is not None:
            corrected = self._held[check.replaces]
            self._held[corrected.id] = replace(corrected, replaced_by=check.id)
        self._held[check.id] = check
        self._forget(now_ms)
        return EnteredOutcome(Verdict.DONE, item=check.item())

    def _judged(self, body: Measured, entering: Entering, registry: Registry, now_ms: int) -> Check:
        station = registry.stations.get(entering.subject)
        if station is None or station.kind != "salinity":
            raise unknown("salinity station", entering.subject)
        if body.t > now_ms + FUTURE_TOLERANCE_MS:
            raise refused("t", "when it was measured, and that lies ahead")
        if body.t < now_ms - LATE_MAX_MS:
            raise refused("t", "at most 31 days ago")
        for name, value in sorted(body.values.items()):
            if name not in BOUNDS:
                raise refused(name[:40], f"one of {', '.join(BOUNDS)} is accepted")
            least, most = BOUNDS[name]
            if not least <= value <= most:
                raise refused(name, f"{value:g} is not accepted: {least:g} to {most:g}")
        if not (body.values or body.cleaned or body.calibrated or body.replaces):
            raise refused("values", "a value, or that it was cleaned or calibrated, is needed")
        return Check(
            "",
            station.id,
            body.t,
            now_ms,
            body.depth,
            body.values,
            body.cleaned,
            body.calibrated,
            _name(body.crew),
            entering.who,
            entering.note,
            body.replaces,
        )

    def _forget(self, now_ms: int) -> None:
        """What is too old to be corrected, and the oldest of too many."""
        kept = [c for c in self._held.values() if c.entered_ms >= now_ms - LATE_MAX_MS]
        self._held = {one.id: one for one in kept[-HELD_MAX:]}


def _name(crew: str) -> str:
    name = unicodedata.normalize("NFC", crew).strip()
    if not name.isprintable():
        raise refused("crew", f"up to {CREW_MAX} characters in one line are accepted")
    return name
