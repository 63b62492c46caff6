"""What screens are shown of what is stored: the hub, filled at the start and kept up."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from alerts import records
from alerts.alert import AlertEvent
from alerts.desk import Desk
from api.live.ages import NEVER_MS
from api.live.hub import Hub, LinkState
from api.live.where import EVERYTHING
from ingest.history import StoreReader
from ingest.payload import DeviceState
from ingest.reading import Batch, Why
from ingest.registry import Registry
from ingest.store import Store
from songtien.mailbox import Post
from songtien.news import Parts, Pictures
from songtien.rewind.scene import Change, Event, Key

EVENTS_KEPT = 10_000


class Screens:
    """A hub and what is shown beside it, on the event loop, of the present or of the past.

    `parts` is what is in force, `pictures` what is formed. `followers` are told of each change
    once it is shown.
    """

    def __init__(self, hub: Hub, parts: Parts, pictures: Pictures) -> None:
        self.hub = hub
        self.followers: list[Callable[[Change], None]] = []
        self.parts = parts
        self.pictures = pictures
        self.desk = parts.desk
        self._maintained: frozenset[str] | None = None
        self._configure()

    @classmethod
    def of_store(cls, store: Store, parts: Parts, pictures: Pictures) -> Self:
        """Those of the present: positions of alerts are as old as the store."""
        return cls(Hub(secrets.token_hex(3), _alerts_epoch(store)), parts, pictures)

    def tick(self, now_ms: int) -> None:
        """What time alone changes: ages, and which stations are in maintenance."""
        stations = frozenset(self.desk.maintenance(now_ms))
        if stations != self._maintained:
            series = self.parts.series.entries
            self.hub.set_maintenance(frozenset(o.device for o in series if o.station in stations))
            self._maintained = stations
        self.hub.tick(now_ms)

    def load_alerts(self, reader: StoreReader) -> list[dict[str, Any]]:
        """Take what earlier lives have stored; returns each alert in it as it last was."""
        with reader.connection() as connection:
            active = records.active(connection)
            last = records.last_position(connection)
            events = records.events_after(connection, max(0, last - EVENTS_KEPT), EVENTS_KEPT)
        self.hub.load_alerts(active, events, last)
        # Also what was over before the last end may still stand on its topic.
        return [*(event["alert"] for _, event in events), *active]

    def take(self, post: Post) -> None:
        """Show what the pipeline has committed."""
        for change in self._changes(post):
            self.show(change)

    def show(self, change: Change) -> None:
        """Show it, and tell those who follow."""
        self.pictures = change.pictures or self.pictures
        if change.parts is not None:
            self.parts = change.parts
            self._configure()
        if change.desk is not None:
            self.desk = change.desk
        if change.links:
            self.hub.set_links(change.links)
        for position, event in change.events:
            self.hub.publish(position, event)
        if len(change.newest):
            self.hub.apply(change.newest)
        for follow in tuple(self.followers):
            follow(change)

    def key(self, now_ms: int) -> Key:
        """All that is shown now."""
        state = self.hub.state
        slots = np.flatnonzero(state.shown & (state.t_ms != NEVER_MS))
        why = state.simulated[slots] * int(Why.SIMULATED) | state.bound[slots] * int(Why.BOUND)
        return Key(
            now_ms,
            self.parts.config,
            [series.key for series in self.parts.series.entries],
            Batch.of(slots, state.t_ms[slots], state.value[slots], state.flag[slots], why),
            dict(state.links),
            self.hub.alerts.active(EVERYTHING),
            self.hub.alerts.last,
            self.desk.snapshot(),
            self.pictures,
        )

    def become(self, key: Key, parts: Parts) -> None:
        """Show what a key says and nothing else; its series are numbered as in `parts`."""
        self.pictures, self.desk = key.pictures, Desk(key.desk)
        if parts.series is not self.parts.series:
            self.parts = parts
            self.hub.configure(parts.series, Batch.empty())
        self._maintained = None
        gone = dict.fromkeys(self.hub.state.links.keys() - key.links.keys())
        self.hub.set_links({**gone, **key.links})
        self.hub.restart(key.newest)
        log = self.hub.alerts
        if log.last != key.position or log.active(EVERYTHING) != list(key.alerts):
            self.hub.load_alerts([dict(each) for each in key.alerts], (), key.position)

    def _changes(self, post: Post) -> Iterator[Change]:
        """One after the other, each made when those before it are shown."""
        events: list[Event] = []
        links: dict[str, LinkState | None] = {}
        desk: Desk | None = None
        for news in post.news:
            if news.parts is not None:
                yield Change(links=links, events=events, desk=desk)
                yield Change(parts=news.parts)
                events, links, desk = [], {}, None
            outcome = news.outcome
            desk = outcome.desk or desk
            links |= _links(outcome.links, self.parts.registry)
            told = zip(news.positions, outcome.events, strict=True)
            events.extend((position, _said(event)) for position, event in told if event.told)
        # Values at the end: they may be of series that a configuration among the news has brought.
        yield Change(post.newest, links, events, desk, None, post.pictures)

    def _configure(self) -> None:
        parts = self.parts
        self._maintained = None  # a station may have got another device
        newest = parts.newest.take(parts.newest.t_ms >= 0)
        self.hub.configure(parts.series, newest, _links(parts.links, parts.registry))


def _said(event: AlertEvent) -> dict[str, Any]:
    """An event for the socket; each session leaves out who and why for all but officers."""
    person = {"who": event.who, "note": event.note}
    return records.event_body(event) | {name: word for name, word in person.items() if word}


def _alerts_epoch(store: Store) -> str:
    """Of the positions of alerts: as old as the store."""
    epoch = store.meta("alerts_epoch")
    if epoch is None:
        epoch = f"a{secrets.token_hex(3)}"
        store.set_meta("alerts_epoch", epoch)
    return str(epoch)


def _links(
    links: Mapping[str, DeviceState | None], registry: Registry
) -> dict[str, LinkState | None]:
    return {
        registry.root_device(device).id: None
        if state is None
        else LinkState(s=state.s, until=state.until)
        for device, state in links.items()
        if device in registry.devices
    }
