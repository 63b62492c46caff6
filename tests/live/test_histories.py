"""Random histories: whatever happens on the way, a client that keeps the contract's rules holds
what the hub holds, and the server has never said what the contract does not allow."""

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from api.live import alertlog, view
from api.live.mirror import Mirror
from ingest.reading import Batch
from tests.api.live_feed import T0, alert, retired, river, simulated, values
from tests.live.histories import Client, River, Watched

STATE_WHERE = st.sampled_from(
    [
        None,
        {"kind": ["salinity"]},
        {"station": ["xuan-hoa", "rach-mieu-1"]},
        {"branch": ["cua-dai"], "kind": ["salinity", "traffic"]},
    ]
)
ALERT_WHERE = st.sampled_from([{}, {"severity": ["critical"]}, {"rule": ["salinity-4"]}])
CHOICE = st.integers(0, 7)
STATES = {"raised": "unacked", "acked": "acked", "cleared": "cleared-unacked", "noted": "normal"}


class Histories(RuleBasedStateMachine):
    """What may happen, one rule each; in the end everything comes to rest and is compared."""

    body_bytes = view.BODY_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(view, "BODY_BYTES_MAX", self.body_bytes)
        self.patch.setattr("api.live.subscription.BODY_BYTES_MAX", self.body_bytes)
        self.patch.setattr(alertlog, "EVENTS_MAX", 8)
        self.patch.setattr(alertlog, "TRIMMED_AT", 10)
        self.river = River(river())

    @initialize(
        wishes=st.lists(
            st.tuples(STATE_WHERE, ALERT_WHERE, st.sampled_from([None, 1.0, 20.0])),
            min_size=1,
            max_size=3,
        )
    )
    def begin(self, wishes: list[tuple[Any, Any, float | None]]) -> None:
        for state, alerts, max_hz in wishes:
            self.river.clients.append(
                Client(
                    [
                        Watched(Mirror("state", state, max_hz)),
                        Watched(Mirror("alerts", alerts, None)),
                    ]
                )
            )
        for client in self.river.clients:
            self.river.connect(client)

    # The river, and those who work on it.

    @rule(
        numbers=st.lists(st.integers(0, 5), min_size=1, max_size=8),
        value=st.integers(0, 3),
        age_ms=st.integers(0, 90_000),
        flag=st.sampled_from([1, 3, 4]),
    )
    def measure(self, numbers: list[int], value: int, age_ms: int, flag: int) -> None:
        self.river.hub.apply(values(numbers, float(value), T0 - age_ms, flag))
        self.river.newest |= {n: (float(value), T0 - age_ms) for n in numbers}

    @rule(number=st.integers(0, 5), age_ms=st.integers(0, 90_000))
    def simulate(self, number: int, age_ms: int) -> None:
        self.river.hub.apply(simulated([number], 7.5, T0 - age_ms))

    @rule(after_ms=st.integers(0, 900_000))
    def grow_old(self, after_ms: int) -> None:
        self.river.hub.tick(T0 + after_ms)

    @rule(device=st.sampled_from(["vk-01", "xh-01"]), word=st.sampled_from(["", "lost", "ready"]))
    def link(self, device: str, word: str) -> None:
        self.river.hub.set_links({device: {"s": word} if word else None})

    @rule(device=st.sampled_from(["vk-01", "xh-01"]))
    def maintain(self, device: str) -> None:
        self.river.hub.set_maintenance(frozenset({device}))

    @rule(numbers=st.sets(st.integers(0, 5), max_size=2))
    def retire(self, numbers: set[int]) -> None:
        self.river.hub.configure(retired(self.river.table, sorted(numbers)), Batch.empty())

    @rule()
    def move(self) -> None:
        first = self.river.table.entries[0]
        moved = dataclasses.replace(first, station="my-tho" if first.station else "vam-kenh")
        self._register([moved, *self.river.table.entries[1:]])

    @rule()
    def add(self) -> None:
        table = self.river.table
        key = f"n-{len(table)}"
        new = dataclasses.replace(
            table.entries[2], id=len(table), key=f"{key}/salinity_g_l", device=key
        )
        self._register([*table.entries, new])

    def _register(self, entries: list[Any]) -> None:
        self.river.table = type(self.river.table)(entries)
        self.river.hub.configure(self.river.table, Batch.empty())

    @rule(
        number=st.integers(0, 5),
        kind=st.sampled_from(sorted(STATES)),
        severe=st.booleans(),
        times=st.sampled_from([1, 2, 12]),
    )
    def alert(self, number: int, kind: str, severe: bool, times: int) -> None:
        known = self.river.alerts.get(f"{number:016x}", {})
        severity = known.get("severity", "critical" if severe else "info")
        rule_ = known.get("rule", f"salinity-{number % 2 * 4}")
        for _ in range(times):
            more = {"severity": severity, "rule": rule_, "ver": len(self.river.published)}
            self.river.publish(kind, alert(number, STATES[kind], **more))

    @rule(events_kept=st.integers(0, 12))
    def restart(self, events_kept: int) -> None:
        self.river.restart(events_kept)

    # The way between them.

    def _client(self, choice: int) -> Client:
        return self.river.clients[choice % len(self.river.clients)]

    @rule(choice=CHOICE, back=st.none() | st.integers(0, 3))
    def connect(self, choice: int, back: int | None) -> None:
        client = self._client(choice)
        if back is not None:
            for one in client.watched:
                one.go_back(back)
        self.river.connect(client)

    @rule(choice=CHOICE)
    def cut(self, choice: int) -> None:
        self._client(choice).cut()

    @rule(choice=CHOICE, count=st.integers(1, 6))
    def arrive(self, choice: int, count: int) -> None:
        cable = self._client(choice).cable
        for _ in range(count):
            if cable is not None and cable in self.river.cables and cable.up:
                cable.arrive(self.river.now())
        self.river.close_what_ended()

    @rule()
    def pull(self) -> None:
        """Those that their clients have left, too: to the server they are only slow."""
        for cable in self.river.cables:
            cable.pull(self.river.now())
        self.river.close_what_ended()

    @rule(choice=CHOICE, count=st.integers(1, 12))
    def hear(self, choice: int, count: int) -> None:
        client = self._client(choice)
        for _ in range(count):
            if client.cable is not None and client.cable.down:
                client.hear()

    @rule(choice=CHOICE, back=st.integers(0, 3))
    def lose(self, choice: int, back: int) -> None:
        """A frame vanishes without a trace, as it never may; the client notices."""
        cable = self._client(choice).cable
        if cable is None:
            return
        cable.pull(self.river.now())
        down = cable.down
        losable = [n for n, f in enumerate(down) if f["op"] in ("delta", "event", "reset")]
        if losable:
            del down[losable[-1 - back % len(losable)]]

    @rule(wait_ms=st.sampled_from([40, 1_100, 21_000, 31_000]))
    def wait(self, wait_ms: int) -> None:
        self.river.mono_ms += wait_ms

    @rule()
    def rest(self) -> None:
        self.river.settle()
        self.river.check()

    def teardown(self) -> None:
        try:
            self.river.settle()
            self.river.check()
        finally:
            self.patch.undo()


class SmallPages(Histories):
    """The same where a snapshot is many pages and a change is several deltas."""

    body_bytes = 300


HURRIED = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestHistories = Histories.TestCase
TestHistories.settings = HURRIED
TestSmallPages = SmallPages.TestCase
TestSmallPages.settings = HURRIED
