"""What a fault is: whose, when, and how; and what each kind of fault is made of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ingest.reading import FloatArray, IntArray
from ingest.registry import Device
from simulators.columns import Columns
from simulators.message import Message

FOREVER_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""

Window = tuple[int, int]
"""[from, to), ms UTC."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with one device in [from, to), ms UTC.

    device : its id; before a registry is known also a choice such as `probe 2` (see
        `simulators.faults.choice`)
    parameters : what its kind asks for, by name and sorted; `simulators.faults.fault` fills in
        what is not given
    """

    kind: str
    device: str
    from_ms: int
    to_ms: int = FOREVER_MS
    parameters: tuple[tuple[str, float | str], ...] = ()

    def number(self, name: str) -> float:
        return float(dict(self.parameters)[name])

    def text(self, name: str) -> str:
        return str(dict(self.parameters)[name])


class Before(Protocol):
    """Samples as they are before a fault, in any window."""

    def __call__(self, from_ms: int, to_ms: int) -> Columns: ...


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may ask for: its device, the chance that belongs to it, and the truth.

    before : samples as the faults before this one leave them
    level_m : the water level at the device, m, at times int64[N]
    """

    device: Device
    interval_ms: int
    seed: int
    scenario: str
    before: Before
    level_m: Callable[[IntArray], FloatArray]

    def names(self, fault: Fault, what: str = "") -> tuple[str, ...]:
        """Whose chance it is: the same fault at another time draws anew."""
        return self.scenario, self.device.id, fault.kind, str(fault.from_ms), what


class Sent(NamedTuple):
    """A message with the moment at which its device sends it; it arrives at its `publish_ms`."""

    sent_ms: int
    message: Message


ChangeSamples = Callable[[Columns, Fault, Scene], Columns]
ChangeMessages = Callable[[Iterator[Sent], Fault, Scene], Iterator[Sent]]
Windows = Callable[[Fault, Scene, int, int], Sequence[Window]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a kind of fault, with the range that is accepted."""

    name: str
    default: float
    low: float
    high: float
    unit: str
    says: str


def whole(fault: Fault, scene: Scene, from_ms: int, to_ms: int) -> Sequence[Window]:
    """The fault's own time, as far as it lies in [from, to)."""
    del scene
    begin, end = max(fault.from_ms, from_ms), min(fault.to_ms, to_ms)
    return ((begin, end),) if begin < end else ()


@dataclass(frozen=True, slots=True)
class SampleFault:
    """A kind that changes samples.

    quantities : what it may be about, by kind of device; the first is meant where none is named.
        Empty: it is about the samples as a whole, or about one thing alone
    about : the quantity that its label names, where `quantities` is empty
    """

    change: ChangeSamples
    does: str
    perfect: str
    kinds: tuple[str, ...] = ("salinity", "traffic")
    parameters: tuple[Parameter, ...] = ()
    quantities: tuple[str, ...] = ()
    about: str = ""
    windows: Windows = whole


@dataclass(frozen=True, slots=True)
class MessageFault:
    """A kind that changes messages on their way; `change` is None where the device itself does.

    ends : something happens at its end, so it needs one
    """

    change: ChangeMessages | None
    does: str
    perfect: str
    kinds: tuple[str, ...] = ("salinity", "traffic")
    parameters: tuple[Parameter, ...] = ()
    windows: Windows = whole
    ends: bool = False
