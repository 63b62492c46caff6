"""Keeping what there is: a backup while the service runs, and its way back."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import BarColumn, Progress, TextColumn

from songtien import datadir
from songtien.backup import BackupError, Manifest, Shown, keys_in
from songtien.backup import backup as back_up
from songtien.restore import keys_missing
from songtien.restore import restore as put_back
from songtien.settings import Settings, load_settings
from songtien.telling.channels.webpush import key_path
from songtien.terminal import FAILED, err, fail, faults_told, out

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The TOML configuration.")]

NICE = 10
"""A copy has time; the service beside it has not."""


def backup(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to: not there yet, or empty.")
    ],
    config: ConfigOption = None,
) -> None:
    """Copy the data directory, also while the service runs, into a directory of its own.

    Example: songtien backup /var/backups/songtien/2026-03-01
    """
    with _told(), _shown() as shown:
        settings = load_settings(config, os.environ)
        os.nice(NICE)
        files = datadir.Files.of(settings.data.dir)
        manifest = back_up(files, directory.absolute(), now_ms=_now_ms(), shown=shown)
    _list(manifest)
    held = manifest.positions
    _note(
        f"{directory}: readings up to entry {held.stored:,}, messages up to entry "
        f"{held.journal:,} of the journal, taken at {manifest.taken_at}"
    )
    if keys := keys_in(settings.data.dir):
        _note(f"not in it, keep copies of them elsewhere: {', '.join(keys)}")


def restore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="What `backup` has written.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Move aside what stands in the data directory.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Put a backup into the data directory of a service that does not run.

    Example: songtien restore /var/backups/songtien/2026-03-01
    """
    with _told(), _shown() as shown:
        settings = load_settings(config, os.environ)
        done = put_back(
            directory.absolute(),
            settings.data.dir,
            replace=replace,
            now_ms=_now_ms(),
            shown=shown,
        )
    _list(done.manifest)
    aside = "" if done.aside is None else f"; what stood there is in {done.aside}"
    _note(f"{settings.data.dir}: as it was at {done.manifest.taken_at}{aside}")
    if missing := keys_missing(done.manifest, settings.data.dir, _keys_of(settings)):
        named = ", ".join(map(str, missing))
        _note(f"put your copies there before the start, or people can't be told: {named}")


def _keys_of(settings: Settings) -> list[Path]:
    """Of people's addresses, and those that browsers are bound to; in the data directory unless
    they are named with their own place.
    """
    push = [key_path(one.name, Path()) for one in settings.channels if one.kind == "webpush"]
    return [settings.farmers.key_file or Path("farmers.key"), *push]


def _note(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _list(manifest: Manifest) -> None:
    for file in manifest.files:
        out.print(f"  {file.name}: {file.bytes:,} bytes", markup=False, highlight=False)


@contextmanager
def _told() -> Iterator[None]:
    """Faults in a line each; told to end, what is half done goes first."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        with faults_told():
            try:
                yield
            except BackupError as error:
                fail(FAILED, error)
            except KeyboardInterrupt:
                fail(FAILED, "interrupted")
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _shown() -> Iterator[Shown]:
    """A bar on a terminal; nothing on a pipe."""
    if not sys.stderr.isatty():
        yield lambda _what, _far: None
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), console=err, transient=True
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, far: bar.update(task, description=what, completed=far)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
