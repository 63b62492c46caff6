"""Threads that the end of the service does not wait for. Waits here end by events, not by time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ingest import daemon
from ingest.daemon import Daemon

DEADLINE_S = 10.0
"""Far more than anything here takes: reached by a test that fails alone."""


@contextmanager
def running(work: Callable[[Daemon], None], name: str = "of-a-test") -> Iterator[Daemon]:
    deaths: list[BaseException] = []
    thread = Daemon(name, lambda: work(thread), deaths.append)
    thread.start()
    yield thread
    daemon.end([thread], DEADLINE_S)
    assert not thread.alive
    assert deaths == []


def test_it_is_a_daemon_by_its_name() -> None:
    seen: list[tuple[str, bool]] = []

    def look(_: Daemon) -> None:
        this = threading.current_thread()
        seen.append((this.name, this.daemon))

    with running(look, "telling-sms") as thread:
        thread.join(DEADLINE_S)
    assert seen == [("telling-sms", True)]


def test_a_wake_up_between_a_look_and_a_nap_is_not_lost() -> None:
    there: list[int] = []
    looked, put, found = threading.Event(), threading.Event(), threading.Event()

    def look(thread: Daemon) -> None:
        while not thread.stopping:
            if there:
                found.set()
            looked.set()
            assert put.wait(DEADLINE_S)
            thread.nap(10 * DEADLINE_S)

    with running(look) as thread:
        assert looked.wait(DEADLINE_S)
        there.append(1)
        thread.wake()
        put.set()
        assert found.wait(DEADLINE_S)


def test_a_wake_up_ends_one_nap_and_not_the_next() -> None:
    thread = Daemon("never started", lambda: None, lambda _: None)
    thread.wake()
    thread.wake()
    thread.nap(10 * DEADLINE_S)
    begun_s = time.monotonic()
    thread.nap(0.05)
    assert time.monotonic() - begun_s >= 0.04


def test_a_pause_is_ended_by_a_stop_alone() -> None:
    thread = Daemon("never started", lambda: None, lambda _: None)
    thread.wake()
    begun_s = time.monotonic()
    assert thread.pause(0.05) is False
    assert time.monotonic() - begun_s >= 0.04
    thread.stop()
    assert thread.pause(10 * DEADLINE_S) is True


@pytest.mark.parametrize("wait", [Daemon.nap, Daemon.pause])
def test_told_to_stop_it_ends_whatever_it_waits_for(
    wait: Callable[[Daemon, float], object],
) -> None:
    waiting = threading.Event()

    def work(thread: Daemon) -> None:
        while not thread.stopping:
            waiting.set()
            wait(thread, 10 * DEADLINE_S)

    with running(work):
        assert waiting.wait(DEADLINE_S)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_it_dies_of_is_told_on_the_thread() -> None:
    told: list[tuple[BaseException, str]] = []

    def work() -> None:
        raise KeyError("a bug")

    def note(error: BaseException) -> None:
        told.append((error, threading.current_thread().name))

    thread = Daemon("doomed", work, note)
    thread.start()
    thread.join(DEADLINE_S)
    ((error, name),) = told
    assert (repr(error), name) == ("KeyError('a bug')", "doomed")


def test_all_are_told_to_stop_before_one_is_waited_for() -> None:
    """One that waits for an answer takes the time of all, and the others end in it."""
    answered = threading.Event()

    def ask() -> None:
        answered.wait(DEADLINE_S)

    deaf = Daemon("deaf", ask, lambda _: None)
    deaf.start()
    with running(lambda thread: thread.nap(10 * DEADLINE_S)) as prompt:
        begun_s = time.monotonic()
        daemon.end([deaf, prompt], 0.2)
        assert time.monotonic() - begun_s < DEADLINE_S / 2
        assert deaf.alive
        answered.set()
        deaf.join(DEADLINE_S)
        assert not deaf.alive


def test_one_that_was_never_started_is_not_waited_for() -> None:
    thread = Daemon("never started", lambda: None, lambda _: None)
    daemon.end([thread], DEADLINE_S)
    assert thread.stopping
    assert not thread.alive
