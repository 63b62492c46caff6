"""Rules on the command line: checked, run over a recording, compared."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Annotated

import msgspec
import typer

from alerts.doubts import doubts
from alerts.rulesfile import parse_rules
from ingest.journal import Config
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable
from songtien.ahead import arrivals
from songtien.backtest import Tally, alert_log, line, notice_line
from songtien.cli_feed import (
    ColumnOption,
    RootOption,
    TimeColumnOption,
    TimeFormatOption,
    WhereOption,
    ZoneOption,
    mapping_of,
)
from songtien.configuration import registry_of, text_of
from songtien.progress import moving_line
from songtien.recordings import Left
from songtien.rules_diff import Difference, Row, difference
from songtien.settings import DEFAULTS
from songtien.terminal import FAILED, err, fail, faults_told, out

rules_app = typer.Typer(
    help="Alert rules.\n\nExample: songtien rules check rules.toml", no_args_is_help=True
)

REORDER_S = 30.0
VIETNAM = timezone(timedelta(hours=7))

RecordingArgument = Annotated[
    Path,
    typer.Argument(
        help="Messages as `songtien simulate --out` writes them, or a .csv; either also as .gz.",
        exists=True,
        dir_okay=False,
    ),
]
RegistryOption = Annotated[
    Path | None,
    typer.Option(help="The stations.toml of that recording.", exists=True, dir_okay=False),
]
ReorderOption = Annotated[
    float, typer.Option(help="How long a reading waits for an earlier one, s.", min=0, max=3600)
]
MappingOption = Annotated[
    Path | None,
    typer.Option(
        help="How to read a CSV (TOML); by default the file's name with .toml.", exists=True
    ),
]
StationOption = Annotated[
    str | None, typer.Option(help="A CSV without a mapping: the station's id.")
]
DeviceOption = Annotated[str | None, typer.Option(help="A CSV without a mapping: the device's id.")]


@rules_app.command("check")
def rules_check(
    file: Annotated[Path, typer.Argument(help="A rules.toml.", exists=True, dir_okay=False)],
    registry: Annotated[
        Path | None, typer.Option(help="The stations.toml it is for.", exists=True)
    ] = None,
) -> None:
    """Check a rules file: every fault in one line, exit 2 if there is any.

    Example: songtien rules check rules.toml --registry stations.toml
    """
    with faults_told():
        stations = registry_of(registry)
        rules = parse_rules(text_of(file, "FILE"), str(file), stations)
    out.print(f"{file}: {len(rules.rules)} rules, no fault", highlight=False)
    for doubt in doubts(rules, SeriesTable.of(stations), stations):
        out.print(f"  {doubt}", markup=False, highlight=False, soft_wrap=True)


def backtest(
    recording: RecordingArgument,
    rules: Annotated[
        Path, typer.Option("--rules", help="The rules.toml to try.", exists=True, dir_okay=False)
    ],
    registry: RegistryOption = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write the log to this file, not to the terminal.")
    ] = None,
    notices: Annotated[
        Path | None,
        typer.Option(help="Also write what farmers would have been told, of all limits; slower."),
    ] = None,
    root: RootOption = "tiengiang",
    reorder_s: ReorderOption = REORDER_S,
    mapping: MappingOption = None,
    station: StationOption = None,
    device: DeviceOption = None,
    time_column: TimeColumnOption = None,
    time_format: TimeFormatOption = None,
    zone: ZoneOption = None,
    column: ColumnOption = None,
    where: WhereOption = None,
) -> None:
    """Run a recording through quality control and rules, without a broker: its alert log.

    One alert event a line, as JSON, the same bytes on every run. The clock is the recorded
    arrival.

    Example: songtien backtest --rules rules.toml season.jsonl.gz --out alerts.jsonl
    """
    with faults_told(), interruptible(), _progress_shown(recording.name) as progress:
        how = mapping_of(
            column,
            {
                "--station": station,
                "--device": device,
                "--time-column": time_column,
                "--time-format": time_format,
                "--zone": zone,
                "--where": where,
            },
            mapping,
        )
        config = config_of(registry, rules, reorder_s)
        tally, left = Tally(), Left()
        pieces = arrivals(recording, root=root, mapping=how, mapping_file=mapping, left=left)
        with _written(out_file) as file, ExitStack() as also:
            noticed = None
            if notices is not None:
                told = also.enter_context(_written(notices))
                noticed = lambda notice: told.write(notice_line(notice))  # noqa: E731
            for event in alert_log(
                pieces, config, root=root, tally=tally, progress=progress, noticed=noticed
            ):
                file.write(line(event))
    _tell(tally, left)


@contextmanager
def interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        fail(FAILED, "interrupted")


@rules_app.command("diff")
def rules_diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="The rules.toml as it is.", exists=True)],
    b: Annotated[Path, typer.Argument(metavar="B", help="The rules.toml to try.", exists=True)],
    recording: RecordingArgument,
    registry: RegistryOption = None,
    root: RootOption = "tiengiang",
    reorder_s: ReorderOption = REORDER_S,
    mapping: MappingOption = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document, nothing else.")
    ] = False,
) -> None:
    """Which alerts of a recording would differ if rules B were in force instead of A.

    Example: songtien rules diff rules.toml stricter.toml season.jsonl.gz
    """
    with faults_told(), interruptible():
        configs = [config_of(registry, rules, reorder_s) for rules in (a, b)]
        logs = []
        for name, config in zip((a.name, b.name), configs, strict=True):
            with _progress_shown(name) as progress:
                pieces = arrivals(recording, root=root, mapping_file=mapping)
                logs.append(list(alert_log(pieces, config, root=root, progress=progress)))
        found = difference(*logs)
    if as_json:
        out.print(_difference_json(found), markup=False, highlight=False, soft_wrap=True)
    else:
        _tell_difference(found, str(a), str(b))


def _difference_json(found: Difference) -> str:
    content = {
        "rules": [
            {"rule": rule, "a": in_a, "b": in_b} for rule, (in_a, in_b) in found.by_rule().items()
        ],
        "only_a": found.only_a,
        "only_b": found.only_b,
        "changed": [{"a": one, "b": other} for one, other in found.changed],
        "moved": [{"a": one, "b": other} for one, other in found.moved],
    }
    return msgspec.json.encode(content, order="deterministic").decode()


def _tell_difference(found: Difference, a: str, b: str) -> None:
    """A line for each alert that differs, below how many each rule raises."""

    def tell(text: str) -> None:
        out.print(text, markup=False, highlight=False, soft_wrap=True)

    tell(f"A {a}: {len(found.a):,} alerts; B {b}: {len(found.b):,} alerts")
    for rule, (in_a, in_b) in found.by_rule().items():
        tell(f"  {rule}: {in_a:,} in A, {in_b:,} in B")
    if not found.differs:
        tell("no alert differs")
    for row in found.only_a:
        tell(f"- {_alert_line(row)}")
    for row in found.only_b:
        tell(f"+ {_alert_line(row)}")
    for one, other in (*found.moved, *found.changed):
        tell(f"< {_alert_line(one)}")
        tell(f"> {_alert_line(other)}")


def _alert_line(row: Row) -> str:
    until = _time(row["t_cleared"]) if "t_cleared" in row else "still holding"
    told = "told" if row["told"] else "historic"
    value = f", {row['value']} {row.get('unit', '')}".rstrip() if "value" in row else ""
    limit = f" against {row['limit']}" if "limit" in row else ""
    return (
        f"{_time(row['t_since'])} to {until}: {row['rule']} on {row['k']}, "
        f"{row['severity']}, {told}{value}{limit}"
    )


def config_of(registry: Path | None, rules: Path, reorder_s: float) -> Config:
    """Registry and rules in force, checked under the names of their files."""
    stations = registry if registry is not None else DEFAULTS / "stations.toml"
    config = Config(text_of(stations, "--registry"), text_of(rules, "--rules"), reorder_s)
    found: Registry = parse_registry(config.registry, str(stations))
    parse_rules(config.rules, str(rules), found)
    return config


@contextmanager
def _written(path: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that is there once it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _progress_shown(what: str) -> Iterator[Callable[[Tally], None] | None]:
    """How far a recording is, on a terminal; nothing on a pipe."""
    with moving_line(what) as say:

        def show(tally: Tally) -> None:
            assert say is not None
            say(
                f"{tally.messages:,} messages up to {_time(tally.last_ms)}, "
                f"{tally.events:,} alert events"
            )

        yield None if say is None else show


def _tell(tally: Tally, left: Left) -> None:
    """What was taken and what not, on standard error: the log stands on its own."""
    if not tally.messages:
        _say("no message in the recording")
        return
    _say(
        f"{tally.messages:,} messages from {_time(tally.first_ms)} to {_time(tally.last_ms)}: "
        f"{tally.stored:,} samples taken, {tally.duplicate:,} twice; alerts raised "
        f"{tally.told:,} told, {tally.historic:,} historic"
    )
    for reason, count in sorted((tally.rejected + left.counts).items()):
        _say(f"left out, {reason}: {count:,}")
    for fault in left.examples:
        _say(f"  {fault}")


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def _time(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1000, VIETNAM).strftime("%Y-%m-%d %H:%M")
