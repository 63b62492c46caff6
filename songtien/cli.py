"""The command line: `songtien`. Each command is a thin shell around a part of the program.

A command's module is imported when the command is used. All of them together need seconds, and
whoever asks for the version or for help waits for none of them.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "backtest": (
        "cli_rules.backtest",
        "Run a recording through quality control and rules, without a broker: its alert log.",
    ),
    "score": (
        "cli_score.score",
        "Hold quality flags and alerts against the labels of a recording, by event.",
    ),
    "audit": ("cli_people.audit", "Who did what, the newest first."),
    "simulate": (
        "cli_simulate.simulate",
        "Publish a scenario over MQTT, write it to a file, or draw it.",
    ),
    "record": (
        "cli_feed.record",
        "Record what a broker says, byte for byte, with the times at which it came.",
    ),
    "replay": (
        "cli_feed.replay",
        "Replay over MQTT what was recorded, or a table as the device that it was or as another.",
    ),
    "lint": (
        "cli_lint.lint",
        "Say what is wrong with a device's messages, field by field; exit 1 if anything is.",
    ),
    "watch": (
        "cli_watch.watch",
        "What a service shows now: every figure with its age and quality, and the active alerts.",
    ),
    "backup": (
        "cli_keep.backup",
        "Copy the data directory, also while the service runs, into a directory of its own.",
    ),
    "restore": (
        "cli_keep.restore",
        "Put a backup into the data directory of a service that does not run.",
    ),
    "bench": (
        "cli_bench.bench",
        "Measure the program beside the plainest that does the same, in turn, on this machine.",
    ),
    "broker-acl": (
        "cli_broker.broker_acl",
        "Print mosquitto's access list for the devices and gateways of a registry.",
    ),
    "asyncapi": (
        "cli_documents.asyncapi",
        "Print the live socket and the topics of devices as an AsyncAPI 3.0 document.",
    ),
    "serve": ("cli_serve.serve", "Run the service: ingest, alerts, the live socket and HTTP."),
    "demo": (
        "cli_serve.demo",
        "Run everything with nothing set up: broker, simulated river and bridges, service, screens.",
    ),
    "rules": ("cli_rules.rules_app", "Alert rules."),
    "alerts": ("cli_alerts.alerts_app", "Alerts, and why."),
    "user": ("cli_people.users", "Officers."),
    "token": ("cli_people.tokens", "Bearer tokens."),
    "channel": ("cli_telling.channels", "Ways to reach people."),
}
"""By command, in the order of the help: where it is in this package, its help's first sentence."""


class Loading(Mapping[str, Any]):
    """The commands by their names, each made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made(name, COMMANDS[name][0])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Songtien(TyperGroup):
    """All commands, of which only the one that is used is imported."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = cast("MutableMapping[str, Any]", Loading())

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List them with their first sentences, without an import of any."""
        lines = {name: TyperCommand(name, help=said) for name, (_, said) in COMMANDS.items()}
        TyperGroup(name=self.name, commands=dict(lines)).format_commands(ctx, formatter)


def _made(name: str, where: str) -> Any:
    """A command out of its function, or a group of them out of its app."""
    module, _, attribute = where.partition(".")
    found = getattr(import_module(f"songtien.{module}"), attribute)
    around = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return get_group(around).commands[name]


app = typer.Typer(
    name="songtien",
    cls=Songtien,
    help="Real-time monitoring of the Tiền River's salinity and the Rạch Miễu bridges.\n\n"
    "Example: songtien demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Entry point of the program."""
    app()


def _version(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        typer.echo(version("songtien"))
        raise typer.Exit


@app.callback()
def _options(
    *,
    _shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    return
