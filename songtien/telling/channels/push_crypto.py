"""Web push: messages that only the browser can read (RFC 8291), signed by us (RFC 8292).

Written out here on `cryptography`: the library pywebpush brings an HTTP client and a server
framework of its own for these forty lines, which the example of RFC 8291 holds to the letter.
"""

import base64
import json
import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from songtien.telling.channels import private_file

CURVE: Final = ec.SECP256R1()
RECORD_BYTES: Final = 4_096
PLAIN_MAX: Final = 3_993
"""RFC 8291, 4: what a push service must take, less header, tag and delimiter."""

SIGNED_FOR_S: Final = 43_200
"""A signature's life; at most a day (RFC 8292, 2)."""


def base64url(raw: bytes) -> str:
    """Without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The inverse, with padding or without. ValueError."""
    bare = text.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def _mac(key: bytes, said: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(said)
    return mac.finalize()


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Uncompressed, 65 bytes."""
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def sealed(
    plain: bytes,
    browser: bytes,
    auth: bytes,
    once: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """A body of the encoding aes128gcm, in one record. ValueError where a key is none.

    browser, auth : of the subscription, 65 and 16 bytes
    once, salt : fresh for every message; given by tests alone
    """
    if len(plain) > PLAIN_MAX:
        raise ValueError(f"more than {PLAIN_MAX} bytes")
    once = once or ec.generate_private_key(CURVE)
    salt = salt or os.urandom(16)
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, browser)
    ours = point(once.public_key())
    shared = _mac(auth, once.exchange(ec.ECDH(), theirs))
    secret = _mac(shared, b"WebPush: info\x00" + browser + ours + b"\x01")
    random = _mac(salt, secret)
    key = _mac(random, b"Content-Encoding: aes128gcm\x00\x01")[:16]
    nonce = _mac(random, b"Content-Encoding: nonce\x00\x01")[:12]
    header = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


class Signer:
    """Who we are to push services. Made at the first start, and the same for good after it.

    Browsers bind a subscription to this key: without the file nobody is reached any more.
    """

    def __init__(self, path: Path) -> None:
        with private_file.held(path):
            stored = private_file.read(path)
            if stored is None:
                made = ec.generate_private_key(CURVE)
                stored = made.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                private_file.written(path, stored)
        key = serialization.load_pem_private_key(stored, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{path}: accepted is a private key on the curve P-256")
        self._key = key

    @property
    def public(self) -> str:
        """For browsers, as `applicationServerKey`."""
        return base64url(point(self._key.public_key()))

    def authorization(self, origin: str, contact: str, now_s: float) -> str:
        """The header of that name, for the push service at `origin`."""
        said = {"aud": origin, "exp": int(now_s) + SIGNED_FOR_S, "sub": contact}
        parts = [{"typ": "JWT", "alg": "ES256"}, said]
        text = ".".join(base64url(json.dumps(each).encode()) for each in parts)
        signed = self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        raw = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signed))
        return f"vapid t={text}.{base64url(raw)}, k={self.public}"
