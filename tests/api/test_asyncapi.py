"""The AsyncAPI document says everything, and says the truth."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest

from alerts.alert import Alert, alert_body
from alerts.lifecycle import State
from api.asyncapi import bodies, document, schemas, words
from api.asyncapi.document import Place
from api.live import frames, session, terms
from api.service import About
from ingest import topics
from ingest.payload import DeviceState, Observations, decode_meta, decode_obs, decode_state
from ingest.refusal import Refusal
from simulators.scenario import HOUR_MS, SCENARIOS, messages
from tests.api.described import Described, frame_name, pattern_of
from tests.api.http_service import World, get
from tests.simulators.delta import REGISTRY

PLACE = Place("0.1.0", "ws://127.0.0.1:8081/live", "mqtt://127.0.0.1:1883", "tiengiang")
SPECIFICATION = (
    Path(__file__).parents[2]
    / "web/node_modules/@asyncapi/specs/schemas"
    / f"{document.VERSION}.json"
)


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document.text(PLACE))
    return found


def _messages() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = _document()["components"]["messages"]
    return found


DESCRIBED = Described(_document())


# The document itself.


def test_it_is_an_asyncapi_document() -> None:
    if not SPECIFICATION.exists():
        pytest.skip("web/node_modules is not installed: make pages")
    validator = jsonschema.Draft7Validator(json.loads(SPECIFICATION.read_text("utf-8")))
    assert [fault.message for fault in validator.iter_errors(_document())] == []
    wrong = {**_document(), "operations": {"x": {"action": "shout", "channel": {"$ref": "#/"}}}}
    assert not validator.is_valid(wrong)


def test_references_lead_somewhere() -> None:
    found = 0

    def follow(node: Any) -> None:
        nonlocal found
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                found += 1
                place: Any = _document()
                for step in reference.removeprefix("#/").split("/"):
                    place = place[step]
            for each in node.values():
                follow(each)
        elif isinstance(node, list):
            for each in node:
                follow(each)

    follow(_document())
    assert found > 100


def test_every_frame_and_every_call_is_in_it() -> None:
    messages = {name: schemas_of(each["payload"]) for name, each in _messages().items()}
    said = {name: _operations_with(name) for name in messages}
    for frame in (*get_args(frames.ClientFrame), *get_args(frames.ServerFrame)):
        from_client = frame in get_args(frames.ClientFrame)
        carrying = [name for name, found in messages.items() if frame.__name__ in found]
        assert carrying, frame
        for name in carrying:
            heard = {(action, reply) for action, reply in said[name]}
            wanted = {("receive", False), ("send", True)}
            assert heard
            assert heard <= (wanted if from_client else {("send", False), ("receive", True)})
    for method, struct in frames.CALLS.items():
        assert struct.__name__ in messages[f"call.{method}"]


def schemas_of(payload: Any) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(payload)))


def _operations_with(message: str) -> list[tuple[str, bool]]:
    """(action, whether as a reply) of each operation in which a message stands."""
    found = []
    for operation in _document()["operations"].values():
        for reply, listed in (
            (False, operation["messages"]),
            (True, operation.get("reply", {}).get("messages", [])),
        ):
            if any(each["$ref"].endswith(f"/messages/{message}") for each in listed):
                found.append((operation["action"], reply))
    return found


def test_requests_name_their_answers() -> None:
    for name, operation in _document()["operations"].items():
        if operation["channel"]["$ref"] != "#/channels/live":
            assert "reply" not in operation
        elif operation["action"] == "receive" or name == "ask":
            assert operation["reply"]["messages"], name
    for name, message in _messages().items():
        in_payload = "id" in _fields(message["payload"])
        frame = "op" in _fields(message["payload"])
        assert ("correlationId" in message) == (frame and in_payload), name


def _fields(payload: Any) -> set[str]:
    found: set[str] = set()
    for name in schemas_of(payload):
        schema = _document()["components"]["schemas"][name]
        if "op" in schema["properties"]:
            found |= set(schema["properties"])
    return found


def test_every_field_has_words_and_none_is_left_open() -> None:
    told = schemas.components()
    for name, schema in told.items():
        for field, said in schema["properties"].items():
            assert field == "op" or said.get("description"), f"{name}.{field}"
            assert said.keys() - {"description", "default", "title"}, f"{name}.{field} is anything"
    for name, fields in words.FIELDS.items():
        known = told.get(name) or told[f"Salinity{name}"]
        assert set(fields) <= set(known["properties"]), name
    assert set(schemas.open_fields()) <= set(words.OPEN)
    for name, field in words.OPEN:
        assert field in told[name]["properties"]


def test_every_close_code_limit_and_refusal_is_in_it() -> None:
    channel = _document()["channels"]["live"]
    codes = {v for v in vars(terms).values() if type(v) is int and 4000 <= v < 4500}
    assert {each["code"] for each in channel["x-close-codes"]} == codes
    for each in channel["x-close-codes"]:
        assert each["come-back"] == (each["code"] < 4100)
    limits = {each["name"]: each["value"] for each in channel["x-limits"]}
    for field in terms.Limits.__dataclass_fields__:
        assert limits[field] == getattr(terms.Limits(), field)
    assert channel["x-subprotocol"] == frames.SUBPROTOCOL
    refused = re.findall(r"_refuse\([\w.]+, (\d{3})", Path(session.__file__).read_text("utf-8"))
    assert {int(code) for code in refused} <= {each["code"] for each in channel["x-error-codes"]}


def test_every_topic_is_in_it_with_its_pattern() -> None:
    channels = _document()["channels"].values()
    addresses = [each["address"] for each in channels if "parameters" in each]
    made = [
        *(topics.obs_topic("tiengiang", kind, "a", "b") for kind in topics.KINDS),
        *(
            topic("tiengiang", kind, "a", "b")
            for kind in topics.KINDS
            for topic in (topics.state_topic, topics.meta_topic, topics.ack_topic)
        ),
        topics.server_state_topic("tiengiang", "h"),
        topics.canary_topic("tiengiang", "h"),
        topics.self_test_topic("tiengiang", "h"),
        topics.alert_topic("tiengiang", "salinity-4", "vk-01/salinity_g_l"),
        topics.alert_topic("tiengiang", "jam", "rach-mieu-1/southbound/crossing_time_min"),
        topics.alert_topic("tiengiang", "songtien-disk-low", "songtien/disk-low"),
        topics.advice_topic("tiengiang", "xuan-hoa"),
    ]
    patterns = {
        each["address"]: pattern_of(each) for each in channels if each["address"] in addresses
    }
    for topic in made:
        fitting = [at for at, pattern in patterns.items() if pattern.fullmatch(topic)]
        assert len(fitting) == 1, (topic, fitting)
    for at, pattern in patterns.items():
        assert any(pattern.fullmatch(topic) for topic in made), at
    for at in addresses:
        for bad in ("A", "a" * 41, "Đồng", "a/b/c/d"):
            filled = re.sub(r"\{\w+\}", bad, at)
            refused = isinstance(topics.parse(filled, "tiengiang"), Refusal)
            assert not patterns[at].fullmatch(filled) or not refused


def test_what_is_retained_is_said() -> None:
    retained = {
        channel["address"].partition("/v1/")[2]: operation["bindings"]["mqtt"]
        for operation in _document()["operations"].values()
        if "mqtt" in operation.get("bindings", {})
        for channel in [_document()["channels"][operation["channel"]["$ref"].rpartition("/")[2]]]
    }
    assert all(each["qos"] == 1 for each in retained.values())
    assert {topic for topic, each in retained.items() if each["retain"]} == {
        "{kind}/{station}/{device}/state",
        "{kind}/{station}/{device}/meta",
        "server/{host}/state",
        "alerts/{rule}/{series}",
        "advice/{intake}",
    }


def test_the_same_place_gives_the_same_bytes() -> None:
    assert document.text(PLACE) == document.text(replace(PLACE))
    elsewhere = json.loads(document.text(Place("1", "wss://mekong.example/ws/live", "", "a/b")))
    assert elsewhere["servers"]["live"]["host"] == "mekong.example"
    assert elsewhere["servers"]["live"]["pathname"] == "/ws"
    assert elsewhere["servers"]["broker"]["host"] == "{broker}"
    assert elsewhere["channels"]["advice"]["address"] == "a/b/v1/advice/{intake}"


# What goes over the wire.


@pytest.mark.parametrize("name", _messages())
def test_the_examples_are_what_the_codecs_take_and_make(name: str) -> None:
    examples = [each["payload"] for each in _messages()[name]["examples"]]
    assert examples
    for example in examples:
        DESCRIBED.hold(name, example)
        text = json.dumps(example)
        if isinstance(example, dict) and "op" in example:
            _taken(example, text, from_client=("receive", False) in _operations_with(name))
        elif name.startswith("obs."):
            found = decode_obs(text.encode(), name.removeprefix("obs."))
            assert isinstance(found, Observations)
            assert not any(isinstance(each, Refusal) for each in found.samples)
        elif name == "device.state":
            assert isinstance(decode_state(text.encode()), DeviceState)
        elif name == "device.meta":
            assert decode_meta(text.encode()) == example


def _taken(example: Mapping[str, Any], text: str, *, from_client: bool) -> None:
    assert frame_name(example).startswith(example["op"])
    if from_client or example["op"] == "pong":
        frame = frames.decode(text)
        if isinstance(frame, frames.Call):
            frames.call_of(frame.m, frame.p)
    else:
        decoded = msgspec.json.decode(text, type=frames.ServerFrame)
        assert json.loads(frames.text_of(decoded)) == example


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_what_simulated_devices_say_fits(name: str) -> None:
    scenario, begin_ms = SCENARIOS[name], SCENARIOS[name].start_ms + 6 * HOUR_MS
    world = scenario.world(REGISTRY, 1)
    stretch = messages(
        world, root="tiengiang", start_ms=begin_ms, duration_ms=HOUR_MS // 2, boot=7, sim=True
    )
    held = {DESCRIBED.hold_published(each.topic, each.payload.decode()) for each in stretch}
    assert held >= {"obs.salinity", "obs.traffic"}


BAD: Mapping[str, list[Any]] = {
    "auth": [{"op": "auth"}, {"op": "auth", "id": -1}, {"op": "auth", "id": 1, "speed": 601}],
    "sub.state": [{"op": "sub", "id": 1, "chan": "state", "where": {"severity": ["major"]}}],
    "call.alert.shelve": [{"op": "call", "id": 1, "m": "alert.shelve", "p": {"id": "a", "ver": 1}}],
    "snap.state": [{"op": "snap", "sub": 1, "more": False, "pos": "a.1", "items": [{"v": 1.0}]}],
    "obs.salinity": [
        {"v": 2, "samples": [{"t": 1767000000000, "temp_c": 20}]},
        {"v": 1, "samples": []},
        {"v": 1, "samples": [{"t": 1767000000000, "temp_c": 61}]},
        {"v": 1, "samples": [{"t": 17670000000, "temp_c": 20}]},
        {"v": 1, "samples": [{"t": 1767000000000, "temp_c": "20"}]},
    ],
    "device.state": [{"s": "asleep"}, {"s": "ready", "boot": -1}],
    "advice": [{"intake": "xuan-hoa", "take": True}],
    "ack": [{"boot": 1, "seq": 2}],
    "alert.over": [{}],
}


@pytest.mark.parametrize("name", BAD)
def test_the_schemas_refuse(name: str) -> None:
    for payload in BAD[name]:
        assert not DESCRIBED.fits(name, payload), payload


def test_an_alert_with_all_its_fields_fits() -> None:
    alert = Alert(
        id="5f1a0c9be2d47788",
        series=0,
        rule="salinity-4",
        fixed=dict(words_of_alert()),
        state=State.ACKED,
        ver=3,
        max_age_ms=0,
        t_told_ms=1,
        t_cleared_ms=1,
        t_acked_ms=1,
        t_ended_ms=1,
        shelved_until_ms=1,
        shelved_why="x",
        suppressed={"why": "uplink", "by": "5f1a0c9be2d47789"},
        flapping=True,
        reminders=1,
        escalation=1,
        t_escalated_ms=1,
    )
    body = alert_body(alert)
    DESCRIBED.hold("alert", body)
    assert set(body) | FIXED_ELSEWHERE == set(bodies.Alert.__struct_fields__)


FIXED_ELSEWHERE = {
    *("stations", "direction", "level", "other", "members", "count", "permit", "sim", "test"),
    "detail",
}
"""Of groups, bridges, differences, notices: they come in the recordings of other tests."""


def words_of_alert() -> Iterator[tuple[str, Any]]:
    example = _messages()["alert"]["examples"][0]["payload"]
    beside = {"id", "ver", "state", "historic", "t_told"}
    return ((name, value) for name, value in example.items() if name not in beside)


# At the door.


def test_it_is_served_as_the_service_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        about = About(
            "0.1.0", "", 8081, demo=False, anonymous="viewer", broker_url="mqtt://b:1", root="r"
        )
        answer = get(world, "/asyncapi.json", about=about)
        assert answer.headers["content-type"] == "application/json"
        found = answer.json()
        assert found["servers"]["live"]["host"] == "localhost:8081"
        assert found["servers"]["broker"]["host"] == "b:1"
        assert found["channels"]["advice"]["address"] == "r/v1/advice/{intake}"
        assert answer.content == document.text(
            Place("0.1.0", "ws://localhost:8081/live", "mqtt://b:1", "r")
        )
        shut = replace(world.doorkeeper, anonymous=False)
        found = get(world, "/asyncapi.json", about=about, doorkeeper=shut).json()
        assert found["servers"]["broker"]["host"] == "{broker}"
    finally:
        world.close()
