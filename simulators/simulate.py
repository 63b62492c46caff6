"""What `songtien simulate` calls: a scenario to a broker or into a file."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.faults import ConfigError, Fault
from ingest.registry import Registry
from simulators import scenario as scenarios
from simulators.guard import refuse_live
from simulators.label import Label
from simulators.message import Message
from simulators.noise import DAY_MS
from simulators.publish import Progress
from simulators.recording import write_recording
from simulators.run import Report, broker_of, check_speed, pace_of, published
from simulators.scenario import Scenario
from simulators.scenario_file import LONGEST_MS
from simulators.world import World


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario on a registry, over one stretch of time, ms UTC."""

    world: World
    start_ms: int
    duration_ms: int

    @property
    def header(self) -> Mapping[str, object]:
        """What a recording of it says of itself."""
        return {
            "scenario": self.world.name,
            "seed": self.world.seed,
            "from": self.start_ms,
            "to": self.start_ms + self.duration_ms,
        }

    def labels(self) -> list[Label]:
        return scenarios.labels(self.world, self.start_ms, self.duration_ms)

    def messages(self, *, root: str, sim: bool = False) -> Iterator[Message]:
        return scenarios.messages(
            self.world,
            root=root,
            start_ms=self.start_ms,
            duration_ms=self.duration_ms,
            sim=sim,
        )

    def write(self, path: Path, messages: Iterable[Message]) -> tuple[int, int]:
        """Header, labels and these messages into a file; the numbers of messages and samples."""
        return write_recording(path, self.header, self.labels(), messages)


def played(
    scenario: Scenario,
    registry: Registry,
    seed: int,
    *,
    duration_ms: int | None = None,
    start_ms: int | None = None,
) -> Played:
    """By default where and as long as the scenario says; raises ConfigError for its faults."""
    begin_ms = scenario.start_ms if start_ms is None else start_ms
    long_ms = scenario.duration_ms if duration_ms is None else duration_ms
    if not 0 < long_ms <= LONGEST_MS:
        accepted = f"accepted is more than nothing, and up to {LONGEST_MS // DAY_MS} days"
        raise ConfigError([Fault("simulate", "duration", f"{long_ms / 1000:g} s", accepted)])
    return Played(scenario.world(registry, seed, begin_ms), begin_ms, long_ms)


async def simulate(
    scenario: str | Scenario,
    *,
    registry: Registry,
    root: str,
    broker_url: str | None = None,
    out: Path | None = None,
    labels_out: Path | None = None,
    seed: int = 1,
    speed: float = 1.0,
    duration_ms: int | None = None,
    now_ms: int | None = None,
    start_ms: int | None = None,
    into_live: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Publish a scenario to a broker, or write it with its labels to the file `out`.

    scenario : one that was loaded, its name, or a TOML file of one's own
    labels_out : a file for header and labels alone
    duration_ms : by default the scenario's own
    now_ms : the time of day, to play it at the present: it begins now, or ends now when it is
        played faster than life. None, or a file: it begins at `start_ms`, by default the
        scenario's own date
    speed : 1.0 is life, `MAX_SPEED` as fast as can be; a file is always written at once

    Raises `ConfigError` for what can't be used, `LiveServiceError` where a real service
    listens, `aiomqtt.MqttError` where the broker can't be reached.
    """
    chosen = scenario if isinstance(scenario, Scenario) else scenarios.load(scenario)
    if (broker_url is None) == (out is None):
        accepted = "accepted is one of a broker and a file"
        raise ConfigError([Fault("simulate", "broker", broker_url, accepted)])
    check_speed(speed, "simulate")
    if now_ms is not None and start_ms is None and out is None:
        long_ms = chosen.duration_ms if duration_ms is None else duration_ms
        start_ms = now_ms - (long_ms if speed > 1.0 else 0)
    run = played(chosen, registry, seed, duration_ms=duration_ms, start_ms=start_ms)
    if labels_out is not None:
        await asyncio.to_thread(run.write, labels_out, ())
    if out is not None:
        return await _written(out, run, root=root, sim=into_live)
    assert broker_url is not None
    broker = broker_of(broker_url, "simulate")
    if not into_live:
        await refuse_live(broker, root)
    messages = run.messages(root=root, sim=into_live)
    return await published(broker, messages, pace_of(run.start_ms, speed), progress)


async def _written(out: Path, run: Played, *, root: str, sim: bool) -> Report:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    messages = run.messages(root=root, sim=sim)
    count, samples = await asyncio.to_thread(run.write, out, messages)
    return Report(count, samples, count, samples, loop.time() - begun_s)
