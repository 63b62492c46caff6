"""The Dockerfile without an engine: its parts, and that what it copies is there."""

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.deploy.copied import ROOT, compose

TEXT = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
LINES = TEXT.replace("\\\n", " ").splitlines()
STAGES = re.split(r"^FROM ", TEXT.replace("\\\n", " "), flags=re.MULTILINE)[1:]


def _copied_from_the_context() -> list[str]:
    found = []
    for line in LINES:
        if line.startswith("COPY ") and "--from=" not in line:
            found += line.split()[1:-1]
    return found


def test_what_it_copies_is_there_and_let_in() -> None:
    let_in = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    sources = _copied_from_the_context()
    assert len(sources) > 10
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, each) or source.startswith(f"{each}/") for each in let_in), (
            source
        )
    # And nothing is let in that it does not copy.
    assert all(any(source.startswith(each) for source in sources) for each in let_in)


def test_bases_are_pinned_and_the_same() -> None:
    bases = [stage.split()[0] for stage in STAGES]
    assert all(re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z]*-?slim(-[a-z]+)?", b) for b in bases), (
        bases
    )
    assert bases[1] == bases[2]
    node = int(bases[0].split(":")[1].split(".")[0])
    assert node >= 20


def test_packages_come_with_their_hashes_and_are_not_compiled() -> None:
    installs = [line for line in LINES if "pip install" in line]
    assert len(installs) == 2
    assert "--require-hashes --only-binary :all: -r requirements.lock" in installs[0]
    assert "--no-deps --no-build-isolation ." in installs[1]
    assert "npm ci" in STAGES[0]
    assert "apt" not in TEXT


def test_the_last_stage_runs_as_nobody_special_and_builds_nothing() -> None:
    last = STAGES[-1]
    assert compose()["services"]["songtien"]["user"] in last
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert last.index("\nUSER ") < last.index("\nENTRYPOINT ")
    assert "pip install" not in last
    assert "pip uninstall" in last
    assert "COPY --from=program /opt/songtien /opt/songtien" in last
    assert re.search(r"^HEALTHCHECK .*/healthz", last, re.MULTILINE)
    assert 'ENTRYPOINT ["songtien"]' in last
    assert not re.search(r"^(ADD|VOLUME) ", TEXT, re.MULTILINE)


def test_every_package_of_the_program_is_copied() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    found = re.search(r"^packages = \[(.*)\]$", text, re.MULTILINE)
    assert found is not None
    packages = re.findall(r'"(\w+)"', found[1])
    assert len(packages) == 5
    assert set(packages) <= set(_copied_from_the_context())
    for source in re.findall(r'^"([^"]+)" = "songtien/', text, re.MULTILINE):
        assert source in _copied_from_the_context()


def test_the_wheel_of_what_it_copies_holds_the_broker_and_the_pages(tmp_path: Path) -> None:
    """The step of the Dockerfile that builds, on a copy of what it copies."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed: requirements.lock has it")
    where = tmp_path / "src"
    for source in _copied_from_the_context():
        if source.startswith("web/") or source == "requirements.lock":
            continue
        target = where / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            no_pages = shutil.ignore_patterns("pages", "__pycache__")
            shutil.copytree(ROOT / source, target, ignore=no_pages)
        else:
            shutil.copy(ROOT / source, target)
    (where / "api/pages").mkdir()
    (where / "api/pages/index.html").write_text("<!doctype html>")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=where,
        check=True,
        capture_output=True,
        timeout=100,
    )
    (wheel,) = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "unpacked", "zip")
    for name in (
        "songtien/mosquitto.conf",
        "songtien/mosquitto/common/limits.conf",
        "songtien/defaults/stations.toml",
        "api/pages/index.html",
    ):
        assert (tmp_path / "unpacked" / name).is_file(), name
