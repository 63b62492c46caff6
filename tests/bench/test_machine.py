"""Our own work is not taken for that of others; a child's is ours."""

import os
import subprocess
import sys
import time

import pytest

from songtien.bench import machine

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/stat"), reason="Linux's /proc is read")  # noqa: PTH110 - evaluated at import

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


def test_processor_time_of_children_is_ours() -> None:
    before = machine.tree_cpu_s()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert machine.tree_cpu_s() - before >= 0.25


def test_others_are_the_machine_less_ourselves() -> None:
    begin = machine.Moment(wall_s=10.0, busy_s=100.0, ours_s=50.0)
    end = machine.Moment(wall_s=14.0, busy_s=107.0, ours_s=54.0)
    assert end.others_since(begin) == pytest.approx(0.75)


def test_a_moment_moves_on() -> None:
    begin = machine.Moment.now()
    deadline = time.process_time() + 0.2
    while time.process_time() < deadline:
        pass
    end = machine.Moment.now()
    assert end.ours_s - begin.ours_s >= 0.15
    assert end.busy_s >= begin.busy_s
