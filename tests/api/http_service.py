"""A service for tests of the HTTP door: real registry, store and tokens; alerts in a dict."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import httpx

from alerts.alert import Acted, Action, Outcome
from alerts.rulesfile import parse_rules
from api.auth import AuthStore, Doorkeeper, TicketOffice
from api.http.app import create_app
from api.service import About, Accounting, Item, NotReady, Page, Service, Where
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from ingest.store import DeadLetter, Store, StoreReader

NOW_MS = 1_767_000_000_000
KEY = "vk-01/salinity_g_l"
ALERT_ID = "5f1a0c9be2d47788"

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
    pages_asked: list[tuple[Any, ...]] = field(default_factory=list)
    act_raises: Exception | None = None
    accounting: Accounting = field(
        default_factory=lambda: Accounting(10, {"stored": 7, "rejected": 1}, 2, {}, 1, 5, 4, 3, 0)
    )

    def __post_init__(self) -> None:
        path = Path(__file__).parents[2] / "songtien" / "defaults" / "stations.toml"
        self.registry = parse_registry(path.read_text("utf-8"), "stations.toml")
        self.series = SeriesTable.of(self.registry)
        self.store = Store(self.directory / "store.sqlite")
        self.reader = StoreReader(self.directory / "store.sqlite")
        self.tokens = AuthStore(self.directory / "auth.sqlite")
        self.doorkeeper = Doorkeeper(self.tokens, TicketOffice(), anonymous=True)
        self.items = [
            {"k": KEY, "v": 3.21, "t": NOW_MS - 10_000, "q": 1, "st": "live", "station": "vam-kenh"}
        ]
        self.alerts = {
            ALERT_ID: {
                "id": ALERT_ID,
                "ver": 3,
                "rule": "salinity-4",
                "k": KEY,
                "severity": "critical",
                "state": "unacked",
                "timeline": [
                    {"type": "noted", "at": NOW_MS, "who": "Nguyễn Văn A", "note": "đã gọi"}
                ],
            }
        }

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

    def put_dead_letters(self, *heads: bytes) -> None:
        with self.store.transaction():
            self.store.put_dead_letters(
                DeadLetter(NOW_MS, "tiengiang/v1/x", "not_json", "not JSON", len(head), head)
                for head in heads
            )

    def state(self, where: Where) -> tuple[list[Item], str]:
        self.state_calls += 1
        stations, kinds = where.get("station"), where.get("kind")
        kind_of = {one.key: one.kind for one in self.series.entries}
        found = [
            item
            for item in self.items
            if (not stations or item["station"] in stations)
            and (not kinds or kind_of[item["k"]] in kinds)
        ]
        return found, self.state_pos()

    def state_pos(self) -> str:
        return f"e.{self.position}"

    def page(
        self, state: str, from_ms: int | None, to_ms: int | None, after: str | None, limit: int
    ) -> Page:
        self.pages_asked.append((state, from_ms, to_ms, after, limit))
        return Page(list(self.alerts.values())[:limit], None)

    async def act(self, action: Action) -> Acted:
        if self.act_raises is not None:
            raise self.act_raises
        found = self.alerts.get(action.alert)
        if found is None or found["state"] == "normal":
            return Acted(Outcome.NOT_FOUND, None)
        if found["ver"] != action.ver:
            return Acted(Outcome.STALE, found)
        self.alerts[action.alert] = {**found, "ver": action.ver + 1, "state": "acked"}
        return Acted(Outcome.DONE, self.alerts[action.alert])

    def service(self) -> Service:
        rules = parse_rules(RULES, "rules.toml")
        return Service(
            about=About("0.1.0", "", 8081, demo=False, anonymous="viewer"),
            doorkeeper=self.doorkeeper,
            now_ms=lambda: self.now_ms,
            registry=lambda: self.registry,
            series=lambda: self.series,
            state=self.state,
            state_pos=self.state_pos,
            points=self.reader.points,
            windows=self.reader.windows,
            alerts=self.page,
            alert=self.alerts.get,
            act=self.act,
            rules=lambda: rules,
            dead_letters=self.reader.dead_letters,
            not_ready=lambda: self.reasons,
            accounting=lambda: self.accounting,
            pages=self.directory / "pages",
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
