"""The benchmark of rules compares like with like."""

import pytest

from alerts.engine import Engine
from songtien.bench import rules
from songtien.bench.rules import Loop, Scene, Size, feed, rules_of, table_of


@pytest.mark.parametrize("changed", [0.05, 1.0])
def test_the_loop_gives_the_same_transitions(changed: float) -> None:
    scene = Scene("small", 40, 12, changed, loop=True, steps=1)
    table, registry = table_of(scene.n_series)
    engine, loop = Engine(rules_of(scene.n_rules), table, registry), Loop(rules_of(12), 40)
    told = 0
    for batch in feed(scene, 200):
        ours = engine.step(batch)
        assert ours == loop.step(batch)
        told += len(ours)
    assert told > 20


def test_a_round_of_each_scene_is_told() -> None:
    small = (
        Scene("with a loop", 20, 5, 0.5, loop=True, steps=3),
        Scene("against the memory", 20, 5, 0.5, loop=False, steps=3),
    )
    lines: list[str] = []
    found = rules.run(Size(rounds=1, tries=1), lines.append, small)
    assert len(lines) == 2
    first, second = rules.summary(found, 1)
    assert "times as fast as a plain loop" in first
    assert "times the time to read 14 bytes a pair" in second
