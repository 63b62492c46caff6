"""What all commands share: faults in one line each, exit codes, an end by signals."""

import asyncio
import signal
import sqlite3
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import typer
from rich.console import Console

from ingest.faults import ConfigError

USAGE = 2
FAILED = 1

UNFIT: Final = (
    "api.auth:AuthError",
    "api.people.vault:VaultError",
    "ingest.journal:SchemaError",
    "simulators.guard:LiveServiceError",
)
BROKEN: Final = (
    "builtins:OSError",
    "ingest.journal:JournalDamagedError",
    "songtien.broker:BrokerError",
    "songtien.pipeline:JournalGapError",
    "songtien.processor:StateError",
)
AT_THE_BROKER: Final = ("aiomqtt:MqttError",)
"""As the two above, errors by module and name: one that only reads a file need not import what
raises them."""

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
    except* _loaded(UNFIT) as group:
        fail(USAGE, *_leaves(group))
    except* _loaded(AT_THE_BROKER) as group:
        fail(FAILED, *(f"broker: {error}" for error in _leaves(group)))
    except* sqlite3.DatabaseError as group:
        fail(FAILED, *(f"data directory: {error}" for error in _leaves(group)))
    except* _loaded(BROKEN) as group:
        fail(FAILED, *_leaves(group))


def _loaded(names: tuple[str, ...]) -> tuple[type[Exception], ...]:
    """Those whose modules are loaded: no other can have been raised."""
    places = [name.partition(":") for name in names]
    return tuple(getattr(sys.modules[at], name) for at, _, name in places if at in sys.modules)


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
