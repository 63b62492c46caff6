"""Recorded series through a real broker at full speed: what was sent is what is stored."""

import heapq
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alerts.alert import AlertEvent
from ingest.journal import Config
from ingest.reading import DERIVED_KINDS, QUANTITIES
from simulators import replay
from simulators.mapping import parse_mapping
from simulators.recorded import read_csv
from songtien.offline import Arrival, alert_events
from songtien.settings import DEFAULTS
from tests.e2e import oracle
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, figures, now_ms, songtien

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(300)]

EXAMPLES = Path(__file__).parents[2] / "examples"
FEEDS = {
    "usgs-mississippi-sound": "salinity/usgs_mssound_2019_sample.csv.gz",
    "cat-point": "salinity/swmpr_apacpwq_2012_2013.csv.gz",
    "telraam": "traffic/telraam_camera_2022h1.csv.gz",
}
ORACLES: dict[str, Callable[[Path], tuple[oracle.Expected, int]]] = {
    "usgs-mississippi-sound": oracle.usgs,
    "cat-point": oracle.cat_point,
    "telraam": oracle.telraam,
}

TOGETHER = 12
"""Messages that arrive at one moment where there is no broker; any number gives the same."""

MORE_RULES = """
[[rule]]
id = "swing"
quantity = "salinity_g_l"
severity = "info"
raise_above = 15.0
clear_below = 14.0
for_s = 0
clear_for_s = 0
message_vi = "{station}: {value}"
message_en = "{station}: {value}"
source = "a test"

[[rule]]
id = "swing-held"
quantity = "salinity_g_l"
severity = "warning"
raise_above = 10.0
clear_below = 9.0
for_s = 1800
clear_for_s = 3600
message_vi = "{station}: {value}"
message_en = "{station}: {value}"
source = "a test"

[[rule]]
id = "fresh"
quantity = "salinity_g_l"
severity = "info"
raise_below = 5.0
clear_above = 6.0
permit = true
for_s = 3600
clear_for_s = 0
message_vi = "{station}: {value}"
message_en = "{station}: {value}"
source = "a test"

[[rule]]
id = "quick"
quantity = "salinity_g_l"
severity = "warning"
rise_above_per_h = 4.0
clear_below_per_h = 1.0
for_s = 0
clear_for_s = 0
message_vi = "{station}: {value}"
message_en = "{station}: {value}"
source = "a test"

[[rule]]
id = "busy"
quantity = "flow_veh_h"
severity = "info"
raise_above = 100.0
clear_below = 80.0
for_s = 0
clear_for_s = 3600
message_vi = "{station}: {value}"
message_en = "{station}: {value}"
source = "a test"
"""
"""Of every kind that goes by values, and touched often."""


@dataclass(frozen=True)
class Fed:
    """A service that has heard all files, and what the same files gave without a broker."""

    service: Service
    expected: oracle.Expected
    samples: int
    offline: list[AlertEvent]


@pytest.fixture(scope="module")
def fed(
    serving: Serving, recorded: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Fed:
    files = {name: recorded(path) for name, path in FEEDS.items()}
    expected: oracle.Expected = {}
    samples = 0
    for name, read in ORACLES.items():
        series, count = read(files[name])
        expected |= series
        samples += count
    rules = tmp_path_factory.mktemp("rules") / "rules.toml"
    rules.write_text((DEFAULTS / "rules.toml").read_text("utf-8") + MORE_RULES, "utf-8")
    service = serving(RULES__FILE=str(rules))
    eventually(lambda: service.ready, "ready")
    with ThreadPoolExecutor(1) as beside:
        # It only waits for the service otherwise, which is another process.
        offline = beside.submit(_offline, files, rules)
        _replay_all(service, files, samples)
        return Fed(service, expected, samples, offline.result())


def _replay_all(service: Service, files: dict[str, Path], samples: int) -> None:
    begun = time.monotonic()
    with ThreadPoolExecutor(len(files)) as at_once:
        all_done = at_once.map(lambda name: _replay(service, name, files[name]), files)
        figures("; ".join(all_done))
    eventually(lambda: service.counted("samples_received_total") >= samples, "all received", 200)
    eventually(lambda: not service.counted("samples_in_flight"), "all settled")
    figures(f"{samples:,} samples durable after {time.monotonic() - begun:.1f} s")


def _replay(service: Service, name: str, file: Path) -> str:
    """`songtien replay` at full speed; what it says it has done."""
    words = ["--mapping", str(EXAMPLES / f"{name}.toml"), "--broker", service.settings["MQTT__URL"]]
    done = songtien("replay", str(file), *words, "--speed", "max", "--into-live")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


def _offline(files: dict[str, Path], rules: Path) -> list[AlertEvent]:
    config = Config((DEFAULTS / "stations.toml").read_text("utf-8"), rules.read_text("utf-8"), 30.0)
    return list(alert_events(_messages(files), config, root="tiengiang"))


def _messages(files: dict[str, Path]) -> Iterator[Arrival]:
    """The messages of all files at once, each file's in its order, cut in moments of our own."""
    made = [_numbered(name, file) for name, file in files.items()]
    begun_ms = now_ms()
    for number, (_, topic, payload) in enumerate(heapq.merge(*made)):
        yield begun_ms + number // TOGETHER, topic, payload


def _numbered(name: str, file: Path) -> list[tuple[float, str, bytes]]:
    """(how far in the file, topic, payload)"""
    mapping = parse_mapping((EXAMPLES / f"{name}.toml").read_text(encoding="utf-8"), name)
    made = list(
        replay.messages(
            read_csv(file, mapping), root="tiengiang", shift_ms=0, batch=500, boot=1, sim=True
        )
    )
    return [
        (number / len(made), message.topic, message.payload) for number, message in enumerate(made)
    ]


def test_what_was_sent_is_stored_by_the_accounting(fed: Fed) -> None:
    assert fed.samples > 128_000
    counted = fed.service.metrics()
    assert counted["songtien_samples_received_total"] == fed.samples
    assert counted["songtien_samples_total/rejected"] == 0
    twice = counted["songtien_samples_total/duplicate"]
    assert counted["songtien_samples_total/stored"] + twice == fed.samples
    rows = sum(len(points) for points in fed.expected.values())
    # Beside what the files say there is the flow in passenger car units of each interval.
    flows = sum(len(p) for key, p in fed.expected.items() if key.endswith("flow_veh_h"))
    with fed.service.store() as connection:
        stored = connection.execute(
            "SELECT key, count(*) FROM reading JOIN series ON series.id = reading.series GROUP BY 1"
        )
        assert sum(count for key, count in stored if not _formed(key)) == rows + flows


def test_the_store_holds_each_value_of_the_files(fed: Fed) -> None:
    with fed.service.store() as connection:
        stored: dict[str, dict[int, float]] = {}
        rows = connection.execute(
            "SELECT key, t, value FROM reading JOIN series ON series.id = reading.series"
        )
        for key, t_ms, value in rows:
            stored.setdefault(key, {})[t_ms] = value
    for key, points in fed.expected.items():
        assert stored[key].keys() == points.keys(), key
        wrong = {
            t: (stored[key][t], v) for t, v in points.items() if abs(stored[key][t] - v) > 1e-9
        }
        # What is derived may round to the other side where it lies on the border.
        border = {t: pair for t, pair in wrong.items() if abs(pair[0] - pair[1]) < 1.01e-4}
        assert wrong == border, key
        assert len(border) <= len(points) * 1e-4, key
    measured = [key for key in stored if not _formed(key)]
    assert all(key in fed.expected or key.endswith("flow_pcu_h") for key in measured)


@pytest.mark.parametrize("key", ["xh-01/salinity_g_l", "cam-01/northbound/count_car"])
def test_history_over_http_is_the_same(fed: Fed, key: str) -> None:
    points = fed.expected[key]
    first, last = min(points), max(points)
    week_ms = 7 * 86_400_000
    found: dict[int, float] = {}
    for start in range(first, last + 1, week_ms):
        query: dict[str, str | int] = {"from": start, "to": min(start + week_ms, last + 1)}
        answer = fed.service.get(f"/api/v1/series/{key}", None, **query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["complete"]
        found |= {t: value for t, value, flag in answer.json()["points"] if flag in {1, 2, 3, 4}}
    assert found == points


def _core(kind: str, alert: dict[str, Any]) -> tuple[Any, ...]:
    names = ("id", "rule", "k", "t_since", "t_event", "value", "limit", "flag", "suspect")
    return (kind, *(str(alert.get(name)) for name in (*names, "t_cleared", "historic")))


def _apart(alert: dict[str, Any]) -> bool:
    """What goes by the clock, and what several devices say together: their files are sent side
    by side, so that days of one may come before an hour of another.
    """
    by_clock = alert["ask"] in {"no_data", "never_seen", "notice"}
    return by_clock or _formed(alert["k"]) or "members" in alert or "other" in alert


def _formed(key: str) -> bool:
    return QUANTITIES[key.rpartition("/")[2]].kind in DERIVED_KINDS


def test_the_same_alerts_as_without_a_broker(fed: Fed) -> None:
    expected = [_core(e.type.value, e.alert) for e in fed.offline if not _apart(e.alert)]
    stored = fed.service.alert_events()
    found = [_core(e["type"], e["alert"]) for e in stored if not _apart(e["alert"])]
    assert sorted(found) == sorted(expected)
    figures(f"{len(found)} transitions of {len({each[1] for each in found})} alerts")
    assert len(found) > 500
    assert {each[2] for each in found} >= {"swing", "swing-held", "fresh", "quick", "busy"}
    assert not any(e["told"] for e in stored if not _apart(e["alert"])), "all are history"
    over_http = fed.service.get("/api/v1/alerts", state="historic", limit=500).json()["items"]
    assert {item["id"] for item in over_http} <= {each[1] for each in expected}
    assert len(over_http) == min(500, len({each[1] for each in expected}))
