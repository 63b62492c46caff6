"""The check that no test is skipped in silence."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import expected_skips

TOP = Path(__file__).parents[2]
TESTS = """
import pytest

def test_runs(): pass

def test_known(): pytest.skip("no data")

def test_other(): pytest.skip("no server")

@pytest.mark.xfail
def test_that_fails(): assert False
"""


def run(folder: Path, expected: str) -> "subprocess.CompletedProcess[str]":
    (folder / "test_it.py").write_text(TESTS, "utf-8")
    (folder / "expected").write_text(expected, "utf-8")
    option = ["-p", "tests.skips", "--expected-skips", str(folder / "expected")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", *option, str(folder)],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_skip_that_is_not_listed_fails_the_run_and_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "# the start\ntest_it.py::test_known | the data isn't here\n")
    assert done.returncode == 1, done.stdout + done.stderr
    (_, told) = done.stdout.split("skipped, but not listed in")
    assert "test_it.py::test_other" in told
    assert "test_it.py::test_known" not in told
    assert "test_that_fails" not in told


def test_listed_skips_pass(tmp_path: Path) -> None:
    done = run(tmp_path, "test_it.py::test_ | neither is here\n")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_line_without_a_reason_is_refused() -> None:
    assert expected_skips("\n# c\na::b | why\n") == {"a::b": "why"}
    with pytest.raises(pytest.UsageError, match="a::b"):
        expected_skips("a::b |")
