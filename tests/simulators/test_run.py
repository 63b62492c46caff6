"""What the command line calls, against a real mosquitto: everything received equals everything sent."""

import asyncio
import csv
import gzip
import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ingest.faults import ConfigError
from simulators.guard import LiveServiceError
from simulators.message import Message
from simulators.publish import Broker, Progress, Publisher
from simulators.replay import Rebase
from simulators.run import MAX_SPEED, Report, replay
from simulators.scenario import HOUR_MS, SCENARIOS, messages
from simulators.simulate import simulate
from tests.conftest import Mosquitto
from tests.simulators.delta import REGISTRY
from tests.simulators.listener import Heard, listening

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
NOW_MS = 1_800_000_000_000
MAPPING = """
[time]
column = "t"
format = "epoch_s"
[[device]]
kind = "salinity"
station = "vam-kenh"
device = "vk-01"
columns.sal_g_l = "s"
"""


def _gauge(tmp_path: Path, rows: int = 100, step_s: int = 900) -> Path:
    file = tmp_path / "gauge.csv"
    lines = [f"{1_700_000_000 + i * step_s},{i / 100}\n" for i in range(rows)]
    file.write_text("t,s\n" + "".join(lines))
    (tmp_path / "gauge.toml").write_text(MAPPING)
    return file


@pytest.mark.broker
def test_a_scenario_arrives_byte_for_byte(mosquitto: Mosquitto) -> None:
    seen: list[Progress] = []

    async def run() -> None:
        async with listening(mosquitto.url) as heard:
            report = await simulate(
                "bad-day",
                registry=REGISTRY,
                root="tiengiang",
                broker_url=mosquitto.url,
                seed=3,
                speed=MAX_SPEED,
                duration_ms=6 * HOUR_MS,
                progress=seen.append,
            )
            await heard.until(lambda: len(heard.messages) >= report.acknowledged_messages)
        start_ms = SCENARIOS["bad-day"].start_ms
        world = SCENARIOS["bad-day"].world(REGISTRY, 3, start_ms)
        sent = messages(world, root="tiengiang", start_ms=start_ms, duration_ms=6 * HOUR_MS)
        assert heard.obs() == [(message.topic, message.payload) for message in sent]
        assert report.offered_messages == report.acknowledged_messages == len(heard.messages)
        assert report.offered_samples == report.acknowledged_samples

    asyncio.run(run())
    assert seen[-1].acknowledged == seen[-1].messages > 500


@pytest.mark.broker
def test_a_scenario_at_the_present_ends_now_when_it_is_played_faster(mosquitto: Mosquitto) -> None:
    async def run() -> None:
        async with listening(mosquitto.url) as heard:
            await simulate(
                "dry-season",
                registry=REGISTRY,
                root="tiengiang",
                broker_url=mosquitto.url,
                speed=MAX_SPEED,
                duration_ms=HOUR_MS,
                now_ms=NOW_MS,
            )
            await heard.until(lambda: len(heard.samples("xh-01")) >= 6)
        times = [int(str(sample["t"])) for sample in heard.samples("xh-01")]
        assert NOW_MS - HOUR_MS <= min(times) <= max(times) < NOW_MS

    asyncio.run(run())


def test_a_scenario_in_a_file_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    async def write(name: str) -> Report:
        return await simulate(
            "quiet",
            registry=REGISTRY,
            root="tiengiang",
            out=tmp_path / name,
            duration_ms=2 * HOUR_MS,
            now_ms=NOW_MS,  # a file stays where the scenario is
        )

    report = asyncio.run(write("a.jsonl.gz"))
    asyncio.run(write("b.jsonl.gz"))
    asyncio.run(write("plain.jsonl"))
    packed = (tmp_path / "a.jsonl.gz").read_bytes()
    assert packed == (tmp_path / "b.jsonl.gz").read_bytes()
    lines = gzip.decompress(packed).splitlines()
    assert lines == (tmp_path / "plain.jsonl").read_bytes().splitlines()
    sent = [line for line in map(msgspec.json.decode, lines) if "topic" in line]
    assert len(sent) == report.acknowledged_messages
    first = sent[0]
    assert set(first) == {"at", "topic", "payload"}
    start_ms = SCENARIOS["quiet"].start_ms
    assert start_ms <= first["at"] < start_ms + 120_000


@pytest.mark.broker
@pytest.mark.parametrize(
    ("speed", "rebase", "first_ms", "last_ms"),
    [
        (MAX_SPEED, Rebase.NONE, 1_700_000_000_000, 1_700_000_000_000 + 99 * 900_000),
        (MAX_SPEED, Rebase.NOW, NOW_MS - 99 * 900_000, NOW_MS),
        (1e6, Rebase.NOW, NOW_MS - 99 * 900_000, NOW_MS),
    ],
)
def test_a_csv_arrives_where_it_belongs_in_time(
    mosquitto: Mosquitto, tmp_path: Path, speed: float, rebase: Rebase, first_ms: int, last_ms: int
) -> None:
    async def run() -> None:
        async with listening(mosquitto.url) as heard:
            report = await replay(
                _gauge(tmp_path),
                root="tiengiang",
                broker_url=mosquitto.url,
                clock_ms=lambda: NOW_MS,
                speed=speed,
                rebase=rebase,
            )
            await heard.until(lambda: len(heard.samples("vk-01")) >= 100)
        found = heard.samples("vk-01")
        assert [sample["sal_g_l"] for sample in found] == [i / 100 for i in range(100)]
        assert (found[0]["t"], found[-1]["t"]) == (first_ms, last_ms)
        assert (report.rows, report.skipped, report.acknowledged_samples) == (100, {}, 100)

    asyncio.run(run())


@pytest.mark.broker
def test_at_life_speed_the_first_sample_lies_at_now(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def run() -> None:
        async with listening(mosquitto.url) as heard:
            report = await replay(
                _gauge(tmp_path, rows=2, step_s=1),
                root="tiengiang",
                broker_url=mosquitto.url,
                clock_ms=lambda: NOW_MS,
                rebase=Rebase.NOW,
            )
            await heard.until(lambda: len(heard.samples("vk-01")) >= 2)
        assert [sample["t"] for sample in heard.samples("vk-01")] == [NOW_MS, NOW_MS + 1000]
        assert 1.0 <= report.duration_s < 1.5
        assert len(heard.obs()) == 2  # each when it is due

    asyncio.run(run())


@pytest.mark.broker
def test_a_live_service_is_refused_unless_told_and_then_samples_are_marked(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    ready = Message(0, "tiengiang/v1/server/control-1/state", b'{"s":"ready"}', retain=True)

    async def run() -> None:
        await Publisher(Broker.of(mosquitto.url), [ready]).run()
        with pytest.raises(LiveServiceError):
            await _replay(tmp_path, mosquitto, into_live=False)
        with pytest.raises(LiveServiceError):
            await _simulate(mosquitto, into_live=False)
        async with listening(mosquitto.url) as heard:
            await _replay(tmp_path, mosquitto, into_live=True)
            await _simulate(mosquitto, into_live=True)
            await heard.until(lambda: len(heard.samples("cam-01")) > 0)
        assert len(heard.samples("vk-01")) >= 100
        for device in ("vk-01", "cam-01"):
            assert all(sample["sim"] is True for sample in heard.samples(device))

    asyncio.run(run())


async def _replay(tmp_path: Path, broker: Mosquitto, *, into_live: bool) -> Report:
    return await replay(
        _gauge(tmp_path),
        root="tiengiang",
        broker_url=broker.url,
        clock_ms=lambda: NOW_MS,
        speed=MAX_SPEED,
        into_live=into_live,
    )


async def _simulate(broker: Mosquitto, *, into_live: bool) -> Report:
    return await simulate(
        "quiet",
        registry=REGISTRY,
        root="tiengiang",
        broker_url=broker.url,
        speed=MAX_SPEED,
        duration_ms=HOUR_MS,
        into_live=into_live,
    )


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    def told(**changed: object) -> str:
        arguments: dict[str, object] = {
            "registry": REGISTRY,
            "root": "tiengiang",
            "out": tmp_path / "x.jsonl",
        } | changed
        with pytest.raises(ConfigError) as caught:
            asyncio.run(simulate(**({"scenario": "quiet"} | arguments)))  # type: ignore[arg-type]
        return str(caught.value)

    assert "scenario = 'storm': accepted are dry-season, quiet, bad-day" in told(scenario="storm")
    assert "one of a broker and a file" in told(broker_url="mqtt://h")
    assert "one of a broker and a file" in told(out=None)
    assert "mqtt://HOST:1883" in told(out=None, broker_url="h:1")
    assert "a number above 0" in told(speed=0.0)
    assert "a number above 0" in told(speed=math.nan)


def test_a_csv_without_a_mapping_is_told(tmp_path: Path) -> None:
    file = _gauge(tmp_path)
    (tmp_path / "gauge.toml").unlink()
    with pytest.raises(ConfigError, match=r"gauge.toml.*docs/replay.md"):
        asyncio.run(replay(file, root="r", broker_url="mqtt://127.0.0.1", clock_ms=lambda: NOW_MS))


@pytest.mark.broker
def test_the_recorded_salinity_arrives_value_by_value(
    mosquitto: Mosquitto, recorded: Callable[[str], Path]
) -> None:
    files = {
        "usgs-mississippi-sound": recorded("salinity/usgs_mssound_2019_sample.csv.gz"),
        "cat-point": recorded("salinity/swmpr_apacpwq_2012_2013.csv.gz"),
    }

    async def run() -> Heard:
        async with listening(mosquitto.url) as heard:
            total = 0
            for mapping, file in files.items():
                report = await replay(
                    file,
                    root="tiengiang",
                    broker_url=mosquitto.url,
                    clock_ms=lambda: NOW_MS,
                    mapping_file=EXAMPLES / f"{mapping}.toml",
                    speed=MAX_SPEED,
                )
                assert report.offered_samples == report.acknowledged_samples
                total += report.acknowledged_messages
            await heard.until(lambda: len(heard.messages) >= total)
            return heard

    heard = asyncio.run(run())
    with gzip.open(files["usgs-mississippi-sound"], "rt") as lines:
        gulfport = [
            float(row["salinity_ppt"])
            for row in csv.DictReader(lines)
            if row["site_no"] == "301912088583300"
        ]
    assert [sample["sal_g_l"] for sample in heard.samples("vk-01")] == gulfport
    assert len(heard.samples("bd-01")) == 70_074
    counted = {d: len(heard.samples(d)) for d in ("vk-01", "hb-01", "xh-01")}
    assert counted == {"vk-01": 24_902, "hb-01": 15_283, "xh-01": 17_501}
