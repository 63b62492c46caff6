"""Officers, tokens and the audit on the command line."""

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.auth import AuthStore, Lifetime
from songtien.cli import app

NOW_MS = 1_767_000_000_000
PASSWORD = "con nước rong"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONGTIEN_DATA__DIR", str(tmp_path / "data"))
    assert said("user", "add", "An", stdin=PASSWORD).exit_code == 0
    return tmp_path / "data"


def said(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=f"{stdin}\n")


def words(*asked: str) -> str:
    return " ".join(said(*asked).stdout.split())


def test_an_officer_s_life(data: Path) -> None:
    with closing(AuthStore(data / "auth.sqlite")) as store:
        assert store.officers.prove("An", PASSWORD) is not None
        assert said("user", "password", "An", stdin="mật khẩu khác").exit_code == 0
        assert store.officers.prove("An", PASSWORD) is None
        assert said("user", "role", "An", "admin").exit_code == 0
        proven = store.officers.prove("An", "mật khẩu khác")
        assert proven is not None
        assert proven.principal.role == "admin"
        now_ms = proven.changed_ms
        begun = store.sessions.begin(proven, Lifetime(), now_ms, address="10.0.0.9")
        assert begun is not None
        listed = words("user", "list")
        assert listed.startswith("An admin since ")
        assert "from 10.0.0.9 at" in listed
        assert said("user", "sign-out", "An").stdout == "An: 1 sessions ended\n"
        assert store.sessions.of(begun[0], now_ms) is None
        assert said("user", "remove", "An").exit_code == 0
        assert store.officers.role_of("An") is None
    audit = words("audit")
    acts = ("user.remove", "user.sign-out", "user.role", "user.password", "user.add")
    places = [audit.index(act) for act in acts]
    assert places == sorted(places)
    assert "(command line)" in audit
    assert "mật khẩu" not in audit
    assert len(said("audit", "--limit", "2").stdout.splitlines()) == 2


@pytest.mark.parametrize(
    "asked",
    [
        ("user", "password", "Bình"),
        ("user", "role", "Bình", "admin"),
        ("user", "sign-out", "Bình"),
        ("user", "remove", "Bình"),
        ("user", "role", "An", "king"),
        ("token", "revoke", "5f1a0c9be2d4"),
    ],
)
def test_what_there_is_not_is_told_in_one_line(asked: tuple[str, ...]) -> None:
    result = said(*asked, stdin=PASSWORD)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)


def test_a_name_is_one_however_a_terminal_spells_it(data: Path) -> None:
    composed, decomposed = "B\u00ecnh", "Bi\u0300nh "
    assert said("user", "add", decomposed, stdin=PASSWORD).exit_code == 0
    with closing(AuthStore(data / "auth.sqlite")) as store:
        proven = store.officers.prove(composed, PASSWORD)
        assert proven is not None
        assert store.sessions.begin(proven, Lifetime(), proven.changed_ms, address="") is not None
    assert "1 sessions ended" in said("user", "sign-out", decomposed).stdout


@pytest.mark.parametrize("name", ["a/b", ".."])
def test_a_name_that_no_address_can_say_is_refused(name: str) -> None:
    result = said("user", "add", name, stdin=PASSWORD)
    assert (result.exit_code, "slash" in result.stderr) == (2, True)


def test_tokens_are_listed_by_id_and_revoked(data: Path) -> None:
    token = said("token", "create", "--role", "viewer", "--name", "phone", "--ttl", "1d").stdout
    line = words("token", "list")
    token_id = line.split()[0]
    assert line.startswith(f"{token_id} viewer until 2")
    assert line.endswith(" phone")
    assert token.strip() not in line
    with closing(AuthStore(data / "auth.sqlite")) as store:
        assert store.verify(token.strip(), NOW_MS) is not None
        assert said("token", "revoke", token_id).exit_code == 0
        assert store.verify(token.strip(), NOW_MS) is None
    assert "revoked" in words("token", "list")
