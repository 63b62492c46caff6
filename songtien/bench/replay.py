"""How fast a recording is replayed, beside a publisher in C; and how punctually at 1x.

Both contenders publish the same payloads at QoS 1 to the same mosquitto, in turn:
`mosquitto_pub -q 1 -l`, which reads them from a file of lines, and the replay of a recording,
which decodes them from its JSON. The payloads are a scenario's; all stand under one topic,
because mosquitto_pub knows only one. A round ends with the last PUBACK, and the broker must
have taken as many as were sent.

The pace is measured from outside: `mosquitto_sub` writes down when it got each message.
"""

import asyncio
import math
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from ingest.registry import parse_registry
from simulators.message import Message
from simulators.noise import generator
from simulators.recording import read, write_recording
from simulators.run import MAX_SPEED, Plan, Report, replay
from simulators.scenario import load, messages
from songtien.bench import machine
from songtien.bench.rounds import Contest, Pair, Taken, counted, enough, told
from songtien.bench.stand import BenchError, Broker, broker, client, running, until
from songtien.broker import HOST
from songtien.settings import DEFAULTS

SCENARIO: Final = "dry-season"
ROOT: Final = "tiengiang"
DAY_MS: Final = 86_400_000
GAP_MS: Final = 10.0
"""Mean of the gaps of the paced recording, which are irregular: exponential."""

LATE_MS_MAX: Final = 20.0
"""What the pace may be off by."""

MESSAGES_MAX: Final = 60_000
"""mosquitto_pub 2.0 takes its leave when the packet identifier of the last line has been
acknowledged, and that of a line 65,535 before it is the same: it would leave too early."""

RECORDING, PACED, LINES = "recording.jsonl", "paced.jsonl", "lines"
RECEIVED: Final = "$SYS/broker/publish/messages/received"
SUBSCRIBER: Final = "songtien-bench-pace"
CONTEST = Contest("replay", "songtien", "mosquitto_pub -q 1 -l", "broker", "message")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """`messages` of a round at the highest speed; `seconds` of one at 1x."""

    messages: int = MESSAGES_MAX
    seconds: float = 10.0
    rounds: int = 5
    tries: int = 15


@dataclass(frozen=True, slots=True)
class Pace:
    """How late messages were at a subscriber, ms, against the most punctual one: sorted."""

    late_ms: Sequence[float]
    others: float

    @property
    def quiet(self) -> bool:
        return self.others <= machine.NOISE_MAX_CORES

    def at(self, share: float) -> float:
        return self.late_ms[math.ceil(share * len(self.late_ms)) - 1]


def run(size: Size, tell: Tell) -> tuple[list[Pair], list[Pace]]:
    """Rounds of both kinds, until enough of each were quiet or all tries were made."""
    pairs: list[Pair] = []
    paces: list[Pace] = []
    with tempfile.TemporaryDirectory(prefix="songtien-bench-") as name:
        top = Path(name)
        topic = _write(top, size)
        for number in range(size.tries):
            with broker(top / f"broker-{number}") as holding:
                peer = _of_mosquitto_pub(holding, topic, top / LINES, size.messages)
                pairs.append(Pair(peer, _of_songtien(holding, top / RECORDING, size.messages)))
            tell(CONTEST.line(number + 1, pairs[-1]))
            if enough(pairs, size.rounds):
                break
        for number in range(size.tries):
            with broker(top / f"pace-{number}") as holding:
                paces.append(_paced(holding, top / PACED, top / f"heard-{number}"))
            tell(f"pace of round {number + 1}: {_pace_told(paces[-1])}")
            if enough(paces, size.rounds):
                break
    return pairs, paces


def summary(pairs: Sequence[Pair], paces: Sequence[Pace], wanted: int) -> list[str]:
    """A line for the speed, and one for the pace: medians with their ranges."""
    chosen, of_all = counted(paces, wanted)
    median, p99, worst = (
        told([pace.at(share) for pace in chosen], ".1f") for share in (0.5, 0.99, 1.0)
    )
    pace = (
        f"pace at 1x: late by {median} ms at the median, {p99} at p99, {worst} at worst "
        f"(aim {LATE_MS_MAX:g}); {of_all}"
    )
    return [CONTEST.summary(pairs, wanted), pace]


def _write(top: Path, size: Size) -> str:
    """The recordings and the file of lines; the topic of them all."""
    day = _payloads()
    said = list(islice(cycle(day), size.messages))
    write_recording(top / RECORDING, {}, [], _timed(said, 0.0))
    (top / LINES).write_bytes(b"".join(message.payload + b"\n" for message in said))
    paced = islice(cycle(day), round(size.seconds * 1000.0 / GAP_MS))
    write_recording(top / PACED, {}, [], _timed(paced, GAP_MS))
    return day[0].topic


def _payloads() -> list[Message]:
    """A day of the scenario, all under the topic of its first message."""
    scenario = load(SCENARIO)
    registry = parse_registry((DEFAULTS / "stations.toml").read_text("utf-8"), "stations.toml")
    world = scenario.world(registry, 1, scenario.start_ms)
    day = messages(world, root=ROOT, start_ms=scenario.start_ms, duration_ms=DAY_MS)
    first = next(day)
    return [first, *(replace(message, topic=first.topic) for message in day)]


def _timed(said: Iterable[Message], gap_ms: float) -> Iterator[Message]:
    """The same at other times: each `gap_ms` after the one before, on the average."""
    at_ms, draw = 1_767_000_000_000.0, generator(1, "bench", "pace", day=0)
    for message in said:
        yield replace(message, publish_ms=int(at_ms))
        at_ms += gap_ms * float(draw.standard_exponential())


@dataclass(frozen=True, slots=True)
class _Publishing:
    """From before the first message to the last PUBACK, and the publisher's processor time."""

    begin: machine.Moment
    end: machine.Moment
    used_s: float


def _of_mosquitto_pub(holding: Broker, topic: str, lines: Path, count: int) -> Taken:
    command = [client("mosquitto_pub"), "-h", HOST, "-p", str(holding.port), "-q", "1", "-l"]
    command += ["-t", topic]

    def publish() -> _Publishing:
        with lines.open("rb") as text:
            begin, used_s = machine.Moment.now(), _children_s()
            subprocess.run(command, stdin=text, check=True)  # noqa: S603 - ours
        return _Publishing(begin, machine.Moment.now(), _children_s() - used_s)

    return _taken(holding, count, publish)


def _of_songtien(holding: Broker, recording: Path, count: int) -> Taken:
    def publish() -> _Publishing:
        begun: list[tuple[machine.Moment, float]] = []
        report = asyncio.run(
            _replayed(
                holding,
                recording,
                MAX_SPEED,
                lambda _: begun.append((machine.Moment.now(), time.process_time())),
            )
        )
        end, used_s = machine.Moment.now(), time.process_time()
        if report.acknowledged_messages != count:
            raise BenchError(f"acknowledged {report.acknowledged_messages} of {count}")
        ((begin, before_s),) = begun
        return _Publishing(begin, end, used_s - before_s)

    return _taken(holding, count, publish)


async def _replayed(
    holding: Broker,
    recording: Path,
    speed: float,
    planned: Callable[[Plan], None] | None = None,
) -> Report:
    """As `songtien replay` does it. `planned` is told when it has looked through the recording
    and for a live service, and begins to publish.
    """
    return await replay(
        recording,
        broker_url=f"mqtt://{HOST}:{holding.port}",
        clock_ms=lambda: time.time_ns() // 1_000_000,
        speed=speed,
        planned=planned,
    )


def _taken(holding: Broker, count: int, publish: Callable[[], _Publishing]) -> Taken:
    before, broker_s = holding.says(RECEIVED), machine.cpu_s(holding.process.pid)
    one = publish()
    broker_s = machine.cpu_s(holding.process.pid) - broker_s
    until(lambda: holding.says(RECEIVED) - before == count, f"the broker to have {count}")
    return Taken(
        count / (one.end.wall_s - one.begin.wall_s),
        one.used_s / count * 1e6,
        broker_s / count * 1e6,
        one.end.others_since(one.begin),
    )


def _paced(holding: Broker, recording: Path, heard: Path) -> Pace:
    at_ms = [message.publish_ms for message in read(recording).messages]
    command = [client("mosquitto_sub"), "-h", HOST, "-p", str(holding.port), "-q", "1"]
    command += ["-i", SUBSCRIBER, "-t", f"{ROOT}/#", "-F", "%U", "-C", str(len(at_ms))]
    with (
        heard.open("wb") as out,
        running(command, heard.with_suffix(".log"), stdout=out) as subscriber,
    ):
        holding.subscribed(SUBSCRIBER)
        begin = machine.Moment.now()
        asyncio.run(_replayed(holding, recording, 1.0))
        others = machine.Moment.now().others_since(begin)
        subscriber.wait(10.0)
    came_ms = [float(line) * 1000.0 for line in heard.read_text("ascii").split()]
    if len(came_ms) != len(at_ms):
        raise BenchError(f"of {len(at_ms)} messages {len(came_ms)} came")
    behind = [came - at for came, at in zip(came_ms, at_ms, strict=True)]
    return Pace(sorted(each - min(behind) for each in behind), others)


def _pace_told(pace: Pace) -> str:
    return (
        f"late by {statistics.median(pace.late_ms):.1f} ms at the median, {pace.at(0.99):.1f} at "
        f"p99, {pace.at(1.0):.1f} at worst; others {pace.others:.2f} cores"
        f"{'' if pace.quiet else '; noisy'}"
    )


def _children_s() -> float:
    """Processor time of children that have ended."""
    times = os.times()
    return times.children_user + times.children_system
