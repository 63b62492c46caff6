"""The tables of channels: their keys are known once file and variables have said their kinds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from songtien.setting_keys import PREFIX, WEBHOOK_NAME, Key
from songtien.telling.channels.keys import CHANNEL, KINDS, NEEDED, channel_keys, common_names
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.channels.whole import doubts

_HIDDEN: Final = "(hidden)"


@dataclass(frozen=True, slots=True)
class _Table:
    file: str
    said: dict[str, object]


class Told(Protocol):
    """Tells a fault: of which file and key, which value, what is accepted."""

    def __call__(self, file: str, key: str, value: object, accepted: str) -> None: ...


class ChannelTables:
    """What file and variables say of channels, by their names."""

    def __init__(self, fault: Told) -> None:
        self._fault = fault
        self._tables: dict[str, _Table] = {}
        self._kinds: dict[str, str] = {}

    def take(self, file: str, tables: object) -> None:
        """Keep what the section says."""
        if not isinstance(tables, dict):
            self._fault(file, CHANNEL, _HIDDEN, f"accepted is a table: [{CHANNEL}.NAME]")
            return
        for name, table in tables.items():
            self._named(file, f"{CHANNEL}.{name}", name, table)

    def _named(self, file: str, key: str, name: str, table: object) -> None:
        if not isinstance(table, dict) or WEBHOOK_NAME.fullmatch(name) is None:
            accepted = "a table, named by up to 4 words of a-z and 0-9 with _ between"
            self._fault(file, key, _HIDDEN, f"accepted is [{CHANNEL}.NAME], {accepted}")
        elif name not in self._tables:
            self._tables[name] = _Table(file, table)

    def keys(
        self,
        environment: str,
        environ: Mapping[str, str],
        section: Callable[[str, str, dict[str, object]], None],
        known: list[Key],
    ) -> None:
        """Add the keys of all channels to the known, and have their tables read.

        environment : what variables are called in faults
        section : (file, section, table), reads a table whose keys are known
        """
        for variable in sorted(environ):
            words = _words(variable)
            if words is not None:
                self._named(environment, variable, words[1], {})
        for name, table in self._tables.items():
            variable = f"{PREFIX}{CHANNEL}__{name}__kind".upper()
            kind = environ.get(variable, table.said.get("kind"))
            if isinstance(kind, str) and kind in KINDS:
                self._kinds[name] = kind
                known.extend(channel_keys(name, kind))
                section(table.file, f"{CHANNEL}.{name}", table.said)
            else:
                accepted = f"accepted is one of {', '.join(KINDS)}"
                self._fault(table.file, f"{CHANNEL}.{name}.kind", kind, accepted)

    def of_no_kind(self, variable: str) -> bool:
        """Whether a variable is of a channel whose kind is the fault that is told."""
        words = _words(variable)
        return words is not None and words[1] not in self._kinds

    def made(
        self,
        own_value: Callable[[Key], Any],
        is_given: Callable[[str], bool],
        doubt: Callable[[str, str, str], None],
        faults: Callable[[], int],
    ) -> tuple[ChannelSettings, ...]:
        """All channels, by name; what is not well is told.

        own_value : of a key, secrets and paths ready for use
        is_given : whether somebody named a key, by its path
        doubt : (path of a key, what is accepted, file where nobody named it)
        faults : how many there are so far
        """
        return tuple(
            self._made(name, own_value, is_given, doubt, faults) for name in sorted(self._kinds)
        )

    def _made(
        self,
        name: str,
        own_value: Callable[[Key], Any],
        is_given: Callable[[str], bool],
        doubt: Callable[[str, str, str], None],
        faults: Callable[[], int],
    ) -> ChannelSettings:
        section, kind, file = f"{CHANNEL}.{name}", self._kinds[name], self._tables[name].file
        before = faults()
        own = {key.name: own_value(key) for key in channel_keys(name, kind)}
        if faults() == before:
            for needed in NEEDED[kind]:
                if own[needed] is None and not is_given(f"{section}.{needed}"):
                    what = f"{needed}_file" if f"{needed}_file" in own else needed
                    accepted = f"a channel of the kind {kind} needs one"
                    self._fault(file, f"{section}.{what}", None, accepted)
        if faults() == before:
            for key, accepted in doubts(kind, own):
                doubt(f"{section}.{key}", accepted, file)
        common = {each: own.pop(each) for each in common_names()}
        return ChannelSettings(
            name=name,
            kind=kind,
            rate_per_s=common["rate_per_s"],
            timeout_s=common["timeout_s"],
            budget_per_month=common["budget_per_month"],
            cost_per_part=common["cost_per_part"],
            unicode=own.get("unicode", False),
            inbound_secret=common["inbound_secret"],
            report=common["report"],
            inbound=common["inbound"],
            own=own,
        )


def _words(variable: str) -> list[str] | None:
    """Section, name and key of a variable of a channel; None for any other."""
    words = variable.removeprefix(PREFIX).lower().split("__")
    is_ours = variable.startswith(PREFIX) and words[0] == CHANNEL and len(words) == 3
    return words if is_ours else None
