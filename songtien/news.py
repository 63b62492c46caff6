"""What becomes known of the processor: what is in force, what is formed, what was committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from alerts.desk import Desk
from alerts.rules import RuleSet
from ingest.journal import Config
from ingest.payload import DeviceState
from ingest.reading import Batch
from ingest.registry import Registry
from ingest.sequence import Ack
from ingest.series import SeriesTable
from songtien.outcome import Outcome
from songtien.processor import Processor


@dataclass(frozen=True, slots=True)
class Parts:
    """What is in force, and the newest values, as other threads may have it: copies."""

    registry: Registry
    rules: RuleSet
    series: SeriesTable
    newest: Batch
    links: dict[str, DeviceState]
    desk: Desk
    config: Config

    @classmethod
    def of(cls, processor: Processor) -> Self:
        """On the processor's thread, or before it runs; it has a configuration."""
        assert processor.config is not None
        newest = processor.newest
        return cls(
            processor.registry,
            processor.rules,
            processor.series,
            newest.take(np.arange(len(newest))),
            dict(processor.links),
            Desk(processor.desk.snapshot()),
            processor.config,
        )


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is formed from many readings, in the shapes of `GET /api/v1/river`, …/bridges and
    …/advice; `answers` to farmers by place and limit (`alerts.farmers.answer`).
    """

    river: dict[str, Any]
    bridges: dict[str, Any]
    advice: dict[str, dict[str, Any]]
    answers: Mapping[str, Mapping[int, Mapping[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, processor: Processor) -> Self:
        """On the processor's thread, or before it runs."""
        now_ms, deriving = processor.now_ms, processor.judging.deriving
        return cls(
            deriving.river.picture(now_ms),
            deriving.bridges.picture(now_ms, processor.desk.modes(now_ms)),
            deriving.advisor.standing(),
            deriving.lookout.answers(),
        )


@dataclass(frozen=True, slots=True)
class News:
    """A committed outcome, with the positions of its alert events and the acks it allows.

    parts : where the entry put a configuration in force
    pictures : where they have changed, or have become old
    """

    outcome: Outcome
    positions: list[int]
    acks: dict[str, Ack]
    parts: Parts | None
    pictures: Pictures | None = None
