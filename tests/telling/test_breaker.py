"""The breaker and the rate: pure, on times that are arguments."""

from hypothesis import given
from hypothesis import strategies as st

from songtien.telling.breaker import USUAL, WAIT_MAX_MS, Breaker, Way
from songtien.telling.rate import TokenBucket

SECOND_MS = 1_000


def opened(now_ms: int = 0) -> Breaker:
    breaker = Breaker()
    for _ in range(USUAL.failures_max):
        breaker = breaker.failed("away", now_ms)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker()
    for _ in range(USUAL.failures_max - 1):
        breaker = breaker.failed("away", 0)
    assert (breaker.way, breaker.wait_ms(0)) == (Way.CLOSED, 0)
    assert breaker.taken().failed("away", 0).way is Way.CLOSED, "in a row"
    assert breaker.failed("away", 0).way is Way.OPEN
    assert breaker.failed("away", 0).why == "away"


def test_one_trial_closes_it_or_opens_it_for_twice_as_long() -> None:
    breaker = opened()
    waits = [breaker.wait_ms(0)]
    now_ms = 0
    for _ in range(10):
        now_ms += breaker.wait_ms(now_ms)
        breaker = breaker.trying()
        assert breaker.way is Way.HALF_OPEN
        breaker = breaker.failed("away", now_ms)
        assert breaker.way is Way.OPEN
        waits.append(breaker.wait_ms(now_ms))
    assert waits[:4] == [10_000, 20_000, 40_000, 80_000]
    assert waits[-1] == 900_000
    assert breaker.trying().taken() == Breaker()


def test_a_channel_that_closes_itself_is_left_alone_at_once_and_longer() -> None:
    breaker = Breaker().closed("status 402", 0)
    assert (breaker.way, breaker.wait_ms(0)) == (Way.OPEN, 120_000)
    assert breaker.trying().closed("status 402", 0).wait_ms(0) == 240_000


def test_what_a_gateway_asks_for_is_waited_for_within_reason() -> None:
    assert Breaker().failed("busy", 0, 30.0).wait_ms(0) == 30_000
    assert Breaker().failed("busy", 0, 30.0).way is Way.CLOSED
    assert Breaker().failed("busy", 0, 1e9).wait_ms(0) == 3_600_000
    assert opened().trying().failed("busy", 0, 600.0).wait_ms(0) == 600_000


def test_refusals_of_many_messages_open_it_and_those_of_one_do_not() -> None:
    breaker = Breaker()
    for _ in range(100):
        breaker = breaker.refused_one("status 422", 0, first=False)
    assert breaker.way is Way.CLOSED
    for _ in range(USUAL.refusals_max):
        breaker = breaker.refused_one("status 400", 0, first=True)
    assert breaker.way is Way.OPEN
    assert breaker.trying().refused_one("status 400", 0, first=False).way is Way.OPEN
    assert opened().trying().refused_one("status 422", 0, first=True).way is Way.CLOSED


def test_a_clock_that_is_set_back_makes_no_pause_of_hours() -> None:
    assert opened(now_ms=10 * WAIT_MAX_MS).wait_ms(0) == 0


Said = st.sampled_from(["taken", "failed", "asked", "refused", "again", "closed"])


@given(st.lists(st.tuples(Said, st.integers(0, 2_000)), max_size=60))
def test_whatever_happens_it_is_tried_again_and_never_more_than_allowed(
    history: list[tuple[str, int]],
) -> None:
    breaker, now_ms, failures = Breaker(), 0, 0
    for said, pause_s in history:
        now_ms += pause_s * SECOND_MS
        wait_ms = breaker.wait_ms(now_ms)
        assert 0 <= wait_ms <= WAIT_MAX_MS
        now_ms += wait_ms
        assert breaker.wait_ms(now_ms) == 0
        breaker = breaker.trying()
        assert breaker.way is not Way.OPEN
        if said == "taken":
            breaker, failures = breaker.taken(), 0
        elif said == "refused":
            breaker, failures = breaker.refused_one(said, now_ms, first=True), 0
        elif said == "again":
            breaker, failures = breaker.refused_one(said, now_ms, first=False), 0
        elif said == "closed":
            breaker = breaker.closed(said, now_ms)
            assert breaker.way is Way.OPEN
        else:
            breaker = breaker.failed(said, now_ms, 5.0 if said == "asked" else None)
            failures += 1
            if failures >= USUAL.failures_max:
                assert breaker.way is Way.OPEN
        assert (breaker.way is Way.CLOSED) == (breaker.why == "")
        assert breaker.way is Way.CLOSED or breaker.wait_ms(now_ms) > 0


@given(
    st.floats(0.05, 200.0),
    st.lists(st.floats(0.0, 3.0), min_size=1, max_size=200),
)
def test_in_no_stretch_of_time_do_more_go_than_the_rate_allows(
    rate: float, pauses: list[float]
) -> None:
    now_s, gone = 100.0, []
    bucket = TokenBucket(rate, now_s)
    for pause_s in pauses:
        now_s += pause_s
        now_s += bucket.wait_s(now_s)
        assert bucket.wait_s(now_s) <= 1e-6
        bucket.take(now_s)
        gone.append(now_s)
    for first in range(len(gone)):
        for last in range(first, len(gone)):
            assert last - first <= (gone[last] - gone[first]) * rate + 1e-3


def test_a_clock_that_stands_or_goes_back_lets_nothing_more_through() -> None:
    bucket = TokenBucket(1.0, 10.0)
    bucket.take(10.0)
    assert bucket.wait_s(5.0) == 1.0
    assert bucket.wait_s(10.5) == 0.5
