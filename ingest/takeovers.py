"""Whether another client goes by our name: a broker throws out one for the other, for ever.

A client id is unique at a broker: whoever connects under one that is taken ends the
connection of the one before (MQTT 5.0 and 3.1.1, 3.1.4). Brokers may say so with reason code
142 of MQTT 5; mosquitto does not where the session goes on, and MQTT 3.1.1 knows no way. So
what servers say of themselves carries a mark of their client id, and is retained: words under
our mark that we have not said are another's, who has been there since. A broker that flaps
brings back nothing but our own.

Two that reconnect at once fight several times a second, and neither gets any work done. So
each that has been thrown out `TAKEOVERS` times `WITHIN_S` waits longer than that before it
comes again, and the other is let be meanwhile.
"""

from collections import deque
from hashlib import sha256

TAKEOVERS = 3
WITHIN_S = 60.0
WAIT_S = (4.0, 8.0)
"""Between a takeover and the next try, from the third on, at random between the two."""

QUIET_S = 12.0
"""Connected for so long, the other one has had its turn and has not come."""

WORDS_KEPT = 1000


def mark(client_id: str) -> str:
    """What tells one client id from another, without telling what it is."""
    return sha256(client_id.encode()).hexdigest()[:12]


def in_words(client_id: str, broker: str) -> str:
    """What to tell whoever runs the service."""
    return (
        f'another client with the id "{client_id}" is at {broker}, which throws out one for the '
        "other: give each service a client_id of its own"
    )


class Takeovers:
    """What is known of others under our mark; an empty mark is nobody's.

    Times in s, of any clock that does not fall. One thread at a time.
    """

    def __init__(self, our_mark: str) -> None:
        self.contested = False
        self._mark = our_mark.encode()
        self._known: deque[bytes] = deque(maxlen=WORDS_KEPT)
        self._times_s: deque[float] = deque(maxlen=TAKEOVERS)
        self._told = self._heard = False

    def begin(self, last_will: bytes) -> bytes:
        """A connection begins. On each, one takeover is heard of at most: more words come
        from where nobody throws us out, such as over a bridge between brokers.
        """
        self._heard = False
        return self.saying(last_will)

    def saying(self, word: bytes) -> bytes:
        """Remember a word as ours; returns it."""
        self._known.append(word)
        return word

    def told(self, at_s: float) -> None:
        """The broker has said that another has taken our place."""
        self._told = True
        self._note(at_s)

    def hear(self, word: bytes, at_s: float) -> None:
        """A word of a server: of a takeover, if it is another's under our mark, and new."""
        if not self._mark or self._mark not in word or word in self._known:
            return
        self._known.append(word)
        if not self._told and not self._heard:
            self._note(at_s)
        self._told, self._heard = False, True  # whom the broker has told of is this one

    def quiet(self) -> None:
        """A connection has lasted for `QUIET_S`: the name is ours alone."""
        self.contested = self._told = False
        self._times_s.clear()

    def _note(self, at_s: float) -> None:
        self._times_s.append(at_s)
        if len(self._times_s) == TAKEOVERS and at_s - self._times_s[0] < WITHIN_S:
            self.contested = True
