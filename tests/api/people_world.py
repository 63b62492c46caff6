"""People on a real file, with what would be sent caught on its way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts.farmers.person import Follow
from alerts.farmers.place import Place
from api.people import ConfirmWhy, SignupWhy, Wish
from api.people.addresses import AddressKind
from api.people.people import People

NOW_MS = 1_767_000_000_000
PHONE = "0912 345 678"
DIGITS = "912345678"
RIVER = Follow(Place("xuan-hoa", "river"), "durian", 500)
FIELD = Follow(Place("xuan-hoa", "field"), "rice", 2000)
CHANNELS = {
    "sms": AddressKind.PHONE,
    "zalo": AddressKind.PHONE,
    "mail": AddressKind.EMAIL,
    "chat": AddressKind.TELEGRAM,
}


@dataclass(frozen=True)
class Said:
    contact: int
    channel: str
    kind: str
    said: dict[str, Any]
    key: str
    at_ms: int


@dataclass
class Household:
    """A directory with people in it, and what they would have been sent."""

    directory: Path
    options: dict[str, Any] = field(default_factory=dict)
    sent: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = self.opened()

    def opened(self) -> People:
        return People(self.directory, CHANNELS, self.direct, **self.options)

    def again(self) -> None:
        """As after a restart."""
        self.people.close()
        self.people = self.opened()

    def direct(
        self, contact: int, channel: str, kind: str, said: Mapping[str, Any], key: str, now_ms: int
    ) -> None:
        if key not in {one.key for one in self.sent}:
            self.sent.append(Said(contact, channel, kind, dict(said), key, now_ms))

    @property
    def code(self) -> str:
        """The newest code that was sent."""
        return str(next(one for one in reversed(self.sent) if one.kind == "code").said["code"])

    def asks(
        self,
        address: str = PHONE,
        *follows: Follow,
        channel: str = "sms",
        now_ms: int = NOW_MS,
        **how: Any,
    ) -> str:
        """Somebody signs up; the request."""
        wish = Wish(channel, address, follows or (RIVER,), **how)
        found = self.people.signup(wish, "", now_ms)
        assert found.why is SignupWhy.SENT, found
        return found.request

    def joins(
        self,
        address: str = PHONE,
        *follows: Follow,
        channel: str = "sms",
        now_ms: int = NOW_MS,
        **how: Any,
    ) -> str:
        """Somebody signs up and shows the code; the token."""
        request = self.asks(address, *follows, channel=channel, now_ms=now_ms, **how)
        found = self.people.confirm(request, self.code, now_ms)
        assert found.why is ConfirmWhy.DONE, found
        return found.token

    def bytes(self) -> bytes:
        """All that lies in the directory, but for the key."""
        return b"".join(
            path.read_bytes() for path in sorted(self.directory.iterdir()) if path.suffix != ".key"
        )

    def close(self) -> None:
        self.people.close()
