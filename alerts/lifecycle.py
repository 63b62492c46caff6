"""The life of an alert, as a table.

An alert is born unacked when its rule begins to hold. An officer who says that he has seen it
makes it acked. When the rule no longer holds, a seen alert is over (normal); one that nobody
has seen stays as cleared-unacked until somebody has, because what happened at night must be
read in the morning. An alert that nobody was ever told of (found late, and over before anybody
could act) lapses without asking for an acknowledgement, and so does a test.

Shelving and suppression stand beside the state, not in it: a shelved alert still clears.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    NORMAL = "normal"
    UNACKED = "unacked"
    ACKED = "acked"
    CLEARED_UNACKED = "cleared-unacked"


class Step(StrEnum):
    RAISED = "raised"
    ACKED = "acked"
    CLEARED = "cleared"
    LAPSED = "lapsed"
    """Cleared, and nobody is to look at it any more: nobody had been told, or it was a test."""


TABLE: Final[Mapping[tuple[State, Step], State]] = {
    (State.NORMAL, Step.RAISED): State.UNACKED,
    (State.UNACKED, Step.ACKED): State.ACKED,
    (State.UNACKED, Step.CLEARED): State.CLEARED_UNACKED,
    (State.UNACKED, Step.LAPSED): State.NORMAL,
    (State.ACKED, Step.CLEARED): State.NORMAL,
    (State.CLEARED_UNACKED, Step.ACKED): State.NORMAL,
}

HOLDING: Final = frozenset({State.UNACKED, State.ACKED})
"""States in which the rule still holds."""

OPEN: Final = frozenset({State.UNACKED, State.ACKED, State.CLEARED_UNACKED})
"""States that an officer sees in the list of active alerts."""


def after(state: State, step: Step) -> State:
    """The next state. A step that the table doesn't have is a bug, and raises KeyError."""
    return TABLE[state, step]


def allowed(state: State, step: Step) -> bool:
    return (state, step) in TABLE


def diagram() -> str:
    """The table as a Mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", "    [*] --> normal"]
    lines.extend(
        f"    {old.replace('-', '_')} --> {new.replace('-', '_')}: {step}"
        for (old, step), new in TABLE.items()
    )
    return "\n".join(lines)
