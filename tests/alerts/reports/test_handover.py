"""When a shift begins, and what is open with what nobody has taken first."""

import pytest

from alerts.reports.handover import open_alerts, shift_name, shift_start_ms

DAY_BEGIN = 1_766_941_200_000  # 2025-12-29 00:00 in Vietnam
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("hour", "start"),
    [(0, -6), (5.99, -6), (6, 6), (17.99, 6), (18, 18), (23.9, 18)],
)
def test_a_shift_begins_at_six(hour: float, start: int) -> None:
    assert shift_start_ms(DAY_BEGIN + int(hour * HOUR)) == DAY_BEGIN + start * HOUR


def test_its_name() -> None:
    def name(begin: int, end: int) -> str:
        return shift_name(DAY_BEGIN + begin * HOUR, DAY_BEGIN + end * HOUR)

    assert [name(6, 18), name(6, 7), name(18, 30)] == ["day", "day", "night"]
    assert [name(7, 18), name(6, 19)] == ["asked", "asked"]


def test_what_nobody_has_taken_comes_first() -> None:
    def alert(number: int, state: str, severity: str, **more: object) -> dict[str, object]:
        told = {"id": str(number), "state": state, "severity": severity, "t_since": number}
        return {**told, **more}

    active = [
        alert(1, "acked", "critical"),
        alert(2, "unacked", "warning"),
        alert(3, "unacked", "critical", suppressed={"why": "uplink"}),
        alert(4, "cleared-unacked", "major"),
        alert(5, "unacked", "critical"),
        alert(6, "acked", "critical"),
        alert(7, "unacked", "major"),
    ]
    found = open_alerts(active, {"1": (99, "an"), "6": (98, ""), "2": (97, "an")})
    assert [each["id"] for each in found] == ["5", "4", "7", "2", "3", "1", "6"]
    assert [each["taken"] for each in found[-2:]] == [{"t": 99, "who": "an"}, {"t": 98}]
    assert found[3]["taken"] is None  # it was taken once, and has been raised anew
