import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from songtien.accounting import Counts, Ledger
from songtien.outcome import Outcome


def outcome(stored: int, duplicate: int, rejected: int) -> Outcome:
    return Outcome(
        1,
        1,
        received=stored + duplicate + rejected,
        stored=stored,
        duplicate=duplicate,
        rejected=Counter(range=rejected) if rejected else Counter(),
    )


def settled(counts: Counts) -> int:
    return counts.stored + counts.duplicate + sum(counts.rejected.values())


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.booleans()),
        max_size=20,
    )
)
def test_the_identity_holds_after_every_step(steps: list[tuple[int, int, int, bool]]) -> None:
    ledger, waiting = Ledger(), []
    received = 0
    for stored, duplicate, rejected, settle in steps:
        each = outcome(stored, duplicate, rejected)
        ledger.take(each)
        waiting.append(each)
        received += each.received
        counts = ledger.read()
        assert counts.received == received == settled(counts) + counts.in_flight
        if settle:
            ledger.settle(waiting.pop(0))
            counts = ledger.read()
            assert counts.received == received == settled(counts) + counts.in_flight
    assert ledger.read().in_flight == sum(each.received for each in waiting)


def test_what_was_lost_on_the_way_breaks_the_identity() -> None:
    """In flight is summed from what is in hand: it can't hide a loss."""
    ledger = Ledger()
    lost = outcome(3, 0, 0)
    ledger.take(lost)
    ledger._in_hand.remove(lost)
    counts = ledger.read()
    assert counts.received != settled(counts) + counts.in_flight


def test_outcomes_that_look_alike_are_still_two() -> None:
    ledger = Ledger()
    first, second = outcome(1, 0, 0), outcome(1, 0, 0)
    ledger.take(first)
    ledger.take(second)
    ledger.settle(second)
    assert ledger.read().in_flight == 1
    assert ledger._in_hand[0] is first


def test_a_reader_never_sees_half_a_step() -> None:
    ledger, over = Ledger(), threading.Event()

    def work() -> None:
        for _ in range(2000):
            each = outcome(2, 1, 1)
            ledger.take(each)
            ledger.settle(each)
        over.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not over.is_set():
        counts = ledger.read()
        assert counts.received == settled(counts) + counts.in_flight
    thread.join()
    assert ledger.read().stored == 4000
    assert ledger.read().rejected == {"range": 2000}
