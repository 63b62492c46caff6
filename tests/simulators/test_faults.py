"""Faults of samples: in their window and nowhere else, with the physics that they are named for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.faults import ConfigError
from ingest.reading import FloatArray
from ingest.registry import Device
from ingest.stations import Level
from simulators.columns import Columns, encoded
from simulators.faults import KINDS, MESSAGES, SAMPLES, Fault, SampleFault, fault, in_order
from simulators.labels import labels
from simulators.scenario import HOUR_MS, SCENARIOS
from simulators.world import World
from tests.simulators.delta import REGISTRY

DRY = SCENARIOS["dry-season"]
BEGIN = DRY.start_ms
FROM, TO = BEGIN + 6 * HOUR_MS, BEGIN + 30 * HOUR_MS
DAY_MS = 24 * HOUR_MS


def _world(*faults: Fault) -> World:
    return DRY.with_faults(*faults).world(REGISTRY, 1)


def _device(kind: str) -> Device:
    """A camera for what only cameras have, else the probe at Xuân Hòa."""
    of = KINDS[kind]
    return REGISTRY.devices["xh-01" if "salinity" in of.kinds else "cam-01"]


def _columns(
    device: Device, *faults: Fault, from_ms: int = BEGIN, to_ms: int = BEGIN + 2 * DAY_MS
) -> Columns:
    return _world(*faults).columns(device, from_ms, to_ms)


def _field(columns: Columns, name: str) -> FloatArray:
    return columns.fields[name]


def _fault(kind: str, device: Device, **parameters: float) -> Fault:
    if kind == "out-of-water":
        parameters.setdefault("dries_below_m", -0.3)
    return fault(kind, device.id, FROM, TO, quantity="", **parameters)


def _inside(at_ms: int, windows: list[tuple[int, int]]) -> bool:
    return any(begin <= at_ms < end for begin, end in windows)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_fault_changes_samples_of_its_device_in_its_window_and_some_of_them(kind: str) -> None:
    device = _device(kind)
    world = _world(_fault(kind, device))
    windows = [
        (each.from_ms, each.to_ms)
        for each in labels(world, BEGIN, 2 * DAY_MS)
        if (each.label, each.device) == (kind, device.id)
    ]
    assert windows
    assert all(begin >= FROM and end <= TO for begin, end in windows)
    was, now = (
        dict(_by_time(columns))
        for columns in (_columns(device), world.columns(device, BEGIN, BEGIN + 2 * DAY_MS))
    )
    changed = {at for at in was if was[at] != now.get(at)}
    assert set(now) <= set(was)
    assert changed
    assert all(_inside(at, windows) for at in changed)
    if kind in {"spike", "out-of-water"}:  # each window of theirs is about samples
        assert changed == {at for at in was if _inside(at, windows)}
    for other in REGISTRY.devices.values():
        if other.id != device.id:
            rows = encoded(_columns(other, _fault(kind, device), to_ms=BEGIN + 12 * HOUR_MS))
            assert rows == encoded(_columns(other, to_ms=BEGIN + 12 * HOUR_MS))


def _by_time(columns: Columns) -> Iterator[tuple[int, list[bytes]]]:
    found: dict[int, list[bytes]] = {}
    for at, row in zip(columns.at_ms.tolist(), encoded(columns), strict=True):
        found.setdefault(at, []).append(row)
    return iter(found.items())


ANY_FAULT = st.builds(
    lambda kind, from_h, long_h: fault(
        kind,
        "cam-01" if KINDS[kind].kinds == ("traffic",) else "xh-01",
        BEGIN + from_h * HOUR_MS // 4,
        BEGIN + (from_h + long_h) * HOUR_MS // 4,
    ),
    st.sampled_from(list(SAMPLES)),
    st.integers(0, 40),
    st.integers(1, 60),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(ANY_FAULT, min_size=1, max_size=5),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, 86_400), min_size=3, max_size=3, unique=True).map(sorted),
)
def test_any_mixture_of_faults_is_the_same_in_any_order_given_and_any_cut(
    faults: list[Fault], random: Random, cuts: list[int]
) -> None:
    a, b, c = (BEGIN + cut * 1000 for cut in cuts)
    shuffled = list(faults)
    random.shuffle(shuffled)
    for name in {each.device for each in faults}:
        device = REGISTRY.devices[name]
        whole = encoded(_columns(device, *faults, from_ms=a, to_ms=c))
        parts = [
            row
            for begin, end in ((a, b), (b, c))
            for row in encoded(_columns(device, *shuffled, from_ms=begin, to_ms=end))
        ]
        assert whole == parts


def test_they_are_applied_in_the_order_of_the_table() -> None:
    device = REGISTRY.devices["xh-01"]
    drift, stuck = _fault("drift", device, per_day=24.0), _fault("stuck", device)
    mixed = _fault("unit-mix-up", device)
    # What hangs behind a drifting cell holds one value; what mixes units up comes behind both.
    columns = _columns(device, mixed, stuck, drift)
    inside = (columns.at_ms >= FROM) & (columns.at_ms < TO)
    values = _field(columns, "ec_ms_cm")[inside]
    assert set(values.tolist()) == {values[0]}
    clean = _field(_columns(device), "ec_ms_cm")
    assert values[0] == pytest.approx(1000.0 * clean[np.flatnonzero(inside)[0] - 1], rel=0.05)
    assert [each.kind for each in in_order([mixed, stuck, drift])] == [
        "drift",
        "stuck",
        "unit-mix-up",
    ]
    assert list(KINDS) == [*SAMPLES, *MESSAGES]


def _ratio(kind: str, **parameters: float) -> tuple[FloatArray, FloatArray]:
    """Days since the start and what is read, as a share of what there was, in the window."""
    device = REGISTRY.devices["xh-01"]
    columns, clean = _columns(device, _fault(kind, device, **parameters)), _columns(device)
    inside = (columns.at_ms >= FROM) & (columns.at_ms < TO)
    share = _field(columns, "ec_ms_cm")[inside] / _field(clean, "ec_ms_cm")[inside]
    return (columns.at_ms[inside] - FROM) / DAY_MS, share


def test_fouling_reads_low_and_grows() -> None:
    days, share = _ratio("fouling", per_day=0.3, least=0.75)
    assert share == pytest.approx(np.maximum(1.0 - 0.3 * days, 0.75), abs=2e-3)
    assert (np.diff(share) < 1e-3).all()


def test_compensation_taken_for_none_reads_less_salt_in_warm_water() -> None:
    _, share = _ratio("ec25-as-ec")
    temp = _field(_columns(REGISTRY.devices["xh-01"]), "temp_c")
    expected = 1.0 / (1.0 + 0.0191 * (temp - 25.0))
    assert expected.min() - 1e-3 < share.min() < share.max() < expected.max() + 1e-3
    assert share.max() < 0.97


def test_a_probe_out_of_the_water_reads_nearly_nothing_at_low_tide_alone() -> None:
    device = REGISTRY.devices["xh-01"]
    world = _world(_fault("out-of-water", device, dries_below_m=-0.3))
    columns = world.columns(device, FROM, TO)
    level = world.level_m(device, columns.at_ms)
    ec = _field(columns, "ec_ms_cm")
    assert 0.05 < (level < -0.35).mean() < 0.6
    assert ec[level < -0.35].max() <= 0.05
    assert len(set(ec[level < -0.35].tolist())) > 5
    assert ec[level > -0.25].min() > 0.2


def test_a_stuck_instrument_holds_what_it_read_when_it_stopped() -> None:
    device = REGISTRY.devices["xh-01"]
    columns, clean = _columns(device, _fault("stuck", device)), _columns(device)
    inside = (columns.at_ms >= FROM) & (columns.at_ms < TO)
    last = np.flatnonzero(clean.at_ms <= FROM)[-1]
    for name in ("ec_ms_cm", "temp_c"):
        assert set(_field(columns, name)[inside].tolist()) == {_field(clean, name)[last]}
    assert np.array_equal(_field(columns, "level_m"), _field(clean, "level_m"))


def test_spikes_are_single_and_as_many_as_asked_for() -> None:
    device = REGISTRY.devices["xh-01"]
    columns = _columns(device, _fault("spike", device, share=0.1, size=20.0))
    far = _field(columns, "ec_ms_cm") - _field(_columns(device), "ec_ms_cm") > 19.9
    assert 6 <= far.sum() <= 26  # of 144


def test_counters_rise_fall_to_nothing_and_sum_up_to_what_was_counted() -> None:
    camera = REGISTRY.devices["cam-01"]
    columns = _columns(camera, _fault("counter-reset", camera, every_s=4 * 3600.0))
    clean = _columns(camera)
    lane = (columns.part == 0) & (columns.at_ms >= FROM) & (columns.at_ms < TO)
    total, count = _field(columns, "cumulative.car")[lane], _field(clean, "count.car")[lane]
    assert np.isnan(_field(columns, "count.car")[lane]).all()
    falls = np.flatnonzero(np.diff(total) < 0)
    assert len(falls) == 5
    differences = np.diff(total)
    kept = np.delete(np.arange(len(differences)), falls)
    assert np.array_equal(differences[kept], count[1:][kept])
    assert np.array_equal(total[falls + 1], count[falls + 1])


def test_counters_of_two_times_are_both_said() -> None:
    camera = REGISTRY.devices["cam-01"]
    pairs = [(BEGIN + h * HOUR_MS, BEGIN + (h + 3) * HOUR_MS) for h in (1, 8)]
    both = [fault("counter-reset", camera.id, *each, every_s=3600.0) for each in pairs]
    end = BEGIN + 12 * HOUR_MS
    columns = _columns(camera, *both, to_ms=end)
    for begin, stop in pairs:
        rows = (columns.at_ms >= begin) & (columns.at_ms < stop)
        alone = _columns(camera, *both, from_ms=begin, to_ms=stop)
        assert encoded(columns.take(rows)) == encoded(alone)
        assert np.isfinite(_field(alone, "cumulative.car")).all()
    said = np.isfinite(_field(columns, "count.car")), np.isfinite(_field(columns, "cumulative.car"))
    assert (said[0] ^ said[1]).all()
    over = fault("counter-reset", camera.id, pairs[0][0] + HOUR_MS, end)
    columns = _columns(camera, *both, over, to_ms=end)
    assert np.isfinite(_field(columns, "cumulative.car"))[columns.at_ms >= pairs[0][0]].all()


def test_what_is_absent_has_no_spike_and_no_label() -> None:
    camera = REGISTRY.devices["cam-03"]
    night = BEGIN, BEGIN + 5 * HOUR_MS  # in which minutes pass without any vehicle
    struck = fault("spike", camera.id, *night, quantity="speed_km_h", share=0.5, size=90.0)
    clean = _columns(camera, to_ms=night[1])
    speed, spiked = (
        _field(each, "speed_km_h") for each in (clean, _columns(camera, struck, to_ms=night[1]))
    )
    changed = np.isfinite(speed) & (speed != spiked)
    told = [x for x in labels(_world(struck), BEGIN, 5 * HOUR_MS) if x.label == "spike"]
    assert [each.from_ms for each in told] == np.unique(clean.at_ms[changed]).tolist()
    assert not np.isfinite(speed).reshape(-1, 2).any(axis=1).all(), "no minute without any"


def test_clocks_run_fast_or_stand_wrong_and_the_right_time_is_known() -> None:
    device = REGISTRY.devices["xh-01"]
    fast = _columns(device, _fault("clock-drift", device, ppm=1000.0))
    off_ms = fast.t_ms - fast.at_ms
    inside = (fast.at_ms >= FROM) & (fast.at_ms < TO)
    assert off_ms[inside].max() == pytest.approx(86_400, abs=700)
    assert (np.diff(off_ms[inside]) >= 0).all()
    assert not off_ms[~inside].any()
    wrong = _columns(device, _fault("clock-step", device, step_s=-3600.0))
    assert set((wrong.t_ms - wrong.at_ms)[inside].tolist()) == {-3_600_000}


def test_what_is_not_accepted_says_what_is() -> None:
    for said, kind, parameters in (
        ("accepted are fouling", "rust", {}),
        ("accepted are per_day, least", "fouling", {"a_day": 1.0}),
        ("accepted is a number from 0.0 to 1.0", "fouling", {"per_day": 2.0}),
    ):
        with pytest.raises(ValueError, match=said):
            fault(kind, "xh-01", FROM, TO, quantity="", **parameters)
    with pytest.raises(ValueError, match="behind the start"):
        fault("stuck", "xh-01", TO, FROM)
    with pytest.raises(ValueError, match="quantity"):
        fault("stuck", "xh-01", FROM, TO, quantity="mood")
    with pytest.raises(ValueError, match="it takes none"):
        fault("fouling", "xh-01", FROM, TO, quantity="salinity_g_l")


def test_a_fault_moves_with_its_scenario() -> None:
    scenario = DRY.with_faults(_fault("stuck", REGISTRY.devices["xh-01"]))
    (moved,) = scenario.world(REGISTRY, 1, BEGIN + DAY_MS).faults
    assert (moved.from_ms, moved.to_ms) == (FROM + DAY_MS, TO + DAY_MS)
    assert replace(moved, from_ms=FROM, to_ms=TO) in scenario.world(REGISTRY, 1).faults


def test_a_probe_of_several_levels_is_struck_at_each_of_them() -> None:
    plain = REGISTRY.devices["xh-01"]
    of = frozenset({"salinity_g_l", "conductivity_25_ms_cm", "temperature_c"})
    deep = replace(plain, levels=(Level("top", 0.5), Level("low", 6.0)), announced=of)
    registry = replace(REGISTRY, devices={**REGISTRY.devices, "xh-01": deep})

    def columns(*faults: Fault) -> Columns:
        world = DRY.with_faults(*faults).world(registry, 1)
        return world.columns(deep, FROM - HOUR_MS, TO)

    clean, stuck = columns(), columns(_fault("stuck", deep))
    assert list(clean.fields) == ["ec25_ms_cm", "temp_c", "depth_m"]
    assert clean.part.tolist() == [0, 1] * (len(clean) // 2)
    ec = _field(stuck, "ec25_ms_cm")[stuck.at_ms >= FROM].reshape(-1, 2)
    assert (ec == ec[0]).all()
    assert ec[0, 1] > ec[0, 0]
    lost = columns(_fault("dropout", deep, share=0.5))
    assert set(np.bincount(lost.at_ms // 1000 - FROM // 1000 + 3600).tolist()) == {0, 2}
    dry = columns(_fault("out-of-water", deep, dries_below_m=3.0))
    ec, depth_m = (
        _field(dry, name)[dry.at_ms >= FROM].reshape(-1, 2) for name in ("ec25_ms_cm", "depth_m")
    )
    assert ec[:, 0].max() <= 0.05 < ec[:, 1].min()
    assert depth_m.tolist() == [[0.0, 6.0]] * len(depth_m), "each is still known by its depth"
    with pytest.raises(ConfigError, match="compensated to 25"):
        columns(_fault("ec25-as-ec", deep))


def test_a_device_that_is_not_there_is_a_fault_of_whoever_asked() -> None:
    with pytest.raises(ConfigError, match="did you mean 'xh-01'"):
        _world(fault("stuck", "xh-1", FROM, TO))
    assert _world(fault("stuck", "probe 7", FROM, TO)).faults[0].device == "xh-01"  # of four
    everyone = _world(fault("gap", "probes", FROM, TO), fault("gap", "cameras", FROM, TO))
    assert [each.device for each in everyone.faults] == list(REGISTRY.devices)


DEVICES = {("salinity", "traffic"): "both", ("salinity",): "probes", ("traffic",): "cameras"}


def documented(name: str) -> str:
    """A kind's row in docs/scenarios.md."""
    kind = KINDS[name]
    said = [
        f"`{each.name}` {each.default:,g} ({each.low:,g} to {each.high:,g}{each.unit and ' '}"
        f"{each.unit}): {each.says}"
        for each in kind.parameters
    ]
    if isinstance(kind, SampleFault) and kind.quantities:
        said.append("`quantity`")
    row = (f"`{name}`", DEVICES[kind.kinds], "; ".join(said), kind.does, kind.perfect)
    return f"| {' | '.join(row)} |"


def test_the_document_has_every_kind_in_the_order_in_which_they_are_applied() -> None:
    text = (Path(__file__).parents[2] / "docs/scenarios.md").read_text("utf-8")
    rows = [
        line for line in text.splitlines() if line.startswith(tuple(f"| `{k}` |" for k in KINDS))
    ]
    assert rows == [documented(name) for name in KINDS]
