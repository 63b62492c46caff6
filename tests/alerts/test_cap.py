"""CAP 1.2: every kind of document is valid, says what happened, and names what it replaces."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from alerts import cap
from alerts.alert import EventType
from alerts.outbox import Outgoing
from ingest.registry import parse_registry

CAP = f"{{{cap.CAP_NS}}}"
ATOM = f"{{{cap.ATOM_NS}}}"
STATIONS = Path(__file__).parents[2] / "songtien/defaults/stations.toml"
REGISTRY = parse_registry(STATIONS.read_text("utf-8"), "stations.toml")
SENDER = cap.Sender("man.example.vn", "Đài khí tượng thủy văn")
T_MS = 1_767_000_000_120
"""29 December 2025, 16:20:00.12 in Vietnam."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00")
STRAIN = "<a> & \x00\x1f\ud800 ]]>"


def alert(**changes: Any) -> dict[str, Any]:
    found = {
        "id": "5f1a0c9be2d47788",
        "ver": 1,
        "state": "unacked",
        "rule": "salinity-4",
        "rule_version": "9d2e",
        "ask": "above",
        "severity": "critical",
        "k": "xh-01/salinity_g_l",
        "station": "xuan-hoa",
        "kind": "salinity",
        "branch": ["cua-tieu", "cua-dai"],
        "quantity": "salinity_g_l",
        "unit": "g/L",
        "value": 4.1,
        "limit": 4.0,
        "flag": 1,
        "suspect": False,
        "t_since": T_MS - 900_000,
        "t_event": T_MS - 100,
        "message_vi": "Xuân Hòa: 4,1 g/l, vượt mức 4 g/l",
        "message_en": "Xuân Hòa: 4.1 g/L, above 4 g/L",
    } | changes
    return {name: value for name, value in found.items() if value is not None}


def event(of: str, pos: int = 1, /, **changes: Any) -> Outgoing:
    return Outgoing(pos, EventType(of), T_MS + (pos - 1) * 60_000, alert(**changes))


def document(*events: Outgoing) -> ET.Element:
    """The last document of these events."""
    return ET.fromstring(cap.document(cap.messages(events)[-1], SENDER, REGISTRY))


def text(root: ET.Element, path: str) -> str | None:
    return root.findtext("/".join(CAP + part for part in path.split("/")))


@pytest.fixture(scope="session")
def schema(recorded: Callable[[str], Path]) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(recorded("standards/CAP-v1.2.xsd"))


RAISED = event("raised")
CLEARED = event("cleared", 2, state="cleared-unacked", t_cleared=T_MS + 50_000)
SILENT: dict[str, Any] = {
    "rule": "silent",
    "ask": "no_data",
    "value": None,
    "limit": 2700,
    "unit": "s",
    "flag": None,
}
NOTICE = dict.fromkeys(
    ("station", "kind", "branch", "quantity", "value", "limit", "unit", "flag", "suspect")
) | {"rule": "songtien-disk-low", "ask": "notice", "k": "songtien/disk-low"}

CASES: dict[str, tuple[Outgoing, ...]] = {
    "raised": (RAISED,),
    "cleared": (RAISED, CLEARED),
    "updated": (RAISED, event("raised", 2, ver=2)),
    "suspect": (event("raised", flag=3, suspect=True),),
    "simulated": (event("raised", sim=True),),
    "permitted": (event("raised", permit=True, ask="below", severity="info"),),
    "no data": (event("raised", **SILENT),),
    "never seen": (event("raised", **SILENT | {"ask": "never_seen"}),),
    "notice": (event("raised", **NOTICE),),
    "test": (event("raised", **NOTICE | {"test": True, "severity": "info"}),),
    "bridge": (event("raised", kind="bridge", station="rach-mieu-1", severity="major", branch=[]),),
    "mouth": (event("raised", kind="river", station="", branch=["cua-tieu"], severity="warning"),),
    "unknown station": (event("raised", station="gone", branch=["gone"]),),
    "unknown mouth": (event("raised", station="", branch=["gone"]),),
    "strange letters": (event("raised", message_vi=STRAIN, message_en=STRAIN, k=STRAIN),),
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_document_is_valid_by_the_schema(
    schema: xmlschema.XMLSchema, name: str
) -> None:
    for message in cap.messages(CASES[name]):
        schema.validate(cap.document(message, SENDER, REGISTRY).decode())


def test_the_schema_would_refuse_a_wrong_document(schema: xmlschema.XMLSchema) -> None:
    good = cap.document(cap.messages([RAISED])[0], SENDER, REGISTRY).decode()
    for wrong in (
        good.replace("+07:00</sent>", "Z</sent>"),
        good.replace("<status>Actual", "<status>Real"),
        good.replace("<scope>Public</scope>", ""),
    ):
        assert wrong != good
        assert not schema.is_valid(wrong)


def test_an_alert_is_said_in_both_languages_with_its_place_and_figures() -> None:
    root = document(RAISED)
    assert text(root, "identifier") == "5f1a0c9be2d47788"
    assert text(root, "sender") == "man.example.vn"
    assert text(root, "sent") == "2025-12-29T16:20:00+07:00"
    assert (text(root, "status"), text(root, "msgType")) == ("Actual", "Alert")
    assert (text(root, "scope"), text(root, "references")) == ("Public", None)
    vi, en = root.findall(f"{CAP}info")
    assert [text(info, "language") for info in (vi, en)] == ["vi-VN", "en-US"]
    assert text(vi, "headline") == "Xuân Hòa: 4,1 g/l, vượt mức 4 g/l"
    assert text(en, "headline") == "Xuân Hòa: 4.1 g/L, above 4 g/L"
    assert (text(vi, "event"), text(en, "event")) == ("Xâm nhập mặn", "Saltwater intrusion")
    for info in (vi, en):
        assert text(info, "category") == "Env"
        assert text(info, "senderName") == "Đài khí tượng thủy văn"
        said = [text(info, name) for name in ("urgency", "severity", "certainty", "responseType")]
        assert said == ["Immediate", "Severe", "Observed", "Monitor"]
        assert text(info, "onset") == "2025-12-29T16:05:00+07:00"
        station = REGISTRY.stations["xuan-hoa"]
        assert station.reach is not None
        reach = REGISTRY.reaches[station.reach]
        assert text(info, "area/areaDesc") == f"Cống Xuân Hòa, {reach.name}"
        assert text(info, "area/circle") == f"{station.lat:.4f},{station.lon:.4f} 1"
        assert text(info, "area/geocode/value") == "xuan-hoa"
        figures = {
            text(each, "valueName"): text(each, "value") for each in info.findall(f"{CAP}parameter")
        }
        assert figures["songtien.value"] == "4.1"
        assert figures["songtien.limit"] == "4.0"
        assert figures["songtien.k"] == "xh-01/salinity_g_l"


def test_times_are_whole_seconds_with_vietnams_offset() -> None:
    for events in CASES.values():
        for element in document(*events).iter():
            if element.tag.removeprefix(CAP) in ("sent", "effective", "onset"):
                assert TIME.fullmatch(element.text or ""), element.text


def test_a_cancel_names_what_it_cancels() -> None:
    root = document(RAISED, CLEARED)
    assert (text(root, "identifier"), text(root, "msgType")) == ("5f1a0c9be2d47788.2", "Cancel")
    assert text(root, "references") == ("man.example.vn,5f1a0c9be2d47788,2025-12-29T16:20:00+07:00")
    vi, en = root.findall(f"{CAP}info")
    assert (text(vi, "urgency"), text(vi, "responseType")) == ("Past", "AllClear")
    assert text(vi, "headline") == "Đã hết: Xuân Hòa: 4,1 g/l, vượt mức 4 g/l"
    assert "Over since 29/12/2025 16:20." in str(text(en, "description"))


def test_an_update_replaces_all_that_was_in_force_and_a_cancel_ends_it() -> None:
    events = [
        event("raised", 1),
        event("acked", 2),
        event("raised", 3),
        event("cleared", 4, state="cleared-unacked"),
        event("noted", 5, state="cleared-unacked"),
        event("acked", 6, state="normal"),
        event("raised", 7),
    ]
    found = cap.messages(events)
    assert [(m.identifier, m.type) for m in found] == [
        ("5f1a0c9be2d47788", "Alert"),
        ("5f1a0c9be2d47788.2", "Update"),
        ("5f1a0c9be2d47788.3", "Cancel"),
        ("5f1a0c9be2d47788.4", "Alert"),
    ]
    first, second = [(m.identifier, m.sent) for m in found[:2]]
    assert [m.replaces for m in found] == [(), (first,), (first, second), ()]
    # What is there stays as it is when more comes.
    assert cap.messages(events[:3]) == found[:2]


@pytest.mark.parametrize("kind", ["unshelved", "unsuppressed", "eased", "escalated"])
def test_what_was_held_back_is_announced_when_people_outside_first_hear_of_it(kind: str) -> None:
    found = cap.messages([event(kind), event("reminded", 2), CLEARED])
    assert [m.type for m in found] == ["Alert", "Cancel"]


def test_a_clearing_of_what_was_never_announced_is_no_document() -> None:
    assert cap.messages([CLEARED]) == []


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("raised", "Actual"),
        ("simulated", "Exercise"),
        ("test", "Test"),
        ("notice", "System"),
        ("no data", "System"),
        ("never seen", "System"),
        ("bridge", "Actual"),
    ],
)
def test_nobody_takes_an_exercise_for_an_emergency(name: str, status: str) -> None:
    root = document(*CASES[name])
    assert text(root, "status") == status
    assert (text(root, "note") is not None) is (status == "Exercise")


@pytest.mark.parametrize("name", sorted(CASES))
def test_of_a_demo_nothing_is_actual(name: str) -> None:
    sender = replace(SENDER, demo=True)
    for message in cap.messages(CASES[name]):
        made = cap.document(message, sender, REGISTRY)
        root = ET.fromstring(made)
        assert text(root, "status") == ("Test" if name == "test" else "Exercise")
        assert "mô phỏng" in str(text(root, "info/description"))
        assert ("mô phỏng" in str(text(root, "note"))) is (name != "test")
        feed = ET.fromstring(cap.feed([message], sender, "/cap/"))
        assert feed.find(f"{ATOM}entry/{ATOM}category[@term='Actual']") is None


def test_the_end_of_a_permission_is_no_all_clear() -> None:
    events = (*CASES["permitted"], event("cleared", 2, state="normal", permit=True))
    for root, response in ((document(events[0]), "Assess"), (document(*events), "Monitor")):
        assert text(root, "info/responseType") == response
        assert text(root, "info/event") == "Nước ngọt"


def test_simulated_readings_and_tests_are_named_in_words_too() -> None:
    for name, vi in (("simulated", "mô phỏng"), ("test", "thử nghiệm"), ("suspect", "nghi vấn")):
        assert vi in str(text(document(*CASES[name]), "info/description"))
    assert text(document(*CASES["suspect"]), "info/certainty") == "Likely"


def test_where_it_is_follows_from_what_it_is_about() -> None:
    mouth = document(*CASES["mouth"])
    assert text(mouth, "info/area/areaDesc") == "Cửa Tiểu"
    assert text(mouth, "info/area/geocode/value") == "cua-tieu"
    assert text(mouth, "info/area/circle") is None
    assert text(document(*CASES["unknown station"]), "info/area/areaDesc") == "gone"
    assert document(*CASES["notice"]).find(f"{CAP}info/{CAP}area") is None
    bridge = document(*CASES["bridge"])
    assert text(bridge, "info/category") == "Transport"


def test_what_officers_say_is_in_no_document() -> None:
    secret = {"who": "Lan", "note": "gọi 0900", "shelved_why": "gọi 0900"}
    body = cap.document(cap.messages([event("raised", **secret)])[0], SENDER, REGISTRY).decode()
    assert "Lan" not in body
    assert "0900" not in body


def test_letters_that_xml_does_not_take_are_left_out() -> None:
    assert text(document(*CASES["strange letters"]), "info/headline") == "<a> &  ]]>"


def test_the_feed_lists_documents_newest_first_with_their_addresses() -> None:
    other = event("raised", 3, id="00000000000000aa", sim=True)
    sent = [*cap.messages([RAISED, CLEARED]), *cap.messages([other])]
    root = ET.fromstring(cap.feed(sent, SENDER, "https://h/cap/"))
    assert root.findtext(f"{ATOM}updated") == "2025-12-29T16:22:00+07:00"
    assert root.find(f"{ATOM}link[@rel='self']").attrib["href"] == "https://h/cap/alerts.atom"  # type: ignore[union-attr]
    entries = root.findall(f"{ATOM}entry")
    links = [entry.find(f"{ATOM}link") for entry in entries]
    assert [
        (link.attrib["href"], link.attrib["rel"], link.attrib["type"])
        for link in links
        if link is not None
    ] == [
        (f"https://h/cap/{name}.xml", "alternate", "application/cap+xml")
        for name in ("00000000000000aa", "5f1a0c9be2d47788.2", "5f1a0c9be2d47788")
    ]
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == 3
    assert all(str(each).startswith("urn:uuid:") for each in ids)
    for entry in entries:
        assert TIME.fullmatch(str(entry.findtext(f"{ATOM}updated")))
        assert entry.findtext(f"{ATOM}title")
        assert entry.findtext(f"{ATOM}author/{ATOM}name") == SENDER.name
    terms = [[c.attrib["term"] for c in e.findall(f"{ATOM}category")] for e in entries]
    assert terms == [["Exercise", "Alert"], ["Actual", "Cancel"], ["Actual", "Alert"]]


def test_an_empty_feed_is_a_feed() -> None:
    root = ET.fromstring(cap.feed([], SENDER, "/cap/"))
    assert root.findtext(f"{ATOM}updated") == "1970-01-01T07:00:00+07:00"
    assert root.findall(f"{ATOM}entry") == []
