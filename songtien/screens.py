"""What screens are shown of what is stored: the hub, filled at the start and kept up."""

import secrets
from collections.abc import Mapping
from typing import Any

from alerts import records
from alerts.alert import AlertEvent
from api.live.hub import Hub, LinkState
from ingest.history import StoreReader
from ingest.payload import DeviceState
from ingest.registry import Registry
from ingest.store import Store
from songtien.mailbox import Post
from songtien.pipeline import Parts, Pictures

EVENTS_KEPT = 10_000


class Screens:
    """The hub, on the event loop. `parts` is what is in force, `pictures` what is formed."""

    def __init__(self, store: Store, parts: Parts, pictures: Pictures) -> None:
        self.hub = Hub(secrets.token_hex(3), _alerts_epoch(store))
        self.parts = parts
        self.pictures = pictures
        self.desk = parts.desk
        self._maintained: frozenset[str] | None = None
        self._configure()

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
        self.pictures = post.pictures or self.pictures
        for news in post.news:
            if news.parts is not None:
                self.parts = news.parts
                self._configure()
            if news.outcome.desk is not None:
                self.desk = news.outcome.desk
            if news.outcome.links:
                self.hub.set_links(_links(news.outcome.links, self.parts.registry))
            for position, event in zip(news.positions, news.outcome.events, strict=True):
                if event.told:
                    self.hub.publish(position, _said(event))
        # At the end: they may be of series that a configuration among the news has brought.
        self.hub.apply(post.newest)

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
