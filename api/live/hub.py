"""The hub: what the service knows now, for the live socket and for HTTP.

One event loop, no threads, no I/O. The processor's side hands in values, links, ages and
alert events; the doors read. Whoever fans out registers to be told that something changed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from api.live.alertlog import Alert, AlertLog
from api.live.items import Items
from api.live.parts import LinkState
from api.live.where import EVERYTHING, Facets, Where, facets_of_series
from ingest.reading import Batch
from ingest.series import SeriesTable

__all__ = ["Hub", "LinkState"]


class Hub:
    """State and alerts, each with its positions.

    epoch : of the positions of state; another one for each life of the process
    alerts_epoch : of the positions of alerts; kept with the alerts, so that they survive
    """

    def __init__(self, epoch: str, alerts_epoch: str) -> None:
        assert "." not in epoch + alerts_epoch
        self.state = Items(epoch)
        self.alerts = AlertLog(alerts_epoch, self._facets_of_key)
        self._keys: dict[str, int] = {}
        self._listeners: list[Callable[[], None]] = []

    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Be told, on the loop and at once, of each change; the result ends that."""
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    def configure(
        self,
        series: SeriesTable,
        newest: Batch,
        links: Mapping[str, LinkState | None] | None = None,
    ) -> None:
        """Take the registry's series, at start and after a change of it, with the newest
        value of each where there is one. Announced series show before their first value.
        """
        self._keys = dict(series.by_key)
        self.state.configure(series, newest, links or {})
        self._tell()

    def apply(self, newest: Batch) -> None:
        """Take the newest value of each changed series, or a revised flag of it."""
        before = self.state.version
        self.state.apply(newest)
        if self.state.version != before:
            self._tell()

    def restart(self, newest: Batch) -> None:
        """Show these values and no others, older ones too: the time that is shown has leapt."""
        before = self.state.version
        self.state.restart(newest)
        if self.state.version != before:
            self._tell()

    def set_links(self, links: Mapping[str, LinkState | None]) -> None:
        """Take the links of devices, keyed as in the registry's series; None forgets one."""
        before = self.state.version
        self.state.set_links(links)
        if self.state.version != before:
            self._tell()

    def set_maintenance(self, devices: frozenset[str]) -> None:
        """Say which devices are being worked on; it replaces what was said before."""
        before = self.state.version
        self.state.set_maintenance(devices)
        if self.state.version != before:
            self._tell()

    def tick(self, now_ms: int) -> None:
        """Judge ages by the service's clock (UTC); to be called about once a second, and
        once before anybody is served.
        """
        before = self.state.version
        self.state.tick(now_ms)
        if self.state.version != before:
            self._tell()

    def load_alerts(
        self,
        alerts: Sequence[Alert],
        events: Sequence[tuple[int, Mapping[str, Any]]],
        position: int,
    ) -> None:
        """Take the stored alerts at start, after `configure`.

        alerts : the active ones, whole
        events : (position, event) of the newest told events, positions rising
        position : of the last told event there ever was
        """
        self.alerts.load(alerts, events, position)
        self._tell()

    def publish(self, position: int, event: Mapping[str, Any]) -> None:
        """Take a told alert event, in order: `type`, the whole `alert`, `at`, `who`, `note`."""
        self.alerts.publish(position, event)
        self._tell()

    def items(self, where: Where = EVERYTHING) -> tuple[list[dict[str, Any]], str]:
        """The items that a filter selects, as in a `snap`, and their position."""
        found: list[dict[str, Any]] = msgspec.json.decode(self.items_json(where))
        return found, self.position

    def items_json(self, where: Where = EVERYTHING) -> bytes:
        """The same items as the JSON of a list, put together from what is encoded already."""
        return self.state.view(where).whole()

    @property
    def position(self) -> str:
        """The position of the state: while it is the same, so are all items."""
        return self.state.position(self.state.version)

    def _tell(self) -> None:
        for changed in self._listeners:
            changed()

    def _facets_of_key(self, key: str) -> Facets:
        number = self._keys.get(key)
        if number is None:
            stream, _, quantity = key.rpartition("/")
            return {"device": (stream.partition("/")[0],), "quantity": (quantity,)}
        return facets_of_series(self.state.series[number])
