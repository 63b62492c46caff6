"""Where people are reached: each kind of address checked, in one form, and masked. Pure.

No message and no exception here holds what was typed.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from alerts.farmers.phones import NoPhone, masked_phone, parse_phone

ADDRESS_MAX: Final = 2048
_SUBSCRIPTION_KEYS: Final = frozenset({"endpoint", "expirationTime", "keys"})
_P256DH_BYTES: Final = 65
_AUTH_BYTES: Final = 16
_EMAIL_MAX: Final = 254
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@({_LABEL}(?:\.{_LABEL})+)")
_TOPIC: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CHAT: Final = re.compile(r"[1-9][0-9]{0,18}")

PUSH_HOSTS: Final = (
    "fcm.googleapis.com",
    "*.push.apple.com",
    "updates.push.services.mozilla.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",
)
"""Of the push services of browsers. To no other host is anything sent for a subscription that a
stranger hands in: the service would else ask addresses of its own network on his behalf."""


class AddressKind(StrEnum):
    """What a channel takes."""

    PHONE = "phone"
    EMAIL = "email"
    TELEGRAM = "telegram"
    WEBPUSH = "webpush"
    TOPIC = "topic"


KIND_OF: Final[Mapping[str, AddressKind]] = {
    "sms": AddressKind.PHONE,
    "zalo": AddressKind.PHONE,
    "email": AddressKind.EMAIL,
    "telegram": AddressKind.TELEGRAM,
    "webpush": AddressKind.WEBPUSH,
    "apprise": AddressKind.TOPIC,
    "file": AddressKind.PHONE,
    "webhook": AddressKind.PHONE,
}
"""By the `kind` of `[channel.NAME]`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is accepted, for people."""

    en: str
    vi: str


ACCEPTED: Final[Mapping[AddressKind, Asked]] = {
    AddressKind.EMAIL: Asked("an e-mail address, such as ten@vidu.vn", "địa chỉ e-mail"),
    AddressKind.TELEGRAM: Asked("the number of a private Telegram chat", "mã trò chuyện Telegram"),
    AddressKind.WEBPUSH: Asked(
        "a browser's push subscription: endpoint and keys, at a known push service",
        "đăng ký thông báo của trình duyệt",
    ),
    AddressKind.TOPIC: Asked(
        "a topic of 8 to 64 letters, digits, - and _, which nobody guesses",
        "tên kênh từ 8 đến 64 chữ, số, - và _",
    ),
}


class NoAddress(ValueError):  # noqa: N818 - it says what is, not that something is broken
    """Nothing can be sent there. `vi`: the same in Vietnamese."""

    def __init__(self, why: str, vi: str) -> None:
        super().__init__(why)
        self.vi = vi


def parse_address(kind: AddressKind, typed: str, push_hosts: tuple[str, ...] = PUSH_HOSTS) -> str:
    """The one form of an address, by which it is found again. Raises NoAddress."""
    if len(typed) > ADDRESS_MAX:
        raise NoAddress(f"at most {ADDRESS_MAX} characters", f"tối đa {ADDRESS_MAX} ký tự")
    text = typed.strip()
    if kind is AddressKind.PHONE:
        try:
            return parse_phone(text)
        except NoPhone as error:
            raise NoAddress(str(error), error.vi) from error
    if kind is AddressKind.WEBPUSH:
        return _subscription(text, push_hosts)
    if kind is AddressKind.EMAIL:
        found = _email(text)
    else:
        pattern = _CHAT if kind is AddressKind.TELEGRAM else _TOPIC
        found = text if pattern.fullmatch(text) else None
    if found is None:
        raise _no(kind)
    return found


def reached(kind: AddressKind, address: str) -> str:
    """The same for addresses that may reach one person: many mailboxes take `name+anything`."""
    if kind is not AddressKind.EMAIL:
        return address
    name, _, host = address.partition("@")
    return f"{name.partition('+')[0]}@{host}"


def masked(kind: AddressKind, address: str) -> str:
    """Enough for its owner to know it again, too little to write to it."""
    match kind:
        case AddressKind.PHONE:
            return masked_phone(address)
        case AddressKind.EMAIL:
            name, _, host = address.partition("@")
            return f"{name[:1]}…@{host[:1]}….{host.rpartition('.')[2]}"
        case AddressKind.WEBPUSH:
            return urlsplit(json.loads(address)["endpoint"]).hostname or "…"
        case AddressKind.TELEGRAM | AddressKind.TOPIC:
            return f"…{address[-3:]}" if len(address) > 5 else "…"


def _email(text: str) -> str | None:
    match = _EMAIL.fullmatch(text)
    if match is None or len(text) > _EMAIL_MAX:
        return None
    name, _, host = text.rpartition("@")
    if name.startswith(".") or name.endswith(".") or ".." in name:
        return None
    # The name before the @ may tell capitals apart; none that people have does.
    return f"{name}@{host}".lower()


def _subscription(text: str, hosts: tuple[str, ...]) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _no(AddressKind.WEBPUSH) from None
    if not isinstance(found, dict) or not set(found) <= _SUBSCRIPTION_KEYS:
        raise _no(AddressKind.WEBPUSH)
    endpoint, keys = found.get("endpoint"), found.get("keys")
    if not isinstance(endpoint, str) or not _pushable(endpoint, hosts):
        raise _no(AddressKind.WEBPUSH)
    if not isinstance(keys, dict) or set(keys) != {"p256dh", "auth"}:
        raise _no(AddressKind.WEBPUSH)
    if _bytes_of(keys["p256dh"]) != _P256DH_BYTES or _bytes_of(keys["auth"]) != _AUTH_BYTES:
        raise _no(AddressKind.WEBPUSH)
    kept = {"auth": keys["auth"], "p256dh": keys["p256dh"]}
    return json.dumps({"endpoint": endpoint, "keys": kept}, sort_keys=True, separators=(",", ":"))


def _pushable(endpoint: str, hosts: tuple[str, ...]) -> bool:
    """By https at a known push service, by its usual port, and nothing that reads as two hosts."""
    if not re.fullmatch(r"[!-~]+", endpoint) or "\\" in endpoint:
        return False
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme != "https" or port not in (None, 443) or "@" in parts.netloc:
        return False
    host = parts.hostname or ""
    return any(
        host.endswith(known[1:]) if known.startswith("*.") else host == known for known in hosts
    )


def _bytes_of(text: Any) -> int:
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,100}={0,2}", text):
        return -1
    bare = text.rstrip("=")
    try:
        return len(base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)))
    except binascii.Error:
        return -1


def _no(kind: AddressKind) -> NoAddress:
    asked = ACCEPTED[kind]
    return NoAddress(f"accepted is {asked.en}", f"xin nhập {asked.vi}")
