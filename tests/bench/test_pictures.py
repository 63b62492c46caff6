"""Each shipped scenario has its picture, in the document and light enough for it."""

import struct

import pytest

from bench.pictures import BYTES_MAX, IMAGES, picture_of
from simulators.scenario import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_has_its_picture(name: str) -> None:
    path = picture_of(name)
    content = path.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert content.startswith(b"\x89PNG")
    assert width >= 900
    assert height >= 900
    assert len(content) < BYTES_MAX
    document = (IMAGES.parent / "simulators.md").read_text("utf-8")
    assert f"](images/{path.name})" in document


def test_no_picture_is_of_a_scenario_that_is_gone() -> None:
    assert {path.stem for path in IMAGES.glob("scenario-*")} == {
        f"scenario-{name}" for name in SCENARIOS
    }
