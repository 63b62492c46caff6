"""Passwords as they are kept: argon2id, and scrypt where an older version has written it.

A kept password is a text in the PHC string format, which names its method, its cost and its
salt, so that a costlier one takes its place at the next sign-in of its owner.
"""

import base64
import hashlib
import hmac
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.principal import AuthError, normal

PASSWORD_LENGTH_MIN: Final = 10
PASSWORD_LENGTH_MAX: Final = 1000

MEMORY_KIB: Final = 65_536
PASSES: Final = 3
"""The second recommendation of RFC 9106, 4, but for one lane instead of four: this machine has
two processors, which the readings need too."""

_ARGON2: Final = PasswordHasher(PASSES, MEMORY_KIB, parallelism=1, type=Type.ID)
_SCRYPT_LOG_N, _SCRYPT_R, _SCRYPT_P = 15, 8, 3
_SCRYPT: Final = f"$scrypt$ln={_SCRYPT_LOG_N},r={_SCRYPT_R},p={_SCRYPT_P}$"
_NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""What the password of somebody who does not exist is held against. Nothing matches it."""


def check_password(password: str) -> None:
    """Raises AuthError for one that isn't accepted; the password stands in no message."""
    if not PASSWORD_LENGTH_MIN <= len(normal(password)) <= PASSWORD_LENGTH_MAX:
        raise AuthError(
            f"password: at least {PASSWORD_LENGTH_MIN} characters, at most {PASSWORD_LENGTH_MAX}"
        )


def kept(password: str) -> str:
    """The password as it may be written down. Takes about 0.1 s and 64 MiB, on purpose."""
    return _ARGON2.hash(_bytes(password))


def matches(password: str, known: str | None) -> bool:
    """Whether this is the password that is kept as `known`.

    None is for a name that nobody has: the same work is done, so that time does not tell who
    exists.
    """
    if known is not None and known.startswith("$scrypt$"):
        return _is_scrypt(password, known)
    try:
        return _ARGON2.verify(known or _NOBODY, _bytes(password)) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(known: str) -> bool:
    """Whether it is kept in another way than it would be now."""
    return known.startswith("$scrypt$") or _ARGON2.check_needs_rehash(known)


def of_scrypt(salt: bytes, digest: bytes) -> str:
    """Salt and hash of an older version as a PHC string."""
    return f"{_SCRYPT}{_unpadded(salt)}${_unpadded(digest)}"


def _is_scrypt(password: str, known: str) -> bool:
    salt, digest = (_padded(part) for part in known.removeprefix(_SCRYPT).split("$"))
    found = hashlib.scrypt(
        _bytes(password),
        salt=salt,
        n=2**_SCRYPT_LOG_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=64 * 2**20,
        dklen=len(digest),
    )
    return hmac.compare_digest(found, digest)


def _bytes(password: str) -> bytes:
    # A lone surrogate comes out of JSON and out of no keyboard; it is no password of anybody's.
    return normal(password).encode("utf-8", "replace")


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


def _padded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
