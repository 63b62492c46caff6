"""Officers, tokens and the audit, kept in the data directory, also while the service runs."""

import getpass
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import typer

from api.auth import AuthError, AuthStore, Principal
from songtien import datadir
from songtien.durations import parse_duration
from songtien.settings import load_settings
from songtien.terminal import USAGE, fail, faults_told, out

VIETNAM = timezone(timedelta(hours=7))

users = typer.Typer(
    help="Officers.\n\nExample: songtien user add an --role operator", no_args_is_help=True
)
tokens = typer.Typer(
    help="Bearer tokens.\n\nExample: songtien token create --role viewer --name phone",
    no_args_is_help=True,
)

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The TOML configuration.")]
RoleOption = Annotated[str, typer.Option(help="viewer, operator or admin.")]
RoleArgument = Annotated[str, typer.Argument(help="viewer, operator or admin.")]


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


def _us() -> Principal:
    """Who may do everything: whoever may write the file."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        user = str(os.getuid())
    return Principal(f"{user} (command line)", "admin")


def _password() -> str:
    if sys.stdin.isatty():
        asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\n")


def _told(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def _unknown(name: str) -> AuthError:
    return AuthError(f"name = {name!r}: there is no officer of that name")


def _when(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1000, UTC).astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M")


@users.command("add")
def user_add(name: str, role: RoleOption = "operator", config: ConfigOption = None) -> None:
    """Add an officer; the password is asked for, or read from standard input.

    Example: songtien user add an --role operator
    """
    password = _password()
    with _accounts(config) as store:
        store.officers.add(name, role, password, _now_ms())
        store.record(_us(), f"user.add {name} {role}", "done", _now_ms())
    _told(f"{name} may sign in as {role}")


@users.command("list")
def user_list(config: ConfigOption = None) -> None:
    """Officers with their roles, and where they are signed in.

    Example: songtien user list
    """
    with _accounts(config) as store:
        for one in store.officers.list(_now_ms()):
            since = f"since {_when(one.created_ms)}"
            _told(f"{one.name}\t{one.role}\t{since}\tsigned in {one.sessions} times")
            for session in store.sessions.list(_now_ms()):
                if session.name == one.name:
                    begun, used = _when(session.begun_ms), _when(session.used_ms)
                    _told(f"\tfrom {session.address} at {begun}, last used {used}")


@users.command("password")
def user_password(name: str, config: ConfigOption = None) -> None:
    """Give an officer another password, and end the officer's sessions.

    Example: songtien user password an
    """
    password = _password()
    with _accounts(config) as store:
        if not store.officers.set_password(name, password, _now_ms()):
            raise _unknown(name)
        store.record(_us(), f"user.password {name}", "done", _now_ms())
    _told(f"{name} has another password, and signs in anew")


@users.command("role")
def user_role(name: str, role: RoleArgument, config: ConfigOption = None) -> None:
    """Give an officer another role, and end the officer's sessions.

    Example: songtien user role an admin
    """
    with _accounts(config) as store:
        if not store.officers.set_role(name, role, _now_ms()):
            raise _unknown(name)
        store.record(_us(), f"user.role {name} {role}", "done", _now_ms())
    _told(f"{name} is {role} now, and signs in anew")


@users.command("sign-out")
def user_sign_out(name: str, config: ConfigOption = None) -> None:
    """End all sessions of an officer.

    Example: songtien user sign-out an
    """
    with _accounts(config) as store:
        if store.officers.role_of(name) is None:
            raise _unknown(name)
        ended = store.sessions.end_all(name)
        store.record(_us(), f"user.sign-out {name}", "done", _now_ms())
    _told(f"{name}: {ended} sessions ended")


@users.command("remove")
def user_remove(name: str, config: ConfigOption = None) -> None:
    """Remove an officer, and end the officer's sessions. The audit keeps the name.

    Example: songtien user remove an
    """
    with _accounts(config) as store:
        if not store.officers.remove(name):
            raise _unknown(name)
        store.record(_us(), f"user.remove {name}", "done", _now_ms())
    _told(f"{name} may not sign in any more")


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
        token, record = store.create(name, role, _now_ms(), ttl_s=ttl_s)
        store.record(_us(), f"token.create {record.id} {role} {record.name}", "done", _now_ms())
    out.print(token, highlight=False, soft_wrap=True)


@tokens.command("list")
def token_list(config: ConfigOption = None) -> None:
    """Tokens with their ids, roles and ends; what they are is kept nowhere.

    Example: songtien token list
    """
    with _accounts(config) as store:
        for one in store.list():
            end = "for ever" if one.expires_ms is None else f"until {_when(one.expires_ms)}"
            if one.revoked_ms is not None:
                end = f"revoked {_when(one.revoked_ms)}"
            _told(f"{one.id}\t{one.role}\t{end}\t{one.name}")


@tokens.command("revoke")
def token_revoke(token: str, config: ConfigOption = None) -> None:
    """End a token for good, by its id.

    Example: songtien token revoke 5f1a0c9be2d4
    """
    with _accounts(config) as store:
        if not store.revoke(token, _now_ms()):
            fail(USAGE, f"there is no living token {token!r}; songtien token list has their ids")
        store.record(_us(), f"token.revoke {token}", "done", _now_ms())
    _told(f"{token} is revoked")


def audit(
    limit: Annotated[int, typer.Option(help="How many lines.", min=1, max=1000)] = 100,
    config: ConfigOption = None,
) -> None:
    """Who did what, the newest first.

    Example: songtien audit --limit 20
    """
    with _accounts(config) as store:
        for line in store.audit(limit):
            who = line.who or "nobody"
            _told(f"{_when(line.at_ms)}\t{who} ({line.role})\t{line.what}\t{line.outcome}")
