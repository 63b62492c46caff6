"""Whether readings flow, and how many: what `/readyz` and `/metrics` are told."""

from collections.abc import Sequence
from dataclasses import dataclass

from api import service as door
from api.live.hub import Hub
from api.live.server import LiveServer
from ingest.intake import Intake
from ingest.journal import Journal
from ingest.link import Link
from songtien.announce import CANARY_FRESH_MS, Announcer
from songtien.historian import Historian
from songtien.pipeline import Pipeline
from songtien.rewind.rewinds import Past
from songtien.telling.telling import Telling
from songtien.watching import Watching
from songtien.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Health:
    """The parts that know."""

    broker: Link
    announcer: Announcer
    intake: Intake
    journal: Journal
    pipeline: Pipeline
    hub: Hub
    live: LiveServer
    historian: Historian | None
    past: Past
    watching: Watching
    webhooks: Webhooks
    telling: Telling

    def not_ready(self) -> Sequence[door.NotReady]:
        """Why readings do not flow end to end."""
        reasons = []
        if self.broker.takeover is not None:
            reasons.append(door.NotReady("takeover", self.broker.takeover))
        elif not self.broker.connected:
            reasons.append(door.NotReady("broker", self.broker.trouble or "connecting"))
        elif not self.announcer.canary_ms:
            reasons.append(door.NotReady("canary", "the first has not come round yet"))
        elif self.announcer.canary_age_ms > CANARY_FRESH_MS:
            age_s = self.announcer.canary_age_ms // 1000
            reasons.append(door.NotReady("canary", f"the last came round {age_s} s ago"))
        if self.intake.trouble is not None:
            reasons.append(door.NotReady("journal", self.intake.trouble))
        if self.pipeline.trouble is not None:
            reasons.append(door.NotReady("store", self.pipeline.trouble))
        if (defect := self.pipeline.defects.trouble) is not None:
            reasons.append(door.NotReady("defect", defect))
        return reasons

    def accounting(self) -> door.Accounting:
        counts = self.pipeline.ledger.read()
        live = self.live.counters
        return door.Accounting(
            received=counts.received,
            outcome={
                "stored": counts.stored,
                "duplicate": counts.duplicate,
                "rejected": sum(counts.rejected.values()),
            },
            in_flight=counts.in_flight,
            rejected=counts.rejected,
            dead_letters=counts.dead_letters,
            journal_position=self.journal.last_position,
            store_position=self.pipeline.position,
            live_clients=live.clients,
            alerts_active=self.hub.alerts.count,
            counters={
                **self.pipeline.defects.counters(),
                "readings_written": ("Rows of readings written.", counts.readings),
                "alert_events": ("Transitions of alerts stored.", counts.alert_events),
                "live_frames_sent": ("Frames sent on live sockets.", live.sent),
                "live_bytes_sent": ("Bytes sent on live sockets.", live.sent_bytes),
                "live_merged": ("Updates of state overwritten before they were sent.", live.merged),
                "live_slow_closes": ("Clients closed as too slow.", live.slow_closes),
                **({} if self.historian is None else self.historian.counters()),
                **self.past.recorder.counters(),
                **self.watching.counters(),
                **self.webhooks.counters(),
                **self.telling.counters(),
            },
            gauges={
                **self.pipeline.defects.gauges(),
                **({} if self.historian is None else self.historian.gauges()),
                **self.past.gauges(),
                **self.watching.gauges(),
                **self.webhooks.gauges(),
                **self.telling.gauges(),
            },
            channel_counters=self.telling.channel_counters(),
            channel_gauges=self.telling.channel_gauges(),
            versions={} if self.historian is None else self.historian.versions(),
        )
