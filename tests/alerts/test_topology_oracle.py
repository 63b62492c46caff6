"""What is down as a whole, against what anybody could say who looks at the times alone.

Six probes behind one gateway, two of them at one station, are heard at random minutes. After
each minute the alerts must be what the times at which each was last heard allow.
"""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.topology import LATE_INTERVALS, is_silence
from tests.alerts.script import Script, t
from tests.alerts.test_topology import EVERYBODY, SILENT, STATION, UPLINK, hear, registry

PATIENCE, EXPECTED = 45, 10
LATE = LATE_INTERVALS * EXPECTED
STATIONS = registry(dict.fromkeys(EVERYBODY, "gw-1"), (0, 1))
GROUPS: dict[str, tuple[int, ...]] = {UPLINK: EVERYBODY, STATION: (0, 1)}

PHASES = st.lists(
    st.tuples(st.integers(1, 70), st.sets(st.sampled_from(EVERYBODY)), st.booleans()),
    min_size=1,
    max_size=8,
)
"""For so many minutes so many probes send, all at once in ten minutes; and a restart after it."""


@settings(max_examples=60, deadline=None)
@given(PHASES)
def test_groups_and_single_devices_are_told_by_what_was_heard(
    phases: Sequence[tuple[int, set[int], bool]],
) -> None:
    script = hear(Script(SILENT, STATIONS), 0)
    heard, now = dict.fromkeys(EVERYBODY, 0), 0
    raised: dict[str, dict[int, int]] = {}
    up_at: dict[str, int] = dict.fromkeys(GROUPS, -PATIENCE)
    for minutes, sending, restart in phases:
        for _ in range(minutes):
            now += 1
            if now % EXPECTED == 0 and sending:
                hear(script, now, tuple(sorted(sending)))
                heard |= dict.fromkeys(sending, now)
            else:
                script.at(now).tick()
            _judge(script, now, heard, raised, up_at)
        if restart:
            script.restart()


def _judge(
    script: Script,
    now: int,
    heard: dict[int, int],
    raised: dict[str, dict[int, int]],
    up_at: dict[str, int],
) -> None:
    ledger = script.book._ledger
    holding = {rule for rule, _ in ledger.holding if rule in GROUPS}
    for rule, members in GROUPS.items():
        times = {n: heard[n] for n in members}
        if rule in holding and rule not in raised:
            raised[rule] = times
            assert max(times.values()) + LATE <= now, "each is late"
            assert min(times.values()) + PATIENCE <= now, "one is overdue"
        elif rule in raised:
            still = times == raised[rule]
            assert (rule in holding) == still, "up with the first word, and not before"
            if not still:
                del raised[rule]
                up_at[rule] = now
    for n in EVERYBODY:
        _judge_one(script, n, now, heard[n], up_at)


def _judge_one(script: Script, n: int, now: int, heard: int, up_at: dict[str, int]) -> None:
    ledger = script.book._ledger
    held = ledger.holding.get(("silent", f"p-{n}/salinity_g_l"))
    assert (held is not None) == (heard + PATIENCE <= now), "each silence holds by its own time"
    if held is None:
        return
    assert is_silence(held)
    own = [rule for rule, members in GROUPS.items() if n in members]
    down = [rule for rule in own if any(key[0] == rule for key in ledger.holding)]
    if held.suppressed is None:
        assert held.told
        assert not down, "its gateway or station stands for it"
    elif not down:
        assert any(now < up_at[rule] + PATIENCE for rule in own), "given as long again, no longer"
        assert held.release_ms > t(now)
