"""Recording feeds and replaying them, from the command line."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import typer

from ingest.faults import ConfigError, Fault
from ingest.topics import subscription
from simulators.broker import shown
from simulators.filters import checked, matches
from simulators.mapping import CsvMapping
from simulators.mapping_options import mapping_of_options
from simulators.playback import Choice
from simulators.record import Heard, Recorder, journal_messages
from simulators.recording import PAYLOAD_BYTES_MAX, Writer, write_into
from simulators.replay import Rebase
from simulators.run import Report, broker_of
from simulators.run import replay as run_replay
from songtien.accepted import NotAcceptedError
from songtien.configuration import text_of
from songtien.durations import parse_duration, parse_speed, parse_time
from songtien.progress import recording_shown, replay_shown
from songtien.setting_keys import KEYS
from songtien.terminal import (
    err,
    faults_told,
    out,
    run,
    stop_on_signals,
)

BROKER = "mqtt://127.0.0.1:1883"

BrokerOption = Annotated[
    str, typer.Option(help="The broker's address; a name as mqtt://NAME@HOST.")
]
PasswordOption = Annotated[
    Path | None,
    typer.Option(
        help="A file with the password of that name.", exists=True, dir_okay=False, readable=True
    ),
]


def with_password(broker: str, password_file: Path | None) -> str:
    """The address with the password in it, which so never stands among a process's arguments."""
    if password_file is None:
        return broker
    broker_of(broker, "options")
    parts = urlsplit(broker)
    if not parts.username or parts.password is not None:
        accepted = "beside --password-file mqtt://NAME@HOST[:PORT]"
        raise ConfigError([Fault("options", "--broker", shown(broker), accepted)])
    password = quote(text_of(password_file, "--password-file").rstrip("\r\n"), safe="")
    name, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{name}:{password}@{host}").geturl()


def _root(text: str | None) -> str | None:
    """The same roots as the service takes: under another nobody would hear."""
    if text is None:
        return None
    key = next(key for key in KEYS if (key.section, key.name) == ("mqtt", "root"))
    try:
        key.parse(text)
    except NotAcceptedError as error:
        raise typer.BadParameter(f"{text!r}: {error}") from error
    return text


RootOption = Annotated[str, typer.Option(help="The root of the topics.", callback=_root)]
SpeedOption = Annotated[str, typer.Option(help="1 is life; a number, or max.")]
LiveOption = Annotated[
    bool,
    typer.Option("--into-live", help="Also where a real service listens; marked as simulated."),
]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


FromOption = Annotated[
    str | None,
    typer.Option("--from", help="Only what came from here on, such as 2026-03-01T06:30."),
]
ToOption = Annotated[str | None, typer.Option("--to", help="Only what came before.")]


TimeColumnOption = Annotated[
    str | None, typer.Option(help="With --column: the column of times; by default time.")
]
TimeFormatOption = Annotated[
    str | None, typer.Option(help="With --column: iso (by default), epoch_s or epoch_ms.")
]
ZoneOption = Annotated[
    str | None, typer.Option(help="With --column: of local times, such as Asia/Ho_Chi_Minh.")
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Without a mapping: FIELD=COLUMN[:UNIT], such as ec_ms_cm=cond:uS/cm; repeat it."
    ),
]
WhereOption = Annotated[
    list[str] | None, typer.Option(help="With --column: COLUMN=TEXT; only these rows.")
]


def record(
    file: Annotated[
        Path, typer.Argument(help="Packed where it ends in .gz; - is standard output.")
    ],
    broker: BrokerOption = BROKER,
    password_file: PasswordOption = None,
    root: RootOption = "tiengiang",
    topic: Annotated[
        list[str] | None,
        typer.Option(help="A filter with + and #, in place of all of the root; repeat it."),
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="Such as 6h; without it until Ctrl-C.")
    ] = None,
    from_data: Annotated[
        Path | None,
        typer.Option(help="A service's data directory, in place of a broker.", exists=True),
    ] = None,
    begin: FromOption = None,
    end: ToOption = None,
    *,
    force: Annotated[bool, typer.Option(help="Also over a file that is there.")] = False,
) -> None:
    """Record what a broker says, byte for byte, with the times at which it came.

    Example: songtien record storm.jsonl.gz --duration 6h
    """
    with faults_told():
        if str(file) != "-" and file.exists() and not force:
            accepted = "it is there already; accepted is another name, or --force"
            raise ConfigError([Fault("options", "FILE", str(file), accepted)])
        if from_data is None and (begin is not None or end is not None):
            accepted = "accepted are --from and --to beside --from-data"
            raise ConfigError([Fault("options", "--from", begin or end, accepted)])
        if from_data is not None and duration is not None:
            accepted = "accepted are --from and --to beside --from-data, which ends by itself"
            raise ConfigError([Fault("options", "--duration", duration, accepted)])
        filters = checked(topic or [subscription(root)], "--topic")
        length = None if duration is None else parse_duration(duration, "--duration")
        from_ms = 0 if begin is None else parse_time(begin, "--from")
        to_ms = None if end is None else parse_time(end, "--to")

    def opened() -> Writer:
        if str(file) == "-":
            return Writer(os.fdopen(os.dup(sys.stdout.fileno()), "wb"), packed=False)
        return Writer.to(file, mode="wb" if force else "xb")

    async def work() -> None:
        if from_data is not None:
            kept = journal_messages(from_data, from_ms=from_ms, to_ms=to_ms)
            chosen = (m for m in kept if any(matches(each, m.topic) for each in filters))
            with opened() as writer:
                writer.header({"topics": filters})
                count = write_into(writer, chosen)[0]
            err.print(f"{count:,} messages recorded", highlight=False)
            return
        with recording_shown(file.name) as progress:
            recorder = Recorder(
                broker_of(with_password(broker, password_file), "record"),
                filters,
                opened,
                clock_ms=now_ms,
                progress=progress,
            )
            # Whoever reads from us may have had enough, as `head` has.
            with contextlib.suppress(BrokenPipeError):
                await recorded_until(recorder, length)
        tell_heard(recorder.heard)

    run(work())


async def recorded_until(recorder: Recorder, length: timedelta | None) -> Heard:
    """Record until a signal, or for so long; both leave a whole file."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    if length is not None:
        asyncio.get_running_loop().call_later(length.total_seconds(), stop.set)
    return await recorder.run(stop)


def tell_heard(heard: Heard) -> None:
    """On standard error, since the recording itself may go to standard output."""
    err.print(
        f"{heard.messages:,} messages with {heard.payload_bytes:,} bytes recorded",
        highlight=False,
    )
    if heard.gaps:
        err.print(f"gaps in which nothing was heard: {heard.gaps:,}", highlight=False)
    if heard.too_large:
        accepted = f"accepted are {PAYLOAD_BYTES_MAX:,} bytes"
        err.print(f"left out, too large: {heard.too_large:,}; {accepted}", highlight=False)


def replay(
    file: Annotated[
        Path,
        typer.Argument(
            help="A recording, or a .csv, .csv.gz or .parquet.", exists=True, dir_okay=False
        ),
    ],
    broker: BrokerOption = BROKER,
    password_file: PasswordOption = None,
    root: Annotated[
        str | None,
        typer.Option(help="In place of the recorded root; of a table tiengiang.", callback=_root),
    ] = None,
    speed: SpeedOption = "1",
    rebase: Annotated[
        Rebase, typer.Option(help="now moves the times to the present.")
    ] = Rebase.NONE,
    begin: FromOption = None,
    end: ToOption = None,
    chosen: Annotated[
        list[str] | None,
        typer.Option("--filter", help="Only topics that match, with + and #; repeat it."),
    ] = None,
    loop: Annotated[
        int | None,
        typer.Option(help="So many passes, each later than the one before; 0 is without end."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="How to read a table (TOML); by default the file's name with .toml.", exists=True
        ),
    ] = None,
    station: Annotated[
        str | None, typer.Option(help="Only this one; with --column the one it is to be.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Only this one; with --column the one it is to be.")
    ] = None,
    time_column: TimeColumnOption = None,
    time_format: TimeFormatOption = None,
    zone: ZoneOption = None,
    column: ColumnOption = None,
    where: WhereOption = None,
    *,
    everything: Annotated[
        bool, typer.Option("--everything", help="Also what a service said, acks and alerts.")
    ] = False,
    into_live: LiveOption = False,
) -> None:
    """Replay over MQTT what was recorded, or a table as the device that it was or as another.

    Example: songtien replay storm.jsonl.gz --speed 60 --rebase now

    Example: songtien replay gauge.csv --station my-tho --device mt-01
    --time-column time --column sal_g_l=salinity:psu --speed max --rebase now
    """
    with faults_told():
        how = mapping_of(
            column,
            {
                "--station": station,
                "--device": device,
                "--time-column": time_column,
                "--time-format": time_format,
                "--zone": zone,
                "--where": where,
            },
            mapping,
            alone=("--station", "--device"),
        )
        choice = Choice(
            tuple(checked(chosen or [], "--filter")),
            station,
            device,
            None if begin is None else parse_time(begin, "--from"),
            None if end is None else parse_time(end, "--to"),
            everything,
        )

    async def work() -> None:
        with replay_shown(file.name) as shown:
            report = await run_replay(
                file,
                root=root,
                broker_url=with_password(broker, password_file),
                clock_ms=now_ms,
                mapping=how,
                mapping_file=mapping,
                speed=parse_speed(speed),
                rebase=rebase,
                choice=choice,
                passes=1 if loop is None else loop or None,
                into_live=into_live,
                planned=None if shown is None else shown.plan,
                progress=None if shown is None else shown.progress,
            )
        tell(report)
        if report.gaps:
            err.print(f"gaps in which the recorder heard nothing: {report.gaps:,}", highlight=False)
        if report.cut:
            err.print(
                f"{file} is cut off ({report.cut}); what stands before was sent", highlight=False
            )

    run(work())


def mapping_of(
    columns: list[str] | None,
    given: Mapping[str, Any],
    mapping_file: Path | None,
    *,
    alone: Collection[str] = (),
) -> CsvMapping | None:
    """The mapping of one probe from a command's options, None where no --column says that it is.

    given : the other options; `alone` are those that mean something without --column too
    """
    if columns:
        needed = "it is missing; accepted beside --column is an id as in stations.toml"
        who = ("--station", "--device")
        faults = [Fault("options", name, "", needed) for name in who if not given[name]]
        if mapping_file is not None:
            accepted = "accepted is a mapping or --column, not both"
            faults.append(Fault("options", "--mapping", str(mapping_file), accepted))
    else:
        told = "accepted beside --column; a mapping says it itself"
        idle = {name: value for name, value in given.items() if value and name not in alone}
        faults = [Fault("options", name, value, told) for name, value in idle.items()]
    if faults:
        raise ConfigError(faults)
    if not columns:
        return None
    return mapping_of_options(
        kind="salinity",
        station=given["--station"],
        device=given["--device"],
        time_column=given["--time-column"] or "time",
        columns=columns,
        time_format=given["--time-format"] or "iso",
        zone=given["--zone"],
        where=given["--where"] or [],
    )


def tell(report: Report, done: str = "acknowledged") -> None:
    out.print(
        f"{report.acknowledged_messages:,} messages with {report.acknowledged_samples:,} samples "
        f"{done} in {report.duration_s:.1f} s",
        highlight=False,
    )
    for reason, count in {**report.skipped, **report.left_out}.items():
        err.print(f"left out, {reason}: {count:,}", markup=False, highlight=False)
    for fault in report.examples:
        err.print(f"  {fault}", markup=False, highlight=False, soft_wrap=True)
