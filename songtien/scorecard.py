"""What a run found of what its labels say, by kind of label and by rule.

Flags are held against the labels of their device, alerts against the truth of their place. A
label that is about one quantity asks the series of it, and the salinity that is computed from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alerts.rules import Ask
from ingest.reading import DERIVED_KINDS, QUANTITIES, Flag
from ingest.series import Series
from simulators.label import Label
from songtien.score import (
    DUPLICATE,
    LATE,
    LINK,
    REFUSED,
    TRACELESS,
    Run,
    Stood,
    bad,
)
from songtien.score_alerts import INPUTS, Scored, root_of, scored, windows_about
from songtien.scoring import NEAR_MS, Delays, Samples, false_events, find

HUMAN = "human"
FLAGS, ALERT, NO_DATA, NOTHING = "flag", "alert", "no-data", "nothing"
SIGNS = (FLAGS, ALERT, NO_DATA, LINK, REFUSED, DUPLICATE, LATE, NOTHING)

_SILENCES = ("no_data", "never_seen")
_SALTS = ("salinity_g_l", "salinity_probe_g_l", "conductivity_ms_cm", "conductivity_25_ms_cm")


@dataclass(frozen=True, slots=True)
class Kind:
    """How flags and other signs found the windows of one kind of label.

    hits : windows with a flag 3 or 4, hits_fail : with a 4; alone : with a flag that no window
        of another label shares
    share : of the windows' samples that were flagged, None where there are none
    delay, decided : from the begin of a window to its first flagged sample, and to its arrival
    signs : windows in which each of `SIGNS` was seen
    traces : of what leaves the samples as they are, flags and alerts that it brought all the same
    """

    label: str
    windows: int
    hits: int
    hits_fail: int
    alone: int
    share: float | None
    delay: Delays
    decided: Delays
    signs: Mapping[str, int]
    traces: int | None = None


@dataclass(frozen=True, slots=True)
class FalseFlags:
    """One event of flags of a device near to none of its labels."""

    device: str
    from_ms: int
    to_ms: int
    fail: bool
    series: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """All of it. `false_fails` counts the events of failed samples alone."""

    kinds: tuple[Kind, ...]
    false_flags: tuple[FalseFlags, ...]
    false_fails: int
    rules: tuple[Scored, ...]
    unscored: tuple[str, ...]


def score(
    found: Run, labels: Sequence[Label], *, simulated: bool, without: Run | None = None
) -> Score:
    """Hold a run against its labels.

    simulated : whether the labels tell the whole truth, so that an alert beside all of them is
        false. A recorded series says only what people rejected: its alerts are unscored
    without : the same recording with what happened on the way alone undone (`score.undone`)
    """
    faults = _by_device(found, labels)
    kinds = tuple(
        _kind(found, name, labels, faults, without)
        for name in sorted({label.label for label in labels if label.device})
    )
    rules, unscored = [], []
    for rule in found.rules.rules:
        one = scored(found, rule, labels, simulated=simulated)
        if one is None:
            unscored.append(rule.id)
        else:
            rules.append(one)
    human = any(label.label == HUMAN for label in labels)
    false = _false_flags(found, faults, Flag.SUSPECT, human=human)
    fails = _false_flags(found, faults, Flag.FAIL, human=human)
    return Score(kinds, tuple(false), len(fails), tuple(rules), tuple(unscored))


# Flags.


def _by_device(found: Run, labels: Iterable[Label]) -> dict[str, list[Label]]:
    by: dict[str, list[Label]] = {}
    for label in labels:
        if label.device:
            by.setdefault(root_of(found, label.device), []).append(label)
    return by


def _own_series(found: Run, device: str) -> list[Series]:
    return [
        one
        for one in found.series.entries
        if one.device == device and one.kind not in DERIVED_KINDS and not one.retired
    ]


def _affected(found: Run, device: str, label: Label) -> list[int]:
    """Numbers of the series that a label is about."""
    wanted: tuple[str, ...] = tuple(QUANTITIES)
    if label.label == HUMAN and not label.quantity:
        wanted = _SALTS
    elif label.quantity in QUANTITIES:
        wanted = (label.quantity,)
        if label.quantity in INPUTS:
            wanted += ("salinity_g_l",)
    return [
        one.id
        for one in _own_series(found, device)
        if one.quantity in wanted and label.direction in ("", one.direction)
    ]


def _samples(found: Run, series: Iterable[int], least: Flag = Flag.SUSPECT) -> Samples:
    rows, decided_ms = found.of(series)
    return Samples(rows.t_ms, bad(rows.flag) & (rows.flag >= least), decided_ms)


def _kind(
    found: Run,
    name: str,
    labels: Sequence[Label],
    faults: Mapping[str, Sequence[Label]],
    without: Run | None,
) -> Kind:
    hits = fails = alone = samples = flagged = 0
    delays: list[int] = []
    decided: list[int] = []
    signs = dict.fromkeys(SIGNS, 0)
    own = [label for label in labels if label.label == name and label.device]
    for label in own:
        device = root_of(found, label.device)
        series = _affected(found, device, label)
        one = find(_samples(found, series), windows_about([label]), windows_about(faults[device]))
        failed = find(
            _samples(found, series, Flag.FAIL), windows_about([label]), windows_about([label])
        )
        hits, fails = hits + int(one.hit[0]), fails + int(failed.hit[0])
        alone += int(one.alone[0])
        samples, flagged = samples + int(one.samples[0]), flagged + int(one.flagged[0])
        delays.append(int(one.delay_ms[0]))
        decided.append(int(one.decided_ms[0]))
        for sign in _signs(found, label, device, flag=bool(one.hit[0])):
            signs[sign] += 1
    return Kind(
        name,
        len(own),
        hits,
        fails,
        alone,
        round(flagged / samples, 4) if samples else None,
        Delays.of(delays),
        Delays.of(decided),
        signs,
        None
        if name not in TRACELESS or without is None
        else sum(_traces(found, without, label) for label in own),
    )


def _signs(found: Run, label: Label, device: str, *, flag: bool) -> list[str]:
    """How a window shows; what comes late shows up to an hour after its end."""
    end_ms = label.to_ms + NEAR_MS
    seen = [FLAGS] if flag else []
    for sign, is_silence in ((ALERT, False), (NO_DATA, True)):
        if any(
            found.series.entries[found.series.by_key[alert.k]].device == device
            and (alert.ask in _SILENCES) == is_silence
            and (is_silence or _asks_of_quality(found, alert))
            and alert.since_ms < label.to_ms
            and label.from_ms <= alert.at_ms < end_ms
            for alert in found.alerts
            if alert.k in found.series.by_key
        ):
            seen.append(sign)
    for sign in (LINK, REFUSED, DUPLICATE, LATE):
        times = found.signs.get(label.device, {}).get(sign)
        if times is not None and ((times >= label.from_ms) & (times < end_ms)).any():
            seen.append(sign)
    return seen or [NOTHING]


def _asks_of_quality(found: Run, alert: Stood) -> bool:
    rule = found.rules.get(alert.rule)
    return rule is not None and rule.ask is Ask.FLAGGED


def _traces(found: Run, without: Run, label: Label) -> int:
    """Flags and alerts of a window that the same run without it has not."""
    device = root_of(found, label.device)
    series = [one.id for one in _own_series(found, device)]
    keys = {found.series.entries[number].key for number in series}

    def flags(one: Run) -> set[tuple[int, int]]:
        rows, _ = one.of(series)
        rows = rows.take(bad(rows.flag))
        return set(zip(rows.series.tolist(), rows.t_ms.tolist(), strict=True))

    def alerts(one: Run) -> set[tuple[str, str, int]]:
        joint = {rule.id for rule in one.rules.rules if rule.joint}
        return {
            (each.rule, each.k, each.since_ms)
            for each in one.alerts
            if each.k in keys and each.ask not in _SILENCES and each.rule not in joint
        }

    begin, end = label.from_ms - NEAR_MS, label.to_ms + NEAR_MS
    more = [t for _, t in flags(found) - flags(without)]
    more += [t for _, _, t in alerts(found) - alerts(without)]
    return sum(begin <= t < end for t in more)


def _false_flags(
    found: Run, faults: Mapping[str, Sequence[Label]], least: Flag, *, human: bool
) -> list[FalseFlags]:
    """By device, in the order of the registry; people's labels are about salt alone."""
    told = []
    for device in found.registry.devices.values():
        if device.replaces is not None or (human and device.id not in faults):
            continue
        series = [
            one.id for one in _own_series(found, device.id) if not human or one.quantity in _SALTS
        ]
        samples = _samples(found, series, least)
        for first, last in false_events(samples, windows_about(faults.get(device.id, ()))):
            told.append(_false(found, device.id, series, first, last, least))
    return told


def _false(
    found: Run, device: str, series: Sequence[int], first_ms: int, last_ms: int, least: Flag
) -> FalseFlags:
    rows, _ = found.of(series)
    inside = bad(rows.flag) & (rows.flag >= least)
    rows = rows.take(inside & (rows.t_ms >= first_ms) & (rows.t_ms <= last_ms))
    quantities = {found.series.entries[n].quantity for n in np.unique(rows.series).tolist()}
    return FalseFlags(
        device,
        first_ms,
        last_ms,
        bool((rows.flag == Flag.FAIL).any()),
        tuple(sorted(quantities)),
    )
