"""What may happen to a service in one night, each as something that begins and ends."""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.faults.ending import is_ready
from tests.soak.stand import Stand

LASTS_S = (0.5, 6.0)


def copies(stand: Stand) -> bool:
    """InfluxDB takes readings from the service."""
    try:
        return stand.service.metrics()["songtien_historian_trouble"] == 0
    except httpx.HTTPError:
        return False


def ready(stand: Stand) -> bool:
    return is_ready(stand.service)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault. `strike` returns when it is over; `recovered` is then looked for.

    within_s : what is promised for that; InfluxDB is looked for once a minute after a while
    """

    name: str
    strike: Callable[[Stand, random.Random], None]
    recovered: Callable[[Stand], bool] = ready
    within_s: float = 30.0


def _lasting(draw: random.Random) -> None:
    time.sleep(draw.uniform(*LASTS_S))  # how long it lasts is part of the fault


def _service_killed(stand: Stand, draw: random.Random) -> None:
    stand.service.kill()
    if draw.random() < 0.5:
        _lasting(draw)
    stand.start_service()


def _service_killed_torn_write(stand: Stand, draw: random.Random) -> None:
    """What it was writing to the journal is there in part."""
    stand.service.kill()
    log = stand.service.data / "journal.sqlite-wal"
    with log.open("ab") as file:
        file.write(draw.randbytes(draw.randrange(1, 9000)))
    stand.start_service()


def _service_killed_while_starting(stand: Stand, draw: random.Random) -> None:
    stand.service.kill()
    for _ in range(3):
        stand.service.launch()
        stand.lives += 1
        time.sleep(draw.uniform(0.2, 2.5))  # the moment of its death
        stand.service.kill()
    stand.start_service()


def _service_stopped(stand: Stand, draw: random.Random) -> None:
    assert stand.service.stop() == 0
    _lasting(draw)
    stand.start_service()


def _service_frozen(stand: Stand, draw: random.Random) -> None:
    process = stand.service.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    _lasting(draw)
    process.send_signal(signal.SIGCONT)


def _broker_killed(stand: Stand, draw: random.Random) -> None:
    stand.broker.kill()
    _lasting(draw)
    stand.broker.start()


def _broker_killed_session_gone(stand: Stand, draw: random.Random) -> None:
    stand.broker.kill()
    (stand.broker.directory / "mosquitto.db").unlink(missing_ok=True)
    _lasting(draw)
    stand.broker.start()


def _network_cut(stand: Stand, draw: random.Random) -> None:
    stand.cable.cut()
    _lasting(draw)
    stand.cable.mend()


def _network_stops(stand: Stand, draw: random.Random) -> None:
    stand.cable.hold()
    _lasting(draw)
    stand.cable.mend()


def _network_swallows(stand: Stand, draw: random.Random) -> None:
    stand.cable.swallow()
    _lasting(draw)
    stand.cable.mend()


def _influx_away(stand: Stand, draw: random.Random) -> None:
    stand.influx.stop()
    _lasting(draw)
    stand.influx.start()


def _influx_killed(stand: Stand, draw: random.Random) -> None:
    stand.influx.kill()
    _lasting(draw)
    stand.influx.start()


def _influx_faulty(stand: Stand, draw: random.Random) -> None:
    stand.proxy.passing_faults(0.7)
    for _ in range(3):
        _lasting(draw)
    stand.proxy.mode("pass")


def _influx_misconfigured(stand: Stand, draw: random.Random) -> None:
    """Somebody changes the token, another puts a hotel's page before the server."""
    stand.proxy.mode(draw.choice(["unauthorised", "forbidden", "html", "redirect"]))
    _lasting(draw)
    stand.proxy.mode("pass")


def _disk_full(stand: Stand, draw: random.Random) -> None:
    assert stand.disk is not None
    stand.disk.fill()
    _lasting(draw)
    stand.disk.free()


def _clock_stepped(stand: Stand, draw: random.Random) -> None:
    assert stand.offset is not None
    for step_s in (draw.randrange(-90, 20), draw.randrange(-20, 90), 0):
        stand.offset.write_text(f"{step_s:+d}")
        _lasting(draw)


INFLUX_WITHIN_S = 75.0

ALWAYS: tuple[Strike, ...] = (
    Strike("service killed", _service_killed),
    Strike("service killed, torn write at the journal's end", _service_killed_torn_write),
    Strike("service killed while it starts, three times", _service_killed_while_starting),
    Strike("service stopped and started", _service_stopped),
    Strike("service frozen (SIGSTOP)", _service_frozen),
    Strike("broker killed, session kept", _broker_killed),
    Strike("broker killed, session gone", _broker_killed_session_gone),
    Strike("network cut", _network_cut),
    Strike("network stands still", _network_stops),
    Strike("network swallows everything", _network_swallows),
    Strike("InfluxDB away", _influx_away, copies, INFLUX_WITHIN_S),
    Strike("InfluxDB killed", _influx_killed, copies, INFLUX_WITHIN_S),
    Strike("InfluxDB answers with faults", _influx_faulty, copies, INFLUX_WITHIN_S),
    Strike("InfluxDB misconfigured", _influx_misconfigured, copies, INFLUX_WITHIN_S),
)


DISK = Strike("disk full", _disk_full)
CLOCK = Strike("clock stepped back and forth", _clock_stepped)
NAMES = tuple(kind.name for kind in (*ALWAYS, DISK, CLOCK))


def strikes(stand: Stand) -> tuple[Strike, ...]:
    """What can be done to this stand."""
    of_disk = () if stand.disk is None else (DISK,)
    of_clock = () if stand.offset is None else (CLOCK,)
    return (*ALWAYS, *of_disk, *of_clock)
