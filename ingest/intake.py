"""From the broker into the journal: one durable commit for all that waits, then the acks.

A thread of its own, so that nothing slower than the disk stands between a message and its
acknowledgement. Batches grow with load and do not wait when it is quiet.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ingest.journal import Journal, Messages
from ingest.link import Delivery

log = logging.getLogger(__name__)

BATCH_MAX = 1000
BATCH_MAX_BYTES = 4_000_000
"""The processor reads several entries ahead, and holds them whole."""

GATHER_S = 0.02
"""While the processor is busy a batch gathers for so long: fewer, fuller entries."""

LOOK_S = 0.002
RETRY_S = 1.0


class Intake:
    """Deliveries in, journal entries out.

    Parameters
    ----------
    busy : whether the processor still works on what was appended before
    ignored : topics that are not kept (what the service says itself), acknowledged in turn
    """

    def __init__(
        self,
        journal: Journal,
        deliveries: SimpleQueue[Delivery],
        *,
        busy: Callable[[], bool],
        ignored: Callable[[str], bool],
        appended: Callable[[int], None],
    ) -> None:
        self._journal = journal
        self._deliveries = deliveries
        self._busy = busy
        self._ignored = ignored
        self._appended = appended
        self._stop = threading.Event()
        self.trouble: str | None = None

    def run(self) -> None:
        """Until `stop`; what is taken from the queue is stored and acknowledged first."""
        while not self._stop.is_set():
            batch = self._gather()
            if batch and self._store(batch):
                for link, published in batch:
                    link.ack(published)

    def stop(self) -> None:
        self._stop.set()

    def _gather(self) -> list[Delivery]:
        """What has come, in order; the last read may go over the bounds."""
        try:
            batch = [self._deliveries.get(timeout=0.2)]
        except Empty:
            return []
        until = time.monotonic() + GATHER_S
        count, size = len(batch[0][1]), _size(batch[0])
        while count < BATCH_MAX and size < BATCH_MAX_BYTES:
            left_s = until - time.monotonic() if self._busy() else 0.0
            try:
                batch.append(self._deliveries.get(left_s > 0, min(LOOK_S, max(0.0, left_s))))
            except Empty:
                if left_s <= 0:
                    break
                continue
            count += len(batch[-1][1])
            size += _size(batch[-1])
        return batch

    def _store(self, batch: list[Delivery]) -> bool:
        """Append what is to be kept; False when stopped with the disk still refusing.

        Also what came on a connection that has ended since: the broker may send it again, which
        makes duplicates, or may have lost it. To leave it out would put behind its successors,
        which wait here too, what was before them.
        """
        ignored = self._ignored
        kept = [
            (topic, payload)
            for _, published in batch
            for _, _, topic, payload in published
            if not ignored(topic)
        ]
        entry = Messages([topic for topic, _ in kept], [payload for _, payload in kept])
        while kept:
            try:
                position = self._journal.append(entry)
            except sqlite3.OperationalError as error:
                if self.trouble is None:
                    log.exception("journal refuses, nothing is acknowledged")
                self.trouble = str(error)
                if self._stop.wait(RETRY_S):
                    return False
                continue
            if self.trouble is not None:
                log.warning("journal takes again, nothing was lost")
                self.trouble = None
            self._appended(position)
            break
        return True


def _size(delivery: Delivery) -> int:
    return sum([len(message[3]) for message in delivery[1]])
