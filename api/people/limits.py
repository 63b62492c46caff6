"""How often a code may be asked for: each costs money, and can be used to pester a stranger. And
how often more may be followed and a place be named that is not followed, since a message answers
that.

Pure but for what it remembers. By the number it is counted on disk, so that a restart forgives
nothing; by the caller's network address in memory, and generously: the phones of a province go
out by a few addresses (carrier-grade NAT), and a community's team helps a whole hall by one.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from api.auth.tries import address_group

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

PER_HOUR: Final = 3
PER_DAY: Final = 5
WAITS_MS: Final = (MINUTE_MS, 5 * MINUTE_MS)
"""After the first code of an hour, and after the second."""

CLIENT_PER_HOUR: Final = 60
CLIENT_BITS: Final = 48
"""Of an IPv6 address: so large a network anybody has for nothing, and a carrier's phones share a
few of them, as they share addresses of IPv4."""

CLIENTS_MAX: Final = 10_000
"""Network addresses that are remembered; those that asked longest ago go first."""

ADDS_PER_HOUR: Final = 10
ADDS_PER_DAY: Final = 20
"""Of one person: as often a form is sent by somebody who mends what he has chosen."""

ANSWERS_PER_HOUR: Final = 5
"""To replies of one person that name a place; the same reply is answered once in an hour."""

ANSWERED_MAX: Final = 10_000
"""People who are remembered for it; those who were answered longest ago go first."""

ADDERS_MAX: Final = 10_000
"""People who are remembered for it; those who added longest ago go first."""

CODES_PER_HOUR: Final = 300
"""All together, where nothing else is configured."""


def wait_ms(asked_ms: Sequence[int], now_ms: int) -> int:
    """Until a number may be sent another code; `asked_ms` are the times of those before.

    A clock that was set back makes nobody wait longer than the rules do.
    """
    times = sorted(min(at_ms, now_ms) for at_ms in asked_ms if now_ms - at_ms < DAY_MS)
    free_ms = [now_ms]
    hour = [at_ms for at_ms in times if now_ms - at_ms < HOUR_MS]
    if hour:
        free_ms.append(hour[-1] + WAITS_MS[min(len(hour), len(WAITS_MS)) - 1])
    if len(hour) >= PER_HOUR:
        free_ms.append(hour[-PER_HOUR] + HOUR_MS)
    if len(times) >= PER_DAY:
        free_ms.append(times[-PER_DAY] + DAY_MS)
    return max(free_ms) - now_ms


class Clients:
    """Codes by the network address from which they were asked. Not for several threads."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_ms(self, client: str, now_ms: int) -> int:
        """Until somebody there may ask again; 0: now."""
        asked = self._asked.get(address_group(client, CLIENT_BITS))
        if asked is None:
            return 0
        while asked and not 0 <= now_ms - asked[0] < HOUR_MS:
            asked.popleft()
        return asked[0] + HOUR_MS - now_ms if len(asked) >= CLIENT_PER_HOUR else 0

    def count(self, client: str, now_ms: int) -> None:
        """A code was asked for."""
        group = address_group(client, CLIENT_BITS)
        asked = self._asked.setdefault(group, deque(maxlen=CLIENT_PER_HOUR))
        asked.append(now_ms)
        self._asked.move_to_end(group)
        while len(self._asked) > CLIENTS_MAX:
            self._asked.popitem(last=False)


class Adders:
    """How often somebody has added to what he follows. Not for several threads."""

    def __init__(self) -> None:
        self._added: OrderedDict[int, deque[int]] = OrderedDict()

    def wait_ms(self, contact: int, now_ms: int) -> int:
        """Until this person may add again; 0: now. A clock that was set back forgives all."""
        added = [at_ms for at_ms in self._added.get(contact, ()) if 0 <= now_ms - at_ms < DAY_MS]
        waits_ms = [0]
        for most, within_ms in ((ADDS_PER_HOUR, HOUR_MS), (ADDS_PER_DAY, DAY_MS)):
            if len(added) >= most:
                waits_ms.append(added[-most] + within_ms - now_ms)
        return max(waits_ms)

    def count(self, contact: int, now_ms: int) -> None:
        """Something was added."""
        self._added.setdefault(contact, deque(maxlen=ADDS_PER_DAY)).append(now_ms)
        self._added.move_to_end(contact)
        while len(self._added) > ADDERS_MAX:
            self._added.popitem(last=False)


class Answers:
    """What replies were answered lately: a gateway may bring one twice, a phone reply by itself.

    Not for several threads.
    """

    def __init__(self) -> None:
        self._given: OrderedDict[int, deque[tuple[str, int]]] = OrderedDict()

    def owed(self, contact: int, reply: str, now_ms: int) -> bool:
        """Whether an answer says anything new to this person, who has not had too many."""
        given = self._given.get(contact, ())
        lately = [each for each, at_ms in given if 0 <= now_ms - at_ms < HOUR_MS]
        return reply not in lately and len(lately) < ANSWERS_PER_HOUR

    def given(self, contact: int, reply: str, now_ms: int) -> None:
        """An answer went out."""
        answered = self._given.setdefault(contact, deque(maxlen=ANSWERS_PER_HOUR))
        answered.append((reply, now_ms))
        self._given.move_to_end(contact)
        while len(self._given) > ANSWERED_MAX:
            self._given.popitem(last=False)
