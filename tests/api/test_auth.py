"""Tokens, officers, tickets, audit: real SQLite, a clock in the hand."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.auth import (
    ANONYMOUS,
    TICKET_TTL_MS,
    TICKETS_MAX,
    AuthError,
    AuthStore,
    Doorkeeper,
    Principal,
    TicketOffice,
)
from api.auth import store as store_module

NOW_MS = 1_767_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AuthStore]:
    store = AuthStore(tmp_path / "auth.sqlite")
    yield store
    store.close()


def test_roles_contain_each_other() -> None:
    may = {
        (role, asked): Principal("x", role).may(asked)
        for role in ("viewer", "operator", "admin")
        for asked in ("viewer", "operator", "admin")
    }
    assert [pair for pair, allowed in may.items() if not allowed] == [
        ("viewer", "operator"),
        ("viewer", "admin"),
        ("operator", "admin"),
    ]


def test_a_token_is_verified_and_others_are_not(store: AuthStore) -> None:
    token, record = store.create("wall 1", "operator", NOW_MS)
    assert store.verify(token, NOW_MS) == Principal("wall 1", "operator")
    other, _ = store.create("wall 2", "admin", NOW_MS)
    mixed = "_".join([*token.split("_", 2)[:2], other.split("_", 2)[2]])
    for wrong in (
        mixed,
        token[:-1],
        token + "x",
        "",
        "st__",
        "Bearer",
        "x" * 10_000,
        "st_é_é",
        "st_\ud800_x",
    ):
        assert store.verify(wrong, NOW_MS) is None
    assert store.list()[0] == record


def test_token_runs_out_and_can_be_revoked(store: AuthStore) -> None:
    token, record = store.create("short", "viewer", NOW_MS, ttl_s=60)
    assert store.verify(token, NOW_MS + 59_999) is not None
    assert store.verify(token, NOW_MS + 60_000) is None
    assert store.revoke(record.id, NOW_MS)
    assert store.verify(token, NOW_MS) is None
    assert not store.revoke(record.id, NOW_MS)
    assert not store.revoke("unknown", NOW_MS)
    assert store.list()[0].revoked_ms == NOW_MS


def test_revoked_elsewhere_is_revoked_here(store: AuthStore, tmp_path: Path) -> None:
    token, record = store.create("wall", "viewer", NOW_MS)
    command_line = AuthStore(tmp_path / "auth.sqlite")
    command_line.revoke(record.id, NOW_MS)
    command_line.close()
    assert store.verify(token, NOW_MS) is None


def test_the_token_itself_is_nowhere_in_the_files(store: AuthStore, tmp_path: Path) -> None:
    token, _ = store.create("wall", "viewer", NOW_MS)
    store.officers.add("An", "admin", "mật khẩu dài lắm", NOW_MS)
    secret = token.split("_", 2)[2]
    files = list(tmp_path.iterdir())
    assert files
    for file in files:
        content = file.read_bytes()
        assert secret.encode() not in content
        assert "mật khẩu".encode() not in content


def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    path = tmp_path / "auth.sqlite"
    path.touch(0o644)  # such as a backup restored with the wrong mode
    store = AuthStore(path)
    store.create("wall", "viewer", NOW_MS)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert set(modes.values()) == {0o600}
    assert len(modes) == 3  # with -wal and -shm


@pytest.mark.parametrize(
    ("name", "role", "ttl_s"),
    [
        ("", "viewer", None),
        ("a\nb", "viewer", None),
        ("a" * 81, "viewer", None),
        ("a", "root", None),
        ("a", "viewer", 0),
        ("a", "viewer", -5),
        ("a", "viewer", 101 * 366 * 86_400),  # a year that no calendar writes
    ],
)
def test_what_is_not_accepted_for_a_token(
    store: AuthStore, name: str, role: str, ttl_s: int | None
) -> None:
    with pytest.raises(AuthError):
        store.create(name, role, NOW_MS, ttl_s=ttl_s)
    assert store.list() == ()


def test_audit_says_who_what_when(store: AuthStore) -> None:
    officer = Principal("An", "operator")
    store.record(officer, "alert.ack 1", "done", NOW_MS)
    store.record(officer, "alert.ack 2", "stale", NOW_MS + 1)
    newest, first = store.audit()
    assert (newest.what, newest.outcome, newest.at_ms) == ("alert.ack 2", "stale", NOW_MS + 1)
    assert (first.who, first.role) == ("An", "operator")
    assert len(store.audit(1)) == 1


def test_nobody_writes_a_second_line_of_the_audit_or_on_a_terminal(store: AuthStore) -> None:
    store.record(Principal("An", "admin"), "user.remove x\n\x1b[2Jđ " + "x" * 9_999, "done", NOW_MS)
    (line,) = store.audit()
    assert line.what.startswith("user.remove x\ufffd\ufffd[2Jđ x")
    assert len(line.what) == 500


def test_the_audit_forgets_by_age_and_keeps_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "AUDIT_SWEPT_EVERY", 2)
    monkeypatch.setattr(store_module, "AUDIT_KEPT_MIN", 4)
    officer, day_ms = Principal("An", "operator"), 86_400_000
    with (
        closing(AuthStore(tmp_path / "auth.sqlite", audit_days=30)) as service,
        closing(AuthStore(tmp_path / "auth.sqlite")) as command_line,
    ):
        for day in range(40):
            service.record(officer, f"day {day}", "done", NOW_MS + day * day_ms)
        assert [line.what for line in service.audit()] == [f"day {n}" for n in range(39, 8, -1)]
        for _ in range(2):
            command_line.record(officer, "later", "done", NOW_MS + 999 * day_ms)
        assert len(service.audit()) == 33  # whoever knows no limit removes nothing
        for n in range(40):
            service.record(officer, f"year {n}", "done", NOW_MS + (999 + n) * 365 * day_ms)
        assert [line.what for line in service.audit()] == [f"year {n}" for n in range(39, 35, -1)]


def test_who_asks_waits_for_nobody_who_writes(store: AuthStore) -> None:
    token, _ = store.create("wall", "viewer", NOW_MS)
    known: list[Principal | None] = []
    asks = threading.Thread(target=lambda: known.append(store.verify(token, NOW_MS)), daemon=True)
    with store._file.transaction() as connection:
        connection.execute("DELETE FROM token")
        asks.start()
        asks.join(10)
        assert known == [Principal("wall", "viewer")]


def test_a_failed_write_leaves_nothing(store: AuthStore) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        store.record(Principal("An", "operator"), "x", None, NOW_MS)  # type: ignore[arg-type]
    store.record(Principal("An", "operator"), "y", "done", NOW_MS)
    assert [line.what for line in store.audit()] == ["y"]


def test_a_ticket_opens_once_and_within_30_s() -> None:
    office, officer = TicketOffice(), Principal("An", "operator")
    ticket = office.issue(officer, NOW_MS)
    assert ticket is not None
    assert office.redeem(ticket, NOW_MS + TICKET_TTL_MS - 1) == officer
    assert office.redeem(ticket, NOW_MS) is None
    late = office.issue(officer, NOW_MS)
    assert late is not None
    assert office.redeem(late, NOW_MS + TICKET_TTL_MS) is None
    assert office.redeem("ticket_unknown", NOW_MS) is None


def test_tickets_are_bounded_and_room_comes_back() -> None:
    office, officer = TicketOffice(), Principal("An", "operator")
    assert all(office.issue(officer, NOW_MS) for _ in range(TICKETS_MAX))
    assert office.issue(officer, NOW_MS) is None
    assert office.issue(officer, NOW_MS + TICKET_TTL_MS) is not None


def test_who_comes_in_at_which_door(store: AuthStore) -> None:
    tickets = TicketOffice()
    token, _ = store.create("An", "operator", NOW_MS)
    ticket = tickets.issue(Principal("An", "operator"), NOW_MS)
    open_door = Doorkeeper(store, tickets, anonymous=True)
    shut_door = Doorkeeper(store, tickets, anonymous=False)
    assert open_door.by_token(None, NOW_MS) == ANONYMOUS
    assert ANONYMOUS.anonymous
    assert shut_door.by_token(None, NOW_MS) is None
    assert open_door.by_token("wrong", NOW_MS) is None
    assert open_door.by_token(ticket, NOW_MS) is None  # a ticket is for the socket alone
    assert shut_door.by_token_or_ticket(ticket, NOW_MS) == Principal("An", "operator")
    assert shut_door.by_token_or_ticket(ticket, NOW_MS) is None
    assert shut_door.by_token_or_ticket(token, NOW_MS) == Principal("An", "operator")
