import pytest

from api.live.origin import Origins
from api.live.where import ALERT_FIELDS, Where, WhereError, parse_where

FACETS = {"kind": ("salinity",), "station": ("xuan-hoa",), "branch": ("cua-tieu", "cua-dai")}


@pytest.mark.parametrize(
    ("raw", "matches"),
    [
        (None, True),
        ({}, True),
        ({"kind": ["traffic", "salinity"]}, True),
        ({"kind": ["salinity"], "station": ["vam-kenh"]}, False),
        ({"branch": ["cua-dai"], "station": ["vam-kenh", "xuan-hoa"]}, True),
        ({"branch": ["ham-luong"]}, False),
        ({"device": ["xh-01"]}, False),
        ({"kind": []}, False),
    ],
)
def test_a_filter_is_an_and_of_ors(raw: object, matches: bool) -> None:
    assert parse_where(raw).matches(FACETS) is matches


@pytest.mark.parametrize(
    "raw",
    [[], "kind", {"v": ["1"]}, {"st": ["live"]}, {"kind": "salinity"}, {"kind": [1]}, {"rule": []}],
)
def test_what_may_not_be_filtered_on_is_refused(raw: object) -> None:
    with pytest.raises(WhereError):
        parse_where(raw)


def test_alerts_are_filtered_by_rule_and_severity_too() -> None:
    where = parse_where({"severity": ["major", "critical"]}, ALERT_FIELDS)
    assert where.matches({"severity": ("critical",)})
    assert not where.matches({"severity": ("info",)})


def test_equal_filters_are_one() -> None:
    one = parse_where({"kind": ["a", "b"], "device": ["c"]})
    other = parse_where({"device": ["c"], "kind": ["b", "a", "a"]})
    assert one == other
    assert hash(one) == hash(other)
    assert one != Where()


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "127.0.0.1:8081", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8081", True),
        ("http://localhost:8080", "localhost:8081", True),
        ("http://192.168.1.5:8080", "192.168.1.5:8081", True),
        ("http://[::1]:8080", "[::1]:8081", True),
        ("https://man-hinh.vn", "song.vn", True),
        ("https://man-hinh.vn:443", "song.vn", True),
        ("http://man-hinh.vn", "song.vn", False),
        ("http://127.0.0.1:9999", "127.0.0.1:8081", False),
        ("http://192.168.1.6:8080", "192.168.1.5:8081", False),
        ("https://127.0.0.1:8080", "127.0.0.1:8081", False),
        ("http://evil.example:8080", "evil.example:8081", False),
        ("null", "127.0.0.1:8081", False),
        ("http://127.0.0.1:8080, http://evil.example", "127.0.0.1:8081", False),
        ("http://127.0.0.1:port", "127.0.0.1:8081", False),
        ("http://127.0.0.1:8080", None, False),
    ],
)
def test_origins(origin: str | None, host: str | None, allowed: bool) -> None:
    origins = Origins.of(["https://man-hinh.vn"], own_port=8080)
    assert origins.allow(origin, host) is allowed


def test_a_configured_origin_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="man-hinh"):
        Origins.of(["man-hinh.vn"])
