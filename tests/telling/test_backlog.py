"""A life that begins with very much that waits: nothing is read at once that grows with it."""

import tracemalloc
from pathlib import Path

import pytest

from songtien.telling import planner
from tests.telling.world import MINUTE_MS, World, notice

FEW, MANY = 300, 1_200
ROW_BYTES = 200
"""A tenth of what a row takes that is held with all others."""


def most_bytes(directory: Path, rows: int) -> int:
    """The most memory that a life takes in which so many rows are planned, and some are sent."""
    directory.mkdir()
    world = World(directory, budget_per_month=1_000_000)
    try:
        world.tell(notice(), people=range(1, rows + 1))
        world.end()
        tracemalloc.start()
        world.start()
        assert (world.planner.behind(), world.rows("SELECT count(*) FROM message")) == (
            rows,
            [(0,)],
        )
        world.plan()
        assert world.planner.behind() == 0
        world.later(10 * MINUTE_MS)
        world.plan()
        world.restart()
        world.send(at_most=3)
        _, most = tracemalloc.get_traced_memory()
        assert world.channel.parcels
        assert world.deliveries.waiting("sms") == rows - len(world.channel.parcels)
    finally:
        tracemalloc.stop()
        world.close()
    return most


def test_nothing_is_held_for_each_of_those_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "TAKEN_MAX", 100)
    monkeypatch.setattr(planner, "PEOPLE_MAX", 50)
    few, many = most_bytes(tmp_path / "few", FEW), most_bytes(tmp_path / "many", MANY)
    assert many < few + ROW_BYTES * (MANY - FEW), f"{few} bytes, then {many}"
