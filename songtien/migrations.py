"""The processor's state as older versions of the program have left it, brought forward.

A step takes a snapshot of one version and gives it in the shape of the next. Without one, the
state is made anew from the journal, where that still reaches back to its beginning.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

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


STEPS: Mapping[int, Callable[[State], State]] = {2: _from_2}
"""By the version that a step begins from. The first release wrote version 3; of version 1 there
were no data directories that anyone has kept."""


def brought_forward(state: State, wanted: int) -> State:
    """The state in the shape of version `wanted`, as far as there are steps towards it."""
    while state["version"] < wanted and (step := STEPS.get(state["version"])) is not None:
        state = step(state) | {"version": state["version"] + 1}
    return state
