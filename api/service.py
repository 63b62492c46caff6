"""What the doors (HTTP and the live socket) need of the service, and nothing more.

Wiring fills a `Service` once and hands it to `api.http.app.create_app`. Nearly all fields
are callables, so that the doors know neither threads nor files, and a test can stand a
small honest double at each seam.

Two kinds of callables. Those marked *loop* are called on the event loop, never block and
never take long. Those marked *worker* are called on a worker thread, may read files, and
must be safe to call from several threads at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts.alert import Acted, Action, Outcome
from alerts.cap import Sender
from alerts.entries import EnteredOutcome, Entering, Verdict, What
from alerts.outbox import Outgoing
from alerts.records import Key, Page
from alerts.rules import RuleSet
from alerts.webhook import WebhookStatus
from api.auth import Doorkeeper, Principal
from api.farmers import Farmers
from api.live.where import Where
from api.logbook import Logbook
from api.rewind import Reach, Then
from ingest.archive import Whence
from ingest.reading import Batch
from ingest.registry import Registry
from ingest.rollups import Windows
from ingest.series import Series, SeriesTable
from ingest.store import DeadLetter

Item = dict[str, Any]
"""An alert as it goes on the wire."""

AlertsAsked = tuple[str, int | None, int | None, Key | None, int, Mapping[str, str]]
"""(state of `alerts.records.STATES`, from_ms, to_ms, after, limit, what fields must be)"""


@dataclass(frozen=True, slots=True)
class MapDefaults:
    """Where a geographic map opens. `tiles_url` None: the project's own vectors, no server.

    tiles_source : whom the map names for the tiles, as their licence may ask
    """

    lat: float = 10.27
    lon: float = 106.45
    zoom: int = 10
    tiles_url: str | None = None
    tiles_source: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a client must know before anything else; public by design.

    live_url : `ws://…/live` or `wss://…/live`, as browsers reach it; "" derives it from the
        host that the browser asked and `live_port`.
    broker_url, root : where devices publish, without a name or password, and under what
    """

    version: str
    live_url: str
    live_port: int
    demo: bool
    anonymous: str
    language: str = "vi"
    map: MapDefaults = field(default_factory=MapDefaults)
    broker_url: str = ""
    root: str = "tiengiang"


VERDICTS: Mapping[Outcome, tuple[int, str]] = {
    Outcome.DONE: (200, "done"),
    Outcome.NOT_FOUND: (404, "there is no such alert"),
    Outcome.STALE: (409, "the alert has changed since you saw it; nothing was done"),
    Outcome.NOT_NOW: (409, "the alert's state does not take this; nothing was done"),
    Outcome.EMPTY: (422, "a note, or a reason for shelving, needs words"),
    Outcome.NO_END: (422, "shelving has an end, from a minute to seven days ahead"),
}
"""What an officer's action came to, for both doors: code and words."""

NOT_YET = "it is written down and not carried out yet; look at it before you repeat"
OVER = "the alert is over; nothing was done"

ENTERED: Mapping[Verdict, int] = {
    Verdict.DONE: 200,
    Verdict.NOT_FOUND: 404,
    Verdict.STALE: 409,
    Verdict.NOT_NOW: 409,
    Verdict.REFUSED: 422,
}
"""The same for what is entered beside alerts; the words come with it."""


class NotDurable(Exception):  # noqa: N818 - it says what is, not that something is broken
    """An action could not be written down (a full disk), so it was not done; try again."""


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
    dead_letters : put away since the process began
    counters, gauges : whatever else a part counts, name without `songtien_` -> (help, value)
    channel_counters, channel_gauges : the same by channel, name -> (help, channel -> value)
    versions : of programs that we talk to, by what they are to us
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
    channel_counters: Mapping[str, tuple[str, Mapping[str, float]]] = field(default_factory=dict)
    channel_gauges: Mapping[str, tuple[str, Mapping[str, float]]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outside:
    """What leaves the house, as the doors show it. Without arguments: nothing does.

    sender : who signs CAP documents
    current : *worker*; the events of each alert that holds, or that has one of so many newest
    of_alert : *worker*; the events of one alert that people outside heard of, in order
    webhooks : *worker*; how far each webhook is
    """

    sender: Sender = field(default_factory=lambda: Sender("songtien", "songtien"))
    current: Callable[[int], list[list[Outgoing]]] = lambda _newest: []
    of_alert: Callable[[str], list[Outgoing]] = lambda _alert: []
    webhooks: Callable[[], Sequence[WebhookStatus]] = tuple


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a door may ask for.

    about : see `About`
    doorkeeper : tokens, tickets and whether people may look without either
    now_ms : *loop, worker*; the service's clock, UTC
    registry : *loop*; stations and devices in force
    series : *loop*; the series in force
    items_json : *loop*; the items that a filter selects, as a JSON list
    items_pos : *loop*; their position; while it is the same, so are all items
    points : *worker*; (series, from_ms, to_ms, limit) -> at most `limit` readings with
        from <= t < to, by rising t, and whence they come
    windows : *worker*; (series, from_ms, to_ms, step_ms, offset_ms) -> `Windows` of the
        readings with from <= t < to, which start at k * step_ms + offset_ms, and whence
    alerts : *worker*; a page of the alerts that held at any time in [from, to), newest first
    alert : *worker*; one alert with its whole timeline, None where there never was one
    act : *loop*; carries out an officer's action and answers once it is durable; raises
        `NotDurable`, or TimeoutError where it is written down and not carried out yet
    enter : *loop*; the same for what an officer enters beside alerts
    desk : *loop*; what has been entered, see `alerts.desk.Desk.picture`
    rules : *loop*; the rules in force
    reload : *loop*; puts the files of rules and registry in force anew; their faults, where they
        have some, and then nothing is changed. Raises `NotDurable`
    dead_letters : *worker*; (limit, before) -> (id, letter), newest first, with id < before
    not_ready : *loop*; why readings do not flow end to end, empty where they do
    accounting : *worker*; see `Accounting`
    pages : directory of the built pages; may be absent
    outside : CAP and webhooks
    farmers : answers at places, who asked to be told, and what became of it
    river : *loop*; how far the salt reaches, by mouth and level, and what stands at each station
    bridges : *loop*; minutes, state and queue of each bridge and direction
    advice : *loop*; the newest advice of each intake, by its id
    reach : *worker*; how far back the past can be shown
    then : *worker*; what the wall showed at a time that is not ahead; None where nothing is kept
    explain : *worker*; (rule, series, at_ms) -> why the rule held then, or which condition was
        not met; None where nothing is kept of that time
    logbook : the past beside readings: alert events, entries, hand checks
    """

    about: About
    doorkeeper: Doorkeeper
    now_ms: Callable[[], int]
    registry: Callable[[], Registry]
    series: Callable[[], SeriesTable]
    items_json: Callable[[Where], bytes]
    items_pos: Callable[[], str]
    points: Callable[[Series, int, int, int], tuple[Batch, Whence]]
    windows: Callable[[Series, int, int, int, int], tuple[Windows, Whence]]
    alerts: Callable[[AlertsAsked], Page]
    alert: Callable[[str], Item | None]
    act: Callable[[Action], Awaitable[Acted]]
    enter: Callable[[Entering], Awaitable[EnteredOutcome]]
    desk: Callable[[], Item]
    rules: Callable[[], RuleSet]
    reload: Callable[[], Awaitable[Sequence[str]]]
    dead_letters: Callable[[int, int | None], Sequence[tuple[int, DeadLetter]]]
    not_ready: Callable[[], Sequence[NotReady]]
    accounting: Callable[[], Accounting]
    pages: Path
    outside: Outside = field(default_factory=Outside)
    farmers: Farmers = field(default_factory=Farmers)
    river: Callable[[], Item] = dict
    bridges: Callable[[], Item] = dict
    advice: Callable[[], Mapping[str, Item]] = dict
    explain: Callable[[str, str, int], Item | None] = lambda _rule, _series, _at_ms: None
    logbook: Logbook = field(default_factory=Logbook)
    reach: Callable[[], Reach] = lambda: Reach(0)
    then: Callable[[int], Then | None] = lambda _at_ms: None


OFFICERS_ONLY = frozenset({"who", "note", "crew"})
"""Fields of alerts, their timelines and entries that name an officer or crew, or quote one."""


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


async def carry_out(service: Service, principal: Principal, action: Action) -> Acted:
    """Do to an alert what an officer asks, and write it into the audit.

    Both doors come this way. The caller has made sure that the principal is an operator.
    The audit follows the deed: the deed itself is durable with who, when and why, and a line
    that claims what never happened would be worse than one that comes a moment later.

    Raises
    ------
    NotDurable
        Nothing was done.
    TimeoutError
        It is written down and will be carried out; it has not been yet.
    """
    end = "" if action.until_ms is None else f" until {action.until_ms}"
    what = f"alert.{action.act.value} {action.alert} ver {action.ver}{end}"
    async with _audited(service, principal, what) as line:
        acted = await service.act(action)
        line.outcome = acted.outcome.value
    return acted


async def take_entry(
    service: Service,
    principal: Principal,
    what: What,
    subject: str,
    body: Item,
    note: str,
    deed: str = "",
) -> EnteredOutcome:
    """The same for what an officer enters beside alerts; raises the same.

    deed : for the audit, where several things are done to what is entered
    """
    named = f"{what.value}.{deed}" if deed else what.value
    async with _audited(service, principal, f"{named} {subject}") as line:
        entered = await service.enter(Entering(what, subject, body, principal.name, note))
        line.outcome = entered.outcome.value
    return entered


async def reload_files(service: Service, principal: Principal) -> Sequence[str]:
    """Put the files of rules and registry in force anew; their faults. Raises `NotDurable`."""
    async with _audited(service, principal, "rules.reload") as line:
        faults = await service.reload()
        line.outcome = "refused" if faults else "done"
    return faults


@dataclass(slots=True)
class _Line:
    """Of the audit: what stands there if the deed raises before it is known."""

    outcome: str = "written down"


@asynccontextmanager
async def _audited(service: Service, principal: Principal, what: str) -> AsyncIterator[_Line]:
    assert principal.may("operator")
    line = _Line()
    try:
        yield line
    except NotDurable:
        line.outcome = "not done"
        raise
    finally:
        tokens, now_ms = service.doorkeeper.tokens, service.now_ms()
        await asyncio.to_thread(tokens.record, principal, what, line.outcome, now_ms)
