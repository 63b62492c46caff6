"""Spells of a gauge in Mississippi Sound, where a flood turned the water fresh and back (USGS).

What is told is held against the readings themselves: each beginning and end is where they have
it, and nothing that they have is left out.
"""

import csv
import gzip
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from alerts.farmers.lookout import Lookout
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.vigil import HOLE_MS, SPELL_MS
from alerts.river.advisor import Advisor
from ingest.reading import Batch
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from tests.alerts.river.test_advisor import MINUTE, PUMP, STATIONS, Said

GAUGE = "301001089442600"
INTERVAL_MS = 30 * MINUTE
LEVELS = (500, 1000, 2000, 4000)

Series = list[tuple[int, float]]


@pytest.fixture(scope="module")
def gauge(recorded: Callable[[str], Path]) -> Series:
    path = recorded("salinity/usgs_mssound_2019_sample.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [
            (round(datetime.fromisoformat(row["time_utc"]).timestamp() * 1000), row["salinity_ppt"])
            for row in csv.DictReader(file)
            if row["site_no"] == GAUGE and "2019-06-15" <= row["time_utc"][:10] < "2019-08-20"
        ]
    return sorted((t_ms, float(value)) for t_ms, value in rows if value)


@pytest.fixture(scope="module")
def told(gauge: Series) -> list[Notice]:
    """Each reading as it comes, and the clock wherever it has something to say."""
    text = STATIONS.replace("expected_s = 600", "expected_s = 1800")
    registry = parse_registry(
        f"{text}\n[[intake]]\nid = 'a'\nname = 'Cống A'\nrise_g_l_h = 0.3\n{PUMP}", "stations.toml"
    )
    series = SeriesTable.of(registry)
    advisor, lookout, desk = Advisor(registry, series), Lookout(registry), Said()
    number, begun_ms = series.by_key["out-p/salinity_g_l"], gauge[0][0]
    found: list[Notice] = []

    def advance(now_ms: int) -> None:
        advisor.advance(now_ms, desk)
        found.extend(lookout.advance(now_ms, begun_ms, advisor))

    for t_ms, value in gauge:
        while True:
            dues = advisor.next_due_ms(), lookout.next_due_ms(begun_ms)
            due_ms = min((each for each in dues if each is not None), default=t_ms)
            if due_ms >= t_ms:
                break
            advance(due_ms)
        advisor.push(Batch.of([number], [t_ms], [value], [1], [0]))
        advance(t_ms)
    return found


def spells(told: Sequence[Notice], level_mg_l: int) -> list[tuple[Notice, Notice | None]]:
    of = [n for n in told if n.level_mg_l == level_mg_l and n.kind in (Kind.SALT, Kind.FRESH)]
    salts = [n for n in of if n.kind is Kind.SALT]
    ends = {n.event: n for n in of if n.kind is Kind.FRESH}
    assert len(ends) == len(of) - len(salts), "a spell ends once"
    return [(salt, ends.get(salt.event)) for salt in salts]


def between(gauge: Series, from_ms: int, to_ms: int) -> Series:
    """Readings in (from, to]."""
    times = [t_ms for t_ms, _ in gauge]
    return gauge[bisect_right(times, from_ms) : bisect_right(times, to_ms)]


@pytest.mark.parametrize("level", LEVELS)
def test_each_spell_begins_and_ends_where_the_readings_have_it(
    gauge: Series, told: list[Notice], level: int
) -> None:
    limit, times = level / 1000, [t_ms for t_ms, _ in gauge]
    found = spells(told, level)
    assert found
    for salt, fresh in found:
        at = bisect_left(times, salt.since_ms)
        assert times[at] == salt.since_ms
        assert gauge[at][1] >= limit
        assert all(value >= limit for _, value in between(gauge, salt.since_ms, salt.at_ms))
        if at and times[at] - times[at - 1] <= 3 * INTERVAL_MS:
            assert gauge[at - 1][1] < limit, "not since later than it is"
        if fresh is not None:
            day = between(gauge, fresh.at_ms - SPELL_MS, fresh.at_ms)
            assert max(value for _, value in day) <= 0.8 * limit
            assert all(b - a <= HOLE_MS for (a, _), (b, _) in pairwise(day))


@pytest.mark.parametrize("level", LEVELS)
def test_no_salt_is_left_out(gauge: Series, told: list[Notice], level: int) -> None:
    limit = level / 1000
    held = [
        (salt.at_ms, gauge[-1][0] if fresh is None else fresh.at_ms)
        for salt, fresh in spells(told, level)
    ]
    # A spell that is over without anybody having been able to say that water may be taken is
    # over all the same: the next one is told. So only what lies within a day of a spell counts.
    for (a_ms, a), (b_ms, b) in pairwise(gauge):
        if a >= limit and b >= limit and b_ms - a_ms <= 2 * INTERVAL_MS:
            assert any(from_ms <= b_ms <= to_ms for from_ms, to_ms in held), b_ms


def test_permissions_rest_on_fresh_water(gauge: Series, told: list[Notice]) -> None:
    values = dict(gauge)
    permissions = [n for n in told if n.kind in (Kind.OPEN, Kind.FRESH)]
    assert len(permissions) > 20
    for notice in permissions:
        assert values[notice.body["figure_ms"]] <= 0.8 * notice.level_mg_l / 1000
        assert notice.at_ms - notice.body["figure_ms"] <= 30 * MINUTE


def test_the_gauges_holes_are_told_as_silence_and_as_nothing_else(
    gauge: Series, told: list[Notice]
) -> None:
    holes = [(a, b) for (a, _), (b, _) in pairwise(gauge) if b - a > 61 * MINUTE]
    silent = [n.since_ms for n in told if n.kind is Kind.SILENT]
    assert silent == [a for a, _ in holes]
