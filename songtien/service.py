"""The service, wired in one straight line and closed in reverse.

    broker -> intake (thread) -> journal -> pipeline (thread) -> store
                                               |
                               mailbox -> hub -> live socket, HTTP, MQTT

The servers, the clocks and the watch over the threads are siblings in one TaskGroup: if
one dies the process dies, so that what has stopped ingesting does not stay green.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from api import service as door
from api.auth import AuthStore, Principal
from api.http.app import create_app
from api.live.frames import AlertCall
from api.live.orders import carrying_out
from api.live.origin import Origins
from api.live.server import LiveServer
from api.live.terms import Refused
from ingest import takeovers, topics
from ingest.broker import Subscription
from ingest.history import StoreReader
from ingest.intake import Intake
from ingest.journal import Config, Journal
from ingest.store import Store
from songtien import datadir
from songtien.announce import Announcer
from songtien.configuration import read_config
from songtien.doors import Actions, AlertRecords, about, doorkeeper, explainer, reloaded
from songtien.farming import Farming
from songtien.health import Health
from songtien.historian import archive, historian
from songtien.http_server import HttpServer
from songtien.logbook import logbook
from songtien.mailbox import Mailbox, Post
from songtien.news import News
from songtien.outside import (
    Addresses,
    Outside,
    bound,
    broker_address,
    host_id,
    said_by_us,
    server_state,
)
from songtien.pipeline import Pipeline
from songtien.rewind.rewinds import Past
from songtien.screens import Screens
from songtien.settings import Settings
from songtien.threads import Threads
from songtien.watching import heard_back, watching
from songtien.webhooks import Webhooks, outside

log = logging.getLogger(__name__)

CLOSE_WITHIN_S = 10.0
HTTP_TASK = "http"
PAGES = Path(__file__).resolve().parent.parent / "api" / "pages"


@asynccontextmanager
async def running(
    settings: Settings, *, demo: bool = False, world: Outside | None = None
) -> AsyncIterator["Service"]:
    """A service that takes readings and answers, until the block is left.

    world : another clock or broker than the machine's and the configured one
    Raises ConfigError where it can't start as configured. An exception inside any part
    ends the block as an exception group.
    """
    config = read_config(settings)
    with ExitStack() as files:
        paths = files.enter_context(datadir.held(settings.data.dir))
        service = Service(settings, config, paths, files, world or Outside(), demo=demo)
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
        world: Outside,
        *,
        demo: bool,
    ) -> None:
        self.settings = settings
        self.clock_ms = clock_ms = world.clock_ms
        self._loop = asyncio.get_running_loop()
        self.threads = Threads()
        self._config = config
        self.broker_met = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        host = host_id()

        self.journal = Journal(paths.journal, clock_ms)
        files.callback(self.journal.close)
        store = Store(paths.store)
        files.callback(store.close)
        self.farming = Farming(settings, paths, files, clock_ms)
        self.pipeline = Pipeline(
            self.journal,
            store,
            root=settings.mqtt.root,
            clock_ms=clock_ms,
            journal_days=settings.data.journal_days,
            window_days=settings.store.window_days,
            audience=self.farming.audience.of,
        )
        self._recover()
        self.reader = reader = StoreReader(paths.store)
        files.callback(reader.close)
        self.historian = historian(settings.store, store, reader, self.pipeline, clock_ms)
        if self.historian is not None:
            files.callback(self.historian.close)
        history = archive(reader, self.historian)

        self.screens = Screens.of_store(store, self.pipeline.parts(), self.pipeline.pictures())
        self.hub = self.screens.hub
        self.past = past = Past(self.screens, reader, paths.wall, settings.rewind, clock_ms)
        files.callback(past.close)
        self.mailbox = Mailbox(self._loop, self._take)
        client_mark = takeovers.mark(settings.mqtt.client_id)
        self.broker = world.meet(
            broker_address(settings.mqtt),
            Subscription(
                topics=topics.subscription(settings.mqtt.root),
                own=topics.canary_topic(settings.mqtt.root, host),
                also=heard_back(settings.mqtt.root, host),
                state_topic=topics.server_state_topic(settings.mqtt.root, host),
                ready=lambda: server_state("ready", clock_ms(), client_mark, demo=demo),
                lost=lambda: server_state("lost", clock_ms(), client_mark, demo=demo),
                mark=client_mark,
            ),
            self._broker_changed,
            self.threads.died,
        )
        self.announcer = Announcer(
            self.broker,
            root=settings.mqtt.root,
            host=host,
            registry=lambda: self.screens.parts.registry,
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
        self.accounts = AuthStore(paths.auth, audit_days=settings.auth.audit_days)
        files.callback(self.accounts.close)
        self.http = HttpServer(settings.http)
        files.callback(self.http.close)
        keeper = doorkeeper(settings, self.accounts)
        self.live = LiveServer(
            self.hub,
            lambda shown: keeper.by_token_or_ticket(shown, clock_ms()),
            self._carry_out,
            origins=Origins.of(settings.live.origins, self.http.port),
            rewinds=past.rewinds,
            ended=lambda credentials: keeper.ended(credentials, clock_ms()),
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
            on_death=self.threads.died,
            channels=lambda: self.telling.trouble,
        )
        self.webhooks = Webhooks(
            settings.webhooks,
            reader,
            paths.webhooks,
            version=version("songtien"),
            clock_ms=clock_ms,
            on_death=self.threads.died,
        )
        files.callback(self.webhooks.close)
        self.telling, officers_view = self.farming.senders(
            files, reader, self.screens, self.threads.died
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
            self.past,
            self.watching,
            self.webhooks,
            self.telling,
        )
        told = self.screens.load_alerts(reader)
        acks, advice = self.pipeline.processor.sequencer.acks(), self.screens.pictures.advice
        self.announcer.begin(acks, told, advice)
        alerts = AlertRecords(reader)
        self.doors = partial(
            door.Service,
            doorkeeper=keeper,
            now_ms=clock_ms,
            registry=lambda: self.screens.parts.registry,
            series=lambda: self.screens.parts.series,
            items_json=self.hub.items_json,
            items_pos=lambda: self.hub.position,
            points=history.points,
            windows=history.windows,
            alerts=alerts.page,
            alert=alerts.one,
            act=self.actions.act,
            enter=self.actions.enter,
            desk=lambda: self.screens.desk.picture(clock_ms()),
            rules=lambda: self.screens.parts.rules,
            reload=partial(reloaded, self.reload),
            river=lambda: self.screens.pictures.river,
            bridges=lambda: self.screens.pictures.bridges,
            advice=lambda: self.screens.pictures.advice,
            reach=past.rewinds.reach,
            then=past.rewinds.then,
            explain=explainer(reader, history, lambda: self.screens.parts),
            logbook=logbook(reader),
            dead_letters=reader.dead_letters,
            not_ready=self.health.not_ready,
            accounting=self.health.accounting,
            pages=PAGES,
            outside=outside(replace(settings.cap, demo=demo), reader, self.webhooks),
            farmers=self.farming.door(self.screens, officers_view),
        )
        self._demo = demo

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start what runs. Returns when both doors are open."""
        self.screens.tick(self.clock_ms())
        listening: asyncio.Future[int] = self._loop.create_future()
        live = self.settings.live
        bound("live", live.host, live.port).close()  # a port in use is told in the same words
        self._run(group, self.live.serve(live.host, live.port, bound=listening), "live socket")
        self.live_port = await listening
        self.door = self.doors(about=about(self.settings, self.live_port, demo=self._demo))
        self._run(group, self.http.serve(create_app(self.door)), HTTP_TASK)
        self._run(group, self.threads.watch(), "watch over threads")
        self._run(group, self._tick(), "clock of the screens")
        self._run(group, self.announcer.keep_saying(), "canary and acks")
        self._run(group, self.watching.run(), "watch over the service")
        self._run(group, self.farming.sweep(), "what people no longer want kept")
        self.threads.start("intake", self.intake.run, self.intake.stop)
        self.threads.start("pipeline", partial(self.pipeline.run, self._tell), self.pipeline.stop)
        self.past.recorder.beat()
        self.threads.start("recorder", self.past.recorder.run, self.past.recorder.stop)
        if self.historian is not None:
            drain = self.historian.drain
            self.threads.start("drain", drain.run, drain.stop)
        self.webhooks.start()
        self.telling.start()
        self.broker.start()

    async def close(self) -> None:
        """Close in reverse: the doors, the broker, what came from it, then the state.

        Also where the start went wrong half-way.
        """
        self.http.end()
        for task in self._tasks:
            if task.get_name() != HTTP_TASK:
                task.cancel()
        try:
            await asyncio.to_thread(self.watching.stop)
            await asyncio.to_thread(self.webhooks.stop)
            await asyncio.to_thread(self.telling.stop)
            if self.threads:
                async with asyncio.timeout(CLOSE_WITHIN_S):
                    await asyncio.to_thread(self.broker.stop)
        finally:
            if self.historian is not None:
                self.historian.drain.stop()  # it may be at a write that takes long
            await self.threads.end()
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
            http=f"http://{shown}:{self.http.port}/",
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
        for warning in self.pipeline.processor.registry.warnings():
            log.warning("registry: %s", warning)

    def _tell(self, news: News) -> None:
        """What the pipeline has committed, on its thread."""
        self.mailbox.tell(news)
        if news.outcome.events:
            self.webhooks.wake()
        if news.outcome.notices:
            self.telling.wake()
        if self.historian is not None:
            self.historian.drain.wake()

    def _take(self, post: Post) -> None:
        """What the pipeline has committed, on the loop."""
        self.screens.take(post)
        for news in post.news:
            outcome = news.outcome
            self.watching.told(outcome.events)
            self.watching.heard(outcome.echoes)
            self.announcer.settle(news.acks)
            self.announcer.tell(outcome.events)
            self.announcer.advise(outcome.advice)
            if outcome.canaries:
                self.announcer.heard(outcome.canaries)
            if outcome.reply is not None:
                self.actions.answer(*outcome.reply)

    async def _carry_out(self, principal: Principal, call: AlertCall) -> dict[str, Any] | Refused:
        # The doors know the live socket's port, so they are made after it.
        return await carrying_out(self.door)(principal, call)

    def _broker_changed(self, connected: bool) -> None:  # noqa: FBT001 - its only argument
        if connected:
            self._loop.call_soon_threadsafe(self.announcer.connected)
            self._loop.call_soon_threadsafe(self.watching.connected)
            self._loop.call_soon_threadsafe(self.broker_met.set)

    def _run(self, group: asyncio.TaskGroup, work: Any, name: str) -> None:
        self._tasks.append(group.create_task(work, name=name))

    async def _tick(self) -> None:
        """Ages on the screens, which change without any data."""
        while True:
            await asyncio.sleep(1.0)
            self.screens.tick(self.clock_ms())
            self.past.recorder.beat()
