"""What is encrypted at rest, what it is found by, and which addresses are taken at all."""

import json
import os
from pathlib import Path

import pytest

from api.people import limits
from api.people.addresses import AddressKind, NoAddress, masked, parse_address
from api.people.limits import CLIENTS_MAX, Clients
from api.people.vault import KEY_BYTES, Vault, VaultError, key_line, open_vault

P256DH = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"
AUTH = "tBHItJI5svbpez7KI4CCXg"


def vault(*ids: bytes) -> Vault:
    return Vault([(each, bytes([each[0]]) * KEY_BYTES) for each in ids or (b"aaaa",)])


def push(endpoint: str = "https://fcm.googleapis.com/fcm/send/x", **change: object) -> str:
    keys = {"p256dh": P256DH, "auth": AUTH}
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys, **change})


def test_a_text_opens_for_its_purpose_and_never_looks_the_same() -> None:
    one = vault()
    first, second = (one.sealed("+84912345678", "address x") for _ in range(2))
    assert first != second
    assert b"912345678" not in first
    assert one.opened(first, "address x") == "+84912345678"
    for kept, purpose in (
        (first, "address y"),
        (first[:-1] + bytes([first[-1] ^ 1]), "address x"),
        (first[:20], "address x"),
        (b"", "address x"),
        (b"\x02" + first[1:], "address x"),
    ):
        with pytest.raises(VaultError) as caught:
            one.opened(kept, purpose)
        assert "912345678" not in str(caught.value)


def test_a_finger_is_of_the_key_and_not_of_the_text_alone() -> None:
    assert vault(b"aaaa").finger("x") == vault(b"aaaa").finger("x")
    assert vault(b"aaaa").finger("x") != vault(b"bbbb").finger("x")
    both = vault(b"bbbb", b"aaaa").fingers("x")
    assert both == (vault(b"bbbb").finger("x"), vault(b"aaaa").finger("x"))
    assert vault().code_hash("123456", b"salt") != vault().finger("salt123456")


def test_no_key_shows_in_a_repr() -> None:
    line = key_line()
    key = line.split()[1]
    assert key not in repr(vault().__dict__)
    assert "AESGCM" not in repr(vault().__dict__)


@pytest.mark.parametrize(
    "text", ["", "x", "00000000 short\n", "0000000g " + "A" * 43 + "\n", key_line() * 2]
)
def test_a_key_file_that_is_none_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(VaultError) as caught:
        open_vault(path, may_make=True)
    assert "AAAA" not in str(caught.value)


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "farmers.key"
    old = os.umask(0)
    try:
        first = open_vault(path, may_make=True)
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_vault(path, may_make=True).finger("x") == first.finger("x")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc",
        "https://web.push.apple.com/QA",
        "https://updates.push.services.mozilla.com/wpush/v2/x",
        "https://wns2-sg2p.notify.windows.com/w/?token=x",
        "https://fcm.googleapis.com:443/x",
    ],
)
def test_browsers_are_reached_at_their_push_services(endpoint: str) -> None:
    kept = parse_address(AddressKind.WEBPUSH, push(endpoint))
    assert json.loads(kept)["endpoint"] == endpoint
    assert parse_address(AddressKind.WEBPUSH, kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        push("http://fcm.googleapis.com/x"),
        push("https://127.0.0.1/x"),
        push("https://localhost/x"),
        push("https://[::1]/x"),
        push("https://fcm.googleapis.com.evil.example/x"),
        push("https://evilfcm.googleapis.com/x"),
        push("https://evil.example/fcm.googleapis.com"),
        push("https://fcm.googleapis.com@evil.example/x"),
        push("https://evil.example\\@fcm.googleapis.com/x"),
        push("https://fcm.googleapis.com:8443/x"),
        push("https://fcm.googleapis.com:x/x"),
        push("https://fcm.googleapis.com/x\r\nHost: evil"),
        push("https://push.apple.com/x"),
        push(keys={"p256dh": P256DH}),
        push(keys={"p256dh": P256DH, "auth": "x"}),
        push(keys={"p256dh": "x" * 5, "auth": AUTH}),
        push(more=1),
        "[]",
        "{",
        "[" * 2000,
        "x" * 3000,
    ],
)
def test_no_other_host_is_asked_on_a_strangers_behalf(typed: str) -> None:
    with pytest.raises(NoAddress):
        parse_address(AddressKind.WEBPUSH, typed)


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        (AddressKind.EMAIL, " Ba.Nam@ViDu.vn ", "ba.nam@vidu.vn"),
        (AddressKind.EMAIL, "a@b", None),
        (AddressKind.EMAIL, "a@b.vn\nBcc: c@d.vn", None),
        (AddressKind.EMAIL, "a..b@c.vn", None),
        (AddressKind.EMAIL, f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.vn", None),
        (AddressKind.EMAIL, '"a b"@c.vn', None),
        (AddressKind.TELEGRAM, "4455667788", "4455667788"),
        (AddressKind.TELEGRAM, "-1001234", None),
        (AddressKind.TELEGRAM, "@name", None),
        (AddressKind.TOPIC, "man-ngot-8f3a1c", "man-ngot-8f3a1c"),
        (AddressKind.TOPIC, "short", None),
        (AddressKind.TOPIC, "../../etc/passwd", None),
    ],
)
def test_each_kind_of_address_has_one_form(kind: AddressKind, typed: str, kept: str | None) -> None:
    if kept is not None:
        assert parse_address(kind, typed) == kept
        return
    with pytest.raises(NoAddress) as caught:
        parse_address(kind, typed)
    assert typed not in str(caught.value) + caught.value.vi


def test_masks_name_nobody() -> None:
    assert masked(AddressKind.EMAIL, "ba.nam@vidu.vn") == "b…@v….vn"
    assert masked(AddressKind.TELEGRAM, "4455667788") == "…788"
    assert masked(AddressKind.TELEGRAM, "1234") == "…"
    assert masked(AddressKind.WEBPUSH, push()) == "fcm.googleapis.com"


def test_those_who_ask_are_forgotten_by_and_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLIENT_PER_HOUR", 1)
    clients = Clients()
    clients.count("1.2.3.4", 0)
    assert clients.wait_ms("1.2.3.4", 1) == 3_599_999
    assert clients.wait_ms("1.2.3.4", 3_600_000) == 0
    clients.count("1.2.3.4", 10)
    for n in range(CLIENTS_MAX):
        clients.count(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 20)
    assert clients.wait_ms("1.2.3.4", 21) == 0
