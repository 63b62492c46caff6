"""What a scenario makes of the roads, and where a camera looks: plain figures, hashable.

Times are ms UTC, [from, to); hours are of the local day, [from, to); kilometres are counted
from the entry of a direction onto its bridge, negative before it.
"""

from dataclasses import dataclass
from typing import Literal

CAR_LANE = ("car", "bus", "truck", "trailer")
STRIP = ("motorbike", "bicycle")

STEP_MS = 20_000
"""Every interval of a camera is a whole number of steps of the simulation."""

MOTORBIKE_KM_H = 34.0
"""Speed of the motorbikes on their strip, which go on while cars stand; unverified."""

ONE_WAY = "one-way-batches"
CLOSED = "closed"
TOLL_OPEN = "toll-open"


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Every day from `from_h` to `to_h` the road behind the bridge lets through less."""

    station: str
    direction: str
    from_h: float
    to_h: float
    capacity_veh_h: float


@dataclass(frozen=True, slots=True)
class Incident:
    """Something blocks the road `km` from the entry; `share` of its capacity is left."""

    station: str
    direction: str
    from_ms: int
    to_ms: int
    km: float
    share: float


@dataclass(frozen=True, slots=True)
class Working:
    """How the police let a bridge be used for a while; `direction` empty: both.

    `one-way-batches`: each direction in turn has both lanes for `batch_s`, the other waits at
    its entry; `closed`: nobody enters; `toll-open` (xả trạm): the toll holds nobody up.
    """

    station: str
    mode: Literal["one-way-batches", "closed", "toll-open"]
    from_ms: int
    to_ms: int
    direction: str = ""
    batch_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Rain:
    """It rains: cameras miss more vehicles, cars are slower, the road carries less."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a scenario makes of the roads. `demand` multiplies all that would drive.

    `date_shift_ms` is added to a time before its place in the year (Tết and holidays) is
    looked up, so that a scenario that is moved takes them with it; hours, days of the week,
    bans of trucks and the opening of the second bridge are those of the time itself.
    """

    demand: float = 1.0
    bottlenecks: tuple[Bottleneck, ...] = ()
    incidents: tuple[Incident, ...] = ()
    workings: tuple[Working, ...] = ()
    rains: tuple[Rain, ...] = ()
    date_shift_ms: int = 0


@dataclass(frozen=True, slots=True)
class Camera:
    """One direction seen at `km` from its entry onto the bridge; None: where it leaves it."""

    station: str
    direction: str
    km: float | None = None
