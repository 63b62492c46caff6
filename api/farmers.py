"""What the doors need of the farmers' part: answers at places, people, and who is told what.

Callables are marked as in `api.service`: those of *loop* never block, those of *worker* may
read files and are safe from several threads at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.people.people import People

Answers = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""By place (`intake/side`) and limit, mg/L: see `alerts.farmers.answer`."""


@dataclass(frozen=True, slots=True)
class Farmers:
    """Filled once, by the wiring. Without arguments: no place is known, nobody can be told.

    answers : *loop*. As they were decided last; `alerts.farmers.answer.as_of` a time
    people : *worker*. Who asked to be told; None where nobody is kept
    site : address of the farmers' page as it stands in messages, "" where there is none
    """

    answers: Callable[[], Answers] = dict
    people: "People | None" = None
    site: str = ""
