"""Scenario files: everything that is wrong with its line, and what is right as it is meant."""

from pathlib import Path

import pytest

from ingest.faults import ConfigError
from simulators.faults import FOREVER_MS, KINDS, MESSAGES, SampleFault, fault
from simulators.scenario import HOUR_MS, SCENARIOS, load
from simulators.scenario_file import KEYS, parse
from tests.simulators.delta import REGISTRY

BEGIN = 1_710_003_600_000  # midnight of 10/03/2024 in Vietnam
HEAD = 'about = "a test"\nstart = 2024-03-10\n'


def _faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as told:
        parse(text, "my.toml")
    return [str(fault) for fault in told.value.faults]


def test_times_are_durations_after_the_start_or_times_in_vietnam() -> None:
    said = parse(
        HEAD
        + 'duration = "1d 12h"\n'
        + '[[rain]]\nfrom = "90m"\nto = "2h 30m"\n'
        + "[[rain]]\nfrom = 2024-03-10T04:00:00+07:00\nto = 2024-03-09T22:30:00Z\n"
        + "[[rain]]\nfrom = 2024-03-10T04:00:00\nto = 2024-03-11\n"
        + '[[rain]]\nfrom = "-1h"\nto = "0.5d"\n',
        "my.toml",
    )
    assert (said.start_ms, said.duration_ms) == (BEGIN, 36 * HOUR_MS)
    hours = [
        ((r.from_ms - BEGIN) / HOUR_MS, (r.to_ms - BEGIN) / HOUR_MS) for r in said.traffic.rains
    ]
    assert hours == [(1.5, 2.5), (4.0, 5.5), (4.0, 24.0), (-1.0, 12.0)]


def test_the_example_of_the_document_is_taken() -> None:
    text = (Path(__file__).parents[2] / "docs/scenarios.md").read_text("utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    said = parse(example, "example.toml")
    assert [each.kind for each in said.faults] == ["stuck"]
    assert [each.share for each in said.traffic.incidents] == [0.4]
    for keys in KEYS.values():
        assert all(f"`{key}`" in text for key in keys if key not in KEYS), keys


def test_an_incident_lies_on_its_road_and_a_strange_bridge_says_who_goes_first() -> None:
    window = 'from = "1h"\nto = "2h"\n'
    at = f'{window}station = "rach-mieu-1"\ndirection = "southbound"\nshare = 0\n'
    for km in ("-12.1", "3.5"):
        (told,) = _faults(f"{HEAD}[[traffic.incident]]\n{at}km = {km}\n")
        assert "a number from -12 to 3.468 km" in told
    turns = f'{HEAD}[[traffic.working]]\nmode = "one-way-batches"\n{window}station = "b"\n'
    (told,) = _faults(turns)
    assert "direction" in told
    assert "goes first" in told
    parse(turns + 'direction = "inbound"\n', "my.toml")
    parse(turns.replace('"b"', '"rach-mieu-1"'), "my.toml")


def test_every_part_is_read() -> None:
    said = parse(
        HEAD
        + "[river]\ndischarge_m3_s = 2000\nmonsoon = 1.2\n"
        + '[[river.spell]]\nfrom = "1h"\nto = "2h"\nsurge_m = 0.2\n'
        + "[traffic]\ndemand = 1.1\n"
        + '[[traffic.bottleneck]]\nstation = "b"\ndirection = "s"\nfrom_h = 7\nto_h = 9.5\n'
        + "capacity_veh_h = 300\n"
        + '[[traffic.incident]]\nstation = "b"\ndirection = "s"\nfrom = "1h"\nto = "2h"\nkm = 1\n'
        + "share = 0.5\n"
        + '[[traffic.working]]\nstation = "b"\nmode = "closed"\nfrom = "1h"\nto = "2h"\n'
        + '[[fault]]\nkind = "spike"\ndevices = ["a-1", "probe 2"]\nfrom = "1h"\nto = "2h"\n'
        + 'quantity = "temperature_c"\nsize = 5\n'
        + '[[fault]]\nkind = "silent-death"\ndevice = "camera 1"\nfrom = "3h"\n',
        "my.toml",
    )
    assert said.river.discharge_m3_s == 2000.0
    assert said.river.weather is not None
    assert (said.river.weather.monsoon, said.river.weather.discharge_spread) == (1.2, 0.0)
    assert said.river.spells[0].surge_m == 0.2
    traffic = said.traffic
    assert (traffic.demand, traffic.bottlenecks[0].to_h, traffic.incidents[0].share) == (
        1.1,
        9.5,
        0.5,
    )
    assert (traffic.workings[0].mode, traffic.workings[0].direction) == ("closed", "")
    first, second, third = said.faults
    assert (first.device, second.device, third.device) == ("a-1", "probe 2", "camera 1")
    assert (first.number("size"), first.number("share")) == (5.0, 0.02)
    assert first.text("quantity") == "temperature_c"
    assert (third.from_ms, third.to_ms) == (BEGIN + 3 * HOUR_MS, FOREVER_MS)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('about = "x"\n', None, "start = None: it is missing"),
        (HEAD + 'duration = "soon"\n', 3, "duration = 'soon': accepted is a duration such as"),
        (HEAD + "[river]\ndischarge = 5\n", 4, "did you mean 'discharge_m3_s'?"),
        (HEAD + "[river]\ndischarge_m3_s = 5\n", 4, "accepted is a number from 100 to 60000"),
        (
            HEAD + '[[fault]]\nkind = "rust"\ndevice = "a"\nfrom = "1h"\n',
            4,
            "fault[#1].kind = 'rust': accepted is one of fouling",
        ),
        (
            HEAD + '[[fault]]\nkind = "stuck"\ndevice = "probe two"\nfrom = "1h"\n',
            5,
            "fault[#1].device = 'probe two': accepted is a device's id",
        ),
        (
            HEAD + '[[fault]]\nkind = "stuck"\nfrom = "1h"\n',
            3,
            "fault[#1].device = None: one of `device` and `devices` is needed",
        ),
        (
            HEAD + '[[fault]]\nkind = "stuck"\ndevice = "a"\nfrom = "2h"\nto = "1h"\n',
            7,
            "fault[#1].to = '1h': accepted is a `to` behind `from`",
        ),
        (
            HEAD + '[[fault]]\nkind = "stuck"\ndevice = "a"\nfrom = "teatime"\n',
            6,
            "fault[#1].from = 'teatime': accepted is a duration after the start such as \"4h\"",
        ),
        (
            HEAD + '[[fault]]\nkind = "stuck"\ndevice = "a"\nshare = 0.5\n',
            6,
            "fault[#1].share = 0.5: stuck knows no such key; accepted are kind, device",
        ),
        (
            HEAD + '[[fault]]\nkind = "reboot"\ndevice = "a"\nfrom = "1h"\n',
            3,
            "fault[#1].to = None: it is missing",
        ),
        (
            HEAD + '[[fault]]\nkind = "burst"\ndevice = "a"\nfrom = "1h"\n',
            3,
            "fault[#1].to = None: it is missing",
        ),
        (
            HEAD + '[[fault]]\nkind = "stuck"\ndevices = []\n',
            5,
            "fault[#1].devices = []: names none; accepted is a device's id",
        ),
        (
            HEAD + '[[traffic.working]]\nstation = "b"\nmode = "bus"\nfrom = "1h"\nto = "2h"\n',
            5,
            "traffic.working[#1].mode = 'bus': accepted is one of one-way-batches, closed",
        ),
        (HEAD + "[river\n", None, "valid TOML is needed"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int | None, said: str) -> None:
    (told,) = _faults(text)
    assert said in told
    assert told.startswith("my.toml:" if line is None else f"my.toml:{line}: ")


def test_all_faults_are_told_at_once() -> None:
    told = _faults('start = "x"\n[traffic]\ndemand = -1\n[[fault]]\nkind = "stuck"\n')
    assert len(told) == 4


def test_devices_and_stations_that_are_not_there_are_faults_of_ones_own_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "my.toml"
    file.write_text(
        HEAD
        + '[[fault]]\nkind = "stuck"\ndevice = "xh-02"\n'
        + '[[fault]]\nkind = "fouling"\ndevice = "cam-01"\n'
        + '[[fault]]\nkind = "stuck"\ndevice = "vk-01"\nquantity = "depth_m"\n'
    )
    with pytest.raises(ConfigError) as told:
        load(file).world(REGISTRY, 1)
    first, second, third = map(str, told.value.faults)
    assert first.startswith(f"{file}:3: fault stuck: device = 'xh-02': did you mean 'xh-01'?")
    assert second.endswith("fouling is of salinity; cam-01 is traffic")
    assert third.endswith("vk-01 does not send depth_m")
    file.write_text(
        HEAD
        + '[[traffic.working]]\nstation = "rach-mieu-3"\nmode = "closed"\nfrom = "1h"\nto = "2h"\n'
        + '[[traffic.working]]\nstation = "rach-mieu-2"\ndirection = "northbound"\n'
        + 'mode = "closed"\nfrom = "1h"\nto = "2h"\n'
        + '[[fault]]\nkind = "stuck"\ndevice = "xh-02"\n'
    )
    with pytest.raises(ConfigError) as told:
        load(file).world(REGISTRY, 1)
    first, second, third = map(str, told.value.faults)
    assert "fault stuck: device = 'xh-02'" in third, "all at once"
    assert "traffic.working[#1].station = 'rach-mieu-3': did you mean 'rach-mieu" in first
    assert "traffic.working[#2].direction = 'northbound'" in second


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can be read"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="did you mean 'quiet'"):
        load("quite")


def test_what_is_shipped_is_there_and_has_every_fault_in_rough_week() -> None:
    folder = Path(__file__).parents[2] / "simulators" / "scenarios"
    assert {file.stem for file in folder.iterdir()} == set(SCENARIOS)
    faults = SCENARIOS["rough-week"].world(REGISTRY, 1).faults
    assert {each.kind for each in faults} == set(KINDS)
    assert not any(SCENARIOS[name].content.faults for name in ("dry-season", "quiet", "tet"))


def test_each_kind_says_what_it_does_and_what_a_perfect_service_shows() -> None:
    for name, kind in KINDS.items():
        assert kind.does, name
        assert kind.perfect, name
        assert set(kind.kinds) <= {"salinity", "traffic"}, name
        assert isinstance(kind, SampleFault) == (name not in MESSAGES)
        for each in kind.parameters:
            assert each.low <= each.default <= each.high, name


@pytest.mark.parametrize("kind", ["reboot", "burst"])
def test_what_happens_at_an_end_needs_one(kind: str) -> None:
    with pytest.raises(ValueError, match="missing when it ends"):
        fault(kind, "xh-01", BEGIN)


def test_a_fault_by_number_is_of_a_device_that_can_have_it() -> None:
    world = SCENARIOS["rough-week"].world(REGISTRY, 1)
    for each in world.faults:
        assert REGISTRY.devices[each.device].kind in KINDS[each.kind].kinds
    (bad,) = SCENARIOS["bad-day"].world(REGISTRY, 1).faults
    assert (bad.kind, bad.device) == ("silent-death", "xh-01")  # the first beyond km 35
