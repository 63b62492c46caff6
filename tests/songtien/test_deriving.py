"""What is formed from many readings, through the whole processor: lines of salt and advice."""

import json
from collections.abc import Iterable, Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import Config, Entered, Messages, Tick
from ingest.registry import parse_registry
from ingest.series import SeriesTable
from songtien.offline import Arrival, Offline, outcomes
from songtien.outcome import Outcome

T0 = 1_767_225_600_000
QUARTER = 900_000
KM = {"xuan-hoa": ("xh-01", 42.0), "my-tho": ("mt-01", 46.0), "kinh-xang": ("kx-01", 55.0)}
REGISTRY = '[[reach]]\nid = "cua-tieu"\nname = "Cửa Tiểu"\n' + "".join(
    f"""
[[station]]
id = "{station}"
name = "{station}"
kind = "salinity"
reach = "cua-tieu"
km_from_mouth = {{ cua-tieu = {km} }}
lat = {10.3 + n / 100}
lon = {106.41 - n / 20}
[[station.device]]
id = "{device}"
expected_s = 900
measures = ["sal_g_l"]
"""
    for n, (station, (device, km)) in enumerate(KM.items())
)
INTAKE = """
[[intake]]
id = "kinh-xang"
name = "Kinh Xáng"
stations = ["kinh-xang"]
side = "river"
limit_g_l = 0.5
lift = "pump"
"""
QUALITY = """
[quality.salinity_g_l]
fail_min = 0.0
fail_max = 40.0
spike_suspect = 30.0
"""
RULE = """
[[rule]]
id = "line-4"
quantity = "salt_4_km"
severity = "major"
branches = ["cua-tieu"]
raise_above = 45.0
clear_below = 44.0
message_vi = "{value}"
message_en = "{value}"
source = "a test"
"""
CONFIG = Config(REGISTRY + INTAKE + QUALITY, RULE, 30.0)
LINE = "cua-tieu/salt_4_km"


def reading(station: str, t_ms: int, g_l: float) -> Arrival:
    device, _ = KM[station]
    payload = {"v": 1, "samples": [{"t": t_ms, "sal_g_l": g_l}]}
    topic = f"tiengiang/v1/salinity/{station}/{device}/obs"
    return t_ms + 1_000, topic, json.dumps(payload).encode()


def hour(n: int, figures: Sequence[float]) -> list[Arrival]:
    """One sample of every station at the n-th quarter of an hour."""
    return [reading(s, T0 + n * QUARTER, g) for s, g in zip(KM, figures, strict=True) if g >= 0]


def run(arrivals: Iterable[Arrival]) -> list[Outcome]:
    return list(outcomes(arrivals, CONFIG, root="tiengiang", begun_ms=T0 - QUARTER))


def lines(found: Iterable[Outcome], numbers: dict[str, int]) -> list[tuple[int, float, int]]:
    told: list[tuple[int, float, int]] = []
    for outcome in found:
        rows = outcome.rows.take(outcome.rows.series == numbers[LINE])
        told.extend(zip(rows.t_ms.tolist(), rows.value.tolist(), rows.flag.tolist(), strict=True))
    return told


def numbers() -> dict[str, int]:
    return SeriesTable.of(parse_registry(CONFIG.registry, "stations.toml")).by_key


def rising() -> list[Arrival]:
    """The 4 g/L line climbs from below Mỹ Tho to above it, and falls back."""
    day = [(4.3, 2.1, 0.28)] * 3 + [(8.0, 4.6, 0.4)] * 3 + [(4.2, 2.0, 0.2)] * 4
    return [each for n, figures in enumerate(day) for each in hour(n, figures)]


def test_the_line_of_salt_is_a_series_and_a_rule_watches_it() -> None:
    found = run(rising())
    told = lines(found, numbers())
    # 42 + 4 ln(4.3/4) / ln(4.3/2.1)
    assert told[0] == (T0, 42.4036, 1)
    assert [t for t, _, _ in told] == [T0 + n * QUARTER for n in range(9)]
    events = [(e.type.value, e.alert["k"], e.alert["t_since"]) for o in found for e in o.events]
    since_ms = T0 + 3 * QUARTER
    assert events == [("raised", LINE, since_ms), ("cleared", LINE, since_ms)]


def test_a_line_that_nothing_brackets_is_a_bound_and_raises() -> None:
    found = run([each for n in range(3) for each in hour(n, (9.0, 6.8, 4.4))])
    assert lines(found, numbers())[0] == (T0, 55.0, 3)
    [raised] = [e.alert for o in found for e in o.events]
    assert raised["suspect"] is True


def test_a_probe_that_somebody_works_on_does_not_draw_the_line() -> None:
    offline = Offline(CONFIG, "tiengiang", T0 - QUARTER)

    def take(n: int, figures: Sequence[float]) -> Outcome:
        at_ms, topics, payloads = zip(*hour(n, figures), strict=True)
        offline.step(at_ms[0], Messages(list(topics), list(payloads)))
        return offline.step(at_ms[0] + 60_000, Tick())

    before = lines([take(0, (4.3, 2.1, 0.28))], numbers())
    begin = {"from": T0 + 120_000, "to": T0 + 40 * QUARTER, "reason": "thay đầu đo"}
    body = json.dumps(begin)
    entered = Entered("r1", "maintenance", "my-tho", body, "lan", "")
    reply = offline.step(T0 + 120_000, entered).reply
    assert reply is not None
    # In a bucket of fresh water: the line goes by its neighbours, 42 + 13 ln(4.3/4) / ln(4.3/0.28)
    last = [take(n, (4.3, 0.05, 0.28)) for n in range(1, 6)][-1]
    assert before == [(T0, 42.4036, 1)]
    assert [value for _, value, _ in lines([last], numbers())] == [42.3442]


def test_what_may_be_taken_is_told_anew_when_it_changes_and_ends_by_itself() -> None:
    fresh = [each for n in range(6) for each in hour(n, (1.0, 0.5, 0.3 - n / 100))]
    found = run([*fresh, *hour(12, (1.0, 0.5, -1.0))])
    told = [o.advice["kinh-xang"] for o in found if "kinh-xang" in o.advice]
    assert told[-2]["take"] or told[-2]["pump"]
    assert told[-2]["until"] < T0 + 7 * QUARTER
    assert told[-1]["why"] == "no-recent-reading", "three hours without a word of this water"
    assert not told[-1]["take"]


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_split_into_entries_gives_the_same_lines_alerts_and_advice(chance: Random) -> None:
    feed = rising()
    together = [(feed[-1][0], topic, payload) for _, topic, payload in feed]
    held = feed.copy()
    for at in range(0, len(held), 5):
        # Some come together, up to a minute after they were sent.
        late_ms = chance.choice((0, 1_000, 20_000))
        held[at : at + 3] = [(at_ms + late_ms, t, p) for at_ms, t, p in held[at : at + 3]]
    held.sort(key=lambda each: each[0])
    table = numbers()
    want = run(feed)
    for other in (held, together):
        got = run(other)
        assert lines(got, table) == lines(want, table)
        ids = [[(e.type, e.alert["id"]) for o in found for e in o.events] for found in (got, want)]
        assert ids[0] == ids[1]
