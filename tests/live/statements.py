"""What the contract of live.v1 says of a server and of a client, statement by statement.

A number is that of the contract's rule; F stands for its frames, C for what a client does.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

SERVER = {
    "F1": "auth is answered by hello with its id, the role, now, ping_s and limits",
    "F2": "the subprotocol is live.v1, the frames are JSON texts of at most 64 KiB",
    "F3": "a request is answered once, with its id; what comes unasked carries sub or nothing",
    "F4": "sub is answered by sub_ok with a number of its own; after unsub nothing comes of it",
    "F5": "a ping names the positions that were sent",
    "F6": "an id that does not rise is not taken",
    "F7": "a frame has its fields, each of its type; fields that a newer client sends are passed",
    "F8": "calls are answered by ret or err; one that the role does not allow or nobody knows is err",
    "1.1": "the from of a delta or event is the position of what was sent before it",
    "1.2": "after a connection that broke the state equals a fresh load",
    "1.3": "after a connection that broke the alerts equal a fresh load",
    "2.1": "all pages of a snapshot share one pos, and no delta stands between them",
    "2.2": "set merges fields and null removes one: snapshot and deltas equal a fresh load",
    "2.3": "a new key comes whole",
    "2.4": "a snapshot of alerts holds whole alerts that are unacked, acked or cleared-unacked",
    "3.1": "where is an AND of fields, each an OR over its list",
    "3.2": "where on anything that changes is err 400",
    "4.1": "at most 32 kB is in flight; then a ping, and no delta until its pong",
    "4.2": "a key stands in a delta once, and merged counts what was overwritten",
    "4.3": "max_hz bounds the deltas a second",
    "4.4": "a client that was paused shows the newest values when it goes on",
    "5.1": "events come in order and whole, without a gap",
    "5.2": "positions of alerts survive a restart of the service",
    "6": "st changes without any new data",
    "7.1": "a position that the server gave is recovered from, or a whole snapshot comes",
    "7.2": "a position that it never gave is not recovered, and that is said",
    "8.1": "4001 when the service shuts down",
    "8.2": "4012 when a ping is not answered",
    "8.3": "4400 for what is no frame",
    "8.4": "4401 for a token that nobody has, and for a request before auth",
    "8.5": "4408 without auth within 10 s",
    "8.6": "4429 for too many requests",
    "9.1": "a page of another origin may not connect; without Origin one may",
    "9.2": "clients that are stuck delay nobody",
}

CLIENT = {
    "C1": "auth is the first frame; no token stands in the URL, the subprotocol is live.v1",
    "C2": "ids rise on each connection",
    "C3": "every ping is answered by a pong",
    "C4": "a snapshot takes effect with its last page; broken off in the middle, it does not",
    "C5": "fields are merged, null removes one, a new key comes whole, del removes a key",
    "C6": "a frame that does not follow from the own position is not applied: subscribe again with it",
    "C7": "a ping that names another position: subscribe again with the own",
    "C8": "reset: what is held is dropped, the snapshot that follows is taken",
    "C9": "recovered true goes on from what is held; false replaces all of it",
    "C10": "an event's alert takes the place of what was held; each is seen once and in order",
    "C11": "ops and fields that are not known are passed over",
    "C12": "what still comes for a subscription that was given up changes nothing",
    "C13": "pages of two snapshots are not mixed",
    "C14": "4000 to 4099 and broken links: come back, waiting at most 1 s, doubled to 60 s",
    "C15": "4400 to 4499: stop, and tell the person",
    "C16": "a link on which nothing comes any more is given up",
    "C17": "after any mixture of changes, drops and restarts what is held equals the truth",
}

KEPT_TYPES = frozenset(
    ("raised", "escalated", "eased", "cleared", "acked", "shelved", "unshelved", "noted")
)
"""The types of events that the contract names; a server may have further ones."""


class Verdict(StrEnum):
    HELD = "held"
    BROKEN = "NOT HELD"
    NONE = "not applicable"


class BreachError(Exception):
    """Somebody did what the contract does not allow."""

    def __init__(self, statement: str, words: str) -> None:
        super().__init__(f"{statement}: {words}")
        self.statement = statement
        self.words = words


@dataclass
class Ledger:
    """What was found of each statement.

    occasions : how often there was an occasion to break it
    broken : the first breach of each; a statement that was broken stays so
    reasons : why there was no occasion
    """

    statements: dict[str, str]
    occasions: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def saw(self, statement: str) -> None:
        assert statement in self.statements, statement
        self.occasions[statement] += 1

    def breach(self, error: BreachError) -> None:
        assert error.statement in self.statements, error.statement
        self.broken.setdefault(error.statement, error.words)

    def skip(self, statement: str, why: str) -> None:
        self.reasons.setdefault(statement, why)

    def expect(self, statement: str, holds: bool, words: str) -> None:
        """Note that the statement was tried, and whether it held."""
        self.saw(statement)
        if not holds:
            self.breach(BreachError(statement, words))

    def verdict(self, statement: str) -> tuple[Verdict, str]:
        if statement in self.broken:
            return Verdict.BROKEN, self.broken[statement]
        if self.occasions[statement]:
            return Verdict.HELD, ""
        return Verdict.NONE, self.reasons.get(statement, "there was no occasion")

    def lines(self) -> list[str]:
        """A line for each statement."""
        found = []
        for statement, words in self.statements.items():
            verdict, why = self.verdict(statement)
            reason = f" ({why})" if why else ""
            found.append(f"{statement:>4}  {verdict:<14}  {words}{reason}")
        return found
