"""What a session of the live socket works with: its moments, limits, questions and ends."""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

from api.auth import Principal
from api.live import frames
from api.rewind import Wanted

SHUTTING_DOWN = 4001
TOO_SLOW = 4008
NO_PONG = 4012
BAD_FRAME = 4400
NOT_AUTHORISED = 4401
NO_AUTH = 4408
TOO_MANY = 4429

REASON_BYTES_MAX = 120  # A close frame has room for 123 (RFC 6455, 5.5).


class Instant(NamedTuple):
    """One moment, twice: monotonic for waiting, UTC for people. Milliseconds."""

    mono_ms: int
    utc_ms: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of a session.

    pong_s : a client that was stopped for a minute (a lid that was shut, a page put to sleep)
        finds its connection as it left it and has the newest at once; to come back would take
        it up to a second and more. What it costs meanwhile is `window_bytes` and its positions.
        It is longer, too, than 32 kB take on a bad phone line (about 13 s at 20 kbit/s)
    unread_bytes : of answers too; who asks and asks and reads nothing is closed
    alerts_behind : events that a client may lack, beyond those it came back for
    calls : under way at once, for one client
    burst, per_s : requests at once and in the long run; pongs that were asked for are free
    """

    auth_s: float = 10
    ping_s: float = 20
    pong_s: float = 75
    subs: int = 32
    min_hz: float = 0.1
    max_hz: float = 20
    window_bytes: int = 32_000
    unread_bytes: int = 256_000
    alerts_behind: int = 1000
    calls: int = 8
    burst: int = 200
    per_s: int = 50


@dataclass(frozen=True, slots=True)
class Close:
    """Why a connection is closed, in up to `REASON_BYTES_MAX` bytes."""

    code: int
    reason: str

    @classmethod
    def of(cls, code: int, reason: str) -> Self:
        return cls(code, reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore"))


@dataclass(slots=True)
class Allowance:
    """Requests that a client may still make: a burst, which fills up again in time."""

    left: float
    at_ms: int

    def spend(self, now_ms: int, limits: Limits) -> bool:
        """Make one; False where none is left."""
        gained = (now_ms - self.at_ms) * limits.per_s / 1000
        self.left = min(float(limits.burst), self.left + gained)
        self.at_ms = now_ms
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class SignIn:
    """Asks whose token it is; None asks who may come without one.

    wanted : the past that is to be shown, None for the present
    """

    id: int
    token: str | None = field(repr=False)
    wanted: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Asks to do something to an alert for this principal, an operator."""

    id: int
    principal: Principal
    call: frames.AlertCall


Ask = SignIn | Order


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a call was not carried out: 404, no such alert; 409, not as it was seen; 422, 503."""

    code: int
    msg: str
