"""Officers and their sessions: real SQLite, a clock in the hand."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters

from api.auth import AuthError, AuthStore, Lifetime, Principal, passwords
from api.auth.file import SCHEMA_VERSION
from api.auth.sessions import SESSIONS_MAX, USE_NOTED_MS
from ingest.journal import SchemaError

NOW_MS = 1_767_000_000_000
PASSWORD = "con nước rong"
LIFETIME = Lifetime(idle_ms=3_600_000, longest_ms=4 * 3_600_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AuthStore]:
    store = AuthStore(tmp_path / "auth.sqlite")
    yield store
    store.close()


@pytest.fixture
def officer(store: AuthStore) -> AuthStore:
    store.officers.add("An", "operator", PASSWORD, NOW_MS)
    return store


def begun(store: AuthStore, now_ms: int = NOW_MS) -> tuple[str, str]:
    """Secret and id of a new session of An."""
    proven = store.officers.prove("An", PASSWORD)
    assert proven is not None
    found = store.sessions.begin(proven, LIFETIME, now_ms, address="10.0.0.9")
    assert found is not None
    return found[0], found[1].id


def test_officers_sign_in_whatever_the_input_method(store: AuthStore) -> None:
    composed, decomposed = (
        "m\u1eadt kh\u1ea9u d\u00e0i",
        "ma\u0323\u0302t kha\u0302\u0309u da\u0300i",
    )
    store.officers.add("Trần Thị B", "operator", composed, NOW_MS)
    proven = store.officers.prove("Trần Thị B", decomposed)
    assert proven is not None
    assert proven.principal == Principal("Trần Thị B", "operator")
    assert store.officers.prove("Trần Thị B", "another password") is None
    assert store.officers.prove("Trần Thị B", "\ud800" * 12) is None
    assert store.officers.prove("nobody", composed) is None
    with pytest.raises(AuthError, match="already"):
        store.officers.add("Trần Thị B", "admin", "another password", NOW_MS)
    assert [(one.name, one.role) for one in store.officers.list(NOW_MS)] == [
        ("Trần Thị B", "operator")
    ]


@pytest.mark.parametrize("password", ["short", "", "x" * 1001])
def test_passwords_have_bounds_and_stand_in_no_message(store: AuthStore, password: str) -> None:
    with pytest.raises(AuthError, match="at least 10 characters, at most 1000") as refused:
        store.officers.add("C", "admin", password, NOW_MS)
    assert not password or password not in str(refused.value)


def test_passwords_are_kept_as_argon2id(store: AuthStore, tmp_path: Path) -> None:
    store.officers.add("An", "operator", PASSWORD, NOW_MS)
    kept = _kept(tmp_path)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")


def test_a_name_that_nobody_has_costs_the_same_work(
    officer: AuthStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else the time of an answer tells which names there are."""
    costs = []

    class Noting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            costs.append(extract_parameters(str(hash)))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_ARGON2", Noting(passwords.PASSES, passwords.MEMORY_KIB))
    assert officer.officers.prove("An", "another password") is None
    assert officer.officers.prove("nobody", PASSWORD) is None
    assert costs == [extract_parameters(_kept(tmp_path))] * 2


OLD = """
CREATE TABLE user (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, salt BLOB NOT NULL, scrypt BLOB NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL,
    what TEXT NOT NULL, outcome TEXT NOT NULL
) STRICT;
"""
"""What version 0.1.0 wrote, of which this version may find a file."""


def test_an_officer_of_an_older_version_signs_in_and_is_kept_anew(tmp_path: Path) -> None:
    salt = bytes(range(16))
    digest = hashlib.scrypt(
        PASSWORD.encode(), salt=salt, n=2**15, r=8, p=3, maxmem=64 * 2**20, dklen=32
    )
    with closing(sqlite3.connect(tmp_path / "auth.sqlite")) as old:
        old.executescript(OLD)
        old.execute("INSERT INTO user VALUES ('An', 'operator', ?, ?, 5)", (salt, digest))
        old.execute("INSERT INTO audit VALUES (7, 1, 'An', 'operator', 'alert.ack', 'done')")
        old.commit()
    with closing(AuthStore(tmp_path / "auth.sqlite")) as store:
        assert [(one.name, one.created_ms) for one in store.officers.list(0)] == [("An", 5)]
        assert store.audit()[0].what == "alert.ack"
        assert store.officers.prove("An", "con nuoc rong") is None
        assert _kept(tmp_path).startswith("$scrypt$")
        assert store.officers.prove("An", PASSWORD) is not None
        assert _kept(tmp_path).startswith("$argon2id$")
        assert store.officers.prove("An", PASSWORD) is not None
        assert store.officers.prove("An", "con nuoc rong") is None
    with closing(AuthStore(tmp_path / "auth.sqlite")) as again:
        assert again.officers.prove("An", PASSWORD) is not None


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "auth.sqlite")) as newer:
        newer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    with pytest.raises(SchemaError):
        AuthStore(tmp_path / "auth.sqlite")


def test_a_session_lives_by_its_use_and_not_for_ever(officer: AuthStore) -> None:
    secret, _ = begun(officer)
    hour_ms = LIFETIME.idle_ms
    found = officer.sessions.of(secret, NOW_MS + hour_ms - 1)
    assert found is not None
    assert (found.principal, found.address) == (Principal("An", "operator"), "10.0.0.9")
    assert found.expires_ms == NOW_MS + 2 * hour_ms - 1  # its use was noted
    for hours in (1.9, 2.8, 3.7):
        assert officer.sessions.of(secret, NOW_MS + round(hours * hour_ms)) is not None
    assert officer.sessions.of(secret, NOW_MS + 4 * hour_ms) is None
    unused, _ = begun(officer)
    assert officer.sessions.of(unused, NOW_MS + hour_ms) is None


def test_use_is_written_down_once_a_minute(officer: AuthStore) -> None:
    secret, _ = begun(officer)
    soon = officer.sessions.of(secret, NOW_MS + USE_NOTED_MS - 1)
    later = officer.sessions.of(secret, NOW_MS + USE_NOTED_MS)
    assert soon is not None
    assert later is not None
    assert (soon.used_ms, later.used_ms) == (NOW_MS, NOW_MS + USE_NOTED_MS)


@pytest.mark.parametrize("wrong", ["", "x", "x" * 43, "é" * 43, "x" * 10_000])
def test_other_secrets_are_nobodys(officer: AuthStore, wrong: str) -> None:
    begun(officer)
    assert officer.sessions.of(wrong, NOW_MS) is None


ENDS: dict[str, Callable[[AuthStore, str], object]] = {
    "password": lambda store, _: store.officers.set_password("An", "another password", NOW_MS),
    "role": lambda store, _: store.officers.set_role("An", "viewer", NOW_MS),
    "removed": lambda store, _: store.officers.remove("An"),
    "signed out": lambda store, session: store.sessions.end(session),
    "signed out everywhere": lambda store, _: store.sessions.end_all("An"),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_a_session(officer: AuthStore, end: str) -> None:
    secret, session = begun(officer)
    credential = f"session {session}"
    assert officer.ended([credential], NOW_MS) == frozenset()
    assert ENDS[end](officer, session)
    assert officer.sessions.of(secret, NOW_MS) is None
    assert officer.sessions.list(NOW_MS) == ()
    assert officer.ended([credential, ""], NOW_MS) == {credential}


def test_a_token_that_is_revoked_or_over_has_ended(store: AuthStore) -> None:
    credentials = []
    for ttl_s in (60, None):
        token, record = store.create("phone", "viewer", NOW_MS, ttl_s=ttl_s)
        found = store.verify(token, NOW_MS)
        assert found is not None
        credentials.append(found.credential)
    assert store.ended(credentials, NOW_MS) == frozenset()
    assert store.ended(credentials, NOW_MS + 60_000) == {credentials[0]}
    store.revoke(record.id, NOW_MS)
    assert store.ended(credentials, NOW_MS) == {credentials[1]}


def test_a_password_changed_while_it_was_checked_begins_no_session(officer: AuthStore) -> None:
    proven = officer.officers.prove("An", PASSWORD)
    assert proven is not None
    officer.officers.set_password("An", "another password", NOW_MS + 1)
    assert officer.sessions.begin(proven, LIFETIME, NOW_MS + 1, address="") is None


def test_sessions_of_one_officer_are_bounded(officer: AuthStore) -> None:
    proven = officer.officers.prove("An", PASSWORD)
    assert proven is not None
    secrets = []
    for number in range(SESSIONS_MAX + 1):
        found = officer.sessions.begin(proven, LIFETIME, NOW_MS + number, address="")
        assert found is not None
        secrets.append(found[0])
    living = [officer.sessions.of(secret, NOW_MS + SESSIONS_MAX) for secret in secrets]
    assert [found is not None for found in living] == [False] + [True] * SESSIONS_MAX
    assert officer.officers.list(NOW_MS + SESSIONS_MAX)[0].sessions == SESSIONS_MAX


def test_secrets_and_passwords_are_nowhere_in_the_files(officer: AuthStore, tmp_path: Path) -> None:
    secret, _ = begun(officer)
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert secret.encode() not in content
        assert PASSWORD.encode() not in content


def test_nobody_of_that_name_can_be_changed(store: AuthStore) -> None:
    assert not store.officers.set_password("An", PASSWORD, NOW_MS)
    assert not store.officers.set_role("An", "admin", NOW_MS)
    assert not store.officers.remove("An")
    assert store.officers.role_of("An") is None
    assert store.sessions.end("5f1a") is None


def _kept(directory: Path) -> str:
    with closing(sqlite3.connect(directory / "auth.sqlite")) as file:
        (kept,) = file.execute("SELECT password FROM officer").fetchone()
    return str(kept)
