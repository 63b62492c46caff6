"""What farmers are told, as scripts in time: a day's salinity in, notices out."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.farmers.answer import as_of
from alerts.farmers.crops import CROPS, LEVELS_MG_L, level_at_most
from alerts.farmers.lookout import Lookout
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.place import Place
from alerts.river.advisor import Advisor
from ingest.reading import Flag, Why
from ingest.registry import Registry, parse_registry
from ingest.series import SeriesTable
from ingest.snapshot import pack, unpack
from tests.alerts.river.test_advisor import (
    GATE,
    MINUTE,
    PUMP,
    START,
    STATIONS,
    Script,
    registry,
)

DAY_MIN = 1440
LIMIT = 500


class Farm(Script):
    """A place and all that its people would be told."""

    def __init__(self, intake: str = PUMP, river: Registry | None = None) -> None:
        super().__init__(intake)
        if river is not None:
            self.registry, self.series = river, SeriesTable.of(river)
            self.advisor = Advisor(self.registry, self.series)
        self.lookout = Lookout(self.registry)
        self.said: list[Notice] = []

    def at(self, minute: float) -> "Farm":
        super().at(minute)
        return self

    def hear(self) -> list[Notice]:
        """Advance to now, as the service does; what is told of the limit of durian."""
        self.told()
        told = self.lookout.advance(self.now_ms, START, self.advisor)
        due_ms = self.lookout.next_due_ms(START)
        assert due_ms is None or due_ms > self.now_ms, "what stays due holds up the service"
        self.said.extend(told)
        return [each for each in told if each.level_mg_l in (0, LIMIT)]

    def read(self, value: float, flag: int = Flag.PASS, why: int = 0) -> list[Notice]:
        self.reading(value, flag=flag, why=why)
        return self.hear()

    def run(self, minutes: Iterable[int], value: float, flag: int = Flag.PASS) -> list[Notice]:
        told = []
        for minute in minutes:
            told += self.at(minute).read(value, flag)
        return told

    def clock(self, until_min: float) -> list[Notice]:
        """Let time pass, stopping where something is due."""
        told = []
        until_ms = START + round(until_min * MINUTE)
        while True:
            dues = self.advisor.next_due_ms(), self.lookout.next_due_ms(START)
            due = min((each for each in dues if each is not None), default=until_ms + 1)
            if due > until_ms:
                break
            self.now_ms = max(self.now_ms, due)
            told += self.hear()
        self.now_ms = until_ms
        return told

    def kinds(self, level_mg_l: int = LIMIT) -> list[Kind]:
        return [each.kind for each in self.said if each.level_mg_l in (0, level_mg_l)]

    def reconfigure(self, river: Registry) -> None:
        self.registry = river
        self.advisor.reconfigure(river, self.series)
        self.lookout.reconfigure(river)

    def answer(self, level_mg_l: int = LIMIT, side: str = "river") -> dict[str, object]:
        return dict(self.lookout.answers()[f"a/{side}"][level_mg_l])


def every(seconds: int, km: float = 42.0) -> Farm:
    """A place whose station measures so often, so far from the sea."""
    stations = STATIONS.replace("expected_s = 600", f"expected_s = {seconds}")
    stations = stations.replace("cua-tieu = 42.0", f"cua-tieu = {km}")
    intake = f"[[intake]]\nid = 'a'\nname = 'Cống A'\nrise_g_l_h = 0.3\n{PUMP}"
    return Farm(river=parse_registry(f"{stations}\n{intake}", "stations.toml"))


def tens(first: int, last: int) -> range:
    return range(first, last + 1, 10)


def test_one_sample_of_salt_tells_nobody_and_the_second_tells_since_the_first() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    assert farm.at(50).read(0.6) == []
    assert farm.answer()["spell"] is None
    [notice] = farm.at(60).read(0.7)
    assert farm.answer()["spell"] == notice.since_ms
    assert (notice.kind, notice.level_mg_l) == (Kind.SALT, LIMIT)
    assert notice.since_ms == START + 50 * MINUTE
    assert (notice.body["figure_g_l"], notice.body["trend"]) == (0.7, "rising")
    assert notice.reach == "cua-tieu"
    assert notice.place == Place("a", "river")


def test_each_limit_is_told_when_the_salt_has_come_so_far_and_not_before() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 60), 1.1)
    assert {n.level_mg_l for n in farm.said} == {each for each in LEVELS_MG_L if each <= 1000}
    assert {n.kind for n in farm.said} == {Kind.SALT}


def test_two_samples_that_are_too_far_apart_prove_nothing() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    assert farm.run((50, 71), 0.7) == []
    assert [n.kind for n in farm.at(80).read(0.7)] == [Kind.SALT]


def test_salt_is_told_where_most_readings_are_lost_on_their_way() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    assert farm.run((50, 90), 0.7) == []
    [notice] = farm.at(130).read(0.8)
    assert notice.kind is Kind.SALT
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    for minute, value in ((50, 0.7), (90, 0.3), (130, 0.7), (170, 0.7)):
        assert farm.at(minute).read(value) == []


def test_another_station_of_the_same_water_proves_it_at_once() -> None:
    farm = Farm("stations = ['out', 'up']\nlimit_g_l = 0.5\nlift = 'pump'\n")
    farm.run(tens(0, 40), 0.1)
    farm.at(50).reading(0.6, key="up-p/salinity_g_l")
    [notice] = farm.read(0.6)
    assert notice.kind is Kind.SALT


def test_a_suspect_reading_may_warn_and_says_so() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    [notice] = farm.run(tens(50, 60), 3.0, Flag.SUSPECT)
    assert (notice.kind, notice.body["flag"]) == (Kind.SALT, Flag.SUSPECT)


@pytest.mark.parametrize(("flag", "why"), [(Flag.FAIL, 0), (Flag.PASS, Why.SIMULATED)])
def test_what_failed_or_was_simulated_reaches_nobody(flag: int, why: int) -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    for minute in tens(50, 90):
        assert farm.at(minute).read(9.0, flag, why) == []


def test_a_spell_is_told_once_though_the_tide_freshens_the_water_each_day() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    for day in range(3):
        begin = 50 + day * DAY_MIN
        farm.run(tens(begin, begin + 600), 0.9)
        farm.run(tens(begin + 610, begin + DAY_MIN - 10), 0.1)
    assert farm.kinds().count(Kind.SALT) == 1
    assert Kind.FRESH not in farm.kinds()


def test_fresh_is_told_when_25_hours_have_shown_nothing_near_the_limit() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    told = farm.run(tens(210, 190 + 25 * 60), 0.1)
    assert [n.kind for n in told] == [Kind.OPEN]
    told = farm.run(tens(200 + 25 * 60, 260 + 25 * 60), 0.1)
    [notice] = told
    assert farm.answer()["spell"] is None
    assert notice.kind is Kind.FRESH
    assert notice.since_ms == START + 210 * MINUTE
    assert notice.body["until_ms"] == notice.body["figure_ms"] + 20 * MINUTE
    [salt] = [n for n in farm.said if n.kind is Kind.SALT and n.level_mg_l == LIMIT]
    assert notice.event == salt.event


def test_a_hole_in_the_25_hours_puts_the_end_off() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    farm.run(tens(210, 600), 0.1)
    hole = 600 + 3 * 60
    farm.run(tens(hole, hole + 24 * 60), 0.1)
    assert Kind.FRESH not in farm.kinds()
    farm.run(tens(hole + 24 * 60 + 10, hole + 25 * 60 + 30), 0.1)
    assert farm.kinds().count(Kind.FRESH) == 1


def test_a_suspect_or_near_reading_does_not_permit() -> None:
    for value, flag in ((0.1, Flag.SUSPECT), (0.45, Flag.PASS)):
        farm = Farm()
        farm.run(tens(0, 40), 0.1)
        farm.run(tens(50, 200), 0.9)
        farm.run(tens(210, 300 + 26 * 60), value, flag)
        assert not {Kind.FRESH, Kind.OPEN} & set(farm.kinds()), (value, flag)


def test_windows_open_with_the_table_and_shut_before_it_is_too_salty() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    [window] = farm.run(tens(210, 300), 0.1)
    assert window.kind is Kind.OPEN
    assert window.at_ms == START + 240 * MINUTE, "held for 30 minutes"
    told = farm.at(310).read(0.2)
    [shut] = told + farm.at(320).read(0.3)
    assert shut.kind is Kind.SHUT
    assert shut.body["figure_g_l"] < 0.5
    rise_g_l_h = 0.3  # the intake's, above what was seen within this hour
    within_min = round((0.4 - 0.3) / rise_g_l_h * 60)
    assert shut.body["stop_by_ms"] == START + (320 + within_min) * MINUTE


def test_a_window_is_not_shut_hours_before_the_salt_can_come_near() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 2.5)
    farm.run(tens(210, 300), 0.3)
    assert farm.kinds(2000)[-1] is Kind.OPEN
    for minute in tens(310, 500):
        farm.at(minute).read(round(0.3 + 0.4 * (minute - 300) / 60, 4))
    [told] = [n for n in farm.said if n.kind is Kind.SHUT and n.level_mg_l == 2000]
    near_ms = told.at_ms + (1.6 - told.body["figure_g_l"]) / 0.4 * 60 * MINUTE
    assert 50 * MINUTE < near_ms - told.at_ms <= 60 * MINUTE
    assert abs(told.body["stop_by_ms"] - near_ms) < MINUTE


def test_one_doubtful_reading_shuts_a_window_where_it_is_near_the_limit_alone() -> None:
    for value, kinds in ((0.2, []), (0.45, [Kind.SHUT])):
        farm = Farm()
        farm.run(tens(0, 40), 0.1)
        farm.run(tens(50, 200), 0.9)
        farm.run(tens(210, 300), 0.1)
        told = farm.at(310).read(value, Flag.SUSPECT)
        assert [n.kind for n in told] == kinds, value
        assert all(n.body["why"] == "" for n in told), "it is told with its figure"


def test_readings_that_stay_doubtful_shut_a_window_as_silence_does() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    farm.run(tens(210, 300), 0.1)
    told = farm.run(tens(310, 370), 0.1, Flag.SUSPECT)
    assert {(n.kind, n.body["why"]) for n in told} == {
        (Kind.SILENT, "suspect"),
        (Kind.SHUT, "suspect"),
    }


def test_who_was_told_that_he_may_take_is_told_when_nobody_can_say_any_more() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    farm.run(tens(210, 300), 0.1)
    told = farm.clock(300 + 61)
    assert [n.kind for n in told] == [Kind.SHUT, Kind.SILENT] or [n.kind for n in told] == [
        Kind.SILENT,
        Kind.SHUT,
    ]


@pytest.mark.parametrize("why", ["broken", "maintenance"])
def test_figures_that_nobody_can_trust_shut_a_window_as_silence_does(why: str) -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    farm.run(tens(210, 300), 0.1)
    farm.desk.windows = {"out": "w"} if why == "maintenance" else {}
    told = farm.run(tens(310, 420), 0.05, Flag.FAIL if why == "broken" else Flag.PASS)
    assert [(n.kind, n.body["why"]) for n in told] == [(Kind.SILENT, why), (Kind.SHUT, why)]
    assert {(n.at_ms, n.since_ms) for n in told} == {(START + 360 * MINUTE, START + 300 * MINUTE)}
    if why == "maintenance":
        assert {n.body["figure_g_l"] for n in told} == {None}, "what a bucket holds is no figure"


def test_a_gate_that_closes_within_a_window_takes_no_warning_away() -> None:
    farm = Farm(GATE)
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    assert [n.kind for n in farm.run(tens(210, 300), 0.1)] == [Kind.OPEN]
    farm.desk.said = {"a": {"taking": False, "gate": "closed", "t_ms": START}}
    assert farm.run(tens(310, 330), 0.1) == []
    assert [n.kind for n in farm.run(tens(340, 350), 0.6)] == [Kind.SHUT]


def test_a_station_that_measures_once_an_hour_is_neither_silent_nor_a_stop_each_time() -> None:
    farm = every(3600, km=60.0)

    def hours(first: int, last: int, value: float) -> None:
        for hour in range(first, last + 1):
            late_min = hour % 3
            farm.clock(60 * hour + late_min)
            farm.reading(value)
            farm.hear()

    hours(0, 3, 0.1)
    hours(4, 6, 0.9)
    hours(7, 20, 0.1)
    assert farm.kinds() == [Kind.SALT, Kind.OPEN]
    farm.clock(60 * 30)
    assert farm.kinds()[2:] == [Kind.SHUT, Kind.SILENT]
    hours(30, 32, 0.1)
    assert farm.kinds()[4:] == [Kind.HEARD, Kind.OPEN]


def test_a_probe_that_sends_every_ten_seconds_permits_and_warns() -> None:
    farm = every(10)
    seconds = [farm.at(n / 6).read(0.1) for n in range(200)]
    assert not any(seconds)
    assert farm.answer()["answer"] == "take"
    farm.clock(33.1 + 1.5)
    assert farm.answer()["answer"] == "take", "released half a minute late it is not old yet"
    assert [n.kind for n in farm.run(range(36, 39), 0.6)] == [Kind.SALT]


def test_who_follows_what_is_measured_no_more_is_told_so_once() -> None:
    for nothing in (PUMP.replace("'out'", ""), PUMP.replace("'out'", "'in'")):
        farm = Farm()
        farm.run(tens(0, 40), 0.1)
        farm.run(tens(50, 200), 0.9)
        farm.run(tens(210, 300), 0.1)
        farm.reconfigure(registry(nothing))
        told = farm.at(302).hear()
        assert [(n.kind, n.body["why"]) for n in told] == [
            (Kind.SILENT, "no-station"),
            (Kind.SHUT, "no-station"),
        ]
        assert farm.clock(DAY_MIN) == []
        farm.reconfigure(registry(PUMP))
        told = farm.run(tens(DAY_MIN, DAY_MIN + 30), 0.1)
        assert Kind.HEARD in [n.kind for n in told]


def test_a_place_that_is_no_more_is_told_to_those_who_follow_it() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    other = registry(PUMP).intakes["a"]
    river = parse_registry(
        f"{STATIONS}\n[[intake]]\nid = 'b'\nname = 'Cống B'\n{PUMP}", "stations.toml"
    )
    farm.reconfigure(river)
    [notice] = farm.at(50).hear()
    assert (notice.kind, str(notice.place)) == (Kind.SILENT, "a/river")
    assert (notice.body["place_vi"], notice.body["why"]) == (other.name, "no-station")
    assert notice.since_ms == START + 40 * MINUTE
    assert farm.at(60).hear() == []


def test_silence_is_told_once_and_its_end_after_half_an_hour_of_readings() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    assert farm.clock(40 + 59) == []
    [silent] = farm.clock(40 + 61)
    assert (silent.kind, silent.body["why"]) == (Kind.SILENT, "silent")
    assert silent.since_ms == START + 40 * MINUTE
    assert farm.clock(400) == []
    told = farm.run(tens(400, 420), 0.2)
    assert told == []
    [heard] = farm.at(430).read(0.2)
    assert (heard.kind, heard.since_ms) == (Kind.HEARD, START + 400 * MINUTE)
    assert heard.event == silent.event


def test_a_hole_in_the_half_hour_after_a_silence_begins_it_anew() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.clock(390)
    assert farm.run([400, 500, 510, 520], 0.2) == []
    [heard] = farm.at(530).read(0.2)
    assert (heard.kind, heard.since_ms) == (Kind.HEARD, START + 500 * MINUTE)


def test_silence_neither_ends_nor_repeats_a_spell() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 60), 0.9)
    farm.clock(60 + 2 * DAY_MIN)
    farm.run(tens(70 + 2 * DAY_MIN, 200 + 2 * DAY_MIN), 0.9)
    assert farm.kinds() == [Kind.SALT, Kind.SILENT, Kind.HEARD]


def test_a_place_that_was_never_heard_is_not_told_to_be_silent() -> None:
    farm = Farm()
    farm.hear()
    assert farm.clock(3 * DAY_MIN) == []


def test_where_nothing_measures_the_water_behind_the_gate_it_says_so() -> None:
    farm = Farm("stations = ['out']\nlimit_g_l = 0.5\ngate = 'g'\n")
    farm.run(tens(0, 60), 0.1)
    assert farm.answer(side="field")["why"] == "no-station"
    assert farm.answer(side="river")["answer"] == "pump"


def test_the_water_behind_the_gate_is_judged_by_its_own_station() -> None:
    farm = Farm(GATE)
    for minute in tens(0, 60):
        farm.at(minute).reading(0.1).reading(2.0, key="in-p/salinity_g_l")
        farm.hear()
    assert farm.answer(side="field")["answer"] == "no"
    assert farm.answer(side="river")["answer"] == "pump"
    assert {n.place.side for n in farm.said if n.kind is Kind.SALT} == {"field"}


def test_behind_a_closed_gate_the_end_of_a_spell_waits_until_water_can_be_taken() -> None:
    farm = Farm(GATE)
    farm.desk.said = {"a": {"taking": False, "gate": "closed", "t_ms": START}}
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 200), 0.9)
    farm.run(tens(210, 300 + 26 * 60), 0.1)
    assert farm.kinds() == [Kind.SALT]
    assert farm.answer()["why"] == "gate-closed"
    farm.desk.said = {"a": {"taking": False, "gate": "open", "t_ms": START + 1}}
    told = farm.run(tens(310 + 26 * 60, 330 + 26 * 60), 0.1)
    assert [n.kind for n in told] == [Kind.FRESH]


def test_the_answer_has_its_figure_its_time_and_since_when() -> None:
    farm = Farm()
    farm.run(tens(0, 40), 0.1)
    farm.run(tens(50, 80), 0.9)
    answer = farm.answer()
    assert (answer["answer"], answer["since"]) == ("no", START + 50 * MINUTE)
    assert (answer["figure"], answer["figure_t"]) == (0.9, START + 80 * MINUTE)
    assert farm.answer(1000)["answer"] != "no"
    later = as_of(answer, START + 111 * MINUTE)
    assert (later["answer"], later["since"]) == ("unknown", START + 80 * MINUTE)
    assert later["figure"] == 0.9


def test_limits_that_are_followed_are_on_the_scale_and_crops_too() -> None:
    assert all(crop.limit_mg_l in LEVELS_MG_L for crop in CROPS.values())
    assert (level_at_most(550), level_at_most(500), level_at_most(1550)) == (500, 500, 1500)
    with pytest.raises(ValueError, match="lowest"):
        level_at_most(299)


READINGS = st.lists(
    st.tuples(
        st.sampled_from([5, 10, 10, 10, 20, 40, 90, 300]),
        st.sampled_from([0.05, 0.1, 0.3, 0.39, 0.41, 0.5, 0.51, 0.8, 2.0]),
        st.sampled_from([Flag.PASS, Flag.PASS, Flag.PASS, Flag.SUSPECT, Flag.FAIL]),
    ),
    min_size=5,
    max_size=120,
)


@settings(max_examples=60, deadline=None)
@given(READINGS, st.integers(0, 119))
def test_what_is_told_makes_sense_in_any_history_and_survives_a_restart(
    history: list[tuple[int, float, Flag]], cut: int
) -> None:
    farm = Farm()
    minute = 0
    for place, (gap, value, flag) in enumerate(history):
        minute += gap
        farm.clock(minute)
        farm.at(minute).read(value, flag)
        if place == cut:
            kept = unpack(pack({"lookout": farm.lookout.snapshot()}))["lookout"]
            farm.lookout = Lookout(farm.registry, kept)
    whole = Farm()
    minute = 0
    for gap, value, flag in history:
        minute += gap
        whole.clock(minute)
        whole.at(minute).read(value, flag)
    assert [n.stored() for n in farm.said] == [n.stored() for n in whole.said]
    assert len({n.key for n in farm.said}) == len(farm.said)
    for level in LEVELS_MG_L:
        kinds = [n.kind for n in farm.said if n.level_mg_l == level]
        spells = [kind for kind in kinds if kind in (Kind.SALT, Kind.FRESH)]
        windows = [kind for kind in kinds if kind in (Kind.OPEN, Kind.SHUT)]
        assert Kind.FRESH not in spells[:1], "nothing is fresh again that was not salty"
        assert all(a is Kind.OPEN for a in windows[:1])
    silences = [n.kind for n in farm.said if n.level_mg_l == 0]
    assert silences[::2] == [Kind.SILENT] * len(silences[::2])
    assert silences[1::2] == [Kind.HEARD] * len(silences[1::2])
    for n in farm.said:
        if n.kind in (Kind.FRESH, Kind.OPEN):
            assert n.body["flag"] == Flag.PASS
            assert n.body["figure_g_l"] <= 0.8 * n.level_mg_l / 1000
        if n.kind is Kind.SALT:
            assert n.body["figure_g_l"] >= n.level_mg_l / 1000
