"""A service on an event loop of its own, in a thread, for tests that are plain functions."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeVar

from songtien.service import Service

START_S: Final = 60.0
END_S: Final = 30.0
CALL_S: Final = 120.0

T = TypeVar("T")


class ServiceDiedError(Exception):
    """The service under test, or what feeds it, has ended by a fault of its own."""


class Background:
    """Runs what `serving` opens until `close`.

    serving : called on the thread's loop; gives the service
    """

    def __init__(self, serving: Callable[[], AbstractAsyncContextManager[Service]]) -> None:
        self._serving = serving
        self._started: Future[Service] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="service", daemon=True)
        self._thread.start()
        try:
            self.service = self._started.result(START_S)
        except TimeoutError:
            raise ServiceDiedError(f"it has not started within {START_S:g} s") from None

    def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine on the service's loop; raises what it raises."""
        self.insist()
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(_awaited(work), self._loop).result(CALL_S)

    def close(self) -> None:
        """End the service. Raises ServiceDiedError where it has not lived so long."""
        if self._thread.is_alive() and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(END_S)
        self.insist()
        if self._thread.is_alive():
            raise ServiceDiedError(f"it has not ended within {END_S:g} s, and goes on")

    def insist(self) -> None:
        """Raise what the service has died of, if it has."""
        if self._error is not None:
            raise ServiceDiedError(cause(self._error)) from self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001 - told to the test's thread
            self._error = error
            if not self._started.done():
                self._started.set_exception(error)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._serving() as service:
            self._started.set_result(service)
            await self._stop.wait()


def cause(error: BaseException) -> str:
    """An error in words; of a group what it holds, since its own words say only how many."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(cause, error.exceptions))
    return f"{type(error).__name__}: {error}"


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
