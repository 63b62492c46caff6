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


class AckBody(BaseModel):
    """Acknowledging an alert."""

    model_config = ConfigDict(extra="forbid", strict=True)

    ver: int = Field(ge=0, le=2**53, description="the `ver` of the alert that you looked at")
    note: str = Field("", max_length=2000, description="for the colleagues; operators see it")


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


class Ticket(Shape):
    ticket: str
    expires: int
    live_url: str
