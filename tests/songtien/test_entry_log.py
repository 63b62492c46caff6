"""What officers enter is in the store once, whenever the service dies."""

import json
from pathlib import Path

import pytest

from alerts import entry_log
from ingest.journal import Config, Entered
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES
from tests.songtien.life import Life, life

HOUR = 3_600_000
NOTHING = Entered("r9", "check", "my-tho", json.dumps({"t": BEGIN_MS}), "An", "")


def visit(request: str, salinity: float) -> Entered:
    body = {"t": BEGIN_MS - HOUR, "values": {"salinity_g_l": salinity}}
    return Entered(request, "check", "my-tho", json.dumps(body), "An", "")


def ids(one: Life) -> list[str]:
    with one.store.transaction() as connection:
        page = entry_log.checks(connection, None, 0, BEGIN_MS + HOUR, None, 100)
    return [check["id"] for check in page.items]


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_killed_at_any_entry_each_is_there_once(
    tmp_path: Path, count: int, *, committed: bool
) -> None:
    with life(tmp_path) as first:
        first.append(Config(REGISTRY, RULES, 30.0))
        for request, salinity in (("r1", 1.2), ("r2", 1.3), ("r3", 1.2)):
            first.append(visit(request, salinity))  # the third is the first again
        first.append(NOTHING)
        first.run_until_killed(count, committed=committed)
    with life(tmp_path) as second:
        second.run()
        assert ids(second) == ["c2", "c1"]
    with life(tmp_path) as third:
        third.append(visit("r4", 1.4))
        third.run()
        assert ids(third) == ["c3", "c2", "c1"]


def test_from_when_on_entries_are_kept_is_noted_once(tmp_path: Path) -> None:
    for _ in range(2):
        with life(tmp_path) as one:
            with one.store.transaction() as connection:
                assert entry_log.since_ms(connection) == BEGIN_MS
            one.clock.ms += HOUR
