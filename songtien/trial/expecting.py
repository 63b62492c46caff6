"""Whether what there is fits what a test expects, and what to say where it does not. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

SHOWN_MAX = 12

Wanted = Mapping[str, object]
"""Field by field: a value, anything that compares equal such as `pytest.approx`, or a function of
the value that says whether it will do.
"""


def fits(found: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether every wanted field is there and is as wanted."""
    return all(_fits(found.get(name), value) for name, value in wanted.items())


def told(what: str, wanted: Wanted, there: Iterable[Mapping[str, Any]], now: str) -> str:
    """The message of a failing test: what was expected, when, and what there is instead, what
    comes nearest first.
    """
    asked = ", ".join(f"{name}={_shown(value)}" for name, value in wanted.items())
    nearest = sorted(there, key=lambda each: -_fitting(each, wanted))
    lines = [_line(each, wanted) for each in nearest]
    shown = lines[:SHOWN_MAX]
    if len(lines) > SHOWN_MAX:
        shown.append(f"  … and {len(lines) - SHOWN_MAX} more")
    instead = "\n".join(["there is", *shown]) if lines else "there is none at all"
    return f"at {now}: expected {what}{' with ' if asked else ''}{asked}; {instead}"


def _fitting(found: Mapping[str, Any], wanted: Wanted) -> int:
    return sum(_fits(found.get(name), value) for name, value in wanted.items())


def _fits(value: object, wanted: object) -> bool:
    if callable(wanted):
        judge: Callable[[object], object] = wanted
        return value is not None and bool(judge(value))
    return bool(value == wanted)


def _shown(wanted: object) -> str:
    if callable(wanted):
        return getattr(wanted, "__name__", repr(wanted))
    return repr(wanted)


def _line(found: Mapping[str, Any], wanted: Wanted) -> str:
    """The fields that tell one from another, and those that were asked for."""
    names = [
        name
        for name in ("k", "rule", "state", "severity", "reason", "n", "v", "q", "st")
        if name in found
    ]
    names += [name for name in wanted if name in found and name not in names]
    return "  " + ", ".join(f"{name}={found[name]!r}" for name in names)
