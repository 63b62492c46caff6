"""Very many probes that speak in turn: who they are, and what each of them says when.

Message k is due k / rate seconds after the start and comes from device k modulo devices, so
that each second holds the same number of messages and each device keeps one interval. What it
says depends on the seed, k and the start alone. The probes hang at a hundred places of one
mouth, where the dry season's salt comes and goes.
"""

import math
from typing import Final

import numpy as np

from ingest.reading import FloatArray, IntArray
from ingest.topics import obs_topic
from simulators import estuary, probe
from simulators.estuary import DRY_M3_S, Place, River
from simulators.noise import generator

MOUTH: Final = "cua-tieu"
PLACES: Final = 100
DEVICES_A_STATION: Final = 100
_KM_FIRST, _KM_STEP = 40.0, 0.2
_GRID_MS = 300_000
_BLOCK = 4096
_NOISE = 0.002
"""Of what an instrument is off by, from message to message: more in a second would be no water."""

_RIVER = River(discharge_m3_s=DRY_M3_S)


class Fleet:
    """`devices` probes under `root` that send `rate_s` messages a second between them.

    from_ms, to_ms : the time for which the river is known, UTC; before and after it stands still
    sim : whether samples are marked as simulated
    """

    def __init__(
        self,
        devices: int,
        rate_s: float,
        root: str,
        *,
        seed: int,
        from_ms: int,
        to_ms: int,
        sim: bool = False,
    ) -> None:
        self.devices, self.rate_s = devices, rate_s
        self._seed = seed
        self._tail = ',"sim":true}]}' if sim else "}]}"
        self._topics = [
            obs_topic(root, "salinity", _station(number), device_id(number))
            for number in range(devices)
        ]
        # What each instrument is off by.
        self._own = generator(seed, "load", "own", day=0).standard_normal((devices, 4))
        self._grid_ms = np.arange(from_ms, to_ms + 2 * _GRID_MS, _GRID_MS, dtype=np.int64)
        places = [_KM_FIRST + _KM_STEP * number for number in range(PLACES)]
        salt = [estuary.surface_g_l(self._grid_ms, Place.of({MOUTH: km}), _RIVER) for km in places]
        self._salinity = np.array(salt).T
        self._level = np.array([estuary.level_m(self._grid_ms, km, _RIVER) for km in places]).T

    def device(self, k: int) -> int:
        """Which device message k comes from."""
        return k % self.devices

    def messages(self, first: int, count: int, start_ms: int) -> list[tuple[str, bytes]]:
        """Topic and payload of the messages from `first` on, where message 0 is due at `start_ms`.

        The second of the start is everybody's `boot`.
        """
        k = np.arange(first, first + count, dtype=np.int64)
        who = k % self.devices
        t_ms = start_ms + (k * (1000.0 / self.rate_s)).astype(np.int64)
        salinity, level = self._truth(t_ms, who // DEVICES_A_STATION % PLACES)
        noise = self._own[who] + _NOISE * self._noise(first, count)
        columns = probe.readings(t_ms, salinity, level, noise)
        rows = zip(
            who.tolist(),
            (k // self.devices + 1).tolist(),
            t_ms.tolist(),
            *(columns[name].tolist() for name in _FIELDS),
            strict=True,
        )
        head = f'{{"v":1,"boot":{start_ms // 1000},"seq":'
        topics, tail = self._topics, self._tail
        return [
            (
                topics[device],
                (
                    f'{head}{seq},"samples":[{{"t":{t},"ec_ms_cm":{ec},"temp_c":{temp},'
                    f'"depth_m":{depth},"level_m":{height},"battery_v":{volt}{tail}'
                ).encode(),
            )
            for device, seq, t, ec, temp, depth, height, volt in rows
        ]

    def _noise(self, first: int, count: int) -> FloatArray:
        """float64[count, 4]. It is drawn by blocks, so that it belongs to the message's number."""
        blocks = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        drawn = [
            generator(self._seed, "load", day=block).standard_normal((_BLOCK, 4))
            for block in blocks
        ]
        begin = first - blocks[0] * _BLOCK
        return np.concatenate(drawn)[begin : begin + count]

    def _truth(self, t_ms: IntArray, place: IntArray) -> tuple[FloatArray, FloatArray]:
        """Salinity, g/L, and level, m, at times and places: on lines between five minutes."""
        at = np.clip((t_ms - self._grid_ms[0]) / _GRID_MS, 0.0, len(self._grid_ms) - 1.001)
        node = at.astype(np.int64)
        share = at - node
        salinity, level = (
            (1.0 - share) * table[node, place] + share * table[node + 1, place]
            for table in (self._salinity, self._level)
        )
        return salinity, level


_FIELDS = ("ec_ms_cm", "temp_c", "depth_m", "level_m", "battery_v")


def registry_text(devices: int, interval_s: float) -> str:
    """A stations.toml that knows these devices, `DEVICES_A_STATION` to a station."""
    parts = [f'[[reach]]\nid = "{MOUTH}"\nname = "Load"\nflows_into = []\n']
    for number in range(devices):
        if number % DEVICES_A_STATION == 0:
            place = number // DEVICES_A_STATION % PLACES
            parts.append(
                f'[[station]]\nid = "{_station(number)}"\nname = "{_station(number)}"\n'
                f'kind = "salinity"\nreach = "{MOUTH}"\n'
                f"km_from_mouth = {{ {MOUTH} = {_KM_FIRST + _KM_STEP * place:.1f} }}\n"
                f"lat = {10.0 + number // 10_000 * 0.001:.3f}\n"
                f"lon = {106.0 + number // DEVICES_A_STATION % 100 * 0.001:.3f}\n"
                'source = "generated"\n'
            )
        parts.append(
            f'[[station.device]]\nid = "{device_id(number)}"\n'
            f"expected_s = {max(1, math.ceil(interval_s))}\n"
            'measures = ["ec_ms_cm", "temp_c", "depth_m", "level_m", "battery_v"]\n'
        )
    return "\n".join([*parts, _LIMITS])


_LIMITS: Final = """[quality.salinity_g_l]
fail_min = 0.0
fail_max = 40.0
spike_suspect = 2.0
spike_fail = 5.0
rate_suspect_per_h = 5.0
rate_fail_per_h = 10.0
[quality.conductivity_ms_cm]
fail_min = 0.0
fail_max = 75.0
[quality.temperature_c]
fail_min = 10.0
fail_max = 45.0
suspect_min = 20.0
suspect_max = 36.0
rate_suspect_per_h = 3.0
rate_fail_per_h = 8.0
[quality.water_level_m]
fail_min = -10.0
fail_max = 15.0
spike_suspect = 0.5
spike_fail = 1.5
rate_suspect_per_h = 1.5
rate_fail_per_h = 4.0
[quality.depth_m]
fail_min = 0.0
fail_max = 60.0
[quality.battery_v]
fail_min = 0.0
fail_max = 60.0
"""
"""Of what the probes send, as in the registry that comes with the program."""


def device_id(number: int) -> str:
    return f"load-{number:06d}"


def _station(number: int) -> str:
    return f"load-{number // DEVICES_A_STATION:04d}"
