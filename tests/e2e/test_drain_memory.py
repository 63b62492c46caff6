"""While InfluxDB is away what waits for it is on the disk: the service's memory stays flat.

    MEMORY_SAMPLES=1000000 pytest tests/e2e/test_drain_memory.py

asks for the whole campaign, of some minutes. Memory grows at first: SQLite's cache fills up to
its bound, and the allocator keeps what the largest entry took.
"""

import json
import os
import re
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.store_file import CACHE_KIB
from simulators.packets import identifier, topic_head
from simulators.packets import publish as publish_packet
from songtien.bench import feed
from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, figures, now_ms

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(1200)]

SAMPLES = int(os.environ.get("MEMORY_SAMPLES", "200000"))
STEPS = 10
DEVICES = 100
OF_A_MESSAGE = 100
STEP_MS = 60_000

WHOLE = 1_000_000
FLAT_BYTES = 20
"""A sample, by which memory may grow over the later half of a whole campaign. Its line for
InfluxDB alone is of some 340 bytes, its rows in the store of 250."""

LOOSE_BYTES = 100
"""A sample, beside SQLite's cache: what a short run can tell."""


def packets(begin: int, end: int, begin_ms: int) -> bytes:
    """Samples number `begin` to `end`, each device's in order, many to a message."""
    a_round = DEVICES * OF_A_MESSAGE
    found: list[bytes] = []
    for seq in range(begin // a_round, end // a_round):
        for device in range(DEVICES):
            samples = []
            for n in range(seq * OF_A_MESSAGE, (seq + 1) * OF_A_MESSAGE):
                said = json.loads(feed.payload(device, n, begin_ms + n * STEP_MS))
                samples += said["samples"]
            body = {"v": 1, "boot": 17, "seq": seq + 1, "samples": samples}
            text = json.dumps(body, separators=(",", ":")).encode()
            head = topic_head(feed.topic(device))
            found.append(publish_packet(head, text, identifier(len(found))))
    return b"".join(found)


def publish(broker: Mosquitto, file: Path, begin: int, end: int, begin_ms: int) -> None:
    file.write_bytes(packets(begin, end, begin_ms))
    command = [sys.executable, "-m", "songtien.bench.publisher", str(broker.port), str(file)]
    count = (end - begin) // OF_A_MESSAGE
    subprocess.run([*command, str(count)], input=b"go\n", check=True, timeout=300)


def _all_stored(service: Service, count: int) -> bool:
    return service.counted("samples_total/stored") == count


def rss_bytes(service: Service) -> int:
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def test_memory_is_flat_while_influxdb_is_away(
    broker: Mosquitto, serving: Serving, tmp_path: Path
) -> None:
    registry = tmp_path / "stations.toml"
    registry.write_text(feed.registry_text(DEVICES))
    dead = _free_port()
    service = serving(
        REGISTRY__FILE=str(registry), STORE__URL=f"influxdb://127.0.0.1:{dead}/songtien?org=-"
    )
    eventually(lambda: service.ready, "ready", 60)
    begin_ms = now_ms() - (SAMPLES // DEVICES + 10) * STEP_MS
    borders = [SAMPLES * n // STEPS for n in range(STEPS + 1)]
    rss: list[int] = []
    for begin, end in pairwise(borders):
        publish(broker, tmp_path / "packets", begin, end, begin_ms)
        eventually(partial(_all_stored, service, end), f"{end} stored", 600)
        rss.append(rss_bytes(service))
    told = ", ".join(f"{each / 1e6:.0f}" for each in rss)
    figures(f"memory at each {SAMPLES // STEPS:,} of {SAMPLES:,} samples, MB: {told}")

    found = service.metrics()
    assert found["songtien_historian_trouble"] == 1
    assert found["songtien_historian_points_written_total"] == 0
    with service.store() as connection:
        (waiting,) = connection.execute("SELECT sum(length(body)) FROM change").fetchone()
    assert waiting > SAMPLES * 12  # a reading of each, at the least, is noted on the disk
    grown = rss[-1] - rss[STEPS // 5 - 1]
    assert grown < CACHE_KIB * 1024 + LOOSE_BYTES * SAMPLES
    if SAMPLES >= WHOLE:
        later = rss[STEPS // 2 :]
        slope = np.polyfit(borders[STEPS // 2 + 1 :], later, 1)[0]
        assert slope < FLAT_BYTES, f"{slope:.1f} bytes a sample: {told}"
