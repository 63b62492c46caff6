"""What officers enter beside alerts: maintenance windows, how a bridge is worked, the official
disaster-risk level, whether water is taken at an intake, hand checks of probes, and bulletins
to farmers.

An entry is validated here, where it is stepped: the doors check its shape to be helpful, and
the journal holds whatever they let through. Nothing is remembered beyond a bound: as many
bridges, intakes and branches as the registry has, `WINDOWS_MAX` windows that are not over and
the last `OVER_KEPT` that are.

What is overwritten (a bridge's mode, a level, an intake) carries a version, which an officer
names as he saw it: of two at once the second is told, and does not undo the first unseen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, TypeVar

import msgspec

from alerts.bridge.modes import Mode
from alerts.checks import Checks
from alerts.entries import (
    AHEAD_MAX_MS,
    BEGUN_MAX_MS,
    BULLETIN_MAX_MS,
    EVERYWHERE,
    MODE_MAX_MS,
    NOTE_MAX,
    WINDOW_MAX_MS,
    Begin,
    Bridge,
    Bulletin,
    End,
    EnteredOutcome,
    Entering,
    IntakeState,
    ModeEntry,
    NotTaken,
    Official,
    Taken,
    Verdict,
    What,
    Window,
    Worked,
    read,
    refused,
    said,
    stale,
    unknown,
)
from alerts.farmers.broadcast import Broadcasts
from ingest import journal
from ingest.registry import Registry

WINDOWS_MAX: Final = 1_000
OVER_KEPT: Final = 200


class Desk:
    """All that officers have entered and that counts, or has counted lately.

    Parameters
    ----------
    snapshot : of `snapshot()`
    """

    def __init__(self, snapshot: Mapping[str, Any] | None = None) -> None:
        old = snapshot or {"next": 1, "windows": [], "bridges": {}, "levels": [], "intakes": {}}
        self._next: int = old["next"]
        self._windows = {one["id"]: Window(**one) for one in old["windows"]}
        self._bridges = {
            station: Bridge(ver, {d: _mode(mode) for d, mode in modes.items()})
            for station, (ver, modes) in old["bridges"].items()
        }
        self._levels = {one["branch"]: Official(**one) for one in old["levels"]}
        self._intakes = {name: IntakeState(**one) for name, one in old["intakes"].items()}
        self._checks = Checks(old.get("checks"))  # earlier checkpoints know of none
        self._broadcasts = Broadcasts(old.get("broadcasts"))  # nor of these

    def snapshot(self) -> dict[str, Any]:
        return {
            "next": self._next,
            "windows": [asdict(one) for one in self._windows.values()],
            "bridges": {
                station: [bridge.ver, {d: _packed(mode) for d, mode in bridge.modes.items()}]
                for station, bridge in self._bridges.items()
            },
            "levels": [asdict(one) for one in self._levels.values()],
            "intakes": {name: asdict(one) for name, one in self._intakes.items()},
            "checks": self._checks.snapshot(),
            "broadcasts": self._broadcasts.snapshot(),
        }

    def step(self, entry: journal.Entered, registry: Registry, now_ms: int) -> EnteredOutcome:
        """Take an entry of the journal."""
        try:
            body = msgspec.json.decode(entry.body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            return EnteredOutcome(Verdict.REFUSED, str(error))
        entering = Entering(entry.what, entry.subject, body, entry.who, entry.note)
        return self.enter(entering, registry, now_ms)

    def enter(self, entering: Entering, registry: Registry, now_ms: int) -> EnteredOutcome:
        """Take an entry, or say why not; what is not taken changes nothing."""
        try:
            if len(entering.note) > NOTE_MAX:
                raise refused("note", f"at most {NOTE_MAX} characters")
            match entering.what:
                case What.MAINTENANCE if "end" in entering.body:
                    item = self._end(entering, now_ms)
                case What.MAINTENANCE:
                    item = self._begin(entering, registry, now_ms)
                case What.MODE:
                    item = self._work(entering, registry, now_ms)
                case What.RISK:
                    item = self._warn(entering, registry, now_ms)
                case What.INTAKE:
                    item = self._take(entering, registry, now_ms)
                case What.CHECK:
                    return self._checks.take(entering, registry, now_ms)
                case What.BROADCAST:
                    return self._broadcasts.take(entering, registry, now_ms)
                case _:
                    raise refused("what", f"{entering.what[:40]!r} can't be entered")
        except NotTaken as refusal:
            return refusal.outcome
        return EnteredOutcome(Verdict.DONE, item=item)

    # What counts at a time.

    def maintenance(self, now_ms: int) -> dict[str, str]:
        """Of each station in maintenance the id of its window; of several, the last to end."""
        found: dict[str, Window] = {}
        for window in self._windows.values():
            known = found.get(window.station)
            if window.holds(now_ms) and (known is None or known.until_ms < window.until_ms):
                found[window.station] = window
        return {station: window.id for station, window in sorted(found.items())}

    def modes(self, now_ms: int) -> dict[tuple[str, str], Mode]:
        """By (station, direction), those that are not two-way."""
        return {
            (station, direction): entry.mode
            for station, bridge in sorted(self._bridges.items())
            for direction, entry in sorted(bridge.modes.items())
            if now_ms < entry.until_ms
        }

    def closed(self, now_ms: int) -> frozenset[str]:
        """The directions that nobody may use, as `station/direction`."""
        modes = self.modes(now_ms).items()
        return frozenset(f"{s}/{d}" for (s, d), mode in modes if mode is Mode.CLOSED)

    def risk(self, now_ms: int) -> dict[str, Official]:
        """The levels in force, by reach or `EVERYWHERE`."""
        return {b: level for b, level in sorted(self._levels.items()) if level.holds(now_ms)}

    def intakes(self) -> dict[str, dict[str, Any]]:
        """What was last said of each intake: taking, gate ("open", "closed", None), t_ms."""
        return {
            name: {"taking": state.taking, "gate": state.gate, "t_ms": state.t_ms}
            for name, state in sorted(self._intakes.items())
        }

    def next_due_ms(self, now_ms: int) -> int | None:
        """When, after `now_ms`, a window or a mode begins or ends by itself."""
        borders = [ms for one in self._windows.values() for ms in (one.from_ms, one.until_ms)]
        for bridge in self._bridges.values():
            borders.extend(mode.until_ms for mode in bridge.modes.values())
        return min((border for border in borders if border > now_ms), default=None)

    def picture(self, now_ms: int) -> dict[str, Any]:
        """All of it for the doors: windows by their beginning, the others by their subject."""
        windows = sorted(self._windows.values(), key=lambda one: (one.from_ms, int(one.id[1:])))
        return {
            "maintenance": [one.item(now_ms) for one in windows],
            "bridges": {
                station: _bridge_item(station, bridge, now_ms)
                for station, bridge in sorted(self._bridges.items())
            },
            "risk": [level.item(now_ms) for _, level in sorted(self._levels.items())],
            "intakes": {name: state.item() for name, state in sorted(self._intakes.items())},
        }

    def broadcasts(self, now_ms: int) -> list[dict[str, Any]]:
        """Bulletins to farmers, the newest first: for officers alone.

        Not in `picture`: words that nobody has confirmed are not shown to everybody.
        """
        return self._broadcasts.picture(now_ms)

    # Entries, one kind each.

    def _begin(self, entering: Entering, registry: Registry, now_ms: int) -> dict[str, Any]:
        body = read(entering, Begin)
        station = entering.subject
        if station not in registry.stations:
            raise unknown("station", station)
        from_ms = now_ms if body.begin is None else body.begin
        if from_ms < now_ms - BEGUN_MAX_MS or from_ms > now_ms + AHEAD_MAX_MS:
            raise refused("from", "from 12 h ago up to a year ahead is accepted")
        if body.to <= max(from_ms, now_ms):
            raise refused("to", "the end lies after the beginning, and after now")
        if body.to - from_ms > WINDOW_MAX_MS:
            raise refused("to", "a window lasts at most 31 days; longer work is entered again")
        reason = said("reason", body.reason)
        if sum(now_ms < one.until_ms for one in self._windows.values()) >= WINDOWS_MAX:
            raise NotTaken(Verdict.NOT_NOW, f"{WINDOWS_MAX} windows are not over; end some first")
        name = f"m{self._next}"
        self._next += 1
        window = Window(
            name, station, from_ms, body.to, reason, now_ms, entering.who, entering.note
        )
        self._windows[name] = window
        self._forget(now_ms)
        return window.item(now_ms)

    def _end(self, entering: Entering, now_ms: int) -> dict[str, Any]:
        read(entering, End)
        window = self._windows.get(entering.subject)
        if window is None:
            raise unknown("maintenance window", entering.subject)
        if now_ms >= window.until_ms or window.ended_ms is not None:
            raise NotTaken(Verdict.NOT_NOW, "it is over already", window.item(now_ms))
        ended = replace(window, ended_ms=now_ms, ended_by=entering.who)
        self._windows[window.id] = ended
        return ended.item(now_ms)

    def _forget(self, now_ms: int) -> None:
        over = [one for one in self._windows.values() if now_ms >= one.until_ms]
        over.sort(key=lambda one: (one.until_ms, int(one.id[1:])))
        for window in over[: max(0, len(over) - OVER_KEPT)]:
            del self._windows[window.id]

    def _work(self, entering: Entering, registry: Registry, now_ms: int) -> dict[str, Any]:
        body = read(entering, Worked)
        name = entering.subject
        station = registry.stations.get(name)
        if station is None or station.kind != "traffic":
            raise unknown("bridge", name)
        if body.direction is not None and body.direction not in station.directions:
            accepted = ", ".join(station.directions) or "none"
            raise refused(
                "direction", f"{body.direction[:40]!r} is none of this bridge's: {accepted}"
            )
        bridge = self._bridges.get(name, Bridge())
        if bridge.ver != body.ver:
            raise stale(_bridge_item(name, bridge, now_ms))
        modes = {d: mode for d, mode in bridge.modes.items() if now_ms < mode.until_ms}
        for direction in station.directions if body.direction is None else [body.direction]:
            if body.mode is Mode.TWO_WAY:
                modes.pop(direction, None)
            else:
                modes[direction] = _new_mode(body, entering, now_ms)
        _make_room(self._bridges, registry.stations)
        self._bridges[name] = Bridge(bridge.ver + 1, modes)
        return _bridge_item(name, self._bridges[name], now_ms)

    def _warn(self, entering: Entering, registry: Registry, now_ms: int) -> dict[str, Any]:
        body = read(entering, Bulletin)
        branch = entering.subject
        if branch != EVERYWHERE and branch not in registry.reaches:
            raise unknown("branch", branch)
        known = self._levels.get(branch)
        if (0 if known is None else known.ver) != body.ver:
            raise stale(None if known is None else known.item(now_ms))
        if not now_ms - BULLETIN_MAX_MS <= body.issued <= now_ms:
            raise refused("issued", "a bulletin of the last 45 days is accepted")
        if not now_ms < body.valid_until <= body.issued + BULLETIN_MAX_MS:
            raise refused("valid_until", "after now, and at most 45 days after it was issued")
        level = Official(
            branch,
            body.ver + 1,
            body.level,
            said("region", body.region),
            said("bulletin", body.bulletin),
            said("title", body.title),
            body.issued,
            body.valid_until,
            said("source", body.source),
            now_ms,
            entering.who,
            entering.note,
        )
        _make_room(self._levels, [EVERYWHERE, *registry.reaches])
        self._levels[branch] = level
        return level.item(now_ms)

    def _take(self, entering: Entering, registry: Registry, now_ms: int) -> dict[str, Any]:
        body = read(entering, Taken)
        name = entering.subject
        if name not in registry.intakes:
            raise unknown("intake", name)
        known = self._intakes.get(name)
        if (0 if known is None else known.ver) != body.ver:
            raise stale(None if known is None else known.item())
        state = IntakeState(
            body.ver + 1, body.taking, body.gate, now_ms, entering.who, entering.note
        )
        _make_room(self._intakes, registry.intakes)
        self._intakes[name] = state
        return state.item()


def _new_mode(body: Worked, entering: Entering, now_ms: int) -> ModeEntry:
    if body.until is None or not now_ms < body.until <= now_ms + MODE_MAX_MS:
        raise refused("until", "a mode other than two-way has an end, at most 31 days ahead")
    reason = said("reason", body.reason)
    return ModeEntry(body.mode, now_ms, body.until, reason, entering.who, entering.note)


def _bridge_item(station: str, bridge: Bridge, now_ms: int) -> dict[str, Any]:
    return {
        "station": station,
        "ver": bridge.ver,
        "modes": {
            direction: mode.item()
            for direction, mode in sorted(bridge.modes.items())
            if now_ms < mode.until_ms
        },
    }


def _packed(entry: ModeEntry) -> dict[str, Any]:
    return asdict(entry) | {"mode": entry.mode.value}


def _mode(packed: Mapping[str, Any]) -> ModeEntry:
    return ModeEntry(**{**packed, "mode": Mode(packed["mode"])})


_Held = TypeVar("_Held")


def _make_room(held: dict[str, _Held], known: Mapping[str, Any] | Sequence[str]) -> None:
    """Forget what the registry no longer has: so there are never more than it has."""
    for name in [name for name in held if name not in known]:
        del held[name]
