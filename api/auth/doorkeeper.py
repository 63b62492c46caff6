"""Who comes in at either door: by a token, a session or a ticket, or as nobody in particular."""

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from api.auth.principal import ANONYMOUS, Principal
from api.auth.sessions import Lifetime
from api.auth.store import AuthStore
from api.auth.tries import Tries

TICKET_TTL_MS: Final = 30_000
TICKETS_MAX: Final = 10_000


class TicketOffice:
    """One-use tickets of 30 s, which let a browser open the live socket.

    A browser can't set a header on a WebSocket, and a token in a URL ends in log files.
    In memory alone: a ticket that a restart loses is asked for again. At most
    `TICKETS_MAX` are out; beyond that none is given until some have run out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out: dict[str, tuple[Principal, int]] = {}

    def issue(self, principal: Principal, now_ms: int) -> str | None:
        """A new ticket, or None while too many are out."""
        with self._lock:
            if len(self._out) >= TICKETS_MAX:
                self._out = {k: held for k, held in self._out.items() if now_ms < held[1]}
            if len(self._out) >= TICKETS_MAX:
                return None
            ticket = f"ticket_{secrets.token_urlsafe(32)}"
            self._out[ticket] = (principal, now_ms + TICKET_TTL_MS)
            return ticket

    def redeem(self, ticket: str, now_ms: int) -> Principal | None:
        """Whose ticket it is; it is void from here on, whatever the answer."""
        with self._lock:
            principal, until_ms = self._out.pop(ticket, (None, 0))
        return principal if now_ms < until_ms else None


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """What both doors ask.

    anonymous : `[auth] anonymous = "viewer"`: people who show nothing may look
    lifetime : of sessions that begin now
    tries : how often passwords may be tried
    origins : of pages that are the service's own besides its address, lower case, without path
    secure_cookies : cookies are for https alone, also where the request came by http
    """

    tokens: AuthStore
    tickets: TicketOffice
    anonymous: bool
    lifetime: Lifetime = field(default_factory=Lifetime)
    tries: Tries = field(default_factory=Tries)
    origins: frozenset[str] = frozenset()
    secure_cookies: bool = False

    def nobody(self) -> Principal | None:
        """Who shows nothing."""
        return ANONYMOUS if self.anonymous else None

    def by_token(self, token: str | None, now_ms: int) -> Principal | None:
        """For HTTP: a bearer token, or nothing. A wrong token is refused, not anonymous."""
        return self.nobody() if token is None else self.tokens.verify(token, now_ms)

    def by_session(self, secret: str, now_ms: int) -> Principal | None:
        """For HTTP: the secret of a session."""
        found = self.tokens.sessions.of(secret, now_ms)
        return None if found is None else found.principal

    def by_token_or_ticket(self, shown: str | None, now_ms: int) -> Principal | None:
        """For the live socket: a bearer token, a ticket, or nothing."""
        if shown is not None and shown.startswith("ticket_"):
            return self.tickets.redeem(shown, now_ms)
        return self.by_token(shown, now_ms)

    def ended(self, credentials: Iterable[str], now_ms: int) -> frozenset[str]:
        """Which of these `Principal.credential` are good no longer."""
        return self.tokens.ended(credentials, now_ms)
