"""The service and the demo from the command line."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import Annotated

import typer

from ingest.faults import ConfigError
from songtien import logs
from songtien.demo import run_demo
from songtien.service import Service, running
from songtien.settings import Settings, load_settings
from songtien.terminal import faults_told, run, stop_on_signals

log = logging.getLogger(__name__)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The TOML configuration; see docs/configuration.md.")
]
PortOption = Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)]


def serve(config: ConfigOption = None) -> None:
    """Run the service: ingest, alerts, the live socket and HTTP.

    SIGTERM or Ctrl-C end it with everything written; SIGHUP reloads registry and rules.

    Example: songtien serve --config /etc/songtien/songtien.toml
    """
    with logs.to_stderr():
        with faults_told():
            settings = load_settings(config, os.environ)
        run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    for name, is_default in (
        ("registry", settings.registry_is_default),
        ("rules", settings.rules_is_default),
    ):
        if is_default:
            log.warning(
                "no file of your own, the one that comes with the program", extra={"file": name}
            )
    async with running(settings) as service:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, service)
        addresses = service.addresses
        log.info("serving", extra={"http": addresses.http, "live": addresses.live})
        await stop.wait()
        log.info("stopping")
    log.info("stopped, everything is written")


def _reload(service: Service) -> None:
    try:
        service.reload()
    except (ConfigError, OSError) as error:
        log.error("not reloaded, what was in force stays", extra={"why": str(error)})  # noqa: TRY400 - the faults say it all
    else:
        log.info("registry and rules reloaded")


def demo(
    directory: Annotated[
        Path, typer.Option("--dir", help="Where the demo keeps its readings.")
    ] = Path("data/demo"),
    http_port: PortOption = 8080,
    live_port: PortOption = 8081,
    broker_port: PortOption = 1883,
) -> None:
    """Run everything with nothing set up: broker, simulated river and bridges, service, screens.

    Example: songtien demo --http-port 9000
    """
    # What only informs would be lost among what the demo itself says.
    with logs.to_stderr(logging.WARNING):
        run(
            run_demo(
                directory.resolve(),
                http_port=http_port,
                live_port=live_port,
                broker_port=broker_port,
            )
        )
