"""That `make soak` runs and counts; it is long by design, and this is the shortest of it."""

import pytest

from tests.conftest import MOSQUITTO
from tests.influx.servers import MISSING
from tests.soak import soak

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_quarter_of_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    if MOSQUITTO is None or MISSING:
        pytest.skip(MISSING or "mosquitto is not installed: apt-get install mosquitto")
    only = ["service killed", "InfluxDB killed"]
    asked = [word for name in only for word in ("--only", name)]
    code = soak.main(["--minutes", "0.25", "--seed", "9", *asked])
    said = capsys.readouterr().out
    assert code == 0, said
    assert said.count("missing 0, extra 0, wrong 0") == 3, "store, alerts, InfluxDB"
    assert all(f"{name}: " in said for name in only)
