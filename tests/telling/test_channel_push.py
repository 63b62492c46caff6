"""Web push: the example of the standard, a real push service, and whom it may be sent to."""

import base64
import json
import logging
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from alerts.farmers.parcel import Verdict
from songtien.telling.channels import push_crypto
from songtien.telling.channels.push_crypto import base64url, from_base64url
from songtien.telling.channels.webpush import WebPushChannel, signer
from tests.telling.gateways import Gateway, answer, certificate, gateway, opened, parcel


def private(scalar: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_base64url(scalar), "big"), ec.SECP256R1())


def test_the_example_of_rfc_8291_to_the_letter() -> None:
    """Appendix A."""
    body = push_crypto.sealed(
        b"When I grow up, I want to be a watermelon",
        from_base64url(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        from_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
        private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        from_base64url("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAm"
        "S6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_"
        "Qulcy4a-fN"
    )


class Browser:
    """A subscription, and the other end of the encryption."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.point = push_crypto.point(self.key.public_key())
        self.auth = b"0123456789abcdef"

    def address(self, url: str) -> str:
        keys = {"p256dh": base64url(self.point), "auth": base64.b64encode(self.auth).decode()}
        return json.dumps({"endpoint": url, "keys": keys})

    def opened(self, body: bytes) -> bytes:
        salt, size, known = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        assert (size, known) == (4096, 65)
        theirs, sealed = body[21:86], body[86:]
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        mac = push_crypto._mac
        shared = mac(self.auth, self.key.exchange(ec.ECDH(), public))
        secret = mac(shared, b"WebPush: info\x00" + self.point + theirs + b"\x01")
        random = mac(salt, secret)
        key = mac(random, b"Content-Encoding: aes128gcm\x00\x01")[:16]
        nonce = mac(random, b"Content-Encoding: nonce\x00\x01")[:12]
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        assert plain.endswith(b"\x02")
        return plain[:-1]


@contextmanager
def service(folder: Path, said: bytes | None) -> Iterator[tuple[Gateway, WebPushChannel]]:
    ca_file, tls = certificate(folder)
    with gateway(lambda *_: said, tls) as made:
        text = (
            '[channel.push]\nkind = "webpush"\ncontact = "mailto:truc@example.vn"\ntimeout_s = 2\n'
            f'hosts = ["localhost:{made.port}", "*.push.example"]\nttl_s = 600\n'
            f'ca_file = "{ca_file}"\n'
        )
        with closing(opened(folder, text)) as channel:
            assert isinstance(channel, WebPushChannel)
            yield made, channel


def test_the_browser_alone_reads_it_and_knows_who_sent_it(tmp_path: Path) -> None:
    browser = Browser()
    with service(tmp_path, answer(201)) as (made, channel):
        address = browser.address(f"{made.url}/wpush/v2/abc")
        sent = parcel(address, key="k-9", title="Nước mặn", critical=True)
        found = channel.send(sent)
        channel.send(parcel(browser.address(f"{made.url}/x"), key="k-9"))
        public = channel.public_key
    assert found.verdict is Verdict.TAKEN
    asked, calm = made.asked
    assert asked.path == "/wpush/v2/abc"
    assert json.loads(browser.opened(asked.body)) == {
        "title": "Nước mặn",
        "body": sent.text.body,
        "tag": "k-9",
        "critical": True,
    }
    said = asked.headers
    assert (said["ttl"], said["urgency"], said["content-encoding"]) == ("600", "high", "aes128gcm")
    assert calm.headers["urgency"] == "normal"
    assert calm.headers["topic"] == said["topic"], "one sent twice takes the place of the first"
    assert said["authorization"].endswith(f", k={public}")
    assert_signed(said["authorization"], made.url)


def assert_signed(authorization: str, origin: str) -> None:
    token, _, key = authorization.removeprefix("vapid t=").partition(", k=")
    signed, _, raw = token.rpartition(".")
    claims = json.loads(from_base64url(signed.partition(".")[2]))
    assert (claims["aud"], claims["sub"]) == (origin, "mailto:truc@example.vn")
    assert 0 < claims["exp"] - time.time() <= 86_400
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(key))
    mark = from_base64url(raw)
    both = [int.from_bytes(half, "big") for half in (mark[:32], mark[32:])]
    public.verify(encode_dss_signature(*both), signed.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(encode_dss_signature(*both), b"another", ec.ECDSA(hashes.SHA256()))


def test_the_key_is_made_once_and_its_owner_s_alone(tmp_path: Path) -> None:
    first = signer("push", tmp_path).public
    assert signer("push", tmp_path).public == first
    assert signer("other", tmp_path).public != first
    assert len(from_base64url(first)) == 65
    assert stat.S_IMODE((tmp_path / "channel-push.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (answer(404), Verdict.GONE),
        (answer(410), Verdict.GONE),
        (answer(413), Verdict.REFUSED),
        (answer(401), Verdict.CLOSED),
        (answer(429, Retry_After="3"), Verdict.AGAIN),
        (answer(503), Verdict.AGAIN),
        (answer(307, Location="https://10.0.0.1/"), Verdict.CLOSED),
        (None, Verdict.AGAIN),
    ],
)
def test_what_an_answer_means(
    tmp_path: Path, said: bytes | None, verdict: Verdict, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with service(tmp_path, said) as (made, channel):
        found = channel.send(parcel(Browser().address(f"{made.url}/wpush/secret-of-a-phone")))
    assert found.verdict is verdict
    assert found.retry_after_s == (
        3 if verdict is Verdict.AGAIN and said and b"429" in said else None
    )
    assert "secret-of-a-phone" not in f"{found!r}{caplog.text}"
    assert len(made.asked) == 1


def test_it_is_sent_to_allowed_push_services_alone(tmp_path: Path) -> None:
    browser = Browser()
    with service(tmp_path, answer(201)) as (made, channel):
        for url in (
            f"http://localhost:{made.port}/x",
            f"https://127.0.0.1:{made.port}/x",
            f"https://localhost:{made.port + 1}/x",
            "https://localhost/x",
            "https://push.example/x",
            "https://a.push.example:8443/x",
            "https://a.push.example.vn/x",
            f"https://a.push.example@localhost:{made.port}/x",
            f"https://localhost:{made.port}\\@a.push.example/x",
            "file:///etc/passwd",
            "https://localhost:99999/x",
        ):
            assert channel.send(parcel(browser.address(url))).verdict is Verdict.REFUSED, url
        for address in ("", "[]", "{}", "0912345678", '{"endpoint":1,"keys":{}}', "[" * 9000):
            assert channel.send(parcel(address)).verdict is Verdict.REFUSED
        weak = browser.address(f"{made.url}/x").replace(base64url(browser.point), "AAAA")
        assert channel.send(parcel(weak)).detail == "the keys of the subscription can't be used"
    assert made.asked == []


@pytest.mark.parametrize("words", ["nước mặn " * 600, "🌊" * 3000, '"\\' * 3000, "\x01" * 4000])
def test_what_is_too_long_is_cut_to_one_record(tmp_path: Path, words: str) -> None:
    browser = Browser()
    with service(tmp_path, answer(201)) as (made, channel):
        assert channel.send(parcel(browser.address(made.url), words)).verdict is Verdict.TAKEN
    assert len(made.asked[0].body) <= 4096
    shown = json.loads(browser.opened(made.asked[0].body))["body"]
    assert shown.endswith("…")
    assert words.startswith(shown[:-1])
    assert len(shown) > 300
