"""What the doors may ask of the running service: the seams of `api.service.Service`, filled."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from alerts import records
from alerts.alert import Acted, Action
from api import service as door
from ingest.history import StoreReader
from ingest.journal import Action as ActionEntry
from ingest.journal import Journal

ACT_WITHIN_S = 10.0


class Actions:
    """Officers' actions go through the journal like everything that changes state."""

    def __init__(self, journal: Journal, wake: Callable[[], None]) -> None:
        self._journal = journal
        self._wake = wake
        self._waiting: dict[str, asyncio.Future[Acted]] = {}

    async def act(self, action: Action) -> Acted:
        """Write an action down and wait for what the processor made of it."""
        request = secrets.token_hex(8)
        answer: asyncio.Future[Acted] = asyncio.get_running_loop().create_future()
        self._waiting[request] = answer
        entry = ActionEntry(
            request, action.act.value, action.alert, action.ver, action.who, action.note or ""
        )
        try:
            await asyncio.to_thread(self._journal.append, entry)
            self._wake()
            async with asyncio.timeout(ACT_WITHIN_S):
                return await answer
        except sqlite3.OperationalError as error:
            raise door.NotDurable(str(error)) from error
        finally:
            del self._waiting[request]

    def answer(self, request: str, acted: Acted) -> None:
        waiting = self._waiting.get(request)
        if waiting is not None and not waiting.done():
            waiting.set_result(acted)


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
