"""The farmers' part of the service: who asked to be told, whom a notice is for, and the senders.

pipeline -> outbox (store.sqlite) -> telling (telling.sqlite) -> channels
who follows (farmers.sqlite) <- sign-ups over HTTP
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack

from alerts.farmers.outbox import Audience
from api.farmers import Farmers, Gateway
from api.people.addresses import KIND_OF
from api.people.people import People
from songtien.datadir import Files
from songtien.screens import Screens
from songtien.settings import Settings
from songtien.telling.channels.webpush import signer
from songtien.telling.deliveries import Deliveries

log = logging.getLogger(__name__)

SWEEP_EVERY_S = 60.0


class Farming:
    """Made before the pipeline, which asks it whom a notice is for."""

    def __init__(
        self, settings: Settings, paths: Files, files: ExitStack, clock_ms: Callable[[], int]
    ) -> None:
        self._settings = settings
        self._clock_ms = clock_ms
        self.deliveries = Deliveries(paths.telling)
        files.callback(self.deliveries.close)
        self.people = People(
            paths.people.parent,
            {each.name: KIND_OF[each.kind] for each in settings.channels},
            self.deliveries.direct,
            key_file=settings.farmers.key_file,
            codes_per_hour=settings.farmers.codes_per_hour,
        )
        files.callback(self.people.close)
        directory = paths.people.parent
        self.push_keys = {
            each.name: signer(each.name, directory).public
            for each in settings.channels
            if each.kind == "webpush"
        }
        self.audience = Audience(self.people.path)
        files.callback(self.audience.close)

    def door(self, screens: Screens) -> Farmers:
        """What HTTP shows of it."""
        return Farmers(
            answers=lambda: screens.pictures.answers,
            people=self.people,
            gateways={
                each.name: Gateway(each.kind, each.inbound_secret or "", each.inbound, each.report)
                for each in self._settings.channels
            },
            reported=self.deliveries.reported,
            site=self._settings.farmers.site or "",
            push_keys=self.push_keys,
        )

    async def sweep(self) -> None:
        """Erase what has run out, again and again."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await asyncio.to_thread(self.people.sweep, self._clock_ms())
            except sqlite3.OperationalError as error:
                # It comes back in a minute; what is to be erased is told nothing meanwhile.
                log.warning("what has run out can't be erased yet: %s", error)
