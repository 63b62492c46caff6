"""A watch with the world around it in miniature: a book, a broker, a clock that is set."""

from dataclasses import dataclass, field

import msgspec

from alerts.alert import AlertEvent
from alerts.book import AlertBook
from alerts.lifecycle import HOLDING, State
from alerts.notices import SELF_TEST, Said
from alerts.rules import RuleSet
from ingest.journal import Notice
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from songtien.selftest import Say
from songtien.watch import Draining, Facts, Watch
from tests.songtien.feed import BEGIN_MS, REGISTRY

TEST, ALERT = "r/v1/server/here/test", "r/v1/alerts/songtien-self-test/songtien/self-test"
DAY_S = 86_400
SIX_THIRTY = 6 * 60 + 30
# 2025-12-29 16:20 in Vietnam.
SIX_THIRTY_MS = BEGIN_MS - (9 * 60 + 50) * 60_000


def _book(snapshot: object = None) -> AlertBook:
    registry = parse_registry(REGISTRY, "stations.toml")
    return AlertBook(RuleSet(), SeriesTable.of(registry), registry, snapshot)  # type: ignore[arg-type]


@dataclass
class World:
    """`after(s)` lets seconds pass, a look each; what is said comes back unless it is cut.

    cut : "broker" swallows the message, "journal" the entries, "alerts" what the recipient
        should hear, "retained" only that the alert is over
    """

    from_ms: int = BEGIN_MS
    behind_s: float = 900.0
    at_minute: int | None = SIX_THIRTY
    now_ms: int = BEGIN_MS
    mono_s: float = 1000.0
    ready: bool = True
    cut: str = ""
    drain: Draining | None = None
    disk: tuple[int, int] | None = None
    channels: dict[str, str] = field(default_factory=dict)
    book: AlertBook = field(default_factory=_book)
    events: list[AlertEvent] = field(default_factory=list)
    entries: list[Notice] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new life of the service, with the book of the one before."""
        self.book = _book(self.book.snapshot())
        self.watch = Watch(
            behind_s=self.behind_s,
            self_test_minute=self.at_minute,
            test_topic=TEST,
            alert_topic=ALERT,
            said=self.book.notices(),
            from_ms=self.from_ms,
        )

    def connect(self) -> None:
        """The broker is there anew, and what stands on the alert's topic is said again."""
        self.watch.connected()
        if self.cut != "alerts":
            standing = [alert for alert in self.book.alerts() if alert["rule"] == SELF_TEST.id]
            if standing or self.cut != "retained":
                body = msgspec.json.encode(standing[0]) if standing else b""
                self.watch.heard([(ALERT, body)])

    def look(self) -> None:
        facts = Facts(self.now_ms, self.mono_s, self.ready, self.drain, self.disk, self.channels)
        for each in self.watch.step(facts):
            if isinstance(each, Say):
                self.messages.append(each.payload)
                if self.cut != "broker":
                    self.watch.heard([(TEST, each.payload)])
            else:
                self.entries.append(each)
                if self.cut != "journal":
                    self._stored(each)

    def after(self, seconds: float, *, looks: bool = True) -> "World":
        whole = int(seconds) if looks else 0
        for _ in range(whole):
            self.now_ms += 1000
            self.mono_s += 1.0
            self.look()
        self.now_ms += round((seconds - whole) * 1000)
        self.mono_s += seconds - whole
        return self

    def at(self, now_ms: int) -> "World":
        """Put both clocks to a time, unlooked at."""
        return self.after((now_ms - self.now_ms) / 1000, looks=False)

    @property
    def proven(self) -> bool:
        return self.watch.proven(self.now_ms)

    def said(self) -> list[tuple[str, str]]:
        """(raised or cleared, rule without its prefix) of all events so far."""
        return [(e.type.value, e.alert["rule"].removeprefix("songtien-")) for e in self.events]

    def _stored(self, entry: Notice) -> None:
        said = Said(entry.notice, entry.holding, entry.value, entry.limit, entry.t_ms, entry.detail)
        events = self.book.notice(said, self.now_ms)
        self.events.extend(events)
        self.watch.told(events)
        for event in events:
            holding = State(event.alert["state"]) in HOLDING
            if event.alert["rule"] == SELF_TEST.id and self.cut != "alerts":
                if holding:
                    self.watch.heard([(ALERT, msgspec.json.encode(event.alert))])
                elif self.cut != "retained":
                    self.watch.heard([(ALERT, b"")])
