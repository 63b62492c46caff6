"""What it costs to write down what the screens show, and to show it again.

The default registry in the dry season, all 34 devices. Two hours are stepped as the service does
it, on a virtual clock, and written every 5 s of that; then they are laid down again for as many
days as are wanted, and opened at random times, and played at 600 times the pace of the clock.
"""

import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final

from ingest.history import StoreReader
from ingest.journal import Config, Entry, Journal, Messages, Tick
from ingest.reading import Batch
from ingest.store import Store
from simulators import scenario as scenarios
from simulators.message import Message
from songtien.bench.machine import NOISE_MAX_CORES, Moment
from songtien.bench.rounds import told
from songtien.mailbox import Post, last_of_each
from songtien.pipeline import Pipeline
from songtien.rewind.recorder import Recorder
from songtien.rewind.scene import Key, Stretch
from songtien.rewind.timeline import Pieces, Timeline
from songtien.rewind.walk import Walk
from songtien.rewind.wall_file import WallReader, WallWriter
from songtien.screens import Screens
from songtien.settings import load_settings

DAY_MS: Final = 86_400_000
SPEED: Final = 600
STEP_MS: Final = 100 * SPEED
FLUSH_MS: Final = 5_000
SECOND_MS: Final = 1_000
DAYS: Final = 2
DAYS_MAX: Final = 25
"""Takes a quarter of an hour."""

STEPPED_MS: Final = 2 * 3_600_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    stepped_ms : is stepped as the service does it, and laid down again and again
    opened : at so many random times
    """

    days: float = DAYS
    stepped_ms: int = STEPPED_MS
    opened: int = 40


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured.

    day_cpu_s, written_cpu_s : of the processor, for a day of everything and of writing it down
    bytes_day : of the file, for each day
    opened_s : until the first snapshot can be sent, of random times
    play_cpu_s : of the processor, for a second at 600 times the pace
    step_max_s : the longest that a step of a tenth of a second has held the loop
    grown_mb : what playing all days has added to the process's memory
    """

    day_cpu_s: float
    written_cpu_s: float
    bytes_day: float
    opened_s: Sequence[float]
    play_cpu_s: float
    step_max_s: float
    grown_mb: float
    days: float
    others: float


class Clock:
    """Stands still until it is moved."""

    ms = 0

    def __call__(self) -> int:
        return self.ms


def run(size: Size, progress: Callable[[str], None]) -> Run:
    with tempfile.TemporaryDirectory(prefix="songtien-rewind-") as name:
        directory, clock, before = Path(name), Clock(), Moment.now()
        screens, stepped_cpu_s, written_cpu_s = _stepped(directory, clock, size.stepped_ms)
        shares = DAY_MS / size.stepped_ms
        progress(f"{size.stepped_ms / 3_600_000:g} h are written: {written_cpu_s:.1f} s of the CPU")
        wall = directory / "wall.sqlite"
        _repeat(wall, size.stepped_ms, round(size.days * shares))
        reader = WallReader(wall)
        recorded = reader.recorded()
        bytes_day = wall.stat().st_size / size.days
        progress(f"{size.days:g} days: {wall.stat().st_size:,} bytes, {len(recorded)} stretches")
        timeline = Timeline(
            reader,
            StoreReader(directory / "store.sqlite"),
            lambda: screens.parts,
            lambda: screens.desk,
            lambda: recorded[-1][1],
        )
        opened_s = [_opened(timeline, recorded[0][0], recorded[-1][1]) for _ in range(size.opened)]
        progress(f"opened in {told(opened_s, '.3f')} s")
        play_cpu_s, step_max_s, grown_mb = _played(timeline, recorded[0][0], recorded[-1][1])
        timeline.reader.close()
        others = Moment.now().others_since(before)
    return Run(
        stepped_cpu_s * shares,
        written_cpu_s * shares,
        bytes_day,
        opened_s,
        play_cpu_s,
        step_max_s,
        grown_mb,
        size.days,
        others,
    )


def summary(found: Run) -> list[str]:
    noisy = "" if found.others <= NOISE_MAX_CORES else f"; NOISY, others {found.others:.2f} cores"
    record = (
        f"record: {found.bytes_day / 1e6:.2f} MB a day; writing takes {found.written_cpu_s:.1f} s "
        f"of the processor for a day, {found.written_cpu_s / 864:.3f} % of one core, beside "
        f"{found.day_cpu_s:.0f} s for all else"
    )
    opened = (
        f"opened at {len(found.opened_s)} random times of {found.days:g} days: first snapshot after "
        f"{told(found.opened_s, '.3f')} s; wanted: less than 1 s"
    )
    played = (
        f"played at {SPEED} times the pace: {found.play_cpu_s * 100:.1f} % of one core, reading "
        f"ahead too; longest step {found.step_max_s * 1000:.0f} ms; memory grew by "
        f"{found.grown_mb:.1f} MB over {found.days:g} days{noisy}"
    )
    return [record, opened, played]


def _stepped(directory: Path, clock: Clock, duration_ms: int) -> tuple[Screens, float, float]:
    """Hours of the service without its doors; their record is in `wall.sqlite`."""
    settings = load_settings(None, {})
    registry = settings.registry_file.read_text("utf-8")
    config = Config(registry, settings.rules_file.read_text("utf-8"), settings.ingest.reorder_s)
    chosen = scenarios.load("dry-season")
    clock.ms = chosen.start_ms
    journal, store = Journal(directory / "journal.sqlite", clock), Store(directory / "store.sqlite")
    with closing(journal), closing(store):
        pipeline = Pipeline(
            journal, store, root="tiengiang", clock_ms=clock, journal_days=7, window_days=400
        )
        _commit(pipeline, journal, config)
        screens = Screens.of_store(store, pipeline.parts(), pipeline.pictures())
        world = chosen.world(screens.parts.registry, 1, clock.ms)
        messages = scenarios.messages(
            world, root="tiengiang", start_ms=clock.ms, duration_ms=duration_ms
        )
        written_s = 0.0
        begun_s = time.process_time()
        recorder = Recorder(directory / "wall.sqlite", screens.key, clock, keep_days=400)
        screens.followers.append(recorder.note)
        with closing(WallWriter(directory / "wall.sqlite")) as writer:
            goes_on = False
            for at_ms, entry in _entries(messages, clock.ms, clock.ms + duration_ms):
                clock.ms = at_ms
                if entry is not None:
                    _show(pipeline, journal, screens, entry)
                screens.tick(at_ms)
                recorder.beat()
                if at_ms % FLUSH_MS == 0:
                    before_s = time.process_time()
                    goes_on = recorder.write(writer, goes_on=goes_on)
                    written_s += time.process_time() - before_s
            recorder.write(writer, goes_on=goes_on)
        return screens, time.process_time() - begun_s - written_s, written_s


def _entries(
    messages: Iterator[Message], begun_ms: int, end_ms: int
) -> Iterator[tuple[int, Entry | None]]:
    """What comes in each second, and each second in which nothing comes."""
    due_ms = begun_ms + SECOND_MS
    for second, together in groupby(messages, key=lambda one: one.publish_ms // SECOND_MS + 1):
        at_ms = second * SECOND_MS
        while due_ms < min(at_ms, end_ms):
            yield due_ms, Tick() if due_ms % (10 * SECOND_MS) == 0 else None
            due_ms += SECOND_MS
        if at_ms > end_ms:
            return
        told_now = list(together)
        topics = [one.topic for one in told_now]
        yield at_ms, Messages(topics, [one.payload for one in told_now])
        due_ms = at_ms + SECOND_MS


def _commit(pipeline: Pipeline, journal: Journal, entry: Entry) -> list[Post]:
    journal.append(entry)
    posts = []
    while entries := journal.after(pipeline.position, 99):
        news = pipeline.commit(entries)
        newest = Batch.concat([each.outcome.newest for each in news])
        pictures = next((each.pictures for each in reversed(news) if each.pictures), None)
        posts.append(Post(last_of_each(newest), news, pictures))
    return posts


def _show(pipeline: Pipeline, journal: Journal, screens: Screens, entry: Entry) -> None:
    for post in _commit(pipeline, journal, entry):
        screens.take(post)


def _repeat(path: Path, stepped_ms: int, times: int) -> None:
    """Lay what is recorded down again, until it is there so many times."""
    reader = WallReader(path)
    segments = []
    segment = reader.at(reader.recorded()[0][0])
    while segment is not None:
        segments.append((segment, *reader.read(segment)))
        segment = reader.following(segment)
    with closing(WallWriter(path)) as writer:
        for by_ms in range(stepped_ms, times * stepped_ms, stepped_ms):
            for segment, key, stretch in segments:
                moved, changes = _moved(key, stretch, by_ms)
                writer.begin(moved, goes_on=True)
                writer.append(changes, segment.to_ms + by_ms)


def _moved(key: Key, stretch: Stretch, by_ms: int) -> tuple[Key, Stretch]:
    def later(rows: Batch) -> Batch:
        return Batch(rows.series, rows.t_ms + by_ms, rows.value, rows.flag, rows.why)

    # Positions of alert events rise each time, as a service gives them.
    further = by_ms // SECOND_MS
    others = [
        (
            at_ms + by_ms,
            replace(change, events=[(place + further, event) for place, event in change.events]),
        )
        for at_ms, change in stretch.others
    ]
    return (
        replace(
            key,
            at_ms=key.at_ms + by_ms,
            newest=later(key.newest),
            position=key.position + further,
        ),
        Stretch(stretch.at_ms + by_ms, later(stretch.rows), others),
    )


def _opened(timeline: Timeline, from_ms: int, to_ms: int) -> float:
    """Seconds until everything that is shown at a random time is encoded."""
    at_ms = random.randrange(from_ms, to_ms)  # noqa: S311 - not for secrets
    begun_s = time.perf_counter()
    _, walk = _begun(timeline, at_ms)
    walk.screens.hub.items_json()
    return time.perf_counter() - begun_s


def _begun(timeline: Timeline, at_ms: int) -> tuple[Pieces, Walk]:
    pieces = timeline.open(at_ms)
    walk = Walk(pieces.first, "w")
    while walk.loaded_ms < at_ms and (piece := pieces.next()) is not None:
        walk.feed(piece)
    walk.advance(at_ms)
    return pieces, walk


def _played(timeline: Timeline, from_ms: int, to_ms: int) -> tuple[float, float, float]:
    """(cores, longest step in s, MB): all of it in steps of a tenth of a second, with the JSON
    of what has changed for one client.
    """
    pieces, walk = _begun(timeline, from_ms)
    state, since = walk.screens.hub.state, 0
    grown_from = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun_s, longest_s = time.process_time(), 0.0
    at_ms, steps = from_ms, 0
    while at_ms < to_ms - STEP_MS:
        at_ms += STEP_MS
        while walk.loaded_ms < at_ms and (piece := pieces.next()) is not None:
            walk.feed(piece)
        step_s = time.perf_counter()
        walk.advance(at_ms)
        slots = state.shown.nonzero()[0]
        state.changes(slots[state.changed[slots] > since], since, state.version)
        since = state.version
        longest_s = max(longest_s, time.perf_counter() - step_s)
        steps += 1
        if steps == 1440:
            # The first day fills what is kept for reading; after it memory is to be flat.
            grown_from = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown_from) / 1024
    return (time.process_time() - begun_s) / (steps * 0.1), longest_s, grown_mb
