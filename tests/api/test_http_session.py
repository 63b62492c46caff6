"""Signing in over HTTP, what a cookie is good for, and what admins do."""

import asyncio
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from pydantic import BaseModel

from api.auth import AuthStore, Doorkeeper, TicketOffice, passwords
from api.auth.sessions import Lifetime
from api.http import session, shapes
from tests.api.http_service import NOW_MS, World, ask, with_client

PASSWORD = "con nước rong"
ORIGIN = "http://localhost:8080"
OWN = {"X-Songtien": "1", "Origin": ORIGIN}
HOUR_MS = 3_600_000
LIFETIME = Lifetime()


@pytest.fixture(scope="module", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """What they cost is held by tests/api/test_auth_officers.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_ARGON2", PasswordHasher(1, 64, parallelism=1))
        yield


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an officer of each role."""
    path = tmp_path_factory.mktemp("accounts") / "auth.sqlite"
    store = AuthStore(path)
    for name, role in (("an", "operator"), ("bình", "admin"), ("chi", "viewer")):
        store.officers.add(name, role, PASSWORD, NOW_MS)
    store.close()
    return path


@pytest.fixture
def world(accounts: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copy(accounts, tmp_path / "auth.sqlite")
    world = World(tmp_path)
    yield world
    world.close()


async def signed_in(
    client: httpx.AsyncClient, name: str = "an", password: str = PASSWORD
) -> httpx.Response:
    body = {"name": name, "password": password}
    return await client.post("/api/v1/session", json=body, headers=OWN)


async def who(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/v1/session")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_sign_in_look_act_and_sign_out(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        assert await who(client) == {"name": "", "role": "viewer"}
        answer = await signed_in(client)
        expected = {"name": "an", "role": "operator", "expires": NOW_MS + 12 * HOUR_MS}
        assert (answer.status_code, answer.json()) == (200, expected)
        assert answer.headers["cache-control"] == "no-store"
        assert await who(client) == {"name": "an", "role": "operator"}
        letters = await client.get("/api/v1/dead-letters")
        assert letters.status_code == 200
        ticket = await client.post("/api/v1/live-ticket", headers=OWN)
        found = world.doorkeeper.tickets.redeem(ticket.json()["ticket"], NOW_MS)
        assert found is not None
        assert (found.name, found.role) == ("an", "operator")
        assert world.doorkeeper.ended([found.credential], NOW_MS) == frozenset()

        out = await client.delete("/api/v1/session", headers=OWN)
        assert out.json() == {"ended": True}
        assert "songtien" not in client.cookies
        assert await who(client) == {"name": "", "role": "viewer"}
        assert world.doorkeeper.ended([found.credential], NOW_MS) == {found.credential}

    with_client(world, story)


def test_the_cookie_is_for_this_service_and_not_for_scripts(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        cookie = (await signed_in(client)).headers["set-cookie"]
        name, *attributes = cookie.split("; ")
        assert name.startswith("songtien=")
        assert len(name.partition("=")[2]) == 43
        asked = {"HttpOnly", "Max-Age=604800", "Path=/", "SameSite=strict"}
        assert set(attributes) == asked

    with_client(world, story)


def test_the_cookie_is_for_https_where_that_is_spoken_or_said(world: World) -> None:
    body = {"name": "an", "password": PASSWORD}
    own = {"X-Songtien": "1"}
    answer = ask(world, "POST", "https://localhost/api/v1/session", headers=own, json=body)
    assert "Secure" in answer.headers["set-cookie"]
    always = Doorkeeper(world.tokens, TicketOffice(), anonymous=True, secure_cookies=True)
    answer = ask(world, "POST", "/api/v1/session", headers=own, json=body, doorkeeper=always)
    assert "Secure" in answer.headers["set-cookie"]


FORGED: dict[str, dict[str, str]] = {
    "without the header": {"Origin": ORIGIN},
    "from nowhere": {"X-Songtien": "1"},
    "of another site": {**OWN, "Origin": "https://evil.example"},
    "of another port": {**OWN, "Origin": "http://localhost:9999"},
    "of a sandbox": {**OWN, "Origin": "null"},
    "of no origin at all": {**OWN, "Origin": "http://["},
    "of the same site only": {**OWN, "Sec-Fetch-Site": "same-site"},
    "of a link": {**OWN, "Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_request_that_another_page_has_forged_does_nothing(world: World, forged: str) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client)
        for method, path in (
            ("POST", "/api/v1/live-ticket"),
            ("POST", "/api/v1/rules/reload"),
            ("DELETE", "/api/v1/session"),
        ):
            answer = await client.request(method, path, headers=FORGED[forged])
            assert answer.status_code == 403
            assert answer.json()["type"].endswith("#problem-forbidden")
        assert (await who(client))["name"] == "an"

    with_client(world, story)


def test_pages_of_the_service_s_own_are_believed(world: World) -> None:
    keeper = Doorkeeper(
        world.tokens,
        TicketOffice(),
        anonymous=True,
        origins=frozenset({"https://man.example.vn:443"}),
    )

    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client)
        for own in (
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": "HTTP://LOCALHOST:8080"},
            {"Origin": "http://localhost", "Host": "localhost:80"},
            {"Origin": "https://man.example.vn"},
        ):
            headers = {"X-Songtien": "1", **own}
            answer = await client.post("/api/v1/live-ticket", headers=headers)
            assert answer.status_code == 200

    with_client(world, story, doorkeeper=keeper)


@pytest.mark.parametrize(
    "headers", [{}, {**OWN, "Origin": "https://evil.example"}, {"X-Songtien": "yes"}]
)
def test_nobody_is_signed_in_from_elsewhere(world: World, headers: dict[str, str]) -> None:
    body = {"name": "an", "password": PASSWORD}
    answer = ask(world, "POST", "/api/v1/session", headers=headers, json=body)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_wrong_names_and_passwords_look_the_same(world: World) -> None:
    answers = []

    async def story(client: httpx.AsyncClient) -> None:
        for name, password in (("an", "nope"), ("nobody", PASSWORD), ("AN", PASSWORD)):
            answers.append(await signed_in(client, name, password))

    with_client(world, story)
    assert {(one.status_code, one.text) for one in answers} == {(401, answers[0].text)}
    assert answers[0].json()["type"].endswith("#problem-wrong-password")
    assert all("set-cookie" not in one.headers for one in answers)
    lines = [(line.who, line.what, line.outcome) for line in world.tokens.audit()]
    begin = "session.begin from 127.0.0.1"
    assert lines == [
        ("", begin, "no such officer"),
        ("", begin, "no such officer"),
        ("an", begin, "wrong password"),
    ]


def test_after_failures_one_waits_and_the_right_password_too(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        for _ in range(5):
            assert (await signed_in(client, password="wrong")).status_code == 401
        held = await signed_in(client)
        assert (held.status_code, held.headers["retry-after"]) == (429, "1")
        assert held.json()["type"].endswith("#problem-too-many-tries")
        other = await signed_in(client, "chi")
        assert other.status_code == 200
        world.now_ms += 1000
        assert (await signed_in(client)).status_code == 200

    with_client(world, story)


def test_a_name_is_one_name_however_it_is_typed(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        spelled = ("b\u00ecnh", "bi\u0300nh", " b\u00ecnh", "bi\u0300nh ", "b\u00ecnh")
        for name in spelled:
            assert (await signed_in(client, name, "wrong")).status_code == 401
        assert (await signed_in(client, "bi\u0300nh")).status_code == 429

    with_client(world, story)


def test_an_officer_takes_another_password_and_other_browsers_are_signed_out(
    world: World,
) -> None:
    path, new = "/api/v1/session/password", "mật khẩu khác"

    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client)
        elsewhere = client.cookies["songtien"]
        client.cookies.clear()
        await signed_in(client)
        here = client.cookies["songtien"]

        async def asks(**body: str) -> httpx.Response:
            return await client.post(path, headers=OWN, json=body)

        short = await asks(old=PASSWORD, password="short")
        assert (short.status_code, short.json()["errors"][0]["name"]) == (422, "password")
        wrong = await asks(old="not this one", password=new)
        assert (wrong.status_code, (await who(client))["name"]) == (401, "an")
        assert wrong.json()["type"].endswith("#problem-wrong-password")
        assert (await client.post(path, json={"old": PASSWORD, "password": new})).status_code == 403

        done = await asks(old=PASSWORD, password=new)
        assert (done.status_code, done.json()["name"]) == (200, "an")
        assert (await who(client))["name"] == "an"
        assert client.cookies["songtien"] not in {here, elsewhere}
        for over in (here, elsewhere):
            assert world.tokens.sessions.of(over, NOW_MS) is None
        client.cookies.clear()
        assert (await signed_in(client)).status_code == 401
        assert (await signed_in(client, password=new)).status_code == 200

        # On a machine that the officer has used the address alone counts.
        for _ in range(18):
            assert (await asks(old="not this one", password=new)).status_code == 401
        refused = await asks(old="not this one", password=new)
        assert (refused.status_code, "retry-after" in refused.headers) == (429, True)

    with_client(world, story)
    lines = [(line.who, line.what, line.outcome) for line in world.tokens.audit()]
    assert ("an", "session.password", "done") in lines
    assert ("an", "session.password from 127.0.0.1", "wrong password") in lines
    body = {"old": PASSWORD, "password": new}
    assert ask(world, "POST", path, json=body).status_code == 401
    answer = ask(world, "POST", path, headers=world.token("operator"), json=body)
    assert answer.status_code == 403


def test_passwords_are_checked_two_at_a_time_and_the_loop_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "WAITING_MAX", 2)

    async def story(client: httpx.AsyncClient) -> None:
        trying = [
            asyncio.create_task(signed_in(client, f"name {number}", "wrong")) for number in range(8)
        ]
        answers, left = 0, set(trying)
        while left:
            _, left = await asyncio.wait(left, timeout=0.02)
            assert (await client.get("/healthz")).status_code == 200
            answers += 1
        assert answers > 3
        statuses = sorted(one.result().status_code for one in trying)
        assert statuses == [401] * 4 + [503] * 4

    with_client(world, story)


def test_a_session_that_a_browser_brings_is_never_the_one_it_gets(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client, "chi")
        planted = client.cookies["songtien"]
        await signed_in(client)
        assert client.cookies["songtien"] != planted
        assert world.tokens.sessions.of(planted, NOW_MS) is None
        client.cookies.clear()
        client.cookies.set("songtien", "A" * 43)
        answer = await signed_in(client)
        assert "A" * 43 not in answer.headers["set-cookie"]

    with_client(world, story)


def test_use_keeps_a_session_and_idleness_ends_it(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client)
        world.now_ms += 11 * HOUR_MS
        assert (await who(client))["name"] == "an"
        world.now_ms += 11 * HOUR_MS
        assert (await who(client))["name"] == "an"
        world.now_ms += 12 * HOUR_MS
        answer = await client.get("/api/v1/session")
        assert answer.json()["name"] == ""
        assert 'songtien=""' in answer.headers["set-cookie"]  # the browser forgets it
        assert (await client.get("/api/v1/dead-letters")).status_code == 401

    with_client(world, story)


def test_a_token_goes_before_a_cookie_and_needs_no_header(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client)
        answer = await client.post("/api/v1/live-ticket", headers=world.token("viewer"))
        assert answer.status_code == 200
        wrong = {"Authorization": "Bearer st_x_y"}
        assert (await client.get("/api/v1/state", headers=wrong)).status_code == 401

    with_client(world, story)


def test_where_nobody_may_look_one_signs_in_first(world: World) -> None:
    shut = Doorkeeper(world.tokens, TicketOffice(), anonymous=False)

    async def story(client: httpx.AsyncClient) -> None:
        client.cookies.set("songtien", "A" * 43)
        for path in ("/api/v1/session", "/api/v1/state", "/metrics"):
            assert (await client.get(path)).status_code == 401
        assert (await client.get("/api/v1/about")).status_code == 200
        client.cookies.clear()
        assert (await signed_in(client, "chi")).status_code == 200
        assert (await client.get("/api/v1/state")).status_code == 200

    with_client(world, story, doorkeeper=shut)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": "an"}, "password"),
        ({"name": "", "password": "x"}, "name"),
        ({"name": "an", "password": ["hemmelighed"]}, "password"),
        ({"name": "an", "password": "hemmelighed" * 100}, "password"),
        ({"name": "an", "password": "hemmelighed", "remember": True}, "remember"),
    ],
)
def test_bad_bodies_are_named_and_their_password_is_not_said(
    world: World, body: dict[str, Any], named: str
) -> None:
    answer = ask(world, "POST", "/api/v1/session", headers=OWN, json=body)
    assert answer.status_code == 422
    assert [fault["name"] for fault in answer.json()["errors"]] == [named]
    assert "hemmelighed" not in answer.text


def test_no_password_or_cookie_stands_in_a_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = []

    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client, password="a wrong password")
        await signed_in(client)
        secrets.append(client.cookies["songtien"])
        ticket = await client.post("/api/v1/live-ticket", headers=OWN)
        secrets.append(ticket.json()["ticket"])
        await client.delete("/api/v1/session", headers=OWN)

    with_client(world, story)
    said = caplog.text + repr(world.tokens.audit())
    for secret in ("a wrong password", PASSWORD, *secrets):
        assert secret not in said


# Admins.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("POST", "/api/v1/users/an/password"),
        ("POST", "/api/v1/users/an/role"),
        ("DELETE", "/api/v1/users/an"),
        ("GET", "/api/v1/sessions"),
        ("DELETE", "/api/v1/sessions/x"),
        ("GET", "/api/v1/audit"),
    ],
)
def test_what_is_for_admins_is_for_admins(world: World, method: str, path: str) -> None:
    body = {"name": "x", "role": "admin", "password": PASSWORD}
    json = body if method == "POST" else None
    assert ask(world, method, path, json=json).status_code == 401
    for role in ("viewer", "operator"):
        answer = ask(world, method, path, headers=world.token(role), json=json)
        assert answer.status_code == 403
    assert len(world.tokens.officers.list(NOW_MS)) == 3


def test_an_admin_adds_changes_and_removes_officers(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        admin = world.token("admin")

        async def does(method: str, path: str, **json: str) -> tuple[int, Any]:
            answer = await client.request(
                method, f"/api/v1/users{path}", headers=admin, json=json or None
            )
            return answer.status_code, answer.json()

        status, added = await does("POST", "", name=" dũng ", role="viewer", password=PASSWORD)
        assert (status, added["name"], added["role"]) == (200, "dũng", "viewer")
        assert (await signed_in(client, "dũng")).json()["role"] == "viewer"
        assert (await does("GET", ""))[1]["items"][-1]["sessions"] == 1

        status, changed = await does("POST", "/dũng/role", role="operator")
        assert (changed["role"], changed["sessions"]) == ("operator", 0)
        assert (await who(client))["name"] == ""
        assert (await does("POST", "/dũng/password", password="mật khẩu khác"))[0] == 200
        assert (await signed_in(client, "dũng")).status_code == 401
        assert (await signed_in(client, "dũng", "mật khẩu khác")).status_code == 200
        assert (await does("DELETE", "/dũng"))[0] == 200
        assert (await who(client))["name"] == ""

        status, refused = await does("POST", "", name="an", role="viewer", password=PASSWORD)
        assert (status, refused["errors"][0]["name"]) == (422, "name")
        status, refused = await does("POST", "", name="e", role="viewer", password="short")
        assert (status, refused["errors"][0]["name"]) == (422, "password")
        assert (await does("DELETE", "/nobody"))[0] == 404

    with_client(world, story)
    acts = [
        (line.who, line.what, line.outcome)
        for line in reversed(world.tokens.audit())
        if line.what.startswith("user.")
    ]
    assert acts == [
        ("the admin", "user.add dũng viewer", "done"),
        ("the admin", "user.role dũng operator", "done"),
        ("the admin", "user.password dũng", "done"),
        ("the admin", "user.remove dũng", "done"),
        ("the admin", "user.add an viewer", "refused"),
        ("the admin", "user.add e viewer", "refused"),
        ("the admin", "user.remove nobody", "not found"),
    ]


def test_nobody_shuts_themselves_out(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client, "bình")
        body = {"role": "viewer"}
        answer = await client.post("/api/v1/users/bình/role", headers=OWN, json=body)
        assert answer.status_code == 403
        for spelled in ("b\u00ecnh", "bi\u0300nh", "%20b\u00ecnh"):
            answer = await client.request("DELETE", f"/api/v1/users/{spelled}", headers=OWN)
            assert answer.status_code == 403
        assert (await who(client))["role"] == "admin"

    with_client(world, story)


def test_an_admin_ends_the_session_of_another(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client)
        secret = client.cookies["songtien"]
        client.cookies.clear()
        await signed_in(client, "bình")
        items = (await client.get("/api/v1/sessions")).json()["items"]
        by_name = {item["name"]: item for item in items}
        assert {name: item["own"] for name, item in by_name.items()} == {"an": False, "bình": True}
        assert secret not in str(items)
        path = f"/api/v1/sessions/{by_name['an']['id']}"
        assert (await client.request("DELETE", path, headers=OWN)).status_code == 200
        assert (await client.request("DELETE", path, headers=OWN)).status_code == 404
        assert world.tokens.sessions.of(secret, NOW_MS) is None

    with_client(world, story)


def test_the_audit_comes_by_pages(world: World) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        admin = world.token("admin")
        for _ in range(3):
            await signed_in(client, "chi")
        first = (await client.get("/api/v1/audit?limit=4", headers=admin)).json()
        rest = await client.get(f"/api/v1/audit?limit=4&after={first['next']}", headers=admin)
        items = first["items"] + rest.json()["items"]
        assert [line["what"].partition(" ")[0] for line in items] == [
            "session.begin",
            "session.end",
            "session.begin",
            "session.end",
            "session.begin",
        ]
        assert rest.json()["next"] is None
        assert {line["who"] for line in items} == {"chi"}

    with_client(world, story)


SHAPES: dict[str, type[BaseModel]] = {
    "/api/v1/session": shapes.WhoShape,
    "/api/v1/users": shapes.Officers,
    "/api/v1/sessions": shapes.SessionList,
    "/api/v1/audit": shapes.Audit,
}


@pytest.mark.parametrize("path", SHAPES)
def test_answers_have_the_documented_shape(world: World, path: str) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        answer = await signed_in(client, "bình")
        shapes.SessionShape.model_validate(answer.json())
        SHAPES[path].model_validate((await client.get(path)).json())

    with_client(world, story)


def test_a_file_shared_with_the_command_line(world: World) -> None:
    """What `songtien user` does holds at the next request."""

    async def story(client: httpx.AsyncClient) -> None:
        await signed_in(client)
        command_line = AuthStore(world.directory / "auth.sqlite")
        command_line.officers.remove("an")
        command_line.close()
        assert (await who(client))["name"] == ""

    with_client(world, story)
