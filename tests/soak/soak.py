"""A soak: a river under load, faults at random for minutes, and an exact count at the end.

    python -m tests.soak.soak --minutes 10 --seed 7

Broker, InfluxDB and service are real; gateways send what `ack` has not covered. The seed
gives the feed and the order of the faults; when they strike, the machine has a say. Exit
code 1 on any difference between what was sent and what is there.
"""

import argparse
import random
import secrets
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from tests.e2e.running import eventually, now_ms
from tests.faults import feeds, oracle
from tests.faults.ending import is_ready, readings_in
from tests.faults.sender import Gateway
from tests.faults.undisturbed import alerts_differ, undisturbed
from tests.soak.stand import Stand, standing
from tests.soak.strikes import NAMES, Strike, copies, strikes

PROBES, CAMERAS = 40, 4
GATEWAYS = 2
RATE_PER_S = 120.0
POISON = 0.1
BETWEEN_S = (0.5, 4.0)
AT_ONCE = 0.2
"""Share of faults of which nobody waits for the end before the next strikes."""

SETTLED_WITHIN_S = 180.0
LOOK_S = 0.5


@dataclass
class Taken:
    """The messages that gateways have begun to send, in their order."""

    feed: list[feeds.Sent]
    until_s: float
    sent: list[feeds.Sent] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for each in self.feed:
            if time.monotonic() > self.until_s:
                return
            self.sent.append(each)
            yield each.topic, each.payload


@dataclass
class Figures:
    """What is told at the end. `wrong` must be empty."""

    recovered_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    struck: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    looks: int = 0
    wrong: list[str] = field(default_factory=list)


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Watch:
    """Holds the accounting identity at any moment, on a thread of its own."""

    def __init__(self, stand: Stand, figures: Figures) -> None:
        self._stand = stand
        self._figures = figures
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            self._stand.note_memory()
            try:
                self._stand.service.metrics()  # asserts it
            except httpx.HTTPError:
                continue  # nobody there: another fault's doing
            except AssertionError as error:
                self._figures.wrong.append(f"accounting: {error}")
            self._figures.looks += 1


def campaign(
    stand: Stand, draw: random.Random, until_s: float, figures: Figures, only: Sequence[str]
) -> None:
    """Strike until the time is over; every kind once before any strikes again."""
    kinds = [kind for kind in strikes(stand) if not only or kind.name in only]
    ahead: list[Strike] = []
    while time.monotonic() < until_s and not figures.wrong:
        ahead = ahead or draw.sample(kinds, len(kinds))
        kind = ahead.pop()
        begun_s = time.monotonic()
        kind.strike(stand, draw)
        figures.struck[kind.name] += 1
        over_s = time.monotonic()
        if draw.random() < AT_ONCE:
            tell(f"  {kind.name}: {over_s - begun_s:.1f} s, and at once the next")
            continue
        try:
            eventually(lambda kind=kind: kind.recovered(stand), "recovered", kind.within_s)  # type: ignore[misc]
        except AssertionError as error:
            figures.wrong.append(f"{kind.name}: {error}; {_not_ready(stand)}")
            return
        took_s = time.monotonic() - over_s
        figures.recovered_s[kind.name].append(took_s)
        tell(f"  {kind.name}: {over_s - begun_s:.1f} s, recovered after {took_s:.1f} s")
        time.sleep(draw.uniform(*BETWEEN_S))  # the load goes on undisturbed for a while


def _parts(feed: Sequence[feeds.Sent]) -> list[list[feeds.Sent]]:
    """A device belongs to one gateway."""
    parts: list[list[feeds.Sent]] = [[] for _ in range(GATEWAYS)]
    for sent in feed:
        device = sent.topic.split("/")[3]
        parts[int(device.rpartition("-")[2]) % GATEWAYS].append(sent)
    return parts


def compare(stand: Stand, sent: Sequence[feeds.Sent], figures: Figures) -> None:
    """Content, flags, alerts and the historian, against the oracle and an undisturbed run."""
    registry = feeds.registry(PROBES, CAMERAS)
    expected = oracle.content(sent, registry)
    quiet = undisturbed(sent, registry, begun_ms=now_ms())
    data = stand.service.data
    store = oracle.store_differs(data, expected)
    judged = oracle.flags_in(data)
    others = [key for key in quiet.flags if judged.get(key) != quiet.flags[key]]
    events = stand.service.alert_events()
    alerts = alerts_differ(quiet, events)
    historian = oracle.values_differ(expected.values, dict(_historian(stand, judged, figures)))
    tell(f"store      {len(expected.values):,} readings: {store}")
    tell(f"refused    {len(expected.refused):,} messages, whole or in part, in the dead letters")
    tell(f"flags      {len(others)} other than undisturbed {_shown(others, judged, quiet.flags)}")
    tell(f"alerts     {len(quiet.alerts):,} raised and cleared: {alerts}")
    tell(f"InfluxDB   {historian}")
    for name, found in (("store", store), ("alerts", alerts), ("InfluxDB", historian)):
        if found:
            figures.wrong.append(f"{name}: {found}")
    if others:
        figures.wrong.append(f"{len(others)} flags")


def _shown(keys: list[oracle.Key], *of: dict[oracle.Key, tuple[int, int]]) -> str:
    return "; ".join(f"{key}: {[each.get(key) for each in of]}" for key in sorted(keys)[:3])


def _historian(
    stand: Stand, judged: dict[oracle.Key, tuple[int, int]], figures: Figures
) -> Iterator[tuple[oracle.Key, float]]:
    """Each value in InfluxDB, device by device; its flag must be the store's."""
    devices = [("salinity", f"p-{n}") for n in range(PROBES)]
    devices += [("traffic", f"c-{n}") for n in range(CAMERAS)]
    other = 0
    for kind, device in devices:
        rows = stand.influx.query(f"SELECT * FROM {kind} WHERE device = '{device}'")
        for key, value, flag in oracle.influx_content(rows):
            other += judged.get(key, (0, 0))[0] != flag
            yield key, value
    if other:
        figures.wrong.append(f"InfluxDB: {other} flags are not the store's")


def _settle(stand: Stand, gateways: Sequence[Gateway]) -> None:
    """All faults are over: wait until nothing is under way."""
    eventually(lambda: is_ready(stand.service), "ready", 60)
    eventually(lambda: all(g.settled for g in gateways), "all is covered", SETTLED_WITHIN_S)
    eventually(lambda: not stand.service.counted("samples_in_flight"), "nothing in flight")
    eventually(lambda: copies(stand) and _drained(stand), "all is in InfluxDB", SETTLED_WITHIN_S)
    # Directions of lanes and flags that wait for the reorder window come a little later.
    quiet = [0, -1]

    def still() -> bool:
        quiet[:] = [quiet[1], readings_in(stand.service.data)]
        return quiet[0] == quiet[1]

    eventually(still, "nothing is added any more")


def _drained(stand: Stand) -> bool:
    return not stand.service.metrics()["songtien_historian_backlog_entries"]


def soak(directory: Path, minutes: float, seed: int, only: Sequence[str] = ()) -> Figures:
    """Run it; what was found, told and returned."""
    draw = random.Random(seed)
    figures = Figures()
    rounds = 1 + int(minutes * 60 * RATE_PER_S * 1.2 / (PROBES + CAMERAS))
    feed = feeds.river(
        seed,
        end_ms=now_ms() - 60_000,
        rounds=rounds,
        probes=PROBES,
        cameras=CAMERAS,
        poison=POISON,
        reboots=True,
    )
    tell(f"seed = {seed}, {minutes:g} minutes, {PROBES + CAMERAS} devices")
    with standing(directory, PROBES, CAMERAS, 128 + round(60 * minutes)) as stand:
        for absent in stand.absent:
            tell(f"not done: {absent}")
        eventually(lambda: is_ready(stand.service), "ready", 60)
        until_s = time.monotonic() + minutes * 60
        taken = [Taken(part, until_s) for part in _parts(feed)]
        with _Watch(stand, figures), ExitStack() as ends:
            gateways = [
                ends.enter_context(
                    Gateway(
                        stand.broker.url,
                        each,
                        client_id=f"gateway-{n}",
                        rate_per_s=RATE_PER_S / GATEWAYS,
                    )
                )
                for n, each in enumerate(taken)
            ]
            try:
                campaign(stand, draw, until_s, figures, only)
                _settle(stand, gateways)
            except AssertionError as error:
                figures.wrong.append(str(error))
                _last_words(stand, gateways)
                return figures
            again = sum(gateway.again for gateway in gateways)
        sent = [each for part in taken for each in part.sent]
        _table(figures)
        tell(f"messages   {len(sent):,}, and {again:,} sent again; {stand.lives} lives")
        tell(
            f"accounting {figures.looks:,} looks; memory of a life at most {stand.peak_mib:.0f} MiB"
        )
        compare(stand, sent, figures)
    return figures


def _not_ready(stand: Stand) -> str:
    try:
        said = stand.service.get("/readyz").text
        found = stand.service.metrics()
    except httpx.HTTPError as error:
        return f"nobody answers: {error!r}"
    names = ("journal_position", "store_position", "samples_in_flight", "historian_trouble")
    return f"{said} { ({name: found[f'songtien_{name}'] for name in names}) }"


def _last_words(stand: Stand, gateways: Sequence[Gateway]) -> None:
    """What is to be seen from outside where the campaign could not be ended."""
    tell(f"uncovered {[gateway.uncovered for gateway in gateways]}")
    tell(_not_ready(stand))
    tell("\n".join(stand.service.said().splitlines()[-20:]))


def _table(figures: Figures) -> None:
    width = max(len(name) for name in figures.struck)
    tell(f"{'fault':{width}}  times  median s  max s")
    for name, times in sorted(figures.struck.items()):
        took = figures.recovered_s.get(name)
        said = f"{statistics.median(took):8.1f}  {max(took):5.1f}" if took else "       -      -"
        tell(f"{name:{width}}  {times:5d}  {said}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", action="append", default=[], choices=NAMES, help="these alone")
    asked = parser.parse_args(arguments)
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    figures = soak(directory, asked.minutes, seed, asked.only)
    if figures.wrong:
        tell(f"logs are kept in {directory}")
    else:
        shutil.rmtree(directory)
    for each in figures.wrong:
        tell(f"WRONG {each}")
    tell("all is there, once" if not figures.wrong else f"seed = {seed}")
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
