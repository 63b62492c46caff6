"""What the drain decides, on a clock that nobody waits for."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.drain_policy import (
    Pace,
    Plan,
    Probe,
    Refused,
    State,
    Take,
    Wait,
    Write,
    backoff_s,
    parts,
)
from ingest.influx_answers import Answer, Verdict

STORED = Answer(Verdict.STORED, "")
AWAY = Answer(Verdict.RETRY, "connection refused")
NO_RIGHT = Answer(Verdict.MISCONFIGURED, "401: mend the token")
BAD = Answer(Verdict.REJECTED, "400: field type conflict")

PACE = Pace(lines_max=64)
STEPS_MAX = 100_000
CANARY = -1

Says = Callable[[Sequence[bytes]], Answer]


def asking(after_s: float) -> Answer:
    return Answer(Verdict.RETRY, "slow down", retry_after_s=after_s)


def line(key: int, value: int = 0) -> bytes:
    return b"m,k=%d v=%di %d" % (key, value, key)


def key_of(written: bytes) -> int:
    return int(written.rpartition(b" ")[2])


@dataclass
class Server:
    """Overwrites by key, refuses what is poison; `says` spoils, before or after storing."""

    poison: frozenset[int] = frozenset()
    partial: bool = True  # 1.x stores the good lines of a batch that it refuses
    content: dict[int, bytes] = field(default_factory=dict)
    requests: list[list[bytes]] = field(default_factory=list)

    def write(self, lines: Sequence[bytes]) -> Answer:
        self.requests.append(list(lines))
        good = [each for each in lines if key_of(each) not in self.poison]
        if self.partial or len(good) == len(lines):
            self.content |= {key_of(each): each for each in good}
        return STORED if len(good) == len(lines) else BAD


@dataclass
class Rig:
    """A plan, its log of stretches, and time that passes only by its waits."""

    log: list[list[int]]
    server: Server = field(default_factory=Server)
    pace: Pace = PACE
    chance: Callable[[], float] = random.Random(7).random
    values: dict[int, int] = field(default_factory=dict)
    now_s: float = 1000.0
    canary: Callable[[], Answer] = lambda: STORED
    write: Says | None = None
    probes: int = 0
    waits: list[float] = field(default_factory=list)
    letters: list[Refused] = field(default_factory=list)
    committed: int = 0
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new life of the process: what was not committed is forgotten."""
        self.plan = Plan(self.committed, self.chance, self.pace)

    def step(self) -> object:
        """One order carried out."""
        order = self.plan.order(self.now_s)
        match order:
            case Wait(left_s):
                self.waits.append(left_s)
                self.now_s += left_s
            case Probe():
                self.probes += 1
                self.plan.probed(self.canary(), self.now_s)
            case Take(after):
                stretch = self.log[after : after + 1]
                lines = [line(key, self.values.get(key, 0)) for keys in stretch for key in keys]
                self.plan.taken(after + len(stretch), lines, self.now_s)
                if not stretch:
                    self.now_s += 1.0  # it waits to be woken
            case Write(lines):
                self.plan.answered((self.write or self.server.write)(lines), self.now_s)
        self.holds()
        return order

    def holds(self) -> None:
        """Nothing is passed that is neither stored nor refused in earnest."""
        passed = {key for stretch in self.log[: self.plan.settled] for key in stretch}
        assert passed - self.server.poison <= set(self.server.content)

    def commit(self) -> None:
        """As the pipeline does: the place and the dead letters in one transaction."""
        self.letters += self.plan.letters()
        self.committed = self.plan.settled

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(STEPS_MAX):
            if done():
                return
            self.step()
        pytest.fail(f"not in {STEPS_MAX} steps; {self.plan.state} at {self.plan.settled}")

    def run(self) -> None:
        """Until all of the log is settled."""
        self.until(lambda: self.plan.settled == len(self.log))
        self.commit()

    def refused_keys(self) -> list[int]:
        return sorted(key_of(letter.line) for letter in self.letters)


def script(answers: Iterable[Answer | None], server: Server) -> Says:
    """These answers, nothing stored; None and all beyond are the server's own."""
    ahead = iter(answers)

    def write(lines: Sequence[bytes]) -> Answer:
        answer = next(ahead, None)
        if answer is None:
            return server.write(lines)
        server.requests.append(list(lines))
        return answer

    return write


def spoiled(rig: Rig, *answers: Answer | None) -> Rig:
    rig.write = script(answers, rig.server)
    return rig


def test_stored_settles_stretch_by_stretch_in_order() -> None:
    rig = Rig([[1, 2, 3], [], [4]])
    rig.run()
    assert rig.server.requests == [[line(1), line(2), line(3)], [line(4)]]
    assert (rig.letters, rig.waits, rig.probes) == ([], [], 1)
    assert (rig.plan.points_written, rig.plan.state) == (4, State.DRAINING)


def test_a_stretch_is_written_in_parts_of_bounded_size_and_settled_whole() -> None:
    rig = Rig([list(range(150))])
    rig.until(lambda: len(rig.server.requests) == 2)
    assert rig.plan.settled == 0
    rig.run()
    assert [len(request) for request in rig.server.requests] == [64, 64, 22]


def test_retry_writes_the_same_lines_later_and_later() -> None:
    rig = spoiled(Rig([[1, 2]], chance=lambda: 0.999_999), *[AWAY] * 10)
    rig.run()
    assert rig.server.requests == [[line(1), line(2)]] * 11
    assert rig.waits == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60, 60], rel=1e-3)
    assert (rig.plan.retries, rig.plan.trouble) == (10, None)


def test_a_success_begins_the_backoff_anew() -> None:
    rig = spoiled(Rig([[1], [2]], chance=lambda: 0.999_999), AWAY, AWAY, None, AWAY)
    rig.run()
    assert rig.waits == pytest.approx([1, 2, 1], rel=1e-3)


@pytest.mark.parametrize(("asked_s", "waited_s"), [(3, 3), (0, 0.5), (120, 120), (86_400, 600)])
def test_retry_after_is_obeyed_within_bounds(asked_s: float, waited_s: float) -> None:
    rig = spoiled(Rig([[1]]), asking(asked_s))
    rig.run()
    assert rig.waits == [waited_s]


@given(attempts=st.integers(0, 10**6), chance=st.floats(0, 1, exclude_max=True))
def test_backoff_stays_between_its_first_and_its_longest(attempts: int, chance: float) -> None:
    assert 0.5 <= backoff_s(attempts, chance, Pace()) <= 60


def test_away_is_told_and_over_with_the_first_line_stored() -> None:
    rig = spoiled(Rig([[1]]), AWAY)
    rig.until(lambda: bool(rig.plan.retries))
    assert (rig.plan.state, rig.plan.trouble) == (State.AWAY, "connection refused")
    rig.run()
    assert (rig.plan.state, rig.plan.trouble) == (State.DRAINING, None)


def test_after_a_long_outage_the_canary_is_asked_before_anything_is_written() -> None:
    rig = spoiled(Rig([[1]]), *[AWAY] * 9)
    rig.run()
    assert rig.now_s - 1000 > PACE.outage_s
    assert rig.probes > 1


def test_misconfigured_keeps_everything_and_asks_the_canary_first() -> None:
    rig = spoiled(Rig([[1], [2]]), None, NO_RIGHT, NO_RIGHT)
    rig.until(lambda: rig.plan.retries == 2)
    assert (rig.plan.state, rig.plan.trouble) == (State.MISCONFIGURED, "401: mend the token")
    assert (rig.plan.settled, rig.probes) == (1, 2)
    rig.run()
    assert rig.waits == [60, 60]
    assert (rig.probes, rig.letters, sorted(rig.server.content)) == (3, [], [1, 2])


@pytest.mark.parametrize("answer", [NO_RIGHT, BAD, AWAY], ids=lambda each: each.verdict)
def test_nothing_is_written_before_the_canary_is_read_back(answer: Answer) -> None:
    rig = Rig([[1]], canary=lambda: answer)
    for _ in range(50):
        rig.step()
    assert (rig.server.requests, rig.plan.settled) == ([], 0)
    assert rig.probes > 3
    assert rig.plan.trouble is not None
    assert rig.plan.trouble.endswith(answer.detail)
    rig.canary = lambda: STORED
    rig.run()


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("guilty", [{0}, {63}, {31, 32}, {1, 5, 40, 62}, set(range(0, 64, 7))])
def test_bisects_to_the_guilty_lines_only(guilty: set[int], partial: bool) -> None:
    rig = Rig([list(range(64))], Server(frozenset(guilty), partial))
    rig.run()
    assert rig.refused_keys() == sorted(guilty)
    assert {letter.detail for letter in rig.letters} == {"400: field type conflict"}
    assert set(rig.server.content) == set(range(64)) - guilty
    # Halving costs at most 2 log2(64) requests to each, the second hearing and a witness 2 more.
    assert len(rig.server.requests) <= 1 + 14 * len(guilty) + 1
    assert (rig.plan.points_refused, rig.plan.state) == (len(guilty), State.DRAINING)


def test_a_server_that_refuses_everything_costs_no_reading() -> None:
    rig = Rig([list(range(500))], Server(frozenset(range(500))))
    for _ in range(2000):
        rig.step()
    rig.commit()
    assert (rig.letters, rig.committed, rig.plan.state) == ([], 0, State.REFUSED)
    assert "21 points in a row" in str(rig.plan.trouble)
    # Each round is the way down to single lines, and then a minute of rest.
    assert set(rig.waits) == {PACE.mend_s}
    assert rig.probes == len(rig.waits) + 1
    rig.server.poison = frozenset()
    rig.run()
    assert (rig.letters, len(rig.server.content)) == ([], 500)
    assert (rig.plan.state, rig.plan.trouble) == (State.DRAINING, None)


def test_that_all_was_refused_is_told_until_a_line_is_stored() -> None:
    rig = Rig([list(range(64))], Server(frozenset(range(64))))
    rig.until(lambda: rig.plan.state is State.REFUSED)
    for _ in range(300):
        rig.step()
        assert rig.plan.state is State.REFUSED  # whatever the canary says


def test_twenty_in_a_row_are_readings_and_twenty_one_are_the_server() -> None:
    rig = Rig([list(range(64))], Server(frozenset(range(10, 30))))
    rig.run()
    assert rig.refused_keys() == list(range(10, 30))
    rig = Rig([list(range(64))], Server(frozenset(range(10, 31))))
    rig.until(lambda: rig.plan.state is State.REFUSED)
    assert (rig.plan.settled, rig.plan.letters()) == (0, [])


def test_single_refusals_add_up_over_stretches_and_none_is_settled_meanwhile() -> None:
    rig = Rig([[key] for key in range(30)], Server(frozenset(range(30))))
    rig.until(lambda: rig.plan.state is State.REFUSED)
    assert len(rig.server.requests) == 21
    assert (rig.plan.settled, rig.plan.letters()) == (0, [])


def test_the_last_refusals_wait_for_the_next_line_that_is_stored() -> None:
    rig = Rig([[1], [2], [3]], Server(frozenset({1, 2})))
    rig.until(lambda: len(rig.server.requests) == 2)
    assert (rig.plan.settled, rig.plan.letters()) == (0, [])
    rig.run()
    assert rig.refused_keys() == [1, 2]
    # Each twice, with a line in between that was stored, and stored again before the hearing.
    keys = [[key_of(each) for each in request] for request in rig.server.requests]
    assert keys == [[1], [2], [3], [3], [2], [1]]


def test_where_no_line_follows_the_canary_stands_in_for_it() -> None:
    rig = Rig([[1]], Server(frozenset({1})))
    begin_s = rig.now_s
    rig.run()
    assert rig.refused_keys() == [1]
    assert rig.now_s - begin_s >= PACE.believe_s
    assert (rig.probes, len(rig.server.requests)) == (2, 2)


def test_no_canary_stands_in_once_a_run_of_refusals_was_seen() -> None:
    rig = Rig([list(range(21))], Server(frozenset(range(21))))
    rig.until(lambda: rig.plan.state is State.REFUSED)
    rig.log = [[1], [2]]
    for _ in range(500):
        rig.step()
    assert (rig.plan.settled, rig.plan.letters(), rig.plan.state) == (0, [], State.REFUSED)


@given(begin=st.integers(0, 60), length=st.integers(0, 60), size=st.sampled_from([1, 3, 40]))
def test_a_spell_of_refusing_everything_kills_no_good_line(
    begin: int, length: int, size: int
) -> None:
    """Whenever it begins and ends: what is refused in it is heard again after it."""
    poison = frozenset({5, 17, 18})
    keys = list(range(40))
    rig = Rig([keys[at : at + size] for at in range(0, 40, size)], Server(poison))
    said = script([None] * begin + [BAD] * length, rig.server)
    rig.write = said
    rig.canary = lambda: said([line(CANARY)])
    rig.run()
    assert rig.refused_keys() == sorted(poison)
    assert set(rig.server.content) - {CANARY} == set(keys) - poison


def test_a_witness_that_is_refused_makes_nobody_guilty() -> None:
    rig = Rig([[1, 2]], Server(frozenset({2})))
    # Both, 1, 2, then the witness: refused for a while, so the server is waited for.
    spoiled(rig, None, None, None, BAD, BAD)
    rig.until(lambda: rig.plan.retries == 2)
    assert (rig.plan.state, rig.plan.letters()) == (State.AWAY, [])
    rig.run()
    assert (rig.refused_keys(), len(rig.waits)) == ([2], 2)


def test_lines_beyond_every_historian_are_letters_with_their_stretch() -> None:
    plan = Plan(0, lambda: 0.5, PACE)
    plan.probed(STORED, 0.0)
    plan.taken(1, [line(1)], 0.0, [Refused(b"far", "its time")])
    assert plan.letters() == []
    plan.answered(STORED, 0.0)
    assert (plan.settled, plan.letters(), plan.letters()) == (1, [Refused(b"far", "its time")], [])


@given(
    sizes=st.lists(st.integers(0, 300), max_size=60),
    lines_max=st.integers(1, 20),
    bytes_max=st.integers(1, 500),
)
def test_parts_cover_all_lines_in_order_within_both_bounds(
    sizes: list[int], lines_max: int, bytes_max: int
) -> None:
    lines = [b"x" * size for size in sizes]
    found = parts(lines, lines_max, bytes_max)
    assert [each for low, high in found for each in lines[low:high]] == lines
    for low, high in found:
        assert 0 < high - low <= lines_max
        assert high - low == 1 or sum(len(each) + 1 for each in lines[low:high]) <= bytes_max
    # None could have taken in the next one's first line.
    for (low, high), (nearest, _) in pairwise(found):
        more = sum(len(each) + 1 for each in [*lines[low:high], lines[nearest]])
        assert high - low == lines_max or more > bytes_max


FAULTS = ("good", "good", "good", "away", "ack_lost", "asks", "no_right")


@given(
    log=st.lists(st.lists(st.integers(0, 200), max_size=40), max_size=12),
    poison=st.frozensets(st.integers(0, 200), max_size=18),
    faults=st.lists(st.sampled_from(FAULTS), max_size=120),
    deaths=st.frozensets(st.integers(0, 150), max_size=6),
    seed=st.integers(0, 2**32),
)
def test_at_the_end_everything_is_stored_but_the_poison(
    log: list[list[int]],
    poison: frozenset[int],
    faults: list[str],
    deaths: frozenset[int],
    seed: int,
) -> None:
    """Whatever goes wrong, in whatever order, and wherever the process dies.

    A key that is touched again gets another value, while the drain is at work: what is stored
    in the end is the newest.
    """
    chance = random.Random(seed)
    server = Server(poison, partial=chance.random() < 0.5)
    rig = Rig([], server, Pace(lines_max=16), chance.random)
    ahead = iter(faults)

    def write(lines: Sequence[bytes]) -> Answer:
        fault = next(ahead, "good")
        if fault in {"good", "ack_lost"}:
            answer = server.write(lines)
            return answer if fault == "good" else AWAY
        return {"away": AWAY, "asks": asking(2.0), "no_right": NO_RIGHT}[fault]

    rig.write = write
    steps = 0
    while rig.plan.settled < len(log):
        if len(rig.log) < len(log) and chance.random() < 0.3:
            rig.values |= dict.fromkeys(log[len(rig.log)], len(rig.log))
            rig.log.append(log[len(rig.log)])
        rig.step()
        if chance.random() < 0.7:
            rig.commit()
        steps += 1
        if steps in deaths:
            rig.begin()
        assert steps < STEPS_MAX
    rig.commit()
    good = {key: line(key, value) for key, value in rig.values.items() if key not in poison}
    assert server.content == good
    # Once for each stretch that brought it.
    brought = sorted(key for stretch in log for key in stretch if key in poison)
    assert rig.refused_keys() == brought
