"""The farmers' part of the service: who asked to be told, whom a notice is for, and the senders.

pipeline -> outbox (store.sqlite) -> telling (telling.sqlite) -> channels
who follows (farmers.sqlite) <- sign-ups over HTTP
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack

from alerts.farmers.answer import PERMITTING, as_of
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.outbox import Audience
from alerts.farmers.person import Person
from alerts.farmers.place import Place
from alerts.farmers.restraint import Permitted
from api.farmers import Answers, Farmers, Gateway
from api.people.addresses import KIND_OF, PUSH_HOSTS
from api.people.people import People
from ingest.history import StoreReader
from ingest.registry import Registry
from songtien.datadir import Files
from songtien.screens import Screens
from songtien.settings import Settings
from songtien.telling.channels.webpush import key_path, signer
from songtien.telling.deliveries import Deliveries
from songtien.telling.figures import Figures
from songtien.telling.overview import Overview
from songtien.telling.telling import Telling, TellingSettings
from songtien.telling.wording import typed, wording

log = logging.getLogger(__name__)

NO_PUSH_KEY = (
    "the key that browsers are bound to is missing, and another is made: put the copy of the old "
    "one back, or each browser has to agree anew"
)
SWEEP_EVERY_S = 60.0


class Farming:
    """Made before the pipeline, which asks it whom a notice is for."""

    def __init__(
        self, settings: Settings, paths: Files, files: ExitStack, clock_ms: Callable[[], int]
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._clock_ms = clock_ms
        self.deliveries = Deliveries(paths.telling)
        files.callback(self.deliveries.close)
        told = StoreReader(paths.telling)
        files.callback(told.close)
        directory = paths.people.parent
        push = [each for each in settings.channels if each.kind == "webpush"]
        self.people = People(
            directory,
            {each.name: KIND_OF[each.kind] for each in settings.channels},
            self.deliveries.direct,
            key_file=settings.farmers.key_file,
            codes_per_hour=settings.farmers.codes_per_hour,
            push_hosts=tuple(host for each in push for host in each.own["hosts"]) or PUSH_HOSTS,
            kept=Figures(told).of_contact,
            ids_after=self.deliveries.last_contact(),
        )
        files.callback(self.people.close)
        told_over = self.people.counts(clock_ms()).by_channel
        for name in (each.name for each in push if told_over.get(each.name)):
            if not key_path(name, directory).exists():
                said = {"channel": name, "browsers": told_over[name]}
                log.error(NO_PUSH_KEY, extra=said)
        self._push_keys = {each.name: signer(each.name, directory).public for each in push}
        self.audience = Audience(self.people.path)
        files.callback(self.audience.close)

    def senders(
        self,
        files: ExitStack,
        reader: StoreReader,
        screens: Screens,
        on_death: Callable[[BaseException], None],
    ) -> tuple[Telling, Overview]:
        """Those who send what stands in the outbox, which `reader` reads; and what officers see."""
        channels = self._settings.channels
        # Renamed or taken out: nobody signs up over it any more, and nobody there is told.
        names = {each.name for each in channels}
        told_over = self.people.counts(self._clock_ms()).by_channel
        telling = Telling(
            TellingSettings(
                self._settings.farmers.site or "", group_ms=1000 * self._settings.farmers.group_s
            ),
            channels,
            reader,
            self.people,
            self.deliveries,
            self._paths.telling,
            clock_ms=self._clock_ms,
            on_death=on_death,
            permitted=lambda: permitted(screens.pictures.answers, self._clock_ms()),
            words=wording(
                typed(self._settings.farmers.site or ""),
                lambda person: standing(screens.pictures.answers, screens.parts.registry, person),
                lambda intake: called(screens.parts.registry, intake),
            ),
            missing={name: told_over[name] for name in told_over if name not in names},
        )
        files.callback(telling.close)
        overview = Overview(
            telling,
            channels,
            self.people,
            reader,
            self.deliveries.direct,
            people_path=self._paths.people,
            telling_path=self._paths.telling,
            clock_ms=self._clock_ms,
        )
        files.callback(overview.close)
        return telling, overview

    def door(self, screens: Screens, overview: Overview) -> Farmers:
        """What HTTP shows of it."""
        return Farmers(
            answers=lambda: screens.pictures.answers,
            people=self.people,
            gateways={
                each.name: Gateway(each.kind, each.inbound_secret or "", each.inbound, each.report)
                for each in self._settings.channels
            },
            reported=self.deliveries.reported,
            site=typed(self._settings.farmers.site or ""),
            push_keys=self._push_keys,
            telling=overview.door(),
            broadcasts=lambda: screens.desk.broadcasts(self._clock_ms()),
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


def permitted(answers: Answers, now_ms: int) -> Permitted | None:
    """What the newest answers let be taken; None before there are any."""
    if not answers:
        return None

    def may_take(place: Place, level_mg_l: int) -> bool:
        answer = answers.get(str(place), {}).get(level_mg_l)
        return answer is not None and as_of(answer, now_ms)["answer"] in PERMITTING

    return may_take


def called(registry: Registry, intake: str) -> str:
    """What people call an intake; its id once it has left the registry."""
    found = registry.intakes.get(intake)
    return intake if found is None else found.name


def standing(answers: Answers, registry: Registry, person: Person) -> tuple[Notice, ...]:
    """The salt spells that go on where somebody follows, as others were told of them."""
    found = []
    for each in dict.fromkeys((one.place, one.level_mg_l) for one in person.follows):
        place, level_mg_l = each
        spell_ms = answers.get(str(place), {}).get(level_mg_l, {}).get("spell")
        if spell_ms is not None and place.intake in registry.intakes:
            body = {"place_vi": registry.intakes[place.intake].name, "stands": True}
            found.append(Notice(Kind.SALT, place, level_mg_l, spell_ms, spell_ms, "", "", body))
    return tuple(found)
