"""How often somebody may try a password: growing waits, by name and by address. Pure.

A try counts as failed from the moment it begins, so that a hundred tries at once are not one;
one that succeeds is taken back. Failures are forgiven one by one as time passes. Whoever has
signed in from an address before is not kept out there by what others try elsewhere on that
name, so nobody can lock the duty officer out of the wall in front of them.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

KEPT_MAX: Final = 10_000
"""Names and addresses that are remembered; those that failed longest ago go first."""

FORGIVEN_MS: Final = 600_000
"""One failure is forgotten in this time."""

PREFIX_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` failures cost nothing; each further one doubles the wait from 1 s to `wait_max_s`."""

    free: int
    wait_max_s: int


NAME: Final = Limit(5, 60)
"""A minute at most: 1,440 guesses a day find no password of ten characters."""

ADDRESS: Final = Limit(20, 900)
"""More, since an office goes out by one address."""


@dataclass(slots=True)
class _Count:
    failures: float
    at_ms: int

    def now(self, now_ms: int) -> float:
        return max(0.0, self.failures - max(0, now_ms - self.at_ms) / FORGIVEN_MS)


class Tries:
    """Of one service. Not for several threads: it is asked on the event loop."""

    def __init__(self, *, name: Limit = NAME, address: Limit = ADDRESS) -> None:
        self._limits = {"name": name, "address": address}
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, name: str, address: str, now_ms: int) -> int:
        """Milliseconds to wait before this may be tried; 0 where it may, and is counted."""
        keys = self._keys(name, address)
        wait_ms = max(self._wait_ms(key, now_ms) for key in keys)
        if wait_ms > 0:
            return wait_ms
        for key in keys:
            count = self._counts.get(key)
            failures = 0.0 if count is None else count.now(now_ms)
            self._counts[key] = _Count(failures + 1, now_ms)
            self._counts.move_to_end(key)
        while len(self._counts) > KEPT_MAX:
            self._counts.popitem(last=False)
        return 0

    def succeeded(self, name: str, address: str) -> None:
        """The password was right: the name is clean, and the try at the address taken back."""
        self.not_tried(name, address)
        self._counts.pop(("name", name), None)
        self._known[name, address_group(address)] = None
        self._known.move_to_end((name, address_group(address)))
        while len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)

    def not_tried(self, name: str, address: str) -> None:
        """Nobody looked at the password: the try is taken back."""
        for key in self._keys(name, address):
            count = self._counts.get(key)
            if count is not None:
                count.failures = max(0.0, count.failures - 1)

    def _keys(self, name: str, address: str) -> tuple[tuple[str, str], ...]:
        group = address_group(address)
        by_address = ("address", group)
        return (by_address,) if (name, group) in self._known else (("name", name), by_address)

    def _wait_ms(self, key: tuple[str, str], now_ms: int) -> int:
        count = self._counts.get(key)
        if count is None:
            return 0
        limit = self._limits[key[0]]
        beyond = count.now(now_ms) - limit.free
        if beyond < 0:
            return 0
        # A clock that was set back must not make of a minute the hours until it is back.
        count.at_ms = min(count.at_ms, now_ms)
        wait_s = min(float(limit.wait_max_s), math.pow(2.0, min(beyond, 30.0)))
        return max(0, round(count.at_ms + wait_s * 1000 - now_ms))


def address_group(address: str, prefix_bits: int = PREFIX_BITS) -> str:
    """The address; of IPv6 its network, in which one subscriber has as many as they like."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    shift = 128 - prefix_bits
    return str(IPv6Address(int(parsed) >> shift << shift))
