"""The shapes of reports, for the OpenAPI document: gates, handover, bulletin, lunar.

As in `api.http.shapes`: answers are made elsewhere, tests hold them against these models, and
fields may be added. Times are epoch ms; `key` names the series that a figure came from.
"""

from typing import Literal

from pydantic import Field

from api.http.shapes import Shape

DeviceState = Literal["live", "late", "stale", "lost", "never", "maintenance"]


class LunarDay(Shape):
    day: int = Field(description="1 to 30; 1 is mùng 1")
    month: int
    year: int = Field(description="the year whose Tết comes before it")
    leap: bool = Field(description="whether the month is a leap month (tháng nhuận)")
    text_vi: str
    text_en: str


class SameDay(Shape):
    year: int = Field(description="lunar year")
    date: str
    exact: bool = Field(description="false: that year has no such leap month, or no 30th day")


class LunarShape(Shape):
    date: str
    lunar: LunarDay
    same: list[SameDay] = Field(description="the same lunar date of earlier years, newest first")


class GateReading(Shape):
    """The newest value; null with the reason where nothing measures it."""

    value: float | None
    t: int | None = None
    st: DeviceState | None = None
    flag: int | None = None
    station: str | None = None
    device: str | None = None
    key: str | None = None
    simulated: bool = False
    why: str | None = Field(None, description="not-measured, or never")
    why_vi: str | None = None
    why_en: str | None = None


class GateSide(Shape):
    salinity: GateReading
    level: GateReading


class Head(Shape):
    m: float | None = Field(description="outside minus inside, by one zero")
    why: str | None = Field(
        None, description="no-outer-gauge, no-inner-gauge, zeros-unknown, no-recent-level"
    )
    why_vi: str | None = None
    why_en: str | None = None


class FreshWindow(Shape):
    """When the water outside was below the limit, by good samples alone."""

    from_: int = Field(alias="from")
    to: int
    min_g_l: float
    min_t: int
    n: int
    goes_on: bool = Field(description="it reaches to the newest sample")


class LikelyWindow(Shape):
    """By the same tide of the day before, for reference."""

    from_: int = Field(alias="from")
    to: int
    min_g_l: float
    basis_vi: str
    basis_en: str


class GateShape(Shape):
    intake: str
    name: str
    gate: str | None
    side: Literal["river", "field"]
    lift: Literal["gravity", "pump"]
    crop: str | None
    limit_g_l: float
    outside: GateSide
    inside: GateSide
    head: Head
    advice: dict[str, object] | None = Field(
        description="as in /api/v1/advice: `take`, `why`, `until`, `text_vi`, `text_en`"
    )
    state: dict[str, object] | None = Field(
        description="as its crew entered it: `ver`, `taking`, `gate`, `t`, and for operators `who`"
    )
    windows_key: str | None = Field(description="the series of `windows` and `next`")
    windows: list[FreshWindow] = Field(description="of the last 25 h")
    next: LikelyWindow | None
    next_why: str | None = Field(
        None, description="no-series, not-fitting, not-known or no-fresh-water"
    )


class Gates(Shape):
    now: int
    gates: list[GateShape]


class Extreme(Shape):
    """One value of a series, and when."""

    value: float
    t: int | None = Field(description="null: the reading itself is forgotten; see `hour`")
    hour: int | None = Field(None, description="begin of the hour that it lies in")
    flag: int | None


class Coverage(Shape):
    """How much of what was to come has come; flags 1 to 3 count."""

    n: int
    expected: int
    share: float = Field(description="0 to 1")


class StationExtremes(Coverage):
    station: str
    name: str
    key: str
    depth: str | None
    max: Extreme | None
    min: Extreme | None
    simulated: bool | None = Field(description="null: readings are forgotten, nobody knows")


class SaltLine(Shape):
    """How far a level of salinity reaches, at one time."""

    t: int
    km: float
    sd_km: float | None
    bound: Literal["beyond", "below"] | None = Field(description="km is a bound, not a figure")
    between: list[str] = Field(description="the stations below and above it, where there are any")
    landmark_vi: str
    landmark_en: str


class LineOfShift(Shape):
    mouth: str
    name: str
    level_g_l: int
    basis: Literal["now", "max_25h"]
    key: str
    begin: SaltLine | None
    max: SaltLine | None
    end: SaltLine | None


class Over(Shape):
    limit_min: int
    for_min: float | None = Field(description="how long it took longer; null: not known")


class BridgeMinutes(Coverage):
    station: str
    name: str
    direction: str
    direction_vi: str
    direction_en: str
    key: str
    median_min: float | None
    worst: Extreme | None = Field(description="minutes")
    at_least: bool | None = Field(description="the worst is a lower bound")
    over: list[Over]
    simulated: bool | None


class OpenAlert(Shape):
    id: str
    severity: str
    state: str
    rule: str
    k: str
    t_since: int
    taken: dict[str, object] | None = Field(description="`t` and, for operators, `who`")
    message_vi: str | None = None
    message_en: str | None = None


class AlertEventShape(Shape):
    t: int
    type: str
    alert: str
    severity: str
    rule: str
    k: str
    who: str | None = None
    note: str | None = None


class LostDevice(Shape):
    device: str
    station: str
    key: str = Field(description="the series that was looked at")
    from_: int | None = Field(alias="from", description="its last value; null: none for days")
    to: int | None = Field(description="the value that it came back with; null: still lost")
    minutes: float = Field(description="within the shift")
    back: bool


class EnteredShape(Shape):
    t: int
    what: str = Field(description="maintenance, bridge-mode, risk-level, intake, check, broadcast")
    subject: str
    item: dict[str, object] = Field(description="as /api/v1/desk or /api/v1/checks shows it")
    who: str | None = None
    note: str | None = None


class Missing(Coverage):
    """All devices together, each by one series of its own."""

    worst: list[dict[str, object]] = Field(description="`key`, `n`, `expected`, `share`")


class HandoverShape(Shape):
    from_: int = Field(alias="from")
    to: int
    now: int
    shift: Literal["day", "night", "asked"]
    open: list[OpenAlert] = Field(description="now; what nobody has taken first")
    counts: dict[str, object] = Field(description="`raised` by severity, and the other events")
    events: list[AlertEventShape]
    events_left_out: int
    devices: list[LostDevice]
    entered: list[EnteredShape]
    entered_left_out: int
    entered_since: int | None = Field(description="entries before that were not kept")
    extremes: list[StationExtremes]
    lines: list[LineOfShift]
    bridges: list[BridgeMinutes]
    missing: Missing
    complete: bool = Field(description="false: the historian is away, or readings are forgotten")
    text_vi: str
    text_en: str


class DayBefore(Shape):
    g_l: float = Field(description="the day's maximum minus that of the day before")
    before_g_l: float
    before_t: int | None
    before_share: float


class SamePeriod(Shape):
    year: int
    date: str
    exact: bool
    max_g_l: float | None = Field(description="null: no data")
    from_: int = Field(alias="from")
    to: int
    n: int


class BulletinStation(StationExtremes):
    km_from_mouth: dict[str, float]
    from_: int = Field(alias="from")
    to: int
    n_good: int
    good_max: Extreme | None = Field(description="of flag 1 alone, where the maximum is not")
    change: DayBefore | None
    same_period: list[SamePeriod]


class BulletinGate(Shape):
    intake: str
    name: str
    limit_g_l: float
    key: str | None
    taking_min: float
    open_min: float
    closed_min: float
    unknown_min: float = Field(description="nobody had said how the gate stood")
    fresh_min: float | None = Field(description="water outside below the limit, by good samples")
    max_g_l: float | None
    advice: dict[str, object] | None = Field(description="while the day is not over")


class BulletinLine(Shape):
    mouth: str
    name: str
    level_g_l: int
    basis: Literal["max_25h"]
    key: str
    sd_key: str
    line: SaltLine | None
    change_km: float | None = Field(description="against the end of the day before")


class BulletinBridge(BridgeMinutes):
    vehicles: dict[str, int] | None = Field(description="by class, of one camera")
    vehicles_keys: list[str]
    vehicles_share: float | None


class BulletinShape(Shape):
    date: str
    from_: int = Field(alias="from")
    to: int
    now: int
    complete: bool = Field(description="whether the day is over and all of it could be read")
    lunar: LunarDay
    same_dates: list[SameDay]
    simulated: bool | None
    stations: list[BulletinStation]
    lines: list[BulletinLine]
    gates: list[BulletinGate]
    bridges: list[BulletinBridge]
    missing: Missing
    attribution_vi: str
    attribution_en: str
    text_vi: str
    text_en: str
