"""Days of the river, played on the wall at 600 times the pace of the clock.

    python -m tests.soak.wall --days 25 --seed 7

A real service has them from a real broker, and is fed on beside. A Chromium shows the wall and
the page of a station from the first hour on until both have come into the present: 25 days take
an hour. What they hold in memory, page and service, must not grow, and what is shown at random
moments must be what the service says of them. Exit code 1 otherwise.
"""

import argparse
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import Opened, launched
from tests.e2e.running import eventually, now_ms
from tests.soak.flat import Course, growing
from tests.soak.soak import tell
from tests.soak.wallpage import SPEED, Looked, expected_stations
from tests.soak.wallstand import WallStand, standing

LOOK_S = 10.0
STEP_MS = 500
TOLD_EVERY = 18
ENDS_S = 15.0
"""Before the end nobody looks: the page that was not stopped leaves the past first."""

MOMENTS = 5
CLOCK_S = 2.0
"""By so much of real time the clock of a page may be off."""

OFF_MAX = 0.05
"""Share of looks at which it may be off by more: a machine that is busy with others stumbles."""

SHOWN_WITHIN_S = 5.0
PRESENT_WITHIN_S = 120.0
PLACE = "xuan-hoa"
SERVICE_MIB, HEAP_MIB, NODES, LISTENERS = 12.0, 1.5, 150.0, 30.0
"""What may come and go: caches of a fixed size, alerts that are raised and cleared."""


@dataclass
class Watched:
    """A page, its courses, and its clock when it was looked at last.

    off_s : by so much of real time its clock has gone too fast or too slow from look to look
    """

    name: str
    looked: Looked
    clock: tuple[float, float] | None = None
    off_s: list[float] = field(default_factory=list)
    courses: list[Course] = field(default_factory=list)

    def __post_init__(self) -> None:
        figures = (("heap", "MiB", HEAP_MIB), ("nodes", "", NODES), ("listeners", "", LISTENERS))
        self.courses = [Course(f"{self.name}, {name}", unit, by) for name, unit, by in figures]


@dataclass
class Campaign:
    """One play; `wrong` must be empty."""

    stand: WallStand
    wall: Watched
    place: Watched
    service: Course = field(default_factory=lambda: Course("service, RSS", "MiB", SERVICE_MIB))
    wrong: list[str] = field(default_factory=list)
    compared: int = 0

    @property
    def courses(self) -> list[Course]:
        return [self.service, *self.wall.courses, *self.place.courses]

    def look(self, gone_s: float) -> None:
        """Take a sample of everything."""
        if len(self.service.samples) % TOLD_EVERY == TOLD_EVERY - 1:
            last = [course.samples[-1] for course in self.courses]
            tell(f"  after {gone_s:.0f} s: " + " ".join(f"{each:.1f}" for each in last))
        self.service.samples.append(self.stand.rss_mib)
        for watched in (self.wall, self.place):
            if not watched.looked.in_the_past:
                continue  # it has come into the present
            memory = watched.looked.memory()
            told = (memory.heap_mib, memory.nodes, memory.listeners)
            for course, figure in zip(watched.courses, told, strict=True):
                course.samples.append(figure)
            self._hold_clock(watched)

    def _hold_clock(self, watched: Watched) -> None:
        """Since the last look the page's clock has gone as fast as it should."""
        told = watched.looked.clock()
        if told is not None and watched.clock is not None:
            gone_ms, real_ms = (now - then for now, then in zip(told, watched.clock, strict=True))
            watched.off_s.append(abs(gone_ms / SPEED - real_ms) / 1000)
        watched.clock = told

    def compare(self) -> None:
        """Stand still, and hold the wall against what the service says of that moment."""
        looked, service = self.wall.looked, self.stand.service
        at_ms = looked.pause()
        items = service.get("/api/v1/state", None, at=at_ms).json()["items"]
        expected = expected_stations(items)
        alerts = service.get("/api/v1/alerts", None, at=at_ms, state="active").json()["items"]
        ids = {alert["id"] for alert in alerts}
        differs: dict[str, object] = {}

        def same() -> bool:
            looked.page.wait_for_timeout(50)
            shown, rows = looked.stations(), looked.alerts()
            differs.clear()
            differs.update((k, (v, shown.get(k))) for k, v in expected.items() if shown.get(k) != v)
            differs.update((each, "alert") for each in rows ^ ids)
            return not differs

        try:
            eventually(same, "the wall shows it", SHOWN_WITHIN_S)
        except AssertionError:
            self.wrong.append(f"at {at_ms} the wall and the service differ: {differs}")
        self.compared += 1
        tell(f"  at {at_ms}: {len(expected)} stations, {len(ids)} alerts, {len(differs)} differ")
        looked.play()
        self.wall.clock = None  # it begins anew from here


def play(campaign: Campaign, seconds: float, draw: random.Random) -> None:
    """Look every ten seconds, compare at random moments, and follow into the present."""
    begun_s = time.monotonic()
    moments = sorted(draw.uniform(0.05, 0.9) * seconds for _ in range(MOMENTS))
    page, next_s = campaign.wall.looked.page, LOOK_S
    while campaign.wall.looked.in_the_past or campaign.place.looked.in_the_past:
        gone_s = time.monotonic() - begun_s
        if gone_s > seconds + PRESENT_WITHIN_S:
            campaign.wrong.append(f"not in the present after {gone_s:.0f} s")
            return
        if moments and gone_s >= moments[0]:
            moments.pop(0)
            campaign.compare()
        if next_s <= gone_s < seconds - ENDS_S:
            campaign.look(gone_s)
            next_s = gone_s + LOOK_S
        page.wait_for_timeout(STEP_MS)
    tell(f"in the present after {time.monotonic() - begun_s:.0f} s; {seconds:.0f} are expected")
    for watched in (campaign.wall, campaign.place):
        link = watched.looked.page.get_by_test_id("link")
        expect(link).to_contain_text("đang nhận trực tiếp")
        expect(watched.looked.page.get_by_test_id("rewind")).to_be_hidden()


@contextmanager
def _opened(stand: WallStand, at_ms: int) -> Iterator[tuple[Opened, Campaign]]:
    with sync_playwright() as playwright:
        browser = launched(playwright)
        pages = Opened(browser)
        search = f"?at={at_ms}&speed={SPEED}"
        looked = [Looked(pages("about:blank")) for _ in range(2)]
        url = stand.service.http_url
        for each, path in zip(looked, ("", f"tram/{PLACE}"), strict=True):
            each.page.goto(f"{url}{path}{search}")
            expect(each.page.get_by_test_id("link")).to_contain_text(f"{SPEED}×")
        wall, place = (Watched(n, e) for n, e in zip(("wall", "station"), looked, strict=True))
        yield pages, Campaign(stand, wall, place)
        browser.close()


def soak(directory: Path, minutes: float, seed: int) -> list[str]:
    """Play so long; what was wrong, told and returned."""
    hours = minutes * SPEED / 60
    tell(f"seed = {seed}, {hours / 24:g} days of the river in {minutes:g} minutes")
    begun_s = time.monotonic()
    with standing(directory, hours, seed) as stand:
        took_s = time.monotonic() - begun_s
        tell(f"{stand.history_samples:,} samples of the past are in after {took_s:.0f} s")
        at_ms = now_ms() - round(minutes * 60_000 * SPEED)
        with _opened(stand, at_ms) as (pages, campaign):
            try:
                play(campaign, minutes * 60, random.Random(seed))
                for watched in (campaign.wall, campaign.place):
                    found = [f"{watched.name}: {said}" for said in watched.looked.losses]
                    campaign.wrong.extend(found)
            except AssertionError as error:
                campaign.wrong.append(str(error))
            campaign.wrong.extend(f"console: {said}" for said in pages.faults())
        _judge(campaign)
    return campaign.wrong


def _judge(campaign: Campaign) -> None:
    tell(f"{'median of each third of the time':34} {'first':>9} {'second':>9} {'third':>9}")
    for course in campaign.courses:
        tell(course.told())
    for watched in (campaign.wall, campaign.place):
        off = sum(each > CLOCK_S for each in watched.off_s)
        told = f"{watched.name}: the clock was off by more than {CLOCK_S:g} s at {off} of "
        told += f"{len(watched.off_s)} looks, by {max(watched.off_s, default=0):.1f} s at most"
        tell(told)
        if off > OFF_MAX * len(watched.off_s):
            campaign.wrong.append(told)
    campaign.wrong.extend(f"grows: {each}" for each in growing(campaign.courses))
    if campaign.compared < MOMENTS:
        campaign.wrong.append(f"compared at {campaign.compared} moments, not {MOMENTS}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=25.0, help="of the river; a day is 2.4 min")
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args(arguments)
    seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
    directory = Path(tempfile.mkdtemp(prefix="soak-wall-"))
    wrong = soak(directory, asked.days * 24 * 60 / SPEED, seed)
    if wrong:
        tell(f"logs are kept in {directory}")
    else:
        shutil.rmtree(directory)
    for each in wrong:
        tell(f"WRONG {each}")
    tell(f"seed = {seed}" if wrong else "flat, and true")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
