"""Who asked to be told, and where: the only place of the service that holds personal data.

`People` of `api.people.people` answers, from any thread:

    signup(wish: Wish, client: str, now_ms) -> SignedUp      client: the caller's network address
    confirm(request: str, code: str, now_ms) -> Confirmed
    by_token(token: str, now_ms) -> Stored | None
    change(token: str, changes: Changes, now_ms) -> ChangeWhy
    stop(token: str, now_ms) -> bool                         False: nobody has this token
    erase(token: str, now_ms) -> bool
    export(token: str, now_ms) -> dict[str, Any] | None      JSON types alone
    person(id: int, now_ms) -> Person | None                 for the senders
    counts(now_ms) -> Counts                                 for the operator
    sweep(now_ms) -> None                                    once a minute: what has run out goes
"""

from api.people.terms import (
    FOLLOWS_MAX,
    LANGS,
    Changes,
    ChangeWhy,
    Confirmed,
    ConfirmWhy,
    Counts,
    Direct,
    SignedUp,
    SignupWhy,
    Stored,
    Wish,
)

__all__ = [
    "FOLLOWS_MAX",
    "LANGS",
    "ChangeWhy",
    "Changes",
    "ConfirmWhy",
    "Confirmed",
    "Counts",
    "Direct",
    "SignedUp",
    "SignupWhy",
    "Stored",
    "Wish",
]
