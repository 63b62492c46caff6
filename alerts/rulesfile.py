"""The rules' file: rules.toml into a `RuleSet`, or every fault that it has.

`KEYS` is all that a rule may say; docs/rules.md explains each of them.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

from alerts.messages import DEFAULT_TEXTS, PLACEHOLDERS, unknown_placeholders
from alerts.notices import RESERVED
from alerts.rules import Ask, Rule, RuleSet, Severity
from ingest.reading import QUANTITIES
from ingest.registry import Registry
from ingest.tables import Faults, Table, did_you_mean, is_number, load_toml

ASK_KEYS: Final[dict[Ask, tuple[str, ...]]] = {
    Ask.ABOVE: ("raise_above",),
    Ask.BELOW: ("raise_below",),
    Ask.RISE: ("rise_above_per_h",),
    Ask.NO_DATA: ("no_data_s", "no_data_intervals"),
}
"""What a rule asks is told by the one key of these that it has."""

_HOLD = ("for_s", "clear_for_s", "hold_gap_s")
_EXTRA: Final[dict[Ask, tuple[str, ...]]] = {
    Ask.ABOVE: ("clear_below", *_HOLD),
    Ask.BELOW: ("clear_above", "permit", *_HOLD),
    Ask.RISE: ("clear_below_per_h", "rise_window_s", *_HOLD),
    Ask.NO_DATA: ("never_seen_s", "never_seen_vi", "never_seen_en"),
}
_COMMON = (
    "id",
    "quantity",
    "severity",
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

_LARGEST_LEVEL = 1e9
_LONGEST_S = 366 * 86_400.0
_LONGEST_INTERVALS = 100_000.0
_TEXTS = ("message_vi", "message_en", "never_seen_vi", "never_seen_en")


def parse_rules(text: str, file: str, registry: Registry | None = None) -> RuleSet:
    """Read the text of a rules file; `file` is its name in faults.

    With a registry, the stations, branches and devices that rules name must be in it.
    Raises `ingest.faults.ConfigError` with all faults of the file at once.
    """
    faults = Faults(file)
    top = Table(faults, "", load_toml(text, file), ("rule",))
    rules: list[Rule] = []
    for table in top.tables("rule", KEYS):
        rule = _rule(table, registry)
        if rule.id.startswith(RESERVED):
            table.fault("id", f"ids with {RESERVED} are the service's own; accepted is another id")
        elif rule.id and any(rule.id == other.id for other in rules):
            table.fault("id", "this id stands twice; the ids of rules differ from each other")
        elif rule.id:
            rules.append(rule)
    faults.raise_if_any()
    return RuleSet(tuple(rules))


def _rule(table: Table, registry: Registry | None) -> Rule:
    ask = _ask(table)
    given: dict[str, Any] = {
        "id": table.id("id"),
        "quantity": _quantity(table),
        "severity": Severity(table.choice("severity", tuple(Severity))),
        "ask": ask or Ask.ABOVE,
        "stations": _stations(table, registry),
        "branches": _known(table, "branches", _branches(registry)),
        "kinds": _known(table, "kinds", ("salinity", "traffic")),
        "devices": _known(table, "devices", None if registry is None else tuple(registry.devices)),
        "km": _km(table),
        "km_unknown": table.boolean("km_unknown", default=False),
        "notify_max_age_s": _seconds(table, "notify_max_age_s"),
        "source": table.optional_text("source") or "",
        "unverified": table.boolean("unverified", default=False),
    }
    if ask is None:
        return Rule(**given)
    _refuse_strangers(table, ask)
    given.update(_silence(table) if ask is Ask.NO_DATA else _levels(table, ask))
    given.update(_texts(table, ask))
    return Rule(**given)


def _ask(table: Table) -> Ask | None:
    found = [(ask, key) for ask, keys in ASK_KEYS.items() for key in keys if table.has(key)]
    asking = [key for keys in ASK_KEYS.values() for key in keys]
    every = ", ".join(asking)
    if not found:
        if any(get_close_matches(key, asking, cutoff=0.8) for key in table.content):
            return None  # mistyped, which has been told as an unknown key
        table.faults.add(table.path, "", f"it asks for nothing; accepted is one of {every}")
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


def _quantity(table: Table) -> str:
    name = table.text("quantity")
    if name and name not in QUANTITIES:
        table.fault("quantity", f"not a quantity; {did_you_mean(name, tuple(QUANTITIES))}")
    return name


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


def _levels(table: Table, ask: Ask) -> dict[str, Any]:
    raise_key = ASK_KEYS[ask][0]
    clear_key = _EXTRA[ask][0]
    span = (-_LARGEST_LEVEL, _LARGEST_LEVEL)
    raise_level = table.optional_number(raise_key, *span, required=True)
    clear_level = table.optional_number(clear_key, *span)
    if clear_level is None or raise_level is None:
        clear_level = raise_level
    elif ask is Ask.BELOW and clear_level < raise_level:
        table.fault(clear_key, f"accepted is {raise_key} ({raise_level:g}) or more")
    elif ask is not Ask.BELOW and clear_level > raise_level:
        table.fault(clear_key, f"accepted is {raise_key} ({raise_level:g}) or less")
    found: dict[str, Any] = {
        "raise_level": raise_level,
        "clear_level": clear_level,
        "for_s": _seconds(table, "for_s") or 0.0,
        "clear_for_s": _seconds(table, "clear_for_s") or 0.0,
        "hold_gap_s": _seconds(table, "hold_gap_s", low=0.001),
        "permit": table.boolean("permit", default=False),
    }
    if table.has("rise_window_s"):
        found["rise_window_s"] = _seconds(table, "rise_window_s", low=1.0) or 3600.0
    return found


def _silence(table: Table) -> dict[str, Any]:
    return {
        "no_data_s": _seconds(table, "no_data_s", low=1.0),
        "no_data_intervals": table.optional_number("no_data_intervals", 1.0, _LONGEST_INTERVALS),
        "never_seen_s": _seconds(table, "never_seen_s", low=1.0),
    }


def _texts(table: Table, ask: Ask) -> dict[str, str]:
    found = dict(DEFAULT_TEXTS[ask])
    for name in _TEXTS:
        given = table.optional_text(name)
        if given is None:
            continue
        found[name] = given
        for wrong in unknown_placeholders(given):
            names = ", ".join("{" + known + "}" for known in PLACEHOLDERS)
            table.fault(name, f"{wrong} can't be filled in; accepted are {names}")
    return found
