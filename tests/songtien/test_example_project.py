"""What device makers copy passes as it stands: the test project, and what docs/testing.md shows."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import songtien.pytest_plugin
from songtien.settings import DEFAULTS

DOCS = Path(__file__).parents[2] / "docs"
PROJECT = DOCS / "examples/device-tests"
BLOCK = re.compile(r"^```(python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


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


def test_what_the_page_and_the_plugin_show_passes(tmp_path: Path) -> None:
    page = BLOCK.findall((DOCS / "testing.md").read_text(encoding="utf-8"))
    assert [language for language, _ in page] == ["python", "toml"]
    (_, shown), (_, configuration) = page
    intro, _, rest = str(songtien.pytest_plugin.__doc__).partition("\n\n")
    assert "fixture `songtien`" in intro
    shown += "\n\n" + dedent(rest.rpartition("\n\n")[0])
    (tmp_path / "test_shown.py").write_text(shown, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(configuration, encoding="utf-8")
    for name in ("stations.toml", "rules.toml"):
        shutil.copy(DEFAULTS / name, tmp_path)
    ran = _pytest(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert f"{shown.count('def test_')} passed" in ran.stdout


def test_who_does_not_ask_for_the_fixture_pays_nothing() -> None:
    heavy = {"ingest", "alerts", "api", "simulators", "numpy", "songtien.trial"}
    code = f"import sys, songtien.pytest_plugin; print({heavy!r} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
