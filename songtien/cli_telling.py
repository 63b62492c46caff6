"""Channels on the command line: one trial message, and what its gateway makes of it."""

import os
import secrets
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from alerts.farmers import texts
from alerts.farmers.parcel import Answer, Parcel, Verdict
from api.people.addresses import ADDRESS_MAX, KIND_OF, AddressKind, NoAddress, parse_address
from ingest.faults import ConfigError, Fault
from ingest.tables import did_you_mean
from songtien import datadir
from songtien.settings import Settings, load_settings
from songtien.telling.channels.kinds import open_channel
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.whence import where
from songtien.terminal import FAILED, fail, faults_told, out

channels = typer.Typer(
    help="Ways to reach people.\n\nExample: songtien channel test sms --to 0912345678",
    no_args_is_help=True,
)


@channels.callback()
def _channels() -> None:
    """Ways to reach people.

    Example: songtien channel test sms --to 0912345678
    """


@channels.command("test")
def trial(
    name: Annotated[str, typer.Argument(help="Of the table [channel.NAME].")],
    to: Annotated[
        str, typer.Option(help="The address: a phone number, an e-mail address, …; - reads it.")
    ],
    lang: Annotated[str, typer.Option(help="vi or en.")] = "vi",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before it is sent.")] = False,  # noqa: FBT002 - typer's way
    config: Annotated[
        Path | None,
        typer.Option("--config", help="The TOML configuration; see docs/configuration.md."),
    ] = None,
) -> None:
    """Send one trial message, past queues and budgets, and say what came of it.

    Example: songtien channel test sms --to 0912345678
    """
    with faults_told():
        settings = load_settings(config, os.environ)
        channel = _named(settings, name)
        # Words of a command are seen by all who use this machine, and kept by shells.
        address = _address(channel, sys.stdin.readline(ADDRESS_MAX) if to == "-" else to)
        directory = settings.data.dir
        datadir.make(directory)
        if not yes and sys.stdin.isatty() and not typer.confirm(_question(channel)):
            fail(FAILED, "nothing was sent")
        answer = _sent(channel, address, lang, directory)
    ref = f", reference {answer.ref}" if answer.ref else ""
    told = f"{answer.verdict}: {answer.detail}{ref}"
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    if answer.verdict is not Verdict.TAKEN:
        raise typer.Exit(FAILED)


def _named(settings: Settings, name: str) -> ChannelSettings:
    known = {each.name: each for each in settings.channels}
    if name not in known:
        accepted = did_you_mean(name, list(known)) if known else "the configuration has no channel"
        raise ConfigError([Fault("options", "NAME", name, accepted)])
    return known[name]


def _address(channel: ChannelSettings, typed: str) -> str:
    kind = KIND_OF[channel.kind]
    try:
        if kind is AddressKind.WEBPUSH:
            return parse_address(kind, typed, channel.own["hosts"])
        return parse_address(kind, typed)
    except NoAddress as error:
        # What was typed is somebody's address.
        raise ConfigError([Fault("options", "--to", "(hidden)", str(error))]) from None


def _question(channel: ChannelSettings) -> str:
    cost = f" for {channel.cost_per_part} đồng a part" if channel.cost_per_part else ""
    return f"Send one message over {channel.name} ({channel.kind}){cost}?"


def _sent(settings: ChannelSettings, address: str, lang: str, directory: Path) -> Answer:
    with closing(open_channel(settings, directory)) as channel:
        text = texts.trial(lang, channel.form, time.time_ns() // 1_000_000)
        try:
            return channel.send(Parcel(f"trial-{secrets.token_hex(8)}", address, text))
        except Exception as error:  # noqa: BLE001 - its own words may hold an address or a secret
            return Answer(Verdict.AGAIN, f"the channel failed: {where(error)}")
