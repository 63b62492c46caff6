"""Prometheus metrics of the service, and the accounting identity among them.

    songtien_samples_received_total
        == sum(songtien_samples_total{outcome=…}) + songtien_samples_in_flight

One collector asks for the whole accounting once for each scrape, so that the identity holds
in every answer, and not merely on average.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from api.service import Accounting

OUTCOMES: Final = ("stored", "duplicate", "rejected")


class AccountingCollector(Collector):
    """Turns one `Accounting` into metrics."""

    def __init__(self, accounting: Callable[[], Accounting]) -> None:
        self._accounting = accounting

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not read the accounting before the service runs."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The metrics of one moment."""
        counted = self._accounting()
        yield from _samples(counted)
        for name, (text, value) in sorted(_counters(counted).items()):
            yield CounterMetricFamily(f"songtien_{name}", text, value=value)
        for name, (text, value) in sorted(_gauges(counted).items()):
            yield GaugeMetricFamily(f"songtien_{name}", text, value=value)
        yield from _by_channel(counted)
        for name, version in sorted(counted.versions.items()):
            text = "The version of what we talk to."
            yield InfoMetricFamily(f"songtien_{name}", text, value={"version": version})


def _samples(counted: Accounting) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "songtien_samples_received",
        "Samples counted at decoding, since the process began.",
        value=counted.received,
    )
    settled = CounterMetricFamily(
        "songtien_samples", "Samples settled, by what came of them.", labels=["outcome"]
    )
    for outcome in sorted({*OUTCOMES, *counted.outcome}):
        settled.add_metric([outcome], counted.outcome.get(outcome, 0))
    yield settled
    yield GaugeMetricFamily(
        "songtien_samples_in_flight",
        "Samples received and not settled yet, summed from the queues.",
        value=counted.in_flight,
    )
    rejected = CounterMetricFamily(
        "songtien_samples_rejected", "Samples rejected, by reason.", labels=["reason"]
    )
    for reason, number in sorted(counted.rejected.items()):
        rejected.add_metric([reason], number)
    yield rejected


def _counters(counted: Accounting) -> Mapping[str, tuple[str, float]]:
    letters = "Messages and samples put into the dead letters, since the process began."
    return {"dead_letters": (letters, counted.dead_letters), **counted.counters}


def _gauges(counted: Accounting) -> Mapping[str, tuple[str, float]]:
    return {
        "journal_position": ("Newest entry of the journal.", counted.journal_position),
        "store_position": ("Newest entry whose outcome is stored.", counted.store_position),
        "live_clients": ("Clients on the live socket.", counted.live_clients),
        "alerts_active": ("Alerts unacked, acked or cleared-unacked.", counted.alerts_active),
        **counted.gauges,
    }


def _by_channel(counted: Accounting) -> Iterator[Metric]:
    kinds = (
        (CounterMetricFamily, counted.channel_counters),
        (GaugeMetricFamily, counted.channel_gauges),
    )
    for kind, families in kinds:
        for name, (text, values) in sorted(families.items()):
            family = kind(f"songtien_{name}", text, labels=["channel"])
            for channel, value in sorted(values.items()):
                family.add_metric([channel], value)
            yield family


def registry_of(accounting: Callable[[], Accounting]) -> CollectorRegistry:
    """A registry of its own for each service, with the process's own figures beside."""
    registry = CollectorRegistry()
    registry.register(AccountingCollector(accounting))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
