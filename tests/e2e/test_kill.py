"""`kill -9` at any moment, and started again: nothing lost, nothing told twice."""

import asyncio
import csv
import json
import math
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.alert import AlertEvent
from api.live.client import LiveClient
from ingest.journal import Config
from simulators import replay as replaying
from simulators.mapping import CsvMapping, parse_mapping
from simulators.recorded import read_csv
from simulators.run import replay
from songtien.offline import Arrival, outcomes
from tests.conftest import Mosquitto, _free_port
from tests.e2e.conftest import Serving
from tests.e2e.running import (
    Service,
    eventually,
    figures,
    now_ms,
    obs,
    publish,
    salinity_topic,
)
from tests.faults.undisturbed import Undisturbed, alerts_differ, transitions
from tests.simulators.listener import listening

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ROOT = "tiengiang"
PROBES = 6
SAMPLES = 1200
STEP_MS = 2_000
BATCH = 10
SPEED = 160.0
"""The feed of 40 minutes in 15 s, so that it goes on while the service dies and comes back."""

ENDED_AT = (0.02, 0.15, 0.35, 0.6, 0.85)
"""Shares of the readings that are stored when it is killed; at the third it is asked to end."""

REGISTRY = (
    """
[[reach]]
id = "song"
name = "Sông"
flows_into = []
"""
    + "".join(
        f"""
[[station]]
id = "tram-{n}"
name = "Trạm {n}"
kind = "salinity"
reach = "song"
km_from_mouth = {{ song = {40 + n} }}
lat = 10.3
lon = 106.4
[[station.device]]
id = "p-{n}"
expected_s = {60 if n < PROBES else 1}
measures = ["sal_g_l"]
"""
        for n in range(PROBES + 1)
    )
    + """
[quality.salinity_g_l]
fail_min = 0
fail_max = 40
spike_suspect = 1.0
spike_fail = 2.5
rate_suspect_per_h = 150
"""
)

_RULE = """
[[rule]]
id = "{id}"
quantity = "salinity_g_l"
severity = "critical"
{asks}
message_vi = "{{station}}: {{value}}"
message_en = "{{station}}: {{value}}"
source = "a test"
"""
_NEVER = 'never_seen_vi = "{station}: chưa có số liệu"\nnever_seen_en = "{station}: nothing yet"\n'
RULES = (
    _RULE.format(
        id="at-once", asks="raise_above = 5.0\nclear_below = 4.5\nfor_s = 0\nclear_for_s = 0"
    )
    + _RULE.format(
        id="held", asks="raise_above = 4.0\nclear_below = 3.5\nfor_s = 30\nclear_for_s = 60"
    )
    + _RULE.format(
        id="rising",
        asks="rise_above_per_h = 60.0\nclear_below_per_h = 0.0\nrise_window_s = 60\n"
        "for_s = 0\nclear_for_s = 0",
    )
    + _RULE.format(id="silent", asks=f'stations = ["tram-{PROBES}"]\nno_data_s = 5')
    + _NEVER
)

MAPPING = "[time]\ncolumn = 'at'\nformat = 'epoch_ms'\n" + "".join(
    f"[[device]]\nkind = 'salinity'\nstation = 'tram-{n}'\ndevice = 'p-{n}'\n"
    f"where = {{ probe = 'p-{n}' }}\ncolumns.sal_g_l = 'salinity'\n"
    for n in range(PROBES)
)


def _recording(path: Path, end_ms: int) -> None:
    """A river that swings through the limits, with outliers; all of it within the last hour."""
    draw = random.Random(20260101)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("at", "probe", "salinity"))
        for number in range(SAMPLES):
            t_ms = end_ms - (SAMPLES - number) * STEP_MS
            for probe in range(PROBES):
                swing = math.sin(2 * math.pi * (t_ms / 400_000 + probe / PROBES))
                outlier = 3.0 if draw.random() < 0.01 else 0.0
                value = 4.0 + 2.0 * swing + outlier + draw.gauss(0, 0.02)
                rows.writerow((t_ms, f"p-{probe}", f"{value:.3f}"))


def _messages(file: Path, mapping: CsvMapping) -> Iterator[Arrival]:
    made = replaying.messages(
        read_csv(file, mapping), root=ROOT, shift_ms=0, batch=BATCH, boot=1, sim=True
    )
    begun_ms = now_ms()
    for number, message in enumerate(made):
        yield begun_ms + number, message.topic, message.payload


def _undisturbed(
    file: Path, mapping: CsvMapping
) -> tuple[dict[tuple[int, int], tuple[float, int, int]], list[AlertEvent]]:
    """(series, t) -> (value, flag, why), and the alert events, of a service that nobody kills."""
    rows: dict[tuple[int, int], tuple[float, int, int]] = {}
    events: list[AlertEvent] = []
    for outcome in outcomes(_messages(file, mapping), Config(REGISTRY, RULES, 30.0), root=ROOT):
        found = outcome.rows
        rows |= {
            (series, t_ms): (value, flag, why)
            for series, t_ms, value, flag, why in zip(
                found.series.tolist(),
                found.t_ms.tolist(),
                found.value.tolist(),
                found.flag.tolist(),
                found.why.tolist(),
                strict=True,
            )
        }
        events.extend(outcome.events)
    return rows, events


def _stored(service: Service) -> dict[tuple[int, int], tuple[float, int, int]]:
    with service.store() as connection:
        rows = connection.execute("SELECT series, t, value, flag, why FROM reading").fetchall()
    return {(series, t_ms): (value, flag, why) for series, t_ms, value, flag, why in rows}


_MEASURED = (
    "SELECT count(*) FROM reading WHERE series IN (SELECT id FROM series WHERE key LIKE 'p-%')"
)
"""Readings of the probes, without what is formed from several of them."""


def _count(service: Service) -> int:
    try:
        with service.store() as connection:
            return int(connection.execute(_MEASURED).fetchone()[0])
    except sqlite3.OperationalError:  # not yet made
        return 0


def _silent(service: Service) -> list[tuple[str, str]]:
    return [
        (event["type"], event["alert"]["k"])
        for event in service.alert_events()
        if event["alert"]["rule"] == "silent"
    ]


def test_killed_in_the_middle_of_a_replay(
    serving: Serving, broker: Mosquitto, tmp_path: Path
) -> None:
    file = tmp_path / "river.csv"
    _recording(file, now_ms() - 60_000)
    mapping = parse_mapping(MAPPING, "mapping")
    (tmp_path / "stations.toml").write_text(REGISTRY, encoding="utf-8")
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    service = serving(
        REGISTRY__FILE=str(tmp_path / "stations.toml"),
        RULES__FILE=str(tmp_path / "rules.toml"),
        # The same addresses in each life, for a screen that stays.
        HTTP__PORT=str(_free_port()),
        LIVE__PORT=str(_free_port()),
    )
    eventually(lambda: service.ready, "ready")
    total = PROBES * SAMPLES

    def die_and_rise() -> None:
        for share in ENDED_AT:
            eventually(lambda share=share: _count(service) >= share * total, f"{share} stored", 60)  # type: ignore[misc]
            if share == ENDED_AT[2]:
                # An orderly end in the middle of the flow: the lives after it go on from the
                # checkpoint that it leaves, the lives before it from the journal alone.
                assert service.stop() == 0
            else:
                service.kill()
            if share == ENDED_AT[1]:
                service.launch()  # and once more, while it rebuilds its state
                eventually(lambda: "state rebuilt" in service.said(), "rebuilding", 60)
                service.kill()
            service.start()
        eventually(lambda: _count(service) == total, "all stored", 60)
        # Silence counts from when the service listens again, so it comes in the last life alone.
        eventually(lambda: _silent(service), "the probe that never spoke is missed")
        service.kill()
        service.start()
        eventually(lambda: service.ready, "ready")

    async def work() -> list[dict[str, Any]]:
        async with LiveClient(service.live_url, jitter=lambda _, most: min(0.1, most)) as live:
            alerts = await live.subscribe("alerts", {})
            await live.until(lambda: alerts.pos is not None)
            async with asyncio.TaskGroup() as group:
                feed = group.create_task(
                    replay(
                        file,
                        root=ROOT,
                        broker_url=broker.url,
                        clock_ms=now_ms,
                        mapping=mapping,
                        speed=SPEED,
                        batch=BATCH,
                        into_live=True,
                    )
                )
                group.create_task(asyncio.to_thread(die_and_rise))
            report = feed.result()
            assert report.acknowledged_samples == total
            told = [event for event in service.alert_events() if event["told"]]
            last = str(told[-1]["pos"])
            await live.until(lambda: str(alerts.pos).rpartition(".")[2] == last)
            assert live.connects > 2
            return list(alerts.events)

    seen = asyncio.run(work())
    expected, undisturbed = _undisturbed(file, mapping)
    assert _stored(service) == expected, "values, flags and reasons"

    events = service.alert_events()
    by_level = [e for e in undisturbed if e.alert["rule"] != "silent"]
    found = [e for e in events if e["alert"]["rule"] != "silent"]
    alerts = alerts_differ(Undisturbed(alerts=transitions(by_level)), found)
    assert not alerts, f"alerts: {alerts}"
    assert {e["alert"]["rule"] for e in events} == {"at-once", "held", "rising", "silent"}
    assert _silent(service) == [("raised", f"p-{PROBES}/salinity_g_l")]
    told_at = [str(e["pos"]) for e in events if e["told"]]
    seen_at = [str(e["pos"]).rpartition(".")[2] for e in seen]
    assert seen_at == told_at, "each told event once and in order, through every death"
    counted = service.metrics()
    assert counted["songtien_journal_position"] == counted["songtien_store_position"]
    for name in ("journal.sqlite", "store.sqlite"):
        with closing(sqlite3.connect(service.data / name)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    figures(
        f"{total} samples, {len({e['id'] for e in events})} alerts, {len(events)} events, {len(told_at)} told; "
        f"killed {len(ENDED_AT) + 1} times"
    )


def test_killed_while_idle_right_after_an_acknowledgement(
    serving: Serving, broker: Mosquitto
) -> None:
    service = serving()
    eventually(lambda: service.ready, "ready")
    topic, key = salinity_topic("xuan-hoa", "xh-01"), "xh-01/salinity_g_l"
    sent: dict[int, float] = {}

    def say(seq: int) -> None:
        t_ms = now_ms()
        sent[t_ms] = round(1.0 + seq / 100, 4)
        publish(broker.url, topic, obs({"t": t_ms, "sal_g_l": sent[t_ms]}, boot=5, seq=seq))

    async def acknowledged(seq: int) -> None:
        """Return as soon as the service says that it has settled this number."""
        async with listening(broker.url, topic.replace("/obs", "/ack")) as heard:
            await asyncio.to_thread(say, seq)
            await heard.until(
                lambda: any(json.loads(body)["seq"] == seq for _, body, _ in heard.messages)
            )
            service.kill()

    for seq in (1, 2):
        asyncio.run(acknowledged(seq))
        assert len(service.readings(key)) == len(sent), "what is settled is on the disk"
        service.start()
    # The broker has acknowledged; the service may not even have seen it.
    say(3)
    service.kill()
    say(4)
    service.start()
    eventually(lambda: len(service.readings(key)) == len(sent), "all are there")
    assert {t_ms: value for t_ms, (value, _, _) in service.readings(key).items()} == sent
    newest = max(sent)
    eventually(lambda: service.ready, "ready")
    items = service.get("/api/v1/state", station="xuan-hoa").json()["items"]
    assert next(i for i in items if i["k"] == key)["t"] == newest
    points = service.get(f"/api/v1/series/{key}").json()["points"]
    assert [point[:2] for point in points] == [[t_ms, sent[t_ms]] for t_ms in sorted(sent)]
    assert service.metrics()["songtien_samples_total/rejected"] == 0


@pytest.mark.parametrize("refuses", ["journal", "store"])
def test_killed_while_a_file_takes_nothing(
    serving: Serving, broker: Mosquitto, refuses: str
) -> None:
    """What the journal has not is not acknowledged: the broker sends it again. What the store
    has not stands in the journal, and is not sent again.
    """
    service = serving()
    eventually(lambda: service.ready, "ready")
    topic, key = salinity_topic("my-tho", "mt-01"), "mt-01/salinity_g_l"
    sent: dict[int, float] = {}
    with closing(
        sqlite3.connect(service.data / f"{refuses}.sqlite", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else can write now
        for seq in range(3):
            sent[now_ms()] = round(1.0 + seq / 100, 4)
            publish(broker.url, topic, obs({"t": max(sent), "sal_g_l": sent[max(sent)]}))

        def refusing() -> bool:
            answer = service.get("/readyz")
            reasons = answer.json().get("reasons", ())
            return any(reason["code"] == refuses for reason in reasons)

        eventually(refusing, f"it says that the {refuses} refuses")
        assert service.get("/healthz").status_code == 200
        service.kill()
        other.execute("ROLLBACK")
    assert service.readings(key) == {}
    service.start()
    eventually(lambda: len(service.readings(key)) == len(sent), "stored after all")
    assert {t_ms: value for t_ms, (value, _, _) in service.readings(key).items()} == sent
    eventually(lambda: service.ready, "ready")
    assert service.metrics()["songtien_samples_total/duplicate"] == 0
