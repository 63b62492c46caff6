"""Keys and stretches as bytes, and back.

Columns are written byte by byte of their significance, one after the other: what hardly
changes from row to row then lies together, and deflate makes little of it.
"""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from alerts.desk import Desk
from ingest.journal import Config
from ingest.reading import Batch, IntArray
from songtien.news import Pictures
from songtien.rewind.patch import difference, patched
from songtien.rewind.scene import Change, Key, Stretch

VERSION = 1
LEVEL = 6
SCALE = 1e4
"""Values are rounded to 1e-4, so whole numbers hold them exactly."""

EXACT_MAX = 2.0**52
CONFLATED_MS = 1_000
"""Of several values of a series within one second the last is written."""

Tree = dict[str, Any]


class CodecError(Exception):
    """Bytes of another version of the service, or damaged ones."""


def packed(document: Any) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(document), LEVEL)


def unpacked(body: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(zlib.decompress(body))
    except (zlib.error, msgspec.DecodeError) as error:
        raise CodecError(str(error)) from error


def tree_of(pictures: Pictures) -> Tree:
    """Pictures as plain dicts and lists, which can be compared."""
    told = [pictures.river, pictures.bridges, pictures.advice]
    river, bridges, advice = msgspec.msgpack.decode(msgspec.msgpack.encode(told))
    return {"river": river, "bridges": bridges, "advice": advice}


def pictures_of(tree: Tree) -> Pictures:
    return Pictures(tree["river"], tree["bridges"], tree["advice"])


# What is in force.


def pack_config(config: Config, keys: Sequence[str]) -> tuple[str, bytes]:
    """A digest by which it is told from others, and the bytes."""
    plain = [config.registry, config.rules, config.reorder_s, list(keys)]
    digest = hashlib.sha256(msgspec.msgpack.encode(plain)).hexdigest()
    return digest, packed(plain)


def unpack_config(body: bytes) -> tuple[Config, list[str]]:
    registry, rules, reorder_s, keys = unpacked(body)
    return Config(registry, rules, reorder_s), keys


# Keys.


def pack_key(key: Key) -> bytes:
    return packed(
        {
            "v": VERSION,
            "at": key.at_ms,
            "newest": _columns(key.newest, key.newest.t_ms),
            "links": dict(key.links),
            "alerts": list(key.alerts),
            "position": key.position,
            "desk": dict(key.desk),
            "pictures": tree_of(key.pictures),
        }
    )


def unpack_key(body: bytes, config: Config, keys: Sequence[str]) -> Key:
    found = _of_this_version(unpacked(body))
    t_ms, newest = _batch(found["newest"])
    return Key(
        found["at"],
        config,
        keys,
        Batch(newest.series, t_ms, newest.value, newest.flag, newest.why),
        found["links"],
        found["alerts"],
        found["position"],
        found["desk"],
        pictures_of(found["pictures"]),
    )


# Stretches.


def stretch_of(changes: Sequence[tuple[int, Change]]) -> Stretch:
    """Changes as they came, times rising; of each series one value a second, the newest."""
    values = [(at_ms, each.newest) for at_ms, each in changes if len(each.newest)]
    others = [(at_ms, _without_values(each)) for at_ms, each in changes if _says_more(each)]
    if not values:
        return Stretch(np.zeros(0, dtype=np.int64), Batch.empty(), others)
    rows = Batch.concat([batch for _, batch in values])
    at = np.repeat([at_ms for at_ms, _ in values], [len(batch) for _, batch in values])
    # As the hub takes them: an older one is history, of equal times the one given last counts.
    order = np.lexsort((rows.t_ms, at // CONFLATED_MS, rows.series))
    series, second = rows.series[order], at[order] // CONFLATED_MS
    last = np.r_[(series[1:] != series[:-1]) | (second[1:] != second[:-1]), True]
    kept = np.sort(order[last])
    return Stretch(at[kept], rows.take(kept), others)


def joined(stretches: Sequence[Stretch]) -> Stretch:
    """Several that follow each other as one."""
    return Stretch(
        np.concatenate([np.zeros(0, dtype=np.int64), *(each.at_ms for each in stretches)]),
        Batch.concat([each.rows for each in stretches if len(each.rows)]),
        [other for each in stretches for other in each.others],
    )


class Packer:
    """Stretches to bytes, one after the other: of pictures only what changed since the last."""

    def __init__(self, pictures: Pictures) -> None:
        self._tree = tree_of(pictures)

    def pack(self, stretch: Stretch) -> bytes:
        others = [[at_ms, self._other(each)] for at_ms, each in stretch.others]
        return packed({"v": VERSION, "rows": _columns(stretch.rows, stretch.at_ms), "more": others})

    def _other(self, change: Change) -> Tree:
        found: Tree = {}
        if change.links:
            found["links"] = dict(change.links)
        if change.events:
            found["events"] = [[position, dict(event)] for position, event in change.events]
        if change.desk is not None:
            found["desk"] = change.desk.snapshot()
        if change.pictures is not None:
            tree = tree_of(change.pictures)
            found["pictures"], self._tree = difference(self._tree, tree), tree
        return found


class Unpacker:
    """The way back; the stretches of a segment in their order, beginning with its key's pictures."""

    def __init__(self, pictures: Pictures) -> None:
        self._tree = tree_of(pictures)

    def unpack(self, body: bytes) -> Stretch:
        found = _of_this_version(unpacked(body))
        at_ms, rows = _batch(found["rows"])
        return Stretch(at_ms, rows, [(at, self._change(each)) for at, each in found["more"]])

    def _change(self, found: Tree) -> Change:
        pictures = None
        if "pictures" in found:
            self._tree = patched(self._tree, found["pictures"])
            pictures = pictures_of(self._tree)
        return Change(
            links=found.get("links", {}),
            events=[(position, event) for position, event in found.get("events", ())],
            desk=Desk(found["desk"]) if "desk" in found else None,
            pictures=pictures,
        )


def _says_more(change: Change) -> bool:
    told = change.links or change.events or change.desk or change.pictures
    return bool(told)


def _without_values(change: Change) -> Change:
    return Change(Batch.empty(), change.links, change.events, change.desk, None, change.pictures)


def _of_this_version(found: Tree) -> Tree:
    if found.get("v") != VERSION:
        raise CodecError(f"version {found.get('v')}, not {VERSION}")
    return found


def _columns(rows: Batch, at_ms: IntArray) -> Tree:
    """Observed times as their distance from `at_ms`, which is nearly the same for all."""
    scaled = np.round(rows.value * SCALE)
    exact = bool((np.abs(scaled) < EXACT_MAX).all() and (scaled / SCALE == rows.value).all())
    value = scaled.astype(np.int64) if exact else rows.value
    steps = np.diff(at_ms, prepend=0)
    return {
        "n": len(rows),
        "at": _shuffled(steps),
        "age": _shuffled(at_ms - rows.t_ms),
        "series": _shuffled(rows.series),
        "value": _shuffled(value),
        "exact": exact,
        "flag": rows.flag.tobytes(),
        "why": _shuffled(rows.why),
    }


def _batch(found: Tree) -> tuple[IntArray, Batch]:
    count = found["n"]
    at_ms = np.cumsum(_unshuffled(found["at"], "<i8", count))
    t_ms = at_ms - _unshuffled(found["age"], "<i8", count)
    if found["exact"]:
        value = _unshuffled(found["value"], "<i8", count) / SCALE
    else:
        value = _unshuffled(found["value"], "<f8", count)
    flag = np.frombuffer(found["flag"], dtype=np.uint8)
    why = _unshuffled(found["why"], "<u2", count)
    return at_ms, Batch(_unshuffled(found["series"], "<i8", count), t_ms, value, flag, why)


def _shuffled(column: NDArray[Any]) -> bytes:
    little = np.ascontiguousarray(column.astype(column.dtype.newbyteorder("<")))
    return little.view(np.uint8).reshape(len(column), column.dtype.itemsize).T.tobytes()


def _unshuffled(body: bytes, kind: str, count: int) -> NDArray[Any]:
    dtype = np.dtype(kind)
    rows = np.frombuffer(body, dtype=np.uint8).reshape(dtype.itemsize, count)
    return np.ascontiguousarray(rows.T).view(dtype).reshape(count)
