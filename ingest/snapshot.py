"""State as bytes: dictionaries, lists, numbers, text and NumPy arrays, in msgpack."""

from typing import Any

import msgspec
import numpy as np

_ARRAY = 1


def pack(state: Any) -> bytes:
    """Bytes of a snapshot; the same state gives the same bytes."""
    return msgspec.msgpack.encode(state, enc_hook=_encode, order="deterministic")


def unpack(body: bytes) -> Any:
    """The snapshot again; arrays are writable copies."""
    return msgspec.msgpack.decode(body, ext_hook=_decode)


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        head = msgspec.msgpack.encode((value.dtype.str, value.shape))
        return msgspec.msgpack.Ext(_ARRAY, len(head).to_bytes(2, "big") + head + value.tobytes())
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a snapshot can't hold {type(value).__name__}")


def _decode(code: int, body: memoryview) -> Any:
    if code != _ARRAY:
        raise ValueError(f"extension {code} in a snapshot; known is {_ARRAY}")
    cut = 2 + int.from_bytes(body[:2], "big")
    dtype, shape = msgspec.msgpack.decode(body[2:cut])
    return np.frombuffer(body[cut:], dtype=dtype).reshape(shape).copy()
