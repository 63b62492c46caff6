"""What a load has come to, in numbers and in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far it is. `behind_ms` is how long ago the next message to be sent was due."""

    connections: int
    offered: int
    acknowledged: int
    behind_ms: float


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was asked for and what came of it.

    asked_messages, offered_messages, acknowledged_messages : due by the schedule; sent at least
        once; answered by the broker's PUBACK. What was not offered was due and given up
        in the end
    took_s : from when the first was due until the last PUBACK; `rate_s` is acknowledged by it
    behind_ms_max : the longest that a message was sent after it was due
    latency : from due to PUBACK, ms
    opened, held, lost, made_again : connections that were ever there, those at the end, how
        often one was lost and how often made again
    memory_bytes : the most that this process has had
    """

    devices: int
    connections: int
    asked_rate_s: float
    asked_messages: int
    offered_messages: int
    acknowledged_messages: int
    took_s: float
    behind_ms_max: float
    latency_p50_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    opened: int
    held: int
    lost: int
    made_again: int
    memory_bytes: int

    @property
    def rate_s(self) -> float:
        return self.acknowledged_messages / self.took_s if self.took_s else 0.0

    @property
    def kept_up(self) -> bool:
        """All that was asked for was acknowledged, in the time asked for and 2 % of it."""
        return (
            self.acknowledged_messages == self.asked_messages
            and self.rate_s >= 0.98 * self.asked_rate_s
        )

    def lines(self) -> list[str]:
        """In words."""
        missing = self.asked_messages - self.offered_messages
        never = f": {missing:,} were due and never sent" if missing else ""
        behind = "" if self.kept_up else ": FELL BEHIND"
        if self.acknowledged_messages < self.offered_messages:
            behind += f", {self.offered_messages - self.acknowledged_messages:,} unanswered"
        asked = (
            f"{self.asked_messages:,} messages of {self.devices:,} devices at "
            f"{self.asked_rate_s:,.0f}/s over {self.connections:,} connections"
        )
        answered = (
            f"{self.acknowledged_messages:,} in {self.took_s:.1f} s, {self.rate_s:,.0f}/s{behind}"
        )
        latency = (
            f"of the answered: p50 {self.latency_p50_ms:.1f} ms, p99 {self.latency_p99_ms:.1f} ms, at most "
            f"{self.latency_max_ms:.1f} ms, each from when it was due"
        )
        links = (
            f"{self.opened:,} opened, {self.held:,} held, {self.lost:,} lost, "
            f"{self.made_again:,} made again; memory {self.memory_bytes / 1e6:,.0f} MB"
        )
        offered = (
            f"{self.offered_messages:,}{never}; up to {self.behind_ms_max:,.0f} ms after they "
            "were due"
        )
        return [
            f"asked    {asked}",
            f"offered  {offered}",
            f"answered {answered}",
            f"PUBACK   {latency}",
            f"links    {links}",
        ]
