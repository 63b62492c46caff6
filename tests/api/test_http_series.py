"""History: ranges, steps, formats; aggregates against a slow twin."""

import builtins
import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.http import series as series_module
from api.http.formats import ROWS_AT_A_TIME
from api.http.problem import Problem
from api.http.times import DAY_MS, duration_ms, time_ms
from ingest.reading import EPOCH_2000_MS
from tests.api.http_service import KEY, NOW_MS, World, get

HOUR_MS = 3_600_000
URL = f"/api/v1/series/{KEY}"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def _points(world: World, query: str = "") -> list[list[Any]]:
    answer = get(world, f"{URL}?{query}")
    assert answer.status_code == 200, answer.text
    points: list[list[Any]] = answer.json()["points"]
    return points


def test_raw_points_from_inclusive_to_exclusive(world: World) -> None:
    t = NOW_MS - HOUR_MS
    world.put(KEY, [(t, 3.21, 1), (t + 1000, 3.0, 3), (t + 2000, 9.9, 4)])
    answer = get(world, f"{URL}?from={t}&to={t + 2000}")
    assert answer.json() == {
        "key": KEY,
        "unit": "g/L",
        "from": t,
        "to": t + 2000,
        "step": "raw",
        "columns": ["t", "value", "quality"],
        "points": [[t, 3.21, 1], [t + 1000, 3.0, 3]],
        "source": "local",
        "complete": True,
    }
    assert _points(world, f"from={t + 2000}&to={t + 2001}") == [[t + 2000, 9.9, 4]]


def test_the_last_day_and_what_a_fast_clock_has_sent(world: World) -> None:
    ahead = NOW_MS + 59_999
    world.put(KEY, [(NOW_MS - DAY_MS - 1, 1.0, 1), (NOW_MS - DAY_MS, 2.0, 1), (ahead, 3.0, 1)])
    assert [point[1] for point in _points(world)] == [2.0, 3.0]
    assert [point[1] for point in _points(world, f"to={NOW_MS - 1}")] == [1.0, 2.0]


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-29T16:20:00%2B07:00",
        "2025-12-29T16:20:00+07:00",  # a plus sign that nobody escaped
        "2025-12-29T09:20:00Z",
        "2025-12-29T09:20:00.000Z",
        "1767000000000",
    ],
)
def test_one_moment_in_every_spelling(world: World, text: str) -> None:
    assert get(world, f"{URL}?from={text}").json()["from"] == 1_767_000_000_000


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2025-12-29",
        "from=2025-12-29T09:20:00",
        "from=2025-13-29T09:20:00Z",
        "from=1767000000",
        "to=99999999999999999999",
        "from=-1",
        "from=NaN",
        f"from={NOW_MS}&to={NOW_MS}",
        "step=1",
        "step=0h",
        "step=1y",
        "step=1h&agg=median",
        "agg=mean",
        "format=xml",
        "from=٢٠٢٥-12-29T09:20:00Z",
    ],
)
def test_what_is_not_accepted_is_told(world: World, query: str) -> None:
    answer = get(world, f"{URL}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["name"] in {"from", "to", "step", "agg", "format"}


@given(
    st.datetimes(datetime(2000, 1, 3), datetime(2099, 12, 30)),  # noqa: DTZ001 - zone below
    st.integers(-14 * 60, 14 * 60),
)
def test_rfc_3339_to_the_millisecond(moment: datetime, offset_min: int) -> None:
    zone = timedelta(minutes=offset_min)
    sign, minutes = ("-" if offset_min < 0 else "+"), abs(offset_min)
    text = f"{moment.isoformat(timespec='microseconds')}{sign}{minutes // 60:02}:{minutes % 60:02}"
    exact = moment.replace(tzinfo=UTC) - zone - datetime(1970, 1, 1, tzinfo=UTC)
    assert time_ms("from", text) == exact // timedelta(milliseconds=1)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parsers(text: str) -> None:
    for parse, least in ((time_ms, EPOCH_2000_MS), (duration_ms, 1000)):
        problem, found = None, 0
        try:
            found = parse("name", text)
        except Problem as raised:
            problem = raised
        assert problem.kind == "invalid" if problem else found >= least


def test_an_unknown_key_gets_a_hint(world: World) -> None:
    answer = get(world, "/api/v1/series/vk-01/salinity")
    assert answer.status_code == 404
    assert KEY in answer.json()["did_you_mean"]
    assert KEY in answer.json()["detail"]
    assert get(world, "/api/v1/series/" + "x" * 4000).json()["did_you_mean"] == []
    assert get(world, "/api/v1/series/").status_code == 404


def test_too_many_points_are_refused_before_they_are_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_module, "POINTS_MAX", 3)
    world.put(KEY, [(NOW_MS - n * 1000, 1.0, 1) for n in range(1, 5)])
    answer = get(world, URL)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/docs/http#problem-too-many-points"
    assert "step=15m" in answer.json()["detail"]
    assert len(_points(world, f"from={NOW_MS - 3000}")) == 3
    steps = get(world, f"{URL}?from={EPOCH_2000_MS}&step=1m")
    assert steps.json()["type"] == "/docs/http#problem-too-many-points"


def test_long_histories_come_whole_however_they_are_read(world: World) -> None:
    n = 2 * ROWS_AT_A_TIME + 1
    rows = [(NOW_MS - n + i, i / 10_000, 1 + i % 4) for i in range(n)]
    world.put(KEY, rows)
    assert _points(world) == [list(row) for row in rows]
    lines = get(world, f"{URL}?format=csv").text.splitlines()[1:]
    assert [float(line.split(",")[1]) for line in lines] == [value for _, value, _ in rows]
    assert len({line.split(",")[0] for line in lines}) == n
    exactly = [list(row) for row in rows[-ROWS_AT_A_TIME:]]
    assert _points(world, f"from={NOW_MS - ROWS_AT_A_TIME}") == exactly


def _naive(
    rows: list[tuple[int, float, int]], from_ms: int, to_ms: int, step_ms: int
) -> list[list[Any]]:
    """[start, mean, min, max, count, last, n, n_good], one value at a time."""
    offset = 7 * HOUR_MS
    found: dict[int, list[tuple[int, float, int]]] = {}
    for row in sorted(rows):
        if from_ms <= row[0] < to_ms and row[2] in {1, 2, 3}:
            local = row[0] + offset
            found.setdefault(local - local % step_ms - offset, []).append(row)
    answers = []
    for start, used in sorted(found.items()):
        values = [value for _, value, _ in used]
        n, good = len(used), sum(flag == 1 for _, _, flag in used)
        mean = pytest.approx(sum(values) / n, abs=1e-4)
        answers.append([start, mean, min(values), max(values), n, values[-1], n, good])
    return answers


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.integers(NOW_MS - 3 * DAY_MS, NOW_MS),
        st.tuples(st.integers(-50_000, 400_000), st.sampled_from([1, 2, 3, 4, 9])),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(["90s", "15m", "1h", "5h", "1d", "2d"]),
    st.integers(NOW_MS - 3 * DAY_MS, NOW_MS),
)
def test_aggregates_equal_the_slow_twin(
    world: World, found: dict[int, tuple[int, int]], step: str, from_ms: int
) -> None:
    with world.store.transaction() as connection:
        connection.execute("DELETE FROM reading")
    rows = [(t_ms, value / 10_000, flag) for t_ms, (value, flag) in found.items()]
    world.put(KEY, rows)
    query = f"from={from_ms}&to={NOW_MS + 1}&step={step}&agg=mean,min,max,count,last"
    expected = _naive(rows, from_ms, NOW_MS + 1, duration_ms("step", step))
    assert _points(world, query) == expected


def test_a_day_is_vietnams_day(world: World) -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    midnight = round(datetime(2025, 12, 28, tzinfo=zone).timestamp() * 1000)
    world.put(KEY, [(midnight - 1, 1.0, 1), (midnight, 2.0, 1), (midnight + DAY_MS - 1, 4.0, 3)])
    query = f"from={midnight - DAY_MS}&to={midnight + DAY_MS}&step=1d"
    answer = get(world, f"{URL}?{query}").json()
    assert answer["columns"] == ["t", "mean", "n", "n_good"]
    assert answer["points"] == [[midnight - DAY_MS, 1.0, 1, 1], [midnight, 3.0, 2, 1]]


def test_csv(world: World) -> None:
    t = NOW_MS - HOUR_MS
    world.put(KEY, [(t, 3.21, 1), (t + 1, 0.0001, 3)])
    answer = get(world, f"{URL}?from={t}", {"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == (
        "time,value,quality\n2025-12-29T08:20:00.000Z,3.21,1\n2025-12-29T08:20:00.001Z,0.0001,3\n"
    )
    assert 'filename="vk-01_salinity_g_l.csv"' in answer.headers["content-disposition"]
    stepped = get(world, f"{URL}?from={t}&step=1h&agg=max,last&format=csv")
    rows = list(csv.DictReader(io.StringIO(stepped.text)))
    assert rows == [
        {
            "time": "2025-12-29T08:00:00.000Z",
            "max": "3.21",
            "last": "0.0001",
            "n": "2",
            "n_good": "1",
        }
    ]
    empty = get(world, f"{URL}?to={EPOCH_2000_MS + DAY_MS + 1}&format=csv")
    assert empty.text == "time,value,quality\n"


def test_parquet(world: World) -> None:
    t = NOW_MS - HOUR_MS
    world.put(KEY, [(t, 3.21, 1), (t + 1, 3.0, 4)])
    answer = get(world, f"{URL}?from={t}", {"Accept": PARQUET})
    assert answer.headers["content-type"] == PARQUET
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.column_names == ["time", "value", "quality"]
    assert [str(kind) for kind in table.schema.types] == [
        "timestamp[ms, tz=UTC]",
        "double",
        "uint8",
    ]
    assert table["time"][0].as_py() == datetime(2025, 12, 29, 8, 20, tzinfo=UTC)
    assert table["value"].to_pylist() == [3.21, 3.0]
    assert table.schema.metadata[b"unit"] == b"g/L"


def test_without_pyarrow_the_extra_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    answer = get(world, URL, {"Accept": PARQUET})
    assert answer.status_code == 406
    assert "songtien[parquet]" in answer.json()["detail"]
    assert PARQUET not in answer.json()["available"]


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("application/json;q=0.1, text/csv;q=0.9", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("application/json;q=0, */*", "text/csv"),
        (PARQUET + ", */*;q=0.5", PARQUET),
        ("image/png", None),
        ("application/json;q=0", None),
        ("text/csv;q=nonsense", None),
    ],
)
def test_the_format_follows_accept(world: World, accept: str, given: str | None) -> None:
    answer = get(world, URL, {"Accept": accept})
    if given is None:
        assert answer.status_code == 406
        assert "text/csv" in answer.json()["available"]
    else:
        assert answer.headers["content-type"].split(";")[0] == given
        assert "Accept" in answer.headers["vary"]
