"""The document of the live socket and the topics, on the command line."""

import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from api.asyncapi import document
from api.asyncapi.document import Place
from songtien.outside import broker_address
from songtien.settings import load_settings
from songtien.terminal import faults_told, out


def asyncapi(
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The TOML configuration; see docs/configuration.md."),
    ] = None,
) -> None:
    """Print the live socket and the topics of devices as an AsyncAPI 3.0 document.

    Example: songtien asyncapi > asyncapi.json
    """
    with faults_told():
        settings = load_settings(config, os.environ)
    live = settings.live
    host = f"[{live.host}]" if ":" in live.host else live.host
    place = Place(
        version=version("songtien"),
        live_url=live.public_url or f"ws://{host}:{live.port}/live",
        broker_url=str(broker_address(settings.mqtt)),
        root=settings.mqtt.root,
    )
    text = document.text(place).decode()
    out.print(text, end="", markup=False, highlight=False, soft_wrap=True)
