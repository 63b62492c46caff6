"""The shapes of hand checks and of what they come to, for the OpenAPI document.

As in `api.http.report_shapes`.
"""

from typing import Literal

from pydantic import Field

from api.http.shapes import Shape

Depth = Literal["surface", "bottom"]


class HandValue(Shape):
    """A value measured by hand, beside what the probe said at that time."""

    quantity: str
    unit: str
    hand: float
    key: str | None = Field(None, description="the probe's series; null: none is comparable")
    probe: float | None = Field(None, description="the probe's nearest value within an interval")
    probe_t: int | None = None
    flag: int | None = None
    simulated: bool = False
    difference: float | None = Field(None, description="probe minus hand")
    why: str | None = Field(None, description="no-probe-at-this-depth, not-measured, no-reading")


class CheckShape(Shape):
    """A hand check (đo đối chứng). Who entered it, its crew and its note: operators only."""

    id: str
    station: str
    t: int = Field(description="when it was measured")
    entered: int = Field(description="when it was entered")
    depth: Depth
    cleaned: bool
    calibrated: bool
    replaces: str | None = Field(None, description="the check that this one corrects")
    replaced_by: str | None = Field(None, description="it has been corrected and counts no more")
    values: list[HandValue]
    crew: str | None = None
    who: str | None = None
    note: str | None = None


class CheckTaken(Shape):
    """As it was taken; `values` by quantity, without the probe's side."""

    id: str
    station: str
    t: int
    entered: int
    depth: Depth
    values: dict[str, float]


class Checks(Shape):
    items: list[CheckShape]
    next: str | None


class Done(Shape):
    id: str
    t: int
    days: float


class CareDifference(HandValue):
    id: str
    t: int
    days: float = Field(description="how long ago that was")
    verdict: Literal["agrees", "apart", "far-apart"]


class CareShape(Shape):
    """How far a station's probe can be trusted."""

    station: str
    now: int
    checked: Done | None
    cleaned: Done | None
    calibrated: Done | None
    difference: CareDifference | None = Field(
        description="of salinity, by the newest check that has the probe's value beside it"
    )
    state: Literal["trusted", "ageing", "old", "apart", "far-apart", "never"] = Field(
        description="by that comparison alone; never: there is none"
    )
    text_vi: str
    text_en: str
