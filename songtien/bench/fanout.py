"""Fan-out of the live socket to thousands of clients, beside a bare broadcast of websockets.

Once a second the state changes, and each client is to have it. In turn: websockets alone,
which sends one text to all; the live socket; the same with clients among them that never
read; and a mixture of filters, roles and paces. Each time server and clients begin anew, in
processes of their own. At the end some clients stop reading for a while, and go on.
"""

import multiprocessing
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Final

from songtien.bench import fanout_clients as clients
from songtien.bench import fanout_server as server
from songtien.bench import fanout_watchers as watchers
from songtien.bench.machine import NOISE_MAX_CORES, Moment
from songtien.bench.rounds import counted, enough, told
from songtien.bench.stand import BenchError

RATIO_MAX: Final = 1.5
CLIENT_KB_MAX: Final = 40
SHOWN_S_MAX: Final = 1.0
STALLED: Final = 50
PAUSED: Final = 10
_CROWDS: Final = 2
_WARM_S, _STOP_S, _PAUSE_MORE_S, _ANSWER_S = 2, 10, 7, 300.0
_SMALL_BYTES: Final = 2048

_AUTH: Final = '{"op":"auth","id":1}'
_ALERTS: Final = '{"op":"sub","id":3,"chan":"alerts"}'

Tell = Callable[[str], None]


def _state(stations: Sequence[str] = (), max_hz: float | None = None) -> str:
    where = f'{{"station":[{",".join(f"{chr(34)}{one}{chr(34)}" for one in stations)}]}}'
    pace = "" if max_hz is None else f',"max_hz":{max_hz}'
    return f'{{"op":"sub","id":2,"chan":"state","where":{where if stations else "{}"}{pace}}}'


_SAME: Final = (_AUTH, _state([server.station(0)]), _ALERTS)
_OFFICER: Final = f'{{"op":"auth","id":1,"token":"{server.OFFICER}"}}'


@dataclass(frozen=True, slots=True)
class Size:
    """Of a round; `pause_s` of those who stop reading at the end."""

    clients: int = 2000
    seconds: int = 20
    pause_s: int = 60
    rounds: int = 5
    tries: int = 15


@dataclass(frozen=True, slots=True)
class Taken:
    """One contender's seconds: of the server's process, and of all clients that read.

    Of those that want a change every other second the delay is that, and no figure.

    frame_us : processor time for each delta that a client has read
    p50_ms, p99_ms : from the change until it was read
    client_kb : memory for each client
    """

    frame_us: float
    p50_ms: float
    p99_ms: float
    client_kb: float
    deltas: int
    others: float


@dataclass(frozen=True, slots=True)
class Round:
    """All contenders, one after the other."""

    bare: Taken
    ours: Taken
    stalled: Taken
    mixed: Taken

    @property
    def ratio(self) -> float:
        return self.ours.frame_us / self.bare.frame_us

    @property
    def quiet(self) -> bool:
        taken = (self.bare, self.ours, self.stalled, self.mixed)
        return max(each.others for each in taken) <= NOISE_MAX_CORES


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds from going on until the newest was shown: of clients that stopped reading, and
    of Python's client in a process that was stopped.
    """

    pause_s: int
    unread_s: tuple[float, ...]
    stopped_s: tuple[float, ...]


@dataclass(slots=True)
class _Child:
    """A process and our end of its line."""

    process: Any
    line: Connection

    def ask(self, question: object) -> Any:
        self.line.send(question)
        return self.answer()

    def answer(self) -> Any:
        if not self.line.poll(_ANSWER_S):
            raise BenchError(f"process {self.process.pid} has not answered in {_ANSWER_S:g} s")
        try:
            return self.line.recv()
        except EOFError as error:
            raise BenchError(f"process {self.process.pid} ended before its answer") from error


@dataclass(slots=True)
class _Stand:
    """A server and what is to be its clients."""

    server: _Child
    port: int
    newest: Any
    crowds: list[_Child] = field(default_factory=list)

    def join(self, group: str, count: int, texts: tuple[str, ...], **more: Any) -> None:
        """Open connections, those of the crowds at the same time."""
        shares = [count // len(self.crowds)] * len(self.crowds)
        shares[0] += count - sum(shares)
        for crowd, share in zip(self.crowds, shares, strict=True):
            crowd.line.send(clients.Join(group, share, self.port, texts, **more))
        for crowd in self.crowds:
            crowd.answer()

    def all(self, command: object) -> list[Any]:
        return [crowd.ask(command) for crowd in self.crowds]

    def rss_kb(self) -> int:
        found: server.Told = self.server.ask(server.Look())
        return found.rss_kb


def run(size: Size, tell: Tell) -> tuple[list[Round], Pause]:
    """Rounds until enough were quiet, or all tries were made; and one pause."""
    found: list[Round] = []
    while len(found) < size.tries and not enough(found, size.rounds):
        found.append(
            Round(
                _taken(size, server.serve_bare, _same, 0),
                _taken(size, server.serve_ours, _same, 0),
                _taken(size, server.serve_ours, _same, STALLED),
                _taken(size, server.serve_ours, _mixed, 0),
            )
        )
        tell(_line(len(found), found[-1]))
    return found, _pause(size)


def summary(rounds: Sequence[Round], pause: Pause, wanted: int) -> list[str]:
    """The medians with their ranges, of the quiet rounds where there are enough."""
    chosen, of_all = counted(rounds, wanted)

    def of(who: str, name: str, form: str) -> str:
        return told([getattr(getattr(each, who), name) for each in chosen], form)

    without = [each.ours.p99_ms for each in chosen]
    moved = statistics.median(each.stalled.p99_ms for each in chosen) - statistics.median(without)
    return [
        (
            f"fan-out: {told([each.ratio for each in chosen], '.2f')} of websockets.broadcast (at "
            f"most {RATIO_MAX:g}); processor time {of('ours', 'frame_us', '.1f')} of "
            f"{of('bare', 'frame_us', '.1f')} µs/frame; {of('ours', 'client_kb', '.1f')} of "
            f"{of('bare', 'client_kb', '.1f')} kB a client (at most {CLIENT_KB_MAX}); {of_all}"
        ),
        (
            f"delay: p50 {of('ours', 'p50_ms', '.0f')} of {of('bare', 'p50_ms', '.0f')} ms, p99 "
            f"{of('ours', 'p99_ms', '.0f')} of {of('bare', 'p99_ms', '.0f')} ms"
        ),
        (
            f"beside {STALLED} that never read: p99 {of('stalled', 'p99_ms', '.0f')} ms, moved by "
            f"{moved:.0f} ms (spread without them {max(without) - min(without):.0f} ms)"
        ),
        (
            f"mixed filters, roles and paces: {of('mixed', 'frame_us', '.1f')} µs/frame, "
            f"{of('mixed', 'client_kb', '.1f')} kB a client"
        ),
        (
            f"after {pause.pause_s} s without reading the newest is shown in "
            f"{told(pause.unread_s, '.2f')} s, by a process that was stopped in "
            f"{told(pause.stopped_s, '.2f')} s (at most {SHOWN_S_MAX:g})"
        ),
    ]


def _line(number: int, round_: Round) -> str:
    def of(who: str, taken: Taken) -> str:
        return (
            f"{who} {taken.frame_us:.1f} µs, p99 {taken.p99_ms:.0f} ms, {taken.client_kb:.1f} kB, "
            f"others {taken.others:.2f}"
        )

    return (
        f"round {number}: ratio {round_.ratio:.2f}; {of('bare', round_.bare)}; "
        f"{of('ours', round_.ours)}; {of('beside stalled', round_.stalled)}; "
        f"{of('mixed', round_.mixed)}; {round_.ours.deltas:,} deltas each"
        f"{'' if round_.quiet else '; noisy'}"
    )


Joining = Callable[[_Stand, int], int]
"""Lets so many clients join; gives how many stations are to change for them."""


def _same(stand: _Stand, count: int) -> int:
    stand.join("all", count, _SAME)
    return 1


def _mixed(stand: _Stand, count: int) -> int:
    """Four of five look at one of twenty stations, one of ten is an officer of two, and one of
    ten wants everything, every other second.
    """
    tenth = count // 10
    stations = [server.station(number) for number in range(server.STATIONS)]
    stand.join("officers", tenth, (_OFFICER, _state(stations[:2]), _ALERTS))
    stand.join("everything", tenth, (_AUTH, _state(max_hz=0.5), _ALERTS))
    left = count - 2 * tenth
    for number, one in enumerate(stations):
        share = left // len(stations) + (number < left % len(stations))
        stand.join("station", share, (_AUTH, _state([one]), _ALERTS))
    return server.STATIONS


def _taken(size: Size, serve: Callable[..., None], joining: Joining, stalled: int) -> Taken:
    with _stand(serve) as stand:
        before_kb = stand.rss_kb()
        stations = joining(stand, size.clients)
        if stalled:
            _stall(stand, stalled)
        stand.server.ask(server.Pace(_WARM_S, stations))
        after_kb = stand.rss_kb()
        stand.all(clients.Take())
        begin = Moment.now()
        paced: server.Told = stand.server.ask(server.Pace(size.seconds, stations))
        others = Moment.now().others_since(begin)
        seen: list[clients.Seen] = stand.all(clients.Take())
    busy = others > NOISE_MAX_CORES
    _prove(size, seen, paced, even=joining is _same and not busy)
    spent_ms = sorted(spent_s * 1000 for each in seen for spent_s in each.delays_s)
    return Taken(
        paced.cpu_s / len(spent_ms) * 1e6,
        statistics.median(spent_ms),
        spent_ms[int(0.99 * (len(spent_ms) - 1))],
        (after_kb - before_kb) / (size.clients + stalled),
        len(spent_ms),
        others,
    )


def _prove(size: Size, seen: Sequence[clients.Seen], paced: server.Told, *, even: bool) -> None:
    """Everybody had everything, in order, and nobody was put out.

    even : each has each change; not where they want fewer, nor where others kept the processor
        for so long that a change overtook the one before: its values are told in that one.
    """
    least = min(each.least for each in seen)
    most = max(each.most for each in seen)
    breaks, closed = sum(each.breaks for each in seen), sum(each.closed for each in seen)
    wanted = size.seconds if even else (size.seconds - 1) // 3
    deltas = sum(len(each.delays_s) for each in seen)
    short = even and deltas != size.clients * size.seconds
    if breaks or closed or paced.closes or least < wanted or most > size.seconds or short:
        raise BenchError(
            f"of {size.seconds} changes clients had {least} to {most}, {deltas:,} deltas in all; "
            f"{breaks} did not follow, {closed + paced.closes} connections were closed"
        )


def _stall(stand: _Stand, count: int) -> None:
    """Clients that never read: of one station with a small buffer, so that all of it lies here
    soon; and of everything, whose snapshot alone is more than may be in flight.
    """
    small = count // 2
    stand.join("stalled", small, _SAME, reads=False, rcvbuf=_SMALL_BYTES)
    stand.join("stalled", count - small, (_AUTH, _state(), _ALERTS), reads=False)


def _pause(size: Size) -> Pause:
    """Stop some clients among all the others, each in two ways, and let them go on."""
    with _stand(server.serve_ours) as stand:
        stations = _same(stand, size.clients)
        stand.join("paused", PAUSED, _SAME)
        with _child(watchers.watch, stand.port, PAUSED) as watching:
            watching.answer()
            stand.server.line.send(server.Pace(size.pause_s + _PAUSE_MORE_S, stations))
            time.sleep(2.5)  # A few changes that all of them show.
            stand.all(clients.Halt("paused"))
            os.kill(watching.process.pid, signal.SIGSTOP)
            time.sleep(size.pause_s)
            # Not beside a change, so that there is one newest value.
            time.sleep((stand.newest.value + 0.5 - time.monotonic()) % 1)
            stamp, went_s = stand.newest.value, time.monotonic()
            os.kill(watching.process.pid, signal.SIGCONT)
            stand.all(clients.Go("paused", stamp))
            stopped_s = [at_s - went_s for at_s in watching.ask(watchers.Shown(stamp))]
            if any(count > 1 for count in watching.answer()):
                raise BenchError("a client that was stopped has lost its connection")
            stand.server.answer()
            seen: list[clients.Seen] = stand.all(clients.Take())
    unread_s = [each for one in seen for each in one.shown_s]
    if len(unread_s) != PAUSED or any(one.closed for one in seen):
        raise BenchError(f"of {PAUSED} clients that paused {len(unread_s)} were left")
    return Pause(size.pause_s, tuple(unread_s), tuple(stopped_s))


@contextmanager
def _stand(serve: Callable[..., None]) -> Iterator[_Stand]:
    """A server that has had a client already, and processes for the clients to come."""
    newest = multiprocessing.get_context("spawn").RawValue("d")
    with (
        _child(serve, newest) as serving,
        _child(clients.crowd) as first,
        _child(clients.crowd) as second,
    ):
        stand = _Stand(serving, serving.answer(), newest, [first, second])
        assert len(stand.crowds) == _CROWDS
        stand.join("first", _CROWDS, _SAME)
        serving.ask(server.Pace(1, server.STATIONS))
        stand.all(clients.Leave("first"))
        yield stand


@contextmanager
def _child(target: Callable[..., None], *given: object) -> Iterator[_Child]:
    """A process with a line to it; told to end with the block, and ended if it doesn't."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *given), daemon=True)
    with _unseen_main():
        process.start()
    theirs.close()
    try:
        yield _Child(process, ours)
        ours.send(None)
        process.join(_STOP_S)
    finally:
        process.kill()  # A process that was stopped does not end by terminate().
        process.join()
        ours.close()


@contextmanager
def _unseen_main() -> Iterator[None]:
    """A spawned process imports the main module again, which here is the whole command line:
    a second of the processor for each of them, and memory that is none of the server's.
    """
    names = vars(sys.modules["__main__"])
    file = names.pop("__file__", None)
    try:
        yield
    finally:
        if file is not None:
            names["__file__"] = file
