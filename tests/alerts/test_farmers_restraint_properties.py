"""What holds of restraint whatever happens on the river."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.farmers.notice import Kind, Notice
from alerts.farmers.person import Quiet
from alerts.farmers.place import Place
from alerts.farmers.restraint import DAILY_MAX, TOLD_MS, Asked, Budget, Why, expires_ms
from alerts.farmers.restraint_times import (
    PERMISSIONS,
    VIETNAM_MS,
    quiet_end_ms,
    unseconded_until_ms,
)
from tests.alerts.farmers_phone import DAY, MIDNIGHT, MIN, Phone, notice, someone

PLACES = (Place("a", "river"), Place("b", "river"), Place("b", "field"))
LEVELS = (500, 1000)
WATER = (Kind.SALT, Kind.FRESH, Kind.OPEN, Kind.SHUT)
NEXT = {
    None: (Kind.SALT,),
    Kind.SALT: (Kind.OPEN, Kind.FRESH),
    Kind.OPEN: (Kind.SHUT, Kind.FRESH),
    Kind.SHUT: (Kind.OPEN, Kind.FRESH),
    Kind.FRESH: (Kind.SALT,),
}
"""What the lookout tells of a limit at a place after what it told last."""

QUIETS = st.one_of(
    st.none(),
    st.builds(
        Quiet,
        st.integers(0, 1439),
        st.integers(0, 1439),
        st.booleans(),
    ),
)


@st.composite
def rivers(draw: st.DrawFn) -> list[Notice]:
    """Days of notices as the lookout gives them, in order of time."""
    told: list[Notice] = []
    minutes = draw(st.lists(st.integers(0, 4 * 24 * 60), max_size=24, unique=True))
    water: dict[tuple[Place, int], Kind | None] = {}
    silent: dict[Place, bool] = {}
    for minute in sorted(minutes):
        place = draw(st.sampled_from(PLACES))
        reach = draw(st.sampled_from(["tien", "ham-luong", ""]))
        if draw(st.integers(0, 3)) == 0:
            silent[place] = not silent.get(place, False)
            kind = Kind.SILENT if silent[place] else Kind.HEARD
            told.append(notice(kind, minute / 60, place, reach=reach))
            continue
        if silent.get(place):
            continue
        # Two limits often change at once, when a tide turns quickly.
        for level in draw(st.sampled_from([LEVELS[:1], LEVELS[1:], LEVELS])):
            kind = draw(st.sampled_from(NEXT[water.get((place, level))]))
            water[place, level] = kind
            told.append(notice(kind, minute / 60, place, level_mg_l=level, reach=reach))
    return told


def answers(told: list[Notice]) -> Phone:
    """Whose newest answer permits while the last that was decided does, and it isn't silent."""

    def permitted(place: Place, level_mg_l: int, now_ms: int) -> bool:
        past = [each for each in told if each.place == place and each.at_ms <= now_ms]
        water = [each.kind for each in past if each.level_mg_l == level_mg_l]
        heard = [each.kind for each in past if each.kind in (Kind.SILENT, Kind.HEARD)]
        return bool(water) and water[-1] in PERMISSIONS and heard[-1:] != [Kind.SILENT]

    return Phone(permitted=permitted)


def played(told: list[Notice], quiet: Quiet | None, budget: Budget | None = None) -> Phone:
    phone = answers(told)
    phone.person = someone(quiet)
    phone.budget = budget or Budget()
    phone.come(*told)
    phone.until(MIDNIGHT + 8 * DAY)
    return phone


@given(rivers(), QUIETS)
def test_a_day_has_no_more_than_its_number_and_a_digest(
    told: list[Notice], quiet: Quiet | None
) -> None:
    phone = played(told, quiet)
    days = Counter((t_ms + VIETNAM_MS) // DAY for t_ms, send in phone.sent if not send.urgent)
    assert max(days.values(), default=0) <= DAILY_MAX + 1


@given(rivers(), QUIETS)
def test_a_permission_never_comes_late(told: list[Notice], quiet: Quiet | None) -> None:
    phone = played(told, quiet)
    assert phone.permitted is not None
    for t_ms, send in phone.sent:
        for each in send.notices:
            if each.kind in PERMISSIONS:
                ends_ms = expires_ms(each)
                assert ends_ms is not None
                assert t_ms < ends_ms
                held = t_ms < unseconded_until_ms(each)
                assert held or phone.permitted(each.place, each.level_mg_l, t_ms)
                assert send.expires_ms is not None
                assert t_ms < send.expires_ms <= ends_ms


@given(rivers(), QUIETS, st.one_of(st.none(), st.integers(0, 8)))
def test_nothing_is_lost_without_a_reason(
    told: list[Notice], quiet: Quiet | None, limit: int | None
) -> None:
    phone = played(told, quiet, Budget(limit=limit))
    sent = [each.key for _, send in phone.sent for each in send.notices]
    dropped = [each.key for each, _ in phone.dropped]
    waiting = [each.notice.key for each in phone.waiting]
    assert sorted(sent + dropped + waiting) == sorted(each.key for each in told)
    assert all(each.why is not None for each in phone.waiting)
    if limit is None:
        assert not phone.waiting
    else:
        assert {each.why for each in phone.waiting} <= {Why.BUDGET}
        assert len(phone.sent) <= limit
        quiet_kinds = sum(not send.urgent for _, send in phone.sent)
        assert quiet_kinds <= 0.8 * limit


@given(rivers(), QUIETS)
def test_nobody_is_left_with_a_permission_that_is_over(
    told: list[Notice], quiet: Quiet | None
) -> None:
    """The last that he was told of a water is no permission where the last that happened forbids."""
    phone = played(told, quiet)
    for place in PLACES:
        for level in LEVELS:
            here = [e for e in told if (e.place, e.level_mg_l) == (place, level)]
            heard = [
                (t_ms, each.at_ms, each.kind)
                for t_ms, send in phone.sent
                for each in send.notices
                if (each.place, each.level_mg_l) == (place, level)
            ]
            if here and here[-1].kind in (Kind.SALT, Kind.SHUT) and heard:
                assert max(heard)[2] not in PERMISSIONS


@given(rivers(), QUIETS)
def test_what_forbids_is_told_at_once_to_who_was_permitted(
    told: list[Notice], quiet: Quiet | None
) -> None:
    """No digest, number or other place keeps it; only hours that he wants to be left alone in.

    A permission of longer ago is no longer known, and another place's salt speaks for this one.
    """
    phone = played(told, quiet)
    when = {each.key: t_ms for t_ms, send in phone.sent for each in send.notices}
    last: dict[tuple[Place, int], Notice] = {}
    for each in sorted((e for e in told if e.kind in WATER), key=lambda e: e.at_ms):
        water = each.place, each.level_mg_l
        before = last.get(water)
        was_told = (
            before is not None
            and before.kind in PERMISSIONS
            and before.key in when
            and each.at_ms - when[before.key] < TOLD_MS - MIN
        )
        if each.kind in (Kind.SALT, Kind.SHUT) and was_told and each.key in when:
            due_ms = each.at_ms + MIN
            if quiet is None or quiet.urgent_passes:
                assert when[each.key] <= due_ms
            else:
                assert when[each.key] <= (quiet_end_ms(quiet, each.at_ms) or due_ms) + DAY
        last[water] = each


@settings(max_examples=60)
@given(rivers(), QUIETS, st.lists(st.integers(0, 5 * 24 * 60 * 60), max_size=40))
def test_it_is_the_same_however_often_it_is_asked(
    told: list[Notice], quiet: Quiet | None, seconds: list[int]
) -> None:
    """Also where what comes at one time comes one by one, last first."""
    plain = played(told, quiet)
    often = answers(told)
    often.person = plain.person
    arrivals = [(each.at_ms, -place, each) for place, each in enumerate(told)]
    asks = [(MIDNIGHT + second * 1000, 0, None) for second in seconds]
    for t_ms, _, each in sorted([*arrivals, *asks], key=lambda row: row[:2]):
        often.until(t_ms)
        if each is not None:
            often.waiting.append(Asked(each, each.at_ms))
        often.ask(t_ms)
    often.until(MIDNIGHT + 8 * DAY)
    assert [(t, send.notices, send.why) for t, send in often.sent] == [
        (t, send.notices, send.why) for t, send in plain.sent
    ]
