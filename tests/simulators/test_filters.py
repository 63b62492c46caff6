"""Topic filters, held to the examples of MQTT 3.1.1, 4.7."""

import pytest

from ingest.faults import ConfigError
from simulators.filters import checked, is_topic, matches


@pytest.mark.parametrize(
    ("pattern", "topic", "heard"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "sport/tennis", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("a/b", "a/B", False),
        ("#", "$SYS/broker", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor", True),
    ],
)
def test_matches_as_the_standard_says(pattern: str, topic: str, heard: bool) -> None:
    assert matches(pattern, topic) is heard


def test_what_is_no_filter_is_named() -> None:
    assert checked(["#", "+", "a/+/b/#", "/"], "--topic") == ["#", "+", "a/+/b/#", "/"]
    with pytest.raises(ConfigError) as caught:
        checked(["", "a/#/b", "a#", "a+/b", "fine", "a\0"], "--topic")
    assert [fault.value for fault in caught.value.faults] == ["", "a/#/b", "a#", "a+/b", "a\0"]


def test_a_topic_has_no_wildcards() -> None:
    assert is_topic("a/b")
    assert is_topic("/")
    assert not any(map(is_topic, ("", "a/+", "#", "a\0", "x" * 65_536)))
