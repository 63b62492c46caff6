"""Many entries at a time: the very events that they give one by one."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.book import AlertBook
from ingest.journal import Config
from songtien import stretch
from songtien.backtest import line
from songtien.offline import Arrival, outcomes, outcomes_of
from songtien.recordings import Piece

ROOT = "tiengiang"
T0 = 1_767_000_000_000
MINUTE = 60_000
DEVICES = ("p-1", "p-2", "p-3")
REGISTRY = (
    """
[[reach]]
id = "song"
name = "Sông"
flows_into = []
closed = true
"""
    + "".join(
        f"""
[[station]]
id = "s-{device}"
name = "{device}"
kind = "salinity"
reach = "song"
km_from_mouth = {{ song = 40 }}
lat = 10.3
lon = 106.4
[[station.device]]
id = "{device}"
expected_s = 60
measures = ["ec_ms_cm", "temp_c", "sal_g_l"]
"""
        for device in DEVICES
    )
    + """
[quality.salinity_g_l]
fail_min = 0.0
fail_max = 40.0
spike_suspect = 2.0
rate_suspect_per_h = 200.0
flat_suspect_s = 300
flat_tolerance = 0.05
flat_above = 0.3
[quality.conductivity_ms_cm]
fail_max = 60.0
"""
)
HEAD = (
    'quantity = "salinity_g_l"\nmessage_vi = "{value}"\nmessage_en = "{value}"\nsource = "a test"\n'
)
RULES = f"""
[[rule]]
id = "four"
severity = "critical"
ladder = "salt"
raise_above = 4.0
clear_below = 3.6
{HEAD}
[[rule]]
id = "two-held"
severity = "warning"
ladder = "salt"
raise_above = 2.0
clear_below = 1.8
for_s = 120
clear_for_s = 120
{HEAD}
[[rule]]
id = "quick"
severity = "info"
rise_above_per_h = 60.0
clear_below_per_h = 10.0
rise_window_s = 300
notify_max_age_s = 240
{HEAD}
[[rule]]
id = "stuck"
severity = "info"
flagged = "suspect"
{HEAD}
[[rule]]
id = "silent"
severity = "warning"
no_data_s = 300
never_seen_vi = "{{station}}"
never_seen_en = "{{station}}"
{HEAD}
"""
CONFIG = Config(REGISTRY, RULES, 30.0)

steps = st.lists(
    st.tuples(
        st.sampled_from(DEVICES),
        st.sampled_from([0, 1_000, 20_000, 20_000, 20_000, 20_000, 70_000, 400_000]),  # waited
        st.sampled_from([0.5, 1.0, 1.9, 2.5, 3.0, 3.7, 4.2, 5.0, 6.0, 45.0]),
        st.sampled_from(
            ["plain"] * 12
            + ["late", "again", "gap", "boot", "future", "bad", "state", "many", "ec", "sim"]
        ),
    ),
    max_size=70,
)


def _feed(story: Sequence[tuple[str, int, float, str]]) -> Iterator[Arrival]:
    """Messages of three probes, now and then otherwise than a probe on a good day."""
    now_ms = T0
    seqs, boots = dict.fromkeys(DEVICES, 0), dict.fromkeys(DEVICES, 1)
    last: dict[str, bytes] = {}
    for device, wait_ms, value, how in story:
        now_ms += wait_ms
        topic = f"{ROOT}/v1/salinity/s-{device}/{device}/obs"
        if how == "state":
            yield now_ms, topic.replace("/obs", "/state"), b'{"s":"ready","boot":1}'
            continue
        if how == "again" and device in last:
            yield now_ms, topic, last[device]
            continue
        seqs[device] += 2 if how == "gap" else 1
        if how == "boot":
            boots[device] += 1
        t_ms = now_ms - {"late": 200_000, "future": -120_000}.get(how, 500)
        sample: dict[str, object] = {"t": t_ms, "sal_g_l": value}
        if how == "ec":
            sample |= {"ec_ms_cm": value * 30.0, "temp_c": 28.0}
        if how == "sim":
            sample["sim"] = True
        samples = [sample]
        if how == "many":
            samples = [{"t": t_ms - 10_000, "sal_g_l": value / 2}, sample]
        head = {"v": 1, "boot": boots[device], "seq": seqs[device], "samples": samples}
        last[device] = json.dumps(head).encode() if how != "bad" else b'{"v":1,"samples":['
        yield now_ms, topic, last[device]


def _pieces(feed: Sequence[Arrival], length: int) -> Iterator[Piece]:
    whole = Piece.of([a for a, _, _ in feed], [b for _, b, _ in feed], [c for _, _, c in feed])
    for at in range(0, len(feed), length):
        yield whole.cut(at, at + length)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(story=steps, length=st.sampled_from([5, 23, 1000]), least=st.sampled_from([1, 4]))
def test_the_same_events_as_one_by_one(
    story: list[tuple[str, int, float, str]], length: int, least: int
) -> None:
    feed = list(_feed(story))
    expected = [
        line(event) for outcome in outcomes(feed, CONFIG, root=ROOT) for event in outcome.events
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretch, "STRETCH_MIN", least)
        together = list(outcomes_of(_pieces(feed, length), CONFIG, root=ROOT))
    assert [line(event) for outcome in together for event in outcome.events] == expected


def test_a_quiet_feed_is_taken_in_stretches() -> None:
    story = [(device, 7_000, 1.0 + n % 7 / 10, "plain") for n in range(200) for device in DEVICES]
    feed = list(_feed(story))
    together = list(outcomes_of(_pieces(feed, 1000), CONFIG, root=ROOT))
    assert len(together) < 20
    assert sum(outcome.stored for outcome in together) == len(feed)


def test_what_came_in_a_stretch_is_known_later() -> None:
    story = [("p-1", 20_000, 1.0 + n % 3, "plain") for n in range(100)]
    feed = list(_feed(story))
    again = [(feed[-1][0] + 1_000, topic, payload) for _, topic, payload in feed]
    together = list(outcomes_of(_pieces(feed + again, 1000), CONFIG, root=ROOT))
    assert sum(outcome.duplicate for outcome in together) == len(feed)


def test_what_comes_at_one_time_is_one_entry_wherever_it_is_cut() -> None:
    story = [(device, 0 if n % 3 else 60_000, 5.0, "plain") for n, device in enumerate(DEVICES * 9)]
    feed = list(_feed(story))
    assert [len(list(group)) for _, group in groupby(feed, key=lambda each: each[0])] == [3] * 9
    whole = [line(e) for o in outcomes_of(_pieces(feed, 100), CONFIG, root=ROOT) for e in o.events]
    for length in (1, 2, 4):
        cut = outcomes_of(_pieces(feed, length), CONFIG, root=ROOT)
        assert [line(event) for outcome in cut for event in outcome.events] == whole


def test_alerts_that_stay_due_do_not_hang_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    story = [(device, 7_000, 1.0 + n % 7 / 10, "plain") for n in range(200) for device in DEVICES]
    feed = list(_feed(story))
    stuck_ms = feed[300][0]
    monkeypatch.setattr(AlertBook, "next_due_ms", lambda _: stuck_ms)
    together = list(outcomes_of(_pieces(feed, 1000), CONFIG, root=ROOT))
    assert any(outcome.received > 300 for outcome in together), "it was found within a stretch"
    assert sum(outcome.stored for outcome in together) == len(feed)
    (told,) = caplog.records
    assert "'book' is due" in told.getMessage()
