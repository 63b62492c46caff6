"""What a test holds in its hand: feeds into a service, time, and what must be true of it."""

import json
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from alerts import records
from ingest import topics
from ingest.registry import Registry
from simulators import scenario as scenarios
from simulators.faults import FOREVER_MS, Fault, fault
from simulators.message import Message
from simulators.playback import Choice, Feed, feed_of, table_feed
from simulators.recorded import is_table, mapping_of_file, read_table
from songtien.service import Service
from songtien.trial import expecting
from songtien.trial.choices import Choices
from songtien.trial.moments import Moment, duration_ms, moment_ms, shown, stands_alone
from songtien.trial.real import RealStage
from songtien.trial.virtual import VirtualStage

DAY_MS: Final = 86_400_000
WITHIN_S: Final = 10.0
LOOK_S: Final = 0.05
PAGE: Final = 500

Json = dict[str, Any]


_NAMED: Final[Mapping[str, Callable[[str], Json]]] = {
    "series": lambda name: {"k": name},
    "alert": lambda name: {} if name == "*" else {"rule": name},
    "no_alert": lambda name: {} if name == "*" else {"rule": name},
    "said": lambda _name: {},
    "refused": lambda name: {"reason": name},
}
"""What the name of each kind of expectation asks of a field."""


class Stage(Protocol):
    """A service and its time: `VirtualStage` or `RealStage`."""

    begun_ms: int
    service: Service

    @property
    def now_ms(self) -> int: ...

    def feed(self, messages: Iterator[Message]) -> None: ...

    def deliver(self, message: Message) -> None: ...

    def advance(self, to_ms: int) -> None: ...

    def look(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that goes wrong in a scenario; `start` and `end` count from its beginning."""

    kind: str
    device: str
    start: str
    end: str | None
    quantity: str
    parameters: Mapping[str, float]

    def within(self, begun_ms: int) -> Fault:
        """As the scenario takes it. Raises ValueError, which says what is accepted."""
        from_ms = begun_ms + duration_ms(self.start)
        to_ms = FOREVER_MS if self.end is None else begun_ms + duration_ms(self.end)
        return fault(
            self.kind, self.device, from_ms, to_ms, quantity=self.quantity, **self.parameters
        )


class Trial:
    """A service under test. It starts with the first thing that is asked of it.

    Parameters
    ----------
    directory : empty; holds what the service stores

    Every `expect` of a virtual clock is answered at once, of the real one within `within_s`.
    """

    def __init__(self, directory: Path, choices: Choices | None = None) -> None:
        self.directory = directory
        self.choices = choices or Choices()
        self._stage: Stage | None = None

    # --- What comes

    def scenario(
        self,
        name: str | Path,
        *faults: Wrong,
        devices: Sequence[str] | None = None,
        seed: int = 1,
        duration: str = "30d",
        since: str | None = None,
    ) -> None:
        """Let a scenario's devices measure and send from now on, or from `since` ago.

        name : of a shipped scenario, or the path of a scenario's TOML file
        faults : what goes wrong beside what the scenario has; see `fault`
        devices : only these; the others stay silent

        Where nothing has come before and no start was chosen, the clock begins at the scenario's
        own beginning; else the scenario is moved to where the clock is.
        """
        chosen = scenarios.load(name)
        chosen = chosen.with_faults(*(each.within(chosen.start_ms) for each in faults))
        stage = self._staged(chosen.start_ms)
        start_ms = stage.now_ms - (0 if since is None else duration_ms(since))
        world = chosen.world(_only(self.service.screens.parts.registry, devices), seed, start_ms)
        messages = scenarios.messages(
            world, root=self._root, start_ms=start_ms, duration_ms=duration_ms(duration)
        )
        stage.feed(messages)

    def fault(
        self,
        kind: str,
        device: str,
        start: str,
        end: str | None = None,
        *,
        quantity: str = "",
        **parameters: float,
    ) -> Wrong:
        """A fault for `scenario`: `fault("stuck", "xh-01", "6h", "12h")` (docs/scenarios.md).

        start, end : durations from the scenario's beginning; without an end it stays
        """
        return Wrong(kind, device, start, end, quantity, parameters)

    def replay(
        self, file: Path | str, *, rebase: bool = False, mapping: Path | None = None
    ) -> None:
        """Let a recording come: JSON Lines, or a table with its mapping (docs/replay.md).

        rebase : move it so that it begins now, with the times in its samples. Without, it keeps
            its own times, and a virtual clock to which nothing has come yet begins with it
        """
        path = Path(file)
        feed = self._recorded(path, mapping)
        if feed.first_ms is None:
            raise ValueError(f"{path}: there is no message in it")
        stage = self._staged(None if rebase else feed.first_ms)
        stage.feed(feed.play(stage.now_ms - feed.first_ms if rebase else 0, 0))

    def send(self, where: str, what: Mapping[str, Any] | bytes | str, leaf: str = "obs") -> None:
        """Let one message come now.

        where : a device's id as in the registry, or a whole topic
        what : the payload, as bytes, text, or what JSON is made of
        leaf : of a device: "obs", "state" or "meta"
        """
        payload = what if isinstance(what, bytes | str) else json.dumps(what)
        raw = payload if isinstance(payload, bytes) else payload.encode()
        stage = self._staged()
        stage.deliver(Message(stage.now_ms, self._topic(where, leaf), raw))

    # --- Time

    def at(self, moment: Moment) -> "Trial":
        """Go to a point in time with all that comes until then.

        moment : "06:00" is the next such time in Vietnam, "6h" so long after the beginning;
            a date with its zone, a datetime, ms since 1970. Where a date is the first that is
            asked of a virtual clock, it begins there
        """
        alone = self._stage is None and stands_alone(moment)
        stage = self._staged(moment_ms(moment, begun_ms=0, now_ms=0) if alone else None)
        to_ms = moment_ms(moment, begun_ms=stage.begun_ms, now_ms=stage.now_ms)
        if to_ms < stage.now_ms:
            raise ValueError(f"{moment!r} lies before now, {shown(stage.now_ms)}: time only passes")
        stage.advance(to_ms)
        return self

    def after(self, duration: str) -> "Trial":
        """Let so much time pass."""
        return self.at(self._staged().now_ms + duration_ms(duration))

    @property
    def now_ms(self) -> int:
        """The service's clock, ms since 1970, UTC."""
        return self._staged().now_ms

    # --- What must be true

    def expect(
        self,
        series: str | None = None,
        *,
        alert: str | None = None,
        no_alert: str | None = None,
        said: str | None = None,
        refused: str | None = None,
        within_s: float = WITHIN_S,
        **fields: object,
    ) -> Json:
        """Fail with a sentence unless it is so; gives what was found.

        One of: `series`, the key of a series whose newest state has the fields (`v`, `t`, `q`,
        `st` …); `alert`, the id of a rule or "*", of which some alert has them (`k`, `state`,
        `severity`, …); `no_alert`, of which none has them; `said`, a topic on which the service
        has last said a JSON object that has them; `refused`, a reason for which `n` samples
        were refused.

        A field is a value, anything that compares equal such as `pytest.approx(3.2)`, or a
        function of the value: `v=lambda v: v > 4`.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test
        asked = {
            "series": series,
            "alert": alert,
            "no_alert": no_alert,
            "said": said,
            "refused": refused,
        }
        named = [(what, name) for what, name in asked.items() if name is not None]
        if len(named) != 1:
            raise TypeError(f"expect takes one of {', '.join(asked)}, not {len(named)}")
        ((what, name),) = named
        stage = self._staged()
        wanted = {**_NAMED[what](name), **fields}
        until_s = time.monotonic() + (within_s if self.choices.clock == "real" else 0.0)
        while True:
            stage.look()
            there = self._there(what, name)
            if what in {"alert", "no_alert"}:
                parts = self.service.screens.parts
                expecting.check_alert(
                    name,
                    wanted,
                    rules=[rule.id for rule in parts.rules.rules],
                    keys=parts.series.by_key,
                    there=there,
                )
            found = next((each for each in there if expecting.fits(each, wanted)), None)
            if (found is None) == (what == "no_alert"):
                return {} if found is None else found
            if time.monotonic() >= until_s:
                words = f"{what.replace('_', ' ')} {name}"
                raise AssertionError(expecting.told(words, wanted, there, shown(self.now_ms)))
            time.sleep(LOOK_S)

    def state(self) -> list[Json]:
        """The newest of every series, as `GET /api/v1/state` gives it."""
        return list(self.get("/api/v1/state")["items"])

    def alerts(self, state: str = "all") -> list[Json]:
        """Alerts with their timelines, oldest first, as `GET /api/v1/alerts` gives them."""
        found: list[Json] = []
        after = ""
        while True:
            page = self.get(f"/api/v1/alerts?state={state}&limit={PAGE}{after}")
            found += page["items"]
            if page["next"] is None:
                return found[::-1]
            after = f"&after={page['next']}"

    def alert_log(self) -> bytes:
        """Every alert event in order, a line each: the same feed gives the same bytes."""
        self._staged()
        with self.service.reader.connection() as connection:
            return records.log(connection)

    # --- The service

    @property
    def service(self) -> Service:
        """The service itself, for what is not here."""
        return self._staged().service

    @property
    def http_url(self) -> str:
        return self.service.addresses.http

    @property
    def live_url(self) -> str:
        return self.service.addresses.live

    @property
    def broker_url(self) -> str:
        """Of the broker that comes with a real clock; a virtual one has none."""
        stage = self._staged()
        if not isinstance(stage, RealStage):
            raise TypeError(
                "a virtual clock has no broker: `send`, `scenario` and `replay` feed it"
            )
        return stage.broker_url

    def token(self, role: str = "operator") -> str:
        """A bearer token of a new person with this role."""
        made, _ = self.service.accounts.create(f"test-{role}", role, self.now_ms, ttl_s=DAY_MS)
        return made

    def get(self, path: str) -> Any:
        """What an address below `http_url` answers, JSON decoded."""
        request = urllib.request.Request(f"{self.http_url}{path.lstrip('/')}")  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
            return json.loads(answer.read())

    def close(self) -> None:
        """End the service. Raises where it has died before."""
        if self._stage is not None:
            self._stage.close()

    # ---

    def _staged(self, begin_ms: int | None = None) -> Stage:
        if self._stage is None:
            settings = self.choices.service_settings(self.directory)
            if self.choices.clock == "real":
                self._stage = RealStage(settings, self.directory)
            else:
                self._stage = VirtualStage(settings, self.choices.begun_ms(begin_ms))
        return self._stage

    @property
    def _root(self) -> str:
        return self.service.settings.mqtt.root

    def _recorded(self, path: Path, mapping: Path | None) -> Feed:
        if mapping is None and not is_table(path):
            feed = feed_of(path, Choice())
            if feed.reach.cut:
                warnings.warn(f"{path} is cut off: {feed.reach.cut}", stacklevel=3)
            return feed
        table = read_table(path, mapping_of_file(path, mapping))
        settings = self.choices.service_settings(self.directory)
        return table_feed(table, Choice(), root=settings.mqtt.root, batch=1, boot=1)

    def _topic(self, where: str, leaf: str) -> str:
        if "/" in where:
            return where
        device = self.service.screens.parts.registry.devices.get(where)
        if device is None:
            known = ", ".join(sorted(self.service.screens.parts.registry.devices))
            raise ValueError(f"{where!r} is no device of the registry: {known}, or a whole topic")
        made = {"obs": topics.obs_topic, "state": topics.state_topic, "meta": topics.meta_topic}
        if leaf not in made:
            raise ValueError(f"leaf={leaf!r}: accepted is {', '.join(made)}")
        return made[leaf](self._root, device.kind, device.station, device.id)

    def _there(self, what: str, name: str) -> list[Json]:
        if what == "series":
            return [item for item in self.state() if _near(item["k"], name)]
        if what in {"alert", "no_alert"}:
            return self.alerts()
        if what == "refused":
            rejected = self.service.pipeline.ledger.read().rejected
            return [{"reason": str(reason), "n": n} for reason, n in sorted(rejected.items())]
        return self._said(name)

    def _said(self, topic: str) -> list[Json]:
        stage = self._staged()
        if not isinstance(stage, VirtualStage):
            raise TypeError("what the service says is kept on a virtual clock; else ask the broker")
        payload = stage.last_said(topic)
        return [json.loads(payload)] if payload else []


def _near(key: str, wanted: str) -> bool:
    """Whether a series is of the same device or bridge as the one that is not there."""
    return key.partition("/")[0] == wanted.partition("/")[0]


def _only(registry: Registry, devices: Sequence[str] | None) -> Registry:
    if devices is None:
        return registry
    unknown = [name for name in devices if name not in registry.devices]
    if unknown:
        known = ", ".join(sorted(registry.devices))
        raise ValueError(f"{', '.join(unknown)}: no device of the registry; it has {known}")
    return replace(registry, devices={name: registry.devices[name] for name in devices})
