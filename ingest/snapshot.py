"""State as bytes: dictionaries, lists, numbers, text and NumPy arrays, in msgpack.

A large one is compressed: memories of series that have said little are mostly empty, and of a
hundred thousand devices they would be more than SQLite takes as one value (10^9 bytes).
"""

import zlib
from typing import Any, Final

import msgspec
import numpy as np

COMPRESS_FROM_BYTES: Final = 2**22
_ARRAY = 1
_PACKED = b"\x78"
"""How zlib begins; a state is a map, and no map of msgpack begins so."""


def pack(state: Any) -> bytes:
    """Bytes of a snapshot; the same state gives the same bytes."""
    body = msgspec.msgpack.encode(state, enc_hook=_encode, order="deterministic")
    return body if len(body) < COMPRESS_FROM_BYTES else zlib.compress(body, 1)


def unpack(body: bytes) -> Any:
    """The snapshot again; arrays are writable copies."""
    if body.startswith(_PACKED):
        body = zlib.decompress(body)
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
