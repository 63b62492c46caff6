"""`songtien alerts`: why one was raised, why one was not, read beside the service."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.history import StoreReader
from ingest.journal import Action, Config, Messages
from songtien.cli import app
from songtien.cli_alerts import _entry, parse_at
from songtien.explaining import InForce, Kept, explain
from songtien.settings import load_settings
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, probe
from tests.songtien.kept import Running

KEY = "mt-01/salinity_g_l"
MINUTE = 60_000


def _hear(running: Running, minute: int, value: float) -> None:
    t_ms = BEGIN_MS + minute * MINUTE
    topic, body = probe("mt-01", t_ms, seq=minute // 10, sal_g_l=value)
    running.clock.ms = t_ms
    running.append(Messages([topic], [body]))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data directory whose service still holds it: salt from minute 20 to 40, acknowledged."""
    directory = tmp_path_factory.mktemp("alerts") / "data"
    running = Running(directory)
    running.append(Config(REGISTRY, RULES, 30.0))
    for minute, value in ((0, 3.0), (10, 3.8), (20, 4.6), (30, 4.7)):
        _hear(running, minute, value)
    running.take()
    with StoreReader(running.files.store).connection() as connection:
        ((alert,),) = connection.execute("SELECT id FROM alert").fetchall()
    running.append(Action("r", "ack", alert, 1, "Lan", "đã báo trạm bơm"))
    for minute, value in ((40, 3.0), (50, 3.1), (60, 3.0)):
        _hear(running, minute, value)
    running.take()
    running.pipeline._checkpoint()
    yield directory
    running.close()


@pytest.fixture
def kept(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setenv("SONGTIEN_DATA__DIR", str(directory))
    found = Kept(load_settings(None, {"SONGTIEN_DATA__DIR": str(directory)}))
    yield found
    found.close()


def _songtien(*words: str) -> Result:
    return CliRunner().invoke(app, ["alerts", *words])


def _id(kept: Kept) -> str:
    with kept.reader.connection() as connection:
        ((alert,),) = connection.execute(
            'SELECT id FROM alert WHERE CAST(body AS TEXT) LIKE \'%"rule":"salinity-4"%\''
        ).fetchall()
    assert isinstance(alert, str)
    return alert


def test_an_alert_is_explained_in_words(kept: Kept) -> None:
    done = _songtien("explain", _id(kept))
    assert done.exit_code == 0, done.stderr
    for words in (
        "rule salinity-4, version",
        "raise_level 4.0 g/L",
        "clear_for 15 min",
        "flag 1 (pass)",
        "beyond 4, held 0 s: raised",
        "acked, acked, version 2 by Lan: đã báo trạm bơm",
        "cleared",
    ):
        assert words in done.stdout


def test_the_whole_as_json_with_the_samples_that_proved_it(kept: Kept) -> None:
    done = _songtien("explain", _id(kept), "--json")
    found = json.loads(done.stdout)
    assert found["proof"]["steps"][-1]["saw"] == "raised"
    assert [step["value"] for step in found["proof"]["steps"]] == [3.0, 3.8, 4.6]
    assert found["rule_in_force"] == found["rule_version"]


@pytest.mark.parametrize(
    ("minute", "words"),
    [
        (1, "3 g/L is not beyond 4 g/L"),
        (11, "3.8 g/L lies between the levels 3.6 and 4 g/L"),
        (62, "this very sample cleared it"),
        (190, "the newest sample is"),
    ],
)
def test_why_none_was_raised(kept: Kept, minute: int, words: str) -> None:
    assert kept is not None
    at = str(BEGIN_MS + minute * MINUTE)
    done = _songtien("why", "--rule", "salinity-4", "--series", KEY, "--at", at)
    assert done.exit_code == 0, done.stderr
    assert "did not hold" in done.stdout
    assert words in done.stdout
    assert "NOT MET" in done.stdout


def test_why_of_one_that_was(kept: Kept) -> None:
    at = str(BEGIN_MS + 35 * MINUTE)
    done = _songtien("why", "--rule", "salinity-4", "--series", KEY, "--at", at)
    assert "salinity-4 held for" in done.stdout
    assert f"alert {_id(kept)}" in done.stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("explain", "no-such"), "ID = 'no-such'"),
        (("why", "--rule", "no", "--series", KEY), "--rule = 'no': accepted are salinity-4"),
        (("why", "--rule", "salinity-4", "--series", "mt-01/x"), "such as mt-01/"),
        (("why", "--rule", "salinity-4", "--series", KEY, "--at", "soon"), "--at = 'soon'"),
    ],
)
def test_what_there_is_not_is_one_line(kept: Kept, words: tuple[str, ...], named: str) -> None:
    assert kept is not None
    done = _songtien(*words)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr


def test_a_directory_without_a_service_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONGTIEN_DATA__DIR", str(tmp_path / "none"))
    done = _songtien("explain", "x")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "none").exists()


def test_the_doors_get_the_same_answer(kept: Kept) -> None:
    now = InForce(kept.rules, kept.registry, kept.series)
    at_ms = BEGIN_MS + 11 * MINUTE
    found = explain(kept.reader, kept._points, now, "salinity-4", KEY, at_ms)
    assert found == kept.why("salinity-4", KEY, at_ms)
    assert explain(kept.reader, kept._points, now, "no", KEY, at_ms) is None


def test_times_as_typed() -> None:
    assert parse_at("2026-03-01T07:00") == parse_at("2026-03-01T00:00+00:00")
    assert parse_at("1767000000000") == 1_767_000_000_000


def test_an_entry_of_the_timeline_names_what_held_the_alert_back() -> None:
    beside = {"why": "uplink", "by": "9c6893bba49f51af"}
    entry = {"type": "suppressed", "told": True, "state": "unacked", "ver": 2}
    said = _entry(entry | {"evidence": {"cause": "beside", "is": beside}})
    assert said == "suppressed (uplink 9c6893bba49f51af), unacked, version 2"
    assert _entry(entry | {"type": "raised"}) == "raised, unacked, version 2"
