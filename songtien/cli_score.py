"""How well a labelled recording is judged, on the command line."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from alerts.messages import VIETNAM
from ingest.faults import ConfigError, Fault
from ingest.journal import Config
from ingest.registry import Registry, parse_registry
from simulators import recording as recordings_read
from simulators.label import Label
from simulators.recorded import is_table, mapping_of_file, read_table
from songtien.ahead import arrivals
from songtien.cli_feed import RootOption
from songtien.cli_rules import (
    REORDER_S,
    MappingOption,
    RecordingArgument,
    config_of,
    interruptible,
)
from songtien.progress import moving_line
from songtien.recordings import Piece
from songtien.score import TRACELESS, Run, run, undone
from songtien.scorecard import HUMAN, SIGNS, Score
from songtien.scorecard import score as card_of
from songtien.scoring import Delays, windows_of
from songtien.settings import DEFAULTS
from songtien.terminal import faults_told, out

FALSE_SHOWN = 20
_KINDS = ("label", "windows", "hit", "by fail", "alone", "share", "first flag", "decided")
_RULES = ("rule", "truth", "windows", "hit", "missed", "not asked", "false", "raised", "delay")


def score(
    recording: RecordingArgument,
    rules: Annotated[
        Path | None,
        typer.Option(help="The rules.toml to judge.", exists=True, dir_okay=False),
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(
            help="The stations.toml of that recording, with its limits.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    mapping: MappingOption = None,
    root: RootOption = "tiengiang",
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document, nothing else.")
    ] = False,
) -> None:
    """Hold quality flags and alerts against the labels of a recording, by event.

    Hits, misses, delays and false ones, for each kind of label and each rule.

    Example: songtien score rough-week.jsonl.gz --json
    """
    with faults_told(), interruptible():
        config = config_of(registry, rules or DEFAULTS / "rules.toml", REORDER_S)
        header, labels = labels_of(recording, mapping)
        check(labels, parse_registry(config.registry, "stations.toml"), recording.name)
        simulated = "scenario" in header
        found = _run(recording, config, mapping, root, recording.name)
        if found is None:
            raise ConfigError([Fault(str(recording), "messages", 0, "accepted is at least one")])
        without = None
        if any(label.label in TRACELESS for label in labels):
            clean = undone(arrivals(recording, root=root, mapping_file=mapping), labels)
            assert clean is not None
            without = run([clean], config, root=root)
        card = card_of(found, labels, simulated=simulated, without=without)
    if as_json:
        content: dict[str, Any] = {"recording": _about(found, header), **plain(card)}
        text = msgspec.json.encode(content, order="deterministic").decode()
        out.print(text, markup=False, highlight=False, soft_wrap=True)
    else:
        _tell(card)


def labels_of(path: Path, mapping: Path | None) -> tuple[dict[str, Any], list[Label]]:
    """Header and labels of a recording of messages, or of a CSV whose mapping names labels.

    Raises ConfigError where there are none.
    """
    if is_table(path):
        header: dict[str, Any] = {}
        labels = list(_rejected(path, mapping))
        accepted = "accepted is a mapping with [device.labels], which says what people rejected"
    else:
        read = recordings_read.read(path)
        header, labels = dict(read.header), list(read.labels)
        accepted = "accepted is a recording with labels, as `songtien simulate --out` writes it"
    if not labels:
        raise ConfigError([Fault(str(path), "labels", None, accepted)])
    return header, labels


def check(labels: Iterable[Label], registry: Registry, file: str) -> None:
    """Raise ConfigError where a label can't be scored: it would count as missed, or for nothing."""
    faults: dict[str, Fault] = {}
    known = "accepted is what the registry has: --registry names the one of that recording"
    for label in labels:
        if label.to_ms < label.from_ms:
            said = f"{label.label}, {label.from_ms} to {label.to_ms}"
            accepted = "accepted is a window that does not end before it begins"
            faults.setdefault(said, Fault(file, "label", said, accepted))
        for key, name, those in (
            ("device", label.device, registry.devices),
            ("station", label.station, registry.stations),
        ):
            if name and name not in those:
                faults.setdefault(f"{key} {name}", Fault(file, f"label.{key}", name, known))
    if faults:
        raise ConfigError(list(faults.values()))


def _rejected(path: Path, mapping: Path | None) -> Iterator[Label]:
    for track in read_table(path, mapping_of_file(path, mapping)).tracks:
        if track.labelled is None:
            continue
        windows = windows_of(track.t_ms, track.labelled)
        for begin, end in zip(windows.from_ms.tolist(), windows.to_ms.tolist(), strict=True):
            yield Label(
                label=HUMAN,
                from_ms=begin,
                to_ms=end,
                device=track.target.device,
                station=track.target.station,
            )


def _run(recording: Path, config: Config, mapping: Path | None, root: str, name: str) -> Run | None:
    with moving_line(name) as say:

        def progress(messages: int, last_ms: int) -> None:
            if say is not None:
                say(f"{messages:,} messages up to {_time(last_ms)}")

        pieces: Iterator[Piece] = arrivals(recording, root=root, mapping_file=mapping)
        return run(pieces, config, root=root, progress=progress)


def _about(found: Run, header: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {name: header[name] for name in ("scenario", "seed") if name in header}
    return {**told, "from": found.begun_ms, "to": found.ended_ms}


def plain(card: Score) -> dict[str, Any]:
    """The score as lists and numbers; times in ms UTC, delays in seconds, absent is null."""
    content = asdict(card)
    content["unscored"] = list(card.unscored)
    return content


def _tell(card: Score) -> None:
    if card.kinds:
        table = Table(*_KINDS, title="Quality flags against labels")
        for kind in card.kinds:
            share = "" if kind.share is None else f"{kind.share:.1%}"
            table.add_row(
                kind.label,
                *map(str, (kind.windows, kind.hits, kind.hits_fail, kind.alone)),
                share,
                delays(kind.delay),
                delays(kind.decided),
            )
        out.print(table)
        signs = Table("label", *SIGNS, "traces", title="Windows in which it shows, and how")
        for kind in card.kinds:
            traces = "" if kind.traces is None else str(kind.traces)
            signs.add_row(kind.label, *(str(kind.signs[sign]) for sign in SIGNS), traces)
        out.print(signs)
    _say(f"false events of flags: {len(card.false_flags)}, of failed samples {card.false_fails}")
    for each in card.false_flags[:FALSE_SHOWN]:
        _say(
            f"  {each.device}, {_time(each.from_ms)} to {_time(each.to_ms)}: {', '.join(each.series)}"
        )
    if len(card.false_flags) > FALSE_SHOWN:
        _say(f"  and {len(card.false_flags) - FALSE_SHOWN} more (--json has all)")
    told = [each for each in card.rules if each.windows or each.raised]
    if told:
        table = Table(*_RULES, title="Alerts against what is true")
        for rule in told:
            truth = rule.label if rule.level is None else f"{rule.label} {rule.level:g}"
            table.add_row(
                rule.rule,
                truth,
                *map(str, (rule.windows, rule.hits, rule.missed, rule.not_asked)),
                *map(str, (rule.false, rule.raised)),
                delays(rule.delay),
            )
        out.print(table)
    if card.unscored:
        _say(f"unscored, for want of labels: {', '.join(card.unscored)}")


def delays(each: Delays) -> str:
    """Median and worst delay for people."""
    if each.median_s is None or each.worst_s is None:
        return "-"
    return f"{duration(each.median_s)}, {duration(each.worst_s)}"


def duration(seconds: float) -> str:
    """Seconds below two minutes, minutes below three hours, then hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 10_800 else f"{seconds / 3600:.1f} h"


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _time(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1000, VIETNAM).strftime("%Y-%m-%d %H:%M")
