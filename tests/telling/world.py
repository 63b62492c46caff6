"""An outbox in a real store, people who follow, and telling on it, on a clock that is set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts.farmers import outbox
from alerts.farmers.notice import ANY_LEVEL, Kind, Notice, Wants
from alerts.farmers.parcel import Answer, Form, Parcel, Text, Verdict
from alerts.farmers.person import Follow, Person, Quiet
from alerts.farmers.place import Place
from alerts.farmers.restraint import GROUP_MS, Permitted
from api.people.vault import VaultError
from ingest.history import StoreReader
from ingest.store import Store
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.courier import Courier, Manner
from songtien.telling.deliveries import Deliveries
from songtien.telling.delivery import Delivery
from songtien.telling.figures import Figures
from songtien.telling.planner import Allowance, Planner

# 2026-03-02 09:00 in Vietnam.
BEGIN_MS = 1_772_416_800_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
ALL = Wants.SALT | Wants.FRESH | Wants.WINDOWS | Wants.SILENT | Wants.BULLETIN
HERE, THERE = Place("xuan-hoa", "river"), Place("long-hai", "river")
LEVEL = 500
FOLLOWS = tuple(Follow(place, "durian", LEVEL, ALL) for place in (HERE, THERE))


def notice(
    kind: Kind = Kind.SALT, at_ms: int = BEGIN_MS, place: Place = HERE, **changes: Any
) -> Notice:
    level = ANY_LEVEL if kind in (Kind.SILENT, Kind.HEARD, Kind.BULLETIN) else LEVEL
    said: dict[str, Any] = {"level_mg_l": level, "since_ms": at_ms, "event": "spell-1"}
    said |= {"reach": "", "body": {"place_vi": "Xuân Hòa", "until_ms": at_ms + HOUR_MS}}
    return Notice(kind, place, at_ms=at_ms, **(said | changes))


def words(
    delivery: Delivery, notices: tuple[Notice, ...], person: Person, form: Form, now_ms: int
) -> Text:
    """What a test reads off."""
    del form, now_ms
    said = [f"{each.kind.value} {each.place}" for each in notices]
    direct = f"{delivery.kind} {dict(delivery.said)}" if delivery.direct else ""
    return Text("", f"{person.id}: {direct}{', '.join(said)}")


@dataclass
class Folk:
    """Whoever is asked for exists, unless he is among those who left."""

    left: set[int] = field(default_factory=set)
    damaged: set[int] = field(default_factory=set)
    quiet: dict[int, Quiet] = field(default_factory=dict)
    follows: dict[int, tuple[Follow, ...]] = field(default_factory=dict)
    channel_of: Callable[[int], str] = lambda _id: "sms"
    gone_said: list[int] = field(default_factory=list)

    def person(self, id: int, now_ms: int) -> Person | None:  # noqa: A002 - as it is called
        del now_ms
        if id in self.left:
            return None
        if id in self.damaged:
            raise VaultError("what is stored does not open: it was changed, or moved")
        follows = self.follows.get(id, FOLLOWS)
        address = f"+8490{id:07}"
        return Person(
            id, self.channel_of(id), address, "vi", f"token-{id}", self.quiet.get(id), follows
        )

    def gone(self, id: int, now_ms: int) -> None:  # noqa: A002 - as it is called
        del now_ms
        self.gone_said.append(id)
        self.left.add(id)


class Told:
    """A channel that remembers; `answers` is asked for each parcel, TAKEN by default."""

    kind = "file"
    form = Form.SMS

    def __init__(self, name: str = "sms") -> None:
        self.name = name
        self.parcels: list[Parcel] = []
        self.answers: Callable[[Parcel], Answer] = lambda parcel: Answer(
            Verdict.TAKEN, "", f"ref-{parcel.key}"
        )

    def send(self, parcel: Parcel) -> Answer:
        self.parcels.append(parcel)
        return self.answers(parcel)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def texts(self) -> list[str]:
        return [each.text.body for each in self.parcels]


def channel_settings(name: str = "sms", **changes: Any) -> ChannelSettings:
    said: dict[str, Any] = {"kind": "file", "rate_per_s": 1000.0, "timeout_s": 2.0}
    said |= {"budget_per_month": None, "cost_per_part": 300}
    return ChannelSettings(name, **(said | changes))


class World:
    """Stepped by hand: `later(ms)` lets time pass, `run()` does all that is to be done now."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.now_ms = BEGIN_MS
        self.store = Store(directory / "store.sqlite")
        self.store.prepare(outbox.create)
        self.reader = StoreReader(directory / "store.sqlite")
        self.people = Folk()
        self.channel = Told()
        self.settings = channel_settings(**settings)
        self.permits: Permitted | None = None
        self.words: Callable[..., Text] = words
        self.group_ms = GROUP_MS
        self.start()

    def start(self) -> None:
        """A new life on the same files."""
        self.deliveries = Deliveries(self.directory / "telling.sqlite")
        self.telling_reader = StoreReader(self.directory / "telling.sqlite")
        self.figures = Figures(self.telling_reader)
        self.planner = Planner(
            self.deliveries,
            self.reader,
            self.people,
            [Allowance(self.settings.name, self.settings.budget_per_month)],
            clock_ms=lambda: self.now_ms,
            permitted=lambda: self.permits,
            group_ms=self.group_ms,
        )
        self.courier = Courier(
            self.settings,
            self.channel,
            self.deliveries,
            self.people,
            lambda *said: self.words(*said),  # noqa: PLW0108 - a test changes it
            clock_ms=lambda: self.now_ms,
            mono_s=lambda: self.now_ms / 1000,
            chance=lambda: 0.0,
            manner=Manner(page="https://tien.vn/nong-dan"),
        )

    def restart(self) -> None:
        self.end()
        self.start()

    def end(self) -> None:
        self.telling_reader.close()
        self.deliveries.close()

    def close(self) -> None:
        self.end()
        self.reader.close()
        self.store.close()

    def tell(self, *notices: Notice, people: Sequence[int] = (1,)) -> None:
        """Store notices with a row for each person, as the pipeline does."""
        followers = [(each, self.people.channel_of(each)) for each in people]
        with self.store.transaction() as connection:
            outbox.write(connection, [(each, followers) for each in notices])

    def later(self, ms: int) -> None:
        self.now_ms += ms

    def plan(self) -> None:
        while self.planner.step():
            pass

    def send(self, at_most: int = 10_000) -> None:
        """All that may go at this moment."""
        for _ in range(at_most):
            if self.courier.step() > 0:
                # The rate is of a clock that stands still here: a moment for each message.
                if self.courier.breaker.wait_ms(self.now_ms) or not self._is_due():
                    return
                self.now_ms += 1

    def _is_due(self) -> bool:
        return self.deliveries.next_due(self.settings.name, self.now_ms) is not None

    def run(self) -> None:
        self.plan()
        self.send()

    def minutes(self, number: int) -> None:
        """So many minutes pass, with all that is done in them."""
        for _ in range(number):
            self.run()
            self.later(MINUTE_MS)
        self.run()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.telling_reader.connection() as connection:
            return connection.execute(sql).fetchall()

    def states(self) -> list[tuple[str, str]]:
        """(state, why) of each delivery, in the order in which they were made."""
        return self.rows("SELECT state, why FROM delivery ORDER BY id")
