"""Subscriptions: positions that offer the next frame, if there is one.

An offer binds nobody. Whether it may be sent is the session's decision; only a frame that
was taken moves the position, and one that was not is made anew later, with newer values.
"""

from dataclasses import dataclass, field

from msgspec import UNSET, Raw

from api.live.alertlog import AlertLog, KeptEvent, encode_alert
from api.live.frames import Delta, Event, Reset, ServerFrame, Snap, Sub, text_of
from api.live.hub import Hub
from api.live.items import Items
from api.live.terms import Limits
from api.live.view import BODY_BYTES_MAX, View
from api.live.where import ALERT_FIELDS, STATE_FIELDS, Where, parse_where


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a state subscription stands.

    version : what its client has, or will have once the snapshot is complete
    page : slot of the next page of a snapshot; None when deltas follow
    told : updates of the view that the client has been told of, or that were merged
    epoch : the items' epoch that the version belongs to
    """

    version: int
    page: int | None
    told: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A frame that could be sent now, and where the subscription stands when it is.

    merged : updates overwritten before they were sent
    complete : whether it brings the client up to now; its `max_hz` counts such frames
    """

    text: str
    size: int
    mark: Mark | int
    merged: int = 0
    complete: bool = False


def _offer(
    frame: ServerFrame, mark: Mark | int, merged: int = 0, *, complete: bool = False
) -> Offer:
    text = text_of(frame)
    return Offer(text, len(text) if text.isascii() else len(text.encode()), mark, merged, complete)


class StateSubscription:
    """A subscription to items: the newest value of each key, conflated by version."""

    __slots__ = ("_gap_ms", "_items", "_ready_ms", "mark", "number", "view")

    def __init__(
        self, number: int, items: Items, where: Where, gap_ms: int, recovered: int | None
    ) -> None:
        self.number = number
        self.view: View = items.view(where)
        self._items = items
        self._gap_ms = gap_ms
        self._ready_ms: int | None = None
        if recovered is None:
            self.mark = self._at_snapshot()
        else:
            self.mark = Mark(recovered, None, self.view.updates(), items.epoch)

    @property
    def position(self) -> str:
        return f"{self.mark.epoch}.{self.mark.version}"

    @property
    def settled(self) -> bool:
        """Whether the client holds a complete state, which pings may then vouch for."""
        return self.mark.page is None and self.mark.epoch == self._items.epoch

    def offer(self, now_ms: int) -> Offer | None:
        """The next frame at the (monotonic) time, if there is one."""
        mark = self.mark
        if mark.epoch != self._items.epoch:
            return _offer(Reset(self.number, "epoch"), self._at_snapshot())
        if mark.page is not None:
            return self._snap(mark, mark.page)
        if self._ready_ms is not None and now_ms < self._ready_ms:
            return None
        return self.view.frame_after(mark.version, self.number, mark.told, self._delta)

    def take(self, offer: Offer, now_ms: int) -> None:
        assert isinstance(offer.mark, Mark)
        self.mark = offer.mark
        if offer.complete and self._gap_ms:
            self._ready_ms = now_ms + self._gap_ms

    def due_ms(self) -> int | None:
        """When a frame that waits for its `max_hz` may go; None where none waits."""
        if self._ready_ms is None or not self.settled:
            return None
        return self._ready_ms if self.view.newest() > self.mark.version else None

    def _at_snapshot(self) -> Mark:
        return Mark(self._items.version, 0, self.view.updates(), self._items.epoch)

    def _snap(self, mark: Mark, begin: int) -> Offer:
        page = self.view.page(begin)
        more = page.following is not None
        frame = Snap(self.number, more, self.position, Raw(page.items))
        return _offer(frame, Mark(mark.version, page.following, mark.told, mark.epoch))

    def _delta(self) -> Offer:
        mark = self.mark
        piece = self.view.piece(mark.version)
        told = piece.updates if piece.complete else mark.told + piece.count
        merged = max(0, piece.updates - mark.told - piece.count) if piece.complete else 0
        frame = Delta(
            sub=self.number,
            since=self.position,
            pos=f"{mark.epoch}.{piece.upto}",
            changed=Raw(piece.changed),
            gone=piece.gone,
            merged=merged,
        )
        after = Mark(piece.upto, None, told, mark.epoch)
        return _offer(frame, after, merged, complete=piece.complete)


@dataclass(slots=True, eq=False)
class AlertSubscription:
    """A subscription to alerts: every event, in order.

    joined : the last event that there was at the time of subscribing
    pages : of the snapshot, still to be sent
    seen : the last event that was sent or that the filter left out
    """

    number: int
    log: AlertLog
    where: Where
    officer: bool
    recovered: int | None
    mark: int = field(init=False)
    seen: int = field(init=False)
    joined: int = field(init=False)
    pages: list[bytes] = field(init=False)
    _loads: int = field(init=False)

    def __post_init__(self) -> None:
        if self.recovered is None:
            self._load()
        else:
            self.mark = self.seen = self.recovered
            self.joined = self.log.last
            self.pages = []
            self._loads = self.log.loads

    @property
    def position(self) -> str:
        return self.log.position(self.mark)

    @property
    def settled(self) -> bool:
        return not self.pages and self._loads == self.log.loads

    def behind(self) -> int:
        """How many events have come since this began and are not sent yet."""
        return self.log.count_after(max(self.seen, self.joined))

    def offer(self, now_ms: int) -> Offer | None:  # noqa: ARG002 - as of state; nothing waits here
        if self.seen == self.log.last and self._loads == self.log.loads and not self.pages:
            return None
        if self._loads != self.log.loads:
            return _offer(Reset(self.number, "epoch"), -1)
        if not self.log.holds_all_after(self.seen):
            return _offer(Reset(self.number, "gap"), -1)
        if self.pages:
            more = len(self.pages) > 1
            return _offer(Snap(self.number, more, self.position, Raw(self.pages[0])), self.mark)
        event = self.log.next_after(self.seen, self.where)
        if event is None:
            self.seen = self.log.last
            return None
        return _offer(self._event(event), event.position)

    def take(self, offer: Offer, now_ms: int) -> None:  # noqa: ARG002 - as of state
        assert isinstance(offer.mark, int)
        if offer.mark < 0:
            self._load()
        elif self.pages:
            del self.pages[0]
        else:
            self.mark = self.seen = offer.mark

    def due_ms(self) -> int | None:
        return None

    def _event(self, event: KeptEvent) -> Event:
        body = event.body
        return Event(
            sub=self.number,
            since=self.position,
            pos=self.log.position(event.position),
            type=body.type,
            alert=event.alert(officer=self.officer),
            at=UNSET if body.at is None else body.at,
            who=body.who if self.officer and body.who is not None else UNSET,
            note=body.note if self.officer and body.note is not None else UNSET,
        )

    def _load(self) -> None:
        """Begin with all active alerts, encoded now: later events must not show in them."""
        self.mark = self.seen = self.joined = self.log.last
        self._loads = self.log.loads
        self.pages = []
        texts: list[bytes] = []
        size = 0
        for alert in self.log.active(self.where):
            text = encode_alert(alert, officer=self.officer)
            if texts and size + len(text) + 1 > BODY_BYTES_MAX:
                self.pages.append(b"[" + b",".join(texts) + b"]")
                texts, size = [], 0
            texts.append(text)
            size += len(text) + 1
        self.pages.append(b"[" + b",".join(texts) + b"]")


Subscription = StateSubscription | AlertSubscription


def subscribed(
    frame: Sub, number: int, hub: Hub, limits: Limits, *, officer: bool
) -> tuple[Subscription, bool]:
    """What a client asks for, and whether it goes on from the position that it holds.

    Raises ValueError, which says what is accepted.
    """
    if frame.chan not in ("state", "alerts"):
        raise ValueError(f"chan {frame.chan!r}: there are state and alerts")
    hz = frame.max_hz
    if hz is not None and not limits.min_hz <= hz <= limits.max_hz:
        raise ValueError(f"max_hz must be {limits.min_hz} to {limits.max_hz}")
    where = parse_where(frame.where, STATE_FIELDS if frame.chan == "state" else ALERT_FIELDS)
    sub: Subscription
    if frame.chan == "state":
        recovered = None if frame.pos is None else hub.state.version_of(frame.pos)
        gap_ms = 0 if hz is None else round(1000 / hz)
        sub = StateSubscription(number, hub.state, where, gap_ms, recovered)
    else:
        recovered = None if frame.pos is None else hub.alerts.number_of(frame.pos)
        sub = AlertSubscription(number, hub.alerts, where, officer, recovered)
    return sub, recovered is not None
