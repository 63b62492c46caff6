"""Whether another client goes by our name: what counts, and what does not."""

from ingest.takeovers import BRIEF_S, TAKEOVERS, WITHIN_S, Takeovers


def lost(takeovers: Takeovers, *times_s: float, told: bool = True, tells: bool = True) -> None:
    for at_s in times_s:
        takeovers.lost(at_s, 1.0, told=told, tells=tells)


def test_the_third_within_a_minute_counts() -> None:
    takeovers = Takeovers()
    lost(takeovers, 0.0, 1.0)
    assert not takeovers.contested
    lost(takeovers, WITHIN_S - 0.1)
    assert takeovers.contested


def test_three_that_are_further_apart_do_not() -> None:
    takeovers = Takeovers()
    lost(takeovers, *(n * WITHIN_S / (TAKEOVERS - 1) for n in range(10)))
    assert not takeovers.contested


def test_a_broker_that_tells_and_flaps_is_not_a_rival() -> None:
    takeovers = Takeovers()
    lost(takeovers, *range(20), told=False)
    assert not takeovers.contested


def test_a_broker_that_cannot_tell_is_judged_by_brief_connections() -> None:
    takeovers = Takeovers()
    lost(takeovers, 0.0, 1.0, 2.0, told=False, tells=False)
    assert takeovers.contested
    long = Takeovers()
    for n in range(5):
        long.lost(n * (BRIEF_S + 1), BRIEF_S, told=False, tells=False)
    assert not long.contested


def test_a_failed_try_between_means_a_broker_in_trouble() -> None:
    takeovers = Takeovers()
    for n in range(10):
        lost(takeovers, float(n), told=False, tells=False)
        takeovers.failed()
    assert not takeovers.contested
    lost(takeovers, 11.0, 12.0, 13.0)
    takeovers.failed()
    assert takeovers.contested, "what the broker has said stands"


def test_quiet_ends_it_and_three_more_are_needed() -> None:
    takeovers = Takeovers()
    lost(takeovers, 0.0, 1.0, 2.0)
    takeovers.quiet()
    assert not takeovers.contested
    lost(takeovers, 3.0, 4.0)
    assert not takeovers.contested
    lost(takeovers, 5.0)
    assert takeovers.contested
