"""`songtien simulate`: a scenario to a broker or into a file."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from simulators.simulate import simulate as run_simulate
from songtien.cli_feed import (
    BROKER,
    BrokerOption,
    LiveOption,
    PasswordOption,
    RootOption,
    SpeedOption,
    now_ms,
    tell,
    with_password,
)
from songtien.durations import parse_duration, parse_speed
from songtien.terminal import progress_shown, registry_of, run


def simulate(
    scenario: Annotated[str, typer.Argument(help="dry-season, quiet or bad-day.")],
    broker: BrokerOption = BROKER,
    password_file: PasswordOption = None,
    root: RootOption = "tiengiang",
    seed: Annotated[int, typer.Option(help="Another seed, another day.")] = 1,
    speed: SpeedOption = "1",
    duration: Annotated[str, typer.Option(help="Such as 6h or 2d.")] = "1d",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write to this file instead of a broker.")
    ] = None,
    registry: Annotated[Path | None, typer.Option(help="A stations.toml.", exists=True)] = None,
    *,
    into_live: LiveOption = False,
) -> None:
    """Publish a scenario over MQTT, or write it to a file.

    Example: songtien simulate bad-day --speed max --duration 1d
    """

    async def work() -> None:
        with progress_shown(scenario) as progress:
            report = await run_simulate(
                scenario,
                registry=registry_of(registry),
                root=root,
                broker_url=None if out_file is not None else with_password(broker, password_file),
                out=out_file,
                seed=seed,
                speed=parse_speed(speed),
                duration_ms=parse_duration(duration, "--duration") // timedelta(milliseconds=1),
                now_ms=now_ms(),
                into_live=into_live,
                progress=progress,
            )
        tell(report)

    run(work())
