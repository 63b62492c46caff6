"""The client's side of live.v1 without a socket: what a subscriber holds, kept true.

A mirror takes the frames of its subscription in order. It never guesses: a frame that does
not follow from its own position is not applied, and `Verdict.GAP` asks to subscribe again.
"""

from collections import deque
from enum import StrEnum
from typing import Any

Frame = dict[str, Any]

FAULTS_MAX = 1
"""After more faults in a row than this a whole snapshot is the honest thing to ask for."""

EVENTS_MAX = 100_000
"""Events that a mirror remembers, for those who want to look back."""


class Verdict(StrEnum):
    """What a frame did to a mirror."""

    APPLIED = "applied"
    DROPPED = "dropped"
    """The service said that what is held is void; a snapshot follows."""
    GAP = "gap"
    """The frame doesn't follow from what is held: subscribe again with the position."""


class Mirror:
    """What is held of one subscription.

    held : whole items by `k` (state), or whole alerts by `id` (alerts)
    pos : the position of what is held; None while nothing complete is
    current : whether that is what the service has, as far as can be known here
    recovered : what the service said when it was last subscribed to
    events : frames of events, oldest first
    """

    def __init__(self, chan: str, where: dict[str, list[str]] | None, max_hz: float | None) -> None:
        self.chan = chan
        self.where = where
        self.max_hz = max_hz
        self.held: dict[str, Frame] = {}
        self.pos: str | None = None
        self.current = False
        self.recovered: bool | None = None
        self.events: deque[Frame] = deque(maxlen=EVENTS_MAX)
        self.merged = 0
        self.deltas = 0
        self._loading: dict[str, Frame] | None = None
        self._page_pos: str | None = None
        self._faults = 0

    def request(self, number: int) -> Frame:
        """The frame that subscribes, or subscribes again from where this stands."""
        pos = None if self._faults > FAULTS_MAX else self.pos
        optional = {"where": self.where, "max_hz": self.max_hz, "pos": pos}
        given = {name: value for name, value in optional.items() if value is not None}
        return {"op": "sub", "id": number, "chan": self.chan, **given}

    def subscribed(self, frame: Frame) -> None:
        """Take a `sub_ok`. What is held stays on the screen until a snapshot replaces it."""
        self.current = self.recovered = frame["recovered"]
        self._loading = None if self.recovered else {}
        self._page_pos = None

    def suspended(self) -> None:
        """The link is gone, or it is asked anew: what is held stays, as of its position."""
        self.current = False
        self._loading = self._page_pos = None

    def feed(self, frame: Frame) -> Verdict:
        """Take a `snap`, `delta`, `event` or `reset` of this subscription."""
        match frame["op"]:
            case "snap":
                return self._snap(frame)
            case "reset":
                self.held, self.pos, self._loading = {}, None, {}
                self.current, self._page_pos = False, None
                return Verdict.DROPPED
            case "delta" | "event":
                if self._loading is not None or frame["from"] != self.pos:
                    return self._fault()
                self._delta(frame) if frame["op"] == "delta" else self._event(frame)
                self.pos, self._faults = frame["pos"], 0
                return Verdict.APPLIED
        raise ValueError(f"op {frame['op']!r} belongs to no subscription")

    def agrees(self, pos: str) -> bool:
        """Whether the position that a ping names is this one; else something was lost."""
        return self._loading is not None or self.pos == pos

    def _snap(self, frame: Frame) -> Verdict:
        if self._loading is None or self._page_pos not in (None, frame["pos"]):
            return self._fault()
        self._page_pos = frame["pos"]
        name = "k" if self.chan == "state" else "id"
        self._loading.update((item[name], item) for item in frame["items"])
        if not frame["more"]:
            self.held, self._loading, self.pos = self._loading, None, frame["pos"]
            self.current, self._page_pos, self._faults = True, None, 0
        return Verdict.APPLIED

    def _fault(self) -> Verdict:
        self._faults += 1
        self.suspended()
        return Verdict.GAP

    def _delta(self, frame: Frame) -> None:
        self.deltas += 1
        self.merged += frame["merged"]
        for item in frame["set"]:
            into = self.held.setdefault(item["k"], {})
            for name, value in item.items():
                if value is None:
                    into.pop(name, None)
                else:
                    into[name] = value
        for key in frame["del"]:
            self.held.pop(key, None)

    def _event(self, frame: Frame) -> None:
        self.events.append(frame)
        alert = frame["alert"]
        if alert["state"] == "normal":
            self.held.pop(alert["id"], None)
        else:
            self.held[alert["id"]] = alert
