"""How a service under test is made: what stands in the mark of a test, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simulators import scenario as scenarios
from songtien.settings import Settings, load_settings
from songtien.trial.moments import Moment, moment_ms, stands_alone


@dataclass(frozen=True, slots=True)
class Choices:
    """How a service under test is made. Raises ValueError, which says what is accepted.

    clock : "virtual", which stands still between `at` and `at`, or "real"
    start : when a virtual clock begins; None leaves it to the first feed
    registry, rules : files; None takes those that come with the program
    settings : others of the service's, such as {"ingest.reorder_s": "5"}
    """

    clock: str = "virtual"
    start: Moment | None = None
    registry: Path | None = None
    rules: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.clock not in {"virtual", "real"}:
            raise ValueError(f"clock={self.clock!r}: accepted is 'virtual' or 'real'")
        if self.start is None:
            return
        if self.clock == "real":
            raise ValueError(f"start={self.start!r}: a real clock begins now; leave it out")
        if not stands_alone(self.start):
            accepted = "accepted is a date with its zone (2024-03-10T09:00+07:00), or ms since 1970"
            raise ValueError(f"start={self.start!r}: {accepted}")
        moment_ms(self.start, begun_ms=0, now_ms=0)

    def begun_ms(self, first_ms: int | None) -> int:
        """When a virtual clock begins. first_ms : where the first feed does, if it says so."""
        if self.start is not None:
            return moment_ms(self.start, begun_ms=0, now_ms=0)
        return scenarios.load("dry-season").start_ms if first_ms is None else first_ms

    def service_settings(self, directory: Path) -> Settings:
        """Of a service that stores below `directory` and listens on free ports."""
        said = {
            "data.dir": str(directory / "data"),
            "http.port": "0",
            "live.port": "0",
            "watch.self_test_at": "",
            **({} if self.registry is None else {"registry.file": str(self.registry)}),
            **({} if self.rules is None else {"rules.file": str(self.rules)}),
            **self.settings,
        }
        return load_settings(
            None,
            {f"SONGTIEN_{key.upper().replace('.', '__')}": value for key, value in said.items()},
        )
