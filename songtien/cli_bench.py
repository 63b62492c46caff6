"""`songtien bench`: the project's benchmarks from the command line."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

import typer

from songtien.bench import (
    day,
    drain,
    fanout,
    ingest,
    latency,
    outbox,
    replay,
    rewind,
    river,
    rules,
    season,
)
from songtien.bench.stand import BenchError
from songtien.terminal import FAILED, USAGE, err, fail, out

NAMES = (
    "latency",
    "ingest",
    "drain",
    "rules",
    "season",
    "replay",
    "river",
    "day",
    "rewind",
    "fanout",
    "outbox",
)


def bench(
    name: Annotated[str | None, typer.Argument(help=f"{', '.join(NAMES)}; all without.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Quiet rounds that are wanted.")] = 5,
    tries: Annotated[
        int | None, typer.Option(min=1, help="Rounds at most; by default three times as many.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=1, help="Of a round: latency, replay (10), fanout of each part (20)."),
    ] = None,
    rate: Annotated[float, typer.Option(min=1, help="latency: messages a second.")] = 100.0,
    messages: Annotated[int, typer.Option(min=1000, help="ingest, replay: of a round.")] = 100_000,
    points: Annotated[int, typer.Option(min=1000, help="drain: of a round.")] = 60_000,
    devices: Annotated[int, typer.Option(min=10, help="ingest, drain: that send in turn.")] = 1000,
    clients: Annotated[int, typer.Option(min=40, help="fanout: that look on.")] = 2000,
    pause: Annotated[int, typer.Option(min=1, help="fanout: seconds that some stop reading.")] = 60,
    days: Annotated[
        int | None,
        typer.Option(min=2, help="Of the recording: season, river (182), rewind (2, up to 25)."),
    ] = None,
) -> None:
    """Measure the program beside the plainest that does the same, in turn, on this machine.

    Needs Linux, mosquitto and mosquitto-clients; drain needs influxd and nginx in their place,
    rules, season, river, day, rewind, fanout and outbox nothing of all that.
    Says how busy others kept the machine, and goes on until enough rounds were quiet. Exit 1
    where messages or points were lost.

    Example: songtien bench ingest --rounds 5
    """
    if name not in {None, *NAMES}:
        fail(USAGE, f"NAME = {name!r}: accepted is one of {', '.join(NAMES)}")
    tries = tries or 3 * rounds
    screen = latency.Size(rate=rate, seconds=seconds or 10.0, rounds=rounds, tries=tries)
    feed = ingest.Size(devices=devices, messages=messages, rounds=rounds, tries=tries)
    store = drain.Size(devices=devices, points=points, rounds=rounds, tries=tries)
    half_year = season.Size(days=days or 182, rounds=rounds, tries=tries)
    past = rewind.Size(min(days or rewind.DAYS, rewind.DAYS_MAX))
    water = river.Size(days=days or 182, rounds=rounds, tries=tries)
    replayed = min(messages, replay.MESSAGES_MAX)
    feeds = replay.Size(messages=replayed, seconds=seconds or 10.0, rounds=rounds, tries=tries)
    queue = outbox.Size(rounds, tries)
    wide = fanout.Size(clients, round(seconds or 20), pause, rounds, tries)
    benches: Mapping[str, Callable[[], Sequence[str]]] = {
        "latency": lambda: [latency.summary(latency.run(screen, _progress), rounds)],
        "ingest": lambda: [ingest.CONTEST.summary(ingest.run(feed, _progress), rounds)],
        "drain": lambda: [drain.CONTEST.summary(drain.run(store, _progress), rounds)],
        "rules": lambda: rules.summary(rules.run(rules.Size(rounds, tries), _progress), rounds),
        "season": lambda: [season.summary(season.run(half_year, _progress), rounds)],
        "river": lambda: [river.summary(river.run(water, _progress), rounds)],
        "day": lambda: day.summary(day.run(day.Size(rounds, tries), _progress), rounds),
        "rewind": lambda: rewind.summary(rewind.run(past, _progress)),
        "fanout": lambda: fanout.summary(*fanout.run(wide, _progress), rounds),
        "outbox": lambda: outbox.summary(outbox.run(queue, _progress), rounds),
        "replay": lambda: replay.summary(*replay.run(feeds, _progress), rounds),
    }
    try:
        for each in NAMES if name is None else (name,):
            for line in benches[each]():
                _told(line)
    except BenchError as error:
        fail(FAILED, f"bench: {error}")


def _progress(line: str) -> None:
    err.print(line, markup=False, highlight=False, soft_wrap=True)


def _told(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)
