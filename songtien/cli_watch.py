"""`songtien watch`: what a service shows, on a terminal or as lines, through every reconnect."""

import asyncio
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer
from rich.live import Live
from websockets.exceptions import InvalidHandshake, InvalidURI

from api.live.client import BACKOFF_S_MAX, Link, LiveAnswerError, LiveClient, LiveRefusedError
from api.live.mirror import Mirror
from api.live.where import ALERT_FIELDS, STATE_FIELDS
from songtien.terminal import FAILED, USAGE, err, fail, out, stop_on_signals
from songtien.watch_table import Down, Shown, screen
from songtien.watch_words import Lang

ANSWER_S: Final = 5.0
SAID: Final = {"state": "item", "alerts": "alert"}
REDRAWN_S: Final = 0.5
TOKEN_VARIABLE: Final = "SONGTIEN_TOKEN"  # noqa: S105 - the name of a variable


class UnfitError(Exception):
    """What answers there is no service of ours, or does not let us in: no use in trying again."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is watched, and how it is told. `state`, `alerts`: filters; None leaves one out."""

    url: str
    token: str | None
    state: dict[str, list[str]] | None
    alerts: dict[str, list[str]] | None
    max_hz: float
    lang: Lang | None


@dataclass(slots=True)
class Watching:
    """The link as it is told, and when it broke. Its times are of this machine."""

    wish: Wish
    client: LiveClient
    mirrors: dict[str, Mirror]
    names: dict[str, str]
    lang: Lang
    link: Link = field(default_factory=lambda: Link(up=False))
    since_ms: int | None = None
    retry_at_s: float = 0.0
    was_up: bool = False

    def told(self, link: Link) -> None:
        if self.link.up and not link.up:
            self.since_ms = self.client.now_ms()
        self.link = link
        self.was_up = self.was_up or link.up
        self.retry_at_s = time.monotonic() + link.wait_s

    @property
    def is_lost(self) -> bool:
        """Also where it never was; not before it was tried."""
        return not self.link.up and bool(self.link.why)

    @property
    def whole(self) -> bool:
        return self.link.up and all(mirror.current for mirror in self.mirrors.values())

    def held(self, chan: str) -> list[dict[str, Any]]:
        return list(self.mirrors[chan].held.values()) if chan in self.mirrors else []

    def shown(self) -> Shown:
        down = None
        if not self.link.up:
            since_ms = self.since_ms if self.was_up else None
            down = Down(since_ms, self.link.why, self.retry_at_s - time.monotonic())
        return Shown(
            self.wish.url,
            self.held("state"),
            self.held("alerts"),
            self.names,
            self.client.now_ms(),
            self.lang,
            self.whole,
            down,
        )


def watch(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Of the service, as a browser asks for it.")
    ] = "http://127.0.0.1:8080",
    token_file: Annotated[
        Path | None, typer.Option(help=f"A file with a token; else {TOKEN_VARIABLE} of the shell.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Only these, such as kind=salinity or station=vam-kenh,xuan-hoa."),
    ] = None,
    max_hz: Annotated[float, typer.Option(help="Changes a second, at most.", min=0.1, max=20)] = 1,
    lang: Annotated[str | None, typer.Option(help="vi or en; else the service's own.")] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Show what there is, and end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each figure, alert and event.")
    ] = False,
) -> None:
    """What a service shows now: every figure with its age and quality, and the active alerts.

    It comes back by itself when the link breaks, and says so meanwhile. Ctrl-C ends it.

    Example: songtien watch http://127.0.0.1:8080 --where kind=salinity
    """
    if lang not in (None, "vi", "en"):
        fail(USAGE, f"--lang: {lang!r} is not accepted: vi, en")
    if not once and not as_json and not sys.stdout.isatty():
        fail(USAGE, "this is no terminal: --once shows what there is, --json tells every change")
    chosen: Lang | None = "vi" if lang == "vi" else "en" if lang == "en" else None
    state, alerts = _filters(where or [])
    wish = Wish(_address(url), _token(token_file), state, alerts, max_hz, chosen)
    try:
        asyncio.run(_watch(wish, once=once, as_json=as_json))
    except UnfitError as unfit:
        fail(USAGE, unfit)
    except (LiveRefusedError, LiveAnswerError) as refused:
        fail(USAGE, _refusal(refused, wish))
    except (InvalidHandshake, InvalidURI) as refused:
        fail(USAGE, f"the live socket of {wish.url} does not let us in: {refused}")
    except (OSError, TimeoutError) as lost:
        fail(FAILED, f"{wish.url} does not answer: {lost or type(lost).__name__}")
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        fail(USAGE, f"URL: {url!r} is no address of a service: http://HOST[:PORT] is")
    return url.rstrip("/")


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        fail(USAGE, f"--token-file: {error}")


def _filters(
    texts: list[str],
) -> tuple[dict[str, list[str]] | None, dict[str, list[str]] | None]:
    """The filters of both channels. One on severity or rule selects alerts alone."""
    where: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if name not in ALERT_FIELDS or not equals or not values:
            fail(USAGE, f"--where: {text!r} is not accepted: FIELD=VALUE[,VALUE] with FIELD one "
                 f"of {', '.join(ALERT_FIELDS)}")  # fmt: skip
        where.setdefault(name, []).extend(values.split(","))
    return (where if where.keys() <= set(STATE_FIELDS) else None), where


def _refusal(refused: LiveRefusedError | LiveAnswerError, wish: Wish) -> str:
    if refused.code != 4401:
        return f"{wish.url} refuses: {refused}"
    if wish.token is None:
        return f"{wish.url} wants to know who looks: --token-file, or {TOKEN_VARIABLE} of the shell"
    return f"{wish.url} does not take this token: it is not known there, or no longer"


def _get(wish: Wish, path: str) -> Any:
    """What an address of the service answers. Raises OSError where it does not, UnfitError."""
    headers = {} if wish.token is None else {"Authorization": f"Bearer {wish.token}"}
    request = urllib.request.Request(wish.url + path, headers=headers)  # noqa: S310 - http(s) alone
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310 - as above
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            if error.code >= 500:
                raise OSError(f"HTTP {error.code}") from None
        said = f"{wish.url}{path} answers {error.code}: no Songtien, or not for us"
        raise UnfitError(said) from None
    except (ValueError, HTTPException) as error:
        raise UnfitError(f"{wish.url} answers, but not as this service does") from error


def _about(wish: Wish) -> dict[str, Any]:
    about = _get(wish, "/api/v1/about")
    if not isinstance(about, dict) or not about.get("live_url"):
        raise UnfitError(f"{wish.url} answers, but names no live socket")
    return about


def _names(wish: Wish) -> dict[str, str]:
    """What people call the stations and mouths; without them their ids do."""
    try:
        found = _get(wish, "/api/v1/stations")
        return {one["id"]: one["name"] for one in (*found["stations"], *found["mouths"])}
    except (UnfitError, OSError, KeyError, TypeError):
        return {}


async def _watch(wish: Wish, *, once: bool, as_json: bool) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    stopped = asyncio.create_task(stop.wait())
    watched = asyncio.create_task(_watched(wish, once=once, as_json=as_json))
    await asyncio.wait((stopped, watched), return_when=asyncio.FIRST_COMPLETED)
    for task in (stopped, watched):
        if not task.done():
            task.cancel()
    await asyncio.wait((stopped, watched))
    if not watched.cancelled():
        watched.result()


async def _watched(wish: Wish, *, once: bool, as_json: bool) -> None:
    about = await _found(wish, once=once)
    names = await asyncio.to_thread(_names, wish)
    lang: Lang = wish.lang or ("en" if about.get("language") == "en" else "vi")
    changed = asyncio.Event()

    def told(link: Link) -> None:
        watching.told(link)
        changed.set()

    client = LiveClient(about["live_url"], token=wish.token, told=told)
    mirrors = {}
    if wish.state is not None:
        mirrors["state"] = client.wish("state", wish.state, max_hz=wish.max_hz)
    mirrors["alerts"] = client.wish("alerts", wish.alerts)
    watching = Watching(wish, client, mirrors, names, lang)
    link = asyncio.create_task(client.run())
    try:
        if once:
            await _once(watching, link, changed, as_json=as_json)
        elif as_json:
            await _lines(watching, link)
        else:
            await _table(watching, link)
    finally:
        link.cancel()
        await asyncio.wait((link,))


async def _found(wish: Wish, *, once: bool) -> dict[str, Any]:
    """What the service says of itself; it is waited for, unless it is asked once."""
    fails = 0
    while True:
        try:
            return await asyncio.to_thread(_about, wish)
        except OSError as error:
            if once:
                raise
            wait_s = random.uniform(0.0, min(BACKOFF_S_MAX, 2.0**fails))  # noqa: S311 - no secret
            fails += 1
            err.print(
                f"{wish.url} does not answer ({error}); trying again in {wait_s:.0f} s",
                highlight=False, markup=False, soft_wrap=True,
            )  # fmt: skip
            await asyncio.sleep(wait_s)


async def _once(
    watching: Watching, link: "asyncio.Task[None]", changed: asyncio.Event, *, as_json: bool
) -> None:
    lost = asyncio.create_task(_lost(watching, changed))
    whole = asyncio.create_task(watching.client.until(lambda: watching.whole, ANSWER_S))
    await asyncio.wait((lost, whole, link), return_when=asyncio.FIRST_COMPLETED)
    for task in (lost, whole):
        if not task.done():
            task.cancel()
    await asyncio.wait((lost, whole))
    if link.done():
        link.result()
    if not whole.cancelled():
        whole.result()
    if not watching.whole:
        raise OSError(watching.link.why)
    if as_json:
        for chan in watching.mirrors:
            _tell_changes(chan, watching.mirrors[chan], {})
    else:
        out.print(screen(watching.shown(), None))


async def _lost(watching: Watching, changed: asyncio.Event) -> None:
    while not watching.is_lost:
        changed.clear()
        await changed.wait()


async def _table(watching: Watching, link: "asyncio.Task[None]") -> None:
    with Live(console=out, screen=True, auto_refresh=False) as live:
        while not link.done():
            live.update(screen(watching.shown(), out.height), refresh=True)
            await asyncio.wait((link,), timeout=REDRAWN_S)
    link.result()


async def _lines(watching: Watching, link: "asyncio.Task[None]") -> None:
    """Tell every change as it comes: the whole item or alert, and the link."""
    told: dict[str, dict[str, str]] = {chan: {} for chan in watching.mirrors}
    events = watching.mirrors["alerts"].events
    up: bool | None = None
    heard = 0
    while not link.done():
        if up is not watching.whole and (watching.whole or watching.is_lost):
            up = watching.whole
            _line("link", up=up, t=watching.client.now_ms(), why=watching.link.why)
        while events:
            event = events.popleft()
            _line("event", type=event["type"], alert=event["alert"])
        for chan, mirror in watching.mirrors.items():
            if mirror.current:
                _tell_changes(chan, mirror, told[chan])
        news = asyncio.create_task(watching.client.news(heard))
        await asyncio.wait((news, link), return_when=asyncio.FIRST_COMPLETED)
        if news.done():
            heard = news.result()
        else:
            news.cancel()
    link.result()


def _tell_changes(chan: str, mirror: Mirror, told: dict[str, str]) -> None:
    for key in told.keys() - mirror.held.keys():
        del told[key]
        _line("gone", chan=chan, key=key)
    for key, one in mirror.held.items():
        text = json.dumps(one, ensure_ascii=False)
        if told.get(key) != text:
            told[key] = text
            _line(SAID[chan], **{SAID[chan]: one})


def _line(said: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"said": said, **more}, ensure_ascii=False) + "\n")
    sys.stdout.flush()
