"""The processor's state as older versions of the program have left it, brought forward.

A step takes a snapshot of one version and gives it in the shape of the next. Without one, the
state is made anew from the journal, where that still reaches back to its beginning.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from alerts.lifecycle import State as Life
from alerts.urgency import Urgency
from ingest.reading import Batch, Why

State = dict[str, Any]


def _from_2(state: State) -> State:
    """What was measured and what was simulated are told apart from here on.

    Version 2 took any newest reading for a sign of life; it stays one until the next. An alert
    whose hold had simulated samples in it is one that the first measured sample ends.
    """
    newest = Batch(*state["newest"])
    engine = state["judging"]["engine"]
    held = engine["held"]
    simulated = held["active"] & ((held["why"] & Why.SIMULATED) != 0)
    told_apart = engine | {"held": held | {"simulated": simulated}}
    return state | {
        "measured_ms": np.array(newest.t_ms, dtype=np.int64),
        "judging": state["judging"] | {"engine": told_apart},
    }


def _from_3(state: State) -> State:
    """Alerts have something beside their state from here on, and are said again.

    Nothing was shelved, suppressed or flapping before. Whoever was told of an alert was told
    outside as well. The clock of one that waits for somebody begins with this version, at the
    pace of the defaults: no rules file could name another.
    """
    alerts = [_beside(alert, state["now_ms"]) for alert in state["book"]["alerts"]]
    book = {
        "alerts": alerts,
        # A checkpoint from before there were notices has none.
        "notices": state["book"].get("notices", {}),
        "shelves": [],
        "flapping": [],
        "down": {"down": [], "recovering": []},
        "aside": {},
    }
    return state | {"book": book}


def _beside(alert: State, now_ms: int) -> State:
    told = alert["t_told_ms"] >= 0
    pace = Urgency().of(alert["fixed"]["severity"])
    waits = told and alert["state"] == Life.UNACKED.value
    return alert | {
        "suppressed": None,
        "heard": told,
        "acts_from": alert["ver"],
        "remind_ms": now_ms + pace.remind_ms if waits and pace.remind_ms else -1,
        "escalate_ms": now_ms + pace.escalate_ms[0] if waits and pace.escalate_ms else -1,
    }


STEPS: Mapping[int, Callable[[State], State]] = {2: _from_2, 3: _from_3}
"""By the version that a step begins from. The first release wrote version 3; of version 1 there
were no data directories that anyone has kept."""


def brought_forward(state: State, wanted: int) -> State:
    """The state in the shape of version `wanted`, as far as there are steps towards it."""
    while state["version"] < wanted and (step := STEPS.get(state["version"])) is not None:
        state = step(state) | {"version": state["version"] + 1}
    return state
