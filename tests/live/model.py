"""A client of live.v1 written from the contract alone, that forgives nothing.

It has no socket, no clock and shares no code with the service. What the client under it sends
goes through `sends`, what the server sends through `takes`; a frame that the contract does not
allow raises BreachError.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.live.statements import KEPT_TYPES, BreachError

Frame = dict[str, Any]

FRAME_BYTES_MAX = 65_536
WINDOW_BYTES = 32_768
ACTIVE = frozenset(("unacked", "acked", "cleared-unacked"))
FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "hello": {"id": int, "role": str, "now": int, "ping_s": (int, float), "limits": dict},
    "sub_ok": {"id": int, "sub": int, "recovered": bool, "pos": str},
    "snap": {"sub": int, "more": bool, "pos": str, "items": list},
    "delta": {"sub": int, "from": str, "pos": str, "set": list, "del": list, "merged": int},
    "event": {"sub": int, "from": str, "pos": str, "type": str, "alert": dict},
    "reset": {"sub": int, "why": str},
    "ping": {"now": int, "pos": dict},
    "ret": {"id": int, "ok": dict},
    "err": {"id": int, "code": int, "msg": str},
}
ALERT_FIELDS = {"id": str, "rule": str, "k": str, "severity": str, "state": str}


@dataclass
class Subscription:
    """What is held of one subscription.

    pages : of a snapshot that is not whole yet; None once it is
    left : whether it was given up
    """

    chan: str
    where: dict[str, list[str]]
    position: str
    held: dict[str, Frame]
    pages: dict[str, Frame] | None
    page_position: str | None = None
    left: bool = False
    recovered: bool = False
    merged: int = 0
    deltas: int = 0
    events: list[Frame] = field(default_factory=list)


@dataclass
class Model:
    """One connection. `seen` counts, by statement, the occasions to break it."""

    window_bytes: int = WINDOW_BYTES
    seen: Counter[str] = field(default_factory=Counter)
    subs: dict[int, Subscription] = field(default_factory=dict)
    of_request: dict[int, int] = field(default_factory=dict)
    answers: dict[int, Frame] = field(default_factory=dict)
    hello: Frame | None = None
    in_flight: int = 0
    pings: list[int] = field(default_factory=list)
    further_types: set[str] = field(default_factory=set)
    _asked: dict[int, tuple[Frame, dict[str, Frame]]] = field(default_factory=dict)

    # What the client sends.

    def sends(self, frame: Frame, holding: dict[str, Frame] | None = None) -> str:
        """Note a frame of the client's, and give its text.

        holding : of a `sub` with a position: what is held at that position
        """
        if frame["op"] == "pong":
            # A pong confirms what came up to the ping that it answers, and no more.
            if self.pings:
                self.in_flight -= self.pings.pop(0)
        else:
            self._asked[frame["id"]] = (frame, dict(holding or {}))
        return json.dumps(frame)

    # What the server sends.

    def takes(self, text: str | bytes) -> Frame:
        """Take a frame of the server's, or raise BreachError."""
        frame = self._read(text)
        op, size = frame["op"], len(text.encode() if isinstance(text, str) else text)
        if self.hello is None and op not in ("hello", "err"):
            raise BreachError("F1", f"{op} before hello")
        if op in ("snap", "delta", "event"):
            self.seen["4.1"] += 1
            if self.in_flight and self.in_flight + size > self.window_bytes:
                raise BreachError("4.1", f"{self.in_flight} + {size} bytes without a ping's pong")
        self.in_flight += size
        match op:
            case "hello" | "sub_ok" | "ret" | "err":
                self._answer(frame)
            case "ping":
                self.pings.append(self.in_flight - sum(self.pings))
                self._ping(frame)
            case _:
                self._content(frame)
        return frame

    def _read(self, text: str | bytes) -> Frame:
        self.seen["F2"] += 1
        if isinstance(text, bytes):
            raise BreachError("F2", "a frame of bytes")
        if len(text.encode()) > FRAME_BYTES_MAX:
            raise BreachError("F2", f"a frame of {len(text.encode())} bytes")
        try:
            frame = json.loads(text, parse_constant=_no_number)
        except ValueError as error:
            raise BreachError("F2", f"no JSON: {error}") from error
        if not isinstance(frame, dict) or frame.get("op") not in FIELDS:
            raise BreachError("F7", f"no frame of the contract: {text[:80]}")
        self.seen["F7"] += 1
        _typed("F7", f"{frame['op']}", frame, FIELDS[frame["op"]])
        return frame

    def _answer(self, frame: Frame) -> None:
        number, op = frame["id"], frame["op"]
        self.seen["F3"] += 1
        if number not in self._asked:
            raise BreachError("F3", f"{op} for the request {number}, which nobody made")
        asked, holding = self._asked.pop(number)
        self.answers[number] = frame
        fitting = {"auth": "hello", "sub": "sub_ok", "unsub": "ret", "call": "ret"}
        if op not in ("err", fitting.get(asked["op"])):
            raise BreachError("F3", f"{asked['op']} is answered by {op}")
        if op == "hello":
            self.seen["F1"] += 1
            limits = {"subs": int, "frame": int, "max_hz": (int, float)}
            _typed("F1", "hello.limits", frame["limits"], limits)
            self.hello = frame
        elif op == "sub_ok":
            self._opened(asked, holding, frame)
        elif op == "ret" and asked["op"] == "unsub" and asked["sub"] in self.subs:
            self.subs[asked["sub"]].left = True

    def _opened(self, asked: Frame, holding: dict[str, Frame], frame: Frame) -> None:
        self.seen["F4"] += 1
        number, recovered = frame["sub"], frame["recovered"]
        if number in self.subs:
            raise BreachError("F4", f"sub {number} stands already")
        if recovered:
            self.seen["7.1"] += 1
            if frame["pos"] != asked.get("pos"):
                raise BreachError("7.1", f"recovered to {frame['pos']}, asked {asked.get('pos')}")
        where = asked.get("where") or {}
        held = holding if recovered else {}
        self.subs[number] = Subscription(
            asked["chan"], where, frame["pos"], held, None if recovered else {}, recovered=recovered
        )
        self.of_request[asked["id"]] = number

    def _content(self, frame: Frame) -> None:
        self.seen["F3"] += 1
        if "id" in frame:
            raise BreachError("F3", f"{frame['op']} was not asked for and carries an id")
        sub = self.subs.get(frame["sub"])
        if sub is None:
            raise BreachError("F4", f"{frame['op']} for sub {frame['sub']}, which there is not")
        if sub.left:
            raise BreachError("F4", f"{frame['op']} for sub {frame['sub']}, which was given up")
        match frame["op"]:
            case "snap":
                self._snap(sub, frame)
            case "reset":
                if frame["why"] not in ("gap", "epoch", "overflow"):
                    raise BreachError("F7", f"reset because of {frame['why']!r}")
                sub.held, sub.pages, sub.page_position = {}, {}, None
            case "delta":
                self._follows(sub, frame, "state")
                self._delta(sub, frame)
            case "event":
                self._follows(sub, frame, "alerts")
                self._event(sub, frame)

    def _snap(self, sub: Subscription, frame: Frame) -> None:
        self.seen["2.1"] += 1
        if sub.pages is None:
            raise BreachError("2.1", "a page of a snapshot that nothing announced")
        if sub.page_position not in (None, frame["pos"]):
            raise BreachError("2.1", f"a page at {frame['pos']} after one at {sub.page_position}")
        sub.page_position = frame["pos"]
        for item in frame["items"]:
            self._fits(sub, item)
            if sub.chan == "alerts":
                self._whole_alert(item)
                if item["state"] not in ACTIVE:
                    raise BreachError("2.4", f"an alert that is {item['state']}")
            sub.pages[_key(sub, item)] = item
        if not frame["more"]:
            sub.held, sub.pages, sub.page_position = sub.pages, None, None
            sub.position = frame["pos"]

    def _follows(self, sub: Subscription, frame: Frame, chan: str) -> None:
        op = frame["op"]
        if sub.chan != chan:
            raise BreachError("F7", f"{op} on the channel {sub.chan}")
        if sub.pages is not None:
            raise BreachError("2.1", f"{op} before the last page of the snapshot")
        self.seen["1.1"] += 1
        if frame["from"] != sub.position:
            raise BreachError("1.1", f"{op} from {frame['from']}, sent was {sub.position}")

    def _delta(self, sub: Subscription, frame: Frame) -> None:
        keys = [*(_key(sub, item) for item in frame["set"]), *frame["del"]]
        self.seen["4.2"] += 1
        if len(set(keys)) != len(keys):
            raise BreachError("4.2", "a key stands twice in a delta")
        if frame["merged"] < 0:
            raise BreachError("4.2", f"merged is {frame['merged']}")
        for item in frame["set"]:
            self._merge(sub, item)
        for key in frame["del"]:
            sub.held.pop(key, None)
        sub.position = frame["pos"]
        sub.deltas += 1
        sub.merged += frame["merged"]

    def _merge(self, sub: Subscription, item: Frame) -> None:
        key = _key(sub, item)
        old = sub.held.get(key)
        if old is None:
            self.seen["2.3"] += 1
            if not isinstance(item.get("st"), str):
                raise BreachError("2.3", f"{key} is new and comes without st")
        merged = {**(old or {}), **item}
        sub.held[key] = {name: value for name, value in merged.items() if value is not None}
        self._fits(sub, sub.held[key])
        if old is not None and "st" in item and "t" not in item:
            self.seen["6"] += 1

    def _event(self, sub: Subscription, frame: Frame) -> None:
        alert = frame["alert"]
        self.seen["5.1"] += 1
        self._whole_alert(alert)
        self._fits(sub, alert)
        if frame["type"] not in KEPT_TYPES:
            self.further_types.add(frame["type"])
        if alert["state"] in ACTIVE:
            sub.held[alert["id"]] = alert
        else:
            sub.held.pop(alert["id"], None)
        sub.position = frame["pos"]
        sub.events.append(frame)

    def _whole_alert(self, alert: Frame) -> None:
        self.seen["2.4"] += 1
        _typed("2.4", "alert", alert, ALERT_FIELDS)

    def _fits(self, sub: Subscription, item: Frame) -> None:
        """Whether the filter selects it, as far as it says itself what it is."""
        if sub.where:
            self.seen["3.1"] += 1
            for name, wanted in sub.where.items():
                if name in item and not selects(wanted, item[name]):
                    raise BreachError("3.1", f"{name} is {item[name]!r}, asked was {wanted}")

    def _ping(self, frame: Frame) -> None:
        self.seen["F5"] += 1
        for number, position in frame["pos"].items():
            sub = self.subs.get(int(number)) if number.isdecimal() else None
            if sub is None or sub.left:
                raise BreachError("F5", f"a ping names sub {number}, which there is not")
            if sub.pages is None and position != sub.position:
                raise BreachError("F5", f"a ping says {position}, sent was {sub.position}")


def selects(wanted: list[str], said: object) -> bool:
    """Whether a field's list selects what a thing says of that field."""
    return not set(wanted).isdisjoint(said if isinstance(said, list) else [said])


def _key(sub: Subscription, item: Frame) -> str:
    name = "k" if sub.chan == "state" else "id"
    if not isinstance(item, dict) or not isinstance(item.get(name), str):
        raise BreachError("F7", f"an item of {sub.chan} without {name}")
    key: str = item[name]
    return key


def _typed(statement: str, what: str, frame: object, fields: dict[str, Any]) -> None:
    if not isinstance(frame, dict):
        raise BreachError(statement, f"{what} is no object")
    for name, kind in fields.items():
        value = frame.get(name)
        wrong = isinstance(value, bool) and kind is not bool
        if wrong or not isinstance(value, kind):
            raise BreachError(statement, f"{what}.{name} is {value!r}")


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")
