"""Which notices the book of alerts holds, and what is on its way to it.

Whoever watches says what he wants to hold; an entry is written where the book has it
otherwise, and again after a while if nothing has come of that (a full disk).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from alerts.alert import AlertEvent
from alerts.lifecycle import HOLDING, State
from alerts.notices import NOTICES, NoticeRule
from ingest.journal import Notice

ASK_AGAIN_S: Final = 30.0


class Board:
    """Notices as the book tells them.

    Parameters
    ----------
    said : by built-in rule the last word on it, as `AlertBook.notices` gives it
    """

    def __init__(self, said: Mapping[str, tuple[bool, int]]) -> None:
        self._holding = {notice for notice, (holding, _) in said.items() if holding}
        self._asked: dict[str, tuple[bool, float]] = {}

    def holds(self, rule: NoticeRule) -> bool:
        return rule.id in self._holding

    def told(self, events: Iterable[AlertEvent]) -> None:
        """Take what the book has made of the entries."""
        for event in events:
            rule = event.alert["rule"]
            if rule not in NOTICES:
                continue
            if State(event.alert["state"]) in HOLDING:
                self._holding.add(rule)
            else:
                self._holding.discard(rule)

    def ask(
        self,
        rule: NoticeRule,
        mono_s: float,
        t_ms: int,
        *,
        hold: bool,
        value: float | None = None,
        limit: float | None = None,
        detail: str = "",
    ) -> list[Notice]:
        """The entry that makes a notice hold, or end; none where it is so, or is asked for.

        mono_s : a clock that does not jump
        t_ms : since when, or when it ended
        """
        if self.holds(rule) == hold:
            self._asked.pop(rule.id, None)
            return []
        asked = self._asked.get(rule.id)
        if asked is not None and asked[0] == hold and mono_s - asked[1] < ASK_AGAIN_S:
            return []
        self._asked[rule.id] = hold, mono_s
        return [Notice(rule.id, hold, value, limit, t_ms, detail)]
