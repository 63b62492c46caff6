"""What farmers are told of each place, for each limit that can be followed. Pure.

Every limit of the scale is watched at every place, whoever follows it: so what is told is a
function of the journal alone, and a recording gives the same notices whoever reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from alerts.farmers.answer import OF_ROW, answer_of
from alerts.farmers.crops import LEVELS_MG_L
from alerts.farmers.notice import Notice
from alerts.farmers.place import Place, places
from alerts.farmers.vigil import (
    Hearing,
    Told,
    Watch,
    gone,
    listen,
    salt_since_ms,
    watch,
)
from alerts.river import decision
from alerts.river.advice import Found
from alerts.river.advisor import Advisor
from alerts.river.sight import Asker, Sight, judge
from ingest.registry import Registry

LOST_MIN: Final = ((15.0, 180), (35.0, 120), (50.0, 60), (100_000.0, 45))
LOST_INTERVALS: Final = 3
"""Below km, after how many minutes of silence people are told: the further up, the sooner, and
not before so many readings are missing. Expert judgement, unverified."""

NOBODY: Final = Asker(limit_g_l=1000.0)
"""Asked only whether anything that can be trusted is measured: any water is fresh enough."""


@dataclass(slots=True)
class Post:
    """One place."""

    hearing: Hearing = field(default_factory=Hearing)
    watches: dict[int, Watch] = field(
        default_factory=lambda: {each: Watch() for each in LEVELS_MG_L}
    )


class Lookout:
    """All places of the registry."""

    def __init__(self, registry: Registry, snapshot: dict[str, Any] | None = None) -> None:
        self._posts: dict[Place, Post] = {}
        self._gone: list[tuple[Place, Post, Registry]] = []
        self._answers: dict[str, dict[int, dict[str, Any]]] = {}
        if snapshot is not None:
            self._restore(snapshot)
        self._registry = registry
        self.reconfigure(registry)

    def reconfigure(self, registry: Registry) -> None:
        """Places that are gone are forgotten, once the next `advance` has told of that."""
        known = places(registry.intakes)
        self._gone += [
            (each, post, self._registry) for each, post in self._posts.items() if each not in known
        ]
        self._registry = registry
        self._posts = {each: self._posts.get(each, Post()) for each in known}
        wanted = {str(place) for place in self._posts}
        self._answers = {each: said for each, said in self._answers.items() if each in wanted}

    def advance(self, now_ms: int, listening_ms: int, advisor: Advisor) -> list[Notice]:
        """What is to be told as of `now_ms`; `advisor` has been advanced to it.

        listening_ms : since when we have listened: before that silence is ours
        """
        told: list[Notice] = []
        for place, post, registry in self._gone:
            last = Told(place, registry, now_ms)
            gone(last, post.hearing)
            told.extend(last.notices)
        self._gone.clear()
        for place, post in self._posts.items():
            due_ms = self._due_ms(post, place, listening_ms)
            if place.intake in advisor.thought_of or (due_ms is not None and due_ms <= now_ms):
                sights = advisor.sights(place.intake, place.side, now_ms)
                told.extend(self._think(place, post, sights, now_ms, listening_ms))
        return told

    def next_due_ms(self, listening_ms: int) -> int | None:
        """When the clock alone changes what people are told."""
        dues = (self._due_ms(post, place, listening_ms) for place, post in self._posts.items())
        return min((due for due in dues if due is not None), default=None)

    def answers(self) -> Mapping[str, Mapping[int, Mapping[str, Any]]]:
        """By place and limit, mg/L: see `alerts.farmers.answer`. What it holds never changes."""
        return dict(self._answers)

    def snapshot(self) -> dict[str, Any]:
        return {
            "posts": {
                str(place): {
                    "hearing": _row(post.hearing),
                    "watches": [[level, *_row(watch)] for level, watch in post.watches.items()],
                }
                for place, post in self._posts.items()
            },
            "answers": {
                place: [[level, said] for level, said in levels.items()]
                for place, levels in self._answers.items()
            },
        }

    def _restore(self, snapshot: dict[str, Any]) -> None:
        for name, stored in snapshot["posts"].items():
            intake, _, side = name.partition("/")
            post = Post(Hearing(*stored["hearing"]))
            # A scale that has changed begins anew where it has: what is not known is not told.
            known = {level: Watch(*row) for level, *row in stored["watches"]}
            post.watches = {level: known.get(level, Watch()) for level in LEVELS_MG_L}
            self._posts[Place(intake, side)] = post
        self._answers = {
            place: {level: dict(said) for level, said in levels}
            for place, levels in snapshot["answers"].items()
        }

    def _due_ms(self, post: Post, place: Place, listening_ms: int) -> int | None:
        hearing, dues = post.hearing, []
        if hearing.known_ms >= 0 and not hearing.event:
            dues.append(self._lost_at_ms(post, place, listening_ms))
        if hearing.known_ms >= 0 and any(each.open_ms >= 0 for each in post.watches.values()):
            dues.append(hearing.shut_ms)
        return min(dues, default=None)

    def _lost_at_ms(self, post: Post, place: Place, listening_ms: int) -> int:
        """When silence is told, if nothing is heard until then."""
        named = self._registry.intakes[place.intake].stations
        km = max((self._registry.stations[each].nearest_km or 0.0 for each in named), default=0.0)
        lost_min = next(minutes for below, minutes in LOST_MIN if km < below)
        lost_ms = max(lost_min * 60_000, LOST_INTERVALS * post.hearing.interval_ms)
        return max(post.hearing.known_ms, listening_ms) + lost_ms

    def _think(
        self, place: Place, post: Post, sights: list[Sight], now_ms: int, listening_ms: int
    ) -> list[Notice]:
        told = Told(place, self._registry, now_ms)
        gravity = self._registry.intakes[place.intake].lift == "gravity"
        listen(
            told, post.hearing, judge(sights, NOBODY), self._lost_at_ms(post, place, listening_ms)
        )
        answers = {}
        for level, one in post.watches.items():
            asker = Asker(level / 1000, gravity=gravity)
            found = judge(sights, asker)
            watch(told, one, level, found, sights, asker, post.hearing)
            answer = OF_ROW[found.row].value
            if answer != one.answer:
                one.answer, one.since_ms = answer, _since_ms(found, sights, asker, now_ms)
            answers[level] = answer_of(found, level, one.since_ms, now_ms, one.within_ms)
        self._answers[str(place)] = answers
        return told.notices


def _since_ms(found: Found, sights: Sequence[Sight], asker: Asker, now_ms: int) -> int:
    """Since when an answer stands that has just changed, by the readings."""
    if found.row == decision.TOO_SALT:
        return salt_since_ms(found, sights, asker.limit_g_l)
    return now_ms if found.figure_ms is None else found.figure_ms


def _row(of: Watch | Hearing) -> list[Any]:
    return [getattr(of, each.name) for each in fields(of)]
