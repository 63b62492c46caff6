"""Both reference clients held to the contract: the Python one, and the browser's in node."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.scenes import hold_client
from tests.live.statements import CLIENT, Ledger, Verdict

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"


def held(command: list[str]) -> dict[str, str]:
    """What was not held, or had no occasion."""
    ledger = Ledger(CLIENT)
    asyncio.run(hold_client(command, ledger))
    found = {one: ledger.verdict(one) for one in CLIENT}
    return {one: f"{v} {why}" for one, (v, why) in found.items() if v is not Verdict.HELD}


def test_the_python_client_holds_every_statement() -> None:
    assert held([sys.executable, "-m", "tests.live.subject"]) == {}


def test_the_browser_client_holds_every_statement(tmp_path: Path) -> None:
    node, esbuild = shutil.which("node"), WEB / "node_modules" / ".bin" / "esbuild"
    if node is None or not esbuild.exists():
        pytest.skip("node or the packages of web/ are not installed: make pages")
    subject = tmp_path / "subject.mjs"
    options = ["--bundle", "--platform=node", "--format=esm", f"--outfile={subject}"]
    source = WEB / "tests" / "live_subject.ts"
    subprocess.run([esbuild, source, *options], check=True, capture_output=True, cwd=WEB)
    # Node 20 has a WebSocket behind this option, later ones without it too.
    assert held([node, "--experimental-websocket", "--no-warnings", str(subject)]) == {}
