"""The client's side of live.v1 without a socket: what a subscriber holds, kept true.

A mirror takes the frames of its subscription in order. It never guesses: a frame that does
not follow from its own position is not applied, and `Verdict.GAP` asks to subscribe again.
"""

from collections import deque
from enum import StrEnum
from typing import Any

Frame = dict[str, Any]

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
    recovered : what the service said when it was last subscribed to
    events : frames of events, oldest first
    """

    def __init__(self, chan: str, where: dict[str, list[str]] | None, max_hz: float | None) -> None:
        self.chan = chan
        self.where = where
        self.max_hz = max_hz
        self.held: dict[str, Frame] = {}
        self.pos: str | None = None
        self.recovered: bool | None = None
        self.events: deque[Frame] = deque(maxlen=EVENTS_MAX)
        self.merged = 0
        self.deltas = 0
        self._loading: dict[str, Frame] | None = None

    def request(self, number: int) -> Frame:
        """The frame that subscribes, or subscribes again from where this stands."""
        optional = {"where": self.where, "max_hz": self.max_hz, "pos": self.pos}
        given = {name: value for name, value in optional.items() if value is not None}
        return {"op": "sub", "id": number, "chan": self.chan, **given}

    def subscribed(self, frame: Frame) -> None:
        """Take a `sub_ok`. What is held stays on the screen until a snapshot replaces it."""
        self.recovered = frame["recovered"]
        self._loading = None if self.recovered else {}

    def feed(self, frame: Frame) -> Verdict:
        """Take a `snap`, `delta`, `event` or `reset` of this subscription."""
        match frame["op"]:
            case "snap":
                return self._snap(frame)
            case "reset":
                self.held, self.pos, self._loading = {}, None, {}
                return Verdict.DROPPED
            case "delta" | "event":
                if self._loading is not None or frame["from"] != self.pos:
                    return Verdict.GAP
                self._delta(frame) if frame["op"] == "delta" else self._event(frame)
                self.pos = frame["pos"]
                return Verdict.APPLIED
        raise ValueError(f"op {frame['op']!r} belongs to no subscription")

    def agrees(self, pos: str) -> bool:
        """Whether the position that a ping names is this one; else something was lost."""
        return self._loading is not None or self.pos == pos

    def _snap(self, frame: Frame) -> Verdict:
        if self._loading is None:
            return Verdict.GAP
        name = "k" if self.chan == "state" else "id"
        self._loading.update((item[name], item) for item in frame["items"])
        if not frame["more"]:
            self.held, self._loading, self.pos = self._loading, None, frame["pos"]
        return Verdict.APPLIED

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
