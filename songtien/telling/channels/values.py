"""What an operator sets of one channel, once it is parsed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts.farmers.gateway import InboundFields, ReportFields


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One way to reach people.

    budget_per_month : messages, of SMS parts; None is without a limit
    cost_per_part : in đồng, of a message where the kind knows no parts
    unicode : SMS with diacritics, at 70 characters a part
    inbound_secret : by which replies and delivery reports are known; None takes none
    report, inbound : where delivery reports and replies say what; None takes none
    own : the keys of the kind, of `songtien.telling.channels.keys`; secrets are among them
    """

    name: str
    kind: str
    rate_per_s: float
    timeout_s: float
    budget_per_month: int | None
    cost_per_part: int
    unicode: bool = False
    inbound_secret: str | None = field(default=None, repr=False)
    report: ReportFields | None = None
    inbound: InboundFields | None = None
    own: Mapping[str, Any] = field(default_factory=dict, repr=False)
