"""The test project that device makers copy passes as it stands, and finds what it is to find."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "docs/examples/device-tests"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The project as a maker has it: elsewhere, with songtien installed."""
    skipped = shutil.ignore_patterns("__pycache__", ".*")
    return Path(shutil.copytree(PROJECT, tmp_path / "px-probe", ignore=skipped))


def _pytest(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_it_passes_as_it_stands(copied: Path) -> None:
    ran = _pytest(copied)
    assert ran.returncode == 0, ran.stdout
    assert "8 passed" in ran.stdout


def test_it_finds_a_probe_that_sends_another_unit(copied: Path) -> None:
    firmware = copied / "firmware.py"
    text = firmware.read_text(encoding="utf-8")
    assert "shown.ec_us_cm / 1000" in text
    firmware.write_text(text.replace("shown.ec_us_cm / 1000", "shown.ec_us_cm"), encoding="utf-8")
    ran = _pytest(copied, "tests/test_probe.py", "-k", "format or units")
    assert ran.returncode == 1, ran.stdout
    assert "2 failed" in ran.stdout
    assert "looks like" in ran.stdout
