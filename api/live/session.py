"""The protocol of one client of `live.v1`, without a socket, a clock or a task.

Text goes in by `receive`, time by every call; `pull` gives the texts to send now. What
needs the world is asked for in `take_asks` and answered by `signed_in` and `answered`.
`closing` says that, and why, the connection is to be closed; `due_ms` when `pull` is to be
called again though nothing happened.

The life of a session:

    opened --auth--> asked who it is --signed_in--> open --> closing
       |                                    |                   ^
       +--- 4408 no auth in time, 4401 -----+--- 4400, 4429, ---+
            other frames or not known            4008, 4012

Flow: what is sent counts as in flight until the pong of a ping that was sent after it. A
frame that would bring that above `window_bytes` waits, the session sends a ping, and no
snapshot, delta or event goes before its pong. So a client that does not read costs one
window and its positions, and it is told the newest when it reads again.
"""

import sys
from typing import Any

from msgspec import UNSET, UnsetType

from api.auth import ROLES, Principal
from api.live import frames
from api.live.frames import FrameError
from api.live.hub import Hub
from api.live.subscription import (
    AlertSubscription,
    Offer,
    StateSubscription,
    Subscription,
    subscribed,
)
from api.live.terms import (
    BAD_FRAME,
    NO_AUTH,
    NO_PONG,
    NOT_AUTHORISED,
    SHUTTING_DOWN,
    TOO_MANY,
    TOO_SLOW,
    Allowance,
    Ask,
    Close,
    Instant,
    Limits,
    Order,
    Refused,
    SignIn,
)
from api.rewind import Playing, wanted

PAST_PING_MS = 1000
"""A page that shows the past counts on between two pings, at up to 600 times the clock's pace."""

PING_EARLY = 10
"""In the last tenth of its interval a heartbeat goes with whatever goes."""

ERROR_CHARS_MAX = 300
"""Of an `err`, which may quote what was asked."""


class Session:
    """One client, from its first frame to its close.

    deadline_ms : monotonic; when its auth or pong is missed, or the next heartbeat is due
    paced : whether a subscription has a `max_hz`, so that `due_ms` may be before the deadline

    Slots: of thousands nothing is in the cache any more, and what counts is what is touched.
    """

    __slots__ = (
        "_alert_subs",
        "_allowed",
        "_along_ms",
        "_answers",
        "_asked_who",
        "_asks",
        "_awaiting",
        "_calls",
        "_gated",
        "_hub",
        "_in_flight",
        "_last_id",
        "_next_sub",
        "_past",
        "_phase",
        "_ping_ms",
        "_pinged_ms",
        "_pong_ms",
        "_subs",
        "_turn",
        "_window_bytes",
        "closing",
        "deadline_ms",
        "limits",
        "merged",
        "paced",
        "principal",
    )

    def __init__(
        self, hub: Hub, now: Instant, limits: Limits | None = None, phase: float = 0.0
    ) -> None:
        self.limits = limits or Limits()
        self.principal: Principal | None = None
        self.closing: Close | None = None
        self.merged = 0
        self._hub = hub
        self._past: Playing | None = None
        self._ping_ms = round(self.limits.ping_s * 1000)
        self._pong_ms = round(self.limits.pong_s * 1000)
        self._along_ms = sys.maxsize
        self._window_bytes = self.limits.window_bytes
        self.deadline_ms = now.mono_ms + round(self.limits.auth_s * 1000)
        self._asked_who = False
        self._last_id = -1
        self._asks: list[Ask] = []
        self._answers: list[str] = []
        self._calls = 0
        self._subs: dict[int, Subscription] = {}
        self._alert_subs: list[AlertSubscription] = []
        self._turn: list[StateSubscription] = []  # the first is the next to send
        self.paced = False
        self._next_sub = 1
        self._in_flight = 0
        self._gated = False
        self._phase = phase
        self._pinged_ms = now.mono_ms
        self._awaiting: int | None = None  # bytes that the outstanding ping's pong confirms
        self._allowed = Allowance(float(self.limits.burst), now.mono_ms)

    # What comes in.

    def receive(self, text: str | bytes, now: Instant) -> None:
        """Take one message from the client."""
        if self.closing is not None:
            return
        if isinstance(text, bytes):
            self._close(BAD_FRAME, "frames are text")
            return
        try:
            frame = frames.decode(text)
        except FrameError as error:
            self._close(BAD_FRAME, str(error))
            return
        if isinstance(frame, frames.Pong) and self._awaiting is not None:
            self._confirmed()
        elif not self._allowed.spend(now.mono_ms, self.limits):
            self._close(TOO_MANY, f"more than {self.limits.per_s} requests a second")
        elif not isinstance(frame, frames.Pong):
            self._request(frame)

    def take_asks(self) -> list[Ask]:
        """What has to be asked of the world; each is answered later by its id."""
        asks, self._asks = self._asks, []
        return asks

    def signed_in(
        self,
        ask: SignIn,
        principal: Principal | None,
        now: Instant,
        past: Playing | None = None,
    ) -> None:
        """The answer to a `SignIn`; `past` where it wanted one, and `now` is then its time."""
        if principal is None:
            self._close(NOT_AUTHORISED, "this token is not known, or no longer")
            return
        assert principal.role in ROLES
        self.principal = principal
        limits = frames.HelloLimits(self.limits.subs, frames.FRAME_BYTES_MAX, self.limits.max_hz)
        name = UNSET if principal.anonymous else principal.name
        rewind: frames.HelloRewind | UnsetType = UNSET
        if past is not None:
            self._past, self._hub = past, past.hub
            self._ping_ms = min(self._ping_ms, PAST_PING_MS)
            rewind = frames.HelloRewind(past.at_ms, past.speed, past.source)
        self._pinged_ms = now.mono_ms - round(self._phase * self._ping_ms)
        self._beat()
        self._answer(
            frames.Hello(
                ask.id, principal.role, now.utc_ms, self.limits.ping_s, limits, name, rewind
            )
        )

    def answered(self, ask: Order, result: dict[str, Any] | Refused) -> None:
        """The answer to an `Order`; a result goes to the officer as it is."""
        self._calls -= 1
        if isinstance(result, Refused):
            self._refuse(ask.id, result.code, result.msg)
        else:
            self._answer(frames.Ret(ask.id, result))

    def turn_away(self, code: int, reason: str) -> None:
        """The past that a `SignIn` wanted can't be shown, or not on; or who asks is signed out."""
        self._close(code, reason)

    def shut_down(self) -> None:
        self._close(SHUTTING_DOWN, "the service is shutting down")

    # What goes out.

    def pull(self, now: Instant) -> list[str]:
        """The texts to send now. Afterwards look at `closing` and `due_ms`."""
        if self.closing is None:
            if now.mono_ms >= self.deadline_ms:
                self._keep_time(now)
            if self.principal is not None and not self._gated:
                self._offer_all(now.mono_ms)
            if self._gated or self._in_flight > self._window_bytes:
                self._hold_back(now)
            # Waking up for a heartbeat alone, here and there, costs more than all the rest of it.
            elif self._answers and now.mono_ms >= self._along_ms and self._awaiting is None:
                self._ping(now)
        texts, self._answers = self._answers, []
        return texts

    def due_ms(self) -> int:
        """The monotonic time at which `pull` is to be called at the latest."""
        due = self.deadline_ms
        if self.paced and not self._gated:
            for sub in self._turn:
                waits_ms = sub.due_ms()
                if waits_ms is not None:
                    due = min(due, waits_ms)
        return due

    # Requests.

    def _request(self, frame: frames.Auth | frames.Sub | frames.Unsub | frames.Call) -> None:
        if self.principal is None and (self._asked_who or not isinstance(frame, frames.Auth)):
            self._close(NOT_AUTHORISED, "the first frame is auth")
            return
        if frame.id <= self._last_id:
            self._refuse(frame.id, 400, f"id must rise: the last was {self._last_id}")
            return
        self._last_id = frame.id
        match frame:
            case frames.Auth():
                self._auth(frame)
            case frames.Sub():
                self._sub(frame)
            case frames.Unsub():
                self._unsub(frame)
            case frames.Call():
                self._call(frame)

    def _auth(self, frame: frames.Auth) -> None:
        if self.principal is not None:
            self._refuse(frame.id, 400, "already signed in; open another connection")
            return
        try:
            past = wanted(frame.at, frame.speed)
        except ValueError as error:
            self._close(BAD_FRAME, str(error))
            return
        self._asked_who = True
        self._asks.append(SignIn(frame.id, frame.token, past))

    def _sub(self, frame: frames.Sub) -> None:
        limits = self.limits
        if len(self._subs) >= limits.subs:
            self._refuse(frame.id, 429, f"a client may have {limits.subs} subscriptions")
            return
        assert self.principal is not None
        number, officer = self._next_sub, self.principal.may("operator")
        try:
            sub, recovered = subscribed(frame, number, self._hub, limits, officer=officer)
        except ValueError as error:
            self._refuse(frame.id, 400, str(error))
            return
        self._next_sub += 1
        if isinstance(sub, StateSubscription):
            self._turn.append(sub)
            self.paced |= frame.max_hz is not None
        else:
            self._alert_subs.append(sub)
        self._subs[number] = sub
        self._answer(frames.SubOk(frame.id, number, recovered, sub.position))

    def _unsub(self, frame: frames.Unsub) -> None:
        sub = self._subs.pop(frame.sub, None)
        if sub is None:
            self._refuse(frame.id, 404, f"there is no subscription {frame.sub}")
            return
        if isinstance(sub, StateSubscription):
            self._turn.remove(sub)
        else:
            self._alert_subs.remove(sub)
        self._answer(frames.Ret(frame.id, {}))

    def _call(self, frame: frames.Call) -> None:
        assert self.principal is not None
        if frame.m not in frames.CALLS:
            self._refuse(frame.id, 404, f"there is no call {frame.m!r}")
        elif not self.principal.may("operator"):
            self._refuse(frame.id, 403, "this needs the role operator")
        elif self._past is not None:
            self._refuse(frame.id, 409, "this screen shows the past; act on one of the present")
        elif self._calls >= self.limits.calls:
            self._refuse(frame.id, 429, f"{self.limits.calls} calls are under way")
        else:
            try:
                call = frames.call_of(frame.m, frame.p)
            except FrameError as error:
                self._refuse(frame.id, 400, str(error))
                return
            self._calls += 1
            self._asks.append(Order(frame.id, self.principal, call))

    def _refuse(self, request: int, code: int, message: str) -> None:
        self._answer(frames.Err(request, code, message[:ERROR_CHARS_MAX]))

    # Flow.

    def _offer_all(self, now_ms: int) -> None:
        """Send what there is to send, alerts first, then state by turns, up to the window."""
        for alerts in self._alert_subs:
            while (offer := alerts.offer(now_ms)) is not None:
                if not self._send(alerts, offer, now_ms):
                    return
        quiet, turn = 0, self._turn
        while quiet < len(turn):
            state = turn[0]
            offer = state.offer(now_ms)
            if offer is None:
                quiet += 1
            elif not self._send(state, offer, now_ms):
                return
            else:
                quiet = quiet + 1 if offer.complete else 0
            if len(turn) > 1:
                turn.append(turn.pop(0))

    def _send(self, sub: Subscription, offer: Offer, now_ms: int) -> bool:
        """Send what was offered; where the window has no room for it, nothing goes any more."""
        in_flight = self._in_flight + offer.size
        # A frame larger than the window goes when nothing else is in flight, or never would.
        if in_flight > self._window_bytes and self._in_flight:
            self._gated = True
            return False
        sub.take(offer, now_ms)
        self.merged += offer.merged
        self._in_flight = in_flight
        self._answers.append(offer.text)
        return True

    def _answer(self, frame: frames.ServerFrame) -> None:
        if self.closing is None:
            text = frames.text_of(frame)
            self._in_flight += len(text.encode())
            self._answers.append(text)

    def _ping(self, now: Instant) -> None:
        settled = {str(n): sub.position for n, sub in self._subs.items() if sub.settled}
        speed = UNSET if self._past is None else self._past.speed
        self._answer(frames.Ping(now.utc_ms, settled, speed))
        self._awaiting = self._in_flight
        self._pinged_ms = now.mono_ms
        self.deadline_ms = now.mono_ms + self._pong_ms

    def _confirmed(self) -> None:
        assert self._awaiting is not None
        self._in_flight -= self._awaiting
        self._awaiting = None
        self._gated = False
        self._beat()

    def _beat(self) -> None:
        """Set the next heartbeat: alone at its time, or along with others in its last tenth."""
        self.deadline_ms = self._pinged_ms + self._ping_ms
        self._along_ms = self.deadline_ms - self._ping_ms // PING_EARLY

    def _keep_time(self, now: Instant) -> None:
        """The client's auth or pong is missed, or the next heartbeat is due."""
        if self.principal is None:
            self._close(NO_AUTH, f"no auth within {self.limits.auth_s} s")
        elif self._awaiting is None:
            self._ping(now)
        else:
            self._close(NO_PONG, f"no pong within {self.limits.pong_s} s")

    def _hold_back(self, now: Instant) -> None:
        """Nothing but answers goes before a pong; who is too slow even for that is dropped."""
        self._gated = True
        if self._in_flight > self.limits.unread_bytes:
            self._close(TOO_SLOW, "what was asked for is not read")
        elif any(sub.behind() > self.limits.alerts_behind for sub in self._alert_subs):
            self._close(TOO_SLOW, "too slow for the alerts; come back with your position")
        elif self._awaiting is None:
            self._ping(now)

    def _close(self, code: int, reason: str) -> None:
        if self.closing is None:
            self.closing = Close.of(code, reason)
