"""Why an alert was raised, and why none was: what is kept, read beside the service."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts import records
from alerts.explain import anchor, explained, lookahead_ms, lookback_ms, members, rule_of
from alerts.rules import RuleSet
from alerts.rulesfile import parse_rules
from ingest.faults import ConfigError, Fault
from ingest.history import StoreReader
from ingest.reading import Batch
from ingest.registry import Registry, parse_registry
from ingest.series import Series, SeriesTable
from ingest.snapshot import unpack
from ingest.tables import did_you_mean
from songtien import datadir
from songtien.configuration import read_config
from songtien.settings import Settings

SAMPLES_MAX: Final = 50_000
PAGE: Final = 500

Item = dict[str, Any]
Points = Callable[[Series, int, int, int], Batch]
"""(series, from_ms, to_ms, limit): readings in [from, to), oldest first."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What the service goes by."""

    rules: RuleSet
    registry: Registry
    series: SeriesTable


def explain(
    reader: StoreReader, points: Points, now: InForce, rule_id: str, key: str, at_ms: int
) -> Item | None:
    """Why a rule in force held for a series at a time, or which condition was not met.

    As `alerts.explain.explained` gives it; None where there is no such rule or series.
    """
    rule, number = now.rules.get(rule_id), now.series.by_key.get(key)
    if rule is None or number is None:
        return None
    one = now.series.entries[number]
    group = members(rule, one, now.series, now.registry)
    expected_ms = int(now.series.expected_ms[group].max())
    from_ms = at_ms - lookback_ms(rule, expected_ms)
    to_ms = at_ms + lookahead_ms(rule, expected_ms) + 1
    samples = {
        each: points(now.series.entries[each], from_ms, to_ms, SAMPLES_MAX) for each in group
    }
    told_as = anchor(rule, one, now.series, now.registry).key
    with reader.connection() as connection:
        held = _held(connection, rule_id, told_as, from_ms, at_ms + 1)
    return explained(rule, one, now.series, now.registry, at_ms, samples, held)


def _held(
    connection: sqlite3.Connection, rule: str, key: str, from_ms: int, to_ms: int
) -> list[Item]:
    """The alerts of a rule and a series that held at any time in [from, to)."""
    found: list[Item] = []
    only = {"rule": rule, "k": key}
    after: records.Key | None = None
    while True:
        page = records.page(connection, "all", from_ms, to_ms, after, PAGE, only)
        found.extend(page.items)
        after = page.after
        if after is None:
            return found


class Kept:
    """A data directory, read while the service runs or not. Nothing in it is changed."""

    def __init__(self, settings: Settings) -> None:
        path = datadir.Files.of(settings.data.dir).store
        if not path.exists():
            accepted = "accepted is a directory in which the service has run"
            raise ConfigError([Fault("data", "dir", str(settings.data.dir), accepted)])
        self.reader = StoreReader(path)
        with self.reader.connection() as connection:
            row = connection.execute("SELECT body FROM checkpoint").fetchone()
            keys = [key for (key,) in connection.execute("SELECT key FROM series ORDER BY id")]
        # What is in force stands in the service's own state: its files may have changed since.
        config = read_config(settings) if row is None else None
        registry, rules = (
            (config.registry, config.rules) if config else unpack(row[0])["config"][:2]
        )
        self.registry = parse_registry(registry, "stations.toml")
        self.rules = parse_rules(rules, "rules.toml", self.registry)
        self.series = SeriesTable.of(self.registry, keys)

    def why(self, rule: str, key: str, at_ms: int) -> Item:
        """As `explain`; raises ConfigError for a rule or series that there is not."""
        if self.rules.get(rule) is None:
            ids = [each.id for each in self.rules.rules]
            raise ConfigError([Fault("options", "--rule", rule, did_you_mean(rule, ids))])
        if key not in self.series.by_key:
            stream = key.rpartition("/")[0]
            alike = [each for each in self.series.by_key if stream and each.startswith(stream)]
            accepted = f"accepted are keys such as {_some(alike or list(self.series.by_key))}"
            raise ConfigError([Fault("options", "--series", key, accepted)])
        now = InForce(self.rules, self.registry, self.series)
        found = explain(self.reader, self._points, now, rule, key, at_ms)
        assert found is not None
        return found

    def alert(self, alert: str) -> Item:
        """An alert's record with its timeline, and under `proof` the samples that proved it.

        They are taken by the rule as it was then. Notices of the service have none. Raises
        ConfigError where there never was such an alert.
        """
        with self.reader.connection() as connection:
            found = records.one(connection, alert)
        if found is None:
            known = "no alert has this id; the ids stand in GET /api/v1/alerts"
            raise ConfigError([Fault("options", "ID", alert, known)])
        described = found["evidence"].get("rule")
        number = self.series.by_key.get(found.get("k", ""))
        if not isinstance(described, dict) or "ask" not in described or number is None:
            return found
        one, rule = self.series.entries[number], rule_of(described)
        event_ms = found["t_event"]
        group = members(rule, one, self.series, self.registry)
        expected_ms = int(self.series.expected_ms[group].max())
        from_ms = min(event_ms - lookback_ms(rule, expected_ms), found["t_since"])
        to_ms = event_ms + lookahead_ms(rule, expected_ms) + 1
        samples = {
            each: self._points(self.series.entries[each], from_ms, to_ms, SAMPLES_MAX)
            for each in group
        }
        proof = explained(rule, one, self.series, self.registry, event_ms, samples, [found])
        current = self.rules.get(rule.id)
        in_force = None if current is None else current.version
        return {**found, "proof": proof, "rule_in_force": in_force}

    def _points(self, one: Series, from_ms: int, to_ms: int, limit: int) -> Batch:
        return self.reader.points(one.id, from_ms, to_ms, limit)

    def close(self) -> None:
        self.reader.close()


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
