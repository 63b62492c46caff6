"""Clients of a real hub over connections that are cut, slow and half open: no socket, no clock.

Between a session and its client stand two queues of texts. Whatever the server says passes the
strict model before it enters its queue, so a server that breaks the contract is caught there;
the client behind the queue may lose what the model has seen.
"""

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from api.auth import Principal
from api.live.hub import Hub
from api.live.mirror import Frame, Mirror, Verdict
from api.live.session import Session
from api.live.terms import Instant, Limits, SignIn
from api.live.where import ALERT_FIELDS, Where, parse_where
from ingest.reading import Batch
from ingest.series import SeriesTable
from tests.api.live_feed import T0, values
from tests.live.model import Model

LIMITS = Limits(window_bytes=2_000, alerts_behind=6)
VIEWER = Principal("", "viewer")


@dataclass(eq=False)
class Cable:
    """A connection: the server's session, and what is under way in both directions."""

    session: Session
    model: Model = field(default_factory=lambda: Model(window_bytes=LIMITS.window_bytes))
    up: deque[tuple[Frame, dict[str, Frame]]] = field(default_factory=deque)
    down: deque[Frame] = field(default_factory=deque)

    def arrive(self, now: Instant) -> None:
        """The oldest of what the client said reaches the server."""
        frame, holding = self.up.popleft()
        self.session.receive(self.model.sends(frame, holding), now)
        for asked in self.session.take_asks():
            assert isinstance(asked, SignIn)
            self.session.signed_in(asked, VIEWER, now)

    def pull(self, now: Instant) -> bool:
        texts = self.session.pull(now)
        self.down.extend(self.model.takes(text) for text in texts)
        return bool(texts)


@dataclass(eq=False)
class Watched:
    """A subscription of a client. `stretches`: event positions since each whole load."""

    mirror: Mirror
    sub: int | None = None
    request: int | None = None
    stretches: list[list[str]] = field(default_factory=list)
    saved: list[tuple[str, dict[str, Frame]]] = field(default_factory=list)

    def feed(self, frame: Frame) -> Verdict:
        verdict = self.mirror.feed(frame)
        whole = frame["op"] == "snap" and not frame["more"]
        if verdict is Verdict.APPLIED and self.mirror.pos is not None:
            if whole:
                self.stretches.append([self.mirror.pos])
            elif frame["op"] == "event":
                self.stretches[-1].append(frame["pos"])
            self.saved = [*self.saved[-3:], (self.mirror.pos, deepcopy(self.mirror.held))]
        return verdict

    def go_back(self, steps: int) -> None:
        """Be a client that kept what it held some time ago, such as a page put to sleep."""
        if self.saved:
            position, held = self.saved[-1 - steps % len(self.saved)]
            self.mirror.pos, self.mirror.held = position, deepcopy(held)
            self.stretches.append([position])


class Client:
    """A client that keeps the contract's rules over one cable after another."""

    def __init__(self, watched: list[Watched]) -> None:
        self.watched = watched
        self.cable: Cable | None = None
        self.last_id = 0

    def connect(self, cable: Cable) -> None:
        self.cable, self.last_id = cable, 0
        self._say(op="auth")
        for one in self.watched:
            self._ask(one)

    def cut(self) -> None:
        self.cable = None
        for one in self.watched:
            one.sub = one.request = None

    def hear(self) -> None:
        """The oldest of what the server said reaches the client."""
        assert self.cable is not None
        frame = self.cable.down.popleft()
        match frame["op"]:
            case "ping":
                self.cable.up.append(({"op": "pong"}, {}))
                for one in self.watched:
                    if not one.mirror.agrees(frame["pos"].get(str(one.sub), one.mirror.pos)):
                        self._again(one)
            case "sub_ok":
                for one in (each for each in self.watched if each.request == frame["id"]):
                    one.sub, one.request = frame["sub"], None
                    one.mirror.subscribed(frame)
            case "snap" | "delta" | "event" | "reset":
                for one in (each for each in self.watched if each.sub == frame["sub"]):
                    if one.feed(frame) is Verdict.GAP:
                        self._again(one)

    def _again(self, one: Watched) -> None:
        self._say(op="unsub", sub=one.sub)
        self._ask(one)

    def _ask(self, one: Watched) -> None:
        assert self.cable is not None
        self.last_id += 1
        one.sub, one.request = None, self.last_id
        self.cable.up.append((one.mirror.request(self.last_id), deepcopy(one.mirror.held)))

    def _say(self, **frame: Any) -> None:
        assert self.cable is not None
        self.last_id += 1
        self.cable.up.append(({"id": self.last_id, **frame}, {}))


class River:
    """A service that lives, dies and comes back, its clients, and what it has published."""

    def __init__(self, table: SeriesTable) -> None:
        self.mono_ms = 0
        self.table = table
        self.lives = 0
        self.published: list[dict[str, Any]] = []
        self.alerts: dict[str, dict[str, Any]] = {}
        self.clients: list[Client] = []
        self.cables: list[Cable] = []
        self.newest: dict[int, tuple[float, int]] = {}
        self.restart(0)

    def now(self) -> Instant:
        return Instant(self.mono_ms, T0 + self.mono_ms)

    def restart(self, events_kept: int) -> None:
        """The process ends and another begins: alerts have their positions, state has not."""
        self.lives += 1
        for client in self.clients:
            client.cut()
        self.cables.clear()
        self.hub = Hub(f"k{self.lives}", "a1")
        rows = list(self.newest.items())
        newest = (
            values([n for n, _ in rows], [v for _, (v, _) in rows], [t for _, (_, t) in rows])
            if rows
            else Batch.empty()
        )
        self.hub.configure(self.table, newest)
        numbered = list(enumerate(self.published, 1))
        kept = numbered[max(0, len(numbered) - events_kept) :]
        self.hub.load_alerts(list(self.alerts.values()), kept, len(numbered))
        self.hub.tick(T0 + self.mono_ms)

    def publish(self, kind: str, alert: dict[str, Any]) -> None:
        self.alerts[alert["id"]] = alert
        self.published.append({"type": kind, "alert": alert})
        self.hub.publish(len(self.published), self.published[-1])

    def connect(self, client: Client) -> None:
        """A new connection. An older one of the client stays open at the server's end."""
        client.cut()
        cable = Cable(Session(self.hub, self.now(), LIMITS))
        self.cables.append(cable)
        client.connect(cable)

    def close_what_ended(self) -> None:
        """The shell's part: a session that is to be closed is, and its client hears of it."""
        for cable in [each for each in self.cables if each.session.closing is not None]:
            self.cables.remove(cable)
            for client in self.clients:
                if client.cable is cable:
                    client.cut()

    def settle(self) -> None:
        """Everybody comes back, all that is under way arrives, and a heartbeat passes."""
        for _ in range(2):
            for client in self.clients:
                if client.cable is None or client.cable not in self.cables:
                    self.connect(client)
            for _ in range(500):
                if not self._move():
                    break
            else:
                raise AssertionError("the wires never fall quiet")
            # The ping of a quiet link is what finds a frame that was lost before it.
            self.mono_ms += 20_000

    def _move(self) -> bool:
        moved = False
        for client in self.clients:
            cable = client.cable
            if cable is None or cable not in self.cables:
                self.connect(client)
                moved = True
                continue
            while cable.up:
                cable.arrive(self.now())
                moved = True
            moved |= cable.pull(self.now())
            while client.cable is cable and cable.down:
                client.hear()
        self.close_what_ended()
        return moved

    def check(self) -> None:
        """Every client holds what a fresh load would give, and so does the model of its wire."""
        for client in self.clients:
            assert client.cable is not None
            for one in client.watched:
                truth = self._truth(one.mirror)
                assert one.mirror.held == truth
                assert one.sub is not None
                assert client.cable.model.subs[one.sub].held == truth
                if one.mirror.chan == "alerts":
                    self._no_gap(one)

    def _truth(self, mirror: Mirror) -> Mapping[str, Any]:
        if mirror.chan == "alerts":
            active = self.hub.alerts.active(parse_where(mirror.where, ALERT_FIELDS))
            return {alert["id"]: alert for alert in active}
        items, _ = self.hub.items(parse_where(mirror.where))
        return {item["k"]: item for item in items}

    def _no_gap(self, one: Watched) -> None:
        """Between two whole loads each event was seen once, in order, and none was left out."""
        chosen = self._chosen(parse_where(one.mirror.where, ALERT_FIELDS))
        for stretch in one.stretches:
            start, *seen = [int(position.rpartition(".")[2]) for position in stretch]
            upto = seen[-1] if seen else start
            assert seen == [number for number in chosen if start < number <= upto]
        last = int(one.stretches[-1][-1].rpartition(".")[2])
        assert not [number for number in chosen if number > last]

    def _chosen(self, where: Where) -> list[int]:
        return [
            number
            for number, event in enumerate(self.published, 1)
            if where.matches(
                {"severity": (event["alert"]["severity"],), "rule": (event["alert"]["rule"],)}
            )
        ]
