"""The shapes of what the service's parts hand over as plain objects: alerts, advice, acks.

The parts make them field by field, absent is absent; tests hold what they make against these
structs, field for field, so that the document says neither more nor less.
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from alerts.lifecycle import State
from alerts.notices import ASK
from alerts.river.advice import WHY
from alerts.rules import Ask, Severity
from ingest.reading import Flag
from ingest.refusal import ID_PATTERN


def _says(words: str) -> Meta:
    return Meta(description=words)


Time = Annotated[int, Meta(ge=0)]
Key = Annotated[str, _says("key of the series; of what is no series, such as `songtien/disk-low`")]
QualityFlag = Annotated[
    Literal[1, 2, 3, 4, 9],
    _says("QARTOD: " + ", ".join(f"{f.value} {f.name.lower().replace('_', ' ')}" for f in Flag)),
]
Id = Annotated[str, Meta(pattern=f"^{ID_PATTERN}$")]
Of = Annotated[str | UnsetType, _says("what the series is of; absent where that is nothing")]

_ASKED = [each.value for each in Ask]
Asked = StrEnum("Asked", [*_ASKED, "never_seen", ASK])  # type: ignore[misc]
"""What a rule asks, of a device that never spoke, of the service itself."""

Why = StrEnum("Why", [(why, why) for why in WHY.values()])  # type: ignore[misc]


class Suppressed(Struct, frozen=True):
    """Why nobody is called because of an alert, though it holds."""

    why: Annotated[
        Literal["uplink", "station", "maintenance", "rung"],
        _says("another alert says it already, or its station is in maintenance"),
    ]
    by: Annotated[str, _says("id of that alert or maintenance window")]


class Alert(Struct, frozen=True):
    """An alert, always whole. A field that is missing does not apply, or is over."""

    id: Annotated[
        str,
        Meta(pattern="^[0-9a-f]{16}$", description="a hash of rule, series and `t_since`"),
    ]
    ver: Annotated[int, Meta(ge=1, description="rises with each change; a call names the one seen")]
    state: Annotated[State, _says("`normal` is over")]
    historic: Annotated[bool, _says("found too late to be told to anybody; never sent")]
    rule: Annotated[Id, _says("id of the rule that raised it")]
    rule_version: Annotated[str, _says("hash of the rule's content then")]
    ask: Annotated[Asked, _says(f"what the rule asks; `{ASK}` is said by the service of itself")]
    severity: Annotated[Severity, _says("from `info` up to `critical`")]
    k: Key
    t_since: Annotated[Time, _says("first breach; of silence the last observed time; ms UTC")]
    t_event: Annotated[Time, _says("the sample that completed the hold; ms UTC")]
    t_detected: Annotated[Time, _says("the service's clock then; ms UTC")]
    message_vi: Annotated[str, _says("in Vietnamese, filled in")]
    message_en: Annotated[str, _says("in English, filled in")]
    value: Annotated[float | UnsetType, _says("what was compared when it was raised")] = UNSET
    limit: Annotated[float | UnsetType, _says("with what; of silence in seconds")] = UNSET
    unit: Annotated[str | UnsetType, _says("of both")] = UNSET
    flag: Annotated[QualityFlag | UnsetType, _says("quality of the sample that raised it")] = UNSET
    suspect: Annotated[bool | UnsetType, _says("a sample of the hold was suspect")] = UNSET
    station: Of = UNSET
    stations: Annotated[
        tuple[str, ...] | UnsetType, _says("of a gateway that is down: its stations")
    ] = UNSET
    device: Of = UNSET
    kind: Of = UNSET
    branch: Annotated[tuple[str, ...] | UnsetType, _says("the branches that it is on")] = UNSET
    quantity: Of = UNSET
    direction: Annotated[str | UnsetType, _says("of a bridge")] = UNSET
    level: Annotated[str | UnsetType, _says("of a probe at several depths")] = UNSET
    other: Annotated[str | UnsetType, _says("of a difference: the series subtracted")] = UNSET
    members: Annotated[
        tuple[str, ...] | UnsetType,
        _says("of a group: the series beyond the level; of a common failure: the devices"),
    ] = UNSET
    count: Annotated[int | UnsetType, _says("of a common failure: how many devices")] = UNSET
    permit: Annotated[
        Literal[True] | UnsetType, _says("of a rule that permits, and is no danger")
    ] = UNSET
    sim: Annotated[
        Literal[True] | UnsetType, _says("a sample of the hold was simulated: nobody measured it")
    ] = UNSET
    test: Annotated[
        Literal[True] | UnsetType, _says("the daily test, no emergency: pass over it")
    ] = UNSET
    detail: Annotated[str | UnsetType, _says("of a notice: what to mend")] = UNSET
    t_told: Annotated[Time | UnsetType, _says("when people were told; ms UTC")] = UNSET
    t_cleared: Annotated[Time | UnsetType, _says("the sample that cleared it; ms UTC")] = UNSET
    t_acked: Annotated[Time | UnsetType, _says("when it was acknowledged; ms UTC")] = UNSET
    t_ended: Annotated[Time | UnsetType, _says("when it left the list; ms UTC")] = UNSET
    t_escalated: Annotated[Time | UnsetType, _says("when it went one level up; ms UTC")] = UNSET
    shelved_until: Annotated[Time | UnsetType, _says("put aside until then; ms UTC")] = UNSET
    shelved_why: Annotated[str | UnsetType, _says("the reason; everybody may see it")] = UNSET
    suppressed: Annotated[Suppressed | UnsetType, _says("nobody is called because of it")] = UNSET
    flapping: Annotated[
        Literal[True] | UnsetType, _says("it came and went too often, and is held")
    ] = UNSET
    reminders: Annotated[int | UnsetType, _says("how often it was told again")] = UNSET
    escalation: Annotated[int | UnsetType, _says("how many levels it went up")] = UNSET


class Advice(Struct, frozen=True):
    """Whether water may be taken at an intake. It permits only while `take` is true and `until`
    lies ahead; a controller that has no valid advice does not open.
    """

    intake: Annotated[Id, _says("id of the intake")]
    name: Annotated[str, _says("as people call it")]
    take: Annotated[bool, _says("water may be taken, until `until`")]
    pump: Annotated[bool, _says("by pump it may")]
    until: Annotated[
        Time | None, _says("not valid after, ms UTC; null: nothing is permitted by it")
    ]
    why: Annotated[Why, _says("the first row of the table of decisions that matched")]
    row: Annotated[int, _says("its number")]
    limit_g_l: Annotated[float, _says("the intake's limit, g/L")]
    station: Annotated[str | None, _says("by which station")]
    figure: Annotated[float | None, _says("the newest reading, g/L")]
    figure_t: Annotated[Time | None, _says("when it was observed; ms UTC")]
    flag: Annotated[int | None, _says("its quality flag")]
    sim: Annotated[bool, _says("nobody measured it")]
    t: Annotated[Time, _says("when this was said; ms UTC")]
    text_vi: Annotated[str, _says("in Vietnamese, for people")]
    text_en: Annotated[str, _says("in English")]
    may_be_g_l: Annotated[float | UnsetType, _says("what the salinity may be by now, g/L")] = UNSET
    stop_by: Annotated[Time | UnsetType, _says("who takes water must stop by then; ms UTC")] = UNSET
    ends: Annotated[
        Time | UnsetType,
        _says("when taking will probably have to end, by yesterday's tide; ms UTC"),
    ] = UNSET
    ends_basis: Annotated[str | UnsetType, _says("for reference only")] = UNSET


class Ack(Struct, frozen=True):
    """What is settled of a device's boot: stored, a duplicate or rejected. Up to `seq` a gateway
    may free its buffer, but for what `missing` lists.
    """

    boot: int
    seq: Annotated[int, _says("the highest that is settled")]
    missing: Annotated[
        tuple[int, ...], _says("numbers that were waited for and passed; send them again")
    ]


class ServerState(Struct, frozen=True):
    """Whether the service takes what is sent: a gateway keeps its samples while it is lost."""

    s: Annotated[Literal["ready", "lost"], _says("`lost` is its last will and its last word")]
    t: Annotated[Time, _says("when this was said; ms UTC")]
    demo: Annotated[bool, _says("a demo: simulated feeds are welcome")]
    client: Annotated[str, _says("a hash of the service's client id")]


class Link(Struct, frozen=True):
    """What a device last said of its link."""

    s: Annotated[Literal["ready", "lost", "sleeping", "bye"], _says("`lost` is its last will")]
    until: Annotated[Time | UnsetType, _says("with `sleeping`: no data is no alert before")] = UNSET
