"""Many devices: the same whichever way they are asked, and known to a registry."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.payload import Observations, SalinitySample, decode_obs
from ingest.registry import parse_registry
from ingest.topics import Topic, parse
from simulators.fleet import Fleet, registry_text

START_MS = 1_767_000_000_000


def _fleet(devices: int = 30, rate_s: float = 15.0, *, seed: int = 1, sim: bool = False) -> Fleet:
    return Fleet(
        devices,
        rate_s,
        "tiengiang",
        seed=seed,
        from_ms=START_MS,
        to_ms=START_MS + 3_600_000,
        sim=sim,
    )


FLEET = _fleet()
ALL = FLEET.messages(0, 9000, START_MS)


def _said(payload: bytes) -> tuple[int | None, int | None, SalinitySample]:
    """Boot, seq and the one sample."""
    said = decode_obs(payload, "salinity")
    assert isinstance(said, Observations)
    (sample,) = said.samples
    assert isinstance(sample, SalinitySample)
    return said.boot, said.seq, sample


@settings(max_examples=30)
@given(st.lists(st.integers(1, 2500), min_size=1, max_size=6))
def test_any_split_gives_the_same_messages(counts: list[int]) -> None:
    first, found = 0, []
    for count in counts:
        found += FLEET.messages(first, count, START_MS)
        first += count
    assert found[:9000] == ALL[: len(found)]


def test_each_device_speaks_in_its_turn_with_numbers_that_rise() -> None:
    heard: dict[str, list[tuple[int | None, int]]] = defaultdict(list)
    for topic, payload in ALL[:90]:
        boot, seq, sample = _said(payload)
        assert boot == START_MS // 1000
        heard[topic].append((seq, sample.t))
    assert len(heard) == 30
    for number, said in enumerate(heard.values()):
        begin_ms = START_MS + int(number * (1000 / 15))
        assert [seq for seq, _ in said] == [1, 2, 3]
        assert [t - begin_ms for _, t in said] == pytest.approx([0, 2000, 4000], abs=1)


def test_the_registry_knows_every_device() -> None:
    registry = parse_registry(registry_text(250, 2.5), "stations.toml")
    assert len(registry.devices) == 250
    assert len(registry.stations) == 3
    for topic, _ in _fleet(250, 100.0).messages(0, 250, START_MS):
        found = parse(topic, "tiengiang")
        assert isinstance(found, Topic)
        device = registry.devices[found.device]
        assert (device.station, device.expected_s) == (found.station, 3)


def test_water_is_water_and_the_seed_changes_it() -> None:
    other = _fleet(seed=2).messages(0, 30, START_MS)
    assert [topic for topic, _ in other] == [topic for topic, _ in ALL[:30]]
    assert all(mine != theirs for (_, mine), (_, theirs) in zip(other, ALL[:30], strict=True))
    conductivities = [_said(payload)[2].ec_ms_cm for _, payload in ALL]
    assert len(set(conductivities)) > 300
    assert all(value is not None and 0.05 < value < 40.0 for value in conductivities)


def test_simulated_samples_may_say_so() -> None:
    assert all(b'"sim":true' in payload for _, payload in _fleet(sim=True).messages(0, 5, START_MS))
    assert not any(b'"sim"' in payload for _, payload in ALL[:5])
