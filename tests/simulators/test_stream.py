"""Faults of messages: what comes, when, in which order, and what the device's state says."""

from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.payload import DeviceState, Observations, Refusal, decode_obs, decode_state
from simulators.faults import MESSAGES, Fault, fault
from simulators.message import Message
from simulators.scenario import HOUR_MS, SCENARIOS, messages
from tests.simulators.delta import REGISTRY

DRY = SCENARIOS["dry-season"]
BEGIN = DRY.start_ms
FROM, TO = BEGIN + 6 * HOUR_MS, BEGIN + 18 * HOUR_MS
BOOT = 7


def _messages(*faults: Fault, sim: bool = False) -> list[Message]:
    world = DRY.with_faults(*faults).world(REGISTRY, 1)
    return list(
        messages(world, root="r", start_ms=BEGIN, duration_ms=24 * HOUR_MS, boot=BOOT, sim=sim)
    )


def _fault(kind: str, **parameters: float) -> Fault:
    return fault(kind, "xh-01", FROM, TO, quantity="", **parameters)


def _of(found: list[Message], leaf: str = "obs") -> list[Message]:
    return [each for each in found if each.topic.endswith(f"/xh-01/{leaf}")]


def _said(message: Message) -> Observations:  # type: ignore[type-arg]
    said = decode_obs(message.payload, "salinity")
    assert isinstance(said, Observations)
    return said


def _seqs(found: list[Message]) -> list[int | None]:
    return [_said(message).seq for message in _of(found)]


CLEAN = _messages()


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_fault_changes_messages_of_its_device_sent_in_its_window_and_some_of_them(
    kind: str,
) -> None:
    found = _messages(_fault(kind))
    others = [m for m in CLEAN if "/xh-01/" not in m.topic]
    assert [m for m in found if "/xh-01/" not in m.topic] == others
    times = [m.publish_ms for m in found]
    assert times == sorted(times)
    if kind == "reboot":
        clean, now = _without_boot(_of(CLEAN)), _without_boot(_of(found))
    else:
        clean, now = _of(CLEAN), _of(found)
    gone = [m for m in clean if m not in now]
    new = [m for m in now if m not in clean]
    states = _of(found, "state")
    assert gone or new or states or len(now) > len(clean)
    assert all(FROM <= m.publish_ms < TO for m in gone)
    assert all(m.publish_ms >= FROM for m in new)
    # A birth where the run begins, and what the fault says of the device's state.
    assert all(FROM <= m.publish_ms <= TO for m in states[1:])
    assert all(m.publish_ms == BEGIN for m in states[:1])
    assert bool(states) == (kind in {"reboot", "flapping"})


def _without_boot(found: list[Message]) -> list[Message]:
    return [
        Message(m.publish_ms, m.topic, m.payload.partition(b'"samples"')[2], m.samples)
        for m in found
    ]


def test_a_gap_loses_messages_and_their_numbers() -> None:
    found = _messages(_fault("gap"))
    lost = set(_seqs(CLEAN)) - set(_seqs(found))
    assert len(lost) == 72
    assert sorted(int(str(s)) for s in lost) == list(range(37, 109))


def test_a_burst_loses_nothing_and_comes_at_its_end() -> None:
    found = _of(_messages(_fault("burst", spacing_ms=10.0)))
    assert sorted(m.payload for m in found) == sorted(m.payload for m in _of(CLEAN))
    assert not any(FROM <= m.publish_ms < TO for m in found)
    assert [m.publish_ms for m in found if TO <= m.publish_ms < TO + 720] == [
        TO + 10 * place for place in range(72)
    ]


def test_what_comes_twice_comes_the_same_and_later() -> None:
    found = _of(_messages(_fault("duplicate", share=0.5, after_s=2.0)))
    twice = [m for m in found if m not in _of(CLEAN)]
    assert 20 < len(twice) < 52
    for each in twice:
        first = next(m for m in found if m.payload == each.payload)
        assert each.publish_ms == first.publish_ms + 2000


def test_reordered_messages_come_right_behind_their_followers() -> None:
    seqs = _seqs(_messages(_fault("reorder", share=0.4)))
    assert sorted(int(str(s)) for s in seqs) == list(range(1, 145))
    behind = [a for a, b in pairwise(seqs) if a is not None and b is not None and b < a]
    assert len(behind) > 10
    assert all(abs(int(str(s)) - place) <= 1 for place, s in enumerate(seqs, 1))


def test_late_messages_keep_their_times() -> None:
    found = _of(_messages(_fault("late", delay_s=900.0)))
    late = [m for m in found if m not in _of(CLEAN)]
    assert len(late) == 72
    delays = {m.publish_ms - msgspec.json.decode(m.payload)["samples"][0]["t"] for m in late}
    assert 900_100 <= min(delays) <= max(delays) < 901_500


@pytest.mark.parametrize("kind", ["truncated", "corrupt"])
def test_garbled_payloads_are_refused_whole_and_the_others_taken(kind: str) -> None:
    found = _of(_messages(_fault(kind, share=0.5)))
    said = [(m, decode_obs(m.payload, "salinity")) for m in found]
    refused = [m for m, what in said if isinstance(what, Refusal)]
    assert 20 < len(refused) < 52
    assert all(FROM <= m.publish_ms < TO and m.samples == 0 for m in refused)
    assert all(isinstance(what, Observations) for m, what in said if m not in refused)
    assert len(found) == 144


def test_a_reboot_is_a_will_a_birth_and_a_boot_one_higher() -> None:
    found = _messages(_fault("reboot"))
    states = [(m.publish_ms, _state(m)) for m in _of(found, "state")]
    assert [(at, s.s, s.boot) for at, s in states] == [
        (BEGIN, "ready", BOOT),
        (FROM + 90_000, "lost", BOOT),
        (TO, "ready", BOOT + 1),
    ]
    assert all(m.retain for m in _of(found, "state"))
    boots = [(_said(m).boot, _said(m).seq) for m in _of(found)]
    assert boots == [(BOOT, n) for n in range(1, 37)] + [(BOOT + 1, n) for n in range(1, 37)]
    soon = _messages(fault("reboot", "xh-01", FROM, FROM + 60_000))
    assert [_state(m).s for m in _of(soon, "state")] == ["ready", "ready"]  # no will so soon


def test_two_reboots_that_overlap_are_one_time_down() -> None:
    first = fault("reboot", "xh-01", FROM, FROM + 2 * HOUR_MS, will_after_s=7200.0)
    second = fault("reboot", "xh-01", FROM + HOUR_MS, TO)
    found = _messages(first, second)
    states = [(m.publish_ms, _state(m)) for m in _of(found, "state")]
    assert [(at, s.s, s.boot) for at, s in states] == [
        (BEGIN, "ready", BOOT),
        (FROM + HOUR_MS + 90_000, "lost", BOOT),
        (TO, "ready", BOOT + 1),
    ]
    assert not [m for m in _of(found) if FROM <= m.publish_ms < TO]


def _state(message: Message) -> DeviceState:
    state = decode_state(message.payload)
    assert isinstance(state, DeviceState)
    return state


def test_a_flapping_link_goes_between_lost_and_ready_and_ends_ready() -> None:
    found = _messages(_fault("flapping", every_s=3600.0))
    states = [_state(m).s for m in _of(found, "state")]
    assert states == ["ready", *["lost", "ready"] * 12]
    assert {_state(m).boot for m in _of(found, "state")} == {BOOT}
    short = fault("flapping", "xh-01", FROM, FROM + 600_000, every_s=3600.0)
    assert _of(_messages(short), "state")[-1].publish_ms == FROM + 600_000, "over is over"
    assert _of(found) == _of(CLEAN)


def test_nothing_is_heard_of_the_dead() -> None:
    dead = fault("silent-death", "xh-01", FROM)
    assert max(m.publish_ms for m in _of(_messages(dead))) < FROM
    both = _messages(dead, _fault("flapping"))
    assert max(m.publish_ms for m in both if "/xh-01/" in m.topic) < FROM


def test_faults_of_messages_stand_together() -> None:
    found = _messages(
        _fault("duplicate", share=1.0), _fault("truncated", share=1.0), _fault("late")
    )
    struck = [m for m in _of(found) if m not in _of(CLEAN)]
    assert len(struck) == 144
    assert all(isinstance(decode_obs(m.payload, "salinity"), Refusal) for m in struck)
    assert min(m.publish_ms for m in struck) > FROM + 1_800_000


def test_the_mark_of_what_is_simulated_stands_under_faults_too() -> None:
    for message in _of(_messages(_fault("duplicate"), sim=True)):
        assert all(s["sim"] for s in msgspec.json.decode(message.payload)["samples"])


ANY_FAULT = st.builds(
    lambda kind, from_h, long_h: fault(
        kind, "xh-01", BEGIN + from_h * HOUR_MS // 2, BEGIN + (from_h + long_h) * HOUR_MS // 2
    ),
    st.sampled_from(list(MESSAGES)),
    st.integers(-2, 40),
    st.integers(1, 20),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(ANY_FAULT, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_mixture_arrives_in_order_and_is_the_same_in_any_order_given(
    faults: list[Fault], random: Random
) -> None:
    found = _messages(*faults)
    shuffled = list(faults)
    random.shuffle(shuffled)
    assert found == _messages(*shuffled)
    times = [m.publish_ms for m in found]
    assert times == sorted(times)
    # Whatever is heard was measured, and nothing is amiss beside all of the windows.
    calm = [
        m
        for m in _of(CLEAN)
        if not any(each.from_ms <= m.publish_ms < each.to_ms for each in faults)
    ]
    heard = {m.payload for m in _without_boot(_of(found))}
    assert heard >= {m.payload for m in _without_boot(calm)}
