"""The pytest plugin, installed with the program: the fixture `songtien` (docs/testing.md).

    @pytest.mark.songtien(start="2026-03-02T00:00+07:00")
    def test_salt_is_told(songtien):
        songtien.scenario("dry-season", devices=["xh-01"])
        songtien.at("18:00").expect(alert="salinity-1", k="xh-01/salinity_g_l")

What is heavy is imported when a test asks for the fixture: a test run that does not, pays nothing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from songtien.trial import Trial

_MARK = (
    "songtien(clock='virtual'|'real', start=…, registry=FILE, rules=FILE, settings={'section.key': "
    "…}): how the fixture `songtien` makes its service"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Files that all tests of a project share."""
    parser.addini("songtien_registry", "stations.toml of the service under test", type="string")
    parser.addini("songtien_rules", "rules.toml of the service under test", type="string")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def songtien(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Trial]":
    """A real service on free ports, on a virtual clock unless the mark says otherwise."""
    from songtien.trial import Trial  # noqa: PLC0415 - see above
    from songtien.trial.choices import Choices  # noqa: PLC0415 - see above

    mark = request.node.get_closest_marker("songtien")
    said = dict(mark.kwargs) if mark is not None else {}
    unknown = sorted(set(said) - set(Choices.__dataclass_fields__))
    if unknown or (mark is not None and mark.args):
        accepted = ", ".join(Choices.__dataclass_fields__)
        pytest.fail(
            f"@pytest.mark.songtien: {', '.join(unknown) or mark.args}: accepted is {accepted}"
        )
    for name in ("registry", "rules"):
        file = said.get(name) or request.config.getini(f"songtien_{name}")
        said[name] = (request.config.rootpath / Path(file)) if file else None
    trial = Trial(tmp_path_factory.mktemp("songtien"), Choices(**said))
    yield trial
    trial.close()
