"""The pictures of the shipped scenarios in docs/images, drawn anew: python -m bench.pictures.

Each is what `songtien simulate NAME --plot docs/images/scenario-NAME.png` draws, with the labels
of the whole scenario and seed 1.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from ingest.registry import parse_registry
from simulators.plot import plot_scenario
from simulators.scenario import SCENARIOS
from simulators.simulate import played
from songtien.settings import DEFAULTS

IMAGES = Path(__file__).parents[1] / "docs/images"
BYTES_MAX = 150_000


def picture_of(name: str) -> Path:
    return IMAGES / f"scenario-{name}.png"


def main(names: Sequence[str]) -> None:
    registry = parse_registry((DEFAULTS / "stations.toml").read_text("utf-8"), "stations.toml")
    for name in names or SCENARIOS:
        made = played(SCENARIOS[name], registry, 1)
        path = picture_of(name)
        plot_scenario(made.world, made.start_ms, made.duration_ms, path, made.labels())
        print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
