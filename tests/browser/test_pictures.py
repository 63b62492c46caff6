"""The pictures of the documentation can be made: one of each kind, of a short day."""

from pathlib import Path

import pytest
from PIL import Image

from tests.browser.pictures import Camera, Shown, chromium, place, river
from tests.conftest import MOSQUITTO
from tests.relay import Relay

pytestmark = [pytest.mark.broker, pytest.mark.browser, pytest.mark.timeout(240)]

DOCUMENT = Path(__file__).parents[2] / "docs" / "screens.md"
IMAGES = DOCUMENT.parent / "images" / "screens"
ALL_BYTES = 4_000_000


def test_one_picture_of_a_short_quiet_day(tmp_path: Path, relay: Relay) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    shown = Shown("map", "ban-do", "[data-testid='map-tag']")
    with chromium() as browser, river("quiet", tmp_path / "river", relay, 1.0) as service:
        camera = Camera(browser, tmp_path)
        place(camera, service, shown, "vi", ("phone",))
    (path,) = camera.taken
    with Image.open(path) as picture:
        assert picture.size == (360, 740)
        colours = picture.convert("RGB").getcolors(maxcolors=1000)
        assert colours is not None
        assert len(colours) > 20  # something is drawn
    assert path.stat().st_size < 60_000


def test_pictures_are_few_bytes_and_each_that_is_named_is_there() -> None:
    text = DOCUMENT.read_text("utf-8")
    there = {path.name: path.stat().st_size for path in IMAGES.iterdir()}
    assert sum(there.values()) < ALL_BYTES
    named = {part.split(")")[0] for part in text.split("images/screens/")[1:]}
    assert named <= set(there)
