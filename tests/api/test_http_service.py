"""Health, metrics, about; and what surrounds every request."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alerts.alert import EventType
from api.auth import Doorkeeper, TicketOffice
from api.http.shell import BODY_MAX_BYTES
from api.service import About, Accounting, NotReady
from tests.api.http_service import ALERT_ID, NOW_MS, World, ask, get, with_client


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.put_alert(EventType.RAISED)
    yield world
    world.close()


def _metrics(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_ready_only_while_nothing_stands_in_the_way(world: World) -> None:
    assert get(world, "/healthz").json() == {"status": "alive"}
    assert get(world, "/readyz").json() == {"ready": True}
    world.reasons = [NotReady("broker", "not connected since 07:00"), NotReady("canary", "stale")]
    answer = get(world, "/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["broker", "canary"]
    assert answer.json()["ready"] is False
    assert get(world, "/healthz").status_code == 200


def test_metrics_read_the_accounting_once_and_hold_the_identity(world: World) -> None:
    calls: list[None] = []

    def accounting() -> Accounting:
        # Grows with each reading: an answer put together from two of them would not add up.
        calls.append(None)
        n = len(calls) * 100
        outcome = {"stored": 6 * n, "duplicate": 2 * n, "rejected": n}
        counters = {"messages": ("Messages.", 5.0)}
        return Accounting(10 * n, outcome, n, {"clock": n}, 7, 8, 6, 4, 3, counters)

    answer = get(world, "/metrics", accounting=accounting)
    assert len(calls) == 1
    found = _metrics(answer.text)
    settled = sum(v for (name, _), v in found.items() if name == "songtien_samples_total")
    received = found["songtien_samples_received_total", ""]
    assert received == settled + found["songtien_samples_in_flight", ""] == 1000
    assert found["songtien_samples_rejected_total", "clock"] == 100
    assert found["songtien_messages_total", ""] == 5
    gauges = ("dead_letters_total", "journal_position", "store_position", "live_clients")
    assert [found[f"songtien_{name}", ""] for name in gauges] == [7, 8, 6, 4]
    assert found["songtien_alerts_active", ""] == 3


def test_every_outcome_stands_there_before_it_first_happens(world: World) -> None:
    world.accounting = Accounting(0, {}, 0, {}, 0, 0, 0, 0, 0)
    found = _metrics(get(world, "/metrics").text)
    outcomes = {label for name, label in found if name == "songtien_samples_total"}
    assert outcomes == {"stored", "duplicate", "rejected"}


def test_requests_are_counted_by_route_and_strangers_make_no_series(world: World) -> None:
    found = {}

    async def story(client: httpx.AsyncClient) -> None:
        await client.get("/api/v1/series/none/such")
        await client.get("/api/v1/series/none/other")
        for path in ("/x/1/1", "/x/2/1"):
            await client.request("BREW", path)
        found.update(_metrics((await client.get("/metrics")).text))

    with_client(world, story)
    counted = {k[1]: v for k, v in found.items() if k[0] == "songtien_http_requests_total"}
    assert counted["GET,/api/v1/series/{key:path},404"] == 2
    assert counted["other,,404"] == 2


def test_about_tells_where_the_socket_is(world: World) -> None:
    about = get(world, "/api/v1/about", {"Host": "tram.local:8080"}).json()
    assert about["live_url"] == "ws://tram.local:8081/live"
    assert (about["version"], about["demo"], about["anonymous"]) == ("0.1.0", False, "viewer")
    assert about["now"] == NOW_MS
    known = replace(world.service().about, live_url="wss://live.example.vn/live")
    answer = get(world, "/api/v1/about", about=known)
    assert answer.json()["live_url"] == "wss://live.example.vn/live"
    assert "connect-src 'self' wss://live.example.vn;" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["a;script-src *", "a b", "a,b", "[::1]evil", ""])
def test_a_hostile_host_is_not_repeated(world: World, host: str) -> None:
    answer = get(world, "/api/v1/about", {"Host": host})
    assert answer.json()["live_url"] == ""
    assert "connect-src 'self';" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/healthz", "/none", "/api/v1/state", "/docs/http", "/"])
def test_security_headers_are_everywhere(world: World, path: str) -> None:
    headers = get(world, path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "connect-src 'self' ws://localhost:8081;" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "cache-control" in headers


def _problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"/docs/http#problem-{kind}"
    assert document["status"] == status
    assert document["instance"] == answer.url.path
    assert document["title"]
    assert document["detail"]
    return document


def test_every_error_is_a_problem_document(world: World) -> None:
    _problem(get(world, "/nothing/here"), 404, "not-found")
    _problem(get(world, "/api/v1/nothing"), 404, "not-found")
    wrong_method = ask(world, "DELETE", "/api/v1/state")
    _problem(wrong_method, 405, "method-not-allowed")
    assert wrong_method.headers["allow"] == "GET"
    _problem(get(world, f"/api/v1/alerts/{ALERT_ID}/ack"), 405, "method-not-allowed")
    invalid = _problem(get(world, "/api/v1/alerts?limit=0&state=x"), 422, "invalid")
    assert {error["name"] for error in invalid["errors"]} == {"limit", "state"}
    assert {error["in"] for error in invalid["errors"]} == {"query"}


def test_a_body_that_is_no_json_is_told_as_the_body(world: World) -> None:
    headers = {**world.token("operator"), "Content-Type": "application/json"}
    path = f"/api/v1/alerts/{ALERT_ID}/ack"
    invalid = _problem(ask(world, "POST", path, headers=headers, content=b"{"), 422, "invalid")
    assert [error["name"] for error in invalid["errors"]] == ["body"]
    assert "at character" in invalid["detail"]


def test_a_bug_is_a_500_that_tells_nothing(world: World) -> None:
    def broken() -> None:
        raise RuntimeError("the secret inside")

    answer = get(world, "/readyz", not_ready=broken)
    _problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_what_nobody_has_built_is_not_there(world: World) -> None:
    for page in ("/nong-trai", "/docs/none", "/api/v1/nothing"):
        _problem(get(world, page), 404, "not-found")


def test_a_body_has_a_limit_said_or_not(world: World) -> None:
    path = f"/api/v1/alerts/{ALERT_ID}/ack"
    headers = {**world.token("operator"), "Content-Type": "application/json"}
    large = b'{"ver":1,"note":"' + b"x" * BODY_MAX_BYTES + b'"}'
    _problem(ask(world, "POST", path, headers=headers, content=large), 413, "too-large")

    async def story(client: httpx.AsyncClient) -> None:
        async def in_parts() -> Any:
            for start in range(0, len(large), 1000):
                yield large[start : start + 1000]

        answer = await client.post(path, headers=headers, content=in_parts())
        _problem(answer, 413, "too-large")

        async def small() -> Any:
            yield b'{"ver"'
            yield b":1}"

        answer = await client.post(path, headers=headers, content=small())
        assert answer.json()["state"] == "acked"

    with_client(world, story)


def test_a_body_that_drips_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.http.shell.BODY_WITHIN_S", 0.05)

    async def story(client: httpx.AsyncClient) -> None:
        async def dripping() -> Any:
            yield b"{"
            await anyio.sleep_forever()

        answer = await client.post("/api/v1/farmers/signup", content=dripping())
        _problem(answer, 408, "too-slow")

    with_client(world, story)


def test_a_long_body_of_a_stranger_is_not_read(world: World) -> None:
    read: list[int] = []

    async def story(client: httpx.AsyncClient) -> None:
        async def list_of_people() -> Any:
            for n in range(10):
                read.append(n)
                yield b"x" * 99_999

        path = "/api/v1/subscriptions/import?channel=sms"
        _problem(await client.post(path, content=list_of_people()), 401, "unauthorized")
        assert read == []

    with_client(world, story)


def test_head_is_get_without_the_body(world: World) -> None:
    asked, got = ask(world, "HEAD", "/api/v1/state"), get(world, "/api/v1/state")
    assert asked.status_code == 200
    assert asked.content == b""
    assert asked.headers["content-length"] == got.headers["content-length"]
    assert asked.headers["etag"] == got.headers["etag"]


def test_who_is_let_in(world: World) -> None:
    paths = ("/api/v1/state", "/api/v1/stations", "/api/v1/rules", "/api/v1/alerts", "/metrics")
    viewer = world.token("viewer")
    shut = Doorkeeper(world.tokens, TicketOffice(), anonymous=False)
    for path in paths:
        assert get(world, path).status_code == 200
        refused = get(world, path, doorkeeper=shut)
        _problem(refused, 401, "unauthorized")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert get(world, path, viewer, doorkeeper=shut).status_code == 200
    for path in (
        "/healthz",
        "/readyz",
        "/api/v1/about",
        "/openapi.json",
        "/asyncapi.json",
        "/docs/http",
    ):
        assert get(world, path, doorkeeper=shut).status_code == 200


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic QTpC", "Bearer", ""])
def test_what_is_shown_and_wrong_is_refused_even_where_none_is_needed(
    world: World, header: str
) -> None:
    answer = get(world, "/api/v1/state", {"Authorization": header})
    _problem(answer, 401, "unauthorized")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_ticket_carries_the_role_of_who_asked(world: World) -> None:
    _problem(ask(world, "POST", "/api/v1/live-ticket"), 401, "unauthorized")
    answer = ask(world, "POST", "/api/v1/live-ticket", headers=world.token("operator"))
    ticket = answer.json()["ticket"]
    assert answer.json()["expires"] == NOW_MS + 30_000
    assert answer.headers["cache-control"] == "no-store"
    principal = world.doorkeeper.by_token_or_ticket(ticket, NOW_MS)
    assert principal is not None
    assert (principal.name, principal.role) == ("the operator", "operator")
    assert get(world, "/api/v1/state", {"Authorization": f"Bearer {ticket}"}).status_code == 401


def test_the_screen_or_how_to_build_it(world: World, tmp_path: Path) -> None:
    unbuilt = get(world, "/")
    assert unbuilt.status_code == 503
    assert "make pages" in unbuilt.text
    pages = tmp_path / "pages"
    (pages / "assets").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (pages / "index.html").write_text("<!doctype html><title>Sông Tiền</title>")
    (pages / "app.js").write_text("let x = 1;")
    (pages / "assets" / "font-1a2b.woff2").write_bytes(b"wOF2")
    assert "Sông Tiền" in get(world, "/").text
    assert get(world, "/").headers["cache-control"] == "no-cache"
    assert get(world, "/app.js").headers["content-type"].startswith("text/javascript")
    font = get(world, "/assets/font-1a2b.woff2")
    assert font.headers["cache-control"] == "public, max-age=31536000, immutable"
    known = {"If-None-Match": get(world, "/app.js").headers["etag"]}
    assert get(world, "/app.js", known).status_code == 304
    odd = ("/assets/%00", "/x%00.js", f"/assets/{'a' * 300}", f"/assets/{'a/' * 3000}")
    out = ("/assets/%2e%2e/%2e%2e/secret.txt", "/..%2fsecret.txt")
    for path in (*out, *odd, "/none.js", "/assets/"):
        _problem(get(world, path), 404, "not-found")


def test_what_was_built_compressed_is_served_so_to_who_takes_it(
    world: World, tmp_path: Path
) -> None:
    assets = tmp_path / "pages" / "assets"
    assets.mkdir(parents=True)
    (assets / "app-1a2b.js").write_text("let plain = 1;")
    (assets / "app-1a2b.js.br").write_bytes(b"packed by brotli")
    (assets / "app-1a2b.js.gz").write_bytes(gzip.compress(b"let zipped = 1;"))
    (assets / "app-3c4d.js").write_text("let alone = 1;")
    path = "/assets/app-1a2b.js"

    async def story(client: httpx.AsyncClient) -> None:
        for accepted, coding in (
            ("gzip, deflate, br", "br"),
            ("gzip;q=0.5, br;q=0", "gzip"),
            ("identity", None),
        ):
            wanted = {"Accept-Encoding": accepted}
            async with client.stream("GET", path, headers=wanted) as found:
                assert found.headers.get("content-encoding") == coding
                assert found.headers["content-type"].startswith("text/javascript")
                assert found.headers["vary"] == "Accept-Encoding"
                assert "immutable" in found.headers["cache-control"]
                known = {**wanted, "If-None-Match": found.headers["etag"]}
            assert (await client.get(path, headers=known)).status_code == 304

    with_client(world, story)
    assert get(world, "/assets/app-3c4d.js", {"Accept-Encoding": "br"}).text == "let alone = 1;"


def test_one_about_serves_every_request(world: World) -> None:
    known = About("9.9.9", "", 1, demo=True, anonymous="viewer")
    assert get(world, "/openapi.json", about=known).json()["info"]["version"] == "9.9.9"
    assert get(world, "/api/v1/about", about=known).json()["demo"] is True
