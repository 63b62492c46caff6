"""Names of fields and classes as devices misspell them, and those that were meant."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from ingest.lint_finding import Finding, hint, warning
from ingest.reading import VEHICLE_CLASSES

_LIKE: Final = 0.75
"""Of two names, how like they are before one passes for a slip of the other (difflib's ratio)."""

UNKNOWN_TOLD: Final = 20
"""So many fields of one object are told one by one."""

LETTERS_MIN: Final = 4
"""A shorter word is like too many."""

_OTHER_NAMES: Final[Mapping[str, str]] = {
    "ec_ms_cm": "ec cond conductivity ecmscm ecms econd conductance ecuscm ecus condmscm raw",
    "ec25_ms_cm": "ec25 sc spcond spc specificconductance speccond cond25 ec25uscm ect",
    "sal_g_l": "sal salinity salgl salinitygl salpsu salppt psu ppt salt doman",
    "temp_c": "temp temperature watertemp wtemp tempc tw tempf nhietdo",
    "depth_m": "depth depthm submergence",
    "level_m": "level waterlevel wl stage h mucnuoc levelm levelcm",
    "battery_v": "battery batt vbat bat vbatt batteryv batterymv",
    "t": "time timestamp ts datetime date at utc epoch tms timems",
    "t0": "start from begin tstart starttime t0ms",
    "t1": "end to until tend endtime stop t1ms",
    "lane": "laneid lanenumber lanenr laneno",
    "dir": "direction heading dirn bound",
    "count": "counts vehicles volume classes",
    "cumulative": "total totals counter counters cum",
    "speed_km_h": "speed speedkmh speedkph kmh kph velocity meanspeed avgspeed speedmph",
    "occupancy": "occ occup occupation",
    "queue_m": "queue queuelength queuem",
    "samples": "sample data readings values records measurements observations obs points",
    "seq": "sequence seqno msgid counter nr n id messageid",
    "boot": "bootcount boots bootid reboots restart",
    "v": "version ver",
    "s": "state status link online",
    "until": "wakeup wake",
    "sim": "simulated test",
    "motorbike": "motorcycle moto motobike motor scooter bike xemay mc twowheeler",
    "car": "auto sedan suv taxi van pickup oto passengercar light",
    "bus": "coach minibus xekhach xebuyt",
    "truck": "lorry hgv xetai heavy",
    "trailer": "container semitrailer semi articulated tractor",
    "bicycle": "cycle xedap cyclist",
}
_MEANT: Final = {
    (known, other) for known, others in _OTHER_NAMES.items() for other in others.split()
}


def meant(name: str, known: Collection[str]) -> str | None:
    """The known name that `name` probably stands for, None where there is none."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for each in known:
        if plain == each.replace("_", "") or (each, plain) in _MEANT:
            return each
    if len(plain) < LETTERS_MIN:
        return None
    called = {each.replace("_", ""): each for each in known}
    for each in known:
        called |= {o: each for o in _OTHER_NAMES.get(each, "").split() if len(o) > LETTERS_MIN}
    near = difflib.get_close_matches(plain, list(called), n=1, cutoff=_LIKE)
    return called[near[0]] if near else None


def unknown_fields(
    sent: Mapping[str, Any], known: Collection[str], where: str
) -> Iterator[Finding]:
    """Fields that are passed over, and those that they are probably misspellings of."""
    strange = [(name, value) for name, value in sent.items() if name not in known]
    for name, value in strange[:UNKNOWN_TOLD]:
        path = f"{where}.{name}" if where else name
        told = None if isinstance(value, list | dict) else value
        instead = meant(name, [each for each in known if sent.get(each) is None])
        if instead is None:
            yield hint("unknown-field", path, told, "no field of that name is read: passed over")
        else:
            text = f"no field of that name is read: did you mean {instead}?{_unit(name, instead)}"
            yield warning("unknown-field", path, told, text)
    if len(strange) > UNKNOWN_TOLD:
        text = f"{len(strange) - UNKNOWN_TOLD:,} more fields that are not read"
        yield hint("unknown-field", where or "payload", None, text)


_UNITS: Final = {
    "ec_ms_cm": "mS/cm at the water's temperature",
    "ec25_ms_cm": "mS/cm at 25 °C",
    "sal_g_l": "g/L",
    "temp_c": "°C",
    "depth_m": "m",
    "level_m": "m",
    "battery_v": "V",
    "t": "whole ms since 1970 UTC",
    "t0": "whole ms since 1970 UTC",
    "t1": "whole ms since 1970 UTC",
    "speed_km_h": "km/h",
    "occupancy": "a share from 0 to 1",
    "queue_m": "m",
}


def _unit(name: str, instead: str) -> str:
    """What the field is in, where the slip is more than one of letters."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    told = instead in _UNITS and plain != instead.replace("_", "")
    return f" It is {_UNITS[instead]}" if told else ""


def unknown_classes(sent: Mapping[str, Any], where: str) -> Iterator[Finding]:
    """Classes of vehicles that are counted as `other`."""
    for name, value in sent.items():
        if name in VEHICLE_CLASSES or value is None:
            continue
        instead = meant(name, [each for each in VEHICLE_CLASSES if each not in sent])
        mend = f"did you mean {instead}?" if instead else f"known are {', '.join(VEHICLE_CLASSES)}"
        text = f"a class that is not known counts as other; {mend}"
        yield warning("unknown-class", f"{where}.{name}", value, text)
