"""What is true of a feed beside its messages: the windows that a judge is measured against.

A simulated feed knows what it did: which device lied, how and when; when the river really
was above a level; when a direction really stood. Each such window is a label. They stand in
the recording before the messages (docs/recording.md), and `songtien score` holds flags and
alerts against them.
"""

import msgspec

ABOVE = "above"
"""The true salinity at a station is above `level`, without instrument or fault."""

CONGESTED = "congested"
"""The car lanes of a direction really move below 20 km/h, where they enter the bridge or leave it."""

INCIDENT = "incident"
"""Something blocks a part of the road."""


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One window of truth, [from, to) in ms UTC.

    label : a kind of fault, or one of the truths above; `human` is what people rejected
    device, station, direction, quantity : whom it is about; empty says nothing about it
    level : of `above`, in the unit of the quantity
    """

    label: str
    from_ms: int = msgspec.field(name="from")
    to_ms: int = msgspec.field(name="to")
    device: str = ""
    station: str = ""
    direction: str = ""
    quantity: str = ""
    level: float | None = None
