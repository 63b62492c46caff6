"""What the doors may ask of the running service: the seams of `api.service.Service`, filled."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import msgspec

from alerts import records
from alerts.alert import Acted, Action
from alerts.entries import EnteredOutcome, Entering
from api import service as door
from api.auth import AuthStore, Doorkeeper, Lifetime, TicketOffice
from ingest.archive import Archive
from ingest.faults import ConfigError
from ingest.history import StoreReader
from ingest.journal import Action as ActionEntry
from ingest.journal import Entered, Entry, Journal
from ingest.reading import Batch
from ingest.series import Series
from songtien.explaining import InForce, explain
from songtien.news import Parts
from songtien.outside import broker_address
from songtien.settings import Settings

ACT_WITHIN_S = 10.0
HOUR_MS = 3_600_000


def doorkeeper(settings: Settings, accounts: AuthStore) -> Doorkeeper:
    """Who comes in, as configured."""
    auth = settings.auth
    return Doorkeeper(
        accounts,
        TicketOffice(),
        auth.anonymous == "viewer",
        lifetime=Lifetime(auth.session_hours * HOUR_MS, auth.session_max_hours * HOUR_MS),
        origins=frozenset(settings.live.origins),
        secure_cookies=auth.secure_cookies,
    )


def about(settings: Settings, live_port: int, *, demo: bool) -> door.About:
    """What is told to whoever asks what this is."""
    return door.About(
        version=version("songtien"),
        live_url=settings.live.public_url or "",
        live_port=live_port,
        demo=demo,
        anonymous=settings.auth.anonymous,
        broker_url=str(broker_address(settings.mqtt)),
        root=settings.mqtt.root,
        map=door.MapDefaults(
            tiles_url=settings.map.tiles_url, tiles_source=settings.map.tiles_source
        ),
    )


class Actions:
    """Officers' actions go through the journal like everything that changes state."""

    def __init__(self, journal: Journal, wake: Callable[[], None]) -> None:
        self._journal = journal
        self._wake = wake
        self._waiting: dict[str, asyncio.Future[Acted | EnteredOutcome]] = {}

    async def act(self, action: Action) -> Acted:
        """Write an action down and wait for what the processor made of it."""
        request = secrets.token_hex(8)
        entry = ActionEntry(
            request,
            action.act.value,
            action.alert,
            action.ver,
            action.who,
            action.note or "",
            action.until_ms,
        )
        acted = await self._answered(request, entry)
        assert isinstance(acted, Acted)
        return acted

    async def enter(self, entering: Entering) -> EnteredOutcome:
        """The same for what stands beside alerts."""
        request = secrets.token_hex(8)
        body = msgspec.json.encode(entering.body).decode()
        entry = Entered(request, entering.what, entering.subject, body, entering.who, entering.note)
        entered = await self._answered(request, entry)
        assert isinstance(entered, EnteredOutcome)
        return entered

    async def _answered(self, request: str, entry: Entry) -> Acted | EnteredOutcome:
        answer: asyncio.Future[Acted | EnteredOutcome] = asyncio.get_running_loop().create_future()
        self._waiting[request] = answer
        try:
            await asyncio.to_thread(self._journal.append, entry)
            self._wake()
            async with asyncio.timeout(ACT_WITHIN_S):
                return await answer
        except sqlite3.OperationalError as error:
            raise door.NotDurable(str(error)) from error
        finally:
            del self._waiting[request]

    def answer(self, request: str, reply: Acted | EnteredOutcome) -> None:
        waiting = self._waiting.get(request)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)


async def reloaded(reload: Callable[[], None]) -> tuple[str, ...]:
    """Reload for an officer: the faults of the files, if they have some.

    On the loop, as with a signal, so that two who ask at once do not meet in the middle: the
    files are short, and this is rare.
    """
    try:
        reload()
    except ConfigError as error:
        return tuple(str(fault) for fault in error.faults)
    except OSError as error:
        return (str(error),)
    except sqlite3.OperationalError as error:
        raise door.NotDurable(str(error)) from error
    return ()


class AlertRecords:
    """Alerts as stored, for worker threads."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    def page(self, asked: door.AlertsAsked) -> records.Page:
        with self._reader.connection() as connection:
            return records.page(connection, *asked)

    def one(self, alert: str) -> dict[str, Any] | None:
        with self._reader.connection() as connection:
            return records.one(connection, alert)


def explainer(
    reader: StoreReader, archive: Archive, parts: Callable[[], Parts]
) -> Callable[[str, str, int], dict[str, Any] | None]:
    """Why a rule in force held for a series at a time, or did not; for worker threads."""

    def points(one: Series, from_ms: int, to_ms: int, limit: int) -> Batch:
        return archive.points(one, from_ms, to_ms, limit)[0]

    def explained(rule: str, key: str, at_ms: int) -> dict[str, Any] | None:
        now = parts()
        in_force = InForce(now.rules, now.registry, now.series)
        return explain(reader, points, in_force, rule, key, at_ms)

    return explained
