import json

import pytest

from ingest.payload import DeviceState, decode_meta, decode_state
from ingest.refusal import Reason, Refusal

T = 1_767_000_000_000


def test_states_of_a_device() -> None:
    assert decode_state(b'{"s":"ready","boot":17,"t":1767000000000}') == DeviceState(
        s="ready", boot=17, t=T
    )
    assert decode_state(b'{"s":"lost","boot":17}') == DeviceState(s="lost", boot=17)
    assert decode_state(b'{"s":"bye","t":12,"x":1}') == DeviceState(s="bye", t=12)
    sleeping = b'{"s":"sleeping","until":1767000000000}'
    assert decode_state(sleeping) == DeviceState(s="sleeping", until=T)


@pytest.mark.parametrize(
    ("payload", "reason", "says"),
    [
        (b"", Reason.EMPTY, "0 bytes"),
        (b"ready", Reason.NOT_JSON, "payload = ready"),
        (b'"ready"', Reason.SCHEMA, "accepted is an object"),
        (b"{}", Reason.SCHEMA, 's is absent: accepted is "ready", "lost", "sleeping" or "bye"'),
        (b'{"s":"up"}', Reason.SCHEMA, 's = "up": accepted is "ready"'),
        (b'{"s":"ready","boot":-1}', Reason.RANGE, "boot = -1"),
        (b'{"s":"sleeping"}', Reason.SCHEMA, "until is absent"),
        (b'{"s":"sleeping","until":5}', Reason.CLOCK, "until = 5"),
        (b" " * 65_537, Reason.SIZE, "65537 bytes"),
    ],
)
def test_states_refused(payload: bytes, reason: Reason, says: str) -> None:
    found = decode_state(payload)
    assert isinstance(found, Refusal)
    assert found.reason is reason
    assert says in found.detail


def test_meta_is_any_object() -> None:
    text = '{"model":"HYDROS 21","vị trí":"cống","units":{"ec":"mS/cm"}}'
    assert decode_meta(text.encode()) == json.loads(text)
    for payload, reason in (
        (b"", Reason.EMPTY),
        (b"[1]", Reason.SCHEMA),
        (b'{"a":1e400}', Reason.RANGE),
        (b'{"a":"\xff"}', Reason.NOT_JSON),
    ):
        found = decode_meta(payload)
        assert isinstance(found, Refusal)
        assert found.reason is reason
