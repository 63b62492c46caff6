"""Zalo ZNS against a real server that answers as the public documents say."""

import logging
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from alerts.farmers.parcel import Form, Verdict
from tests.telling.gateways import PHONE, Asked, Gateway, answer, gateway, opened, parcel

OK = answer(200, {"error": 0, "message": "Success", "data": {"msg_id": "m-5"}})
ZALO = """
[channel.zns]
kind = "zalo"
url = "{url}/message/template"
oauth_url = "{url}/oauth"
timeout_s = 2
{more}
[channel.zns.templates]
salt = 123456
code = "7"
"""
RENEWED = 'app_id = "99"'
SECRETS = {"ZNS__APP_SECRET": "app-s3cret", "ZNS__REFRESH_TOKEN": "refresh-0"}


def toml(made: Gateway, more: str = "") -> str:
    return ZALO.replace("{url}", made.url).replace("{more}", more)


def test_a_template_is_sent_with_its_parameters(tmp_path: Path) -> None:
    with gateway(lambda *_: OK) as made:
        text = toml(made, "development = true")
        with closing(opened(tmp_path, text, ZNS__ACCESS_TOKEN="t0ken")) as channel:
            assert channel.form is Form.ZALO
            sent = parcel(template="salt", params={"noi": "Xuân Hòa", "do_man": "1,2"})
            said = channel.send(sent)
            other = channel.send(parcel(template="fresh"))
    assert (said.verdict, said.ref) == (Verdict.TAKEN, "m-5")
    assert (other.verdict, other.detail) == (Verdict.REFUSED, "no template is set for fresh")
    (asked,) = made.asked
    assert asked.headers["access_token"] == "t0ken"
    assert asked.said == {
        "phone": "84912345678",
        "template_id": "123456",
        "template_data": {"noi": "Xuân Hòa", "do_man": "1,2"},
        "tracking_id": "k-1",
        "mode": "development",
    }


@pytest.mark.parametrize(
    ("said", "verdict", "detail"),
    [
        (answer(200, {"error": -100}), Verdict.AGAIN, "error -100"),
        (answer(200, {"error": -104}), Verdict.CLOSED, "secret is invalid"),
        (answer(200, {"error": -108}), Verdict.REFUSED, "error -108"),
        (answer(200, {"error": -115}), Verdict.CLOSED, "out of"),
        (answer(200, {"error": -118}), Verdict.GONE, "no such account"),
        (answer(200, {"error": -124}), Verdict.CLOSED, "access token"),
        (answer(200, {"error": -133}), Verdict.AGAIN, "at night"),
        (answer(200, {"error": -99999}), Verdict.REFUSED, "error -99999"),
        (answer(200, {"error": True}), Verdict.AGAIN, "can't be read"),
        (answer(200, b"ok"), Verdict.AGAIN, "can't be read"),
        (answer(503, b"busy"), Verdict.AGAIN, "status 503"),
        (answer(404, b"nothing"), Verdict.CLOSED, "status 404"),
        (None, Verdict.AGAIN, "no answer"),
    ],
)
def test_what_an_answer_means(
    tmp_path: Path, said: bytes | None, verdict: Verdict, detail: str
) -> None:
    with (
        gateway(lambda *_: said) as made,
        closing(opened(tmp_path, toml(made), ZNS__ACCESS_TOKEN="t0ken")) as channel,
    ):
        found = channel.send(parcel(template="code"))
    assert found.verdict is verdict
    assert detail in found.detail
    assert "t0ken" not in repr(found)
    assert len(made.asked) == 1


class Zalo:
    """Gives tokens, each refresh token once, and takes messages with the newest alone."""

    def __init__(self, life_s: str = "90000") -> None:
        self.given = 0
        self.life_s = life_s

    def __call__(self, asked: Asked, _number: int) -> bytes:
        if asked.path == "/oauth":
            form = parse_qs(asked.body.decode())
            assert asked.headers["secret_key"] == "app-s3cret"
            assert (form["app_id"], form["grant_type"]) == (["99"], ["refresh_token"])
            if form["refresh_token"] != [f"refresh-{self.given}"]:
                return answer(200, {"error": -14014, "error_name": "Invalid refresh token"})
            self.given += 1
            tokens = {"access_token": f"access-{self.given}"}
            tokens |= {"refresh_token": f"refresh-{self.given}", "expires_in": self.life_s}
            return answer(200, tokens)
        if asked.headers["access_token"] != f"access-{self.given}":
            return answer(200, {"error": -124, "message": "Access token invalid"})
        return OK


def test_tokens_are_renewed_kept_and_found_again_after_a_restart(tmp_path: Path) -> None:
    with gateway(Zalo()) as made:
        for _ in range(2):
            with closing(opened(tmp_path, toml(made, RENEWED), **SECRETS)) as channel:
                assert channel.send(parcel(template="salt")).verdict is Verdict.TAKEN
                assert channel.send(parcel(template="salt")).verdict is Verdict.TAKEN
    assert [asked.path for asked in made.asked].count("/oauth") == 1
    kept = tmp_path / "channel-zns.tokens"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_token_that_zalo_no_longer_takes_is_renewed_and_the_message_sent_again(
    tmp_path: Path,
) -> None:
    zalo = Zalo()
    with (
        gateway(zalo) as made,
        closing(opened(tmp_path, toml(made, RENEWED), **SECRETS)) as channel,
    ):
        assert channel.send(parcel(template="salt")).verdict is Verdict.TAKEN
        real, made.script = (
            zalo,
            lambda asked, number: (
                answer(200, {"error": -124})
                if asked.headers.get("access_token") == "access-1"
                else real(asked, number)
            ),
        )
        assert channel.send(parcel(template="salt", key="k-2")).verdict is Verdict.TAKEN
    last = [asked for asked in made.asked if asked.path != "/oauth"][-2:]
    assert [asked.said["tracking_id"] for asked in last] == ["k-2", "k-2"]


def test_a_spent_refresh_token_closes_the_channel_and_another_opens_it(tmp_path: Path) -> None:
    zalo = Zalo()
    zalo.given = 5
    with gateway(zalo) as made:
        with closing(opened(tmp_path, toml(made, RENEWED), **SECRETS)) as channel:
            found = channel.send(parcel(template="salt"))
        assert found.verdict is Verdict.CLOSED
        assert "error -14014: set another refresh token" in found.detail
        newer = SECRETS | {"ZNS__REFRESH_TOKEN": "refresh-5"}
        with closing(opened(tmp_path, toml(made, RENEWED), **newer)) as channel:
            assert channel.send(parcel(template="salt")).verdict is Verdict.TAKEN


def test_no_answer_while_renewing_is_asked_again(tmp_path: Path) -> None:
    with (
        gateway(lambda *_: None) as made,
        closing(opened(tmp_path, toml(made, RENEWED), **SECRETS)) as channel,
    ):
        found = channel.send(parcel(template="salt"))
    assert (found.verdict, found.detail) == (
        Verdict.AGAIN,
        "renewing the token: no answer: RemoteDisconnected",
    )


def test_nothing_secret_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        gateway(Zalo()) as made,
        closing(opened(tmp_path, toml(made, RENEWED), **SECRETS)) as channel,
    ):
        found = [channel.send(parcel(template="salt")) for _ in range(2)]
        told = f"{caplog.text}{found!r}{channel!r}"
    for secret in ("access-1", "refresh-0", "refresh-1", "app-s3cret", PHONE[1:]):
        assert secret not in told
