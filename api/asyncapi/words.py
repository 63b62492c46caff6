"""What the fields of `live.v1` and of device topics mean, and what stands in those that the
codecs leave open because they are encoded already or judged later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.alert import EventType
from api import rewind
from api.auth import ROLES
from api.live import frames, terms
from api.live.ages import WORDS as AGES
from api.live.terms import Limits
from api.live.where import ALERT_FIELDS, STATE_FIELDS, VALUES_MAX
from api.moments import YEAR_2100_MS
from ingest.reading import EPOCH_2000_MS, QUANTITIES

Words = Mapping[str, str]
Open = Mapping[str, Any]
"""A schema for a field that the codec takes or gives as it is."""

TIME: Final = "ms since 1970, UTC"
POSITION: Final = "opaque"
_ID: Final = "rises with each request; the answer carries the same"
_SUB: Final = "number of the subscription"
_VER: Final = "the version that the officer saw; another by now is `err` 409"

FIELDS: Final[Mapping[str, Words]] = {
    "Auth": {
        "id": _ID,
        "token": "a bearer token, or a one-use ticket of `POST /api/v1/live-ticket`; absent where "
        "people may look without one",
        "at": "the past is shown, from this time on",
        "speed": f"how fast it plays, at most {rewind.SPEED_MAX:g} times the pace of the clock; 0 "
        "stands still, absent is 1",
    },
    "Sub": {
        "id": _ID,
        "chan": "what of",
        "where": "an AND of fields, each an OR over its list; absent is everything",
        "max_hz": "deltas a second at most, of `state`; absent is as they come",
        "pos": "the position that you hold; absent is none",
    },
    "Unsub": {"id": _ID, "sub": _SUB},
    "Call": {"id": _ID, "m": "what to do", "p": "with what"},
    "AlertAck": {"id": "of the alert", "ver": _VER, "note": "words for the colleagues"},
    "AlertShelve": {
        "id": "of the alert",
        "ver": _VER,
        "until": f"end of the shelving, a minute to seven days ahead; {TIME}",
        "reason": "everybody may see it",
    },
    "AlertUnshelve": {"id": "of the alert", "ver": _VER, "note": "words for the colleagues"},
    "AlertNote": {"id": "of the alert", "ver": _VER, "note": "words for the colleagues"},
    "Hello": {
        "id": "of the `auth`",
        "role": "what you may do",
        "now": f"the service's clock; {TIME}",
        "ping_s": "seconds of quiet after which a `ping` comes",
        "limits": "of this connection",
        "name": "that of the token; who came without one has none",
        "rewind": "the past is shown, and each `now` is of the time in it",
    },
    "HelloRewind": {
        "at": f"the time that it begins with; {TIME}",
        "speed": "how fast it plays",
        "source": "as the wall was (`recorded`), from stored readings, or nothing is known",
    },
    "HelloLimits": {
        "subs": "subscriptions open at a time",
        "frame": "bytes of a frame",
        "max_hz": "the highest `max_hz`",
    },
    "SubOk": {
        "id": "of the `sub`",
        "sub": _SUB,
        "recovered": "true: what you missed follows from your position; false: a snapshot follows",
        "pos": "where it begins",
    },
    "Snap": {
        "sub": _SUB,
        "more": "whether further pages follow",
        "pos": "the same on all pages; deltas go on from it",
        "items": "whole",
    },
    "Delta": {
        "sub": _SUB,
        "from": "it is good only for who holds this position",
        "pos": "the position afterwards",
        "set": "items by `k` with what changed: merge the fields, `null` takes one away, a new "
        "key comes whole",
        "del": "keys that are no more",
        "merged": "updates overwritten since the last delta, because you are slow or asked so",
    },
    "Event": {
        "sub": _SUB,
        "from": "it is good only for who holds this position",
        "pos": "the position afterwards",
        "type": "what happened; take the alert also where you don't know the type",
        "alert": "whole, in the place of what you had",
        "at": f"when; {TIME}",
        "who": "the officer, for operators alone",
        "note": "the officer's words, for operators alone",
    },
    "Reset": {"sub": _SUB, "why": "`overflow` is kept for later"},
    "Ping": {
        "now": f"the service's clock; {TIME}",
        "pos": "by subscription, the position that you should hold now",
        "speed": "where the past is shown: how fast it plays now",
    },
    "Ret": {"id": "of the request", "ok": "what came of it"},
    "Err": {"id": "of the request", "code": "as of HTTP", "msg": "in words, what is accepted"},
    "Item": {
        "k": "key of the series",
        "v": "the newest value; absent where there is none yet",
        "t": f"when it was observed; {TIME}",
        "q": "quality: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing",
        "st": "age of the value, pushed when time alone changes it",
        "station": "absent where it is of a mouth",
        "device": "what says it",
        "kind": "of the series",
        "quantity": "what is measured",
        "unit": "of the value",
        "branch": "the branches that it is on",
        "expected_s": "seconds between two samples of the device",
        "direction": "of a bridge",
        "level": "of a probe at several depths",
        "link": "what the device last said of its link, apart from the age of its values",
        "sim": "true: nobody measured it",
        "bound": "the value is no figure but a bound: the truth is above or below it",
    },
    "Observations": {
        "v": "version of the payload",
        "samples": "one bad sample takes none of the others with it",
        "boot": "rises with each start of the device",
        "seq": "rises by one with each message of a boot",
        "sim": "true: nobody measured these samples; they reach no farmer and no gate",
    },
    "SalinitySample": {
        "t": "when it was measured",
        "ec_ms_cm": "conductivity at the water's temperature",
        "ec25_ms_cm": "conductivity compensated to 25 °C by the probe",
        "sal_g_l": "salinity by the probe's own reckoning",
        "temp_c": "temperature of the water",
        "depth_m": "of water over the probe",
        "level_m": "above the datum that `meta` names",
        "battery_v": "voltage of the battery",
        "sim": "nobody measured it",
    },
    "TrafficSample": {
        "t0": "beginning of the interval",
        "t1": "its end, not included, at most a day later: the time of the reading",
        "lane": "as registered for the direction",
        "dir": "direction, as registered for the station",
        "count": "vehicles in the interval, by class; an unknown class is `other`",
        "cumulative": "totals since the camera's last reset, in place of `count`",
        "speed_km_h": "mean speed",
        "occupancy": "share of the time that the lane is taken",
        "queue_m": "length of the queue",
        "health": "of the camera; taken and not kept",
        "sim": "nobody measured it",
    },
    "DeviceState": {
        "s": "`lost` is the last will",
        "boot": "a `lost` of an older boot than the one known is passed over",
        "t": "before 2000 too: a device is born before its clock is set",
        "until": "needed with `sleeping`: no data is no alert before",
    },
    "Ack": {"boot": "the boot heard last"},
}
"""By struct and field as on the wire. Structs of `bodies` carry most of their own."""


def _where(fields: Sequence[str]) -> dict[str, Any]:
    values = {"type": "array", "items": {"type": "string"}, "maxItems": VALUES_MAX}
    return {
        "type": "object",
        "properties": dict.fromkeys(fields, values),
        "additionalProperties": False,
    }


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": ref(name)}


def nullable(schema: Open) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


WHERE: Final = {"state": _where(STATE_FIELDS), "alerts": _where(ALERT_FIELDS)}
CHANNELS: Final = tuple(WHERE)
LIMITS: Final = Limits()
"""As the service has them."""

_HZ: Final = {"type": "number", "minimum": LIMITS.min_hz, "maximum": LIMITS.max_hz}

OPEN: Final[Mapping[tuple[str, str], Open]] = {
    ("Auth", "at"): {
        "anyOf": [
            {"type": "integer", "minimum": EPOCH_2000_MS, "maximum": YEAR_2100_MS},
            {"type": "string", "description": "RFC 3339 with its offset"},
            {"type": "null"},
        ]
    },
    ("Auth", "speed"): nullable({"type": "number", "minimum": 0, "maximum": rewind.SPEED_MAX}),
    ("HelloRewind", "source"): {"enum": [rewind.RECORDED, rewind.REBUILT, rewind.NOTHING]},
    ("Sub", "chan"): {"enum": list(CHANNELS)},
    ("Sub", "where"): nullable(WHERE["alerts"]),
    ("Sub", "max_hz"): nullable(_HZ),
    ("Call", "m"): {"enum": list(frames.CALLS)},
    ("Call", "p"): {"anyOf": [ref(each.__name__) for each in frames.CALLS.values()]},
    ("Hello", "role"): {"enum": list(ROLES)},
    ("Snap", "items"): {"anyOf": [list_of("Item"), list_of("Alert")]},
    ("Delta", "set"): list_of("Item"),
    ("Event", "type"): {"enum": [each.value for each in EventType]},
    ("Event", "alert"): ref("Alert"),
    ("Reset", "why"): {"enum": ["gap", "epoch", "overflow"]},
    ("Ret", "ok"): {"type": "object", "properties": {"alert": ref("Alert")}},
    ("Item", "q"): nullable({"enum": [1, 2, 3, 4, 9]}),
    ("Item", "st"): {"enum": list(AGES)},
    ("Item", "kind"): {"enum": sorted({each.kind for each in QUANTITIES.values()})},
    ("Item", "link"): nullable(ref("Link")),
    ("Item", "bound"): nullable({"enum": ["above", "below"]}),
}
"""In the place of what the codec says of a field: `Raw`, any text, any value."""


@dataclass(frozen=True, slots=True)
class Close:
    """A code with which the service closes, and whether a client is to come back."""

    code: int
    means: str

    @property
    def again(self) -> bool:
        return self.code < 4400


CLOSES: Final[tuple[Close, ...]] = (
    Close(terms.SHUTTING_DOWN, "the service is shutting down"),
    Close(terms.TOO_SLOW, "too slow for the alerts; come back with your position"),
    Close(terms.NO_PONG, "no pong in time"),
    Close(terms.BAD_FRAME, "a frame that can't be read"),
    Close(terms.NOT_AUTHORISED, "the token is not known, or no `auth` came first"),
    Close(terms.NO_AUTH, "no `auth` in time"),
    Close(terms.TOO_MANY, "too many requests, or too many clients"),
)

ERRORS: Final[Mapping[int, str]] = {
    400: "the request is not understood",
    403: "the role does not allow it",
    404: "there is no such alert, call or subscription",
    409: "the alert has changed since it was seen, or does not take this step, or the past is "
    "shown; nothing was done",
    422: "words are missing, or the end of a shelving is none that is accepted; nothing was done",
    429: "too many subscriptions or calls under way",
    503: "it could not be written down, and nothing was done; or it is written down and not "
    "carried out yet",
}
"""What `err` may carry."""
