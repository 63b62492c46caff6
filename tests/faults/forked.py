"""The service as a real process that starts at once, for tests with many lives.

Most of a start is Python's imports. A server process has done them before, and forks: what
runs in the child is `songtien serve` from its first line, with its own memory, files, threads
and end. multiprocessing's name for it is forkserver.
"""

import multiprocessing
import os
import signal
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from songtien.cli import main
from tests.e2e.running import STOP_S, Service, environment

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["songtien.cli_serve", "tests.faults.forked"])


class ForkedService(Service):
    """As `Service`, but for how the process comes to be."""

    child: "ForkServerProcess | None" = None

    def launch(self) -> None:
        assert self.child is None, "it runs already"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.stderr.touch()
        self._read_from = self.stderr.stat().st_size
        self.child = _CONTEXT.Process(
            target=_serve, args=(environment(self.settings), self.directory)
        )
        self.child.start()

    def _serving(self) -> dict[str, Any] | None:
        assert self.child is not None
        if self.child.exitcode is not None:
            raise AssertionError(f"ended with {self.child.exitcode}: {self.said()}")
        return next((line for line in self.logged() if line["what"] == "serving"), None)

    @property
    def serving(self) -> bool:
        """Whether this life has opened its doors."""
        return self._serving() is not None

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()
        self._await_end()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        child = self.child
        assert child is not None
        assert child.pid is not None
        os.kill(child.pid, number)
        self._await_end()
        assert child.exitcode is not None, "it does not end"
        return child.exitcode

    def reap(self) -> None:
        if self.child is not None:
            self.kill()

    def _await_end(self) -> None:
        assert self.child is not None
        self.child.join(STOP_S)
        self.child = None


def _serve(settings: dict[str, str], directory: Path) -> None:
    """In the child: become `songtien serve`, as far as anybody can see."""
    os.environ.clear()
    os.environ.update(settings)
    os.chdir(directory)
    for name, number in (("stdout", 1), ("stderr", 2)):
        file = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["songtien", "serve"]
    main()
