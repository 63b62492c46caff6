from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ingest.snapshot import pack, unpack

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.binary(), st.floats()
)
ARRAYS = arrays.arrays(
    st.sampled_from([np.int64, np.float64, np.uint8, np.uint16, np.bool_]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
STATES = st.recursive(
    st.one_of(PLAIN, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and a.shape == b.shape
            and a.tobytes() == b.tobytes()
        )
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))  # noqa: PLR0124 - NaN


@given(STATES)
def test_what_was_packed_comes_back_and_packs_to_the_same_bytes(state: Any) -> None:
    body = pack(state)
    found = unpack(body)
    assert same(state, found)
    assert pack(found) == body


@given(st.dictionaries(st.text(), st.integers(0, 9), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_the_bytes(state: dict[str, int], random: Any) -> None:
    keys = list(state)
    random.shuffle(keys)
    assert pack({key: state[key] for key in keys}) == pack(state)


def test_arrays_come_back_writable_whatever_their_layout() -> None:
    column = np.arange(12).reshape(3, 4)
    found = unpack(pack([column.T, column[:, ::2], np.asfortranarray(column)]))
    for mine, theirs in zip((column.T, column[:, ::2], column), found, strict=True):
        assert theirs.tolist() == mine.tolist()
        theirs[...] = 0


def test_numbers_of_numpy_become_plain_ones() -> None:
    found = unpack(pack([np.int64(3), np.float64(0.5), np.bool_(True)]))
    assert found == [3, 0.5, True]


def test_what_can_not_be_kept_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        pack({"x": 1j})
    with pytest.raises(ValueError, match="extension 7"):
        unpack(msgspec.msgpack.encode(msgspec.msgpack.Ext(7, b"")))


def test_a_large_state_is_small_on_disk_and_the_same_again() -> None:
    state = {"memory": np.full((1000, 1000), np.nan), "seen": np.arange(1000), "name": "xh-01"}
    packed = pack(state)
    assert len(packed) < 100_000
    again = unpack(packed)
    np.testing.assert_array_equal(again["memory"], state["memory"])
    np.testing.assert_array_equal(again["seen"], state["seen"])
    assert again["name"] == "xh-01"
    assert pack(again) == packed
