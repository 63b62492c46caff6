"""Instants: complete once, with all that belongs to them, in any split and any order."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.instants import Instants
from ingest.snapshot import pack, unpack

MINUTE = 60_000
REORDER = 2 * MINUTE
EXPECTED = np.array([10 * MINUTE, 10 * MINUTE, 15 * MINUTE, 60_000], dtype=np.int64)

Sample = tuple[int, int]


def instants(*members: Sequence[int], step: int = 15 * MINUTE) -> Instants:
    groups = [np.array(each, dtype=np.int64) for each in members]
    return Instants(groups, [step] * len(groups), EXPECTED, REORDER)


def give(to: Instants, *samples: tuple[int, float]) -> list[tuple[float, int]]:
    """(series, minute) in; (minute, group) out."""
    series = np.array([s for s, _ in samples], dtype=np.int64)
    t_ms = np.array([round(t * MINUTE) for _, t in samples], dtype=np.int64)
    return [(t / MINUTE, group) for t, group in to.due(series, t_ms)]


def test_an_instant_waits_for_every_member() -> None:
    grid = instants([0, 1])
    assert give(grid, (0, 10), (1, 10)) == []
    assert give(grid, (0, 20)) == []
    assert give(grid, (1, 20)) == [(15, 0)]
    assert give(grid, (0, 30), (1, 30)) == [(30, 0)]


def test_one_that_was_never_seen_is_waited_for_as_long_as_the_reorder_time() -> None:
    grid = instants([0, 1])
    assert give(grid, (0, 15)) == []
    assert give(grid, (0, 17)) == []
    assert give(grid, (0, 17.1)) == [(15, 0)]


def test_one_that_fell_silent_is_waited_for_two_intervals_and_the_reorder_time() -> None:
    grid = instants([0, 1])
    assert give(grid, (0, 10), (1, 10), (0, 20), (0, 30), (0, 32)) == []
    assert give(grid, (0, 32.5)) == [(15, 0), (30, 0)]


def test_one_that_comes_back_counts_again() -> None:
    grid = instants([0, 1])
    give(grid, (1, 10), (0, 10), (0, 60), (0, 70))
    give(grid, (1, 69))
    assert give(grid, (0, 80)) == []
    assert give(grid, (1, 80)) == [(75, 0)]


def test_a_long_gap_has_no_instants() -> None:
    grid = instants([0])
    give(grid, (0, 15))
    year = 365 * 24 * 60
    assert give(grid, (0, year)) == [(year, 0)]
    assert len(grid.snapshot()["at_ms"]) == 0


def test_a_sample_that_comes_too_late_gives_no_instant_again() -> None:
    grid = instants([0, 3], step=MINUTE)
    give(grid, (3, 1), (0, 1), (3, 2), (0, 2))
    assert give(grid, (3, 50), (3, 60)) == [(50, 0)]
    assert give(grid, (0, 3), (0, 49)) == []
    assert give(grid, (0, 60)) == [(60, 0)]


def test_groups_have_their_own_grids_and_share_series() -> None:
    groups = [np.array([0, 1]), np.array([1])]
    grid = Instants(groups, [15 * MINUTE, 5 * MINUTE], EXPECTED, REORDER)
    assert give(grid, (1, 5)) == [(5, 1)]
    assert give(grid, (1, 15)) == [(15, 1)]
    assert give(grid, (0, 15)) == [(15, 0)]
    assert give(grid, (2, 15)) == []


def test_a_group_keeps_its_state_by_its_key_when_members_come() -> None:
    old = Instants([np.array([0])], [15 * MINUTE], EXPECTED, REORDER, keys=["mouth"])
    give(old, (0, 15), (0, 16))
    groups = [np.array([3]), np.array([0, 1])]
    new = Instants(
        groups, [MINUTE, 15 * MINUTE], EXPECTED, REORDER, old.snapshot(), keys=["a", "mouth"]
    )
    assert give(new, (1, 14)) == []
    assert give(new, (0, 31), (1, 31)) == [(30, 1)]


def test_no_groups_are_no_work() -> None:
    assert give(instants(), (0, 1)) == []


@st.composite
def feeds(draw: st.DrawFn) -> list[Sample]:
    """Samples (series, t_ms) with gaps, no one more than the reorder time after a newer one."""
    found: list[tuple[int, int, int]] = []
    for series in range(4):
        t_ms = draw(st.integers(0, 60)) * MINUTE
        for _ in range(draw(st.integers(0, 12))):
            t_ms += draw(st.sampled_from([1, 7, 60, 600, 900, 901, 5_000, 90_000])) * 1000
            late = draw(st.sampled_from([0, 0, REORDER // 2, REORDER]))
            found.append((t_ms + late, series, t_ms))
    arrived: list[Sample] = []
    newest = dict.fromkeys(range(4), -1)
    for _, series, t_ms in sorted(found):
        if t_ms > newest[series]:  # a late one of its own series is not released
            arrived.append((series, t_ms))
            newest[series] = t_ms
    return arrived


GROUPS = ([0, 1, 2], [1, 3], [2])
STEPS = (900_000, 60_000, 600_000)


def told(feed: Sequence[Sample], cuts: Sequence[int], *, restart: bool) -> list[object]:
    """Every instant with the samples that had come by then, of those that belong to it."""
    members = [np.array(each, dtype=np.int64) for each in GROUPS]
    grid = Instants(members, STEPS, EXPECTED, REORDER)
    given_: list[Sample] = []
    found: list[object] = []
    for low, high in zip([0, *cuts], [*cuts, len(feed)], strict=True):
        part = feed[low:high]
        given_.extend(part)
        columns = np.array(part, dtype=np.int64).reshape(-1, 2)
        for t_ms, group in grid.due(columns[:, 0], columns[:, 1]):
            seen = sorted(s for s in given_ if s[0] in GROUPS[group] and s[1] <= t_ms)
            found.append((group, t_ms, seen))
        if restart:
            state = unpack(pack(grid.snapshot()))
            grid = Instants(members, STEPS, EXPECTED, REORDER, state)
    return sorted(found, key=repr)


def complete(feed: Sequence[Sample]) -> list[object]:
    """The plain twin: what the definition gives for a feed that has been given whole."""
    found: list[object] = []
    for group, (members, step) in enumerate(zip(GROUPS, STEPS, strict=True)):
        own = [s for s in feed if s[0] in members]
        if not own:
            continue
        newest = {m: max((t for s, t in own if s == m), default=-1) for m in members}
        ahead = max(newest.values())
        for at in sorted({-(-t // step) * step for _, t in own}):
            waited = [
                m
                for m in members
                if newest[m] < at
                and not (
                    ahead > at + REORDER
                    and (newest[m] < 0 or ahead - newest[m] > 2 * EXPECTED[m] + REORDER)
                )
            ]
            if not waited:
                found.append((group, at, sorted(s for s in own if s[1] <= at)))
    return sorted(found, key=repr)


@settings(max_examples=300, deadline=None)
@given(feeds(), st.data())
def test_any_split_and_order_gives_each_instant_once_with_all_that_belongs_to_it(
    feed: list[Sample], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(feed)), max_size=5)))
    expected = complete(feed)
    assert told(feed, cuts, restart=data.draw(st.booleans())) == expected
    assert told(feed, range(1, len(feed)), restart=False) == expected
