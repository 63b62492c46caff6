"""Alerts through the whole processor, whatever happens around them: random lives, told twice.

Readings, acts of officers, maintenance, closed bridges, notices and new configurations in any
order. How often the clock is looked at and how often the service is started again has no
effect, and whoever applies the events that were told has what the service has.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from alerts import records
from alerts.alert import AlertEvent
from alerts.entries import EnteredOutcome
from alerts.lifecycle import HOLDING, State
from alerts.topology import is_silence
from ingest import topics
from ingest.journal import Action, Config, Entered, Entry, Messages, Notice, Tick
from ingest.snapshot import unpack
from songtien.processor import Processor
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, River, lane, probe
from tests.songtien.test_announce import Paper, announcer

MINUTE = 60_000

LOOSE = REGISTRY[: REGISTRY.index("[quality.")]
BEHIND = LOOSE.replace('id = "mt-01"', 'id = "mt-01"\ngateway = "gw-1"').replace(
    'id = "mt-02"', 'id = "mt-02"\ngateway = "gw-1"'
)
MOVED = BEHIND.replace('"mt-02"\ngateway = "gw-1"', '"mt-02"\ngateway = "gw-2"')
ALONE = (
    BEHIND[: BEHIND.index('[[station.device]]\nid = "mt-02"')]
    + BEHIND[BEHIND.index('[[station]]\nid = "bridge"') :]
)
REGISTRIES = (BEHIND, LOOSE, MOVED, ALONE)

LADDER = "".join(
    f"""
[[rule]]
id = "rung-{level}"
quantity = "salinity_g_l"
severity = "{severity}"
ladder = "salt"
raise_above = {level}
clear_below = {level}
"""
    for level, severity in ((1, "warning"), (4, "critical"))
)
SHARE = """
[[rule]]
id = "both"
quantity = "salinity_g_l"
severity = "major"
raise_above = 4.0
clear_below = 3.0
at_least = 2
group_by = "station"
"""
SLOW = """
[[rule]]
id = "slow"
quantity = "speed_km_h"
severity = "warning"
raise_below = 20.0
clear_above = 30.0
"""
SILENT = RULES[RULES.index('[[rule]]\nid = "silent"') : RULES.index("# Nobody")].replace(
    "no_data_s = 3600", "no_data_s = 1800"
)
PACE = "[escalation.critical]\nremind_s = 600\nescalate_s = [900]\n"
ALL = LADDER + SHARE + SLOW + SILENT + PACE
RULE_SETS = (
    ALL,
    SHARE.replace('"station"', '"all"') + SILENT + LADDER,
    LADDER.replace("raise_above", "raise_below").replace("clear_below", "clear_above") + SILENT,
)

KINDS = ("salt", "burst", "cars", "act", "tick", "window", "close", "notice", "config")
_PLACES = st.integers(0, 9)
_PAUSES = st.sampled_from([0, 0, 1, 1, 3, 10, 25, 31, 200])
STORIES = st.lists(
    st.tuples(
        st.sampled_from(
            [*KINDS, "salt", "salt", "act"],
        ),
        _PAUSES,
        _PLACES,
        st.lists(st.sampled_from([0.5, 1.5, 3.5, 5.0]), min_size=1, max_size=12),
    ),
    max_size=25,
)


class Told:
    """A processor and everybody who hears of it."""

    def __init__(self) -> None:
        self.river = River(registry=BEHIND, rules=ALL)
        self.events: list[AlertEvent] = []
        self.shown: dict[str, dict[str, Any]] = {}
        self.paper = Paper()
        self.announcer = announcer(self.paper)
        self.sent: dict[str, int] = {"mt-01": -1, "mt-02": -1}
        self.closings = 0

    def step(self, at_ms: int, entry: Entry) -> None:
        outcome = self.river.step(at_ms, entry)
        if isinstance(entry, Entered) and entry.what == "bridge-mode":
            assert outcome.reply is not None
            reply = outcome.reply[1]
            assert isinstance(reply, EnteredOutcome)
            assert reply.outcome == "done", reply
            self.closings += 1
        events = outcome.events
        self.events.extend(events)
        self.announcer.tell(events)
        for event in events:
            if event.told and event.alert["state"] != State.NORMAL:
                self.shown[event.alert["id"]] = event.alert
            elif event.told:
                self.shown.pop(event.alert["id"], None)

    def restart(self) -> None:
        self.river.processor = Processor(self.river.store, ROOT, unpack(self.river.snapshot()))

    def look(self, until_ms: int) -> None:
        """A tick at each due time, as the service writes it."""
        while (due := self.river.processor.next_due_ms()) is not None and due < until_ms:
            self.step(max(due, self.river.processor.now_ms), Tick())

    def check(self) -> None:
        book = self.river.processor.book
        open_now = {a["id"]: a for a in book.alerts()}
        assert self.shown == open_now
        with self.river.store.transaction() as connection:
            assert {a["id"]: a for a in records.active(connection)} == open_now
        board = {topic: body for topic, body in self.paper.retained.items() if body}
        assert board == {
            topics.alert_topic(ROOT, a["rule"], a["k"]): body
            for a in open_now.values()
            if a["state"] in HOLDING and "sim" not in a
            for body in [board.get(topics.alert_topic(ROOT, a["rule"], a["k"]))]
        }
        assert all(json.loads(body) == open_now[json.loads(body)["id"]] for body in board.values())
        self._nobody_is_kept_for_nothing()

    def _nobody_is_kept_for_nothing(self) -> None:
        """What holds an alert back is there, or ends at a time that is known."""
        processor = self.river.processor
        now_ms, ledger = processor.now_ms, processor.book._ledger
        windows = set(processor.desk.maintenance(now_ms).values())
        closed = processor.desk.closed(now_ms)
        holding = {alert.id: alert for alert in ledger.holding.values()}
        for alert in ledger.late.values():
            assert alert.suppressed is not None or not is_silence(alert), "nobody would be told"
        for alert in ledger.holding.values():
            why = alert.suppressed
            if why is None or alert.release_ms > now_ms:
                continue
            assert why["by"] in windows | closed | set(holding), why
        for rule, k in ledger.holding:
            if rule.startswith("songtien-"):
                continue
            number = processor.series.by_key[k]
            holds = processor.judging.engine.active_now(rule, number)
            assert holds or ledger.holding[rule, k].flapping


def salt(told: Told, now_ms: int, device: str, values: Sequence[float]) -> Messages:
    """Samples a second apart, the last of now; none is said twice."""
    messages = []
    for n, value in enumerate(values):
        t_ms = now_ms - (len(values) - 1 - n) * 1_000
        if t_ms > told.sent[device]:
            told.sent[device] = t_ms
            messages.append(probe(device, t_ms, seq=t_ms - BEGIN_MS + 10**6, sal_g_l=value))
    return Messages([topic for topic, _ in messages], [body for _, body in messages])


def cars(now_ms: int, speed_km_h: float) -> Messages:
    both = [
        lane(now_ms, number, "southbound", count={"car": 9}, speed_km_h=speed_km_h)
        for number in (1, 2)
    ]
    return Messages([topic for topic, _ in both], [body for _, body in both])


def order(told: Told, now_ms: int, place: int, chosen: int) -> Entry:
    """Something that an officer does to one of the alerts that he sees."""
    alerts = told.river.processor.book.alerts()
    if not alerts:
        return Tick()
    alert = alerts[place % len(alerts)]
    op = ("ack", "shelve", "unshelve", "note")[chosen % 4]
    until_ms = now_ms + (1 + 9 * place) * MINUTE if op == "shelve" else None
    return Action("r", op, alert["id"], alert["ver"], "Lan", "vì", until_ms)


def maintenance(now_ms: int, place: int) -> Entered:
    body = {"reason": "thay đầu dò", "to": now_ms + (5 + 10 * place) * MINUTE}
    return Entered("r", "maintenance", "my-tho", json.dumps(body), "An", "")


def closing(told: Told, now_ms: int) -> Entered:
    ver = told.closings
    body = {"mode": "closed", "direction": "southbound", "reason": "tai nạn", "ver": ver}
    body["until"] = now_ms + 20 * MINUTE
    return Entered("r", "bridge-mode", "bridge", json.dumps(body), "An", "")


def entry_of(told: Told, kind: str, now_ms: int, place: int, values: Sequence[float]) -> Entry:
    device = ("mt-01", "mt-02")[place % 2]
    kinds: dict[str, Callable[[], Entry]] = {
        "salt": lambda: salt(told, now_ms, device, values[:1]),
        "burst": lambda: salt(told, now_ms, device, values),
        "cars": lambda: cars(now_ms, 10.0 * values[0]),
        "act": lambda: order(told, now_ms, place, int(values[0])),
        "window": lambda: maintenance(now_ms, place),
        "close": lambda: closing(told, now_ms),
        "notice": lambda: Notice("songtien-disk-low", place % 2 == 0, 1.0, 2.0, now_ms, ""),
        "config": lambda: Config(REGISTRIES[place % 4], RULE_SETS[place % 3], 30.0),
        "tick": Tick,
    }
    return kinds[kind]()


@settings(max_examples=60, deadline=None, phases=[Phase.generate])
@given(STORIES, st.sets(st.integers(0, 24), max_size=6), st.booleans())
def test_neither_restarts_nor_looks_at_the_clock_change_what_is_told(
    story: list[Any], restarts: set[int], looks: bool
) -> None:
    quiet, troubled = Told(), Told()
    now_ms = BEGIN_MS
    for place, (kind, minutes, chosen, values) in enumerate(story):
        now_ms += minutes * MINUTE
        # Time passes before anybody acts: an officer sees the alerts as they are then, and
        # before a configuration, which otherwise begins a time of listening.
        for told in (quiet, troubled):
            if told is troubled and looks:
                told.look(now_ms)
            if kind in ("act", "config"):
                told.step(now_ms, Tick())
        entry = entry_of(quiet, kind, now_ms, chosen, values)
        quiet.step(now_ms, entry)
        if place in restarts:
            troubled.restart()
        troubled.step(now_ms, entry)
        quiet.check()
        troubled.check()
    assert quiet.events == troubled.events
