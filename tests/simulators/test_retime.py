"""Payloads moved in time: what must change does, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.retime import Change, changed, counters

SHIFT = Change(shift_ms=1000, boot=10)
NAMES = st.sampled_from(["t", "t0", "t1", "ec_ms_cm", "health", "mặn"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(NAMES | st.text(), inner, max_size=2)
    ),
    max_leaves=5,
).filter(lambda value: "\ud800" not in repr(value))
SAMPLES = st.lists(
    st.fixed_dictionaries(
        {"t": st.integers(10**12, 2 * 10**12)}, optional={"x": VALUES, "health": VALUES}
    )
    | VALUES,
    max_size=4,
)


def _told(leaf: str, payload: str, change: Change = SHIFT) -> str | None:
    found = changed(leaf, payload.encode(), change)
    return None if found is None else found[0].decode()


def test_times_and_boots_of_samples_move_and_all_else_keeps_its_bytes() -> None:
    payload = (
        '{"v":1, "boot":17,"seq":8812,"samples":[{"t":1767000000000,"ec_ms_cm":12.310,'
        '"health":{"t":5}},{"t0":1,"t1":2,"level_m":1E-2,"why":"\\"t\\":5"}],"x":1e999}'
    )
    assert _told("obs", payload) == (
        '{"v":1,"boot":27,"seq":8812,"samples":[{"t":1767000001000,"ec_ms_cm":12.310,'
        '"health":{"t":5}},{"t0":1001,"t1":1002,"level_m":1E-2,"why":"\\"t\\":5"}],"x":1e999}'
    )


def test_a_sample_that_is_none_stays_and_the_others_move() -> None:
    payload = '{"samples":[{"t":"soon"},5,{"t":1.0},{"t":1.5},{"t":null},{"t":7}]}'
    told = '{"samples":[{"t":"soon"},5,{"t":1.0},{"t":1.5},{"t":null},{"t":1007}]}'
    assert _told("obs", payload) == told
    assert changed("obs", payload.encode(), SHIFT) == (told.encode(), 6)


def test_a_state_moves_too() -> None:
    state = '{"s":"sleeping","boot":17,"t":5,"until":6}'
    assert _told("state", state) == '{"s":"sleeping","boot":27,"t":1005,"until":1006}'
    assert _told("state", '{"s":"lost"}') == '{"s":"lost"}'


def test_the_mark_of_a_simulation() -> None:
    for said in ('{"samples":[],"sim":false}', '{"samples":[],"sim":true}', '{"samples":[]}'):
        assert _told("obs", said, Change(sim=True)) == '{"samples":[],"sim":true}'


DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"samples":',
        b'{"samples":{}}',
        b'{"samples":%b}' % DEEP,
        b'{"samples":[],"x":%b}' % DEEP,
    ],
)
def test_what_cannot_be_read_is_left(payload: bytes) -> None:
    assert changed("obs", payload, SHIFT) is None
    assert changed("state", b"\xff" + payload, SHIFT) is None


def test_numbers_in_what_is_nested_too_deep_are_none() -> None:
    assert counters(b'{"boot":1,"samples":%b}' % DEEP) is None


@given(SAMPLES, st.integers(-(10**9), 10**9), st.integers(0, 100), st.booleans())
def test_moved_there_and_back_it_says_the_same(
    samples: list[object], shift_ms: int, boot: int, spaced: bool
) -> None:
    said = {"v": 1, "boot": 5, "seq": 9, "samples": samples, "mặn": 0.1}
    text = json.dumps(said, ensure_ascii=spaced, indent=2 if spaced else None)
    there = changed("obs", text.encode(), Change(shift_ms, boot, 3))
    assert there is not None
    moved = json.loads(there[0])
    assert (moved["boot"], moved["seq"], there[1]) == (5 + boot, 12, len(samples))
    for before, after in zip(samples, moved["samples"], strict=True):
        if isinstance(before, dict) and type(before.get("t")) is int:
            assert after["t"] == before["t"] + shift_ms
    back = changed("obs", there[0], Change(-shift_ms, -boot, -3))
    assert back is not None
    assert json.loads(back[0]) == json.loads(text)


def test_numbers_are_found() -> None:
    found = counters(b'{"boot":3,"seq":4,"samples":[{},{}]}')
    assert found is not None
    assert (found.boot, found.seq, len(found.samples)) == (3, 4, 2)
    assert counters(b'{"boot":"3"}') is None
