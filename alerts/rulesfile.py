"""The rules' file: rules.toml into a `RuleSet`, or every fault that it has.

`KEYS` is all that a rule may say; docs/rules.md explains each of them.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

from alerts import urgency
from alerts.messages import PLACEHOLDERS, default_texts, unknown_placeholders
from alerts.notices import RESERVED
from alerts.rules import (
    CONGESTION,
    DIFFERENCES,
    RATES,
    Ask,
    GroupBy,
    Quality,
    Rule,
    RuleSet,
    Severity,
)
from ingest.reading import QUANTITIES
from ingest.registry import Registry
from ingest.tables import ID, Faults, Table, did_you_mean, is_number, load_toml

ASK_KEYS: Final[dict[Ask, tuple[str, ...]]] = {
    Ask.ABOVE: ("raise_above",),
    Ask.BELOW: ("raise_below",),
    Ask.RISE: ("rise_above_per_h",),
    Ask.FALL: ("fall_above_per_h",),
    Ask.SAME_TIDE: ("above_same_tide",),
    Ask.FLAGGED: ("flagged",),
    Ask.DIFFERENCE: ("difference_above",),
    Ask.DIFFERENCE_BELOW: ("difference_below",),
    Ask.CONGESTION: ("congestion",),
    Ask.INCIDENT: ("incident",),
    Ask.NO_DATA: ("no_data_s", "no_data_intervals"),
}
"""What a rule asks is told by the one key of these that it has."""

_CLEAR: Final[dict[Ask, str]] = {
    Ask.ABOVE: "clear_below",
    Ask.BELOW: "clear_above",
    Ask.RISE: "clear_below_per_h",
    Ask.FALL: "clear_below_per_h",
    Ask.SAME_TIDE: "clear_below_same_tide",
    Ask.DIFFERENCE: "clear_difference_below",
    Ask.DIFFERENCE_BELOW: "clear_difference_above",
}
"""The key of the level at which what was raised is calm again."""

_HOLD = ("for_s", "clear_for_s", "hold_gap_s")
_GROUP = ("at_least", "share_above", "group_by")
_EXTRA: Final[dict[Ask, tuple[str, ...]]] = {
    Ask.ABOVE: ("clear_below", *_HOLD, *_GROUP),
    Ask.BELOW: ("clear_above", "permit", *_HOLD, *_GROUP),
    Ask.RISE: ("clear_below_per_h", "rise_window_s", *_HOLD),
    Ask.FALL: ("clear_below_per_h", "rise_window_s", *_HOLD),
    Ask.SAME_TIDE: ("clear_below_same_tide", *_HOLD),
    Ask.FLAGGED: (*_HOLD, *_GROUP),
    Ask.DIFFERENCE: ("between", "clear_difference_below", *_HOLD),
    Ask.DIFFERENCE_BELOW: ("between", "clear_difference_above", *_HOLD),
    Ask.CONGESTION: (*_HOLD, *_GROUP),
    Ask.INCIDENT: (*_HOLD, *_GROUP),
    Ask.NO_DATA: ("never_seen_s", "never_seen_vi", "never_seen_en"),
}
_IMPLIED: Final[dict[Ask, str]] = {Ask.CONGESTION: "traffic_state", Ask.INCIDENT: "incident"}
"""The quantity of kinds that are about one alone."""

_COMMON = (
    "id",
    "quantity",
    "severity",
    "ladder",
    "stations",
    "branches",
    "km",
    "km_unknown",
    "kinds",
    "devices",
    "notify_max_age_s",
    "message_vi",
    "message_en",
    "source",
    "unverified",
)
KEYS: Final[tuple[str, ...]] = tuple(
    dict.fromkeys(
        (
            *_COMMON,
            *(key for keys in ASK_KEYS.values() for key in keys),
            *(key for keys in _EXTRA.values() for key in keys),
        )
    )
)

_KINDS: Final = tuple(dict.fromkeys(quantity.kind for quantity in QUANTITIES.values()))
_LARGEST_GROUP = 10_000
_LARGEST_LEVEL = 1e9
_LONGEST_S = 366 * 86_400.0
_LONGEST_INTERVALS = 100_000.0
_TEXTS = ("message_vi", "message_en", "never_seen_vi", "never_seen_en")


def parse_rules(text: str, file: str, registry: Registry | None = None) -> RuleSet:
    """Read the text of a rules file; `file` is its name in faults.

    With a registry, the stations, branches and devices that rules name must be in it.
    Raises `ingest.faults.ConfigError` with all faults of the file at once.
    """
    faults = Faults(file, text)
    top = Table(faults, "", load_toml(text, file), ("rule", urgency.TABLE))
    rules: list[Rule] = []
    for table in top.tables("rule", KEYS):
        rule = _rule(table, registry)
        if rule.id.startswith(RESERVED):
            table.fault("id", f"ids with {RESERVED} are the service's own; accepted is another id")
        elif rule.id and any(rule.id == other.id for other in rules):
            table.fault("id", "this id stands twice; the ids of rules differ from each other")
        elif rule.id:
            rules.append(rule)
    pace = urgency.read_urgency(top)
    faults.raise_if_any()
    return RuleSet(tuple(rules), pace)


def _rule(table: Table, registry: Registry | None) -> Rule:
    ask = _ask(table)
    given: dict[str, Any] = {
        "id": table.id("id"),
        "quantity": _quantity(table, ask),
        "severity": Severity(table.choice("severity", tuple(Severity))),
        "ladder": table.optional_id("ladder") or "",
        "ask": ask or Ask.ABOVE,
        "stations": _stations(table, registry),
        "branches": _known(table, "branches", _branches(registry)),
        "kinds": _known(table, "kinds", _KINDS),
        "devices": _known(table, "devices", None if registry is None else tuple(registry.devices)),
        "km": _km(table),
        "km_unknown": table.boolean("km_unknown", default=False),
        "notify_max_age_s": _seconds(table, "notify_max_age_s"),
        "source": table.optional_text("source") or "",
        "unverified": table.boolean("unverified", default=False),
    }
    _refuse_places(table, given["quantity"])
    if ask is None:
        return Rule(**given)
    _refuse_strangers(table, ask)
    if ask is Ask.NO_DATA:
        given.update(_silence(table))
    else:
        given.update(_holds(table))
        given.update(_asked(table, ask))
        given.update(_group(table, ask))
    if ask in DIFFERENCES:
        given["between"] = _between(table, registry)
    given.update(_texts(table, ask, given))
    return Rule(**given)


def _ask(table: Table) -> Ask | None:
    found = [(ask, key) for ask, keys in ASK_KEYS.items() for key in keys if table.has(key)]
    asking = [key for keys in ASK_KEYS.values() for key in keys]
    every = ", ".join(asking)
    if not found:
        if any(get_close_matches(key, asking, cutoff=0.8) for key in table.content):
            return None  # mistyped, which has been told as an unknown key
        table.fault_of_all(f"it asks for nothing; accepted is one of {every}")
        return None
    if len(found) > 1:
        for _, key in found[1:]:
            table.fault(key, f"it stands beside {found[0][1]}; accepted is only one of {every}")
        return None
    return found[0][0]


def _refuse_strangers(table: Table, ask: Ask) -> None:
    own = {*_COMMON, *ASK_KEYS[ask], *_EXTRA[ask]}
    for key in table.content:
        if key in KEYS and key not in own:
            table.fault(
                key,
                f"a rule with {ASK_KEYS[ask][0]} doesn't take this key; beside the common ones "
                f"it takes {', '.join(_EXTRA[ask])}",
            )


def _quantity(table: Table, ask: Ask | None) -> str:
    implied = None if ask is None else _IMPLIED.get(ask)
    if implied is not None and ask is not None:
        name = table.optional_text("quantity")
        if name not in (None, implied):
            table.fault("quantity", f"{ASK_KEYS[ask][0]} is about {implied}; accepted is no key")
        return implied
    keys = [ASK_KEYS[each][0] for each in _IMPLIED]
    needed = not any(get_close_matches(key, keys, cutoff=0.8) for key in table.content)
    name = table.optional_text("quantity", required=needed) or ""
    if name and name not in QUANTITIES:
        table.fault("quantity", f"not a quantity; {did_you_mean(name, tuple(QUANTITIES))}")
    return name


def _refuse_places(table: Table, quantity: str) -> None:
    """The salt line of a mouth stands at no station."""
    if quantity in QUANTITIES and QUANTITIES[quantity].kind == "river":
        for key in ("stations", "km", "devices"):
            if table.has(key) and table.content[key] != ["*"]:
                table.fault(
                    key, f"{quantity} belongs to a mouth; accepted is branches in its place"
                )


def _stations(table: Table, registry: Registry | None) -> tuple[str, ...]:
    if table.content.get("stations") == ["*"]:
        return ()
    return _known(table, "stations", None if registry is None else tuple(registry.stations))


def _branches(registry: Registry | None) -> tuple[str, ...] | None:
    if registry is None:
        return None
    found = {branch for station in registry.stations.values() for branch in station.branches}
    return tuple(sorted(found))


def _known(table: Table, name: str, known: Sequence[str] | None) -> tuple[str, ...]:
    """A list of ids that exist; without the key all are meant, so an empty list is a fault."""
    values = table.texts(name)
    if table.content.get(name) == []:
        table.fault(name, "an empty list would pick nothing; accepted is at least one, or no key")
    if known is not None:
        for value in values:
            if value not in known:
                table.fault(name, f"isn't in the registry; {did_you_mean(value, known)}", value)
    return values


def _km(table: Table) -> tuple[float, float] | None:
    if not table.has("km"):
        if table.has("km_unknown"):
            table.fault("km_unknown", "it says what km means where no distance is known; add km")
        return None
    value = table.content["km"]
    accepted = (
        "accepted is [from, to] in km from the mouth, from < to; to itself is outside, or inf"
    )
    if not isinstance(value, list) or len(value) != 2:
        table.fault("km", accepted)
        return None
    low, high = value
    if not is_number(low) or not (is_number(high) or high == float("inf")) or not 0 <= low < high:
        table.fault("km", accepted)
        return None
    return float(low), float(high)


def _seconds(table: Table, name: str, *, low: float = 0.0) -> float | None:
    return table.optional_number(name, low, _LONGEST_S, "s")


def _holds(table: Table) -> dict[str, Any]:
    return {
        "for_s": _seconds(table, "for_s") or 0.0,
        "clear_for_s": _seconds(table, "clear_for_s") or 0.0,
        "hold_gap_s": _seconds(table, "hold_gap_s", low=0.001),
        "permit": table.boolean("permit", default=False),
    }


def _asked(table: Table, ask: Ask) -> dict[str, Any]:
    """What the key that says the rule's kind says, and its level for clearing."""
    key = ASK_KEYS[ask][0]
    if ask is Ask.FLAGGED:
        return {"flagged": Quality(table.choice(key, tuple(Quality)))}
    if ask is Ask.CONGESTION:
        level = float(CONGESTION[table.choice(key, tuple(CONGESTION))])
        return {"raise_level": level, "clear_level": level}
    if ask is Ask.INCIDENT:
        if table.content[key] is not True:
            table.fault(key, "accepted is true")
        return {}
    found = _levels(table, ask)
    if table.has("rise_window_s"):
        found["rise_window_s"] = _seconds(table, "rise_window_s", low=1.0) or 3600.0
    return found


def _levels(table: Table, ask: Ask) -> dict[str, Any]:
    raise_key, clear_key = ASK_KEYS[ask][0], _CLEAR[ask]
    span = (-_LARGEST_LEVEL, _LARGEST_LEVEL)
    # A fall is told as a positive number, so a negative one is a rise that was not meant.
    lowest = 0.0 if ask in RATES else -_LARGEST_LEVEL
    raise_level = table.optional_number(raise_key, lowest, _LARGEST_LEVEL, required=True)
    clear_level = table.optional_number(clear_key, *span)
    falling = ask in (Ask.BELOW, Ask.DIFFERENCE_BELOW)
    if clear_level is None or raise_level is None:
        clear_level = raise_level
    elif falling and clear_level < raise_level:
        table.fault(clear_key, f"accepted is {raise_key} ({raise_level:g}) or more")
    elif not falling and clear_level > raise_level:
        table.fault(clear_key, f"accepted is {raise_key} ({raise_level:g}) or less")
    return {"raise_level": raise_level, "clear_level": clear_level}


def _group(table: Table, ask: Ask) -> dict[str, Any]:
    if table.has("at_least") and table.has("share_above"):
        table.fault("share_above", "it stands beside at_least; accepted is only one of both")
    shared = table.has("at_least") or table.has("share_above")
    if table.has("group_by") and not shared and "group_by" in _EXTRA[ask]:
        table.fault("group_by", "it says what a group is; add at_least or share_above")
    if shared and table.has("permit"):
        table.fault("permit", "a group permits nothing; accepted is no key beside a share")
    share = table.optional_number("share_above", 0.0, 1.0)
    if share == 1.0:
        table.fault("share_above", "more than all there is not; accepted is less than 1")
    return {
        "at_least": table.integer("at_least", 1, _LARGEST_GROUP) if table.has("at_least") else None,
        "share_above": share,
        "group_by": GroupBy(table.choice("group_by", tuple(GroupBy), GroupBy.ALL.value)),
    }


def _between(table: Table, registry: Registry | None) -> tuple[str, ...]:
    """Two levels that devices have, or two stations."""
    accepted = 'accepted are two stations, or two levels of a device such as ["bottom", "surface"]'
    names = table.texts("between", required=True)
    if not table.has("between"):
        return names
    if len(names) != 2 or not all(ID.fullmatch(name) for name in names):
        table.fault("between", accepted)
        return ()
    if registry is not None:
        devices = registry.devices.values()
        levels = {level.id for device in devices for level in device.levels}
        if not any(set(names) <= known for known in (set(registry.stations), levels)):
            table.fault("between", f"they aren't both in the registry; {accepted}")
    return names


def _silence(table: Table) -> dict[str, Any]:
    return {
        "no_data_s": _seconds(table, "no_data_s", low=1.0),
        "no_data_intervals": table.optional_number("no_data_intervals", 1.0, _LONGEST_INTERVALS),
        "never_seen_s": _seconds(table, "never_seen_s", low=1.0),
    }


def _texts(table: Table, ask: Ask, given: dict[str, Any]) -> dict[str, str]:
    word = str(table.content.get(ASK_KEYS[ask][0], ""))
    shared = given.get("at_least") is not None or given.get("share_above") is not None
    found = dict(default_texts(ask, word, shared=shared))
    for name in _TEXTS:
        text = table.optional_text(name)
        if text is None:
            continue
        found[name] = text
        for wrong in unknown_placeholders(text):
            names = ", ".join("{" + known + "}" for known in PLACEHOLDERS)
            table.fault(name, f"{wrong} can't be filled in; accepted are {names}")
    return found
