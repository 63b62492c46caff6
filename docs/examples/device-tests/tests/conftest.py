"""The bench: the probe's firmware with an instrument and a link that tests can turn."""

from dataclasses import dataclass, field

import pytest

from firmware import INTERVAL_S, Probe, Shown

FRESH = Shown(ec_us_cm=900.0, temp_c=28.0, battery_mv=3710)


@dataclass
class Bench:
    """A probe in a bucket. `water` is what its instrument shows, `link` whether it can send."""

    songtien: object
    water: Shown = FRESH
    link: bool = True
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self):
        self.probe = Probe(lambda: self.water, self._publish, boot=1)

    def _publish(self, payload):
        if self.link:
            self.sent.append(payload)
            self.songtien.send("px-01", payload)
        return self.link

    def run(self, hours):
        """So many hours of the probe's life, which take no time."""
        for _ in range(round(hours * 3600 / INTERVAL_S)):
            self.songtien.after(f"{INTERVAL_S}s")
            self.probe.tick(self.songtien.now_ms)


@pytest.fixture
def bench(songtien):
    return Bench(songtien)
