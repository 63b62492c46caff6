"""What the doors (HTTP and the live socket) need of the service, and nothing more.

Wiring fills a `Service` once and hands it to `api.http.app.create_app`. Nearly all fields
are callables, so that the doors know neither threads nor files, and a test can stand a
small honest double at each seam.

Two kinds of callables. Those marked *loop* are called on the event loop, never block and
never take long. Those marked *worker* are called on a worker thread, may read files, and
must be safe to call from several threads at once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.auth import Doorkeeper, Principal
from ingest.reading import Batch, FloatArray, IntArray
from ingest.registry import Registry
from ingest.series import SeriesTable

Item = dict[str, Any]
"""An item of a snapshot, an alert or a rule, as it goes on the wire."""

Where = Mapping[str, Sequence[str]]
"""An AND of fields, each an OR over its list, as in `live.v1`."""


@dataclass(frozen=True, slots=True)
class MapDefaults:
    """Where a geographic map opens. `tiles_url` None: the project's own vectors, no server."""

    lat: float = 10.27
    lon: float = 106.45
    zoom: int = 10
    tiles_url: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a client must know before anything else; public by design.

    live_url : `ws://…/live` or `wss://…/live`, as browsers reach it; "" derives it from the
        host that the browser asked and `live_port`.
    """

    version: str
    live_url: str
    live_port: int
    demo: bool
    anonymous: str
    language: str = "vi"
    map: MapDefaults = field(default_factory=MapDefaults)


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Columns of one series over steps of time; steps without a usable value are left out.

    start_ms : int64[N], start of the step, rising
    n : int64[N], values with flags 1 to 3, at least 1
    n_good : int64[N], values with flag 1
    mean, min, max, last : float64[N]
    """

    start_ms: IntArray
    n: IntArray
    n_good: IntArray
    mean: FloatArray
    min: FloatArray
    max: FloatArray
    last: FloatArray


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, in its order; `next` is the opaque `after` of the following part."""

    items: Sequence[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class AckOrder:
    """An officer takes an alert. `ver` is the version they saw."""

    alert: str
    ver: int
    note: str
    who: str


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of an order.

    code : 200; 404, no such alert; 409, stale version, or not to be acknowledged in its
        state; 503, not durable, so nothing was done
    alert : the alert as it now is, with 200 and 409
    """

    code: int
    message: str
    alert: Item | None = None


@dataclass(frozen=True, slots=True)
class NotReady:
    """One reason why readings do not flow: `code` for machines, `detail` for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Accounting:
    """All that is counted, read under one lock, so that the identity holds in every answer.

    received == sum(outcome.values()) + in_flight, where in_flight is summed from the queues.
    outcome : "stored", "duplicate", "rejected"
    rejected : by reason, of `ingest.payload.Reason`
    counters, gauges : whatever else a part counts, name without `songtien_` -> (help, value)
    """

    received: int
    outcome: Mapping[str, int]
    in_flight: int
    rejected: Mapping[str, int]
    dead_letters: int
    journal_position: int
    store_position: int
    live_clients: int
    alerts_active: int
    counters: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    gauges: Mapping[str, tuple[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a door may ask for.

    about : see `About`
    doorkeeper : tokens, tickets and whether people may look without either
    now_ms : *loop, worker*; the service's clock, UTC
    registry : *loop*; stations and devices in force
    series : *loop*; the series in force
    state : *loop*; (items, pos) of the series that `where` selects, as in a `snap`
    points : *worker*; (series id, from_ms, to_ms, limit) -> at most `limit` readings with
        from <= t < to, by rising t
    aggregate : *worker*; (series id, from_ms, to_ms, step_ms, offset_ms) -> `Aggregates` of
        the readings with from <= t < to; steps start at k * step_ms + offset_ms
    alerts : *worker*; (state, from_ms, to_ms, after, limit) -> `Page`, newest first. `state`
        is one of `api.http.alerts.STATES`; an alert is in [from, to) by its `t_event`
    alert : *worker*; one alert with `timeline` and `evidence`, None where unknown
    ack : *loop*; carries out an `AckOrder` and answers once it is durable
    rules : *loop*; the rules in force
    dead_letters : *worker*; (limit, after) -> `Page`, newest first
    not_ready : *loop*; why readings do not flow end to end, empty where they do
    accounting : *worker*; see `Accounting`
    pages : directory of the built pages; may be absent
    """

    about: About
    doorkeeper: Doorkeeper
    now_ms: Callable[[], int]
    registry: Callable[[], Registry]
    series: Callable[[], SeriesTable]
    state: Callable[[Where], tuple[list[Item], str]]
    points: Callable[[int, int, int, int], Batch]
    aggregate: Callable[[int, int, int, int, int], Aggregates]
    alerts: Callable[[str, int | None, int | None, str | None, int], Page]
    alert: Callable[[str], Item | None]
    ack: Callable[[AckOrder], Awaitable[Acted]]
    rules: Callable[[], list[Item]]
    dead_letters: Callable[[int, str | None], Page]
    not_ready: Callable[[], Sequence[NotReady]]
    accounting: Callable[[], Accounting]
    pages: Path


OFFICERS_ONLY = frozenset({"who", "note", "acked_by", "ack_note"})
"""Fields of alerts and of their timelines that name an officer or quote one."""


def as_seen_by(principal: Principal, document: Any) -> Any:
    """A document without the names of officers and their notes, unless an operator asks.

    Both doors send alerts through here. The fields are left out, not blanked, wherever in
    the document they stand.
    """
    if principal.may("operator"):
        return document
    if isinstance(document, dict):
        return {
            name: as_seen_by(principal, value)
            for name, value in document.items()
            if name not in OFFICERS_ONLY
        }
    if isinstance(document, list | tuple):
        return [as_seen_by(principal, value) for value in document]
    return document
