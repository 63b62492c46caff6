"""What officers see of messages to people, as the doors show it; and what they do about it.

Counts, money and numbers of contacts, never an address. Who follows what is read from the file
of people over a connection that only reads.
"""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from alerts.entries import EVERYWHERE
from alerts.farmers.notice import Wants
from alerts.farmers.parcel import Form
from api.farmers import HeldAsked, MessagesAsked, Reach
from api.farmers import Telling as Door
from api.people import Direct
from api.people.people import People
from ingest.history import StoreReader
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.delivery import DAY_MS, EPOCH_ORDINAL, State, Why, day_of, month_of
from songtien.telling.figures import Count
from songtien.telling.telling import ChannelStatus, Telling

DAYS_SHOWN: Final = 31
EVENTS_OF_MS: Final = 7 * DAY_MS
NOTICES_LOOKED_AT: Final = 2_000
FRESH_MS: Final = 3_000
"""Of several officers who look at the same time only one has it counted."""

OF_DELIVERIES: Final = frozenset({"waiting", "sent", "delivered", "undelivered"})
OF_MESSAGES: Final = {
    "held": "message_held",
    "put-off": "message_open",
    "dropped": "message_dropped",
}
"""Messages that are in no delivery (any more), and the index of these few among all."""

_TAKEN: Final = (State.SENT.value, State.DELIVERED.value)
_STATES: Final = ("waiting", "put_off", "held", "sent", "delivered", "undelivered", "dropped")


class Overview:
    """Any thread.

    people_path : of farmers.sqlite
    reader : of the store, where the outbox is
    direct : takes the trial message of an officer
    telling_path : of telling.sqlite
    """

    def __init__(
        self,
        telling: Telling,
        channels: Sequence[ChannelSettings],
        people: People,
        reader: StoreReader,
        direct: Direct,
        *,
        people_path: Path,
        telling_path: Path,
        clock_ms: Callable[[], int],
    ) -> None:
        self._telling = telling
        self._channels = {each.name: each for each in channels}
        self._people = people
        self._outbox = reader
        self._direct = direct
        self._followers = StoreReader(people_path)
        self._reader = StoreReader(telling_path)
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        self._events: tuple[int, int, list[dict[str, Any]]] = (0, 0, [])

    def close(self) -> None:
        self._followers.close()
        self._reader.close()

    def door(self) -> Door:
        """For `api.farmers.Farmers`."""
        return Door(
            overview=self.overview,
            messages=self.messages,
            events=self.events,
            held=self.held,
            release=self._telling.release,
            drop=self._telling.drop,
            reach=self.reach,
            trial=self.trial,
            held_up=self._telling.held_up,
        )

    def overview(self) -> dict[str, Any]:
        """Channels, days, subscribers; see `api.http.telling_shapes`."""
        now_ms = self._clock_ms()
        today = day_of(now_ms)
        counts = self._telling.figures.counts(today - DAYS_SHOWN + 1, today + 1)
        people = self._people.counts(now_ms)
        return {
            "channels": self._all_channels(counts, now_ms),
            "days": _days(counts),
            "subscribers": self._subscribers(people.by_place),
            "people": {
                "active": people.active,
                "pending": people.pending,
                "by_channel": dict(people.by_channel),
                "ever": dict(people.ever),
                "do_not_contact": people.do_not_contact,
            },
            # Of an event that there isn't nothing waits; what is untaken is of any.
            "unplanned": self._telling.outlook("").untaken,
        }

    def messages(self, asked: MessagesAsked) -> list[dict[str, Any]]:
        """A page of them: numbers of contacts, kinds, times and why."""
        if asked.state in OF_DELIVERIES:
            return self._deliveries(asked)
        assert asked.state in OF_MESSAGES
        # Written out: with a parameter SQLite passes over the index of these rows alone.
        state = "waiting" if asked.state == "put-off" else asked.state
        where, values = _filters(asked, "m", "n.place", state)
        if asked.state == "put-off":
            where.append("m.state IN ('waiting', 'held')")
        indexed = f" INDEXED BY {OF_MESSAGES[asked.state]}"
        if asked.event is not None:
            where.append("n.event = ?")
            values.append(asked.event)
            indexed = ""  # by the event they are found sooner
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT m.id, m.contact, m.channel, n.place, n.kind, n.event, m.why, n.at_ms,"  # noqa: S608 - constants
                f" m.until_ms FROM message m{indexed} JOIN notice n ON n.id = m.notice"
                f" WHERE {' AND '.join(where)} ORDER BY m.id DESC LIMIT ?",
                (*values, asked.limit),
            ).fetchall()
        names = ("id", "contact", "channel", "place", "kind", "event", "why", "t", "until")
        return [dict(zip(names, row, strict=True)) | {"state": asked.state} for row in rows]

    def _deliveries(self, asked: MessagesAsked) -> list[dict[str, Any]]:
        where, values = _filters(asked, "d", "d.place", asked.state)
        if asked.event is not None:
            where.append(
                "EXISTS (SELECT 1 FROM message m JOIN notice n ON n.id = m.notice"
                " WHERE m.delivery = d.id AND n.event = ?)"
            )
            values.append(asked.event)
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT d.id, d.contact, d.channel, d.place, d.kind, d.why, d.detail, d.tries,"  # noqa: S608 - constants
                " d.created_ms, d.due_ms, d.told_ms FROM delivery d"
                f" WHERE {' AND '.join(where)} ORDER BY d.id DESC LIMIT ?",
                (*values, asked.limit),
            ).fetchall()
        names = ("id", "contact", "channel", "place", "kind", "why", "detail", "tries", "t")
        return [
            dict(zip((*names, "due", "told"), row, strict=True)) | {"state": asked.state}
            for row in rows
        ]

    def held(self, asked: HeldAsked) -> list[int]:
        """Numbers of messages that are held, oldest first."""
        where, values = ["m.state = 'held'"], list[Any]()
        if asked.ids is not None:
            where.append(f"m.id IN ({', '.join('?' * len(asked.ids))})")
            values += asked.ids
        if asked.channel is not None:
            where.append("m.channel = ?")
            values.append(asked.channel)
        if asked.event is not None:
            where.append("n.event = ?")
            values.append(asked.event)
        if asked.why is not None:
            where.append("m.why = ?")
            values.append(asked.why)
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT m.id FROM message m INDEXED BY message_held"  # noqa: S608 - constants
                " JOIN notice n ON n.id = m.notice"
                f" WHERE {' AND '.join(where)} ORDER BY m.id LIMIT ?",
                (*values, asked.limit),
            ).fetchall()
        return [row for (row,) in rows]

    def events(self, limit: int) -> list[dict[str, Any]]:
        """The newest notices that anybody hears of, those of one event and kind as one."""
        now_ms = self._clock_ms()
        with self._lock:
            counted_ms, shown, found = self._events
            if not (0 <= now_ms - counted_ms < FRESH_MS and shown >= limit):
                found = self._counted(limit, now_ms)
                self._events = now_ms, limit, found
            return found[:limit]

    def forget(self) -> None:
        """Count anew, whoever has just looked."""
        with self._lock:
            self._events = 0, 0, []

    def reach(self, intakes: Sequence[str]) -> list[Reach]:
        """Each person once, also where he follows several places."""
        if EVERYWHERE in intakes:
            where, values = "1 = 1", list[Any]()
        else:
            where, values = f"f.intake IN ({', '.join('?' * len(intakes))})", list(intakes)
        with self._followers.connection() as connection:
            rows = connection.execute(
                "SELECT c.channel, count(DISTINCT f.contact) FROM follow f"  # noqa: S608 - marks
                " JOIN contact c ON c.id = f.contact"
                f" WHERE {where} AND f.active AND f.wants & ? GROUP BY c.channel ORDER BY 1",
                (*values, int(Wants.BULLETIN)),
            ).fetchall()
        return [
            Reach(name, _form(known), number, known.cost_per_part)
            for name, number in rows
            if (known := self._channels.get(name)) is not None
        ]

    def trial(self, channel: str, address: str, lang: str) -> bool:
        """See `api.farmers.Telling`."""
        now_ms = self._clock_ms()
        contact = self._people.trial(channel, address, lang, now_ms)
        if contact is None:
            return False
        key = f"trial-{contact}-{secrets.token_hex(8)}"
        self._direct(contact, channel, "trial", {"lang": lang}, key, now_ms)
        return True

    # What they are made of.

    def _all_channels(self, counts: Sequence[Count], now_ms: int) -> list[dict[str, Any]]:
        put_off, month = self._put_off(), month_of(now_ms)
        spent = {each.channel: each for each in self._telling.figures.spent(month, month + 1)}
        this_month = [each for each in counts if month_of(each.day * DAY_MS) == month]
        shown = []
        for status in self._telling.status():
            own = [each for each in this_month if each.channel == status.name]
            paid = spent.get(status.name)
            known = self._channels[status.name]
            shown.append(
                asdict(status)
                | {
                    "put_off": put_off.get(status.name, {}),
                    "rate_per_s": known.rate_per_s,
                    "cost_per_part": known.cost_per_part,
                    "left_s": _left_s(status),
                    "month": {
                        "sent": 0 if paid is None else paid.number,
                        "parts": 0 if paid is None else paid.parts,
                        "cost": 0 if paid is None else paid.cost,
                        "delivered": _sum(own, State.DELIVERED),
                        "undelivered": _sum(own, State.UNDELIVERED),
                    },
                }
            )
        return shown

    def _put_off(self) -> dict[str, dict[str, int]]:
        """What restraint has yet to let go, by channel and why."""
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT channel, why, count(*) FROM message INDEXED BY message_open"
                " WHERE state IN ('waiting', 'held') AND state = 'waiting' GROUP BY channel, why"
            ).fetchall()
        found: dict[str, dict[str, int]] = {}
        for channel, why, number in rows:
            found.setdefault(channel, {})[why] = number
        return found

    def _subscribers(self, by_place: Mapping[str, int]) -> list[dict[str, Any]]:
        with self._followers.connection() as connection:
            rows = connection.execute(
                "SELECT intake || '/' || side, crop, count(DISTINCT contact) FROM follow"
                " WHERE active GROUP BY intake, side, crop ORDER BY 1, 3 DESC, 2"
            ).fetchall()
        crops: dict[str, dict[str, int]] = {}
        for place, crop, number in rows:
            crops.setdefault(place, {})[crop] = number
        return [
            {"place": place, "people": number, "crops": crops.get(place, {})}
            for place, number in sorted(by_place.items())
        ]

    def _counted(self, limit: int, now_ms: int) -> list[dict[str, Any]]:
        with self._outbox.connection() as connection:
            rows = connection.execute(
                "SELECT event, kind, at_ms, place, level_mg_l, people FROM notice"
                " WHERE people > 0 AND at_ms >= ? ORDER BY at_ms DESC, id DESC LIMIT ?",
                (now_ms - EVENTS_OF_MS, NOTICES_LOOKED_AT),
            ).fetchall()
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for event, kind, at_ms, place, level, people in rows:
            key = event, kind
            if key not in found and len(found) == limit:
                continue  # of those that are shown all notices count
            one = found.setdefault(
                key,
                {"event": event, "kind": kind, "t": at_ms, "places": set(), "level": level}
                | {"messages": 0},
            )
            one["places"].add(place)
            one["messages"] += people
            one["t"] = min(one["t"], at_ms)
        status = {each.name: each for each in self._telling.status()}
        return [self._progress(one, status) for one in found.values()]

    def _progress(self, one: dict[str, Any], status: Mapping[str, ChannelStatus]) -> dict[str, Any]:
        with self._reader.connection() as connection:
            rows = connection.execute(
                "SELECT CASE m.state WHEN 'handed' THEN d.state WHEN 'waiting' THEN 'put_off'"
                " ELSE m.state END, m.channel, count(*) FROM notice n JOIN message m ON m.notice = n.id"
                " LEFT JOIN delivery d ON d.id = m.delivery WHERE n.event = ? AND n.kind = ?"
                " GROUP BY 1, 2",
                (one["event"], one["kind"]),
            ).fetchall()
            (people,) = connection.execute(
                "SELECT count(DISTINCT m.contact) FROM notice n JOIN message m ON m.notice = n.id"
                " WHERE n.event = ? AND n.kind = ?",
                (one["event"], one["kind"]),
            ).fetchone()
        states = dict.fromkeys(_STATES, 0)
        waiting: dict[str, int] = {}
        for state, channel, number in rows:
            states[state] += number
            if state == State.WAITING:
                waiting[channel] = waiting.get(channel, 0) + number
        # Rows that the planner has yet to take wait as well.
        untaken = max(0, one["messages"] - sum(states.values()))
        states["waiting"] += untaken
        left_s = _longest_s(waiting, status)
        told = {"people": people, "places": sorted(one["places"]), **states, "left_s": left_s}
        return one | told


def _form(settings: ChannelSettings) -> Form:
    """How the words are written for it, as the channel itself says once it is open."""
    if settings.kind == "sms":
        return Form.SMS_UNICODE if settings.unicode else Form.SMS
    if settings.kind == "zalo":
        return Form.ZALO
    return Form(settings.own["form"]) if settings.kind == "file" else Form.LONG


def _left_s(status: ChannelStatus) -> float | None:
    """How long what waits for a channel will take; None while nothing goes."""
    return None if status.trouble is not None else status.waiting / status.per_s


def _longest_s(waiting: Mapping[str, int], status: Mapping[str, ChannelStatus]) -> float | None:
    """Of what waits of one event, with what waits before it; None where a channel stands."""
    longest_s = 0.0
    for name, number in waiting.items():
        known = status.get(name)
        if known is None or known.trouble is not None:
            return None
        longest_s = max(longest_s, max(number, known.waiting) / known.per_s)
    return longest_s


def _days(counts: Sequence[Count]) -> list[dict[str, Any]]:
    """By day and channel, the newest day first."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for each in counts:
        one = found.setdefault(
            (-each.day, each.channel),
            {"day": date.fromordinal(EPOCH_ORDINAL + each.day).isoformat()}
            | {"channel": each.channel}
            | dict.fromkeys(("sent", "delivered", "undelivered", "dropped", "parts", "cost"), 0),
        )
        if each.state in _TAKEN or each.why == Why.REPORTED:
            one["sent"] += each.number  # a gateway took it, whatever became of it then
        if each.state != State.SENT:
            one[each.state] += each.number
        one["parts"] += each.parts
        one["cost"] += each.cost
    return [found[key] for key in sorted(found)]


def _sum(counts: Sequence[Count], state: State) -> int:
    return sum(each.number for each in counts if each.state == state)


def _filters(
    asked: MessagesAsked, table: str, place: str, state: str
) -> tuple[list[str], list[Any]]:
    where, values = [f"{table}.state = '{state}'"], list[Any]()
    if asked.channel is not None:
        where.append(f"{table}.channel = ?")
        values.append(asked.channel)
    if asked.place is not None:
        where.append(f"{place} = ?")
        values.append(asked.place)
    if asked.before is not None:
        where.append(f"{table}.id < ?")
        values.append(asked.before)
    return where, values
