"""The season's benchmark, at a small size: what it runs is what entries one by one give."""

from pathlib import Path

from ingest.journal import Config
from songtien.backtest import line
from songtien.bench import season
from songtien.offline import outcomes
from songtien.recordings import arrivals
from songtien.settings import DEFAULTS

SIZE = season.Size(stations=4, days=2, rounds=1, tries=1)


def test_a_small_season_gives_the_log_of_one_entry_at_a_time(tmp_path: Path) -> None:
    (one,) = season.run(SIZE, lambda _line: None)
    assert one.messages == 4 * 2 * 96
    assert one.events > 0
    file = tmp_path / "season.jsonl"
    file.write_bytes(b"".join(season.messages(SIZE)))
    config = Config(
        season.registry_text(SIZE.stations), (DEFAULTS / "rules.toml").read_text("utf-8"), 30.0
    )
    feed = [
        arrival
        for piece in arrivals(file, root=season.ROOT)
        for arrival in zip(piece.at_ms.tolist(), piece.topics, piece.payloads, strict=True)
    ]
    events = [e for outcome in outcomes(feed, config, root=season.ROOT) for e in outcome.events]
    assert season.digest(map(line, events)) == one.log


def test_the_summary_says_how_long_and_whether_the_log_was_the_same() -> None:
    runs = [season.Run(9.0, 8.5, 100, 7, "ab", 0.1), season.Run(9.5, 8.6, 100, 7, "ab", 0.1)]
    assert "the same log each time (ab)" in season.summary(runs, 2)
    other = [runs[0], season.Run(9.5, 8.6, 100, 7, "cd", 0.1)]
    assert "LOGS DIFFER" in season.summary(other, 2)
