"""The heartbeat: a URL that is asked for every so often, and left alone when something is wrong.

Whoever is asked tells people when it stays away, which is the only way to tell them of a
service that is dead. So it beats only while the event loop says so again and again: a loop
that hangs falls silent by itself.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Final

import urllib3

from ingest.daemon import Daemon

log = logging.getLogger(__name__)

LOOK_S: Final = 0.25
TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=5.0)
STOP_S: Final = 1.0


class Heartbeat:
    """A thread that asks for a URL. The URL carries a token: it is never logged or shown.

    Parameters
    ----------
    url : http:// or https://; certificates are verified, redirects not followed
    every_s : between two beats
    on_death : called on the thread, with what ended it against all expectation
    """

    def __init__(
        self, url: str, every_s: float, on_death: Callable[[BaseException], None] = lambda _: None
    ) -> None:
        self._url = url
        self._every_s = every_s
        self._allowed_until_s = float("-inf")
        self._thread = Daemon("heartbeat", self._run, on_death)
        # Its debug lines name what is asked for.
        logging.getLogger("urllib3").setLevel(logging.WARNING)
        self._http = urllib3.PoolManager(num_pools=1, maxsize=1)
        self._told = False
        self.sent = 0
        self.failed = 0

    def start(self) -> None:
        self._thread.start()

    def allow(self, for_s: float) -> None:
        """All is well for so long from now on."""
        self._allowed_until_s = time.monotonic() + for_s

    def stop(self) -> None:
        self._thread.stop()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        due_s = float("-inf")
        while not self._thread.pause(LOOK_S):
            now_s = time.monotonic()
            if due_s <= now_s < self._allowed_until_s:
                due_s = now_s + self._every_s
                self._beat()

    def _beat(self) -> None:
        trouble = self._asked()
        if trouble is None:
            self.sent += 1
            if self._told:
                log.info("the heartbeat is taken again")
            self._told = False
            return
        self.failed += 1
        if not self._told:  # once, and not every minute
            log.warning("the heartbeat is not taken", extra={"why": trouble})
        self._told = True

    def _asked(self) -> str | None:
        """None where the answer was a success, else why not, without the URL."""
        try:
            answer = self._http.request(
                "GET",
                self._url,
                timeout=TIMEOUT,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # Texts of these errors name what was asked for.
            return type(error).__name__
        # What it says is of no interest, and might be without an end.
        with contextlib.closing(answer):
            return None if 200 <= answer.status < 300 else f"status {answer.status}"
