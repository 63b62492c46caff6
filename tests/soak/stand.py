"""Everything that a soak runs: broker, cable, InfluxDB, the service, on a disk of their own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import Mosquitto, _free_port
from tests.e2e.running import SONGTIEN, Service
from tests.faults import feeds
from tests.faults.conftest import BROKER
from tests.faults.smalldisk import SmallDisk
from tests.influx.proxy import FaultProxy
from tests.influx.servers import MISSING, InfluxServer
from tests.relay import Relay

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@dataclass
class Stand:
    """The parts, each of which may be struck.

    disk : None where a small file system can't be mounted
    offset : the file that says by how much the service's clock is wrong; None without libfaketime
    lives : of the service, those that ended with -9 too
    """

    broker: Mosquitto
    cable: Relay
    influx: InfluxServer
    proxy: FaultProxy
    service: Service
    disk: SmallDisk | None
    offset: Path | None
    absent: list[str] = field(default_factory=list)
    peak_mib: float = 0.0
    lives: int = 0

    def start_service(self) -> None:
        self.service.start()
        self.lives += 1

    def note_memory(self) -> None:
        """The most that any life of the service has held, so far."""
        process = self.service.process
        if process is not None:
            with suppress(OSError, IndexError, ValueError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                kib = int(status.partition("VmHWM:")[2].split()[0])
                self.peak_mib = max(self.peak_mib, kib / 1024)


@contextmanager
def standing(directory: Path, probes: int, cameras: int, disk_megabytes: int) -> Iterator[Stand]:
    """All of it, started; ended in any case."""
    if MISSING:
        raise SystemExit(MISSING)
    absent: list[str] = []
    with ExitStack() as ends:
        disk: SmallDisk | None = SmallDisk(directory / "disk", disk_megabytes)
        why = disk.mount() if os.geteuid() == 0 and disk is not None else "not root"
        if why or disk is None:
            absent.append(f"the disk is not filled: {why}")
            disk = None
        else:
            ends.callback(disk.unmount)
        broker = _broker(directory)
        ends.callback(broker.stop)
        cable = Relay(broker.port)
        ends.callback(cable.close)
        influx = InfluxServer(directory / "influx", auth=True)
        ends.callback(influx.stop)
        influx.start()
        proxy = FaultProxy(influx)
        ends.callback(proxy.close)
        offset = directory / "offset" if LIBRARIES else None
        if offset is None:
            absent.append("the clock is not stepped: libfaketime is missing")
        service = _service(directory, cable, proxy, disk, offset, feeds.registry(probes, cameras))
        ends.callback(service.reap)
        stand = Stand(broker, cable, influx, proxy, service, disk, offset, absent)
        stand.start_service()
        yield stand


def _broker(directory: Path) -> Mosquitto:
    home = directory / "mosquitto"
    home.mkdir()
    broker = Mosquitto(home, _free_port(), BROKER)
    broker.start()
    return broker


def _service(
    directory: Path,
    cable: Relay,
    proxy: FaultProxy,
    disk: SmallDisk | None,
    offset: Path | None,
    registry: str,
) -> Service:
    home = directory / "service"
    home.mkdir()
    (home / "stations.toml").write_text(registry, "utf-8")
    (home / "rules.toml").write_text(feeds.RULES, "utf-8")
    command = [*SONGTIEN, "serve"]
    if offset is not None:
        offset.write_text("+0")
        faked = [
            f"LD_PRELOAD={LIBRARIES[0]}",
            f"FAKETIME_TIMESTAMP_FILE={offset}",
            "FAKETIME_CACHE_DURATION=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "NO_FAKE_STAT=1",
        ]
        command = ["env", *faked, *command]
    return Service(
        home,
        {
            "MQTT__URL": f"mqtt://127.0.0.1:{cable.port}",
            "MQTT__CLIENT_ID": "soaked",
            "DATA__DIR": str((disk.path if disk is not None else home) / "data"),
            "HTTP__PORT": str(_free_port()),
            "LIVE__PORT": str(_free_port()),
            "REGISTRY__FILE": str(home / "stations.toml"),
            "RULES__FILE": str(home / "rules.toml"),
            "STORE__URL": proxy.url,
            "STORE__TOKEN": proxy.token or "",
        },
        command,
    )
