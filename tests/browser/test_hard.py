"""Networks that drop, readers that stop, officers who press at once: all parts are real."""

import re
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from os import kill

import pytest
from playwright.sync_api import Browser, Page, expect

from ingest.registry import parse_registry
from songtien.settings import DEFAULTS
from tests.browser.conftest import Opened
from tests.browser.looking import STATION, Probe, raised, row, same_as_a_fresh_load, sign_in, value
from tests.conftest import _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, figures, now_ms, obs, salinity_topic
from tests.faults.sender import Gateway
from tests.relay import Relay

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

AWAY_S = 45.0
"""A link that is merely silent is noticed after one and a half pings, of 20 s each."""

ONLINE_S = 3.0
FROZEN_S = 62.0
GOES_ON_S = 1.0
DELAYED_S = 0.5
"""More than that a busy machine does not sway from one minute to the next."""

OTHERS_PER_S = 28.0
LINE_BYTES_PER_S = 2500.0
WINDOW_BYTES = 32_000
"""So much is sent before an answer is waited for: what is shown is no older than it takes."""

ANOTHER_VERSION = """
import importlib.metadata
known = importlib.metadata.version
importlib.metadata.version = lambda name: "99.0" if name == "songtien" else known(name)
from songtien.cli import main
main()"""

FIGURE = """(wanted) => document.querySelector(
  "[data-testid='station-xuan-hoa'] [data-testid='value']").textContent === wanted"""

NOTE_FIGURES = """() => {
  const figure = document.querySelector("[data-testid='station-xuan-hoa'] [data-testid='value']");
  window.figures = [];
  new MutationObserver(() => window.figures.push([figure.textContent, Date.now()]))
    .observe(figure, { childList: true, characterData: true, subtree: true });
}"""

PRESS = """([button, at_ms]) => void setTimeout(() => button.click(), at_ms - Date.now())"""

SPIN = """() => {
  const end_ms = performance.now() + 500;
  while (performance.now() < end_ms) Math.random();
}"""


@pytest.fixture(scope="module")
def door() -> Iterator[Relay]:
    """The cable between the pages and HTTP."""
    cable = Relay()
    yield cable
    cable.close()


@pytest.fixture(scope="module")
def service(serving: Serving, relay: Relay, door: Relay) -> Service:
    door.target, relay.target = _free_port(), _free_port()
    running = serving(
        HTTP__PORT=str(door.target),
        LIVE__PORT=str(relay.target),
        LIVE__PUBLIC_URL=f"ws://127.0.0.1:{relay.port}/live",
        LIVE__ORIGINS=f"http://127.0.0.1:{door.port}",
    )
    eventually(lambda: running.ready, "ready")
    return running


@pytest.fixture(scope="module")
def url(service: Service, door: Relay) -> str:
    assert service.process is not None
    return f"http://127.0.0.1:{door.port}/"


@pytest.fixture(scope="module")
def probe(service: Service) -> Probe:
    return Probe(service)


def test_a_network_that_drops_everything_is_noticed_and_healed_without_a_hand(
    opened: Opened, service: Service, url: str, relay: Relay, door: Relay, probe: Probe
) -> None:
    """Packets vanish both ways and nobody is told: what a pulled cable is to a socket."""
    opened.cut_on_purpose = True
    page = opened(url)
    probe.says(4.1)
    expect(value(page)).to_have_text("4,10")
    for cable in (relay, door):
        cable.swallow()
    try:
        probe.says(4.3)
        Probe(service, "quoi-son", "qs-01").says(4.6)
        missed = raised(service, "salinity-4", "qs-01")
        expect(page.get_by_test_id("link-lost")).to_be_visible(timeout=AWAY_S * 1000)
        expect(value(page)).to_have_text("4,10")
    finally:
        for cable in (relay, door):
            cable.mend()
    # Connections of before stay dead: the page has to make new ones of its own accord.
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=60_000)
    expect(value(page)).to_have_text("4,30")
    expect(row(page, missed)).to_be_visible()
    same_as_a_fresh_load(page, opened, url)


def test_a_machine_whose_network_is_back_waits_for_nothing(
    opened: Opened, url: str, relay: Relay, probe: Probe
) -> None:
    opened.cut_on_purpose = True
    page = opened(url)
    probe.says(4.2)
    expect(value(page)).to_have_text("4,20")
    relay.cut()
    try:
        expect(page.get_by_test_id("link-lost")).to_be_visible()
        # Of a socket that is open the browser's own switch only holds back what comes.
        page.context.set_offline(True)
        probe.says(4.5)
    finally:
        relay.mend()
    page.context.set_offline(False)
    begun_s = time.monotonic()
    expect(value(page)).to_have_text("4,50")
    assert time.monotonic() - begun_s < ONLINE_S
    same_as_a_fresh_load(page, opened, url)


def test_of_two_officers_who_press_at_once_one_has_it_and_the_other_is_told_who(
    opened: Opened, service: Service, url: str
) -> None:
    probe = Probe(service, "dong-tam", "dt-01")
    officers = {}
    for role in ("operator", "admin"):
        officers[role] = opened(url)
        sign_in(officers[role], service, role)
    for salinity_g_l, minutes_ago in ((1.2, 70), (1.3, 60), (1.4, 0)):
        probe.says(salinity_g_l, minutes_ago=minutes_ago)
    alert, lower = (raised(service, rule, "dt-01") for rule in ("salinity-1", "salinity-0-5"))
    ver = service.get(f"/api/v1/alerts/{lower}").json()["ver"]
    taken = service.post(f"/api/v1/alerts/{lower}/ack", service.token("operator"), ver=ver)
    assert taken.status_code == 200  # so that there is one to be had
    for page in officers.values():
        row(page, alert).get_by_test_id("ack").click()
        expect(page.get_by_test_id("officer")).to_be_visible()
    _press_together(list(officers.values()))
    first = eventually(lambda: _takers(service, alert), "acknowledged")[0]
    second = next(role for role in officers if role != first)
    expect(officers[first].get_by_test_id("officer")).to_be_hidden()
    expect(officers[second].get_by_test_id("problem")).to_contain_text(f"{first} đã tiếp nhận")
    assert _takers(service, alert) == [first]
    officers[second].keyboard.press("Escape")
    for page in officers.values():
        expect(row(page, alert)).to_contain_text(f"✓ {first}")
        expect(row(page, alert).get_by_test_id("ack")).to_be_hidden()


def test_one_that_stops_for_a_minute_and_one_on_a_slow_line_delay_nobody_and_never_lie(
    opened: Opened, chromium: Browser, service: Service, url: str, relay: Relay, probe: Probe
) -> None:
    quick, stopped = opened(url), opened(url)
    pid = _renderer_of(stopped, chromium)
    relay.slow(LINE_BYTES_PER_S)
    try:
        slow = opened(url)
        expect(slow.get_by_test_id("link")).to_have_class(re.compile("link-live"), timeout=60_000)
    finally:
        relay.mend()
    slow.evaluate(NOTE_FIGURES)
    with Gateway(service.settings["MQTT__URL"], _everybody_else(), rate_per_s=OTHERS_PER_S):
        _stop_and_go_on(quick, stopped, slow, pid, probe)
    same_as_a_fresh_load(stopped, opened, url)
    same_as_a_fresh_load(slow, opened, url)


def _stop_and_go_on(quick: Page, stopped: Page, slow: Page, pid: int, probe: Probe) -> None:
    alone_s = [_delay_s(quick, probe, 5 + n / 100) for n in range(10)]
    said: dict[str, float] = {}
    beside_s: list[float] = []
    with _frozen(pid):
        begun_s = time.monotonic()
        n = 0
        while time.monotonic() - begun_s < FROZEN_S:
            n += 1
            said[_figure(6 + n / 100)] = time.time() * 1000
            beside_s.append(_delay_s(quick, probe, 6 + n / 100))
    newest = _figure(6 + n / 100)
    begun_s = time.monotonic()
    stopped.wait_for_function(FIGURE, arg=newest, timeout=20_000)
    took_s = time.monotonic() - begun_s
    expect(stopped.get_by_test_id("link-lost")).to_be_hidden()

    expect(value(slow)).to_have_text(newest)
    behind_s = [
        (at - said[text]) / 1000 for text, at in slow.evaluate("window.figures")[1:] if text in said
    ]
    figures(
        f"stopped for {FROZEN_S:g} s: the newest of {n} figures after {took_s:.2f} s; others "
        f"{statistics.median(alone_s):.2f} s before, {statistics.median(beside_s):.2f} s beside; "
        f"at {LINE_BYTES_PER_S:g} bytes/s {len(behind_s)} of {n} figures, the latest "
        f"{max(behind_s):.1f} s behind"
    )
    # A busy machine takes its time for those that were never stopped, too.
    assert took_s < GOES_ON_S + max(beside_s)
    assert statistics.median(beside_s) < statistics.median(alone_s) + DELAYED_S
    assert max(behind_s) < WINDOW_BYTES / LINE_BYTES_PER_S


def test_two_tabs_live_by_themselves(opened: Opened, url: str, probe: Probe) -> None:
    page = opened(url)
    second = page.context.new_page()
    second.goto(url)
    for n, (text, behind) in enumerate((("7,10", page), ("7,20", second))):
        behind.bring_to_front()
        probe.says(7.1 + n / 10)
        for tab in (page, second):
            expect(value(tab)).to_have_text(text)
    second.get_by_test_id("lang-en").click()
    second.close()
    probe.says(7.3)
    expect(value(page)).to_have_text("7,30")
    expect(page.get_by_test_id("link")).to_have_class(re.compile("link-live"))


def test_another_version_of_the_service_brings_its_own_page(
    opened: Opened, service: Service, url: str, probe: Probe
) -> None:
    """The last of this module: it starts another service."""
    opened.cut_on_purpose = True
    page = opened(url)
    probe.says(4.7)
    expect(value(page)).to_have_text("4,70")
    page.evaluate("window.of_before = true")
    service.kill()
    expect(page.get_by_test_id("link-lost")).to_be_visible()
    service.command = [sys.executable, "-c", ANOTHER_VERSION, "serve"]
    service.start()
    expect(page.get_by_test_id("link-lost")).to_be_hidden(timeout=60_000)
    # A function: words would be evaluated anew at each look, which the page's policy forbids.
    page.wait_for_function("() => window.of_before === undefined")
    expect(value(page)).to_have_text("4,70")
    assert service.get("/api/v1/about").json()["version"] == "99.0"


def _everybody_else() -> Iterator[tuple[str, bytes]]:
    """What all other probes say, in turn and without end; tests of alerts come before it."""
    registry = parse_registry((DEFAULTS / "stations.toml").read_text("utf-8"), "stations.toml")
    probes = [one for one in registry.devices.values() if one.kind == "salinity"]
    boot = now_ms()
    for seq in count(1):
        for probe in probes:
            if probe.station != STATION:
                # As calm as water: what leaps is failed, and then people are advised otherwise.
                sample = {"t": now_ms(), "sal_g_l": round(0.2 + seq % 10 / 1000, 3)}
                message = obs(sample, boot=boot, seq=seq)
                yield salinity_topic(probe.station, probe.id), message.encode()


def _figure(salinity_g_l: float) -> str:
    return f"{salinity_g_l:.2f}".replace(".", ",")


def _delay_s(page: Page, probe: Probe, salinity_g_l: float) -> float:
    """From when the broker has it until it stands on the page; a second passes in any case."""
    probe.says(salinity_g_l)
    begun_s = time.monotonic()
    page.wait_for_function(FIGURE, arg=_figure(salinity_g_l), timeout=20_000)
    took_s = time.monotonic() - begun_s
    page.wait_for_timeout(max(0.0, 1 - took_s) * 1000)  # a value changes each second
    return took_s


def _renderer_of(page: Page, chromium: Browser) -> int:
    """The process that runs a page: the one that is busy while the page is."""
    cdp = chromium.new_browser_cdp_session()

    def busy_s() -> dict[int, float]:
        told = cdp.send("SystemInfo.getProcessInfo")["processInfo"]
        return {one["id"]: one["cpuTime"] for one in told if one["type"] == "renderer"}

    before = busy_s()
    page.evaluate(SPIN)
    return max((after - before.get(pid, 0.0), pid) for pid, after in busy_s().items())[1]


@contextmanager
def _frozen(pid: int) -> Iterator[None]:
    """The process that runs a page is stopped, as by a machine that sleeps or pages out."""
    kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        kill(pid, signal.SIGCONT)


def _takers(service: Service, alert: str) -> list[str]:
    """Who has acknowledged it, each time that somebody has."""
    told = service.get(f"/api/v1/alerts/{alert}", service.token("operator")).json()
    return [step["who"] for step in told["timeline"] if step["type"] == "acked"]


def _press_together(pages: list[Page]) -> None:
    """Both press at the same moment of the clock that they share."""
    at_ms = time.time() * 1000 + 700
    for page in pages:
        button = page.get_by_test_id("confirm").element_handle()
        # Not awaited: the second must be told before the moment has come.
        page.evaluate(PRESS, [button, at_ms])
