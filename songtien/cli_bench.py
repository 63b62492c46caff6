"""`songtien bench`: the project's benchmarks from the command line."""

from typing import Annotated

import typer

from songtien.bench import drain, ingest, latency, rules, season
from songtien.bench.stand import BenchError
from songtien.terminal import FAILED, USAGE, err, fail, out

NAMES = ("latency", "ingest", "drain", "rules", "season")


def bench(
    name: Annotated[str | None, typer.Argument(help=f"{', '.join(NAMES)}; all without.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Quiet rounds that are wanted.")] = 5,
    tries: Annotated[
        int | None, typer.Option(min=1, help="Rounds at most; by default three times as many.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="latency: of a round.")] = 10.0,
    rate: Annotated[float, typer.Option(min=1, help="latency: messages a second.")] = 100.0,
    messages: Annotated[int, typer.Option(min=1000, help="ingest: of a round.")] = 100_000,
    points: Annotated[int, typer.Option(min=1000, help="drain: of a round.")] = 60_000,
    devices: Annotated[int, typer.Option(min=10, help="ingest, drain: that send in turn.")] = 1000,
    days: Annotated[int, typer.Option(min=2, help="season: of the recording.")] = 182,
) -> None:
    """Measure the program beside the plainest that does the same, in turn, on this machine.

    Needs Linux, mosquitto and mosquitto-clients; drain needs influxd and nginx in their place,
    rules and season nothing of all that.
    Says how busy others kept the machine, and goes on until enough rounds were quiet. Exit 1
    where messages or points were lost.

    Example: songtien bench ingest --rounds 5
    """
    if name not in {None, *NAMES}:
        fail(USAGE, f"NAME = {name!r}: accepted is one of {', '.join(NAMES)}")
    tries = tries or 3 * rounds
    try:
        if name in {None, "latency"}:
            size = latency.Size(
                rate=rate,
                seconds=seconds,
                rounds=rounds,
                tries=tries,
            )
            _told(latency.summary(latency.run(size, _progress), rounds))
        if name in {None, "ingest"}:
            feed = ingest.Size(
                devices=devices,
                messages=messages,
                rounds=rounds,
                tries=tries,
            )
            _told(ingest.CONTEST.summary(ingest.run(feed, _progress), rounds))
        if name in {None, "drain"}:
            store = drain.Size(
                devices=devices,
                points=points,
                rounds=rounds,
                tries=tries,
            )
            _told(drain.CONTEST.summary(drain.run(store, _progress), rounds))
        if name in {None, "rules"}:
            taken = rules.run(rules.Size(rounds, tries), _progress)
            for line in rules.summary(taken, rounds):
                _told(line)
        if name in {None, "season"}:
            length = season.Size(days=days, rounds=rounds, tries=tries)
            _told(season.summary(season.run(length, _progress), rounds))
    except BenchError as error:
        fail(FAILED, f"bench: {error}")


def _progress(line: str) -> None:
    err.print(line, markup=False, highlight=False, soft_wrap=True)


def _told(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)
