"""A few stations and alerts for the tests of the live socket."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from api.auth import Principal
from api.live.hub import Hub
from api.live.mirror import Frame
from api.live.session import Session
from api.live.terms import Instant, Limits, SignIn
from ingest.reading import QUANTITIES, Batch, Flag, Why
from ingest.series import Series, SeriesTable

T0 = 1_767_000_000_000
VIEWER = Principal("", "viewer")
OFFICER = Principal("Nguyễn Thị Út", "operator")


def series(
    number: int,
    key: str,
    station: str,
    branches: tuple[str, ...] = (),
    *,
    announced: bool = True,
    expected_s: float = 60,
) -> Series:
    stream, _, quantity = key.rpartition("/")
    device, _, direction = stream.partition("/")
    return Series(
        id=number,
        key=key,
        stream=stream,
        station=station,
        device=device,
        kind=QUANTITIES[quantity].kind,
        branches=branches,
        quantity=quantity,
        unit=QUANTITIES[quantity].unit,
        direction=direction or None,
        level=None,
        expected_s=expected_s,
        announced=announced,
    )


def river() -> SeriesTable:
    """Six series: two probes, the second with a hidden series, and a camera."""
    return SeriesTable(
        [
            series(0, "vk-01/salinity_g_l", "vam-kenh", ("cua-tieu",)),
            series(1, "vk-01/temperature_c", "vam-kenh", ("cua-tieu",)),
            series(2, "xh-01/salinity_g_l", "xuan-hoa", ("cua-tieu", "cua-dai")),
            series(3, "xh-01/battery_v", "xuan-hoa", ("cua-tieu", "cua-dai"), announced=False),
            series(4, "cam-01/southbound/flow_veh_h", "rach-mieu-1"),
            series(5, "cam-01/northbound/flow_veh_h", "rach-mieu-1"),
        ]
    )


def wide(count: int) -> SeriesTable:
    return SeriesTable(
        [
            series(i, f"p-{i:05d}/salinity_g_l", f"tram-{i % 100}", ("ham-luong",))
            for i in range(count)
        ]
    )


def retired(table: SeriesTable, numbers: Sequence[int]) -> SeriesTable:
    return SeriesTable(
        [
            dataclasses.replace(one, retired=True, announced=False, station="")
            if one.id in numbers
            else one
            for one in table.entries
        ]
    )


def values(
    numbers: Sequence[int], value: Any, t_ms: Any = T0, flag: int = Flag.PASS, why: int = 0
) -> Batch:
    shape = len(numbers)
    return Batch.of(
        list(numbers), np.broadcast_to(t_ms, shape), np.broadcast_to(value, shape), flag, why
    )


def simulated(numbers: Sequence[int], value: float, t_ms: int) -> Batch:
    return values(numbers, value, t_ms, Flag.PASS, int(Why.SIMULATED))


def hub_of(table: SeriesTable) -> Hub:
    hub = Hub("k1", "a1")
    hub.configure(table, Batch.empty())
    hub.load_alerts([], [], 0)
    hub.tick(T0)
    return hub


def alert(number: int, state: str = "unacked", **more: Any) -> dict[str, Any]:
    return {
        "id": f"{number:016x}",
        "ver": 1,
        "rule": "salinity-4",
        "k": "vk-01/salinity_g_l",
        "severity": "critical",
        "state": state,
        "value": 4.1,
        "limit": 4.0,
        "message_vi": "Độ mặn vượt 4 g/L ở Vàm Kênh.",
        **more,
    }


def raised(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "raised", "alert": alert(number, **more), "at": T0}


class Wire:
    """One session with its time in hand; frames go in and come out decoded."""

    def __init__(
        self,
        hub: Hub,
        principal: Principal | None = VIEWER,
        limits: Limits | None = None,
        *,
        sign_in: bool = True,
        pong: bool = True,
    ) -> None:
        self.mono_ms = 0
        self.principal = principal
        self.pong = pong
        self.session = Session(hub, self.now(), limits)
        self.last_id = 0
        if sign_in:
            [self.hello] = self.ask(op="auth")

    def now(self) -> Instant:
        return Instant(self.mono_ms, T0 + self.mono_ms)

    def send(self, **frame: Any) -> None:
        self.raw(msgspec.json.encode(frame).decode())

    def raw(self, text: str | bytes) -> None:
        self.session.receive(text, self.now())

    def ask(self, **frame: Any) -> list[Frame]:
        """Send a request with the next id; what comes back, pings not among it."""
        self.last_id += 1
        self.send(id=self.last_id, **frame)
        for asked in self.session.take_asks():
            assert isinstance(asked, SignIn)
            self.session.signed_in(asked, self.principal, self.now())
        return self.pull()

    def pull_once(self) -> list[Frame]:
        return [msgspec.json.decode(text) for text in self.session.pull(self.now())]

    def pull(self, after_ms: int = 0) -> list[Frame]:
        """Let time pass and take all frames, with the pongs of a client that keeps up.

        A client that does not pong gets its pings to see.
        """
        self.mono_ms += after_ms
        frames: list[Frame] = []
        while came := self.pull_once():
            frames += [f for f in came if f["op"] != "ping" or not self.pong]
            if self.pong and any(frame["op"] == "ping" for frame in came):
                self.send(op="pong")
        return frames

    @property
    def code(self) -> int | None:
        return self.session.closing.code if self.session.closing else None
