"""The daily test on a virtual clock: when it runs, when it has passed, what it leaves."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.notices import SELF_TEST, SELF_TEST_FAILED
from songtien.selftest import DAY_MS, WITHIN_S, Stage, last_due_ms
from tests.songtien.watched import ALERT, SIX_THIRTY, SIX_THIRTY_MS, TEST, World

PASSED = [("raised", "self-test"), ("cleared", "self-test")]
FAILED, MENDED = ("raised", "self-test-failed"), ("cleared", "self-test-failed")


def test_due_is_a_time_of_the_day_in_vietnam() -> None:
    for now_ms in (SIX_THIRTY_MS, SIX_THIRTY_MS + 1, SIX_THIRTY_MS + DAY_MS - 1):
        assert last_due_ms(now_ms, SIX_THIRTY) == SIX_THIRTY_MS
    assert last_due_ms(SIX_THIRTY_MS - 1, SIX_THIRTY) == SIX_THIRTY_MS - DAY_MS


def test_it_passes_once_a_day_and_not_before_it_is_due() -> None:
    world = World().after(600)
    assert world.proven
    assert world.events == []
    world.at(SIX_THIRTY_MS + DAY_MS - 1000)
    world.look()
    assert world.events == []
    for _ in range(3):
        world.events.clear()
        world.after(600)
        assert world.said() == PASSED
        assert world.proven
        assert world.watch.self_test.last_success_ms is not None
        world.at(world.now_ms + DAY_MS - 600_000)
    assert len(world.messages) == 3


def test_its_alert_is_one_for_each_test() -> None:
    world = World().at(SIX_THIRTY_MS + DAY_MS).after(5)
    raised, cleared = (event.alert for event in world.events)
    assert raised["id"] == cleared["id"] == SELF_TEST.alert_id(raised["t_since"])
    assert raised["test"]
    assert cleared["state"] == "normal"
    world.at(SIX_THIRTY_MS + 2 * DAY_MS).after(5)
    assert len({event.alert["id"] for event in world.events}) == 2


@pytest.mark.parametrize(
    ("cut", "events", "why"),
    [
        ("broker", [FAILED], "did not come back from the broker"),
        ("alerts", [*PASSED[:1], FAILED], "did not reach its recipient"),
        ("retained", [*PASSED, FAILED], "was not taken back"),
    ],
)
def test_wherever_it_is_cut_it_fails_and_says_where(
    cut: str, events: list[tuple[str, str]], why: str
) -> None:
    world = World(cut=cut).at(SIX_THIRTY_MS + DAY_MS).after(WITHIN_S - 1)
    assert world.proven
    assert FAILED not in world.said()
    world.after(2)
    assert not world.proven
    assert sorted(world.said()[: len(events) + 1]) == sorted(
        events + (PASSED[1:] if cut == "alerts" else [])
    )
    failure = next(e.alert for e in world.events if e.alert["rule"] == SELF_TEST_FAILED.id)
    assert why in failure["detail"]
    assert failure["severity"] == "major"
    world.cut = ""
    world.after(65)
    assert world.proven
    assert world.said()[-3:] == [*PASSED, MENDED]


def test_a_journal_that_takes_nothing_leaves_nothing_behind() -> None:
    world = World(cut="journal").at(SIX_THIRTY_MS + DAY_MS).after(WITHIN_S + 5)
    assert (world.said(), world.proven) == ([], False)
    world.cut = ""
    world.after(30)  # what could not be written is asked for again
    assert world.said() == [FAILED]
    world.after(60)
    assert world.said() == [FAILED, *PASSED, MENDED]


def test_tests_that_fail_come_ever_more_rarely_and_at_once_on_a_new_link() -> None:
    world = World(cut="broker").at(SIX_THIRTY_MS + DAY_MS).after(4 * 3600)
    assert world.said() == [FAILED]
    began = [int(payload) for payload in dict.fromkeys(world.messages)]
    apart_s = [(b - a) / 1000 for a, b in pairwise(began)]
    assert apart_s[:4] == [WITHIN_S + n for n in (60, 120, 240, 480)]
    assert max(apart_s) <= 3600 + WITHIN_S
    world.cut = ""
    world.connect()
    world.after(5)
    assert world.said() == [FAILED, *PASSED, MENDED]
    assert world.proven


def test_it_waits_for_readiness_and_holds_nothing_against_a_broker_that_is_away() -> None:
    world = World(ready=False).at(SIX_THIRTY_MS + DAY_MS).after(3600)
    assert (world.messages, world.events) == ([], [])
    assert not world.proven
    world.ready = True
    world.after(5)
    assert world.said() == PASSED
    world.cut = "broker"
    world.at(SIX_THIRTY_MS + 2 * DAY_MS).after(5)
    world.ready = False  # while it is under way
    world.after(3600)
    assert world.said() == PASSED
    world.ready, world.cut = True, ""
    world.after(5)
    assert world.said() == PASSED * 2


def test_a_message_that_a_broken_link_took_is_said_once_more() -> None:
    world = World(cut="broker").at(SIX_THIRTY_MS + DAY_MS).after(15)
    world.cut = ""
    world.after(10)
    assert world.said() == PASSED
    assert len(set(world.messages)) == 1


def test_a_test_that_was_due_while_the_service_was_down_is_made_up_for() -> None:
    world = World().at(SIX_THIRTY_MS + DAY_MS).after(5)
    world.at(world.now_ms + 5 * DAY_MS)
    world.start()
    world.after(5)
    assert world.said() == PASSED * 2
    world.start()
    world.after(600)
    assert world.said() == PASSED * 2, "and is not repeated at every start"


@pytest.mark.parametrize("stage", [Stage.ROUND, Stage.RAISED, Stage.CLEARED])
def test_a_test_that_a_restart_interrupts_is_cleared_up_and_run_again(stage: Stage) -> None:
    cut = {Stage.ROUND: "broker", Stage.RAISED: "alerts", Stage.CLEARED: "retained"}[stage]
    world = World(cut=cut).at(SIX_THIRTY_MS + DAY_MS).after(5)
    assert world.watch.self_test.stage == stage
    world.cut = ""
    world.start()
    world.after(60)
    before = [] if stage is Stage.ROUND else PASSED
    assert world.said() == [*before, *PASSED]
    assert world.proven


def test_a_failure_outlives_a_restart_and_is_told_once() -> None:
    world = World(cut="broker").at(SIX_THIRTY_MS + DAY_MS).after(WITHIN_S + 5)
    world.start()
    assert not world.proven
    world.after(WITHIN_S + 5)
    assert world.said() == [FAILED]
    world.cut = ""
    world.start()
    world.after(5)
    assert world.said() == [FAILED, *PASSED, MENDED]


def test_switched_off_it_never_runs_and_an_old_failure_goes() -> None:
    world = World(cut="broker").at(SIX_THIRTY_MS + DAY_MS).after(WITHIN_S + 5)
    world.at_minute = None
    world.start()
    world.messages.clear()
    world.after(10).at(SIX_THIRTY_MS + 3 * DAY_MS).after(600)
    assert world.messages == []
    assert world.said() == [FAILED, MENDED]
    assert world.proven


def test_others_words_on_its_topics_prove_nothing() -> None:
    world = World(cut="broker").at(SIX_THIRTY_MS + DAY_MS).after(2)
    nonsense = (b"", b"0", b"x" * 70_000, b"\xff", b'{"id":1}', b'{"id":"0123456789abcdef"}')
    for payload in nonsense:
        world.watch.heard([(TEST, payload), (ALERT, payload)])
    world.after(2)
    assert world.watch.self_test.stage.value == "round"
    world.watch.heard([(TEST, world.messages[-1]), (ALERT, b'{"id":"0123456789abcdef"}')])
    world.cut = "alerts"
    world.after(2)
    world.watch.heard([(ALERT, payload) for payload in nonsense])
    assert world.watch.self_test.stage.value == "raised"


def test_a_clock_that_was_far_ahead_does_not_put_the_next_test_off() -> None:
    world = World().at(SIX_THIRTY_MS + DAY_MS).after(5)
    year_ms = 365 * DAY_MS
    world.now_ms += year_ms
    world.after(5)
    assert world.said() == PASSED * 2
    world.now_ms -= year_ms
    world.at(SIX_THIRTY_MS + 2 * DAY_MS).after(5)
    assert world.said() == PASSED * 3
    world.after(600)
    assert world.said() == PASSED * 3


CUTS = ["", "", "broker", "journal", "alerts", "retained"]


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(CUTS),
            st.sampled_from([1, 7, 61, 3_000, 86_400]),
            st.sampled_from(["", "", "start", "connected", "unready", "ready"]),
        ),
        max_size=12,
    )
)
def test_whatever_happens_each_transition_is_told_once(
    story: list[tuple[str, int, str]],
) -> None:
    """And in the end, when all is well again, a test passes and nothing is left standing."""
    world = World().at(SIX_THIRTY_MS + DAY_MS - 1000)
    for cut, seconds, what in story:
        world.cut = cut
        if what == "start":
            world.start()
        elif what == "connected":
            world.connect()
        elif what:
            world.ready = what == "ready"
        world.after(min(seconds, 200)).after(max(0, seconds - 200), looks=False)
    world.cut, world.ready = "", True
    world.connect()
    world.after(200)
    assert world.proven
    for rule in (SELF_TEST.id, SELF_TEST_FAILED.id):
        turns = [event.type.value for event in world.events if event.alert["rule"] == rule]
        assert turns == (["raised", "cleared"] * len(turns))[: len(turns)]
        assert len(turns) % 2 == 0
    told = [alert["rule"] for alert in world.book.alerts() if alert["state"] != "cleared-unacked"]
    assert told == []
