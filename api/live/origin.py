"""Which pages may open the live socket from a browser.

A browser sends the page's origin and can't be talked out of it, so this keeps other sites
from using a person's browser. What isn't a browser sends none and is let in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def split_origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin; None where it isn't one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or default


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins that are accepted: those named, and the service's own address.

    own_port : of the HTTP door. A page from that port of the very host that the socket was
        asked of is the service's own, where the host is an address or localhost. Not where
        it is a name: any name can be made to point here (DNS rebinding), so names are
        configured.
    """

    named: frozenset[tuple[str, str, int]]
    own_port: int | None = None

    @classmethod
    def of(cls, origins: Iterable[str], own_port: int | None = None) -> "Origins":
        """Raises ValueError for a text that is no origin such as `https://man-hinh.vn`."""
        named = set()
        for origin in origins:
            split = split_origin(origin)
            if split is None:
                raise ValueError(f"{origin!r} is no origin: http(s)://HOST[:PORT]")
            named.add(split)
        return cls(frozenset(named), own_port)

    def allow(self, origin: str | None, host: str | None) -> bool:
        """origin, host : of the handshake's headers of those names."""
        if origin is None:
            return True
        split = split_origin(origin)
        if split is None:
            return False
        if split in self.named:
            return True
        asked = split_origin(f"http://{host}")
        if self.own_port is None or asked is None:
            return False
        return split == ("http", asked[1], self.own_port) and _not_a_name(asked[1])


def _not_a_name(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
