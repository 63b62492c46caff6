"""What is stored about a person, encrypted at rest; and keyed hashes, by which it is found.

AES-256-GCM (NIST SP 800-38D) with a nonce of 96 random bits for each text, so that a key is good
for far more texts than there are farmers. The keys for encryption, for finding and for codes are
derived from one master key (HKDF, RFC 5869). A key file lists master keys, one to a line: the
first encrypts, the others still decrypt and find, until all has been written anew.

A phone number has so few possible values that a plain hash of it is no secret; with the key it
can't be told from chance.
"""

import base64
import binascii
import contextlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
KEYS_MAX: Final = 8
"""In one file: the key of today, and those that it has replaced."""

_VERSION: Final = b"\x01"
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEAD: Final = len(_VERSION) + _ID_BYTES + _NONCE_BYTES
_LINE: Final = re.compile(r"([0-9a-f]{8}) ([A-Za-z0-9_-]{43}=?)")
_FILE_MAX: Final = 4096


class VaultError(Exception):
    """A key that is missing or can't be read, or a text that it does not open."""


@dataclass(frozen=True, slots=True)
class _Key:
    """One master key's children. `id` is public: it stands before each text."""

    id: bytes
    cipher: AESGCM = field(repr=False)
    finger: bytes = field(repr=False)
    code: bytes = field(repr=False)


class Vault:
    """Encrypts, decrypts and takes fingers. Thread-safe, since it never changes."""

    def __init__(self, masters: Sequence[tuple[bytes, bytes]]) -> None:
        """`masters`: (id of 4 bytes, key of 32 bytes), the one in use first."""
        if not 1 <= len(masters) <= KEYS_MAX or len({known for known, _ in masters}) < len(masters):
            raise VaultError(f"1 to {KEYS_MAX} keys are accepted, each with an id of its own")
        self._keys = {known: _children(known, master) for known, master in masters}
        self._first = self._keys[masters[0][0]]

    @property
    def key_id(self) -> bytes:
        """Of the key that encrypts."""
        return self._first.id

    @property
    def key_ids(self) -> frozenset[bytes]:
        return frozenset(self._keys)

    def sealed(self, text: str, purpose: str) -> bytes:
        """Version, key id, nonce, and the encrypted text; opened for the same purpose alone."""
        nonce = os.urandom(_NONCE_BYTES)
        head = _VERSION + self._first.id
        return head + nonce + self._first.cipher.encrypt(nonce, text.encode(), _bound(purpose))

    def opened(self, kept: bytes, purpose: str) -> str:
        """The text. Raises VaultError where the key is not here or the bytes are not ours."""
        key = self._keys.get(key_id_of(kept))
        if key is None or kept[:1] != _VERSION:
            raise VaultError("what is stored was encrypted with a key that is not in the key file")
        nonce = kept[_HEAD - _NONCE_BYTES : _HEAD]
        try:
            return key.cipher.decrypt(nonce, kept[_HEAD:], _bound(purpose)).decode()
        except InvalidTag as error:
            raise VaultError("what is stored does not open: it was changed, or moved") from error

    def finger(self, text: str) -> bytes:
        """A keyed hash, the same for the same text while the key is the same."""
        return hmac.digest(self._first.finger, text.encode(), sha256)

    def fingers(self, text: str) -> tuple[bytes, ...]:
        """By every key, the one in use first: what was stored before a rotation is found too."""
        keys = (self._first, *(key for key in self._keys.values() if key is not self._first))
        return tuple(hmac.digest(key.finger, text.encode(), sha256) for key in keys)

    def code_hash(self, code: str, salt: bytes) -> bytes:
        """Of a short code: without the key, its million values can't be tried on the file."""
        return hmac.digest(self._first.code, salt + code.encode(), sha256)


def key_id_of(kept: bytes) -> bytes:
    """By which key something was encrypted."""
    return kept[len(_VERSION) : len(_VERSION) + _ID_BYTES]


def open_vault(path: Path, *, may_make: bool) -> Vault:
    """The vault of a key file; made (mode 0600) where there is none and `may_make`.

    Raises
    ------
    VaultError
        The file is missing, or is no key file. Says nothing of what stands in it.
    """
    if may_make:
        _make(path)
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_MAX + 1)
    except FileNotFoundError as error:
        raise VaultError(
            f"{path}: no such file, and people are stored whose addresses it opens; "
            "put its copy back, which no backup of the service holds"
        ) from error
    except OSError as error:
        raise VaultError(f"{path}: {error.strerror}") from error
    return Vault(_masters(raw, path))


def key_line() -> str:
    """A new line for a key file."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return f"{secrets.token_hex(_ID_BYTES)} {key}\n"


def _make(path: Path) -> None:
    """Make the file if there is none: whole or not at all, and never readable by others."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key_line())
            file.flush()
            os.fsync(file.fileno())
        # A link fails where somebody was faster: theirs is the key then.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _masters(raw: bytes, path: Path) -> list[tuple[bytes, bytes]]:
    accepted = "lines of an id (8 hex digits), a space and 32 bytes in base64url"
    found = []
    if len(raw) > _FILE_MAX:
        raise VaultError(f"{path}: more than {_FILE_MAX} bytes; accepted are {accepted}")
    for number, line in enumerate(raw.decode("ascii", "replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise VaultError(f"{path}:{number}: no key; accepted are {accepted}")
        try:
            key = base64.urlsafe_b64decode(match[2].rstrip("=") + "=")
        except binascii.Error as error:
            raise VaultError(f"{path}:{number}: no key; accepted are {accepted}") from error
        found.append((bytes.fromhex(match[1]), key))
    if not found:
        raise VaultError(f"{path}: no key in it; accepted are {accepted}")
    return found


def _children(known: bytes, master: bytes) -> _Key:
    if len(known) != _ID_BYTES or len(master) != KEY_BYTES:
        raise VaultError(f"a key has {KEY_BYTES} bytes, and an id of {_ID_BYTES}")

    def child(info: str) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"songtien {info} 1".encode()).derive(
            master
        )

    return _Key(known, AESGCM(child("address")), child("finger"), child("code"))


def _bound(purpose: str) -> bytes:
    return f"songtien {purpose}".encode()
