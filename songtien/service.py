"""The service, wired in one straight line and closed in reverse.

    broker -> intake (thread) -> journal -> pipeline (thread) -> store
                                               |
                               mailbox -> hub -> live socket, HTTP, MQTT

The servers, the clocks and the watch over the threads are siblings in one TaskGroup: if
one dies the process dies, so that what has stopped ingesting does not stay green.
"""

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvicorn

from alerts import records
from alerts.alert import AlertEvent
from api import service as door
from api.auth import AuthStore, Doorkeeper, Principal, TicketOffice
from api.http.app import create_app
from api.live.acks import acknowledger
from api.live.frames import AlertAck
from api.live.hub import Hub, LinkState
from api.live.origin import Origins
from api.live.server import LiveServer
from api.live.session import Refused
from ingest import takeovers, topics
from ingest.broker import Subscription
from ingest.history import StoreReader
from ingest.intake import Intake
from ingest.journal import Config, Journal
from ingest.mqtt import Broker
from ingest.payload import DeviceState
from ingest.store import Store
from songtien import datadir
from songtien.announce import Announcer
from songtien.configuration import read_config
from songtien.doors import Actions, AlertRecords
from songtien.health import Health
from songtien.historian import archive, historian
from songtien.mailbox import Mailbox, Post
from songtien.outside import (
    Addresses,
    bound,
    broker_address,
    clock_ms,
    host_id,
    said_by_us,
    server_state,
)
from songtien.pipeline import News, Pipeline
from songtien.settings import Settings
from songtien.watching import heard_back, watching

log = logging.getLogger(__name__)

CLOSE_WITHIN_S = 10.0
HTTP_CLOSE_WITHIN_S = 3
HTTP_TASK = "http"
EVENTS_KEPT = 10_000
PAGES = Path(__file__).resolve().parent.parent / "api" / "pages"


@asynccontextmanager
async def running(settings: Settings, *, demo: bool = False) -> AsyncIterator["Service"]:
    """A service that takes readings and answers, until the block is left.

    Raises ConfigError where it can't start as configured. An exception inside any part
    ends the block as an exception group.
    """
    config = read_config(settings)
    with ExitStack() as files:
        paths = files.enter_context(datadir.held(settings.data.dir))
        service = Service(settings, config, paths, files, demo=demo)
        async with AsyncExitStack() as closing:
            group = await closing.enter_async_context(asyncio.TaskGroup())
            closing.push_async_callback(service.close)
            await service.start(group)
            yield service


class Service:
    """The parts, made in the order in which they depend on each other."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        paths: datadir.Files,
        files: ExitStack,
        *,
        demo: bool,
    ) -> None:
        self.settings = settings
        self._loop = asyncio.get_running_loop()
        self._dead: asyncio.Future[None] = self._loop.create_future()
        self._config = config
        self.broker_met = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._threads: list[threading.Thread] = []
        self.http: uvicorn.Server | None = None
        host = host_id()

        self.journal = Journal(paths.journal, clock_ms)
        files.callback(self.journal.close)
        store = Store(paths.store)
        files.callback(store.close)
        self.pipeline = Pipeline(
            self.journal,
            store,
            root=settings.mqtt.root,
            clock_ms=clock_ms,
            journal_days=settings.data.journal_days,
            window_days=settings.store.window_days,
        )
        self._recover()
        reader = StoreReader(paths.store)
        files.callback(reader.close)
        self.historian = historian(settings.store, store, reader, self.pipeline, clock_ms)
        if self.historian is not None:
            files.callback(self.historian.close)
        history = archive(reader, self.historian)

        self.hub = Hub(secrets.token_hex(3), _alerts_epoch(store))
        self.mailbox = Mailbox(self._loop, self._take)
        client_mark = takeovers.mark(settings.mqtt.client_id)
        self.broker = Broker(
            broker_address(settings.mqtt),
            Subscription(
                topics=topics.subscription(settings.mqtt.root),
                own=topics.canary_topic(settings.mqtt.root, host),
                also=heard_back(settings.mqtt.root, host),
                state_topic=topics.server_state_topic(settings.mqtt.root, host),
                ready=lambda: server_state("ready", client_mark, demo=demo),
                lost=lambda: server_state("lost", client_mark, demo=demo),
                mark=client_mark,
            ),
            self._broker_changed,
            self._died_elsewhere,
        )
        self.announcer = Announcer(
            self.broker,
            root=settings.mqtt.root,
            host=host,
            registry=lambda: self.parts.registry,
            clock_ms=clock_ms,
        )
        self.intake = Intake(
            self.journal,
            self.broker.deliveries,
            busy=lambda: self.pipeline.busy,
            ignored=said_by_us(settings.mqtt.root),
            appended=lambda _position: self.pipeline.wake(),
        )
        self.actions = Actions(self.journal, self.pipeline.wake)
        self.accounts = AuthStore(paths.auth)
        files.callback(self.accounts.close)
        self.http_socket = bound("http", settings.http.host, settings.http.port)
        files.callback(self.http_socket.close)
        self.http_port: int = self.http_socket.getsockname()[1]
        keeper = Doorkeeper(self.accounts, TicketOffice(), settings.auth.anonymous == "viewer")
        self.live = LiveServer(
            self.hub,
            lambda shown: keeper.by_token_or_ticket(shown, clock_ms()),
            self._acknowledge,
            origins=Origins.of(settings.live.origins, self.http_port),
        )
        self.watching = watching(
            settings,
            host,
            clock_ms=clock_ms,
            journal=self.journal,
            pipeline=self.pipeline,
            broker=self.broker,
            historian=self.historian,
            ready=lambda: not self.health.not_ready(),
            on_death=self._died_elsewhere,
        )
        self.health = Health(
            self.broker,
            self.announcer,
            self.intake,
            self.journal,
            self.pipeline,
            self.hub,
            self.live,
            self.historian,
            self.watching,
        )
        self._load_alerts(reader)
        alerts = AlertRecords(reader)
        self.doors = partial(
            door.Service,
            doorkeeper=keeper,
            now_ms=clock_ms,
            registry=lambda: self.parts.registry,
            series=lambda: self.parts.series,
            items_json=self.hub.items_json,
            items_pos=lambda: self.hub.position,
            points=history.points,
            windows=history.windows,
            alerts=alerts.page,
            alert=alerts.one,
            act=self.actions.act,
            rules=lambda: self.parts.rules,
            dead_letters=reader.dead_letters,
            not_ready=self.health.not_ready,
            accounting=self.health.accounting,
            pages=PAGES,
        )
        self._demo = demo

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start what runs. Returns when both doors are open."""
        self.hub.tick(clock_ms())
        listening: asyncio.Future[int] = self._loop.create_future()
        live = self.settings.live
        bound("live", live.host, live.port).close()  # a port in use is told in the same words
        self._run(group, self.live.serve(live.host, live.port, bound=listening), "live socket")
        self.live_port = await listening
        about = door.About(
            version=version("songtien"),
            live_url=live.public_url or "",
            live_port=self.live_port,
            demo=self._demo,
            anonymous=self.settings.auth.anonymous,
        )
        self.door = self.doors(about=about)
        self.http = uvicorn.Server(
            uvicorn.Config(
                create_app(self.door),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=HTTP_CLOSE_WITHIN_S,
            )
        )
        # Signals are the command line's; uvicorn would take them for itself.
        self.http.capture_signals = _no_signals  # type: ignore[method-assign]
        self._run(group, self.http.serve(sockets=[self.http_socket]), HTTP_TASK)
        self._run(group, self._watch(), "watch over threads")
        self._run(group, self._tick(), "clock of the screens")
        self._run(group, self.announcer.keep_saying(), "canary and acks")
        self._run(group, self.watching.run(), "watch over the service")
        self._threads = [
            self._thread("intake", self.intake.run),
            self._thread("pipeline", lambda: self.pipeline.run(self._tell)),
        ]
        if self.historian is not None:
            self._threads.append(self._thread("drain", self.historian.drain.run))
        self.broker.start()

    async def close(self) -> None:
        """Close in reverse: the doors, the broker, what came from it, then the state.

        Also where the start went wrong half-way.
        """
        if self.http is not None:
            self.http.should_exit = True
        for task in self._tasks:
            if task.get_name() != HTTP_TASK:
                task.cancel()
        try:
            await asyncio.to_thread(self.watching.stop)
            if self._threads:
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await asyncio.to_thread(self.broker.stop)
        finally:
            # Waited for without a bound of ours: each ends with the entry or the write that it
            # is at, and files that were closed under a thread would crash the process.
            stops = [self.intake.stop, self.pipeline.stop]
            if self.historian is not None:
                self.historian.drain.stop()
                stops.append(self.historian.drain.stop)
            for stop, thread in zip(stops, self._threads, strict=False):
                stop()
                await asyncio.to_thread(thread.join)
        if self._tasks:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await asyncio.wait(self._tasks)

    def reload(self) -> None:
        """Put the registry and the rules in force anew. Raises ConfigError, changing nothing."""
        config = read_config(self.settings)
        if config != self._config:
            self.journal.append(config)
            self._config = config
            self.pipeline.wake()

    @property
    def addresses(self) -> Addresses:
        host = self.settings.http.host
        shown = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - a comparison
        return Addresses(
            http=f"http://{shown}:{self.http_port}/",
            live=self.settings.live.public_url or f"ws://{shown}:{self.live_port}/live",
            broker=str(self.broker.address),
        )

    def _recover(self) -> None:
        """Come to the state that the store has committed, and to a configuration."""
        begun = time.monotonic()
        stepped = self.pipeline.catch_up()
        if stepped:
            took_s = round(time.monotonic() - begun, 3)
            log.info("state rebuilt", extra={"entries": stepped, "took_s": took_s})
        entries = self.journal.after(self.pipeline.position, 1)
        if self.pipeline.processor.config is None and entries:
            self.pipeline.commit(entries)
        # Also where nothing has changed: the entry says that we listen again from here on.
        position = self.journal.append(self._config)
        if self.pipeline.processor.config is None:
            self.pipeline.commit(self.journal.after(position - 1, 1))
        self.parts = self.pipeline.parts()
        for warning in self.parts.registry.warnings():
            log.warning("registry", extra={"warning": warning})

    def _load_alerts(self, reader: StoreReader) -> None:
        with reader.connection() as connection:
            active = records.active(connection)
            last = records.last_position(connection)
            events = records.events_after(connection, max(0, last - EVENTS_KEPT), EVENTS_KEPT)
        self._configure_hub()
        self.hub.load_alerts(active, events, last)
        # Also what was over before the last end may still stand on its topic.
        told = [event["alert"] for _, event in events]
        self.announcer.begin(self.pipeline.processor.sequencer.acks(), [*told, *active])

    def _configure_hub(self) -> None:
        newest = self.parts.newest
        self.hub.configure(
            self.parts.series, newest.take(newest.t_ms >= 0), self._links(self.parts.links)
        )

    def _tell(self, news: News) -> None:
        """What the pipeline has committed, on its thread."""
        self.mailbox.tell(news)
        if self.historian is not None:
            self.historian.drain.wake()

    def _take(self, post: Post) -> None:
        """What the pipeline has committed, on the loop."""
        self.hub.apply(post.newest)
        for news in post.news:
            outcome = news.outcome
            if news.parts is not None:
                self.parts = news.parts
                self._configure_hub()
            if outcome.links:
                self.hub.set_links(self._links(outcome.links))
            for position, event in zip(news.positions, outcome.events, strict=True):
                if event.told:
                    self.hub.publish(position, _said(event))
            self.watching.told(outcome.events)
            self.watching.heard(outcome.echoes)
            self.announcer.settle(news.acks)
            self.announcer.tell(outcome.events)
            if outcome.canaries:
                self.announcer.heard(outcome.canaries)
            if outcome.reply is not None:
                self.actions.answer(*outcome.reply)

    def _links(self, links: dict[str, Any]) -> dict[str, LinkState | None]:
        registry = self.parts.registry
        found: dict[str, LinkState | None] = {}
        for device, state in links.items():
            if device in registry.devices:
                found[registry.root_device(device).id] = _link_state(state)
        return found

    async def _acknowledge(self, principal: Principal, ack: AlertAck) -> dict[str, Any] | Refused:
        # The doors know the live socket's port, so they are made after it.
        return await acknowledger(self.door)(principal, ack)

    def _broker_changed(self, connected: bool) -> None:  # noqa: FBT001 - its only argument
        if connected:
            self._loop.call_soon_threadsafe(self.announcer.connected)
            self._loop.call_soon_threadsafe(self.watching.connected)
            self._loop.call_soon_threadsafe(self.broker_met.set)

    def _run(self, group: asyncio.TaskGroup, work: Any, name: str) -> None:
        self._tasks.append(group.create_task(work, name=name))

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                self._died_elsewhere(error)
                raise

        thread = threading.Thread(target=run, name=name)
        thread.start()
        return thread

    def _died_elsewhere(self, error: BaseException) -> None:
        """On any thread."""
        self._loop.call_soon_threadsafe(self._died, error)

    def _died(self, error: BaseException) -> None:
        if not self._dead.done():
            self._dead.set_exception(error)

    async def _watch(self) -> None:
        await self._dead

    async def _tick(self) -> None:
        """Ages on the screens, which change without any data."""
        while True:
            await asyncio.sleep(1.0)
            self.hub.tick(clock_ms())


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


def _link_state(state: DeviceState | None) -> LinkState | None:
    if state is None:
        return None
    return LinkState(s=state.s, until=state.until)


@contextmanager
def _no_signals() -> Iterator[None]:
    yield
