"""Scenarios: the same bytes anywhere, good payloads, and what each of them is named for."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise, takewhile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.payload import Observations, decode_obs
from ingest.topics import Topic, parse
from simulators.columns import encoded
from simulators.grid import delay_ms
from simulators.message import Message
from simulators.road.sight import truth
from simulators.road.traffic import Camera
from simulators.scenario import HOUR_MS, SCENARIOS, Scenario, demo_world, messages, probe_times_ms
from simulators.simulate import played
from tests.simulators.delta import REGISTRY

DAY_MS = 24 * HOUR_MS
DRY = SCENARIOS["dry-season"]
ROOT = Path(__file__).parent.parent.parent


def _messages(name: str, duration_ms: int = DAY_MS, seed: int = 1) -> list[Message]:
    scenario = SCENARIOS[name]
    world = scenario.world(REGISTRY, seed, scenario.start_ms)
    return list(
        messages(world, root="tiengiang", start_ms=scenario.start_ms, duration_ms=duration_ms)
    )


def _of(found: list[Message], device: str) -> list[dict[str, object]]:
    return [
        sample
        for message in found
        if f"/{device}/" in message.topic
        for sample in msgspec.json.decode(message.payload)["samples"]
    ]


def _conductivity(found: list[Message], device: str) -> list[float]:
    return [float(str(sample["ec_ms_cm"])) for sample in _of(found, device)]


def test_a_device_that_was_replaced_says_nothing_more() -> None:
    new = replace(REGISTRY.devices["xh-01"], id="xh-02", replaces="xh-01")
    registry = replace(REGISTRY, devices={**REGISTRY.devices, new.id: new})
    world = DRY.world(registry, 1)
    found = messages(world, root="r", start_ms=DRY.start_ms, duration_ms=HOUR_MS)
    devices = {message.topic.split("/")[-2] for message in found}
    assert devices == {*REGISTRY.devices, "xh-02"} - {"xh-01"}


def test_tet_moves_with_its_scenario() -> None:
    tet, road = SCENARIOS["tet"], Camera("rach-mieu-1", "southbound")
    t0_ms = np.arange(tet.start_ms, tet.start_ms + DAY_MS, HOUR_MS)

    def cars(scenario: Scenario, by_ms: int) -> float:
        world = scenario.world(REGISTRY, 1, scenario.start_ms + by_ms)
        at_ms = t0_ms - tet.start_ms + scenario.start_ms + by_ms
        calm = replace(world.traffic, workings=(), incidents=(), rains=())
        return float(truth(at_ms, HOUR_MS, road, calm, 1, "any").cars.sum())

    there, moved = cars(tet, 0), cars(tet, 91 * DAY_MS)  # the same days of the week
    assert moved == pytest.approx(there, rel=0.06)
    assert cars(SCENARIOS["dry-season"], 0) < 0.8 * there


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "rough-week"])
def test_every_message_is_one_that_the_service_takes_whole(name: str) -> None:
    found = _messages(name)
    assert len(found) > 1000
    seqs: dict[str, int] = {}
    for message in found:
        topic = parse(message.topic, "tiengiang")
        assert isinstance(topic, Topic)
        said = decode_obs(message.payload, topic.kind)
        assert isinstance(said, Observations)
        assert len(said.samples) == message.samples
        assert not any(hasattr(sample, "reason") for sample in said.samples)
        assert said.seq == seqs.get(topic.device, 0) + 1
        seqs[topic.device] = said.seq
        newest = max(getattr(s, "t", 0) or getattr(s, "t1", 0) for s in said.samples)
        assert 100 <= message.publish_ms - newest < 1500
    assert set(seqs) == set(REGISTRY.devices)
    times = [message.publish_ms for message in found]
    assert times == sorted(times)


def test_a_probe_keeps_its_interval_and_a_camera_leaves_no_gap() -> None:
    found = _messages("dry-season")
    times = [int(str(sample["t"])) for sample in _of(found, "xh-01")]
    assert set(np.diff(times)) == {600_000}
    assert len(times) == 144
    south = [s for s in _of(found, "cam-01") if s["dir"] == "southbound"]
    assert all(a["t1"] == b["t0"] for a, b in pairwise(south))
    assert len(south) == 1440


def test_a_motorbike_lane_counts_motorbikes_alone() -> None:
    for sample in _of(_messages("dry-season", HOUR_MS), "cam-03"):
        count = sample["count"]
        assert isinstance(count, dict)
        expected = (
            {"motorbike", "bicycle"}
            if sample["lane"] == 2
            else {
                "car",
                "bus",
                "truck",
                "trailer",
            }
        )
        assert set(count) == expected


def instructions() -> list[str]:
    """What NumPy takes of this processor beyond the least of its kind."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    assert isinstance(found, list)
    return found


ENVIRONMENTS = (
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "OMP_NUM_THREADS": "1"},
    {
        "PYTHONHASHSEED": "2",
        "TZ": "America/New_York",
        "LC_ALL": "C.UTF-8",
        "OMP_NUM_THREADS": "4",
        # All that NumPy could take at run time, by its names here: AVX2 is X86_V3 since 2.4.
        "NPY_DISABLE_CPU_FEATURES": " ".join(instructions()),
    },
    {
        "PYTHONHASHSEED": "3",
        "TZ": "Asia/Ho_Chi_Minh",
        "LC_ALL": "POSIX",
        "OMP_NUM_THREADS": "4",
        # The C library's own exp, log and sin, which NumPy calls for what it has not itself.
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    },
)


def bytes_of_all() -> dict[str, str]:
    """A digest of the recording of some hours of each scenario, with its labels."""
    found = {}
    for name, scenario in SCENARIOS.items():
        run = played(scenario, REGISTRY, 5, duration_ms=scenario.duration_ms)
        # The hours of the third day in which most is amiss on the week of all faults.
        begin_ms = run.start_ms + (50 * HOUR_MS if name == "rough-week" else 8 * HOUR_MS)
        part = replace(run, start_ms=begin_ms, duration_ms=6 * HOUR_MS)
        digest = hashlib.sha256(repr([part.header, part.labels()]).encode())
        for m in part.messages(root="tiengiang"):
            digest.update(repr((m.publish_ms, m.topic, m.payload, m.retain)).encode())
        found[name] = digest.hexdigest()
    return found


def test_other_hash_seeds_zones_locales_threads_and_instructions_give_the_same_bytes() -> None:
    program = (
        "import json\n"
        "from tests.simulators.test_scenario import bytes_of_all, instructions\n"
        "print(json.dumps([instructions(), bytes_of_all()]))\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        for environment in ENVIRONMENTS
    ]
    said = [msgspec.json.decode(process.communicate(timeout=100)[0]) for process in running]
    assert [bool(taken) for taken, _ in said] == [bool(instructions()), False, bool(instructions())]
    digests = [digest for _, digest in said]
    assert list(digests[0]) == list(SCENARIOS)
    assert len(set(digests[0].values())) == len(SCENARIOS)
    assert digests[0] == digests[1] == digests[2]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(list(SCENARIOS)),
    st.integers(1, 2),
    st.sampled_from(sorted(REGISTRY.devices)),
    st.lists(st.integers(0, 30_000), min_size=3, max_size=3, unique=True).map(sorted),
)
def test_samples_of_a_stretch_are_those_of_its_parts(
    name: str, seed: int, device: str, cuts: list[int]
) -> None:
    scenario = SCENARIOS[name]
    world = scenario.world(REGISTRY, seed)
    # Of a week the third day and what is around it, to the second and not to the interval.
    base_ms = scenario.start_ms + (44 * HOUR_MS if name == "rough-week" else 0)
    a, b, c = (base_ms + cut * 1000 for cut in cuts)
    whole = world.columns(REGISTRY.devices[device], a, c)
    parts = [world.columns(REGISTRY.devices[device], *window) for window in ((a, b), (b, c))]
    assert encoded(whole) == [row for part in parts for row in encoded(part)]
    assert whole.at_ms.tolist() == [at for part in parts for at in part.at_ms.tolist()]


@pytest.mark.parametrize("name", ["bad-day", "rough-week"])
def test_how_much_is_computed_at_once_shows_in_no_byte(name: str) -> None:
    scenario = SCENARIOS[name]
    world = scenario.world(REGISTRY, 1)
    start_ms = scenario.start_ms + 48 * HOUR_MS
    by_block = [
        list(
            messages(world, root="r", start_ms=start_ms, duration_ms=12 * HOUR_MS, block_rows=rows)
        )
        for rows in (None, 7, 100)
    ]
    assert by_block[0] == by_block[1] == by_block[2]


def test_seeds_differ_and_a_longer_run_begins_with_the_shorter() -> None:
    short, long = _messages("quiet", 5 * HOUR_MS), _messages("quiet", 9 * HOUR_MS)
    # At the very end what is still under way is sent in another order.
    sure_ms = SCENARIOS["quiet"].start_ms + 5 * HOUR_MS - 2000
    until = [m for m in short if m.publish_ms < sure_ms]
    assert until == list(takewhile(lambda m: m.publish_ms < sure_ms, long))
    assert short != _messages("quiet", 5 * HOUR_MS, seed=2)


def test_dry_season_is_salty_inland_and_quiet_is_fresh() -> None:
    dry, quiet = _messages("dry-season", 3 * DAY_MS), _messages("quiet", 3 * DAY_MS)
    assert max(_conductivity(dry, "xh-01")) > 1.0
    assert max(_conductivity(quiet, "xh-01")) < 0.5
    speeds = [float(str(s.get("speed_km_h", 45.0))) for s in _of(quiet, "cam-01")]
    assert min(speeds) > 35.0


def test_bad_day_has_a_salt_spell_congestion_and_one_silent_probe() -> None:
    bad = _messages("bad-day")
    start_ms = SCENARIOS["bad-day"].start_ms
    heard = {device: [int(str(s["t"])) for s in _of(bad, device)] for device in ("xh-01", "mh-01")}
    assert max(heard["xh-01"]) < start_ms + 9 * HOUR_MS
    assert max(heard["mh-01"]) > start_ms + 23 * HOUR_MS
    scenario = SCENARIOS["bad-day"]
    world = scenario.world(REGISTRY, 1, start_ms)
    calm = replace(world, river=replace(world.river, spells=()))
    without = list(messages(calm, root="tiengiang", start_ms=start_ms, duration_ms=DAY_MS))
    more = max(_conductivity(bad, "mh-01")) - max(_conductivity(without, "mh-01"))
    assert more > 3.0  # mS/cm: about 1.6 g/L
    for direction in ("southbound", "northbound"):
        slow = [
            s
            for s in _of(bad, "cam-01")
            if s["dir"] == direction and float(str(s.get("speed_km_h", 45.0))) < 12.0
        ]
        assert len(slow) > 60
        assert all(float(str(s["occupancy"])) > 0.3 for s in slow)


def test_a_scenario_moved_in_time_takes_its_river_with_it() -> None:
    scenario = SCENARIOS["dry-season"]
    october_ms = SCENARIOS["quiet"].start_ms
    world = scenario.world(REGISTRY, 1, october_ms)
    found = list(messages(world, root="r", start_ms=october_ms, duration_ms=2 * DAY_MS, boot=3))
    assert max(_conductivity(found, "xh-01")) > 1.0
    assert msgspec.json.decode(found[0].payload)["boot"] == 3


def test_simulated_samples_say_so_where_asked() -> None:
    world = demo_world(REGISTRY, 1)
    start_ms = SCENARIOS["quiet"].start_ms
    for message in messages(world, root="r", start_ms=start_ms, duration_ms=HOUR_MS, sim=True):
        for sample in msgspec.json.decode(message.payload)["samples"]:
            assert sample["sim"] is True


def test_the_demo_has_a_queue_to_the_south_every_afternoon() -> None:
    world = demo_world(REGISTRY, 1)
    camera = REGISTRY.devices["cam-01"]
    monday_17h = SCENARIOS["dry-season"].start_ms + 17 * HOUR_MS
    for day in range(7):
        t0 = np.array([monday_17h + day * DAY_MS])
        south, north = world.camera_samples(camera, t0, 300_000)
        assert float(str(south["speed_km_h"])) < 15.0
        assert float(str(south["queue_m"])) > 200.0
        assert float(str(north["speed_km_h"])) > 15.0


def test_since_the_second_bridge_the_demo_has_its_queue_for_an_hour_and_a_half_at_least() -> None:
    world = demo_world(REGISTRY, 1)
    half_past_three = 1_795_768_200_000  # 27/11/2026 15:30 in Vietnam, a quiet Friday
    for day in range(8):
        minutes = np.arange(210, dtype=np.int64) * 60_000 + half_past_three + day * DAY_MS
        south = world.camera_samples(REGISTRY.devices["cam-01"], minutes, 60_000)[::2]
        assert sum(float(str(each["queue_m"])) > 200.0 for each in south) > 90


@pytest.mark.parametrize("interval_ms", [1000, 20_000, 900_000])
def test_no_message_overtakes_the_one_before_it(interval_ms: int) -> None:
    at_ms = np.arange(0, 2000 * interval_ms, interval_ms)
    delay = delay_ms(at_ms, interval_ms, 1, "test", "xh-01")
    assert 100 <= delay.min() < delay.max() < 1500
    assert (np.diff(at_ms + delay) > 0).all()
    assert delay_ms(at_ms[500:], interval_ms, 1, "test", "xh-01").tolist() == delay[500:].tolist()


def test_times_of_a_probe_stand_on_a_grid_of_its_own() -> None:
    whole = probe_times_ms("vk-01", 900_000, 10_000_000, 40_000_000)
    parts = [
        probe_times_ms("vk-01", 900_000, a, a + 10_000_000) for a in (10**7, 2 * 10**7, 3 * 10**7)
    ]
    assert whole.tolist() == np.concatenate(parts).tolist()
    assert whole[0] >= 10_000_000
    assert (np.diff(whole) == 900_000).all()
