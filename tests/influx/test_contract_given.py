"""The contract of stores against a server that somebody names: InfluxDB 1.8, 2.x, 3 Core.

    INFLUX_TEST_URL='influxdb://127.0.0.1:8086/songtien-test?org=songtien' INFLUX_TEST_TOKEN=… \\
        .venv/bin/python -m pytest tests/influx/test_contract_given.py

The cases write into that bucket, under devices of their own, and leave it there.
"""

import os
from collections.abc import Iterator

import pytest

from tests.influx.subjects import Direct, Subject
from tests.influx.test_contract import *  # noqa: F403 - the same cases, by another `subject`

URL = os.environ.get("INFLUX_TEST_URL")
if not URL:
    pytest.skip(
        "not verified: InfluxDB 1.8, 2.x and 3. INFLUX_TEST_URL names no server; what is verified "
        "is InfluxDB 1.6.7 behind nginx's rewrite of /api/v2/write",
        allow_module_level=True,
    )


@pytest.fixture
def subject() -> Iterator[Subject]:
    """The named server, with the token of INFLUX_TEST_TOKEN."""
    assert URL is not None
    made = Direct(URL, os.environ.get("INFLUX_TEST_TOKEN") or None)
    yield made
    made.close()
