"""What officers are shown of messages to people: counts, money, what waits and what is held.

Read over connections of its own, which hold up no sender. People are numbers here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.history import StoreReader
from songtien.telling.delivery import State


@dataclass(frozen=True, slots=True)
class Count:
    """How many of one sort were settled on a day.

    day : in Vietnam, days since 1970
    state : "sent", "delivered" and "undelivered" count deliveries, "dropped" counts messages
    cost : in đồng
    """

    day: int
    channel: str
    place: str
    kind: str
    state: str
    why: str
    number: int
    parts: int
    cost: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What gateways took in a month.

    month : 12 * year, and 0 for January to 11
    """

    channel: str
    month: int
    number: int
    parts: int
    cost: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a channel; `oldest_ms` is when the oldest of it was planned."""

    number: int
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the notices of one event are, in messages: one for each notice and person.

    states : of all by their state; those in deliveries have the delivery's, and "waiting" is
        both what restraint has yet to let go and what waits for its channel
    by_channel : what waits, by channel
    """

    total: int
    states: Mapping[str, int]
    by_channel: Mapping[str, int]


class Figures:
    """Any thread."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    def counts(self, from_day: int, to_day: int) -> list[Count]:
        """By day, channel, place, kind, state and why, over days of [from, to)."""
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT * FROM counted WHERE day >= ? AND day < ?"
                " ORDER BY day, channel, place, kind, state, why",
                (from_day, to_day),
            ).fetchall()
        return [Count(*row) for row in rows]

    def spent(self, from_month: int, to_month: int) -> list[Spent]:
        """By channel and month, over months of [from, to)."""
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT channel, month, number, parts, cost FROM spent"
                " WHERE month >= ? AND month < ? ORDER BY month, channel",
                (from_month, to_month),
            ).fetchall()
        return [Spent(*row) for row in rows]

    def held_by_why(self) -> dict[tuple[str, str], int]:
        """How many are held now, by channel and why."""
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT channel, why, count(*) FROM message INDEXED BY message_held"
                " WHERE state = 'held' GROUP BY channel, why"
            ).fetchall()
        return {(channel, why): number for channel, why, number in rows}

    def waiting(self) -> dict[str, Waiting]:
        """By channel; channels for which nothing waits are absent."""
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT channel, count(*), min(created_ms) FROM delivery"
                " WHERE state = 'waiting' GROUP BY channel"
            ).fetchall()
        return {channel: Waiting(number, oldest) for channel, number, oldest in rows}

    def of_contact(self, contact: int) -> list[dict[str, Any]]:
        """What is kept of one person, newest first, for his export: no words, no address."""
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT channel, kind, place, state, created_ms, told_ms FROM delivery"
                " WHERE contact = ? ORDER BY created_ms DESC, id DESC",
                (contact,),
            ).fetchall()
        names = ("channel", "kind", "place", "state", "planned", "sent")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def progress(self, event: str) -> Progress:
        """How far one event is, of what has been taken from the outbox."""
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT CASE WHEN m.state = 'handed' THEN d.state ELSE m.state END, m.channel,"
                " count(*) FROM notice n JOIN message m ON m.notice = n.id"
                " LEFT JOIN delivery d ON d.id = m.delivery WHERE n.event = ? GROUP BY 1, 2",
                (event,),
            ).fetchall()
        states: dict[str, int] = {}
        waiting: dict[str, int] = {}
        for state, channel, number in rows:
            states[state] = states.get(state, 0) + number
            if state == State.WAITING:
                waiting[channel] = waiting.get(channel, 0) + number
        return Progress(sum(states.values()), states, waiting)
