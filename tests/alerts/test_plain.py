"""The comparison in bulk gives all that may change, by either way, whatever the state."""

import numpy as np
import pytest

from alerts.pairs import level_pairs
from alerts.plain import Plain
from alerts.rules import Ask, Rule, RuleSet, Severity
from ingest.reading import Batch, Flag
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable

N = 23
STATIONS = '[[reach]]\nid = "r"\nname = "R"\n' + "".join(
    f'[[station]]\nid = "s{n}"\nname = "S"\nkind = "salinity"\nreach = "r"\n'
    f'km_from_mouth = {{ r = 40 }}\nlat = 10.3\nlon = 106.4\nside = "river"\nsource = "test"\n'
    f'[[station.device]]\nid = "d{n}"\nexpected_s = 900\nmeasures = ["sal_g_l"]\n'
    for n in range(N)
)
REGISTRY: Registry = parse_registry(STATIONS, "stations.toml")
SERIES = SeriesTable.of(REGISTRY)
WATCHED = [SERIES.by_key[f"d{n}/salinity_g_l"] for n in range(N)]


def rules(chance: np.random.Generator) -> RuleSet:
    """Rules of levels that values meet exactly, each on some of the stations."""
    found = []
    for number in range(13):
        below = bool(chance.random() < 0.5)
        level = float(chance.choice([0.3, 1.0, 2.0001]))
        stations = tuple(f"s{n}" for n in np.flatnonzero(chance.random(N) < 0.6))
        found.append(
            Rule(
                f"r{number}",
                "salinity_g_l",
                Severity.INFO,
                Ask.BELOW if below else Ask.ABOVE,
                raise_level=level,
                clear_level=level + (0.1 if below else -0.1),
                stations=stations or ("s0",),
            )
        )
    return RuleSet(tuple(found))


@pytest.mark.parametrize("seed", range(20))
def test_all_that_may_change_comes_out(seed: int) -> None:
    chance = np.random.default_rng(seed)
    pairs = level_pairs(rules(chance), SERIES, REGISTRY)
    plain = Plain(pairs)
    assert sorted(plain.pair.tolist()) == list(range(len(pairs)))
    active, running = chance.random(len(pairs)) < 0.5, chance.random(len(pairs)) < 0.1
    plain.narrow(np.arange(len(pairs)), active, running)
    for size in (1, 2, N):
        series = chance.permutation(WATCHED)[:size]
        value = chance.choice([0.2, 0.3, 0.4, 0.9, 1.0, 1.1, 1.9001, 2.0001, 2.0002], size)
        row, pair = plain.beyond(Batch.of(series, [1] * size, value, Flag.PASS))
        if size == N:
            every = np.zeros(len(SERIES))
            every[series] = value
            all_rows, all_pairs = plain.beyond_whole(every)
            place = {int(one): n for n, one in enumerate(series)}
            assert sorted(all_pairs.tolist()) == sorted(pair.tolist())
            assert {place[n] for n in all_rows.tolist()} == set(row.tolist())
        found = set(zip(row.tolist(), pair.tolist(), strict=True))
        wanted, possible = set(), set()
        for at in range(len(pairs)):
            where = np.flatnonzero(series == pairs.series[at])
            if not len(where):
                continue
            first = int(where[0])
            possible.add((first, at))
            y = value[first] * pairs.sign[at]
            changes = y < pairs.clear_level[at] if active[at] else y > pairs.raise_level[at]
            if changes or running[at]:
                wanted.add((first, at))
        assert wanted <= found <= possible
        # Beyond that, at most those that stand on the level itself.
        assert len(found - wanted) <= sum(
            bool(np.isclose(value[p], pairs.raise_level[at] * pairs.sign[at]))
            or bool(np.isclose(value[p], pairs.clear_level[at] * pairs.sign[at]))
            for p, at in found
        )
