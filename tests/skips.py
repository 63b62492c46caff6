"""A plugin: with `--expected-skips FILE`, a skip that the file does not list fails the run.

A line of the file is `prefix of a node id | why it may be skipped`. Without the option skips
are shown and pass: a machine without mosquitto or the recorded data can run the rest.
"""

from pathlib import Path

import pytest


def expected_skips(text: str) -> dict[str, str]:
    """The reason by prefix; raises UsageError where a line has none."""
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        prefix, _, reason = (part.strip() for part in line.partition("|"))
        if not prefix or not reason:
            raise pytest.UsageError(f"expected is 'prefix | reason', not {line!r}")
        found[prefix] = reason
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--expected-skips", type=Path, metavar="FILE", help="fail on any skip that isn't listed"
    )


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--expected-skips")
    if file is not None:
        config.pluginmanager.register(_Skips(file), "expected-skips")


class _Skips:
    """Notes each skip of a test or of a whole file that no line expects."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._expected = tuple(expected_skips(file.read_text("utf-8")))
        self._unexpected: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        # A test that is expected to fail is reported as skipped too; it isn't.
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        if not report.nodeid.startswith(self._expected or ("\0",)):
            self._unexpected.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unexpected:
            terminalreporter.section(f"skipped, but not listed in {self._file}", red=True)
            for nodeid in self._unexpected:
                terminalreporter.line(nodeid)
