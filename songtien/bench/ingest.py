"""How fast messages become durable, flagged, evaluated and acknowledged.

Two contenders take the same packets from the same publisher through a broker of their own
with the same configuration, in turn: `mosquitto_sub -q 1`, which throws them away, and
`songtien serve`. A round of mosquitto_sub ends when it has received all; one of the service
when its metrics say that all are stored and nothing is in flight, and the broker holds
nothing for it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.topics import subscription
from songtien.bench import feed, machine
from songtien.bench.rounds import Contest, Pair, Taken, enough
from songtien.bench.stand import BenchError, Broker, broker, client, running, service, until
from songtien.broker import HOST

STEP_MS = 2000
ROUND_S_MAX = 600.0
SUBSCRIBER = "songtien-bench-sub"
HELD = "$SYS/broker/store/messages/count"
DROPPED = "$SYS/broker/publish/messages/dropped"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """Of a round: `messages` after one of warming up from each of `devices`."""

    devices: int = 1000
    messages: int = 100_000
    rounds: int = 5
    tries: int = 15


CONTEST = Contest("ingest", "songtien", "mosquitto_sub -q 1", "broker", "message")


def run(size: Size, tell: Tell) -> list[Pair]:
    """Rounds until enough were quiet, or all tries were made."""
    seqs = max(1, size.messages // size.devices)
    pairs: list[Pair] = []
    with tempfile.TemporaryDirectory(prefix="songtien-bench-") as name:
        top = Path(name)
        begin_ms = time.time_ns() // 1_000_000 - (seqs + 1) * STEP_MS
        warm, packets = top / "warm", top / "packets"
        for file, which in ((warm, range(1)), (packets, range(1, seqs + 1))):
            file.write_bytes(b"".join(feed.packets(size.devices, which, begin_ms, STEP_MS)))
        count = seqs * size.devices
        for number in range(size.tries):
            sub = _of_mosquitto_sub(top / f"a{number}", packets, count)
            songtien = _of_songtien(top / f"b{number}", warm, packets, count, size)
            pairs.append(Pair(sub, songtien))
            tell(CONTEST.line(number + 1, pairs[-1]))
            if enough(pairs, size.rounds):
                break
    return pairs


def _of_mosquitto_sub(directory: Path, packets: Path, count: int) -> Taken:
    with broker(directory) as holding:
        command = [client("mosquitto_sub"), "-h", HOST, "-p", str(holding.port), "-q", "1"]
        command += ["-i", SUBSCRIBER, "-t", subscription(feed.ROOT), "-C", str(count)]
        silent = {"stdout": subprocess.DEVNULL}
        with running(command, directory / "sub.log", **silent) as subscriber:
            holding.subscribed(SUBSCRIBER)
            pid = subscriber.pid
            # It ends by itself when it has all; unreaped, its processor time can be read.
            ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return _timed(
                holding,
                packets,
                count,
                lambda: os.waitid(os.P_PID, pid, ended) is not None,
                lambda: machine.cpu_s(pid),
            )


def _of_songtien(directory: Path, warm: Path, packets: Path, count: int, size: Size) -> Taken:
    with (
        broker(directory / "broker") as holding,
        service(directory / "service", holding.port, size.devices) as serving,
    ):
        _published(holding, warm, size.devices)
        until(lambda: serving.samples("stored") == size.devices, "warming up", ROUND_S_MAX)
        all_of_it = size.devices + count
        before_s = machine.cpu_s(serving.process.pid)
        held = holding.says(HELD)
        taken = _timed(
            holding,
            packets,
            count,
            lambda: serving.samples("stored") == all_of_it,
            lambda: machine.cpu_s(serving.process.pid) - before_s,
        )
        found = serving.metrics()
        received = found["songtien_samples_received_total"]
        if received != all_of_it or found["songtien_samples_in_flight"]:
            raise BenchError(f"received {received:.0f} of {all_of_it}: {found}")
        until(lambda: holding.says(HELD) <= held + _SAID, "the broker to hold nothing")
        if holding.says(DROPPED):
            raise BenchError(f"the broker dropped {holding.says(DROPPED)} messages")
        return taken


_SAID = 10
"""What the broker may hold in the end beside the feed: states and canaries of the service."""


def _timed(
    holding: Broker,
    packets: Path,
    count: int,
    done: Callable[[], bool],
    contender_s: Callable[[], float],
) -> Taken:
    with _publisher(holding, packets, count) as publishing:
        assert publishing.stdin is not None
        broker_s = machine.cpu_s(holding.process.pid)
        begin = machine.Moment.now()
        publishing.stdin.write(b"go\n")
        publishing.stdin.flush()
        until(done, f"{count} messages", ROUND_S_MAX)
        end = machine.Moment.now()
        used_s, broker_s = contender_s(), machine.cpu_s(holding.process.pid) - broker_s
        if publishing.wait(ROUND_S_MAX) != 0:
            raise BenchError("the publisher failed")
    return Taken(
        count / (end.wall_s - begin.wall_s),
        used_s / count * 1e6,
        broker_s / count * 1e6,
        end.others_since(begin),
    )


def _published(holding: Broker, packets: Path, count: int) -> None:
    with _publisher(holding, packets, count) as publishing:
        publishing.communicate(b"go\n", timeout=ROUND_S_MAX)
        if publishing.returncode != 0:
            raise BenchError("the publisher failed")


@contextmanager
def _publisher(holding: Broker, packets: Path, count: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A publisher that is connected and waits for a line."""
    command = [sys.executable, "-m", "songtien.bench.publisher"]
    command += [str(holding.port), str(packets), str(count)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with running(command, packets.with_suffix(".log"), **pipes) as publishing:
        assert publishing.stdout is not None
        if publishing.stdout.readline() != b"ready\n":
            raise BenchError("the publisher can't connect")
        yield publishing
