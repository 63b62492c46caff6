"""Which devices a fault is about: one by its id, or by its place among those of a registry.

A scenario that comes with the program is played on any registry, so it names devices by number.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.registry import Device, Registry
from ingest.tables import ID, did_you_mean
from simulators.faults import KINDS, Fault, SampleFault
from simulators.faults.quantity import quantity_of

ACCEPTED = (
    "accepted is a device's id, `probe 2`, `camera 1` (by number in the registry, counted on from "
    "the first again), `probe beyond 35 km`, `probes` or `cameras`"
)

_NUMBER = re.compile(r"(probe|camera) ([1-9]\d{0,3})")
_BEYOND = re.compile(r"probe beyond (\d{1,3}(?:\.\d+)?) km")
_ALL = {"probes": "salinity", "cameras": "traffic"}
_KIND = {"probe": "salinity", "camera": "traffic"}


def is_choice(text: str) -> bool:
    """Whether a text can name devices."""
    forms = (ID, _NUMBER, _BEYOND)
    return text in _ALL or any(form.fullmatch(text) for form in forms)


def chosen(fault: Fault, registry: Registry, devices: Sequence[Device]) -> list[Fault]:
    """The fault for each device that it means; raises ValueError that says what is accepted."""
    named = {device.id: device for device in devices}
    if fault.device in named:
        why = _not_able(fault, named[fault.device])
        if why:
            raise ValueError(why)
        return [fault]
    able = [device for device in devices if not _not_able(fault, device)]
    found = _among(fault.device, registry, able)
    if found is None:
        raise ValueError(f"{did_you_mean(fault.device, list(named))}; {ACCEPTED}")
    if not found:
        raise ValueError(f"the registry has no such device that can have {fault.kind}")
    return [replace(fault, device=device.id) for device in found]


def _among(text: str, registry: Registry, able: list[Device]) -> list[Device] | None:
    """The devices that a choice means; None where it is none."""
    if text in _ALL:
        return [device for device in able if device.kind == _ALL[text]]
    if by_number := _NUMBER.fullmatch(text):
        of_kind = [device for device in able if device.kind == _KIND[by_number[1]]]
        place = int(by_number[2]) - 1
        return of_kind[place % len(of_kind) :][:1] if of_kind else []
    if by_km := _BEYOND.fullmatch(text):
        probes = [device for device in able if device.kind == "salinity"]
        km = float(by_km[1])
        inland = [d for d in probes if (registry.stations[d.station].nearest_km or 0.0) > km]
        return (inland or probes)[:1]
    return None


def _not_able(fault: Fault, device: Device) -> str:
    """Why a device cannot have this fault; empty if it can."""
    kind = KINDS[fault.kind]
    if device.kind not in kind.kinds:
        return f"{fault.kind} is of {' and '.join(kind.kinds)}; {device.id} is {device.kind}"
    announced = device.announced
    compensated = "conductivity_25_ms_cm" in announced and "conductivity_ms_cm" not in announced
    if fault.kind == "ec25-as-ec" and compensated:
        return f"{device.id} sends what is compensated to 25 °C by its name"
    if isinstance(kind, SampleFault) and kind.quantities:
        return _not_sent(quantity_of(fault, device), device)
    return ""


def _not_sent(quantity: str, device: Device) -> str:
    by_default = {
        "salinity": ("salinity_g_l", "temperature_c"),
        "traffic": ("speed_km_h", "occupancy", "queue_m"),
    }
    sent = {*by_default[device.kind], *(device.announced if device.kind == "salinity" else ())}
    return "" if quantity in sent else f"{device.id} does not send {quantity}"
