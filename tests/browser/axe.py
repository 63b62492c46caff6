"""axe-core on a page: what it finds serious or critical."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

_RUN = """async () => {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"],
  });
  return found.violations.map(({ id, impact, help, nodes }) =>
    ({ id, impact, help, where: nodes.slice(0, 5).map((n) => n.target.join(" ") + ": " +
       n.failureSummary.split("\\n").slice(1, 3).join("; ")) }));
}"""


def grave(page: Page) -> list[dict[str, Any]]:
    """Findings of WCAG 2.2 A and AA, and of axe's own best practice, that are grave."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: cd web && npm ci")
    # By the debugger, which no Content-Security-Policy binds.
    page.evaluate(AXE.read_text("utf-8") + "; undefined")
    found: list[dict[str, Any]] = page.evaluate(_RUN)
    return [one for one in found if one["impact"] in {"serious", "critical"}]
