"""The threads of a service: started by name, watched, ended in order."""

import asyncio
import threading
from collections.abc import Callable

from ingest.daemon import watched


class Threads:
    """One that dies is told to whoever watches, on the event loop it was made on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._dead: asyncio.Future[None] = self._loop.create_future()
        self._running: list[tuple[threading.Thread, Callable[[], None]]] = []

    def __bool__(self) -> bool:
        """Whether any was started."""
        return bool(self._running)

    def start(self, name: str, work: Callable[[], None], stop: Callable[[], None]) -> None:
        """Run `work`, which comes to its end soon after `stop` is called."""
        thread = threading.Thread(target=watched, args=(work, self.died), name=name)
        thread.start()
        self._running.append((thread, stop))

    def died(self, error: BaseException) -> None:
        """A thread of ours, or of a part that has its own, has died of this. On any thread."""
        self._loop.call_soon_threadsafe(self._note, error)

    async def watch(self) -> None:
        """Raise what the first one dies of."""
        await self._dead

    async def end(self) -> None:
        """Stop each and wait for it, in the order in which they were started.

        Without a bound of ours: each ends with the entry or the write that it is at, and files
        that were closed under a thread would crash the process.
        """
        for thread, stop in self._running:
            stop()
            await asyncio.to_thread(thread.join)

    def _note(self, error: BaseException) -> None:
        if not self._dead.done():
            self._dead.set_exception(error)
