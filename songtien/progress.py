"""How far a command is, on a terminal: a line that moves, and nothing on a pipe."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from simulators.publish import Progress
from simulators.record import Heard
from simulators.run import Plan
from songtien.outlook import Outlook
from songtien.terminal import err


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
