"""Whether another client goes by our name: a broker throws out one for the other, for ever.

A client id is unique at a broker: whoever connects under one that is taken ends the
connection of the one before (MQTT 5.0 and 3.1.1, 3.1.4). MQTT 5 says so, with reason code
142. Under 3.1.1 the broker just closes, and all there is to go by is that connections are
made without trouble and end within seconds: so a try to connect that fails is taken for a
broker in trouble of its own, and the guesses before it are forgotten.

Two that reconnect at once fight several times a second, and neither gets any work done. So
each that has been thrown out `TAKEOVERS` times `WITHIN_S` waits longer than that before it
comes again, and the other is let be meanwhile.
"""

from dataclasses import dataclass, field

TAKEOVERS = 3
WITHIN_S = 60.0
WAIT_S = (4.0, 8.0)
"""Between a takeover and the next try, from the third on, at random between the two."""

QUIET_S = 12.0
"""Connected for so long, the other one has had its turn and has not come."""

BRIEF_S = 10.0
"""A connection that its broker ends sooner may have been taken over (MQTT 3.1.1)."""


def in_words(client_id: str, broker: str) -> str:
    """What to tell whoever runs the service."""
    return (
        f'another client with the id "{client_id}" is at {broker}, which throws out one for the '
        "other: give each service a client_id of its own"
    )


@dataclass(slots=True)
class Takeovers:
    """What has become of connections so far. Times in s, of any clock that does not fall."""

    contested: bool = False
    _told_s: list[float] = field(default_factory=list)
    _guessed_s: list[float] = field(default_factory=list)

    def lost(self, at_s: float, lasted_s: float, *, told: bool, tells: bool) -> None:
        """A connection has ended.

        Parameters
        ----------
        lasted_s : how long it was
        told : the broker has said that another took it over
        tells : it would have said so
        """
        if told:
            self._told_s.append(at_s)
        elif not tells and lasted_s < BRIEF_S:
            self._guessed_s.append(at_s)
        self._told_s = [each for each in self._told_s if at_s - each < WITHIN_S]
        self._guessed_s = [each for each in self._guessed_s if at_s - each < WITHIN_S]
        if len(self._told_s) + len(self._guessed_s) >= TAKEOVERS:
            self.contested = True

    def failed(self) -> None:
        """A try to connect has failed."""
        self._guessed_s.clear()
        if not self._told_s:
            self.contested = False

    def quiet(self) -> None:
        """A connection has lasted for `QUIET_S`: the name is ours alone."""
        self.contested = False
        self._told_s.clear()
        self._guessed_s.clear()
