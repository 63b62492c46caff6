"""What a broker must know of the registry."""

from pathlib import Path
from typing import Annotated

import typer

from songtien.broker_acl import access_list, accounts
from songtien.cli_feed import RootOption
from songtien.configuration import registry_of
from songtien.terminal import faults_told, out


def broker_acl(
    registry: Annotated[Path | None, typer.Option(help="A stations.toml.", exists=True)] = None,
    root: RootOption = "tiengiang",
    *,
    names: Annotated[
        bool, typer.Option("--accounts", help="The names that need a password, one a line.")
    ] = False,
) -> None:
    """Print mosquitto's access list for the devices and gateways of a registry.

    Example: songtien broker-acl --registry stations.toml
    """
    with faults_told():
        stations = registry_of(registry)
        file = "stations.toml" if registry is None else str(registry)
        text = (
            "".join(f"{name}\n" for name in accounts(stations, file))
            if names
            else access_list(stations, root, file)
        )
    out.print(text, end="", markup=False, highlight=False, soft_wrap=True)
