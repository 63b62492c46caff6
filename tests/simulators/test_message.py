"""Messages keep to the limits of the contract, whatever they hold."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.payload import PAYLOAD_BYTES_MAX, SAMPLES_MAX
from simulators.message import Sender


def _sender(*, sim: bool = False) -> Sender:
    return Sender("tiengiang", "salinity", "vam-kenh", "vk-01", boot=17, sim=sim)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1200), st.integers(0, 900))
def test_samples_are_split_by_number_and_bytes_and_none_is_lost(count: int, width: int) -> None:
    samples = [{"t": 1_767_000_000_000 + i, "note": "x" * width} for i in range(count)]
    messages = list(_sender().obs(5, samples))
    decoded = [msgspec.json.decode(message.payload) for message in messages]
    assert [sample for each in decoded for sample in each["samples"]] == samples
    assert [each["seq"] for each in decoded] == list(range(1, len(messages) + 1))
    for message, each in zip(messages, decoded, strict=True):
        assert len(message.payload) <= PAYLOAD_BYTES_MAX
        assert len(each["samples"]) == message.samples <= SAMPLES_MAX
        assert (each["v"], each["boot"]) == (1, 17)
    least = max(-(-count // SAMPLES_MAX), 0)
    assert least <= len(messages) <= least + count * (width + 40) // 60_000 + 1


def test_the_words_of_a_state() -> None:
    message = _sender().state(1_767_000_000_000, "ready")
    assert message.topic == "tiengiang/v1/salinity/vam-kenh/vk-01/state"
    assert message.payload == b'{"s":"ready","boot":17,"t":1767000000000}'
    assert message.retain


def test_the_mark_of_what_is_simulated_stands_in_each_sample() -> None:
    (message,) = _sender(sim=True).obs(0, [{"t": 1}, {"t": 2}])
    assert message.payload.endswith(b'[{"t":1,"sim":true},{"t":2,"sim":true}]}')
    (plain,) = _sender().obs(0, [{"t": 1}])
    assert b"sim" not in plain.payload
