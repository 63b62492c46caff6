"""What all commands share: faults in one line each, exit codes, progress on a terminal."""

import asyncio
import math
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import aiomqtt
import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from api.auth import AuthError
from api.people.vault import VaultError
from ingest.faults import ConfigError
from ingest.journal import JournalDamagedError, SchemaError
from ingest.registry import Registry, parse_registry
from simulators.guard import LiveServiceError
from simulators.publish import Progress
from simulators.record import Heard
from simulators.run import Plan
from songtien.broker import BrokerError
from songtien.configuration import text_of
from songtien.outlook import Outlook
from songtien.pipeline import JournalGapError
from songtien.processor import StateError
from songtien.settings import DEFAULTS

USAGE = 2
FAILED = 1

out = Console()
err = Console(stderr=True)


def fail(code: int, *lines: object) -> NoReturn:
    for line in lines:
        err.print(str(line), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def faults_told() -> Iterator[None]:
    """Turn what can be expected to go wrong into a line and an exit code."""
    try:
        yield
    except* ConfigError as group:
        fail(USAGE, *(fault for error in _leaves(group) for fault in error.faults))
    except* (AuthError, LiveServiceError, SchemaError, VaultError) as group:
        fail(USAGE, *_leaves(group))
    except* aiomqtt.MqttError as group:
        fail(FAILED, *(f"broker: {error}" for error in _leaves(group)))
    except* sqlite3.DatabaseError as group:
        fail(FAILED, *(f"data directory: {error}" for error in _leaves(group)))
    except* (BrokerError, JournalDamagedError, JournalGapError, StateError, OSError) as group:
        fail(FAILED, *_leaves(group))


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[Any]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end; Ctrl-C ends it without a traceback."""
    with faults_told():
        try:
            asyncio.run(work)
        except KeyboardInterrupt:
            fail(FAILED, "interrupted")


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGINT and SIGTERM ask for an end. A second one does not hurry it: it is bounded."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


def registry_of(file: Path | None) -> Registry:
    """The registry in a file, or the one that comes with the program."""
    path = file if file is not None else DEFAULTS / "stations.toml"
    return parse_registry(text_of(path, "--registry"), str(path))


@contextmanager
def moving_line(what: str) -> Iterator[Callable[[str], None] | None]:
    """A line that moves, on a terminal; None on a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    with Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task(what)

        def say(words: str) -> None:
            bar.update(task, description=f"{what}: {words}")

        yield say


@contextmanager
def recording_shown(what: str) -> Iterator[Callable[[Heard], None] | None]:
    """How much has been recorded, on a terminal; nothing on a pipe."""
    with moving_line(what) as say:

        def show(heard: Heard) -> None:
            assert say is not None
            say(f"{heard.messages:,} messages, {heard.payload_bytes:,} bytes")

        yield None if say is None else show


SHOWN_EVERY_S: Final = 0.1


class ReplayShown:
    """How far a replay is, told on a line that moves; no oftener than eyes can follow."""

    def __init__(self, say: Callable[[str], None], clock_s: Callable[[], float]) -> None:
        self._say = say
        self._clock_s = clock_s
        self._outlook: Outlook | None = None
        self._next_s = -math.inf

    def plan(self, plan: Plan) -> None:
        self._outlook = Outlook(plan)

    def progress(self, progress: Progress) -> None:
        now_s = self._clock_s()
        if self._outlook is not None and now_s >= self._next_s:
            self._next_s = now_s + SHOWN_EVERY_S
            self._say(self._outlook.words(progress, now_s))


@contextmanager
def replay_shown(what: str) -> Iterator[ReplayShown | None]:
    """How far a replay is, on a terminal; None on a pipe."""
    with moving_line(what) as say:
        yield None if say is None else ReplayShown(say, time.monotonic)


@contextmanager
def progress_shown(what: str) -> Iterator[Callable[[Progress], None] | None]:
    """How far publishing is, on a terminal; nothing on a pipe."""
    with moving_line(what) as say:

        def show(progress: Progress) -> None:
            assert say is not None
            say(
                f"{progress.acknowledged:,} of {progress.messages:,} messages acknowledged, "
                f"{progress.samples:,} samples"
            )

        yield None if say is None else show
