"""What the command line calls: a recording to a broker; and what every such run shares."""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from typing import Final

from ingest.faults import ConfigError, Fault
from ingest.payload import SAMPLES_MAX
from simulators.broker import shown
from simulators.guard import refuse_live
from simulators.mapping import CsvMapping
from simulators.message import Message
from simulators.playback import Choice, feed_of, table_feed
from simulators.publish import Broker, Progress, Publisher, Wait, at_once, loop_pace
from simulators.recorded import Recorded, is_table, mapping_of_file, read_table
from simulators.recording import is_recording
from simulators.replay import Rebase, rebase_shift_ms

MAX_SPEED = math.inf
"""The speed `max`: as fast as the broker acknowledges."""

ROOT: Final = "tiengiang"
EVERYTHING: Final = Choice()


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has done. Acknowledged equals offered, or the run has raised.

    skipped : rows of a recording that were not sent, by reason
    left_out : cells that were not sent, by column and reason
    examples : the first of what was bad, each with file, line, column, value and what is accepted
    gaps, cut : how often a recorder heard nothing, and why its file ends early, if it does
    """

    offered_messages: int
    offered_samples: int
    acknowledged_messages: int
    acknowledged_samples: int
    duration_s: float
    rows: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[Fault, ...] = ()
    gaps: int = 0
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent. `messages` and `last_ms` are None where it goes on without end.

    first_ms, last_ms : when the first and the last message are due, on the clock of the feed
    """

    messages: int | None
    first_ms: int
    last_ms: int | None
    speed: float


async def replay(
    file: Path,
    *,
    broker_url: str,
    clock_ms: Callable[[], int],
    root: str | None = None,
    mapping: CsvMapping | None = None,
    mapping_file: Path | None = None,
    speed: float = 1.0,
    rebase: Rebase = Rebase.NONE,
    batch: int | None = None,
    choice: Choice = EVERYTHING,
    passes: int | None = 1,
    into_live: bool = False,
    planned: Callable[[Plan], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Publish a recording of messages, or a table (.csv, .csv.gz, .parquet) by its mapping.

    root : of the topics; by default that of the recording, `ROOT` for a table
    mapping, mapping_file : how to read a table; with neither, the file's own name with .toml
        (`gauge.csv.gz` has `gauge.toml`)
    batch : rows of a table in a message; by default 1 up to a speed of 60, and 500 above
    choice : which part of it; its `root` and `sim` are set from here
    passes : how often, each later than the one before; None is without end
    planned : told once, before the first message

    Raises `ConfigError` for what can't be used, `LiveServiceError` where a real service
    listens, `aiomqtt.MqttError` where the broker can't be reached. What is bad in a row is
    counted in the report.
    """
    check_speed(speed, "replay")
    _check_passes(passes, rebase, speed)
    broker = broker_of(broker_url, "replay")
    chosen = replace(choice, root=root, sim=into_live)
    now_ms = clock_ms()
    recorded = None
    if mapping is not None or mapping_file is not None or is_table(file):
        how = mapping if mapping is not None else mapping_of_file(file, mapping_file)
        if not into_live:
            await refuse_live(broker, root or ROOT)
        recorded = await asyncio.to_thread(read_table, file, how)
        rows = batch if batch is not None else (1 if speed <= 60.0 else SAMPLES_MAX)
        feed = table_feed(recorded, chosen, root=root or ROOT, batch=rows, boot=now_ms // 1000)
    else:
        _check_recording(file)
        now_s = now_ms // 1000 if rebase is Rebase.NOW else None
        feed = await asyncio.to_thread(feed_of, file, chosen, now_s=now_s, repeated=passes != 1)
        for target in () if into_live else feed.roots:
            await refuse_live(broker, target)
    first_ms = now_ms if feed.first_ms is None else feed.first_ms
    last_ms = now_ms if feed.last_ms is None else feed.last_ms
    period_ms = last_ms - first_ms + feed.step_ms
    later_ms = 0 if passes is None else (passes - 1) * period_ms
    shift_ms = rebase_shift_ms(rebase, first_ms, last_ms + later_ms, speed, now_ms)
    if planned is not None:
        total = None if passes is None else passes * feed.messages
        end_ms = None if passes is None else last_ms + later_ms + shift_ms
        planned(Plan(total, first_ms + shift_ms, end_ms, speed))
    numbers = range(passes) if passes is not None else count()
    if not feed.messages:
        numbers = range(0)
    messages = chain.from_iterable(
        feed.play(shift_ms + number * period_ms, number) for number in numbers
    )
    report = await published(
        broker, messages, pace_of(first_ms + shift_ms, speed), progress, recorded
    )
    skipped = {**report.skipped, **feed.left_out}
    return replace(report, skipped=skipped, cut=feed.reach.cut, gaps=len(feed.reach.gaps))


def _check_passes(passes: int | None, rebase: Rebase, speed: float) -> None:
    told = ""
    if passes is not None and passes < 1:
        told = "accepted is a number from 1"
    elif passes != 1 and rebase is Rebase.NONE:
        told = "each pass would send the same samples again; accepted is --rebase now beside it"
    elif passes is None and speed > 1.0:
        told = "faster than life it runs into the future; accepted is a number of passes"
    if told:
        raise ConfigError([Fault("replay", "--loop", passes or 0, told)])


def _check_recording(file: Path) -> None:
    if not is_recording(file):
        accepted = (
            "accepted is a recording (docs/recording.md), or a table: .csv, .csv.gz or .parquet, "
            "or any name with --mapping"
        )
        raise ConfigError([Fault("replay", "FILE", str(file), accepted)])


def check_speed(speed: float, command: str) -> None:
    if not speed > 0.0:
        raise ConfigError([Fault(command, "speed", speed, "a number above 0, or max")])


def broker_of(url: str, command: str) -> Broker:
    try:
        return Broker.of(url)
    except ValueError as error:
        raise ConfigError([Fault(command, "broker", shown(url), str(error))]) from None


def pace_of(first_ms: int, speed: float) -> Wait:
    return at_once if math.isinf(speed) else loop_pace(first_ms, speed)


async def published(
    broker: Broker,
    messages: Iterator[Message],
    wait: Wait,
    progress: Callable[[Progress], None] | None,
    recorded: Recorded | None = None,
) -> Report:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    publisher = Publisher(broker, messages, wait=wait, progress=progress)
    await publisher.run()
    return Report(
        publisher.offered_messages,
        publisher.offered_samples,
        publisher.acknowledged_messages,
        publisher.acknowledged_samples,
        loop.time() - begun_s,
        recorded.rows if recorded else 0,
        recorded.skipped if recorded else {},
        recorded.left_out if recorded else {},
        recorded.examples if recorded else (),
    )
