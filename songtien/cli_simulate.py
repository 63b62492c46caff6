"""`songtien simulate`: a scenario to a broker, into a file, as a picture; or a load."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, NoReturn, Self

import typer

from ingest.faults import ConfigError, Fault
from ingest.registry import Registry
from simulators.broker import shown
from simulators.load import run_load
from simulators.load_report import LoadProgress
from simulators.plot import plot_scenario
from simulators.scenario import SCENARIOS, Scenario, load
from simulators.simulate import played
from simulators.simulate import simulate as run_simulate
from songtien.cli_feed import (
    BROKER,
    LiveOption,
    PasswordOption,
    RootOption,
    SpeedOption,
    now_ms,
    tell,
    with_password,
)
from songtien.configuration import registry_of
from songtien.durations import parse_duration, parse_speed
from songtien.progress import moving_line, progress_shown
from songtien.terminal import (
    FAILED,
    fail,
    faults_told,
    out,
    run,
)

LOAD: Final = "load"
_LOAD_MS: Final = 60_000

BrokerOption = Annotated[
    str | None,
    typer.Option(help=f"The broker's address; a name as mqtt://NAME@HOST. By default {BROKER}."),
]


def simulate(
    scenario: Annotated[
        str | None, typer.Argument(help="A name, a .toml of your own, or load; none lists them.")
    ] = None,
    broker: BrokerOption = None,
    password_file: PasswordOption = None,
    root: RootOption = "tiengiang",
    seed: Annotated[int, typer.Option(help="Another seed, another day.", min=0)] = 1,
    speed: SpeedOption = "1",
    duration: Annotated[
        str | None, typer.Option(help="Such as 6h or 2d; by default the scenario's own.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write to this file instead of a broker.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Write the windows of truth to this file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it into this .png or .svg; alone, nothing is sent.")
    ] = None,
    registry: Annotated[Path | None, typer.Option(help="A stations.toml.", exists=True)] = None,
    devices: Annotated[int | None, typer.Option(help="load: how many there are.")] = None,
    rate: Annotated[float | None, typer.Option(help="load: messages a second of them all.")] = None,
    connections: Annotated[int | None, typer.Option(help="load: how many carry them.")] = None,
    registry_out: Annotated[
        Path | None, typer.Option(help="load: write a stations.toml that knows the devices.")
    ] = None,
    *,
    into_live: LiveOption = False,
    force: Annotated[bool, typer.Option(help="Also over a recording that is there.")] = False,
) -> None:
    """Publish a scenario over MQTT, write it to a file, or draw it.

    Example: songtien simulate rough-week --out week.jsonl.gz

    Example: songtien simulate load --devices 100000 --rate 5000 --connections 50
    """
    for_load = {
        "--devices": devices,
        "--rate": rate,
        "--connections": connections,
        "--registry-out": registry_out,
    }
    for_scenario = {
        "--out": out_file,
        "--labels": labels,
        "--plot": plot,
        "--registry": registry,
        "--speed": None if speed == "1" else speed,
    }
    with faults_told():
        if scenario is None:
            _none_named()
        given = None if duration is None else _ms(duration)
        if scenario == LOAD:
            _refuse(for_scenario, "a scenario")
            link = _Link(broker, password_file, root, into_live)
            work = _load(link, _Load.of(devices, rate, connections, given), registry_out, seed)
        else:
            _refuse(for_load, "simulate load")
            if broker is not None and out_file is not None:
                accepted = "accepted is one of --broker and --out"
                raise ConfigError([Fault("options", "--broker", shown(broker), accepted)])
            link = _Link(broker, password_file, root, into_live)
            files = _Files(out_file, labels, plot)
            if not force:
                files.spare()
            chosen = load(scenario)
            work = _play(
                chosen, registry_of(registry), link, files, seed, parse_speed(speed), given
            )
    run(work)


@dataclass(frozen=True, slots=True)
class _Link:
    """Where to, and how."""

    broker: str | None
    password_file: Path | None
    root: str
    into_live: bool

    @property
    def address(self) -> str:
        return with_password(self.broker or BROKER, self.password_file)


@dataclass(frozen=True, slots=True)
class _Files:
    """What is written beside, or instead."""

    out: Path | None
    labels: Path | None
    plot: Path | None

    def spare(self) -> None:
        """Raise ConfigError where a recording is there already: it may be one of a storm."""
        accepted = "it is there already; accepted is another name, or --force"
        found = [
            Fault("options", name, str(path), accepted)
            for name, path in (("--out", self.out), ("--labels", self.labels))
            if path is not None and path.is_file()
        ]
        if found:
            raise ConfigError(found)


@dataclass(frozen=True, slots=True)
class _Load:
    """How much is sent."""

    devices: int
    rate: float
    connections: int
    duration_ms: int

    @classmethod
    def of(
        cls, devices: int | None, rate: float | None, connections: int | None, ms: int | None
    ) -> Self:
        """The options as they are given; raises ConfigError for what is missing."""
        needed = {"--devices": devices, "--rate": rate}
        if devices is None or rate is None:
            accepted = "it is missing; accepted is a number above 0"
            raise ConfigError(
                [
                    Fault("options", name, None, accepted)
                    for name, value in needed.items()
                    if value is None
                ]
            )
        return cls(
            devices, rate, 1 if connections is None else connections, _LOAD_MS if ms is None else ms
        )


async def _play(
    scenario: Scenario,
    registry: Registry,
    link: _Link,
    files: _Files,
    seed: int,
    speed: float,
    duration_ms: int | None,
) -> None:
    if files.plot is not None:
        drawn = played(scenario, registry, seed, duration_ms=duration_ms)
        marks = drawn.labels()
        await asyncio.to_thread(
            plot_scenario, drawn.world, drawn.start_ms, drawn.duration_ms, files.plot, marks
        )
        if link.broker is None and files.out is None:
            if files.labels is not None:
                drawn.write(files.labels, ())
            return
    with progress_shown(scenario.name) as progress:
        report = await run_simulate(
            scenario,
            registry=registry,
            root=link.root,
            broker_url=None if files.out is not None else link.address,
            out=files.out,
            labels_out=files.labels,
            seed=seed,
            speed=speed,
            duration_ms=duration_ms,
            now_ms=now_ms(),
            into_live=link.into_live,
            progress=progress,
        )
    tell(report, "acknowledged" if files.out is None else "written")


async def _load(link: _Link, size: _Load, registry_out: Path | None, seed: int) -> None:
    with moving_line(LOAD) as say:

        def show(progress: LoadProgress) -> None:
            assert say is not None
            say(
                f"{progress.acknowledged:,} of {progress.offered:,} messages acknowledged, "
                f"{progress.connections:,} connections, {progress.behind_ms:,.0f} ms behind"
            )

        report = await run_load(
            link.address,
            devices=size.devices,
            rate=size.rate,
            connections=size.connections,
            duration_ms=size.duration_ms,
            root=link.root,
            registry_out=registry_out,
            seed=seed,
            into_live=link.into_live,
            progress=None if say is None else show,
        )
    if not size.duration_ms:
        return
    for line in report.lines():
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if report.acknowledged_messages < report.asked_messages:
        fail(FAILED, "load: not everything that was asked for was acknowledged")


def _refuse(options: Mapping[str, object], of: str) -> None:
    """Options that mean nothing here are faults: to leave them out in silence would deceive."""
    found = [
        Fault("options", name, str(value), f"it is an option of {of}")
        for name, value in options.items()
        if value is not None
    ]
    if found:
        raise ConfigError(found)


def _none_named() -> NoReturn:
    """What there is, and that one of it is needed."""
    for each in SCENARIOS.values():
        days = each.duration_ms / 86_400_000
        out.print(
            f"{each.name:<12} {days:>3g} d  {each.about}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    told = "it is missing; accepted is one of these, a .toml of your own, or load"
    raise ConfigError([Fault("simulate", "scenario", None, told)])


def _ms(text: str) -> int:
    return parse_duration(text, "--duration") // timedelta(milliseconds=1)
