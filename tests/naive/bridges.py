"""States of a road by looking back from every minute: slow, plain, and of the table alone."""

from collections.abc import Collection, Sequence

ROWS = {
    1: (35.0, 0.20, any, 3, 40.0, 0.15, 5),
    2: (20.0, 0.30, all, 5, 30.0, 0.20, 10),
    3: (8.0, 0.45, all, 5, 15.0, None, 5),
}


def states(
    instants: Sequence[tuple[float | None, float | None]], suspect: Collection[int]
) -> list[int]:
    """The state at each minute, of (speed, occupancy) by the minute; both None: not seen."""
    on = {level: _on(level, instants, suspect) for level in ROWS}
    return [
        max((level for level in ROWS if on[level][minute]), default=0)
        for minute in range(len(instants))
    ]


def _on(
    level: int,
    instants: Sequence[tuple[float | None, float | None]],
    suspect: Collection[int],
) -> list[bool]:
    *_, enter_min, _, _, leave_min = ROWS[level]
    on: list[bool] = []
    since = 0
    for minute in range(len(instants)):
        before = on[-1] if on else False
        wanted = leave_min if before else enter_min
        run = range(minute - wanted, minute + 1)
        # All minutes of the run, none of them before the last change.
        whole = run.start >= since and all(
            _holds(level, instants[each], each in suspect, leaving=before) for each in run
        )
        on.append(not before if whole else before)
        if whole:
            since = minute + 1
    return on


def _holds(
    level: int,
    instant: tuple[float | None, float | None],
    is_suspect: bool,
    *,
    leaving: bool,
) -> bool:
    speed, occupancy = instant
    enter_speed, enter_occupancy, how, _, leave_speed, leave_occupancy, _ = ROWS[level]
    if speed is None and occupancy is None:
        return False
    if not leaving:
        asked = []
        if speed is not None:
            asked.append(speed < enter_speed)
        if occupancy is not None:
            asked.append(occupancy > enter_occupancy)
        return how(asked)
    if is_suspect:
        return False
    asked = []
    if speed is not None:
        asked.append(speed > leave_speed)
    if occupancy is not None and (leave_occupancy is not None or speed is None):
        asked.append(occupancy < (leave_occupancy or 0.20))
    return all(asked)
