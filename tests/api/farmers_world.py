"""A service for tests of the HTTP door to which people, a gateway and its secret are added."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts.farmers.gateway import InboundFields, ReportFields
from api.farmers import Farmers, Gateway
from tests.api.http_service import World
from tests.api.people_world import Household

SECRET = "bi-mat-cua-cong"
HEADERS = {"X-Songtien-Secret": SECRET}


@dataclass
class Village:
    """The world of HTTP, and the people in it."""

    directory: Path
    options: dict[str, Any] = field(default_factory=dict)
    reports: list[tuple[str, str, bool, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(self.directory)
        self.house = Household(self.directory, self.options)

    @property
    def farmers(self) -> Farmers:
        gateway = Gateway(
            "sms",
            SECRET,
            InboundFields(("from",), ("text",)),
            ReportFields(("id",), ("status",), frozenset({"DELIVRD"}), frozenset({"UNDELIV"})),
        )
        gateways = {
            "sms": gateway,
            "chat": Gateway("telegram", SECRET),
            "zalo": Gateway("zalo", SECRET),
            "open": Gateway("sms", "", gateway.inbound, gateway.report),
        }
        return Farmers(
            people=self.house.people,
            gateways=gateways,
            reported=lambda *said: self.reports.append(said),
        )

    def audit(self) -> list[tuple[str, str, str]]:
        """Who did what, the oldest first."""
        return [(one.who, one.what, one.outcome) for one in reversed(self.world.tokens.audit())]

    def close(self) -> None:
        self.house.close()
        self.world.close()
