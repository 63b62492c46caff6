"""The shapes of answers, for the OpenAPI document.

Answers are made from the service's own values and encoded by msgspec; these models only say
what they look like, and tests hold real answers against them. Fields may be added.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    model_config = ConfigDict(extra="allow")


class Health(Shape):
    status: Literal["alive"]


class Ready(Shape):
    ready: Literal[True]


class MapShape(Shape):
    lat: float
    lon: float
    zoom: int
    tiles_url: str | None
    tiles_source: str


class AboutShape(Shape):
    name: Literal["songtien"]
    version: str
    live_url: str
    demo: bool
    anonymous: Literal["viewer", "none"]
    language: str
    timezone: str
    map: MapShape
    now: int


class DeviceShape(Shape):
    id: str
    kind: str
    expected_s: float
    series: list[str]


class StationShape(Shape):
    id: str
    name: str
    kind: str
    branch: str | None
    km_from_mouth: dict[str, float]
    lat: float
    lon: float
    devices: list[DeviceShape]


class MouthShape(Shape):
    id: str
    name: str
    series: list[str]


class Stations(Shape):
    stations: list[StationShape]
    mouths: list[MouthShape]


class StateItem(Shape):
    k: str = Field(description="series key")
    v: float | None = Field(None, description="newest value; absent where there is none yet")
    t: int | None = Field(None, description="when it was observed, epoch ms")
    q: int | None = Field(None, description="QARTOD flag: 1 pass, 2 not evaluated, 3, 4, 9")
    st: str = Field(description="live, late, stale, lost, never, maintenance")
    station: str | None = Field(None, description="absent where it is of a mouth")


class State(Shape):
    pos: str
    items: list[StateItem]


class SeriesShape(Shape):
    key: str
    unit: str
    from_: int = Field(alias="from")
    to: int
    step: str
    columns: list[str]
    points: list[list[float | int]]
    source: Literal["local", "influxdb", "both"]
    complete: bool
    missing: list[tuple[int, int]] | None = None


class AlertShape(Shape):
    id: str
    rule: str
    k: str
    severity: str
    state: str


class Alerts(Shape):
    items: list[AlertShape]
    next: str | None


class RuleShape(Shape):
    id: str
    quantity: str
    severity: str
    ask: str
    version: str
    watches: list[str] = Field(description="ids of the stations that it watches")


class Rules(Shape):
    version: str
    rules: list[RuleShape]


class Explanation(Shape):
    """Fields as `songtien alerts why` prints them."""

    rule: str
    series: str
    at: int


class Reloaded(Shape):
    reloaded: Literal[True]


class WindowShape(Shape):
    id: str
    station: str
    from_: int = Field(alias="from")
    to: int
    reason: str
    holds: bool = Field(description="whether it is in force now")
    t: int = Field(description="when it was entered")


class Windows(Shape):
    items: list[WindowShape]


class ModeShape(Shape):
    mode: str
    until: int
    reason: str


class ModesShape(Shape):
    station: str
    ver: int
    modes: dict[str, ModeShape] = Field(description="by direction, those that are not two-way")


class LevelShape(Shape):
    branch: str | None
    ver: int
    level: int | None
    region: str
    bulletin: str
    title: str
    issued: int
    valid_until: int
    source: str
    holds: bool = Field(description="whether it is in force now")


class Levels(Shape):
    items: list[LevelShape]


class IntakeShape(Shape):
    ver: int
    taking: bool
    gate: Literal["open", "closed"] | None
    t: int


class DeskShape(Shape):
    maintenance: list[WindowShape]
    bridges: dict[str, ModesShape]
    risk: list[LevelShape]
    intakes: dict[str, IntakeShape]


class RiverShape(Shape):
    """How far 1 and 4 g/L reach, and what stands at each station."""

    mouths: dict[str, dict[str, object]] = Field(description="by mouth: `t`, `lines`")
    stations: dict[str, dict[str, object]]


class BridgeShape(Shape):
    id: str
    ver: int
    modes: dict[str, ModeShape]
    directions: list[dict[str, object]] = Field(
        description="minutes, state in words, queue; `road`: capacity and all bans with their days"
    )


class BridgesShape(Shape):
    bridges: list[BridgeShape]


class AdviceShape(Shape):
    intake: str
    take: bool
    until: int | None = Field(description="not valid after; null: nothing is permitted")
    why: str
    state: IntakeShape | None


class Advices(Shape):
    items: list[AdviceShape]


class StretchShape(Shape):
    begin: int = Field(alias="from")
    to: int


class RewindShape(Shape):
    now: int
    recorded: list[StretchShape] = Field(description="oldest first; between them are gaps")
    rebuilt_from: int | None = Field(description="the oldest stored reading")


class DeadLetterShape(Shape):
    id: int
    t: int
    topic: str
    reason: str
    detail: str
    size: int
    head: str = Field(description="up to the first 4 KiB; bytes that aren't UTF-8 as \\xNN")


class DeadLetters(Shape):
    items: list[DeadLetterShape]
    next: str | None


class UndeliveredShape(Shape):
    pos: int
    key: str = Field(description="its `Idempotency-Key`")
    alert: str
    type: str
    at: int
    given_up: int
    tries: int
    why: str


class WebhookShape(Shape):
    name: str
    host: str = Field(description="scheme, host and port of its URL")
    events: list[str] = Field(description="types of events; empty for all")
    min_severity: str
    simulated: bool
    pending: int
    oldest: int | None
    trouble: str | None
    last_success: int | None
    delivered: int
    retries: int
    undelivered_count: int
    undelivered: list[UndeliveredShape]


class Webhooks(Shape):
    webhooks: list[WebhookShape]


class Ticket(Shape):
    ticket: str
    expires: int
    live_url: str


class WhoShape(Shape):
    name: str = Field(description="empty for somebody who has not signed in")
    role: Literal["viewer", "operator", "admin"]


class SessionShape(WhoShape):
    expires: int = Field(description="when the session ends unless it is used")


class SessionEnd(Shape):
    ended: bool


class OfficerShape(Shape):
    name: str
    role: Literal["viewer", "operator", "admin"]
    created: int
    changed: int = Field(description="when password or role were last set")
    sessions: int = Field(description="where the officer is signed in, as a count")


class Officers(Shape):
    items: list[OfficerShape]


class SessionRecordShape(Shape):
    id: str
    name: str
    role: Literal["viewer", "operator", "admin"]
    address: str = Field(description="from where the officer signed in")
    begun: int
    used: int
    expires: int
    own: bool


class SessionList(Shape):
    items: list[SessionRecordShape]


class AuditLine(Shape):
    id: int
    t: int
    who: str
    role: str
    what: str
    outcome: str


class Audit(Shape):
    items: list[AuditLine]
    next: str | None
