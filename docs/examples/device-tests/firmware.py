"""The firmware of a probe, as far as it can run without the probe.

What touches hardware or the network is handed in: `read` gives what the instrument shows, and
`publish` sends one payload and says whether the link took it. So the same code runs in the
probe and in the tests.
"""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

INTERVAL_S = 600
SAMPLES_A_MESSAGE = 100
BUFFER = 2000  # a fortnight of samples


@dataclass(frozen=True)
class Shown:
    """What the instrument shows. It knows µS/cm, and nothing of what the wire is in."""

    ec_us_cm: float
    temp_c: float | None
    battery_mv: int


class Probe:
    """Measures each ten minutes, sends what it has, and keeps what could not be sent."""

    def __init__(
        self, read: Callable[[], Shown], publish: Callable[[bytes], bool], boot: int
    ) -> None:
        self._read = read
        self._publish = publish
        self._boot = boot  # from flash, where each start adds one
        self._seq = 0
        self._samples: deque[dict[str, float]] = deque(maxlen=BUFFER)

    def tick(self, t_ms: int) -> None:
        """Called by the clock each ten minutes; `t_ms` is UTC, ms since 1970."""
        self._samples.append(_sample(t_ms, self._read()))
        self._send()

    def _send(self) -> None:
        while self._samples:
            some = [self._samples[n] for n in range(min(len(self._samples), SAMPLES_A_MESSAGE))]
            message = {"v": 1, "boot": self._boot, "seq": self._seq + 1, "samples": some}
            if not self._publish(json.dumps(message).encode()):
                return  # the link is down: the same samples again, next time
            self._seq += 1
            for _ in some:
                self._samples.popleft()


def _sample(t_ms: int, shown: Shown) -> dict[str, float]:
    sample = {
        "t": t_ms,
        "ec_ms_cm": round(shown.ec_us_cm / 1000, 3),
        "battery_v": round(shown.battery_mv / 1000, 2),
    }
    if shown.temp_c is not None:  # a broken thermistor: no value is no field
        sample["temp_c"] = round(shown.temp_c, 2)
    return sample
