"""Telling people: the planner and the couriers, one for each channel, wired and ended together.

A channel that is dead holds up no other: each has its own queue, thread, rate and breaker.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alerts.farmers.restraint import GROUP_MS, Permitted
from alerts.webhook import Pace
from ingest import daemon
from ingest.history import StoreReader
from songtien.telling.breaker import Patience
from songtien.telling.channels.kinds import open_channel
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.courier import Courier, Manner
from songtien.telling.deliveries import Deliveries
from songtien.telling.figures import Figures, Progress, Waiting
from songtien.telling.planner import Allowance, People, Planner
from songtien.telling.wording import Words

log = logging.getLogger(__name__)

Numbers = Mapping[str, tuple[str, float]]
ByChannel = Mapping[str, tuple[str, Mapping[str, float]]]

STOP_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class TellingSettings:
    """What is set of telling, beside its channels.

    page : address of the farmers' page, with https://; "" where there is none
    group_ms : for so long the first of a message waits for others
    """

    page: str = ""
    pace: Pace = Manner().pace
    patience: Patience = Manner().patience
    group_ms: int = GROUP_MS


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """How it stands with one channel.

    way : of its breaker, "closed" while all is well
    trouble : why nothing goes, None where all is well
    again_ms : when a channel that is left alone is tried next; 0 where it isn't
    waiting, oldest_ms : deliveries for it, and when the oldest was planned, None where none waits
    held : messages kept back, by why
    spent : parts of this month; budget : as many it may be, None without a limit
    sent, retries, undelivered : in this life of the process
    per_s : messages a second, as measured or as is allowed
    """

    name: str
    kind: str
    way: str
    trouble: str | None
    again_ms: int
    waiting: int
    oldest_ms: int | None
    held: Mapping[str, int]
    spent: int
    budget: int | None
    sent: int
    retries: int
    undelivered: int
    last_success_ms: int | None
    per_s: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """How far an event is, and when what waits of it will have gone.

    untaken : rows of the outbox, of any event, that are yet to be taken
    left_s : at today's pace, what waits before it for the same channels included; None where a
        channel of it is left alone
    """

    progress: Progress
    untaken: int
    left_s: float | None


class Telling:
    """All of it.

    Parameters
    ----------
    reader : of the store, where the outbox stands
    deliveries, path : the file of them, which the caller closes, and where it is; channels keep
        what they must beside it
    permitted : what the newest answers permit, None where none are known
    missing : how many people are told over channels that there are not, by channel
    """

    def __init__(
        self,
        settings: TellingSettings,
        channels: Sequence[ChannelSettings],
        reader: StoreReader,
        people: People,
        deliveries: Deliveries,
        path: Path,
        *,
        words: Words,
        clock_ms: Callable[[], int],
        on_death: Callable[[BaseException], None],
        permitted: Callable[[], Permitted | None] = lambda: None,
        missing: Mapping[str, int] | None = None,
    ) -> None:
        self._clock_ms = clock_ms
        self.deliveries = deliveries
        self._reader = StoreReader(path)
        self.figures = Figures(self._reader)
        self._planner = Planner(
            self.deliveries,
            reader,
            people,
            [Allowance(each.name, each.budget_per_month) for each in channels],
            clock_ms=clock_ms,
            permitted=permitted,
            group_ms=settings.group_ms,
            planned=self._planned,
            on_death=on_death,
        )
        manner = Manner(settings.page, settings.pace, settings.patience)
        self._couriers = {
            each.name: Courier(
                each,
                open_channel(each, path.parent),
                self.deliveries,
                people,
                words,
                clock_ms=clock_ms,
                manner=manner,
                on_death=on_death,
            )
            for each in channels
        }
        couriers = self._couriers.values()
        self._threads = [self._planner.thread, *(each.thread for each in couriers)]
        self._missing = {
            name: f"it is not configured, and {people} people are told over it"
            for name, people in (missing or {}).items()
        }
        deliveries.asked = self._asked

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._planner.thread.wake()

    def stop(self) -> None:
        """End all soon. One that waits for an answer is left to itself after a while."""
        daemon.end(self._threads, STOP_S)

    def close(self) -> None:
        for courier in self._couriers.values():
            courier.close()
        self._reader.close()

    def release(self, messages: Sequence[int]) -> int:
        """Let go what the budget holds, as an officer says; gives how many it were."""
        released = self.deliveries.release(messages)
        self._planner.thread.wake()
        return released

    def drop(self, messages: Sequence[int]) -> int:
        """Tell nobody what is held, as an officer says; gives how many it were."""
        return self.deliveries.drop(messages, self._clock_ms())

    def status(self) -> list[ChannelStatus]:
        """How it stands with each channel, by name."""
        now_ms, waiting, held = self._clock_ms(), self.figures.waiting(), self.figures.held_by_why()
        return [
            self._status(courier, waiting.get(name), held, now_ms)
            for name, courier in sorted(self._couriers.items())
        ]

    def outlook(self, event: str) -> Outlook:
        """How far one event is, and how long it will take."""
        progress, waiting = self.figures.progress(event), self.figures.waiting()
        left_s: float | None = 0.0
        for name in progress.by_channel:
            courier = self._couriers.get(name)
            if courier is None or self._trouble(courier) is not None or left_s is None:
                left_s = None
                continue
            number = max(progress.by_channel[name], waiting.get(name, Waiting(0, 0)).number)
            left_s = max(left_s, number / courier.per_s)
        return Outlook(progress, self._planner.behind(), left_s)

    def counters(self) -> Numbers:
        return {"telling_planned": ("Messages to people that were made.", self._planner.made)}

    def gauges(self) -> Numbers:
        behind = self._planner.behind()
        return {"telling_unplanned": ("Rows of the outbox that are to be taken.", behind)}

    def channel_counters(self) -> ByChannel:
        """Of this life of the process."""
        couriers = self._couriers
        delivered, late = self.deliveries.delivered, self.deliveries.late
        return {
            "telling_sent": (
                "Messages that gateways took.",
                {name: each.sent for name, each in couriers.items()},
            ),
            "telling_delivered": (
                "Messages that arrived, as the network reports.",
                {name: delivered[name] for name in couriers},
            ),
            "telling_retries": (
                "Tries after which a message is sent again.",
                {name: each.retries for name, each in couriers.items()},
            ),
            "telling_undelivered": (
                "Messages that nobody got.",
                {name: each.undelivered + late[name] for name, each in couriers.items()},
            ),
        }

    def channel_gauges(self) -> ByChannel:
        """As it stands."""
        found, now_ms = self.status(), self._clock_ms()
        return {
            "telling_waiting": (
                "Messages that wait for the channel.",
                {each.name: each.waiting for each in found},
            ),
            "telling_oldest_seconds": (
                "Age of the oldest message that waits for the channel.",
                {each.name: _age_s(each.oldest_ms, now_ms) for each in found},
            ),
            "telling_held": (
                "Notices that are kept back from people.",
                {each.name: sum(each.held.values()) for each in found},
            ),
            "telling_spent_parts": (
                "Parts that the gateway took this month.",
                {each.name: each.spent for each in found},
            ),
            "telling_troubled": (
                "1 while the channel takes no messages.",
                {each.name: float(each.trouble is not None) for each in found},
            ),
        }

    @property
    def trouble(self) -> Mapping[str, str]:
        """Channels that take nothing, with why; for who watches over the service."""
        found = {name: self._trouble(courier) for name, courier in self._couriers.items()}
        return {name: why for name, why in found.items() if why is not None} | self._missing

    def held_up(self, channel: str) -> bool:
        """Whether nothing goes over a channel now, not even what answers a person."""
        courier = self._couriers.get(channel)
        return courier is not None and courier.trouble is not None

    def _trouble(self, courier: Courier) -> str | None:
        """A courier may idle over what can't be planned: that is trouble of its channel too."""
        return courier.trouble or self._planner.trouble

    def _asked(self, channel: str) -> None:
        """Somebody waits for an answer."""
        if channel in self._couriers:
            self._couriers[channel].thread.wake()

    def _planned(self) -> None:
        for courier in self._couriers.values():
            courier.thread.wake()

    def _status(
        self,
        courier: Courier,
        waiting: Waiting | None,
        held: Mapping[tuple[str, str], int],
        now_ms: int,
    ) -> ChannelStatus:
        settings, breaker = courier.settings, courier.breaker
        wait_ms = breaker.wait_ms(now_ms)
        return ChannelStatus(
            name=courier.name,
            kind=settings.kind,
            way=breaker.way.value,
            trouble=self._trouble(courier),
            again_ms=now_ms + wait_ms if wait_ms else 0,
            waiting=waiting.number if waiting else 0,
            oldest_ms=waiting.oldest_ms if waiting else None,
            held={why: number for (name, why), number in held.items() if name == courier.name},
            spent=self.deliveries.spent(courier.name, now_ms)[1],
            budget=settings.budget_per_month,
            sent=courier.sent,
            retries=courier.retries,
            undelivered=courier.undelivered,
            last_success_ms=courier.last_success_ms,
            per_s=courier.per_s,
        )


def _age_s(since_ms: int | None, now_ms: int) -> float:
    return 0.0 if since_ms is None else max(0.0, (now_ms - since_ms) / 1000)
