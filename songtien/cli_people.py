"""Officers and tokens, kept in the data directory, also while the service runs."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.auth import AuthStore
from songtien import datadir
from songtien.durations import parse_duration
from songtien.settings import load_settings
from songtien.terminal import faults_told, out

users = typer.Typer(
    help="Officers.\n\nExample: songtien user add an --role operator", no_args_is_help=True
)
tokens = typer.Typer(
    help="Bearer tokens.\n\nExample: songtien token create --role viewer --name phone",
    no_args_is_help=True,
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The TOML configuration.")]
RoleOption = Annotated[str, typer.Option(help="viewer, operator or admin.")]


@contextmanager
def _accounts(config: Path | None) -> Iterator[AuthStore]:
    with faults_told():
        settings = load_settings(config, os.environ)
        store = AuthStore(datadir.make(settings.data.dir).auth)
        try:
            yield store
        finally:
            store.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@users.command("add")
def user_add(name: str, role: RoleOption = "operator", config: ConfigOption = None) -> None:
    """Add an officer; the password is asked for, or read from standard input.

    Example: songtien user add an --role operator
    """
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with _accounts(config) as store:
        store.add_user(name, role, password, _now_ms())
    out.print(f"{name} may sign in as {role}", highlight=False)


@tokens.command("create")
def token_create(
    role: RoleOption,
    name: Annotated[str, typer.Option(help="Who or what it is for.")],
    ttl: Annotated[str | None, typer.Option(help="How long it lives, such as 30d or 12h.")] = None,
    config: ConfigOption = None,
) -> None:
    """Create a bearer token. It is printed once and stored as a hash.

    Example: songtien token create --role operator --name truc-ban --ttl 30d
    """
    with _accounts(config) as store:
        ttl_s = None if ttl is None else round(parse_duration(ttl, "--ttl") / timedelta(seconds=1))
        token, _ = store.create(name, role, _now_ms(), ttl_s=ttl_s)
    out.print(token, highlight=False, soft_wrap=True)
