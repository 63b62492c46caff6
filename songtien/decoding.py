"""What probes say in a piece of a recording, decoded in one go: without a registry, in columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import numpy as np

from ingest.payload import decode_probes_at_once
from ingest.reading import BoolArray, FloatArray, IntArray
from ingest.salinity import INPUTS, derive, dry

_COLUMNS: Final = [attrgetter(name) for name in INPUTS]


@dataclass(frozen=True, slots=True)
class Decoded:
    """N messages, as far as each is one measured sample of a probe with a number.

    plain : bool[N], of which messages the rest can be relied on
    boot, seq, t_ms : int64[N]; dry : bool[N]
    value : float64[N] of each quantity that any of them has, NaN for none
    """

    plain: BoolArray
    boot: IntArray
    seq: IntArray
    t_ms: IntArray
    value: Mapping[str, FloatArray]
    dry: BoolArray

    def cut(self, begin: int, end: int) -> "Decoded":
        part = slice(begin, end)
        return Decoded(
            self.plain[part],
            self.boot[part],
            self.seq[part],
            self.t_ms[part],
            {name: column[part] for name, column in self.value.items()},
            self.dry[part],
        )

    def then(self, other: "Decoded") -> "Decoded":
        mine, its = len(self.plain), len(other.plain)
        return Decoded(
            np.concatenate([self.plain, other.plain]),
            np.concatenate([self.boot, other.boot]),
            np.concatenate([self.seq, other.seq]),
            np.concatenate([self.t_ms, other.t_ms]),
            {
                name: np.concatenate(
                    [
                        self.value.get(name, np.full(mine, np.nan)),
                        other.value.get(name, np.full(its, np.nan)),
                    ]
                )
                for name in {**self.value, **other.value}
            },
            np.concatenate([self.dry, other.dry]),
        )


def decoded(names: Sequence[str], codes: IntArray, payloads: Sequence[str | bytes]) -> Decoded:
    """Decode what looks like a probe's samples: `names[codes[i]]` is the topic of `payloads[i]`."""
    probes = np.array([name.endswith("/obs") and "/salinity/" in name for name in names])
    plain = probes[codes] if len(names) else np.zeros(0, dtype=np.bool_)
    n = len(codes)
    boot, t_ms = np.zeros((2, n), dtype=np.int64)
    seq = np.full(n, -1, dtype=np.int64)
    columns = {name: np.full(n, np.nan) for name in INPUTS}
    for at, messages in _read(payloads, np.flatnonzero(plain)):
        heard = [message.samples[0] for message in messages]
        boot[at] = [message.boot or 0 for message in messages]
        one = np.array([len(message.samples) == 1 and not message.sim for message in messages])
        one &= ~np.array([sample.sim for sample in heard], dtype=np.bool_)
        numbers = np.array([-1 if m.seq is None else m.seq for m in messages], dtype=np.int64)
        seq[at] = np.where(one, numbers, -1)
        t_ms[at] = [sample.t for sample in heard]
        for name, get in zip(INPUTS, _COLUMNS, strict=True):
            columns[name][at] = np.array(list(map(get, heard)), dtype=np.float64)
    some = np.zeros(n, dtype=np.bool_)
    for column in columns.values():
        some |= ~np.isnan(column)
    quantities = derive(columns)
    value = {name: found for name, found in quantities.items() if not np.isnan(found).all()}
    return Decoded(plain & some & (seq >= 0), boot, seq, t_ms, value, dry(columns))


def _read(
    payloads: Sequence[str | bytes], at: IntArray
) -> Iterator[tuple[IntArray, Sequence[Any]]]:
    """Messages read together; where that can't be done, half of them at a time."""
    if not len(at):
        return
    everything = len(at) == len(payloads)
    chosen = payloads if everything else [payloads[n] for n in at.tolist()]
    found = decode_probes_at_once(chosen)
    if found is not None:
        yield at, found
    elif len(at) > 1:
        middle = len(at) // 2
        yield from _read(payloads, at[:middle])
        yield from _read(payloads, at[middle:])
