"""An event that 5,000 of 50,000 people follow, by a real service, broker and gateway.

    python -m tests.soak.telling --people 50000 --follow 5000 --rate 100
    python -m tests.soak.telling --waiting 100000

Each is told once, no faster than the gateway is to be asked, and officers see how far it is.
Meanwhile a probe reports ten times a second: its readings must reach a screen as ever. Exit code
1 otherwise. With `--waiting` it is something else: starts with a backlog (`tests.soak.backlog`).
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import BROKER
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic
from tests.soak import backlog
from tests.soak.soak import tell
from tests.soak.tellstand import CHANNEL, SHOWN_WITHIN_S, Screen, memory_mib, populate
from tests.telling.gateway import Gateway, serving

GROWS_MIB = 100.0
LOOK_S = 1.0
MINUTE_MS = 60_000


def soak(directory: Path, people: int, follow: int, rate_per_s: float) -> list[str]:
    """What was wrong."""
    with ExitStack() as ends:
        (directory / "mosquitto").mkdir()
        broker = Mosquitto(directory / "mosquitto", _free_port(), BROKER)
        broker.start()
        ends.callback(broker.stop)
        gateway = ends.enter_context(serving(Gateway()))
        settings = {
            "MQTT__URL": broker.url,
            "DATA__DIR": str(directory / "data"),
            "HTTP__PORT": "0",
            "LIVE__PORT": "0",
            "FARMERS__GROUP_S": "5",
            f"CHANNEL__{CHANNEL.upper()}__KIND": "webhook",
            f"CHANNEL__{CHANNEL.upper()}__URL": gateway.url,
            f"CHANNEL__{CHANNEL.upper()}__SECRET": "0123456789abcdef-of-a-test",
            f"CHANNEL__{CHANNEL.upper()}__RATE_PER_S": str(rate_per_s),
        }
        populate(directory / "data", people, follow)
        service = Service(directory / "service", settings)
        ends.callback(service.reap)
        service.start()
        eventually(lambda: service.ready, "ready", 60)
        screen = Screen(service, broker.url)
        with screen.watching():
            eventually(lambda: len(screen.late_s.get("at rest", ())) >= 50, "shown", 60)
            before_mib = memory_mib(service)
            looks = _event(service, broker, screen, follow / rate_per_s)
        wrong = _told_once(gateway, follow, rate_per_s)
        wrong += _as_ever(screen, memory_mib(service) - before_mib)
        if sorted(looks, reverse=True) != looks or len(set(looks)) < min(5, follow / rate_per_s):
            wrong.append(f"officers did not see how far it was: {looks}")
        if service.stop() != 0:
            wrong.append("it did not end well")
    return wrong


def _event(service: Service, broker: Mosquitto, screen: Screen, expected_s: float) -> list[int]:
    """Salt at an intake; what officers are shown of those that wait, until none does."""
    token, topic = service.token("operator"), salinity_topic("xuan-hoa", "xh-01")
    screen.phase = "while told"
    for seq, (g_l, ago_ms) in enumerate(((1.2, 10 * MINUTE_MS), (1.3, 3000)), 1):
        publish(broker.url, topic, obs({"t": now_ms() - ago_ms, "sal_g_l": g_l}, boot=9, seq=seq))
    begun_s, looks = time.monotonic(), list[int]()

    def events() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = service.get("/api/v1/telling/events", token).json()["items"]
        return [each for each in found if each["kind"] == "salt"]

    eventually(events, "officers see the event", 60)
    while not looks or looks[-1]:
        [event] = events()
        looks.append(event["waiting"] + event["put_off"])
        if time.monotonic() - begun_s > 60 + 4 * expected_s:
            break
        time.sleep(LOOK_S)
    tell(f"all told after {time.monotonic() - begun_s:.0f} s; {expected_s:.0f} s by the rate alone")
    return looks


def _told_once(gateway: Gateway, follow: int, rate_per_s: float) -> list[str]:
    # A list is welcomed meanwhile, behind what warns.
    warned = [each for each in gateway.accepted if not each.key.startswith("welcome-")]
    times = Counter(each.to for each in warned)
    wrong = []
    if len(times) != follow or set(times.values()) != {1}:
        wrong.append(f"{len(times)} of {follow} were told, {len(warned)} times in all")
    if len(warned) < 2:
        return wrong
    took_s = warned[-1].at_s - warned[0].at_s
    tell(f"{len(warned) / took_s:.0f} warnings/s of {rate_per_s:g}")
    if len(warned) / took_s > 1.05 * rate_per_s:
        wrong.append("faster than the gateway is to be asked")
    return wrong


def _as_ever(screen: Screen, grown_mib: float) -> list[str]:
    wrong = []
    for phase, late_s in screen.late_s.items():
        last = sorted(late_s)[int(0.99 * len(late_s))]
        tell(f"readings to a screen {phase}: {len(late_s)}, p99 {1000 * last:.0f} ms")
        if last > SHOWN_WITHIN_S:
            wrong.append(f"a reading took {last:.1f} s to a screen {phase}")
    tell(f"memory grew by {grown_mib:.0f} MiB")
    if grown_mib > GROWS_MIB:
        wrong.append(f"memory grew by {grown_mib:.0f} MiB")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--follow", type=int, default=5_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--waiting", type=int, help="rows that wait at a start, and nothing else")
    asked = parser.parse_args(arguments)
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    if asked.waiting:
        wrong = backlog.started_with(directory, asked.waiting)
    else:
        wrong = soak(directory, asked.people, asked.follow, asked.rate)
    for each in wrong:
        tell(f"WRONG {each}")
    if wrong:
        tell(f"logs are kept in {directory}")
    else:
        shutil.rmtree(directory)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
