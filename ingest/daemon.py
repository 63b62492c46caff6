"""A thread that the end of the service does not wait for: woken, told to stop, watched.

What it does must bear being cut off anywhere, as by a death of the process.
"""

import threading
import time
from collections.abc import Callable, Sequence


class Daemon:
    """Calls `work` once, which returns soon after `stopping` and waits by `nap` and `pause`.

    on_death : called on the thread, with what ended it against all expectation
    """

    def __init__(
        self, name: str, work: Callable[[], None], on_death: Callable[[BaseException], None]
    ) -> None:
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(
            target=watched, args=(work, on_death), name=name, daemon=True
        )

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """End the nap that it takes, or the next one: there may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        """End soon."""
        self._stop.set()
        self._wake.set()

    def join(self, within_s: float) -> None:
        """Wait for its end, if it was started. It is left to itself after so long."""
        if self._thread.is_alive():
            self._thread.join(within_s)

    def nap(self, within_s: float) -> None:
        """Wait until it is woken. On the thread itself, which looks anew afterwards."""
        self._wake.wait(within_s)
        # Before that look and never after it: a wake-up in between must end the next nap.
        self._wake.clear()

    def pause(self, for_s: float) -> bool:
        """Wait whoever wakes it; True where it is told to stop."""
        return self._stop.wait(for_s)


def end(daemons: Sequence[Daemon], within_s: float) -> None:
    """Tell all to stop before any is waited for, and wait for so long altogether."""
    for each in daemons:
        each.stop()
    until_s = time.monotonic() + within_s
    for each in daemons:
        each.join(max(0.0, until_s - time.monotonic()))


def watched(work: Callable[[], None], on_death: Callable[[BaseException], None]) -> None:
    """Do the work of a thread, and tell on it what it dies of."""
    try:
        work()
    except BaseException as error:
        on_death(error)
        raise
