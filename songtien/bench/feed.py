"""A generated registry and what its devices say: the contract's example, from many probes.

One sample a message, seq contiguous, times rising: what a quiet network brings. The water
stays below every limit of the default rules and moves as a tide does, so that all tests and
rules are evaluated and none has news.
"""

import json
import math
from collections.abc import Iterator

from simulators.packets import identifier, publish, topic_head

ROOT = "tiengiang"
DEVICES_A_STATION = 20
EXPECTED_S = 60
_KM_FIRST, _KM_SPAN = 16, 18


def registry_text(devices: int) -> str:
    """A stations.toml of that many probes, 20 to a station, from km 16 to 33 of one arm."""
    parts = ['[[reach]]\nid = "bench-arm"\nname = "Bench"\nflows_into = []\n']
    for number in range(devices):
        if number % DEVICES_A_STATION == 0:
            km = _KM_FIRST + number // DEVICES_A_STATION % _KM_SPAN
            parts.append(
                f'[[station]]\nid = "{_station(number)}"\nname = "{_station(number)}"\n'
                f'kind = "salinity"\nreach = "bench-arm"\nkm_from_mouth = {{ bench-arm = {km}.0 }}\n'
                'lat = 10.3\nlon = 106.6\nsource = "generated"\n'
            )
        parts.append(
            f'[[station.device]]\nid = "{device(number)}"\nexpected_s = {EXPECTED_S}\n'
            'measures = ["ec_ms_cm", "temp_c", "depth_m", "level_m", "battery_v"]\n'
        )
    return "\n".join(parts)


def device(number: int) -> str:
    return f"p-{number:05d}"


def topic(number: int) -> str:
    return f"{ROOT}/v1/salinity/{_station(number)}/{device(number)}/obs"


def payload(number: int, seq: int, t_ms: int) -> bytes:
    """The `seq`-th message of the `number`-th device."""
    phase = t_ms / 44_700_000 * 2 * math.pi + number
    # Noise of a probe in its last digits: the same value twice is the exception.
    noise = (number * 7919 + seq * 104_729) % 100 / 1e4
    sample = {
        "t": t_ms,
        "ec_ms_cm": round(4.0 + 0.5 * math.sin(phase) + noise / 10, 4),
        "temp_c": round(28.4 + noise, 3),
        "depth_m": 1.2,
        "level_m": round(2.31 + 0.4 * math.cos(phase), 3),
        "battery_v": 3.71,
    }
    message = {"v": 1, "boot": 17, "seq": seq, "samples": [sample]}
    return json.dumps(message, separators=(",", ":")).encode()


def packets(devices: int, seqs: range, t_ms: int, step_ms: int) -> Iterator[bytes]:
    """PUBLISH packets of all devices in turn; seq s is `step_ms` after seq s - 1."""
    count = 0
    for seq in seqs:
        for number in range(devices):
            body = payload(number, seq, t_ms + seq * step_ms + number % step_ms)
            yield publish(topic_head(topic(number)), body, identifier(count))
            count += 1


def _station(number: int) -> str:
    return f"s-{number // DEVICES_A_STATION:04d}"
