"""The protocol of one client, by handing text across."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.auth import Principal
from api.live.frames import AlertAck
from api.live.terms import Limits, Order, Refused
from ingest.reading import Batch, Why
from tests.api.live_feed import (
    OFFICER,
    T0,
    Wire,
    alert,
    hub_of,
    raised,
    retired,
    river,
    values,
    wide,
)


def test_hello_tells_role_time_and_limits() -> None:
    wire = Wire(hub_of(river()))
    assert wire.hello == {
        "op": "hello",
        "id": 1,
        "role": "viewer",
        "now": T0,
        "ping_s": 20,
        "limits": {"subs": 32, "frame": 65536, "max_hz": 20},
    }


def test_hello_tells_who_signed_in() -> None:
    assert Wire(hub_of(river()), OFFICER).hello["name"] == OFFICER.name


def test_a_token_that_is_not_known_closes_with_4401() -> None:
    wire = Wire(hub_of(river()), None, sign_in=False)
    assert wire.ask(op="auth", token="x") == []
    assert wire.code == 4401


def test_a_request_before_auth_closes_with_4401() -> None:
    wire = Wire(hub_of(river()), sign_in=False)
    wire.ask(op="sub", chan="state")
    assert wire.code == 4401


def test_no_auth_in_time_closes_with_4408() -> None:
    wire = Wire(hub_of(river()), sign_in=False)
    assert wire.session.due_ms() == 10_000
    assert wire.pull(9_999) == []
    assert wire.code is None
    wire.pull(1)
    assert wire.code == 4408


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '"auth"',
        "{}",
        '{"op":"auth"}',
        '{"op":"auth","id":"1"}',
        '{"op":"auth","id":1.5}',
        '{"op":"auth","id":true}',
        '{"op":"auth","id":-1}',
        '{"op":"auth","id":1,"token":7}',
        '{"op":"dance","id":2}',
        '{"op":"sub","id":2}',
        '{"op":"sub","id":2,"chan":"state","max_hz":"2"}',
        '{"op":"sub","id":2,"chan":"state","max_hz":NaN}',
        '{"op":"sub","id":2,"chan":"state","pos":7}',
        '{"op":"unsub","id":2,"sub":"1"}',
        "[" * 60_000,
        '{"op":"pong","x":"' + "ặ" * 30_000 + '"}',
        b"\x00\x01",
    ],
)
@pytest.mark.parametrize("sign_in", [True, False])
def test_a_bad_frame_closes_with_4400(text: str | bytes, sign_in: bool) -> None:
    wire = Wire(hub_of(river()), sign_in=sign_in)
    wire.raw(text)
    wire.pull()
    assert wire.code == 4400
    assert wire.session.closing is not None
    assert 0 < len(wire.session.closing.reason.encode()) <= 123


def test_fields_of_a_newer_client_are_ignored() -> None:
    wire = Wire(hub_of(river()))
    assert wire.ask(op="sub", chan="state", colour="blue")[0]["op"] == "sub_ok"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"op": "sub", "chan": "weather"}, 400),
        ({"op": "sub", "chan": "state", "where": {"v": ["1"]}}, 400),
        ({"op": "sub", "chan": "state", "where": {"kind": "salinity"}}, 400),
        ({"op": "sub", "chan": "state", "where": {"rule": ["salinity-4"]}}, 400),
        ({"op": "sub", "chan": "alerts", "where": {"state": ["unacked"]}}, 400),
        ({"op": "sub", "chan": "state", "max_hz": 0.05}, 400),
        ({"op": "sub", "chan": "state", "max_hz": 21}, 400),
        ({"op": "unsub", "sub": 99}, 404),
        ({"op": "call", "m": "river.flood"}, 404),
        ({"op": "call", "m": "alert.ack", "p": {"id": "a", "ver": 1}}, 403),
        ({"op": "call", "m": "alert.shelve", "p": {"id": "a", "ver": 1}}, 403),
        ({"op": "call", "m": "alert.unshelve", "p": {"id": "a", "ver": 1}}, 403),
        ({"op": "call", "m": "alert.note", "p": {"id": "a", "ver": 1, "note": "x"}}, 403),
        ({"op": "auth"}, 400),
    ],
)
def test_what_is_wrong_in_a_request_is_answered_by_its_id(
    request_: dict[str, Any], code: int
) -> None:
    wire = Wire(hub_of(river()))
    [answer] = wire.ask(**request_)
    assert (answer["op"], answer["id"], answer["code"]) == ("err", 2, code)
    assert answer["msg"]
    assert wire.code is None


def test_ids_must_rise() -> None:
    wire = Wire(hub_of(river()))
    wire.ask(op="sub", chan="state")
    wire.last_id = 1
    [answer] = wire.ask(op="sub", chan="state")
    assert (answer["op"], answer["id"], answer["code"]) == ("err", 2, 400)


def test_a_snapshot_then_what_changes_and_nothing_else() -> None:
    hub = hub_of(river())
    wire = Wire(hub)
    ok, snap = wire.ask(op="sub", chan="state", where={"station": ["vam-kenh"]})
    assert ok == {"op": "sub_ok", "id": 2, "sub": 1, "recovered": False, "pos": snap["pos"]}
    assert (snap["op"], snap["sub"], snap["more"]) == ("snap", 1, False)
    assert [item["k"] for item in snap["items"]] == ["vk-01/salinity_g_l", "vk-01/temperature_c"]
    hub.apply(values([0, 2], [3.21, 0.5], T0))
    [delta] = wire.pull()
    assert delta == {
        "op": "delta",
        "sub": 1,
        "from": snap["pos"],
        "pos": hub.position,
        "set": [{"k": "vk-01/salinity_g_l", "v": 3.21, "t": T0, "q": 1, "st": "live"}],
        "del": [],
        "merged": 0,
    }
    hub.apply(values([2], 0.6, T0 + 1))
    assert wire.pull() == []
    hub.apply(values([0], 3.24, T0 + 1))
    [delta] = wire.pull()
    assert delta["set"] == [{"k": "vk-01/salinity_g_l", "v": 3.24, "t": T0 + 1}]


def test_ages_are_pushed_without_data() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 3.0, T0))
    wire = Wire(hub)
    wire.ask(op="sub", chan="state", where={"device": ["vk-01"]})
    pushed = []
    for age_ms in (90_000, 90_001, 180_001, 480_001):
        hub.tick(T0 + age_ms)
        pushed += [frame["set"] for frame in wire.pull()]
    key = "vk-01/salinity_g_l"
    assert pushed == [[{"k": key, "st": word}] for word in ("late", "stale", "lost")]
    hub.set_maintenance(frozenset({"vk-01"}))
    assert {i["st"] for i in wire.pull()[0]["set"]} == {"maintenance"}


def test_a_field_that_is_gone_comes_as_null() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 3.0, T0, why=32768))
    hub.set_links({"vk-01": {"s": "ready"}})
    wire = Wire(hub)
    snap = wire.ask(op="sub", chan="state", where={"quantity": ["salinity_g_l"]})[1]
    assert snap["items"][0]["sim"] is True
    assert snap["items"][0]["link"] == {"s": "ready"}
    hub.apply(values([0], 3.0, T0 + 1))
    hub.set_links({"vk-01": None})
    [delta] = wire.pull()
    assert delta["set"] == [
        {"k": "vk-01/salinity_g_l", "v": 3.0, "t": T0 + 1, "link": None, "sim": None}
    ]


def test_a_bound_is_told_with_its_side_and_goes_with_a_figure() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 46.0, T0, flag=3, why=Why.BOUND))
    wire = Wire(hub)
    snap = wire.ask(op="sub", chan="state", where={"quantity": ["salinity_g_l"]})[1]
    assert snap["items"][0]["bound"] == "above"
    hub.apply(values([0], 2.0, T0 + 1, flag=1, why=Why.BOUND))
    [delta] = wire.pull()
    key = "vk-01/salinity_g_l"
    assert delta["set"] == [{"k": key, "v": 2.0, "t": T0 + 1, "q": 1, "bound": "below"}]
    hub.apply(values([0], 8.0, T0 + 2, flag=1))
    [delta] = wire.pull()
    assert delta["set"] == [{"k": key, "v": 8.0, "t": T0 + 2, "bound": None}]


def test_a_revised_flag_is_told_alone() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 3.0, T0))
    wire = Wire(hub)
    wire.ask(op="sub", chan="state")
    hub.apply(values([0], 3.0, T0, flag=3))
    assert wire.pull()[0]["set"] == [{"k": "vk-01/salinity_g_l", "q": 3}]


def test_recovery_of_state_is_all_or_nothing() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 3.0, T0))
    pos = hub.position
    hub.apply(values([2], 0.5, T0))
    wire = Wire(hub)
    ok, delta = wire.ask(op="sub", chan="state", pos=pos)
    assert (ok["recovered"], ok["pos"]) == (True, pos)
    assert (delta["op"], delta["from"], delta["pos"]) == ("delta", pos, hub.position)
    assert [item["k"] for item in delta["set"]] == ["xh-01/salinity_g_l"]
    assert wire.ask(op="sub", chan="state", pos=hub.position)[0]["recovered"] is True
    for wrong in ("k2.1", "k1.999999", "k1.-1", "k1", "", "k1.1e3", "a1.1", "k1." + "9" * 30):
        ok, snap = wire.ask(op="sub", chan="state", pos=wrong)
        assert (ok["recovered"], snap["op"], snap["pos"]) == (False, "snap", hub.position)


def test_another_epoch_resets() -> None:
    hub = hub_of(river())
    wire = Wire(hub)
    wire.ask(op="sub", chan="state")
    wire.ask(op="sub", chan="alerts")
    hub.load_alerts([alert(3)], [], 9)
    assert [(f["op"], f.get("why")) for f in wire.pull()] == [("reset", "epoch"), ("snap", None)]


def test_max_hz_is_kept_and_what_it_overwrites_is_counted() -> None:
    hub = hub_of(river())
    wire = Wire(hub)
    wire.ask(op="sub", chan="state", max_hz=2)
    sent: list[tuple[int, dict[str, Any]]] = []
    for step in range(200):
        hub.apply(values([0], float(step), T0 + step))
        sent += [(wire.mono_ms, frame) for frame in wire.pull(10)]
    times = [at for at, _ in sent]
    assert [later - at for at, later in pairwise(times)] == [500, 500, 500]
    assert [frame["merged"] for _, frame in sent] == [0, 49, 49, 49]
    assert wire.session.merged == 147
    due_ms = wire.session.due_ms()
    assert due_ms == times[-1] + 500
    last = wire.pull(due_ms - wire.mono_ms)
    assert last[0]["set"][0]["v"] == 199.0
    assert wire.session.due_ms() > due_ms + 500


def test_at_most_a_window_is_in_flight_and_then_nothing_until_the_pong() -> None:
    hub = hub_of(wide(400))
    wire = Wire(hub, pong=False)
    wire.ask(op="sub", chan="state", where={"station": ["tram-0"]})
    size, frames = 0, []
    for step in range(2000):
        hub.apply(values(range(0, 400, 100), float(step), T0 + step))
        for text in wire.session.pull(wire.now()):
            size += len(text)
            frames.append(msgspec.json.decode(text))
    assert 30_000 < size <= 32_768
    assert [f["op"] for f in frames].count("ping") == 1
    assert frames[-1]["op"] == "ping"
    assert frames[-1]["pos"] == {"1": frames[-2]["pos"]}
    wire.send(op="pong")
    delta, *rest = wire.pull_once()
    assert rest == []
    assert [item["v"] for item in delta["set"]] == [1999.0] * 4
    assert delta["from"] == frames[-2]["pos"]
    assert delta["merged"] > 4000


def test_a_snapshot_is_paged_and_shares_one_position() -> None:
    hub = hub_of(wide(2000))
    wire = Wire(hub, pong=False)
    assert wire.ask(op="sub", chan="state")[-1]["op"] == "ping"
    wire = Wire(hub)
    _, *pages = wire.ask(op="sub", chan="state")
    assert len(pages) > 5
    assert {page["pos"] for page in pages} == {hub.position}
    assert [page["more"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert all(len(msgspec.json.encode(page)) <= 32_768 for page in pages)
    assert [i["k"] for page in pages for i in page["items"]] == [i["k"] for i in hub.items()[0]]


def test_deltas_wait_for_the_last_page_and_miss_nothing() -> None:
    hub = hub_of(wide(2000))
    wire = Wire(hub, pong=False)
    _, first, ping = wire.ask(op="sub", chan="state")
    assert ping["pos"] == {}  # half a snapshot is nothing to vouch for
    hub.apply(values([0, 1999], 5.0, T0))
    held = {item["k"]: item for item in first["items"]}
    wire.pong = True
    wire.send(op="pong")
    frames = wire.pull()
    assert [f["op"] for f in frames] == ["snap"] * (len(frames) - 1) + ["delta"]
    assert frames[-1]["from"] == first["pos"] == frames[-2]["pos"]
    for item in [item for f in frames[:-1] for item in f["items"]] + frames[-1]["set"]:
        held.setdefault(item["k"], {}).update(item)
    assert list(held.values()) == hub.items()[0]


def test_a_large_change_is_cut_into_deltas_that_follow_each_other() -> None:
    hub = hub_of(wide(2000))
    wire = Wire(hub)
    pos = wire.ask(op="sub", chan="state")[-1]["pos"]
    hub.apply(values(range(2000), 5.0, T0))
    deltas = wire.pull()
    assert len(deltas) > 3
    for delta in deltas:
        assert delta["from"] == pos
        assert len(msgspec.json.encode(delta)) <= 32_768
        pos = delta["pos"]
    assert pos == hub.position
    assert sum(len(delta["set"]) for delta in deltas) == 2000
    assert sum(delta["merged"] for delta in deltas) == 0


def test_heartbeats_and_a_client_that_does_not_answer_them() -> None:
    hub = hub_of(river())
    wire = Wire(hub, pong=False)
    wire.ask(op="sub", chan="state")
    wire.ask(op="sub", chan="alerts")
    assert wire.pull(19_999) == []
    wire.mono_ms += 1
    assert wire.pull_once() == [
        {"op": "ping", "now": T0 + 20_000, "pos": {"1": hub.position, "2": "a1.0"}}
    ]
    assert wire.session.due_ms() == 95_000
    wire.pull(74_999)
    assert wire.code is None
    wire.pull(1)
    assert wire.code == 4012


def test_a_pong_confirms_only_what_came_before_its_ping() -> None:
    hub = hub_of(wide(400))
    wire = Wire(hub, pong=False)
    wire.ask(op="sub", chan="state")
    wire.send(op="pong")
    wire.pull()
    wire.send(op="pong")
    sizes = [0, 0, 0]
    for turn in range(3):
        if turn == 1:
            assert "ping" in [frame["op"] for frame in wire.pull(20_000)]
        if turn == 2:
            wire.send(op="pong")  # that of the heartbeat between the first turn and the second
        for step in range(120):
            hub.apply(values(range(3), float(step), T0 + 1000 * turn + step))
            for text in wire.session.pull(wire.now()):
                sizes[turn] += len(text) if '"delta"' in text else 0
            if turn < 2 and step == 40:
                break
    assert sizes[0] > 8_000
    assert sizes[1] > 8_000
    assert 10_000 < sizes[1] + sizes[2] <= 32_768


def test_a_series_that_comes_back_has_all_its_fields_again() -> None:
    hub = hub_of(river())
    hub.apply(values([0], 3.0, T0))
    wire = Wire(hub)
    wire.ask(op="sub", chan="state", where={"device": ["vk-01"], "quantity": ["salinity_g_l"]})
    hub.configure(retired(river(), [0]), Batch.empty())
    assert [(f["set"], f["del"]) for f in wire.pull()] == [([], ["vk-01/salinity_g_l"])]
    hub.configure(river(), Batch.empty())
    [back] = wire.pull()[0]["set"]
    assert (back["st"], back["v"], back["q"]) == ("never", None, None)
    hub.apply(values([0], 3.0, T0))
    [seen] = wire.pull()[0]["set"]
    assert seen == {"k": "vk-01/salinity_g_l", "v": 3.0, "t": T0, "q": 1, "st": "live"}


def test_alerts_come_whole_then_each_event() -> None:
    hub = hub_of(river())
    hub.load_alerts([alert(1), alert(2, "normal"), alert(3, "acked")], [(5, raised(3))], 5)
    wire = Wire(hub)
    ok, snap = wire.ask(op="sub", chan="alerts", where={})
    assert (ok["recovered"], ok["pos"], snap["pos"]) == (False, "a1.5", "a1.5")
    assert snap["items"] == [alert(1), alert(3, "acked")]
    hub.publish(6, raised(4))
    hub.publish(8, {"type": "cleared", "alert": alert(1, "cleared-unacked")})
    first, second = wire.pull()
    assert first == {
        "op": "event",
        "sub": 1,
        "from": "a1.5",
        "pos": "a1.6",
        "type": "raised",
        "alert": alert(4),
        "at": T0,
    }
    assert (second["from"], second["pos"], second["type"]) == ("a1.6", "a1.8", "cleared")


def test_recovery_of_alerts_is_all_or_nothing() -> None:
    hub = hub_of(river())
    hub.load_alerts([], [(number, raised(number)) for number in (4, 5, 6)], 6)
    wire = Wire(hub)
    ok, *events = wire.ask(op="sub", chan="alerts", pos="a1.4")
    assert ok["recovered"] is True
    assert [event["pos"] for event in events] == ["a1.5", "a1.6"]
    ok, snap = wire.ask(op="sub", chan="alerts", pos="a1.2")
    assert (ok["recovered"], snap["op"]) == (False, "snap")


def test_alerts_by_filter_of_the_series_behind_them() -> None:
    hub = hub_of(river())
    wire = Wire(hub)
    wire.ask(op="sub", chan="alerts", where={"station": ["xuan-hoa"], "severity": ["critical"]})
    hub.publish(1, raised(1))
    assert wire.pull() == []
    hub.publish(2, raised(2, k="xh-01/salinity_g_l"))
    hub.publish(3, raised(3, k="xh-01/salinity_g_l", severity="info"))
    [event] = wire.pull()
    assert (event["from"], event["pos"], event["alert"]["id"]) == ("a1.0", "a1.2", f"{2:016x}")


@pytest.mark.parametrize(("principal", "sees"), [(Principal("", "viewer"), False), (OFFICER, True)])
def test_names_and_notes_of_officers_are_for_officers(principal: Principal, sees: bool) -> None:
    hub = hub_of(river())
    note = "đã gọi người trực trạm"
    body = alert(1, "acked", who="Út", timeline=[{"what": "acked", "who": "Út", "note": note}])
    hub.load_alerts([body], [], 1)
    wire = Wire(hub, principal)
    _, snap = wire.ask(op="sub", chan="alerts")
    hub.publish(2, {"type": "acked", "alert": body, "at": T0, "who": "Út", "note": note})
    [event] = wire.pull()
    text = msgspec.json.encode([snap, event]).decode()
    assert (note in text) is sees
    assert ("Út" in text) is sees
    assert event["alert"]["timeline"][0]["what"] == "acked"
    assert ("who" in event, "note" in event) == (sees, sees)


def test_too_slow_for_alerts_closes_with_4008_and_resumes() -> None:
    hub = hub_of(river())
    wire = Wire(hub, pong=False, limits=Limits(alerts_behind=100))
    wire.ask(op="sub", chan="alerts")
    number, last = 0, "a1.0"
    while wire.code is None:
        number += 1
        hub.publish(number, raised(number))
        for frame in wire.pull_once():
            last = frame["pos"] if frame["op"] == "event" else last
    assert wire.code == 4008
    sent = int(last.partition(".")[2])
    assert number == sent + 101
    again = Wire(hub, limits=Limits(alerts_behind=100))
    ok, *events = again.ask(op="sub", chan="alerts", pos=last)
    assert ok["recovered"] is True
    assert [e["pos"] for e in events] == [f"a1.{n}" for n in range(sent + 1, number + 1)]
    # However much it came back for, that does not count against it.
    for more in range(number + 1, number + 501):
        hub.publish(more, raised(more))
    behind = Wire(hub, pong=False, limits=Limits(alerts_behind=100))
    assert behind.ask(op="sub", chan="alerts", pos=last)[-1]["op"] == "ping"
    assert behind.code is None


def test_one_subscription_does_not_starve_another() -> None:
    hub = hub_of(wide(2000))
    wire = Wire(hub, pong=False)
    wire.ask(op="sub", chan="state")
    wire.ask(op="sub", chan="state", where={"station": ["tram-7"]})
    wire.ask(op="sub", chan="alerts")
    hub.publish(1, raised(1))
    seen: set[int] = set()
    for step in range(12):
        hub.apply(values(range(2000), float(step), T0 + step))
        wire.send(op="pong")
        seen |= {frame["sub"] for frame in wire.pull_once() if "sub" in frame}
    assert seen == {1, 2, 3}


def test_subscriptions_are_limited_and_may_be_given_up() -> None:
    hub = hub_of(river())
    wire = Wire(hub, limits=Limits(subs=2))
    assert wire.ask(op="sub", chan="state")[0]["sub"] == 1
    assert wire.ask(op="sub", chan="alerts")[0]["sub"] == 2
    assert wire.ask(op="sub", chan="state")[0]["code"] == 429
    assert wire.ask(op="unsub", sub=1) == [{"op": "ret", "id": 5, "ok": {}}]
    hub.apply(values([0], 1.0, T0))
    assert wire.pull() == []
    assert wire.ask(op="sub", chan="state")[0]["sub"] == 3


def test_too_many_requests_close_with_4429() -> None:
    wire = Wire(hub_of(river()), limits=Limits(burst=20, per_s=10))
    for _ in range(3):
        for _ in range(8):
            wire.ask(op="unsub", sub=1)
        wire.pull(1000)
    assert wire.code is None
    for _ in range(40):
        wire.send(op="pong")
    assert wire.code == 4429


def test_an_officer_acknowledges_by_a_call() -> None:
    wire = Wire(hub_of(river()), OFFICER)
    wire.send(op="call", id=2, m="alert.ack", p={"id": "ab", "ver": 3, "note": "đã gọi"})
    wire.send(op="call", id=3, m="alert.ack", p={"id": "cd", "ver": 1})
    first, second = wire.session.take_asks()
    assert isinstance(first, Order)
    assert isinstance(second, Order)
    assert first.principal == OFFICER
    assert isinstance(first.call, AlertAck)
    assert (first.call.id, first.call.ver, first.call.note) == ("ab", 3, "đã gọi")
    wire.session.answered(second, Refused(409, "it has changed"))
    wire.session.answered(first, {"alert": alert(1, "acked")})
    assert wire.pull() == [
        {"op": "err", "id": 3, "code": 409, "msg": "it has changed"},
        {"op": "ret", "id": 2, "ok": {"alert": alert(1, "acked")}},
    ]


@pytest.mark.parametrize(
    "parameters", [None, {}, {"id": "a"}, {"id": "a", "ver": "1"}, {"id": "", "ver": 1}, []]
)
def test_parameters_of_a_call_are_checked(parameters: object) -> None:
    wire = Wire(hub_of(river()), OFFICER)
    [answer] = wire.ask(op="call", m="alert.ack", p=parameters)
    assert (answer["op"], answer["code"]) == ("err", 400)


SHELVE = {"id": "a", "ver": 1, "until": T0, "reason": "đang thay đầu dò"}


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("alert.shelve", SHELVE | {"until": "mai"}),
        ("alert.shelve", SHELVE | {"until": -1}),
        ("alert.shelve", SHELVE | {"reason": ""}),
        ("alert.shelve", SHELVE | {"reason": "x" * 501}),
        ("alert.shelve", {"id": "a", "ver": 1, "until": T0}),
        ("alert.shelve", {"id": "a", "ver": 1, "reason": "x"}),
        ("alert.unshelve", {"id": "a"}),
        ("alert.note", {"id": "a", "ver": 1}),
        ("alert.note", {"id": "a", "ver": 1, "note": ""}),
        ("alert.note", {"id": "a", "ver": 1, "note": "x" * 2001}),
    ],
)
def test_parameters_of_the_other_calls_are_checked(method: str, parameters: object) -> None:
    wire = Wire(hub_of(river()), OFFICER)
    [answer] = wire.ask(op="call", m=method, p=parameters)
    assert (answer["op"], answer["code"]) == ("err", 400)
    assert not wire.session.take_asks()


def test_calls_under_way_are_limited() -> None:
    wire = Wire(hub_of(river()), OFFICER, Limits(calls=1))
    for number in (2, 3):
        wire.send(op="call", id=number, m="alert.ack", p={"id": "a", "ver": 1})
    assert [frame["code"] for frame in wire.pull()] == [429]
    assert len(wire.session.take_asks()) == 1


def test_shutting_down_closes_with_4001() -> None:
    wire = Wire(hub_of(river()))
    wire.session.shut_down()
    assert wire.code == 4001


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["id", "token", "chan", "where", "max_hz", "pos", "sub", "m", "p"])
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.tuples(
        st.sampled_from(["auth", "sub", "unsub", "call", "pong", "x"]),
        st.dictionaries(
            NAMES,
            JSON | st.sampled_from([1, 2, 3, "state", "alerts", "alert.ack", 5.0, "k1.3", "a1.0"]),
        ),
    ).map(lambda frame: json.dumps({"op": frame[0], **frame[1]})),
)


@settings(deadline=None)
@given(texts=st.lists(HOSTILE, max_size=12), sign_in=st.booleans())
def test_whatever_is_sent_is_answered_or_closes(texts: list[str], sign_in: bool) -> None:
    wire = Wire(hub_of(river()), OFFICER, sign_in=sign_in)
    for text in texts:
        wire.raw(text)
        wire.session.take_asks()
        for frame in wire.pull():
            assert frame["op"] in {"hello", "sub_ok", "snap", "ret", "err", "ping"}
    if wire.session.closing is not None:
        assert wire.code in {4400, 4401, 4429}
        assert len(wire.session.closing.reason.encode()) <= 123
