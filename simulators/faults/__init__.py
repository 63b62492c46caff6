"""Everything that goes wrong with probes, cameras and their links, in one table.

Faults of samples are pure functions of columns, faults of messages generators over a device's
stream. Several may stand on one device at a time; they are applied in the order of the table,
and two of one kind in the order of their beginnings.
"""

from collections.abc import Iterable, Mapping

from simulators.faults.boots import FLAPPING, REBOOT
from simulators.faults.clock import CLOCK_DRIFT, CLOCK_STEP
from simulators.faults.counters import COUNTER_RESET
from simulators.faults.fault import (
    FOREVER_MS,
    Fault,
    MessageFault,
    Parameter,
    SampleFault,
    Scene,
    Sent,
)
from simulators.faults.garbled import CORRUPT, TRUNCATED
from simulators.faults.instrument import CALIBRATION_STEP, DRIFT, NOISE, SPIKE, STUCK
from simulators.faults.link import BURST, GAP, SILENT_DEATH
from simulators.faults.missing import DROPOUT
from simulators.faults.order import DUPLICATE, LATE, REORDER
from simulators.faults.units import EC25_AS_EC, UNIT_MIX_UP
from simulators.faults.water import FOULING, OUT_OF_WATER

__all__ = [
    "FOREVER_MS",
    "KINDS",
    "MESSAGES",
    "SAMPLES",
    "Fault",
    "MessageFault",
    "Parameter",
    "SampleFault",
    "Scene",
    "Sent",
    "fault",
    "in_order",
    "needs_end",
]

SAMPLES: Mapping[str, SampleFault] = {
    # The cell, then its electronics, what the logger makes of it, and its clock.
    "fouling": FOULING,
    "out-of-water": OUT_OF_WATER,
    "noise": NOISE,
    "drift": DRIFT,
    "calibration-step": CALIBRATION_STEP,
    "ec25-as-ec": EC25_AS_EC,
    "spike": SPIKE,
    "stuck": STUCK,
    "unit-mix-up": UNIT_MIX_UP,
    "counter-reset": COUNTER_RESET,
    "dropout": DROPOUT,
    "clock-drift": CLOCK_DRIFT,
    "clock-step": CLOCK_STEP,
}

MESSAGES: Mapping[str, MessageFault] = {
    # The device, its payloads, then the way.
    "reboot": REBOOT,
    "flapping": FLAPPING,
    "silent-death": SILENT_DEATH,
    "truncated": TRUNCATED,
    "corrupt": CORRUPT,
    "gap": GAP,
    "reorder": REORDER,
    "duplicate": DUPLICATE,
    "late": LATE,
    "burst": BURST,
}

KINDS: Mapping[str, SampleFault | MessageFault] = {**SAMPLES, **MESSAGES}
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Faults in the order in which they are applied, whatever order they are given in."""
    return tuple(sorted(faults, key=lambda f: (_RANK[f.kind], f.from_ms, f.to_ms, f.parameters)))


def needs_end(kind: str) -> bool:
    """Whether a kind does something when it is over: a device is born, what was held comes."""
    of = KINDS[kind]
    return isinstance(of, MessageFault) and of.ends


def fault(
    kind: str,
    device: str,
    from_ms: int,
    to_ms: int = FOREVER_MS,
    *,
    quantity: str = "",
    **parameters: float,
) -> Fault:
    """A fault with the defaults of its kind; raises ValueError that says what is accepted."""
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r}: accepted are {', '.join(KINDS)}")
    if not from_ms < to_ms:
        raise ValueError(f"{kind}: from {from_ms} to {to_ms}: accepted is an end behind the start")
    of = KINDS[kind]
    if needs_end(kind) and to_ms >= FOREVER_MS:
        raise ValueError(f"{kind}: it is missing when it ends")
    values: dict[str, float | str] = {each.name: each.default for each in of.parameters}
    ranges = {each.name: (each.low, each.high) for each in of.parameters}
    for name, value in parameters.items():
        if name not in ranges:
            known = ", ".join(ranges) or "none"
            raise ValueError(f"{kind}: parameter {name!r}: accepted are {known}")
        low, high = ranges[name]
        if not low <= value <= high:
            raise ValueError(f"{kind}: {name} {value}: accepted is a number from {low} to {high}")
        values[name] = float(value)
    if isinstance(of, SampleFault) and of.quantities:
        if quantity not in {"", *of.quantities}:
            raise ValueError(f"{kind}: quantity {quantity!r}: accepted: {', '.join(of.quantities)}")
        values["quantity"] = quantity
    elif quantity:
        raise ValueError(f"{kind}: quantity {quantity!r}: it takes none")
    return Fault(kind, device, from_ms, to_ms, tuple(sorted(values.items())))
