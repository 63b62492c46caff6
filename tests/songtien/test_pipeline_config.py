"""New configurations while the pipeline runs."""

from pathlib import Path

from ingest.history import StoreReader
from ingest.journal import Config, Tick
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, probe
from tests.songtien.life import (
    MINUTE,
    MT_02,
    WITH_MT_03,
    WITHOUT_MT_02,
    WITHOUT_SALINITY_RULE,
    events,
    life,
)


def test_a_new_series_is_stored_shown_and_watched(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(BEGIN_MS, probe("mt-03", BEGIN_MS, seq=1, sal_g_l=1.0))
        opened.append(Config(WITH_MT_03, RULES, 30.0), BEGIN_MS + MINUTE)
        at = BEGIN_MS + 2 * MINUTE
        opened.hear(at, probe("mt-03", at, seq=1, sal_g_l=9.0))
        _, unknown, configured, known = opened.run()
        assert unknown.outcome.rejected == {"unknown_device": 1}
        assert configured.parts is not None
        assert "mt-03" in configured.parts.registry.devices
        assert known.outcome.stored == 1
        assert [event.alert["k"] for event in known.outcome.events] == ["mt-03/salinity_g_l"]
        reader = StoreReader(tmp_path / "store")
        number = configured.parts.series.by_key["mt-03/salinity_g_l"]
        assert reader.points(number, 0, 2**60, 9).value.tolist() == [9.0]
        reader.close()


def test_a_series_taken_out_is_refused_and_keeps_its_number_and_history(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(
            BEGIN_MS,
            probe("mt-02", BEGIN_MS, seq=1, sal_g_l=9.0),
            probe("mt-02", BEGIN_MS + 1, sal_g_l=9.0),  # waits in the window
        )
        opened.append(Config(WITHOUT_MT_02, RULES, 30.0), BEGIN_MS + 1000)
        at = BEGIN_MS + 2000
        opened.hear(at, probe("mt-02", at, seq=2, sal_g_l=9.0))
        opened.append(Tick(), BEGIN_MS + MINUTE)
        opened.append(Config(REGISTRY, RULES, 30.0), BEGIN_MS + 2 * MINUTE)
        at = BEGIN_MS + 3 * MINUTE
        opened.hear(
            at,
            probe("mt-02", BEGIN_MS, seq=3, sal_g_l=1.0),
            probe("mt-02", at, seq=4, sal_g_l=1.0),
        )
        told = opened.run()
        assert told[3].outcome.rejected == {"unknown_device": 1}
        assert [each[1:3] for each in events(told)] == [
            ("raised", "salinity-4"),
            ("cleared", "salinity-4"),
        ]
        # What stands at an identity is known also when the device is back.
        assert told[-1].outcome.rejected == {"conflict": 1}
        series = opened.pipeline.processor.series.by_key["mt-02/salinity_g_l"]
        points = [(row[1], row[2]) for row in opened.dump()["reading"] if row[0] == series]
        assert points == [(BEGIN_MS, 9.0), (BEGIN_MS + 1, 9.0), (at, 1.0)]


def test_a_withdrawn_rule_clears_its_alert_and_a_returned_one_raises_again(tmp_path: Path) -> None:
    with life(tmp_path) as opened:
        opened.append(Config(REGISTRY, RULES, 30.0))
        opened.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=1, sal_g_l=9.0))
        opened.append(Config(REGISTRY, WITHOUT_SALINITY_RULE, 30.0), BEGIN_MS + 1)
        opened.hear(BEGIN_MS + 2, probe("mt-01", BEGIN_MS + 2, seq=2, sal_g_l=9.0))
        opened.append(Config(REGISTRY, RULES, 30.0), BEGIN_MS + 3)
        opened.hear(BEGIN_MS + 4, probe("mt-01", BEGIN_MS + 4, seq=3, sal_g_l=9.0))
        assert [each[1] for each in events(opened.run())] == ["raised", "cleared", "raised"]


def test_who_sleeps_is_the_same_after_a_restart_whoever_spoke_first(tmp_path: Path) -> None:
    """The new probe's name sorts before the old one's, and a snapshot sorts names."""
    new = MT_02.replace('"mt-02"', '"aa-01"').replace("expected", 'replaces = "mt-01"\nexpected')
    state = f"{ROOT}/v1/salinity/my-tho"
    sleeping = f'{{"s":"sleeping","boot":1,"until":{BEGIN_MS + 10**9}}}'.encode()
    with life(tmp_path) as first:
        first.append(Config(REGISTRY.replace(MT_02, new), RULES, 30.0))
        first.hear(BEGIN_MS, (f"{state}/mt-01/state", sleeping))
        first.hear(BEGIN_MS, (f"{state}/aa-01/state", b'{"s":"ready","boot":1}'))
        first.run()
        due = first.pipeline.processor.next_due_ms()
        assert due is not None
        assert due < BEGIN_MS + 10**9
    with life(tmp_path) as second:
        assert second.pipeline.processor.next_due_ms() == due
        # What the old one says late, from its drawer, does not count any more.
        second.hear(BEGIN_MS + 1, (f"{state}/mt-01/state", sleeping))
        second.run()
        assert second.pipeline.processor.next_due_ms() == due
