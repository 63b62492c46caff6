"""The one property of the state channel: whatever happens on the way, a client that keeps
the contract's rules holds what the hub holds."""

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.live import view
from api.live.hub import Hub
from api.live.mirror import Mirror, Verdict
from api.live.where import ALERT_FIELDS, parse_where
from ingest.reading import Batch, Flag
from ingest.series import SeriesTable
from tests.api.live_feed import (
    T0,
    Wire,
    alert,
    hub_of,
    raised,
    retired,
    river,
    simulated,
    values,
    wide,
)


class Screen:
    """A client over a wire that loses frames and breaks."""

    def __init__(self, hub: Hub, chan: str, where: dict[str, list[str]] | None) -> None:
        self.hub = hub
        self.mirror = Mirror(chan, where, None)
        self.connect()

    def connect(self) -> None:
        self.wire = Wire(self.hub)
        self.resubscribe()

    def resubscribe(self) -> None:
        self.sub = 0
        self.wire.last_id += 1
        self.wire.send(**self.mirror.request(self.wire.last_id))
        self.take(self.wire.pull_once())

    def take(self, frames: list[dict[str, Any]], lose: int | None = None) -> None:
        for number, frame in enumerate(frames):
            if frame["op"] == "ping":
                self.wire.send(op="pong")
                mine = frame["pos"].get(str(self.sub))
                if mine is not None and not self.mirror.agrees(mine):
                    self.again()
                    return
            elif frame["op"] == "sub_ok":
                self.sub = frame["sub"]
                self.mirror.subscribed(frame)
            elif number == lose and frame["op"] in ("delta", "event", "reset"):
                continue
            elif frame.get("sub") == self.sub and self.mirror.feed(frame) is Verdict.GAP:
                self.again()
                return

    def again(self) -> None:
        self.wire.last_id += 1
        self.wire.send(op="unsub", id=self.wire.last_id, sub=self.sub)
        self.resubscribe()

    def settle(self) -> None:
        for _ in range(200):
            frames = self.wire.pull_once()
            self.take(frames)
            if not frames:
                return
        raise AssertionError("the wire never falls quiet")


STATE_WHERE = st.sampled_from(
    [
        None,
        {"kind": ["salinity"]},
        {"station": ["xuan-hoa", "rach-mieu-1"]},
        {"branch": ["cua-dai"]},
    ]
)
STEP = st.one_of(
    st.tuples(
        st.just("apply"),
        st.lists(st.integers(0, 5), min_size=1, max_size=8),
        st.integers(0, 3),
        st.integers(0, 90_000),
        st.sampled_from([1, 3, 4]),
    ),
    st.tuples(st.just("simulated"), st.integers(0, 5), st.integers(0, 90_000)),
    st.tuples(st.just("tick"), st.integers(0, 900_000)),
    st.tuples(st.just("link"), st.sampled_from(["vk-01", "xh-01"]), st.sampled_from(["", "lost"])),
    st.tuples(st.just("maintenance"), st.sampled_from(["vk-01", "xh-01"])),
    st.tuples(st.just("retire"), st.sets(st.integers(0, 5), max_size=2)),
    st.tuples(st.just("move")),
    st.tuples(st.just("grow")),
    st.tuples(st.just("pull"), st.one_of(st.none(), st.integers(0, 4))),
    st.tuples(st.just("reconnect")),
)


def do(  # noqa: C901 - one case for each thing that may happen
    hub: Hub, table: SeriesTable, screens: list[Screen], step: tuple[Any, ...]
) -> SeriesTable:
    match step:
        case ("apply", numbers, value, age_ms, flag):
            hub.apply(values(numbers, float(value), T0 - age_ms, flag))
        case ("simulated", number, age_ms):
            hub.apply(simulated([number], 7.5, T0 - age_ms))
        case ("tick", after_ms):
            hub.tick(T0 + after_ms)
        case ("link", device, s):
            hub.set_links({device: {"s": s} if s else None})
        case ("maintenance", device):
            hub.set_maintenance(frozenset({device}))
        case ("retire", numbers):
            hub.configure(retired(table, numbers), Batch.empty())
        case ("move",):
            first = dataclasses.replace(table.entries[0], station="my-tho")
            table = SeriesTable([first, *table.entries[1:]])
            hub.configure(table, Batch.empty())
        case ("grow",):
            number = len(table)
            new = dataclasses.replace(
                table.entries[2], id=number, key=f"n-{number}/salinity_g_l", device=f"n-{number}"
            )
            table = SeriesTable([*table.entries, new])
            hub.configure(table, Batch.empty())
        case ("pull", lose):
            for screen in screens:
                screen.take(screen.wire.pull_once(), lose)
        case ("reconnect",):
            for screen in screens:
                screen.connect()
    return table


@pytest.mark.parametrize("body_bytes", [view.BODY_BYTES_MAX, 300])
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wheres=st.lists(STATE_WHERE, min_size=1, max_size=3), steps=st.lists(STEP, max_size=30))
def test_a_screen_ends_up_with_what_the_hub_holds(
    monkeypatch: pytest.MonkeyPatch,
    body_bytes: int,
    wheres: list[dict[str, list[str]] | None],
    steps: list[tuple[Any, ...]],
) -> None:
    monkeypatch.setattr(view, "BODY_BYTES_MAX", body_bytes)
    table = river()
    hub = hub_of(table)
    screens = [Screen(hub, "state", where) for where in wheres]
    for step in steps:
        table = do(hub, table, screens, step)
    for screen in screens:
        # The last ping of a quiet link is what finds a frame that was lost before it.
        screen.settle()
        screen.wire.mono_ms += 20_000
        screen.settle()
        items, pos = hub.items(parse_where(screen.mirror.where))
        assert screen.mirror.held == {item["k"]: item for item in items}
        assert hub.state.version_of(pos) == hub.state.version


ALERT_STEP = st.one_of(
    st.tuples(st.just("raise"), st.integers(0, 5), st.sampled_from(["critical", "info"])),
    st.tuples(st.just("ack"), st.integers(0, 5)),
    st.tuples(st.just("clear"), st.integers(0, 5)),
    st.tuples(st.just("pull"), st.one_of(st.none(), st.integers(0, 4))),
    st.tuples(st.just("reconnect")),
)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(ALERT_STEP, max_size=40), filtered=st.booleans())
def test_a_screen_has_every_alert_event_once_and_in_order(
    steps: list[tuple[Any, ...]], filtered: bool
) -> None:
    hub = hub_of(river())
    where = {"severity": ["critical"]} if filtered else {}
    screen = Screen(hub, "alerts", where)
    states = {"raise": "unacked", "ack": "acked", "clear": "normal"}
    severity: dict[int, str] = {}
    published = []
    for step in steps:
        if step[0] == "pull":
            screen.take(screen.wire.pull_once(), step[1])
        elif step[0] == "reconnect":
            screen.connect()
        else:
            number = step[1]
            severity.setdefault(number, step[2] if step[0] == "raise" else "critical")
            body = alert(number, states[step[0]], severity=severity[number])
            published.append((step[0], body))
            hub.publish(len(published), {"type": step[0], "alert": body})
    screen.settle()
    screen.wire.mono_ms += 20_000
    screen.settle()
    chosen = parse_where(where, ALERT_FIELDS)
    assert screen.mirror.held == {a["id"]: a for a in hub.alerts.active(chosen)}
    wanted = [e for e in published if not filtered or e[1]["severity"] == "critical"]
    assert [(e["type"], e["alert"]) for e in screen.mirror.events] == wanted


def test_an_item_shows_what_is_known_of_its_series() -> None:
    hub = hub_of(river())
    items = {item["k"]: item for item in hub.items()[0]}
    assert "xh-01/battery_v" not in items  # never seen and not announced
    assert items["xh-01/salinity_g_l"] == {
        "k": "xh-01/salinity_g_l",
        "st": "never",
        "station": "xuan-hoa",
        "device": "xh-01",
        "kind": "salinity",
        "quantity": "salinity_g_l",
        "unit": "g/L",
        "branch": ["cua-tieu", "cua-dai"],
        "expected_s": 60.0,
    }
    hub.apply(values([3, 4], [3.7, 1200.0], T0, Flag.SUSPECT))
    hub.set_links({"cam-01": {"s": "sleeping", "until": T0 + 5}})
    items = {item["k"]: item for item in hub.items(parse_where({"kind": ["traffic"]}))[0]}
    flow = items["cam-01/southbound/flow_veh_h"]
    assert (flow["v"], flow["t"], flow["q"], flow["st"]) == (1200.0, T0, 3, "live")
    assert flow["direction"] == "southbound"
    assert flow["link"] == {"s": "sleeping", "until": T0 + 5}
    assert "xh-01/battery_v" in {item["k"] for item in hub.items()[0]}


def test_the_newest_observation_wins_in_any_order() -> None:
    hub = hub_of(river())
    hub.apply(values([0, 0, 0], [2.0, 3.0, 1.0], [T0 - 100, T0, T0 - 200]))
    hub.apply(values([0], 9.0, T0 - 50))
    item = hub.items(parse_where({"quantity": ["salinity_g_l"], "device": ["vk-01"]}))[0][0]
    assert (item["v"], item["t"]) == (3.0, T0)


def test_equal_positions_mean_equal_items() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 2.0))
    before = hub.items()
    hub.apply(values([0], 2.0))
    hub.apply(values([0], 5.0, T0 - 1))
    hub.tick(T0 + 1000)
    assert hub.items() == before
    told = []
    deaf = hub.listen(lambda: told.append(hub.position))
    hub.apply(values([0], 2.5, T0 + 1))
    assert told == [hub.position]
    deaf()
    hub.apply(values([0], 2.6, T0 + 2))
    assert len(told) == 1


def test_what_a_subscriber_lacks_is_bounded_by_keys_not_by_updates() -> None:
    hub = hub_of(wide(50))
    view_all = hub.state.view(parse_where(None))
    start = hub.state.version
    for round_ in range(300):
        hub.apply(values(range(50), float(round_), T0 + round_))
    piece = view_all.piece(start)
    assert piece.count == 50
    assert piece.updates - 50 == 300 * 50  # each item had been updated once: it appeared


def test_alert_positions_survive_and_the_ring_forgets() -> None:
    hub = hub_of(river())
    hub.load_alerts([alert(1)], [(7, raised(1)), (9, raised(2))], 9)
    log = hub.alerts
    assert [log.number_of(f"a1.{n}") for n in (5, 6, 7, 8, 9, 10)] == [None, 6, 7, 8, 9, None]
    assert [log.number_of(p) for p in ("a2.7", "7", "a1.-7", "a1.7x", "a1.²")] == [None] * 5
    for number in range(10, 11_100):
        hub.publish(number, raised(number))
    assert log.number_of("a1.9") is None
    assert log.number_of("a1.11099") == 11_099
    assert log.count_after(11_000) == 99


def test_what_the_service_says_of_itself_is_of_no_station_and_no_device() -> None:
    hub = hub_of(river())
    notice = {
        "id": "n" * 16,
        "rule": "songtien-disk-low",
        "ask": "notice",
        "k": "songtien/disk-low",
        "severity": "major",
        "state": "unacked",
    }
    hub.publish(1, {"type": "raised", "alert": notice})

    def shown(**where: list[str]) -> bool:
        chosen = parse_where(dict(where), ALERT_FIELDS)
        found = bool(hub.alerts.active(chosen))
        assert found == (hub.alerts.next_after(0, chosen) is not None)
        return found

    assert shown()
    assert shown(severity=["major"])
    assert shown(rule=["songtien-disk-low"])
    for name, value in (
        ("station", "vam-kenh"),
        ("station", ""),
        ("branch", "cua-tieu"),
        ("kind", "salinity"),
        ("device", "songtien"),
        ("quantity", "disk-low"),
    ):
        assert not shown(**{name: [value]}), name
