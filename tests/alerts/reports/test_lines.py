"""Lines of salt by landmark, and the newest and furthest of a series of them."""

from pathlib import Path

import pytest

from alerts.reports.lines import FRESH_MS, furthest_line, landmark, last_line
from ingest.reading import Batch, Flag, Why
from ingest.registry import parse_registry

REGISTRY = parse_registry(
    (Path(__file__).parents[3] / "songtien/defaults/stations.toml").read_text("utf-8"),
    "stations.toml",
)
T = 1_767_000_000_000


@pytest.mark.parametrize(
    ("km", "bound", "between", "vi", "en"),
    [
        (
            *(43.1, None, ("xuan-hoa", "my-tho")),
            *("giữa Cống Xuân Hòa và Mỹ Tho", "between Cống Xuân Hòa and Mỹ Tho"),
        ),
        (46.0, None, ("my-tho",), "tại Mỹ Tho", "at Mỹ Tho"),
        (1.0, None, ("vam-kenh",), "dưới Vàm Kênh", "below Vàm Kênh"),
        (2.0, "below", ("vam-kenh",), "chưa tới Vàm Kênh", "not up to Vàm Kênh"),
        (46.0, "beyond", ("my-tho",), "quá Mỹ Tho", "beyond Mỹ Tho"),
    ],
)
def test_a_place_in_words(
    km: float, bound: str | None, between: tuple[str, ...], vi: str, en: str
) -> None:
    found = landmark(REGISTRY, "cua-tieu", km, bound)
    assert (found.between, found.text_vi, found.text_en) == (between, vi, en)


def test_behind_the_last_station_it_is_beyond_it() -> None:
    found = landmark(REGISTRY, "cua-tieu", 999.0, None)
    assert len(found.between) == 1
    assert found.text_vi.startswith("quá ")


def series(*rows: tuple[int, float, int, int]) -> Batch:
    t_ms, value, flag, why = zip(*rows, strict=True)
    return Batch.of([0] * len(rows), t_ms, value, flag, why)


BEYOND, BELOW = (int(Flag.SUSPECT), int(Why.BOUND)), (int(Flag.PASS), int(Why.BOUND))
KM = series((T, 42.5, 1, 0), (T + 900_000, 46.0, *BEYOND), (T + 1_800_000, 2.0, *BELOW))
SD = series((T, 1.1, 1, 0))


def test_the_newest_line_up_to_a_time() -> None:
    found = last_line(REGISTRY, "cua-tieu", KM, SD, T + 899_999)
    assert found is not None
    assert (found["t"], found["km"], found["sd_km"], found["bound"]) == (T, 42.5, 1.1, None)
    beyond = last_line(REGISTRY, "cua-tieu", KM, SD, T + 900_000)
    assert beyond is not None
    assert (beyond["bound"], beyond["sd_km"], beyond["landmark_vi"]) == (
        "beyond",
        None,
        "quá Mỹ Tho",
    )
    below = last_line(REGISTRY, "cua-tieu", KM, SD, T + 1_800_000)
    assert below is not None
    assert below["bound"] == "below"


def test_an_old_line_says_nothing_of_this_moment() -> None:
    assert last_line(REGISTRY, "cua-tieu", KM, SD, T - 1) is None
    assert last_line(REGISTRY, "cua-tieu", KM, SD, T + 1_800_000 + FRESH_MS) is None
    assert last_line(REGISTRY, "cua-tieu", KM, SD, T + 1_800_000 + FRESH_MS - 1) is not None


def test_the_furthest_of_a_shift() -> None:
    found = furthest_line(REGISTRY, "cua-tieu", KM, SD)
    assert found is not None
    assert (found["km"], found["bound"]) == (46.0, "beyond")
    assert furthest_line(REGISTRY, "cua-tieu", KM.take(KM.t_ms < 0), SD) is None
    # "Not up to km 50" is less than "at km 42": it is the distance of the lowest station.
    mixed = series((T, 42.5, 1, 0), (T + 1, 50.0, *BELOW))
    told = furthest_line(REGISTRY, "cua-tieu", mixed, SD)
    assert told is not None
    assert told["km"] == 42.5
