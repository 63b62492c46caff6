"""Alerts on the command line: why one was raised, and why one was not."""

import os
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from alerts.explain_words import duration
from ingest.faults import ConfigError, Fault
from ingest.reading import Flag, Why
from songtien.explaining import Item, Kept
from songtien.settings import load_settings
from songtien.terminal import faults_told, out

alerts_app = typer.Typer(
    help="Alerts, and why.\n\nExample: songtien alerts explain 77917020b2e5429f",
    no_args_is_help=True,
)

VIETNAM: Final = timezone(timedelta(hours=7))
STEPS_SHOWN: Final = 12

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The TOML configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document, nothing else.")]


@alerts_app.command("explain")
def explain(
    alert: Annotated[str, typer.Argument(metavar="ID", help="The alert's id.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Why an alert was raised: the rule as it was, its samples and flags, its whole life.

    Reads the data directory, also while the service runs.

    Example: songtien alerts explain 77917020b2e5429f --config songtien.toml
    """
    with faults_told():
        kept = Kept(load_settings(config, os.environ))
        found = kept.alert(alert)
        kept.close()
    if as_json:
        _json(found)
    else:
        _alert(found)


@alerts_app.command("why")
def why(
    rule: Annotated[str, typer.Option("--rule", help="The rule's id.")],
    series: Annotated[str, typer.Option("--series", help="Such as vk-01/salinity_g_l.")],
    at: Annotated[
        str,
        typer.Option(help="Such as 2026-03-01T06:30, in Vietnam's time; ms since 1970; or now."),
    ] = "now",
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Why a rule did not hold for a series at a time: the condition that was not met.

    Reads the data directory, also while the service runs.

    Example: songtien alerts why --rule salinity-4 --series xh-01/salinity_g_l
    --at 2026-03-01T06:30
    """
    with faults_told():
        at_ms = parse_at(at)
        kept = Kept(load_settings(config, os.environ))
        found = kept.why(rule, series, at_ms)
        kept.close()
    if as_json:
        _json(found)
        return
    holds = "held" if found["holds"] else "did not hold"
    _say(f"{rule} {holds} for {series} at {_time(at_ms)}: {found['text_en']}")
    _say(f"  {found['text_vi']}")
    _say(f"rule version {found['rule_version']}, {_limits(found)}")
    if "alert" in found:
        _say(f"alert {found['alert']['id']}: {_standing(found['alert'])}")
    for each in found.get("conditions", ()):
        met = {True: "met", False: "NOT MET", None: "not come to"}[each["met"]]
        _say(f"  {each['name']}: {met} (needed {each['needed']}, found {each['found']})")
    _steps(found)


def parse_at(text: str) -> int:
    """A time as typed, ms UTC; raises ConfigError. Without an offset it is Vietnam's."""
    if text == "now":
        return time.time_ns() // 1_000_000
    if text.isdecimal():
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        accepted = "accepted is a time such as 2026-03-01T06:30 (Vietnam's), ms since 1970, or now"
        raise ConfigError([Fault("options", "--at", text, accepted)]) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=VIETNAM)
    return round(found.timestamp() * 1000)


def _alert(found: Item) -> None:
    _say(f"{found['severity']} {found['id']}, {_standing(found)}")
    _say(f"  {found.get('message_vi', '')}")
    _say(f"  {found.get('message_en', '')}")
    if found.get("members"):
        _say(f"  stands for {', '.join(found['members'])}")
    evidence, proof = found["evidence"], found.get("proof")
    version = found.get("rule_version", "")
    _say(f"rule {found['rule']}, version {version}{_since_changed(found, version)}")
    if proof is not None:
        _say(f"  {_limits(proof)}")
    described = evidence.get("rule")
    if isinstance(described, dict) and described.get("source"):
        _say(f"  source: {described['source']}")
    detected = f", found out {_time(found['t_detected'])}" if "t_detected" in found else ""
    _say(
        f"since {_time(found['t_since'])}, completed by the sample of {_time(found['t_event'])}"
        f"{detected}"
    )
    names = ("cause", "value", "first_value", "reading", "limit", "samples")
    _say("  " + ", ".join(f"{name} {evidence[name]}" for name in names if name in evidence))
    if "flag" in evidence:
        _say(f"  {_flags(evidence)}")
    for entry in found["timeline"]:
        _say(f"{_time(entry['at'])} {_entry(entry)}")
    if proof is not None:
        _steps(proof)


def _since_changed(found: Item, version: str) -> str:
    if "rule_in_force" not in found:
        return ""
    current = found["rule_in_force"]
    if current is None:
        return "; no rule has this id now"
    return "" if current == version else f"; in force now is version {current}"


def _standing(alert: Item) -> str:
    """Its state, and what stands beside it."""
    words = [alert["state"]]
    if alert.get("historic"):
        words.append("historic: found too late to tell anybody")
    suppressed = alert.get("suppressed")
    if suppressed:
        words.append(f"suppressed by {suppressed['why']} {suppressed['by']}")
    if "shelved_until" in alert:
        why = alert.get("shelved_why", "")
        words.append(f"shelved until {_time(alert['shelved_until'])}: {why}")
    if alert.get("flapping"):
        words.append("flapping")
    return ", ".join(words)


def _limits(found: Item) -> str:
    limits, unit = found.get("limits", {}), found["unit"]
    words = [f"asks {found['ask']} of {found['quantity']}"]
    for name, value in limits.items():
        if value is None:
            continue
        if name.endswith("_s"):
            words.append(f"{name[:-2]} {duration(float(value), 'en')}")
        else:
            words.append(f"{name} {value} {unit}".rstrip())
    return ", ".join(words)


def _entry(entry: Item) -> str:
    told = "" if entry["told"] else " (not told)"
    who = f" by {entry['who']}" if "who" in entry else ""
    note = f": {entry['note']}" if "note" in entry else ""
    beside = entry.get("evidence", {}).get("is")
    by = f" ({beside['why']} {beside['by']})" if isinstance(beside, dict) else ""
    return f"{entry['type']}{by}{told}, {entry['state']}, version {entry['ver']}{who}{note}"


def _flags(evidence: Item) -> str:
    flag = evidence["flag"]
    worst: Any = evidence.get("worst_flag", flag)
    return (
        f"flag {_flag(flag)}, worst of the hold {_flag(worst)}, "
        f"evidence {_why(evidence.get('why', 0))}"
    )


def _flag(flag: int) -> str:
    return f"{flag} ({Flag(flag).name.lower().replace('_', ' ')})"


def _why(why: int) -> str:
    return ", ".join(str(each.name).lower().replace("_", " ") for each in Why(why)) or "none"


def _steps(found: Item) -> None:
    for member in found.get("members", ()):
        if "t" in member:
            beyond = " beyond" if member.get("beyond") else ""
            _say(f"{_time(member['t'])} {member['series']} {member['value']}{beyond}")
        else:
            _say(f"{member['series']}: no sample")
    steps = found.get("steps", ())
    if len(steps) > STEPS_SHOWN:
        _say(f"… {found['samples'] - STEPS_SHOWN:,} samples before")
    for step in steps[-STEPS_SHOWN:]:
        why = f" [{_why(step['why'])}]" if step["why"] else ""
        _say(f"{_time(step['t'])} {step['value']} flag {step['flag']}{why}: {step['text_en']}")


def _time(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1000, VIETNAM).strftime("%Y-%m-%d %H:%M:%S")


def _json(found: Any) -> None:
    _say(msgspec.json.encode(found, order="deterministic").decode())


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
