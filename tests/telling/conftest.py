"""A world of telling for one test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.telling.world import World

Making = Callable[..., World]


@pytest.fixture
def making(tmp_path: Path) -> Iterator[Making]:
    """`making(**settings)`: a world whose one channel is set so."""
    made: list[World] = []

    def make(**settings: Any) -> World:
        directory = tmp_path / f"world-{len(made)}"
        directory.mkdir()
        made.append(World(directory, **settings))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(making: Making) -> World:
    return making()
