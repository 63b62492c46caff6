"""Each sentence of the contract on rules and alerts, with the tests that hold it."""

import ast
from pathlib import Path
from typing import Final

import pytest

from tests.alerts.script import HELD, MINUTE_MS, SALINITY_4, Script, minute
from tests.songtien.feed import BEGIN_MS, River, probe

TESTS = Path(__file__).parents[1]

LIST: Final = """
Rules run on observed time, so a replay of last year behaves like today
    alerts/test_contract_list.py
        test_a_replay_of_last_year_behaves_like_today
    songtien/test_offline.py
        test_alerts_are_raised_and_cleared_on_observed_time
A sample is released when the newest t is reorder_s ahead of it, or reorder_s after arrival
    ingest/test_release.py
        test_newer_reading_releases_what_is_a_window_older
        test_reading_without_order_waits_until_due
    songtien/test_processor.py
        test_reading_without_seq_shows_at_once_and_is_decided_after_the_window
At once if its seq is contiguous (the first of a boot is) and its t rises
    ingest/test_release.py
        test_closed_gap_releases_the_messages_behind_it
    songtien/test_processor.py
        test_first_reading_of_a_boot_is_stored_flagged_and_alerts_at_once
One that comes later is stored and changes history, but not what has been decided
    songtien/test_processor.py
        test_late_reading_changes_history_and_decides_nothing
A backlog sent after newer readings is history
    alerts/test_contract_list.py
        test_a_backlog_after_newer_readings_is_history
Comparisons are strict
    alerts/test_contract.py
        test_the_raise_level_itself_does_not_raise
        test_the_clear_level_itself_does_not_clear
        test_falling_rules_are_strict_too
A value flagged 4 or 9 is not evaluated and counts as absent
    alerts/test_contract.py
        test_a_failed_value_neither_raises_nor_clears_nor_breaks
        test_failed_values_are_a_gap
A value flagged 3 may raise a danger, and the alert says so; it may never clear one
    alerts/test_contract.py
        test_a_suspect_value_raises_and_the_alert_says_so
        test_a_suspect_value_within_the_hold_is_told
        test_a_suspect_value_never_clears_and_breaks_a_pending_clear
Rules that permit need flag 1
    alerts/test_contract.py
        test_only_a_good_value_permits
        test_any_evaluated_value_withdraws_a_permission
Raised by the first sample at least for_s after the first breach, all between breaching
    alerts/test_contract.py
        test_raised_by_the_first_sample_at_least_for_s_after_the_first_breach
    alerts/test_engine.py
        test_any_split_equals_the_twin
A sample between the two levels breaks a pending raise and a pending clear
    alerts/test_contract.py
        test_a_sample_between_the_levels_breaks_a_pending_raise
        test_a_sample_between_the_levels_breaks_a_pending_clear_and_no_more
A gap longer than hold_gap_s starts the hold again
    alerts/test_contract.py
        test_a_gap_longer_than_two_intervals_starts_the_hold_again
        test_a_gap_starts_the_clearing_again
The clock's tick never raises or clears a threshold alert
    alerts/test_contract.py
        test_the_tick_of_the_clock_never_raises_or_clears_a_threshold_alert
t_since is the first breach, t_event completed the hold, t_detected is the clock
    alerts/test_contract.py
        test_the_times_of_an_alert
An alert's id is a hash of rule id, series and t_since
    alerts/test_contract.py
        test_the_id_is_a_hash_of_rule_series_and_first_breach
No data never clears a threshold alert: it raises its own
    alerts/test_contract_told.py
        test_no_data_raises_its_own_alert_and_never_clears_a_threshold_alert
A device never seen alerts too
    alerts/test_contract_told.py
        test_a_device_never_seen_alerts_from_its_registration
Data coming back is told
    alerts/test_contract_told.py
        test_data_coming_back_is_told
    alerts/test_silence.py
        test_a_backlog_that_is_still_too_old_is_not_data_coming_back
In backtest the clock is the recorded arrival
    songtien/test_offline.py
        test_silence_is_judged_by_the_arrivals_and_from_the_beginning
Found late: still holding and young is told, with since when
    alerts/test_contract_told.py
        test_a_backlog_that_still_holds_and_is_young_is_told_with_since_when
    alerts/test_joint.py
        test_a_group_whose_first_member_is_silent_is_told_and_one_of_the_past_is_not
Otherwise it is historic
    alerts/test_contract_told.py
        test_a_backlog_that_no_longer_holds_is_historic
        test_a_backlog_whose_newest_sample_is_old_is_historic_until_young_samples_hold
    alerts/test_peers.py
        test_b02_an_alert_has_its_three_times_and_a_backlog_is_no_news
The same samples in any batch split, in any order within reorder_s, give the same
    songtien/test_processor.py
        test_any_split_into_entries_gives_the_same_readings_and_alerts
        test_sent_again_in_another_order_nothing_changes
    alerts/test_joint.py
        test_any_split_equals_the_twin
        test_any_order_within_the_reorder_time_is_the_same
    alerts/test_rise.py
        test_the_same_tide_equals_the_twin_in_any_split
States: normal, unacked, acked, cleared-unacked
    alerts/test_lifecycle.py
        test_every_way_through_the_table
Killed and started again: no transition lost or repeated
    alerts/test_contract_told.py
        test_a_restart_changes_nothing
    alerts/test_peers.py
        test_b10_killed_anywhere_no_transition_is_lost_and_none_is_repeated
    faults/test_alerts_kill.py
        test_killed_fifty_times_it_tells_what_it_would_have_told
"""
"""Sentence, file, test: each indented under the one before."""


def _held_by() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    sentence = file = ""
    for line in LIST.strip().splitlines():
        if line.startswith(" " * 8):
            found[sentence].append((file, line.strip()))
        elif line.startswith(" "):
            file = line.strip()
        else:
            sentence = line
            found[sentence] = []
    return found


HELD_BY: Final = _held_by()


@pytest.mark.parametrize("sentence", HELD_BY)
def test_each_sentence_is_held_by_tests_that_there_are(sentence: str) -> None:
    assert HELD_BY[sentence]
    for file, test in HELD_BY[sentence]:
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_a_replay_of_last_year_behaves_like_today() -> None:
    year = 365 * 24 * 60.0
    values = [4.1, 4.2, 4.1, 3.8, 3.0, 3.0, 3.0, 4.5, 4.5, 4.5, 3.0, 3.0]
    today, last_year = Script(HELD + SALINITY_4), Script(HELD + SALINITY_4)
    for place, value in enumerate(values):
        today.at(place * 15).reading(value)
        last_year.at(place * 15).reading(value, observed=place * 15 - year)
    assert len(today.transitions) == 7
    for one, other in zip(today.transitions, last_year.transitions, strict=True):
        assert (one.kind, one.rule, one.value) == (other.kind, other.rule, other.value)
        assert minute(one.t_since_ms) == minute(other.t_since_ms) + year
        assert minute(one.t_event_ms) == minute(other.t_event_ms) + year


def test_a_backlog_after_newer_readings_is_history() -> None:
    river = River()
    river.hear(BEGIN_MS, probe("mt-01", BEGIN_MS, seq=5, sal_g_l=1.0))
    backlog = [
        probe("mt-01", BEGIN_MS - (5 - n) * 10 * MINUTE_MS, seq=n, sal_g_l=9.0) for n in range(1, 5)
    ]
    heard = river.hear(BEGIN_MS + 1000, *backlog)
    heard_later = river.tick(BEGIN_MS + 10 * MINUTE_MS)
    assert heard.stored == 4
    assert [e.alert["rule"] for e in (*heard.events, *heard_later.events)] == []
