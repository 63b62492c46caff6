from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sequence import (
    BEYOND_MAX,
    EPOCHS_KEPT,
    GAP_PATIENCE_MS,
    MISSING_MAX,
    Ack,
    Order,
    Sequencer,
)
from ingest.snapshot import pack, unpack

NOW = 1_767_000_000_000


def seen(*seqs: int, device: str = "d", boot: int = 1) -> Sequencer:
    sequencer = Sequencer()
    for seq in seqs:
        sequencer.see(device, boot, seq, NOW)
    return sequencer


def test_the_first_of_a_boot_and_each_that_follows_it_are_contiguous() -> None:
    sequencer = Sequencer()
    assert [sequencer.see("d", 1, seq, NOW) for seq in (8812, 8813, 8814)] == [Order.CONTIGUOUS] * 3
    assert sequencer.ack("d") == Ack(1, 8814, ())


def test_what_leaps_waits_and_what_was_missing_closes_the_gap() -> None:
    sequencer = seen(1)
    assert sequencer.see("d", 1, 3, NOW) is Order.OPEN
    assert sequencer.see("d", 1, 5, NOW) is Order.OPEN
    assert sequencer.see("d", 1, 2, NOW) is Order.CLOSES_GAP
    assert sequencer.settled("d") == 3
    assert sequencer.see("d", 1, 4, NOW) is Order.CLOSES_GAP
    assert sequencer.settled("d") == 5


def test_what_comes_again_is_open_and_changes_nothing() -> None:
    sequencer = seen(5, 6)
    before = sequencer.snapshot()
    assert [sequencer.see("d", 1, seq, NOW) for seq in (6, 5, 4)] == [Order.OPEN] * 3
    assert sequencer.snapshot() == before


def test_a_gap_is_passed_after_its_time_and_listed_until_it_comes() -> None:
    sequencer = seen(1, 4)
    due = NOW + GAP_PATIENCE_MS
    assert sequencer.next_due_ms() == due
    assert sequencer.advance(due - 1) == []
    assert sequencer.ack("d") == Ack(1, 1, ())
    assert sequencer.advance(due) == ["d"]
    assert sequencer.ack("d") == Ack(1, 4, (2, 3))
    assert sequencer.next_due_ms() is None
    sequencer.see("d", 1, 3, due)
    assert sequencer.ack("d") == Ack(1, 4, (2,))


def test_a_gap_behind_a_gap_has_a_time_of_its_own() -> None:
    sequencer = seen(1, 3, 5)
    sequencer.advance(NOW + GAP_PATIENCE_MS)
    assert sequencer.ack("d") == Ack(1, 3, (2,))
    assert sequencer.next_due_ms() == NOW + 2 * GAP_PATIENCE_MS


def test_a_falling_boot_starts_anew_and_a_late_message_of_the_old_one_does_not() -> None:
    sequencer = seen(100, boot=17)
    assert sequencer.see("d", 3, 5, NOW) is Order.CONTIGUOUS
    assert sequencer.ack("d") == Ack(3, 5, ())
    assert sequencer.see("d", 17, 101, NOW) is Order.CONTIGUOUS
    assert sequencer.see("d", 3, 6, NOW) is Order.CONTIGUOUS
    assert sequencer.ack("d") == Ack(3, 6, ())


def test_acks_are_of_the_boot_that_was_heard_last() -> None:
    """A message from a forgotten boot must not keep the living one from its acks."""
    sequencer = seen(1, boot=16)
    sequencer.see("d", 17, 1, NOW)
    sequencer.see("d", 18, 1, NOW)
    sequencer.see("d", 16, 9, NOW)
    assert sequencer.ack("d") == Ack(16, 9, ())
    sequencer.see("d", 18, 2, NOW)
    assert sequencer.ack("d") == Ack(18, 2, ())
    assert sequencer.acks() == {"d": Ack(18, 2, ())}


def test_devices_without_numbers_have_no_ack() -> None:
    assert Sequencer().ack("d") is None
    assert Sequencer().acks() == {}


def test_a_forgotten_boot_takes_its_gap_along() -> None:
    sequencer = seen(1, 9, boot=1)
    for boot in range(2, 2 + EPOCHS_KEPT):
        sequencer.see("d", boot, 1, NOW)
    assert sequencer.next_due_ms() is None
    assert sequencer.advance(NOW + GAP_PATIENCE_MS) == []


def test_no_two_epochs_have_one_number_and_boots_do_not_pile_up() -> None:
    sequencer = Sequencer()
    numbers = set()
    for boot in range(500):
        sequencer.see("d", boot, 1, NOW)
        sequencer.see("d", boot, 3, NOW)
        numbers.add(sequencer.number("d"))
        if boot % 50 == 0:
            sequencer = Sequencer(unpack(pack(sequencer.snapshot())))
    assert len(numbers) == 500
    assert len(pack(sequencer.snapshot())) < 200


def test_what_a_device_can_make_us_remember_is_bounded() -> None:
    sequencer = seen(0)
    for seq in range(2, 2 * BEYOND_MAX + 6, 2):
        sequencer.see("d", 1, seq, NOW)
    (epoch,) = sequencer.snapshot()["epochs"]["d"]
    assert len(epoch[3]) <= BEYOND_MAX
    sequencer.see("d", 2, 0, NOW)
    sequencer.see("d", 2, 2**53, NOW)
    sequencer.advance(NOW + GAP_PATIENCE_MS)
    ack = sequencer.ack("d")
    assert ack is not None
    assert (ack.seq, len(ack.missing)) == (2**53, MISSING_MAX)
    assert ack.missing[-1] == 2**53 - 1


@dataclass
class Naive:
    """One boot, as the contract tells it: everything that was seen is kept."""

    first: int
    seen: set[int] = field(default_factory=set)
    passed: set[int] = field(default_factory=set)
    since_ms: int | None = None

    def settled(self) -> int:
        at = self.first
        while at + 1 in self.seen | self.passed:
            at += 1
        return at

    def see(self, seq: int, now_ms: int) -> Order:
        before, waiting = self.settled(), max(self.seen) > self.settled()
        self.seen.add(seq)
        self.note(before, now_ms)
        if seq != before + 1:
            return Order.OPEN
        return Order.CLOSES_GAP if waiting else Order.CONTIGUOUS

    def advance(self, now_ms: int) -> None:
        if self.since_ms is not None and self.since_ms + GAP_PATIENCE_MS <= now_ms:
            before = self.settled()
            first = min(seq for seq in self.seen if seq > before)
            self.passed |= set(range(before + 1, first))
            self.note(before, now_ms)

    def note(self, before: int, now_ms: int) -> None:
        if max(self.seen) <= self.settled():
            self.since_ms = None
        elif self.since_ms is None or self.settled() != before:
            self.since_ms = now_ms


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.integers(1, 2),
            st.integers(0, 12),
            st.sampled_from([0, 1000, 61_000]),
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_any_order_of_numbers_settles_as_in_the_naive_model(
    messages: list[tuple[str, int, int, int]], restart: int
) -> None:
    sequencer, now_ms = Sequencer(), NOW
    naive: dict[tuple[str, int], Naive] = {}
    for place, (device, boot, seq, wait_ms) in enumerate(messages):
        now_ms += wait_ms
        dues = [each.since_ms for each in naive.values() if each.since_ms is not None]
        assert sequencer.next_due_ms() == min((due + GAP_PATIENCE_MS for due in dues), default=None)
        sequencer.advance(now_ms)
        for each in naive.values():
            each.advance(now_ms)
        if place == restart:
            sequencer = Sequencer(unpack(pack(sequencer.snapshot())))
        order = sequencer.see(device, boot, seq, now_ms)
        known = naive.get((device, boot))
        if known is None:
            known = naive[device, boot] = Naive(seq, {seq})
            assert order is Order.CONTIGUOUS
        else:
            assert order is known.see(seq, now_ms)
        assert sequencer.settled(device) == known.settled()
        missing = tuple(sorted(known.passed - known.seen))
        assert sequencer.ack(device) == Ack(boot, known.settled(), missing)
