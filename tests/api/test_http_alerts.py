"""Alerts, acknowledging, rules, dead letters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.alert import EventType
from alerts.records import STATES
from alerts.rulesfile import parse_rules
from api.auth import Principal
from api.service import Item, NotDurable, as_seen_by
from tests.api.http_service import ALERT_ID, KEY, NOW_MS, RULES, World, ask, get

ACK = f"/api/v1/alerts/{ALERT_ID}/ack"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.put_alert(EventType.RAISED)
    yield world
    world.close()


def _ids(world: World, query: str) -> list[str]:
    return [alert["id"] for alert in get(world, f"/api/v1/alerts?{query}").json()["items"]]


def test_alerts_are_asked_for_by_state_and_time(world: World) -> None:
    old, late, over = "0" * 16, "1" * 16, "2" * 16
    world.put_alert(EventType.RAISED, id=old, t_since=NOW_MS - 5000)
    world.put_alert(EventType.RAISED, id=late, t_since=NOW_MS - 9000, historic=True)
    world.put_alert(EventType.RAISED, id=over, t_since=NOW_MS - 8000)
    done: Item = {"state": "normal", "t_cleared": NOW_MS - 7000}
    world.put_alert(EventType.CLEARED, id=over, ver=2, **done)
    assert _ids(world, "") == [ALERT_ID, old, over, late]
    assert _ids(world, "state=active") == [ALERT_ID, old]
    assert _ids(world, "state=historic") == [late]
    assert _ids(world, "state=cleared") == _ids(world, "state=normal") == [over]
    assert _ids(world, f"from={NOW_MS - 6000}&state=active&to=2025-12-29T09:19:59Z") == [old]
    for state in STATES:
        assert get(world, f"/api/v1/alerts?state={state}").status_code == 200


def test_alerts_are_asked_for_by_station_rule_and_severity(world: World) -> None:
    ids = [f"{n:016x}" for n in range(4)]
    for n, alert in enumerate(ids):
        rule, severity = ("a", "info") if n % 2 else ("b", "critical")
        station = "vam-kenh" if n < 3 else "my-tho"
        changes = {"rule": rule, "severity": severity, "station": station}
        world.put_alert(EventType.RAISED, id=alert, t_since=NOW_MS - 2000 - n, **changes)
    assert _ids(world, "station=vam-kenh") == ids[:3]
    assert _ids(world, "station=vam-kenh&rule=b") == [ids[0], ids[2]]
    assert _ids(world, "severity=info&state=active") == [ids[1], ids[3]]
    assert _ids(world, "station=nowhere") == []
    page = get(world, "/api/v1/alerts?station=vam-kenh&limit=2").json()
    assert [alert["id"] for alert in page["items"]] == ids[:2]
    assert _ids(world, f"station=vam-kenh&limit=2&after={page['next']}") == ids[2:3]


def test_pages_lead_on(world: World) -> None:
    ids = [f"{n:016x}" for n in range(5)]
    for n, alert in enumerate(ids):
        world.put_alert(EventType.RAISED, id=alert, t_since=NOW_MS - 2000 - n // 2)
    found: list[str] = []
    following = ""
    while True:
        page = get(world, f"/api/v1/alerts?limit=2{following}").json()
        found.extend(alert["id"] for alert in page["items"])
        if page["next"] is None:
            break
        following = f"&after={page['next']}"
    assert sorted(found) == sorted([ALERT_ID, *ids])


@pytest.mark.parametrize(
    "query",
    [
        *("state=none", "limit=0", "limit=501", "from=x", "after=x", "severity=grave"),
        *(f"station={'x' * 81}", f"from={NOW_MS}&to={NOW_MS}"),
    ],
)
def test_what_is_not_accepted_is_told(world: World, query: str) -> None:
    answer = get(world, f"/api/v1/alerts?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] == query.split("=", maxsplit=1)[0]
    assert "Value error" not in answer.json()["detail"]


def test_names_and_notes_are_for_operators(world: World) -> None:
    world.put_alert(EventType.ACKED, "Nguyễn Văn A", ver=2, state="acked")
    for path in ("/api/v1/alerts", f"/api/v1/alerts/{ALERT_ID}"):
        for headers in ({}, world.token("viewer")):
            text = get(world, path, headers).text
            assert "Nguyễn" not in text
            assert "đã gọi" not in text
            assert '"type":"acked"' in text
        for role in ("operator", "admin"):
            text = get(world, path, world.token(role)).text
            assert "Nguyễn Văn A" in text
            assert "đã gọi" in text


def test_fields_are_left_out_wherever_they_stand() -> None:
    document = {"a": ({"who": "x", "t": 1}, [{"note": "y"}]), "who": "z"}
    assert as_seen_by(Principal("", "viewer"), document) == {"a": [{"t": 1}, [{}]]}
    assert as_seen_by(Principal("An", "operator"), document) is document


def test_one_alert(world: World) -> None:
    alert = get(world, f"/api/v1/alerts/{ALERT_ID}").json()
    assert alert["k"] == KEY
    assert [entry["type"] for entry in alert["timeline"]] == ["raised"]
    assert alert["timeline"][0]["evidence"] == {"flag": 1}
    assert get(world, "/api/v1/alerts/0000000000000000").status_code == 404
    assert get(world, "/api/v1/alerts/nonsense").status_code == 422


def test_an_operator_acknowledges_and_it_is_audited(world: World) -> None:
    operator = world.token("operator")
    answer = ask(world, "POST", ACK, headers=operator, json={"ver": 1, "note": "đã gọi"})
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["ver"]) == ("acked", 2)
    stale = ask(world, "POST", ACK, headers=operator, json={"ver": 1})
    assert stale.status_code == 409
    assert stale.json()["alert"]["ver"] == 2
    second, first = world.tokens.audit()
    assert (first.who, first.role, first.outcome) == ("the operator", "operator", "done")
    assert first.what == f"alert.ack {ALERT_ID} ver 1"
    assert first.at_ms == NOW_MS
    assert second.outcome == "stale"


def test_who_may_not_acknowledge(world: World) -> None:
    nobody = ask(world, "POST", ACK, json={"ver": 1})
    assert nobody.status_code == 401
    viewer = ask(world, "POST", ACK, headers=world.token("viewer"), json={"ver": 1})
    assert viewer.status_code == 403
    assert "operator" in viewer.json()["detail"]
    assert world.alerts[ALERT_ID]["state"] == "unacked"
    assert world.tokens.audit() == ()


def test_an_alert_that_is_over_or_unknown(world: World) -> None:
    operator = world.token("operator")
    unknown = ACK.replace(ALERT_ID, "0" * 16)
    assert ask(world, "POST", unknown, headers=operator, json={"ver": 1}).status_code == 404
    world.put_alert(EventType.CLEARED, ver=3, state="normal", t_cleared=NOW_MS)
    over = ask(world, "POST", ACK, headers=operator, json={"ver": 1})
    assert over.status_code == 409
    assert "over" in over.json()["detail"]
    assert over.json()["alert"]["state"] == "normal"


@pytest.mark.parametrize(
    ("raised", "words", "outcome"),
    [
        (NotDurable("the disk is full"), "nothing was done: the disk is full", "not done"),
        (TimeoutError(), "written down and not carried out yet", "written down"),
    ],
)
def test_what_is_not_done_now_is_told_and_audited(
    world: World, raised: Exception, words: str, outcome: str
) -> None:
    world.act_raises = raised
    answer = ask(world, "POST", ACK, headers=world.token("operator"), json={"ver": 1})
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert words in answer.json()["detail"]
    assert [line.outcome for line in world.tokens.audit()] == [outcome]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"ver":"3"}',
        b'{"ver":true}',
        b'{"ver":-1}',
        b'{"ver":3.5}',
        b'{"ver":1,"not":"x"}',
        b'{"ver":1,"note":1}',
        b'{"ver":1,"note":"' + b"x" * 2001 + b'"}',
    ],
)
def test_a_body_that_is_not_an_acknowledgement(world: World, content: bytes) -> None:
    headers = {**world.token("operator"), "Content-Type": "application/json"}
    answer = ask(world, "POST", ACK, headers=headers, content=content)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["in"] == "body"
    assert world.alerts[ALERT_ID]["state"] == "unacked"


def test_rules_in_force(world: World) -> None:
    document = get(world, "/api/v1/rules").json()
    (rule,) = document["rules"]
    assert (rule["id"], rule["raise_level"], rule["clear_level"]) == ("salinity-4", 4.0, 3.6)
    assert rule["source"] == "a limit"
    assert rule["version"]
    assert document["version"]


def test_a_rule_tells_the_stations_that_it_watches(world: World) -> None:
    near = RULES.replace('stations = ["*"]', "km = [35, 45]").replace("salinity-4", "near")
    rules = parse_rules(RULES + near, "rules.toml")
    document = get(world, "/api/v1/rules", rules=lambda: rules).json()
    everywhere, within = (rule["watches"] for rule in document["rules"])
    stations = world.registry.stations
    salty = {name for name, station in stations.items() if station.kind == "salinity"}
    assert set(everywhere) <= salty
    assert len(everywhere) == len(set(everywhere))
    assert "xuan-hoa" in within
    assert "vam-kenh" in everywhere
    assert "vam-kenh" not in within


def test_dead_letters_are_for_operators_and_paged(world: World) -> None:
    world.put_dead_letters(b'{"v":1', b"\xff\x00", "mặn".encode())
    assert get(world, "/api/v1/dead-letters").status_code == 401
    assert get(world, "/api/v1/dead-letters", world.token("viewer")).status_code == 403
    operator = world.token("operator")
    first = get(world, "/api/v1/dead-letters?limit=2", operator).json()
    assert [letter["head"] for letter in first["items"]] == ["mặn", "\\xff\x00"]
    second = get(world, f"/api/v1/dead-letters?limit=2&after={first['next']}", operator).json()
    assert [letter["head"] for letter in second["items"]] == ['{"v":1']
    assert second["next"] is None
    letter = second["items"][0]
    assert (letter["t"], letter["reason"], letter["size"]) == (NOW_MS, "not_json", 6)
    exact = get(world, "/api/v1/dead-letters?limit=3", operator).json()
    assert exact["next"] is None


def test_a_note_may_be_as_long_as_on_the_live_socket(world: World) -> None:
    operator = world.token("operator")
    answer = ask(world, "POST", ACK, headers=operator, json={"ver": 1, "note": "x" * 2000})
    assert answer.status_code == 200
