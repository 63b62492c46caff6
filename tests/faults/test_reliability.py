"""docs/reliability.md names tests that there are, and leaves none of the fault tests out."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DOCUMENT))
OF_OUR_TOOLS = {"test_oracle.py", "test_sender.py", "test_reliability.py"}


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_test_that_is_named_exists() -> None:
    assert len(NAMED) > 40
    for file, name in sorted(NAMED):
        assert (ROOT / file).exists(), file
        assert name in _tests_in(ROOT / file), f"{file}::{name}"


def test_each_fault_test_is_named() -> None:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path.name not in OF_OUR_TOOLS:
            file = str(path.relative_to(ROOT))
            missing = {name for name in _tests_in(path) if (file, name) not in NAMED}
            assert not missing, f"{file}: {missing}"


def test_each_row_says_what_is_promised_and_by_which_test() -> None:
    faults = DOCUMENT.partition("## Faults")[2].partition("\n## ")[0]
    rows = [line for line in faults.splitlines() if line.startswith("| ")]
    rows = [row for row in rows if not row.startswith("| fault |")]
    assert len(rows) > 30
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert len(cells) == 5, row
        assert all(cells[:4]), row
        assert "::test_" in cells[3], row
