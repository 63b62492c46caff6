import pytest

from alerts.lifecycle import HOLDING, OPEN, TABLE, State, Step, after, allowed, diagram


def test_every_way_through_the_table() -> None:
    for (state, step), following in TABLE.items():
        assert after(state, step) is following
        assert allowed(state, step)


def test_what_the_table_does_not_have_is_a_bug() -> None:
    assert not allowed(State.NORMAL, Step.ACKED)
    with pytest.raises(KeyError):
        after(State.ACKED, Step.ACKED)


def test_every_life_ends_normal_and_is_seen_by_somebody() -> None:
    """From birth, whatever happens: only what was acked, or told to nobody, is over."""
    ends = []

    def live(state: State, way: tuple[Step, ...]) -> None:
        for (old, step), following in TABLE.items():
            if old is state and following is State.NORMAL:
                ends.append((*way, step))
            elif old is state and following is not state:
                live(following, (*way, step))

    live(after(State.NORMAL, Step.RAISED), (Step.RAISED,))
    assert sorted(ends) == [
        (Step.RAISED, Step.ACKED, Step.CLEARED),
        (Step.RAISED, Step.CLEARED, Step.ACKED),
        (Step.RAISED, Step.LAPSED),
    ]


def test_an_open_alert_holds_or_waits_to_be_seen() -> None:
    assert {State.CLEARED_UNACKED} == OPEN - HOLDING
    assert State.NORMAL not in OPEN


def test_the_diagram_has_an_arrow_for_each_row() -> None:
    assert diagram().count("-->") == len(TABLE) + 1
    assert "cleared_unacked --> normal: acked" in diagram()
