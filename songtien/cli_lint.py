"""A device maker's check on the command line: `songtien lint`."""

import asyncio
import contextlib
import gzip
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Final

import typer

from ingest.faults import ConfigError, Fault
from ingest.lint import Context, Finding, Lint
from ingest.registry import Registry
from ingest.topics import subscription
from simulators.broker import Broker
from simulators.filters import checked, matches
from simulators.run import broker_of
from songtien.cli_feed import PasswordOption, RootOption, with_password
from songtien.configuration import registry_of
from songtien.durations import parse_duration
from songtien.lint_input import Framer, Given, LineError
from songtien.lint_report import Place, Report
from songtien.terminal import FAILED, err, fail, faults_told, out, run, stop_on_signals

LINE_BYTES_MAX: Final = 2**26
QOS_ASKED: Final = 2
"""A broker passes each message on with the QoS it was sent with, but with no more than was asked
for: so it is known."""


@dataclass(slots=True)
class _Check:
    """A lint with all that it is told through."""

    root: str
    topic: str | None
    registry: Registry | None
    report: Report
    as_json: bool
    word: str = "line"
    lint: Lint = field(init=False)

    def __post_init__(self) -> None:
        self.lint = Lint(self.root, self.registry)

    def hear(self, given: Given, now_ms: int) -> None:
        """Tell at once what is wrong with a message."""
        topic = given.topic or self._only_topic(given.line)
        if self.topic is not None and given.topic and not matches(self.topic, given.topic):
            return
        context = Context(
            root=self.root,
            registry=self.registry,
            at_ms=given.at_ms,
            now_ms=now_ms if given.at_ms is None else given.at_ms,
            retain=given.retain,
            qos=given.qos,
        )
        parts = topic.split("/")
        device = parts[-2] if len(parts) > 1 else topic
        of = f"{device}/{parts[-1]}" if given.topic else ""
        place = Place(given.line, self.word, device, topic, of)
        for finding in self.lint.hear(topic, given.payload, context):
            self._tell(place, finding)

    def finish(self, *, lenient: bool) -> None:
        """Tell what only the whole shows, and end with the exit code."""
        for device, finding in self.lint.finish():
            self._tell(Place(None, self.word, device), finding)
        say = _to_stderr if self.as_json else _to_stdout
        for line in [*([] if self.as_json else self.report.folded()), *self._summary()]:
            say(line)
        if self.report.wrong(lenient=lenient):
            raise typer.Exit(FAILED)

    def _summary(self) -> list[str]:
        return self.report.summary(self.lint)

    def _tell(self, place: Place, finding: Finding) -> None:
        write = self.report.json if self.as_json else self.report.line
        line = write(place, finding)
        if line is not None:
            _to_stdout(line)

    def _only_topic(self, line: int) -> str:
        if self.topic is None or set("+#") & set(self.topic):
            accepted = (
                "accepted is the topic of the payloads, such as"
                f" {self.root}/v1/salinity/my-tho/mt-01/obs"
            )
            told = f"line {line} has no topic of its own; {accepted}"
            raise ConfigError([Fault("options", "--topic", self.topic, told)])
        return self.topic


def lint(
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|-]", help="Payloads or a recording; - is standard input."),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="Of the payloads; of a feed or a recording a filter with + and #."),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="Listen to this broker, such as mqtt://127.0.0.1:1883.")
    ] = None,
    password_file: PasswordOption = None,
    duration: Annotated[
        str | None, typer.Option(help="With --broker: so long, such as 10m; else until Ctrl-C.")
    ] = None,
    messages: Annotated[
        int | None, typer.Option(help="With --broker: until so many have come.", min=1)
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(help="A stations.toml to hold them against.", exists=True, dir_okay=False),
    ] = None,
    root: RootOption = "tiengiang",
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every finding; else three of a kind and a count.")
    ] = False,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Exit 1 for what is refused alone.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a finding, nothing else.")
    ] = False,
) -> None:
    """Say what is wrong with a device's messages, field by field; exit 1 if anything is.

    A file or a pipe holds one payload, or one a line, or a recording, or what mosquitto_sub -v
    writes.

    Example: songtien lint sample.json --topic tiengiang/v1/salinity/my-tho/mt-01/obs
    """
    with faults_told():
        _check_options(file, broker, duration, messages)
        check = _Check(
            root=root,
            topic=None if topic is None else checked([topic], "--topic")[0],
            registry=None if registry is None else registry_of(registry),
            report=Report(everything),
            as_json=as_json,
        )
        if broker is None:
            _read(check, file)
    if broker is not None:
        _listen(check, _broker(broker, password_file), duration, messages)
    check.finish(lenient=lenient)


def _broker(broker: str, password_file: Path | None) -> Broker:
    with faults_told():
        return broker_of(with_password(broker, password_file), "lint")


def _check_options(
    file: str | None, broker: str | None, duration: str | None, messages: int | None
) -> None:
    faults = []
    if broker is None:
        for name, value in (("--duration", duration), ("--messages", messages)):
            if value is not None:
                faults.append(Fault("options", name, value, "accepted beside --broker"))
        if file is None and sys.stdin.isatty():
            accepted = "accepted is a file, - for standard input, or --broker"
            faults.append(Fault("options", "FILE", "", accepted))
    elif file is not None:
        faults.append(Fault("options", "FILE", file, "accepted without --broker"))
    path = Path(file or "-")
    if file not in (None, "-") and (path.is_dir() or not path.exists()):
        faults.append(Fault("options", "FILE", file, "accepted is a file that exists, or -"))
    if faults:
        raise ConfigError(faults)


def _read(check: _Check, file: str | None) -> None:
    """All of a file or a pipe, each message as it comes."""
    name = "standard input" if file in (None, "-") else str(file)
    framer = Framer()
    heard = False
    try:
        with _opened(file) as lines:
            while line := lines.readline(LINE_BYTES_MAX):
                for given in framer.line(line):
                    check.hear(given, _now_ms())
                    heard = True
            for given in framer.end():
                check.hear(given, _now_ms())
                heard = True
    except LineError as error:
        raise ConfigError([Fault(name, "recording", "", str(error))]) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ConfigError([Fault(name, "the file", str(error), "a whole file")]) from error
    except KeyboardInterrupt:
        return
    if not heard and not framer.lines:
        check.hear(Given(1, b""), _now_ms())  # a payload of no bytes is one too


@contextlib.contextmanager
def _opened(file: str | None) -> Iterator[IO[bytes]]:
    if file in (None, "-"):
        yield sys.stdin.buffer
        return
    path = Path(file or "")
    with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as lines:
        yield lines  # type: ignore[misc] # both read lines of bytes


def _listen(check: _Check, broker: Broker, duration: str | None, messages: int | None) -> None:
    """What a broker passes on, until enough has come or somebody ends it."""
    check.word = "message"
    with faults_told():
        length_s = None
        if duration is not None:
            length_s = parse_duration(duration, "--duration").total_seconds()

    def take(given: Given) -> bool:
        check.hear(given, _now_ms())
        return messages is not None and check.lint.messages >= messages

    topic = check.topic or subscription(check.root)
    run(_listened(broker, topic, take, length_s))
    if not check.lint.messages:
        fail(FAILED, f"no message came on {topic}")


async def _listened(
    broker: Broker, topic: str, take: Callable[[Given], bool], length_s: float | None
) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with broker.client() as client:
        await client.subscribe(topic, qos=QOS_ASKED)

        async def hear() -> None:
            number = 0
            async for message in client.messages:
                number += 1
                content = message.payload
                payload = bytes(content) if isinstance(content, bytes | bytearray) else b""
                # What the broker had kept did not come when it was sent.
                at_ms = None if message.retain else _now_ms()
                given = Given(
                    number,
                    payload,
                    str(message.topic),
                    at_ms,
                    retain=bool(message.retain) or None,
                    qos=message.qos,
                )
                if take(given):
                    return

        hearing = asyncio.ensure_future(hear())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait(
                (hearing, stopping), timeout=length_s, return_when=asyncio.FIRST_COMPLETED
            )
            if hearing.done():
                hearing.result()
        finally:
            for task in (hearing, stopping):
                task.cancel()
            await asyncio.gather(hearing, stopping, return_exceptions=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _to_stdout(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def _to_stderr(line: str) -> None:
    err.print(line, markup=False, highlight=False, soft_wrap=True)
