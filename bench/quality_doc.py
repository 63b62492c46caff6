"""The figures of docs/quality.md: measured, written between its marks, or compared with them.

    SONGTIEN_DATA=... python -m bench.quality_doc [--check] [NAME...]

NAME is a shipped scenario, `short` (three hours of bad-day, which a test repeats) or `recorded`.
Without any all are measured, which takes some minutes. With --check nothing is written, and
exit code 1 says that a figure is another one. Without the recorded series theirs stay.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from bench import quality_events
from bench.quality_events import Labelled
from ingest.reading import Flag
from ingest.registry import parse_registry
from simulators.message import Message
from simulators.scenario import SCENARIOS
from simulators.simulate import played
from songtien.cli_rules import REORDER_S, config_of
from songtien.cli_score import delays, labels_of
from songtien.recordings import Piece, arrivals
from songtien.score import TRACELESS, run, undone
from songtien.scorecard import SIGNS, Kind, Score, score
from songtien.settings import DEFAULTS

DOCUMENT = Path(__file__).parents[1] / "docs/quality.md"
EXAMPLES = Path(__file__).parents[1] / "examples"
ROOT = "tiengiang"
DAYS_MS = {"gio-chuong": 4 * 86_400_000, "tet": 4 * 86_400_000}
"""How much of a long scenario is measured, where it isn't the whole."""

SHORT = "short"
SHORT_MS = 3 * 3_600_000
RECORDED = "recorded"
TOGETHER = 5_000

SERIES = (
    # name, file, mapping, registry, and how the bench reads it for ioos_qc
    ("Cat Point", "salinity/swmpr_apacpwq_2012_2013.csv.gz", "cat-point"),
    ("MainStreet2019", "qc/MainStreet2019.csv.gz", "logan-main-street"),
    ("WaterLab2019", "qc/WaterLab2019.csv.gz", "logan-water-lab"),
)
_REGISTRIES = {
    "cat-point": "cat-point-stations",
    "logan-main-street": "logan-stations",
    "logan-water-lab": "logan-stations",
}


def of_scenario(name: str, duration_ms: int | None = None) -> Score:
    """A shipped scenario with seed 1 as `songtien simulate NAME --out` followed by `score`."""
    config = config_of(None, DEFAULTS / "rules.toml", REORDER_S)
    registry = parse_registry(config.registry, "stations.toml")
    made = played(SCENARIOS[name], registry, 1, duration_ms=duration_ms)
    labels = made.labels()
    found = run(_pieces(made.messages(root=ROOT)), config, root=ROOT)
    assert found is not None
    without = None
    if any(label.label in TRACELESS for label in labels):
        clean = undone(_pieces(made.messages(root=ROOT)), labels)
        assert clean is not None
        without = run([clean], config, root=ROOT)
    return score(found, labels, simulated=True, without=without)


def _pieces(messages: Iterable[Message]) -> Iterator[Piece]:
    """In the order of their arrival, which is that of sending."""
    rest = iter(messages)
    while some := list(islice(rest, TOGETHER)):
        yield Piece.of(
            [m.publish_ms for m in some], [m.topic for m in some], [m.payload for m in some]
        )


def of_series(folder: Path, file: str, mapping: str) -> Score:
    """A recorded series as `songtien score FILE --mapping … --registry …`."""
    how = EXAMPLES / f"{mapping}.toml"
    config = config_of(
        EXAMPLES / f"{_REGISTRIES[mapping]}.toml", DEFAULTS / "rules.toml", REORDER_S
    )
    _, labels = labels_of(folder / file, how)
    found = run(arrivals(folder / file, root=ROOT, mapping_file=how), config, root=ROOT)
    assert found is not None
    return score(found, labels, simulated=False)


# As text.


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def kinds_text(card: Score) -> str:
    """By kind of fault, how flags found it and how it shows at all."""
    head = ("fault", "windows", "flagged", "failed", "alone", "share", "first flag", "decided",
            "shows as")  # fmt: skip
    return table(head, [_kind_row(kind) for kind in card.kinds])


def _kind_row(kind: Kind) -> list[str]:
    seen = [f"{sign} {kind.signs[sign]}" for sign in SIGNS if kind.signs[sign]]
    if kind.traces is not None:
        seen.append(f"traces {kind.traces}")
    return [
        kind.label,
        *map(str, (kind.windows, kind.hits, kind.hits_fail, kind.alone)),
        "-" if kind.share is None else f"{kind.share:.1%}",
        delays(kind.delay),
        delays(kind.decided),
        ", ".join(seen),
    ]


def rules_text(card: Score) -> str:
    """By rule, for those of which there is anything to say."""
    head = ("rule", "truth", "windows", "hit", "missed", "not asked", "false of raised", "delay")
    rows = [
        [
            f"`{rule.rule}`",
            rule.label if rule.level is None else f"{rule.label} {rule.level:g} g/L",
            *map(str, (rule.windows, rule.hits, rule.missed, rule.not_asked)),
            f"{rule.false} of {rule.raised}",
            delays(rule.delay),
        ]
        for rule in card.rules
        if rule.windows or rule.raised
    ]
    return table(head, rows)


def scenario_text(card: Score) -> str:
    flags = (
        f"False events of flags: {len(card.false_flags)}, of failed samples {card.false_fails}.\n"
    )
    faults = f"{kinds_text(card)}\n" if card.kinds else ""
    return f"{faults}{rules_text(card)}\n{flags}"


def recorded_text(folder: Path) -> str:
    """The service beside plain ioos_qc on what people labelled: hits of events, false events."""
    head = ("series", "events", "suspect or fail: service", "ioos_qc", "fail: service", "ioos_qc",
            "first flag", "decided")  # fmt: skip
    rows = []
    for name, file, mapping in SERIES:
        card = of_series(folder, file, mapping)
        (human,) = card.kinds
        plain = _labelled(folder, name)
        flags = quality_events.by_ioos_qc(plain)
        cells = []
        for level, hits, false in (
            (Flag.SUSPECT, human.hits, len(card.false_flags)),
            (Flag.FAIL, human.hits_fail, card.false_fails),
        ):
            recall, beside = quality_events.score(plain, (flags >= level) & (flags <= Flag.FAIL))
            cells += [f"{hits} / {false}", f"{np.rint(recall * human.windows):.0f} / {beside}"]
        rows.append([name, str(human.windows), *cells, delays(human.delay), delays(human.decided)])
    return table(head, rows)


def _labelled(folder: Path, name: str) -> Labelled:
    if name == "Cat Point":
        return quality_events.cat_point(folder)
    return quality_events.river(folder, name, (0.0, 0))


# Into the document.


def written(text: str, name: str) -> str:
    """What the document says under a mark; raises ValueError where it has no such mark."""
    found = _place(text, name)
    return text[found[0] : found[1]]


def replaced(text: str, name: str, content: str) -> str:
    begin, end = _place(text, name)
    return f"{text[:begin]}{content}{text[end:]}"


def _place(text: str, name: str) -> tuple[int, int]:
    mark = f"<!-- measured: {name} -->\n\n"
    begin = text.index(mark) + len(mark)
    return begin, text.index("\n<!-- end -->", begin)


def measured(name: str, folder: Path) -> str:
    if name == RECORDED:
        return recorded_text(folder)
    if name == SHORT:
        return scenario_text(of_scenario("bad-day", SHORT_MS))
    return scenario_text(of_scenario(name, DAYS_MS.get(name)))


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    asked = parser.parse_args(words)
    folder = Path(os.environ.get("SONGTIEN_DATA", "../shared/data"))
    names = asked.names or [SHORT, RECORDED, *SCENARIOS]
    if RECORDED in names and not (folder / "qc").is_dir():
        print(f"no labelled series in {folder}: theirs stay", file=sys.stderr)
        names.remove(RECORDED)
    warnings.simplefilter("ignore")  # ioos_qc divides by what it has masked.
    differ = []
    for name in names:
        found = measured(name, folder)
        text = DOCUMENT.read_text("utf-8")
        if found != written(text, name):
            differ.append(name)
            if not asked.check:
                DOCUMENT.write_text(replaced(text, name, found), "utf-8")
        print(f"{name}: {'other figures' if name in differ else 'as written'}", flush=True)
    return 1 if differ and asked.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
