"""Examples of each message, made by the encoders themselves where there are some."""

from typing import Any, Final

import msgspec
from msgspec import Raw

from api.asyncapi import bodies
from api.live import frames
from api.live.terms import Limits

_NOW: Final = 1_767_000_000_000
ALERT_ID: Final = "5f1a0c9be2d47788"


def _wire(*values: Any) -> list[Any]:
    return [msgspec.json.decode(msgspec.json.encode(value)) for value in values]


ITEM: Final = frames.Item(
    k="vk-01/salinity_g_l",
    v=3.21,
    t=_NOW - 10_000,
    q=1,
    st="live",
    station="vam-kenh",
    device="vk-01",
    kind="salinity",
    quantity="salinity_g_l",
    unit="g/L",
    branch=("cua-tieu",),
    expected_s=900.0,
    link={"s": "ready"},
)
_CHANGE: Final = frames.Item(k=ITEM.k, v=3.24, t=_NOW, sim=None)

ALERT: Final[dict[str, Any]] = {
    "id": ALERT_ID,
    "ver": 3,
    "state": "unacked",
    "historic": False,
    "ask": "above",
    "branch": ["cua-tieu"],
    "device": "vk-01",
    "flag": 1,
    "k": "vk-01/salinity_g_l",
    "kind": "salinity",
    "limit": 4.0,
    "message_en": "Vàm Kênh: 4.1 g/L, above 4 g/L, since 29/12/2025 16:05",
    "message_vi": "Vàm Kênh: 4,1 g/l, vượt mức 4 g/l, từ 29/12/2025 16:05",
    "quantity": "salinity_g_l",
    "rule": "salinity-4",
    "rule_version": "9d2e5f1a0c9be2d4",
    "severity": "critical",
    "station": "vam-kenh",
    "suspect": False,
    "t_detected": _NOW + 120,
    "t_event": _NOW,
    "t_since": _NOW - 900_000,
    "unit": "g/L",
    "value": 4.1,
    "t_told": _NOW + 120,
}
_ACKED: Final = {**ALERT, "ver": 4, "state": "acked", "t_acked": _NOW + 60_000}

AUTH: Final = _wire(
    {"op": "auth", "id": 1, "token": "st_…"},
    {"op": "auth", "id": 1},
    {"op": "auth", "id": 1, "at": "2026-03-02T04:10+07:00", "speed": 60},
)
SUB: Final = {
    "state": _wire(
        frames.Sub(2, "state", {"kind": ["salinity"], "station": ["vam-kenh"]}, 2, "k3f9.88140"),
        {"op": "sub", "id": 2, "chan": "state"},
    ),
    "alerts": _wire(frames.Sub(3, "alerts", {"severity": ["major", "critical"]}, None, "a1.5120")),
}
UNSUB: Final = _wire(frames.Unsub(5, 7))
_PARAMETERS: Final[dict[str, frames.AlertCall]] = {
    "alert.ack": frames.AlertAck(ALERT_ID, 3, "đã gọi người trực trạm"),
    "alert.shelve": frames.AlertShelve(ALERT_ID, 3, _NOW + 14_400_000, "đang thay đầu dò"),
    "alert.unshelve": frames.AlertUnshelve(ALERT_ID, 4),
    "alert.note": frames.AlertNote(ALERT_ID, 3, "thợ đến lúc 9 giờ"),
}
CALL: Final = {
    method: _wire(frames.Call(4, method, msgspec.to_builtins(parameters)))
    for method, parameters in _PARAMETERS.items()
}
PONG: Final = _wire(frames.Pong())

_LIMITS: Final = Limits()
HELLO: Final = _wire(
    frames.Hello(
        id=1,
        role="viewer",
        now=_NOW,
        ping_s=_LIMITS.ping_s,
        limits=frames.HelloLimits(_LIMITS.subs, frames.FRAME_BYTES_MAX, _LIMITS.max_hz),
    )
)
SUB_OK: Final = _wire(frames.SubOk(2, 7, recovered=True, pos="k3f9.88140"))
RET_UNSUB: Final = _wire(frames.Ret(5, {}))
RET_CALL: Final = _wire(frames.Ret(4, {"alert": _ACKED}))
ERR: Final = _wire(
    frames.Err(4, 409, "the alert has changed since you saw it; nothing was done"),
)
SNAP: Final = {
    "state": _wire(
        frames.Snap(7, more=False, pos="k3f9.88200", items=Raw(msgspec.json.encode([ITEM])))
    ),
    "alerts": _wire(
        frames.Snap(9, more=False, pos="a1.5120", items=Raw(msgspec.json.encode([ALERT])))
    ),
}
DELTA: Final = _wire(
    frames.Delta(
        sub=7,
        since="k3f9.88200",
        pos="k3f9.88231",
        changed=Raw(msgspec.json.encode([_CHANGE])),
        gone=[],
        merged=14,
    )
)
EVENT: Final = _wire(
    frames.Event(
        sub=9,
        since="a1.5120",
        pos="a1.5121",
        type="acked",
        alert=Raw(msgspec.json.encode(_ACKED)),
        at=_NOW + 60_000,
    )
)
RESET: Final = _wire(frames.Reset(7, "epoch"))
PING: Final = _wire(frames.Ping(_NOW, {"7": "k3f9.88231", "9": "a1.5121"}))

SALINITY: Final = [
    {
        "v": 1,
        "boot": 17,
        "seq": 8812,
        "samples": [
            {
                "t": _NOW,
                "ec_ms_cm": 12.31,
                "temp_c": 28.4,
                "depth_m": 1.2,
                "level_m": 2.31,
                "battery_v": 3.71,
            }
        ],
    }
]
TRAFFIC: Final = [
    {
        "v": 1,
        "boot": 3,
        "seq": 55,
        "samples": [
            {
                "t0": _NOW,
                "t1": _NOW + 60_000,
                "lane": 1,
                "dir": "southbound",
                "count": {"motorbike": 33, "car": 6, "bus": 1, "truck": 2, "trailer": 0},
                "speed_km_h": 31.8,
                "occupancy": 0.22,
                "queue_m": 0,
                "health": {"fps": 14.8, "drop": 0.01},
            }
        ],
    }
]
STATE: Final = [
    {"s": "ready", "boot": 17, "t": _NOW},
    {"s": "lost", "boot": 17},
    {"s": "sleeping", "boot": 17, "t": _NOW, "until": _NOW + 3_600_000},
]
META: Final = [
    {
        "model": "CTD-10",
        "serial": "A1203",
        "interval_s": 900,
        "datum": "Hòn Dấu",
        "conductivity": "ec_ms_cm",
    }
]
ACK: Final = _wire(bodies.Ack(17, 8812, ()))
SERVER_STATE: Final = _wire(bodies.ServerState("ready", _NOW, demo=False, client="0c9be2d47788"))
ADVICE: Final[list[dict[str, Any]]] = [
    {
        "intake": "xuan-hoa",
        "name": "Cống Xuân Hòa",
        "take": True,
        "pump": True,
        "until": _NOW + 400_000,
        "why": "fresh",
        "row": 12,
        "limit_g_l": 2.0,
        "station": "xuan-hoa",
        "figure": 0.3,
        "figure_t": _NOW - 800_000,
        "flag": 1,
        "sim": False,
        "t": _NOW,
        "may_be_g_l": 0.35,
        "text_vi": "Cống Xuân Hòa: CÓ THỂ LẤY NƯỚC, đo lại trước khi lấy",
        "text_en": "Cống Xuân Hòa: WATER MAY BE TAKEN, measure again before taking it",
    }
]
CANARY: Final = [_NOW]
EMPTY: Final = [""]
