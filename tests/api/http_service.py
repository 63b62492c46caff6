"""A service for tests of the HTTP door: real registry, store and tokens; alerts in a dict."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import anyio
import httpx
import msgspec

from alerts import entry_log, records
from alerts.alert import Act, Acted, Action, AlertEvent, EventType, Outcome
from alerts.desk import Desk
from alerts.entries import EnteredOutcome, Entering, logged
from alerts.records import Page
from alerts.rulesfile import parse_rules
from api.auth import AuthStore, Doorkeeper, TicketOffice
from api.http.app import create_app
from api.live.where import Where
from api.service import About, Accounting, AlertsAsked, Item, NotReady, Service
from ingest.archive import Archive
from ingest.history import StoreReader
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.store import DeadLetter, Store
from songtien.logbook import logbook

NOW_MS = 1_767_000_000_000
KEY = "vk-01/salinity_g_l"
ALERT_ID = "5f1a0c9be2d47788"
ALERT: Item = {
    "id": ALERT_ID,
    "ver": 1,
    "state": "unacked",
    "historic": False,
    "rule": "salinity-4",
    "k": KEY,
    "severity": "critical",
    "value": 4.1,
    "limit": 4.0,
    "t_since": NOW_MS - 1000,
}

RULES = """\
[[rule]]
id = "salinity-4"
quantity = "salinity_g_l"
severity = "critical"
stations = ["*"]
raise_above = 4.0
clear_below = 3.6
message_vi = "Mặn vượt 4 g/l"
message_en = "Salinity above 4 g/L"
source = "a limit"
"""


@dataclass
class World:
    """What the doubles answer; a test changes it as it goes."""

    directory: Path
    now_ms: int = NOW_MS
    position: int = 1
    items: list[Item] = field(default_factory=list)
    state_calls: int = 0
    reasons: list[NotReady] = field(default_factory=list)
    alerts: dict[str, Item] = field(default_factory=dict)
    act_raises: Exception | None = None
    faults: list[str] = field(default_factory=list)
    river: Item = field(default_factory=dict)
    bridges: Item = field(default_factory=dict)
    advice: dict[str, Item] = field(default_factory=dict)
    explained: dict[tuple[str, str, int], Item] = field(default_factory=dict)
    accounting: Accounting = field(
        default_factory=lambda: Accounting(10, {"stored": 7, "rejected": 1}, 2, {}, 1, 5, 4, 3, 0)
    )

    def __post_init__(self) -> None:
        path = Path(__file__).parents[2] / "songtien" / "defaults" / "stations.toml"
        self.registry = parse_registry(path.read_text("utf-8"), "stations.toml")
        self.desk = Desk()
        self.series = SeriesTable.of(self.registry)
        self.store = Store(self.directory / "store.sqlite")
        self.reader = StoreReader(self.directory / "store.sqlite")
        self.tokens = AuthStore(self.directory / "auth.sqlite")
        self.doorkeeper = Doorkeeper(self.tokens, TicketOffice(), anonymous=True)
        self.items = [
            {"k": KEY, "v": 3.21, "t": NOW_MS - 10_000, "q": 1, "st": "live", "station": "vam-kenh"}
        ]
        with self.store.transaction() as connection:
            for statement in (*records.SCHEMA.split(";"), *entry_log.SCHEMA.split(";")):
                connection.execute(statement)
        self.store.set_meta(entry_log.SINCE, self.now_ms)

    def close(self) -> None:
        self.reader.close()
        self.store.close()
        self.tokens.close()

    def token(self, role: str) -> dict[str, str]:
        """Headers of somebody with that role."""
        token, _ = self.tokens.create(f"the {role}", role, self.now_ms)
        return {"Authorization": f"Bearer {token}"}

    def put(self, key: str, rows: list[tuple[int, float, int]]) -> None:
        """Store readings (t_ms, value, flag) of a series."""
        t_ms, value, flag = zip(*rows, strict=True)
        batch = Batch.of([self.series.by_key[key]] * len(rows), t_ms, value, flag)
        with self.store.transaction():
            self.store.put_readings(batch, 1)
            self.store.put_change(batch, 0)

    def put_dead_letters(self, *heads: bytes) -> None:
        with self.store.transaction():
            self.store.put_dead_letters(
                DeadLetter(NOW_MS, "tiengiang/v1/x", "not_json", "not JSON", len(head), head)
                for head in heads
            )

    def items_json(self, where: Where) -> bytes:
        self.state_calls += 1
        kind_of = {one.key: one.kind for one in self.series.entries}
        found = [
            item
            for item in self.items
            if where.matches({"station": (item.get("station", ""),), "kind": (kind_of[item["k"]],)})
        ]
        return msgspec.json.encode(found)

    def page(self, asked: AlertsAsked) -> Page:
        with self.reader.connection() as connection:
            return records.page(connection, *asked)

    def alert(self, alert: str) -> Item | None:
        with self.reader.connection() as connection:
            return records.one(connection, alert)

    def put_alert(self, kind: EventType, who: str | None = None, **changes: Any) -> Item:
        """Store an event of an alert, as the processor does; gives the alert."""
        alert = {**ALERT, **self.alerts.get(changes.get("id", ALERT_ID), {}), **changes}
        self.alerts[alert["id"]] = alert
        note = None if who is None else "đã gọi người trực"
        told = not alert["historic"]
        event = AlertEvent(kind, alert, NOW_MS, told, who, note, {"flag": 1}, notify=told)
        with self.store.transaction() as connection:
            records.write(connection, [event])
        return alert

    async def act(self, action: Action) -> Acted:
        if self.act_raises is not None:
            raise self.act_raises
        found = self.alerts.get(action.alert)
        if found is None or found["state"] == "normal":
            return Acted(Outcome.NOT_FOUND, None)
        if found["ver"] != action.ver:
            return Acted(Outcome.STALE, found)
        if action.act is Act.SHELVE and action.until_ms != NOW_MS + 3_600_000:
            return Acted(Outcome.NO_END, found)
        kind, changes = self.done_by[action.act]
        if action.act is Act.SHELVE:
            changes = {"shelved_until": action.until_ms, "shelved_why": action.note}
        ver = action.ver + 1
        alert = self.put_alert(kind, action.who, id=action.alert, ver=ver, **changes)
        return Acted(Outcome.DONE, alert)

    done_by: ClassVar[dict[Act, tuple[EventType, Item]]] = {
        Act.ACK: (EventType.ACKED, {"state": "acked"}),
        Act.NOTE: (EventType.NOTED, {}),
        Act.SHELVE: (EventType.SHELVED, {}),
        Act.UNSHELVE: (EventType.UNSHELVED, {}),
    }

    async def enter(self, entering: Entering) -> EnteredOutcome:
        if self.act_raises is not None:
            raise self.act_raises
        outcome = self.desk.enter(entering, self.registry, self.now_ms)
        entry = logged(entering.what, entering.subject, outcome, self.now_ms)
        if entry is not None:
            with self.store.transaction() as connection:
                entry_log.write(connection, entry)
        return outcome

    async def reload(self) -> list[str]:
        if self.act_raises is not None:
            raise self.act_raises
        return self.faults

    def service(self) -> Service:
        rules = parse_rules(RULES, "rules.toml")
        archive = Archive(self.reader)
        return Service(
            about=About("0.1.0", "", 8081, demo=False, anonymous="viewer"),
            doorkeeper=self.doorkeeper,
            now_ms=lambda: self.now_ms,
            registry=lambda: self.registry,
            series=lambda: self.series,
            items_json=self.items_json,
            items_pos=lambda: f"e.{self.position}",
            points=archive.points,
            windows=archive.windows,
            alerts=self.page,
            alert=self.alert,
            act=self.act,
            enter=self.enter,
            desk=lambda: self.desk.picture(self.now_ms),
            rules=lambda: rules,
            reload=self.reload,
            dead_letters=self.reader.dead_letters,
            not_ready=lambda: self.reasons,
            accounting=lambda: self.accounting,
            pages=self.directory / "pages",
            river=lambda: self.river,
            bridges=lambda: self.bridges,
            advice=lambda: self.advice,
            explain=lambda *asked: self.explained.get(asked),
            logbook=logbook(self.reader),
        )


@asynccontextmanager
async def client_of(world: World, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app over the world; `changes` replace fields of its `Service`."""
    app = create_app(replace(world.service(), **changes))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        yield client


def with_client(
    world: World, story: Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]], **changes: Any
) -> None:
    """Run a test's story against the app."""

    async def told() -> None:
        async with client_of(world, **changes) as client:
            await story(client)

    anyio.run(told)


def get(
    world: World, url: str, headers: dict[str, str] | None = None, **changes: Any
) -> httpx.Response:
    """One GET against a fresh app."""
    return ask(world, "GET", url, headers=headers, **changes)


def ask(
    world: World,
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    **changes: Any,
) -> httpx.Response:
    """One request against a fresh app."""
    answers = []

    async def story(client: httpx.AsyncClient) -> None:
        answers.append(
            await client.request(method, url, headers=headers, json=json, content=content)
        )

    with_client(world, story, **changes)
    return answers[0]
