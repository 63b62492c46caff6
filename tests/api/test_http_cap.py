"""CAP and webhooks over HTTP: the feed, its documents, who may see what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from alerts import outbox
from alerts.alert import EventType
from alerts.cap import ATOM_NS, CAP_NS, Sender
from alerts.webhook import Undelivered, WebhookStatus
from api.auth import Doorkeeper, TicketOffice
from api.service import Outside
from tests.api.http_service import ALERT_ID, NOW_MS, World, get

ATOM, CAP = f"{{{ATOM_NS}}}", f"{{{CAP_NS}}}"
MORE: dict[str, Any] = {
    "ask": "above",
    "station": "vam-kenh",
    "t_event": NOW_MS,
    "message_vi": "Vàm Kênh: 4,1 g/l",
    "message_en": "Vàm Kênh: 4.1 g/L",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def outside(world: World) -> Outside:
    def current(newest: int) -> list[list[outbox.Outgoing]]:
        with world.reader.connection() as connection:
            return outbox.current(connection, newest)

    def of_alert(alert: str) -> list[outbox.Outgoing]:
        with world.reader.connection() as connection:
            return outbox.of_alert(connection, alert)

    return Outside(Sender("man.example.vn", "Đài"), current, of_alert)


def seen(world: World, path: str, headers: dict[str, str] | None = None) -> Any:
    return get(world, path, headers, outside=outside(world))


def test_the_feed_leads_to_documents_of_what_was_raised_and_cleared(world: World) -> None:
    world.put_alert(EventType.RAISED, **MORE)
    world.put_alert(EventType.ACKED, "Lan", state="acked", ver=2)
    world.put_alert(EventType.CLEARED, state="normal", ver=3, t_cleared=NOW_MS)
    answer = seen(world, "/cap/alerts.atom")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
    root = ET.fromstring(answer.content)
    links = [link.attrib["href"] for link in root.findall(f"{ATOM}entry/{ATOM}link")]
    assert links == [
        f"http://localhost:8080/cap/{ALERT_ID}.2.xml",
        f"http://localhost:8080/cap/{ALERT_ID}.xml",
    ]
    kinds = []
    for link in links:
        found = seen(world, link.removeprefix("http://localhost:8080"))
        assert found.status_code == 200
        assert found.headers["content-type"].startswith("application/cap+xml")
        kinds.append(ET.fromstring(found.content).findtext(f"{CAP}msgType"))
        assert b"Lan" not in found.content
    assert kinds == ["Cancel", "Alert"]


def test_a_feed_that_has_not_changed_is_not_sent_again(world: World) -> None:
    world.put_alert(EventType.RAISED, **MORE)
    tag = seen(world, "/cap/alerts.atom").headers["etag"]
    again = seen(world, "/cap/alerts.atom", {"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    world.put_alert(EventType.CLEARED, state="normal", ver=2)
    assert seen(world, "/cap/alerts.atom", {"If-None-Match": tag}).status_code == 200


def test_what_was_found_late_has_no_document(world: World) -> None:
    world.put_alert(EventType.RAISED, historic=True, **MORE)
    assert b"<entry>" not in seen(world, "/cap/alerts.atom").content
    assert seen(world, f"/cap/{ALERT_ID}.xml").status_code == 404


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (f"{ALERT_ID}.2", 404),
        ("0000000000000000", 404),
        (f"{ALERT_ID}.0", 422),
        (f"{ALERT_ID}.1x", 422),
        ("..%2f..%2fetc", 404),
        ("nothing", 422),
    ],
)
def test_there_are_no_other_documents(world: World, name: str, status: int) -> None:
    world.put_alert(EventType.RAISED, **MORE)
    assert seen(world, f"/cap/{name}.xml").status_code == status


def test_a_host_that_is_none_is_not_repeated(world: World) -> None:
    world.put_alert(EventType.RAISED, **MORE)
    body = seen(world, "/cap/alerts.atom", {"Host": "evil.example/<x>"}).content
    assert b"evil" not in body
    assert f'href="/cap/{ALERT_ID}.xml"'.encode() in body


def test_documents_are_for_those_who_may_look(world: World) -> None:
    world.doorkeeper = Doorkeeper(world.tokens, TicketOffice(), anonymous=False)
    for path in ("/cap/alerts.atom", f"/cap/{ALERT_ID}.xml"):
        assert seen(world, path).status_code == 401
    assert seen(world, "/cap/alerts.atom", world.token("viewer")).status_code == 200


def test_operators_see_what_webhooks_could_not_deliver(world: World) -> None:
    lost = Undelivered(7, "a-7", "a", "raised", NOW_MS, NOW_MS + 1, 5, "refused 5 times")
    status = WebhookStatus(
        name="duty",
        host="https://truc.example.vn",
        events=("raised",),
        min_severity="major",
        simulated=False,
        pending=3,
        oldest_ms=NOW_MS,
        trouble="status 503",
        last_success_ms=None,
        delivered=0,
        retries=4,
        undelivered_count=1,
        undelivered=(lost,),
    )

    def asked(headers: dict[str, str] | None) -> Any:
        said = Outside(webhooks=lambda: [status])
        return get(world, "/api/v1/webhooks", headers, outside=said)

    assert asked(None).status_code == 401
    assert asked(world.token("viewer")).status_code == 403
    (shown,) = asked(world.token("operator")).json()["webhooks"]
    assert (shown["name"], shown["pending"], shown["trouble"]) == ("duty", 3, "status 503")
    assert shown["undelivered"] == [
        {
            "pos": 7,
            "key": "a-7",
            "alert": "a",
            "type": "raised",
            "at": NOW_MS,
            "given_up": NOW_MS + 1,
            "tries": 5,
            "why": "refused 5 times",
        }
    ]
