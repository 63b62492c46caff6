"""What the screens were shown is written down, and shown again as it was."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.desk import Desk
from api.live.parts import LinkState
from ingest.reading import Batch, Flag, Why
from songtien.rewind.scene import Change
from songtien.rewind.walk import Walk
from tests.songtien.life import WITH_MT_03
from tests.songtien.past import Past, alert, parts, pictures, shown

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
SERIES = 62
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
STATES = ("unacked", "acked", "cleared-unacked", "normal")

Act = tuple[Any, ...]

_row = st.tuples(
    st.integers(0, SERIES - 1),
    st.integers(-2 * HOUR, 0),
    st.integers(-50_000, 400_000),
    st.sampled_from([Flag.PASS, Flag.NOT_EVALUATED, Flag.SUSPECT]),
    st.sampled_from([0, Why.SIMULATED, Why.BOUND]),
)
_act = st.one_of(
    st.tuples(st.just("values"), st.lists(_row, min_size=1, max_size=8, unique_by=lambda r: r[0])),
    st.tuples(
        st.just("link"),
        st.sampled_from(["mt-01", "cam-01"]),
        st.sampled_from(["ready", "lost", None]),
    ),
    st.tuples(st.just("alert"), st.integers(0, 4), st.sampled_from(STATES)),
    st.tuples(st.just("pictures"), st.integers(0, 9)),
    st.tuples(st.just("window"), st.integers(1, 120)),
    st.tuples(st.just("config"), st.booleans()),
    st.tuples(st.just("down"), st.integers(1, 90)),
    st.tuples(st.just("quiet")),
)
_steps = st.lists(st.tuples(st.integers(1_100, 40 * MINUTE), _act), min_size=1, max_size=12)


def change_of(past: Past, act: Act) -> Change:
    found = Change()
    match act:
        case ("values", rows):
            series, ago, value, flag, why = zip(*rows, strict=True)
            times = [past.now_ms + each for each in ago]
            found = Change(Batch.of(series, times, [each / 1e4 for each in value], flag, why))
        case ("link", device, state):
            link = None if state is None else LinkState(s=state, until=None)
            found = Change(links={device: link})
        case ("alert", number, state):
            past.position += 3
            event = {"type": "raised", "at": past.now_ms, "alert": alert(number, state)}
            found = Change(events=[(past.position, {**event, "who": "an"})])
        case ("pictures", number):
            found = Change(pictures=pictures(number))
        case ("window", minutes):
            found = Change(desk=_worked_on(past.now_ms, minutes))
        case ("config", more):
            keys = tuple(one.key for one in past.screens.parts.series.entries)
            found = Change(parts=parts(WITH_MT_03, keys) if more else parts(keys=keys))
    return found


def _worked_on(now_ms: int, minutes: int) -> Desk:
    window = {
        "id": "m1",
        "station": "my-tho",
        "from_ms": now_ms,
        "to_ms": now_ms + minutes * MINUTE,
        "reason": "thay đầu dò",
        "t_ms": now_ms,
        "who": "an",
        "note": "",
    }
    return Desk({"next": 2, "windows": [window], "bridges": {}, "levels": [], "intakes": {}})


def live(past: Past, steps: list[tuple[int, Act]], flush: Callable[[], bool]) -> None:
    """Lives of a service: each `down` ends one, and the next begins so many minutes later."""
    at = 0
    while at < len(steps):
        with past.recording() as recorder:
            past.remember()
            while at < len(steps):
                after_ms, act = steps[at]
                at += 1
                past.now_ms += after_ms
                if act[0] == "down":
                    break
                past.show(change_of(past, act))
                past.remember()
                if flush():
                    recorder.settle()
        if at <= len(steps) and steps[at - 1][1][0] == "down":
            past.now_ms += steps[at - 1][1][1] * MINUTE


@settings(max_examples=60)
@given(_steps, st.data())
def test_what_was_shown_is_shown_again(steps: list[tuple[int, Act]], data: st.DataObject) -> None:
    """At any moment, opened there or played up to it in any chunks, also across restarts."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        past = Past(Path(directory))
        live(past, steps, lambda: data.draw(st.booleans()))
        for at_ms, expected in data.draw(
            st.lists(st.sampled_from(past.moments), min_size=1, max_size=4)
        ):
            assert shown(past.at(at_ms).screens, at_ms) == expected
        pieces = past.timeline.open(past.moments[0][0])
        walk = Walk(pieces.first, "w")
        for at_ms, expected in past.moments:
            if data.draw(st.booleans()):
                continue
            while walk.loaded_ms <= at_ms and (piece := pieces.next()) is not None:
                walk.feed(piece)
            walk.advance(at_ms)
            assert shown(walk.screens, at_ms) == expected
