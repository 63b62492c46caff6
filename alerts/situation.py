"""What the book of alerts is told beside the engine's transitions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingest.reading import IntArray


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand at the end of an entry, or at a due time.

    newest_ms : int64[S], the newest sample of each series that had a value for the rules, -1
        where there was none
    heard_ms : int64[S], the newest measured time of each series, -1 where there is none
    clearing : whether the newest samples of a raised rule on a series were calm: what no longer
        holds, but isn't cleared yet, is no news
    instant_ms : the newest instant at which a rule over several series was asked about the group
        that a series stands for, None where it is asked of that series alone: a group goes on
        when its first member is silent
    evaluations : how often a rule has been asked of a series so far, as `Transition.ordinal`
    maintenance : station -> id of the window that is in force
    closed : directions of bridges that the police have closed, as `station/direction`
    asleep_ms : int64[S], until when the device of each series sleeps, as it has announced; in
        the past for those that are awake. None: nobody sleeps
    """

    now_ms: int
    newest_ms: IntArray
    heard_ms: IntArray
    clearing: Callable[[str, int], bool] = lambda _rule, _series: False
    evaluations: Callable[[str, int], int] = lambda _rule, _series: -1
    maintenance: Mapping[str, str] = field(default_factory=dict)
    asleep_ms: IntArray | None = None
    closed: frozenset[str] = frozenset()
    instant_ms: Callable[[str, int], int | None] = lambda _rule, _series: None
