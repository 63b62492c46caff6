"""Feeds for fault tests: what devices of a small river and its bridges send, with poison.

A feed is a list of messages, and a file of JSON Lines: `topic`, `payload` (text, or
`payload_hex` where it is no UTF-8), and `poison`, the reason for which all or part of the
message is to be refused. The same seed gives the same feed.
"""

import json
import math
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = "tiengiang"
STEP_MS = 2_000
BATCH = 5
"""Samples of a probe in one message; a camera sends the lanes of one interval of as long."""

LANES = (("southbound", 1), ("southbound", 2), ("northbound", 1))


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as a device sends it. `poison` is empty where all of it is good."""

    topic: str
    payload: bytes
    poison: str = ""


def registry(probes: int, cameras: int) -> str:
    """The stations of a feed: a probe or a camera each."""
    reach = '[[reach]]\nid = "song"\nname = "Sông"\nflows_into = []\n'
    quality = (
        "[quality.salinity_g_l]\nfail_min = 0\nfail_max = 40\nspike_suspect = 1.0\n"
        "spike_fail = 2.5\nrate_suspect_per_h = 150\n"
    )
    stations = [_probe_station(n) for n in range(probes)]
    bridges = [_camera_station(n) for n in range(cameras)]
    return "\n".join([reach, *stations, *bridges, quality])


def _probe_station(n: int) -> str:
    measures = ", ".join(f'"{name}"' for name in _SENT_BY[n % len(_SENT_BY)])
    return f"""
[[station]]
id = "tram-{n}"
name = "Trạm {n}"
kind = "salinity"
reach = "song"
km_from_mouth = {{ song = {40 + n * 0.1:.1f} }}
lat = 10.3
lon = 106.4
[[station.device]]
id = "p-{n}"
expected_s = 600
measures = [{measures}]
"""


def _camera_station(n: int) -> str:
    lanes = ",\n".join(
        f'  {{ direction = "{direction}", lane = {lane}, use = "mixed" }}'
        for direction, lane in LANES
    )
    measures = '"count"' if n % 2 else '"count", "speed_km_h", "occupancy", "queue_m"'
    return f"""
[[station]]
id = "cau-{n}"
name = "Cầu {n}"
kind = "traffic"
lat = 10.34
lon = 106.35
side = "bridge"
[station.directions]
southbound = {{ vi = "Đi nam", en = "South" }}
northbound = {{ vi = "Đi bắc", en = "North" }}
[[station.device]]
id = "c-{n}"
expected_s = 600
measures = [{measures}]
lanes = [
{lanes}
]
"""


_RULE = """
[[rule]]
id = "{id}"
quantity = "{quantity}"
severity = "critical"
{asks}
message_vi = "{{station}}: {{value}}"
message_en = "{{station}}: {{value}}"
source = "a test"
"""


def _rule(name: str, asks: str, quantity: str = "salinity_g_l") -> str:
    return _RULE.format(id=name, quantity=quantity, asks=asks)


RULES = "".join(
    [
        _rule("at-once", "raise_above = 5.0\nclear_below = 4.5\nfor_s = 0\nclear_for_s = 0"),
        _rule("held", "raise_above = 4.0\nclear_below = 3.5\nfor_s = 30\nclear_for_s = 60"),
        _rule(
            "rising",
            "rise_above_per_h = 60.0\nclear_below_per_h = 0.0\nrise_window_s = 60\n"
            "for_s = 0\nclear_for_s = 0",
        ),
        _rule(
            "busy",
            "raise_above = 2000.0\nclear_below = 1500.0\nfor_s = 0\nclear_for_s = 0",
            "flow_veh_h",
        ),
    ]
)
"""Of every kind that goes by values, and touched often."""

_SENT_BY = (
    ("sal_g_l",),
    ("ec_ms_cm", "temp_c", "battery_v"),
    ("ec25_ms_cm", "sal_g_l", "depth_m", "level_m"),
)
"""What the probes measure, in turn."""


@dataclass(slots=True)
class _Device:
    """One device as it sends: its number of boot, the next of its messages, its draws."""

    kind: str
    number: int
    draw: random.Random
    boot: int = 7
    seq: int = 1
    totals: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)
    last: tuple[dict[str, Any], ...] = ()

    @property
    def topic(self) -> str:
        place, device = ("tram", "p") if self.kind == "salinity" else ("cau", "c")
        return f"{ROOT}/v1/{self.kind}/{place}-{self.number}/{device}-{self.number}/obs"

    def message(self, samples: Iterable[Mapping[str, Any]], **more: Any) -> bytes:
        numbers = {"boot": self.boot, "seq": self.seq}
        self.seq += 1
        return json.dumps({"v": 1, **numbers, "samples": list(samples), **more}).encode()


def river(
    seed: int,
    *,
    end_ms: int,
    rounds: int,
    probes: int = 6,
    cameras: int = 2,
    poison: float = 0.0,
    conflicts: bool = True,
    reboots: bool = False,
) -> list[Sent]:
    """Messages of all devices, round by round, each device's in the order of its samples.

    Parameters
    ----------
    end_ms : the newest observed time; the first is `rounds * BATCH * STEP_MS` before it
    poison : share of messages that are bad, whole or in part, beside the good ones
    conflicts : among the poison, other values at known identities; which of both is the
        first then depends on the order of arrival
    reboots : every third device starts again half-way, every second of them with a lower boot
    """
    devices = [_Device("salinity", n, random.Random(f"{seed} p-{n}")) for n in range(probes)] + [
        _Device("traffic", n, random.Random(f"{seed} c-{n}")) for n in range(cameras)
    ]
    draw = random.Random(f"{seed} order")
    feed: list[Sent] = []
    for each in range(rounds):
        begin_ms = end_ms - (rounds - each) * BATCH * STEP_MS + STEP_MS
        for place, device in enumerate(draw.sample(devices, len(devices))):
            if reboots and each == rounds // 2 and device.number % 3 == 0:
                device.boot += -3 if place % 2 else 1
                device.seq = 0
            samples = _samples(device, begin_ms)
            feed.append(Sent(device.topic, device.message(samples)))
            if draw.random() < 0.02:  # the same samples in another message
                feed.append(Sent(device.topic, device.message(samples)))
            if draw.random() < poison:
                feed.append(_poison(device, draw, samples, conflicts=conflicts))
            device.last = samples
    return feed


def _samples(device: _Device, begin_ms: int) -> tuple[dict[str, Any], ...]:
    if device.kind == "salinity":
        return tuple(_probe_sample(device, begin_ms + n * STEP_MS) for n in range(BATCH))
    return tuple(_lane_sample(device, begin_ms, direction, lane) for direction, lane in LANES)


def _probe_sample(device: _Device, t_ms: int) -> dict[str, Any]:
    draw = device.draw
    swing = math.sin(2 * math.pi * (t_ms / 400_000 + device.number / 6))
    outlier = 3.0 if draw.random() < 0.01 else 0.0
    salinity = max(0.2, 4.0 + 2.0 * swing + outlier + draw.gauss(0, 0.02))
    measured = {
        "sal_g_l": round(salinity, 3),
        "ec_ms_cm": round(salinity * 1.9, 3),
        "ec25_ms_cm": round(salinity * 1.8, 3),
        "temp_c": round(28.0 + swing, 2),
        "battery_v": round(draw.uniform(3.4, 4.1), 2),
        "depth_m": round(draw.uniform(1.0, 2.0), 2),
        "level_m": round(2.0 + swing, 3),
    }
    sent = _SENT_BY[device.number % len(_SENT_BY)]
    return {"t": t_ms, **{name: measured[name] for name in sent}}


def _lane_sample(device: _Device, begin_ms: int, direction: str, lane: int) -> dict[str, Any]:
    draw = device.draw
    interval = {"t0": begin_ms, "t1": begin_ms + BATCH * STEP_MS, "lane": lane, "dir": direction}
    counted = {name: draw.randrange(most) for name, most in (("motorbike", 6), ("car", 3))}
    if draw.random() < 0.3:
        counted["tuk-tuk"] = 1  # of no class that is known
    if device.number % 2:
        totals = device.totals.setdefault((direction, lane), {"motorbike": 100, "car": 40})
        for name in totals:
            totals[name] += counted[name]
        return {**interval, "cumulative": dict(totals)}
    return {
        **interval,
        "count": counted,
        "speed_km_h": round(draw.uniform(0, 60), 1),
        "occupancy": round(draw.uniform(0, 0.9), 3),
        "queue_m": float(draw.randrange(50)),
    }


def _poison(
    device: _Device, draw: random.Random, samples: tuple[dict[str, Any], ...], *, conflicts: bool
) -> Sent:
    """A bad message that follows the good one of `samples`."""
    value = "sal_g_l" if device.kind == "salinity" else "speed_km_h"
    after = dict(samples[-1])
    # A little after what is known, so that a good sample would be new.
    for name in ("t", "t0", "t1"):
        after |= {name: after[name] + 1} if name in after else {}
    time = "t" if "t" in after else "t1"
    bad: dict[str, Mapping[str, Any]] = {
        "schema": {**after, value: "3.0"},
        "range": {**after, value: 1e6},
        "clock": {**after, time: 0},
    }
    kinds = ["not_json", "bytes", "topic", "unknown_device", "empty", *bad]
    if conflicts and device.last:
        kinds.append("conflict")
    kind = draw.choice(kinds)
    if kind in bad:
        return Sent(device.topic, device.message([bad[kind]]), kind)
    if kind == "conflict":
        name = next(n for n in ("sal_g_l", "ec_ms_cm", "cumulative", "count") if n in after)
        other: Any = 9.75 if name in ("sal_g_l", "ec_ms_cm") else {"motorbike": 99_999}
        # Beside a good one that is known: only the other is refused.
        body = device.message([samples[0], {**device.last[-1], name: other}])
        return Sent(device.topic, body, kind)
    if kind == "empty":
        return Sent(device.topic, device.message([]), kind)
    return _unnumbered(device.topic, draw, kind)


def _unnumbered(topic: str, draw: random.Random, kind: str) -> Sent:
    """What no sender could know to be settled; each is found again by what it says."""
    if kind == "bytes":
        return Sent(topic, b"\xff\xfe" + draw.randbytes(12), "not_json")
    if kind == "not_json":
        return Sent(topic, b'{"v":1,"samples":[%d' % draw.getrandbits(60), kind)
    body = json.dumps({"v": 1, "samples": [{"t": draw.getrandbits(40), "sal_g_l": 1}]}).encode()
    leaf = "/opinions" if kind == "topic" else "-x/obs"
    return Sent(topic.replace("/obs", leaf), body, kind)


def write_feed(path: Path, feed: Iterable[Sent]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for sent in feed:
            file.write(json.dumps(_row(sent), ensure_ascii=False) + "\n")


def _row(sent: Sent) -> dict[str, str]:
    row = {"topic": sent.topic}
    try:
        row["payload"] = sent.payload.decode()
    except UnicodeDecodeError:
        row["payload_hex"] = sent.payload.hex()
    return row | ({"poison": sent.poison} if sent.poison else {})


def read_feed(path: Path) -> Iterator[Sent]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            hexed = row.get("payload_hex")
            payload = row["payload"].encode() if hexed is None else bytes.fromhex(hexed)
            yield Sent(row["topic"], payload, row.get("poison", ""))
