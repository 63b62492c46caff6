"""What officers enter: what is taken, what is refused, and what counts when."""

import json
from pathlib import Path
from typing import Any

import pytest

from alerts.bridge.modes import Mode
from alerts.desk import OVER_KEPT, WINDOWS_MAX, Desk
from alerts.entries import EVERYWHERE, EnteredOutcome, Entering, Verdict, What
from ingest.journal import Entered
from ingest.registry import parse_registry
from ingest.snapshot import pack, unpack

NOW_MS = 1_767_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
INTAKE = "xuan-hoa"
REGISTRY = parse_registry(
    (Path(__file__).parents[2] / "songtien/defaults/stations.toml").read_text("utf-8"),
    "stations.toml",
)

WORK: dict[str, Any] = {"to": NOW_MS + 2 * HOUR, "reason": "thay đầu dò"}
CLOSED: dict[str, Any] = {
    "ver": 0,
    "mode": "closed",
    "direction": "northbound",
    "until": NOW_MS + HOUR,
    "reason": "va chạm giữa cầu",
}
BULLETIN: dict[str, Any] = {
    "ver": 0,
    "level": 2,
    "region": "Đồng bằng sông Cửu Long",
    "bulletin": "XNM-12/2026",
    "title": "Tin cảnh báo xâm nhập mặn",
    "issued": NOW_MS - HOUR,
    "valid_until": NOW_MS + 10 * DAY,
    "source": "Đài KTTV khu vực Nam Bộ",
}
TAKING: dict[str, Any] = {"ver": 0, "taking": True, "gate": "open"}

GOOD = [
    (What.MAINTENANCE, "vam-kenh", WORK),
    (What.MODE, "rach-mieu-1", CLOSED),
    (What.RISK, "cua-tieu", BULLETIN),
    (What.INTAKE, INTAKE, TAKING),
]


def enter(
    desk: Desk, what: str, subject: str, body: dict[str, Any], now_ms: int = NOW_MS, note: str = ""
) -> EnteredOutcome:
    return desk.enter(Entering(what, subject, body, "Nguyễn Văn A", note), REGISTRY, now_ms)


def full() -> Desk:
    desk = Desk()
    for what, subject, body in GOOD:
        assert enter(desk, what, subject, body, note="gọi anh Ba").outcome is Verdict.DONE
    return desk


def test_a_window_holds_from_its_beginning_to_its_end() -> None:
    desk = Desk()
    later = WORK | {"from": NOW_MS + HOUR}
    outcome = enter(desk, What.MAINTENANCE, "vam-kenh", later)
    assert outcome.item is not None
    assert (outcome.item["id"], outcome.item["holds"]) == ("m1", False)
    assert desk.maintenance(NOW_MS + HOUR - 1) == {}
    assert desk.maintenance(NOW_MS + HOUR) == {"vam-kenh": "m1"}
    assert desk.maintenance(NOW_MS + 2 * HOUR - 1) == {"vam-kenh": "m1"}
    assert desk.maintenance(NOW_MS + 2 * HOUR) == {}
    dues = [desk.next_due_ms(NOW_MS + n * HOUR) for n in range(3)]
    assert dues == [NOW_MS + HOUR, NOW_MS + 2 * HOUR, None]


def test_a_window_is_lengthened_by_another_without_a_moment_between() -> None:
    desk = Desk()
    enter(desk, What.MAINTENANCE, "vam-kenh", WORK)
    enter(desk, What.MAINTENANCE, "vam-kenh", WORK | {"to": NOW_MS + 5 * HOUR}, NOW_MS + HOUR)
    assert desk.maintenance(NOW_MS + HOUR) == {"vam-kenh": "m2"}
    assert desk.maintenance(NOW_MS + 3 * HOUR) == {"vam-kenh": "m2"}


def test_an_officer_ends_a_window_and_it_is_over() -> None:
    desk = Desk()
    enter(desk, What.MAINTENANCE, "vam-kenh", WORK)
    ended = enter(desk, What.MAINTENANCE, "m1", {"end": "now"}, NOW_MS + HOUR)
    assert ended.item is not None
    assert ended.item["ended"] == {"t": NOW_MS + HOUR, "who": "Nguyễn Văn A"}
    assert desk.maintenance(NOW_MS + HOUR) == {}
    again = enter(desk, What.MAINTENANCE, "m1", {"end": "now"}, NOW_MS + HOUR + 1)
    assert again.outcome is Verdict.NOT_NOW
    never = enter(desk, What.MAINTENANCE, "m7", {"end": "now"})
    assert never.outcome is Verdict.NOT_FOUND


def test_a_window_ended_before_it_began_never_holds() -> None:
    desk = Desk()
    enter(desk, What.MAINTENANCE, "vam-kenh", WORK | {"from": NOW_MS + HOUR})
    enter(desk, What.MAINTENANCE, "m1", {"end": "now"}, NOW_MS + 1)
    assert desk.maintenance(NOW_MS + HOUR + MINUTE) == {}


def test_a_mode_is_of_one_direction_or_of_all_and_ends_by_itself() -> None:
    desk = Desk()
    one = enter(desk, What.MODE, "rach-mieu-1", CLOSED)
    assert one.item is not None
    assert one.item["ver"] == 1
    assert desk.modes(NOW_MS) == {("rach-mieu-1", "northbound"): Mode.CLOSED}
    both = CLOSED | {"ver": 1, "mode": "one-way", "direction": None, "until": NOW_MS + 2 * HOUR}
    enter(desk, What.MODE, "rach-mieu-1", both)
    assert list(desk.modes(NOW_MS).values()) == [Mode.ONE_WAY] * 2
    back = {"ver": 2, "mode": "two-way", "direction": "southbound"}
    enter(desk, What.MODE, "rach-mieu-1", back)
    assert list(desk.modes(NOW_MS)) == [("rach-mieu-1", "northbound")]
    assert desk.next_due_ms(NOW_MS) == NOW_MS + 2 * HOUR
    assert desk.modes(NOW_MS + 2 * HOUR) == {}


def test_a_level_stands_with_its_bulletin_until_it_is_no_longer_valid() -> None:
    desk = Desk()
    enter(desk, What.RISK, EVERYWHERE, BULLETIN)
    assert {branch: one.level for branch, one in desk.risk(NOW_MS).items()} == {EVERYWHERE: 2}
    (told,) = desk.picture(NOW_MS)["risk"]
    assert (told["branch"], told["bulletin"], told["holds"]) == (None, "XNM-12/2026", True)
    assert desk.risk(NOW_MS + 10 * DAY) == {}
    enter(desk, What.RISK, EVERYWHERE, BULLETIN | {"ver": 1, "level": None})
    assert desk.risk(NOW_MS) == {}, "a bulletin has ended it"


def test_what_is_said_of_an_intake() -> None:
    desk = Desk()
    enter(desk, What.INTAKE, INTAKE, TAKING)
    assert desk.intakes() == {INTAKE: {"taking": True, "gate": "open", "t_ms": NOW_MS}}
    enter(desk, What.INTAKE, INTAKE, {"ver": 1, "taking": False}, NOW_MS + 1)
    assert desk.intakes() == {INTAKE: {"taking": False, "gate": None, "t_ms": NOW_MS + 1}}


@pytest.mark.parametrize(("what", "subject", "body"), GOOD[1:], ids=[w for w, _, _ in GOOD[1:]])
def test_the_second_of_two_officers_is_told_and_undoes_nothing(
    what: str, subject: str, body: dict[str, Any]
) -> None:
    desk = Desk()
    enter(desk, what, subject, body)
    before = desk.snapshot()
    second = enter(desk, what, subject, body, NOW_MS + 1)
    assert second.outcome is Verdict.STALE
    assert second.item is not None
    assert second.item["ver"] == 1
    assert desk.snapshot() == before


@pytest.mark.parametrize(
    ("what", "subject", "changed", "named"),
    [
        (What.MAINTENANCE, "vam-kenh", {"to": NOW_MS}, "to:"),
        (What.MAINTENANCE, "vam-kenh", {"from": NOW_MS + 2 * HOUR}, "to:"),
        (What.MAINTENANCE, "vam-kenh", {"from": NOW_MS - 13 * HOUR}, "from:"),
        (What.MAINTENANCE, "vam-kenh", {"from": NOW_MS + 400 * DAY}, "from:"),
        (What.MAINTENANCE, "vam-kenh", {"to": NOW_MS + 32 * DAY}, "to:"),
        (What.MAINTENANCE, "vam-kenh", {"to": 12}, "$.to"),
        (What.MAINTENANCE, "vam-kenh", {"to": "mai"}, "$.to"),
        (What.MAINTENANCE, "vam-kenh", {"reason": " \t "}, "reason:"),
        (What.MAINTENANCE, "vam-kenh", {"reason": "một\nhai"}, "reason:"),
        (What.MAINTENANCE, "vam-kenh", {"reason": "x" * 501}, "$.reason"),
        (What.MAINTENANCE, "vam-kenh", {"untill": 1}, "untill"),
        (What.MAINTENANCE, "vam-kenh", {"end": "now"}, "unknown field"),
        (What.MODE, "rach-mieu-1", {"mode": "half"}, "$.mode"),
        (What.MODE, "rach-mieu-1", {"direction": "up"}, "direction:"),
        (What.MODE, "rach-mieu-1", {"until": None}, "until:"),
        (What.MODE, "rach-mieu-1", {"until": NOW_MS}, "until:"),
        (What.MODE, "rach-mieu-1", {"until": NOW_MS + 32 * DAY}, "until:"),
        (What.MODE, "rach-mieu-1", {"reason": ""}, "reason:"),
        (What.RISK, "cua-tieu", {"level": 0}, "$.level"),
        (What.RISK, "cua-tieu", {"level": 6}, "$.level"),
        (What.RISK, "cua-tieu", {"level": 2.5}, "$.level"),
        (What.RISK, "cua-tieu", {"issued": NOW_MS + 1}, "issued:"),
        (What.RISK, "cua-tieu", {"issued": NOW_MS - 46 * DAY}, "issued:"),
        (What.RISK, "cua-tieu", {"valid_until": NOW_MS}, "valid_until:"),
        (What.RISK, "cua-tieu", {"valid_until": NOW_MS + 46 * DAY}, "valid_until:"),
        (What.RISK, "cua-tieu", {"bulletin": ""}, "bulletin:"),
        (What.INTAKE, INTAKE, {"taking": 1}, "$.taking"),
        (What.INTAKE, INTAKE, {"gate": "ajar"}, "$.gate"),
        ("anything", "vam-kenh", {}, "what:"),
    ],
)
def test_what_is_not_accepted_is_named_and_changes_nothing(
    what: str, subject: str, changed: dict[str, Any], named: str
) -> None:
    desk = Desk()
    body = {kind.value: good for kind, _, good in GOOD}.get(what, {})
    outcome = enter(desk, what, subject, body | changed)
    assert outcome.outcome is Verdict.REFUSED
    assert named in outcome.words
    assert desk.snapshot() == Desk().snapshot()


def test_a_note_has_a_bound() -> None:
    outcome = enter(Desk(), What.INTAKE, INTAKE, TAKING, note="x" * 2_001)
    assert (outcome.outcome, outcome.words[:5]) == (Verdict.REFUSED, "note:")


@pytest.mark.parametrize(("what", "body"), [(what, body) for what, _, body in GOOD])
def test_of_what_the_registry_does_not_have_nothing_is_entered(
    what: str, body: dict[str, Any]
) -> None:
    assert enter(Desk(), what, "nowhere", body).outcome is Verdict.NOT_FOUND


def test_a_probe_s_station_is_no_bridge() -> None:
    assert enter(Desk(), What.MODE, "vam-kenh", CLOSED).outcome is Verdict.NOT_FOUND


def test_windows_have_a_bound_and_those_that_are_over_make_room() -> None:
    desk = Desk()
    for _ in range(WINDOWS_MAX):
        assert enter(desk, What.MAINTENANCE, "vam-kenh", WORK).outcome is Verdict.DONE
    assert enter(desk, What.MAINTENANCE, "vam-kenh", WORK).outcome is Verdict.NOT_NOW
    tomorrow = NOW_MS + DAY
    again = enter(desk, What.MAINTENANCE, "vam-kenh", WORK | {"to": tomorrow + HOUR}, tomorrow)
    assert again.outcome is Verdict.DONE
    kept = desk.picture(tomorrow)["maintenance"]
    assert len(kept) == OVER_KEPT + 1
    assert kept[-1]["id"] == f"m{WINDOWS_MAX + 1}", "a number is never given twice"


def test_what_the_registry_no_longer_has_makes_room() -> None:
    desk = full()
    text = """
[[station]]
id = "other"
name = "Khác"
kind = "traffic"
lat = 10.3
lon = 106.3
side = "bridge"
length_m = 100
[station.directions]
up = { vi = "lên", en = "up" }
[[station.device]]
id = "c"
position = "north"
expected_s = 60
measures = ["count"]
lanes = [{ direction = "up", lane = 1, use = "mixed" }]
"""
    other = parse_registry(text, "stations.toml")
    entering = Entering(What.MODE, "other", CLOSED | {"direction": "up"}, "An")
    assert desk.enter(entering, other, NOW_MS).outcome is Verdict.DONE
    assert list(desk.picture(NOW_MS)["bridges"]) == ["other"]


def test_a_snapshot_brings_all_of_it_back() -> None:
    desk = full()
    enter(desk, What.MAINTENANCE, "m1", {"end": "now"}, NOW_MS + MINUTE)
    again = Desk(unpack(pack(desk.snapshot())))
    for now_ms in (NOW_MS, NOW_MS + MINUTE, NOW_MS + HOUR, NOW_MS + 11 * DAY):
        assert again.picture(now_ms) == desk.picture(now_ms)
        assert again.modes(now_ms) == desk.modes(now_ms)
        assert again.next_due_ms(now_ms) == desk.next_due_ms(now_ms)
    for one in (desk, again):
        assert enter(one, What.MAINTENANCE, "my-tho", WORK).outcome is Verdict.DONE
    assert pack(again.snapshot()) == pack(desk.snapshot())


def test_reasons_are_everybody_s_and_names_and_notes_are_not() -> None:
    """What is for officers alone stands under the names that the doors leave out."""
    picture = full().picture(NOW_MS)
    (window,) = picture["maintenance"]
    assert (window["reason"], window["note"]) == ("thay đầu dò", "gọi anh Ba")
    (mode,) = picture["bridges"]["rach-mieu-1"]["modes"].values()
    assert (mode["reason"], mode["who"]) == ("va chạm giữa cầu", "Nguyễn Văn A")


def test_an_entry_of_the_journal_is_judged_where_it_is_stepped() -> None:
    desk = Desk()
    good = json.dumps(WORK)
    for body, verdict in ((good, "done"), ("{", "refused"), ("[]", "refused")):
        entry = Entered("r", "maintenance", "vam-kenh", body, "An", "")
        assert desk.step(entry, REGISTRY, NOW_MS).outcome == verdict
    assert len(desk.picture(NOW_MS)["maintenance"]) == 1
