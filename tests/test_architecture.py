"""ARCHITECTURE.md names what there is: modules, tests, bounds; and what it calls pure is."""

import ast
import importlib
import re
from functools import reduce
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGES = ("ingest", "alerts", "api", "simulators", "songtien")
MODULES = {
    str(path.relative_to(ROOT)): path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.name != "__init__.py"
}
ROW = re.compile(
    r"^\| `((?:" + "|".join(PACKAGES) + r")/[\w/]+\.py)` \| (pure)? ?\| \S.*\|$", re.MULTILINE
)
MAP = dict(ROW.findall(TEXT))

WORLDLY = frozenset(
    [
        "asyncio",
        "threading",
        "time",
        "socket",
        "ssl",
        "sqlite3",
        "queue",
        "random",
        "secrets",
        "subprocess",
        "os",
        "signal",
        "logging",
        "selectors",
        "uvicorn",
        "fastapi",
        "websockets",
        "paho",
        "aiomqtt",
    ]
)
"""What brings a clock, a thread, a socket, a file or chance."""

FOREIGN = {
    "paho": {"ingest/mqtt.py"},
    "aiomqtt": {
        "simulators/broker.py",
        "simulators/record.py",
        "simulators/demo.py",
    },
    "uvicorn": {"songtien/http_server.py"},
    "apprise": {"songtien/telling/channels/apprise_child.py"},
    "argon2": {"api/auth/passwords.py"},
    "amqtt": {"songtien/embedded_broker.py"},
    "influxdb_client": {"ingest/influx.py"},
}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_every_module_is_on_the_map_and_every_name_exists() -> None:
    assert set(MAP) == set(MODULES)


@pytest.mark.parametrize("name", [name for name, pure in MAP.items() if pure])
def test_what_is_called_pure_is(name: str) -> None:
    path = ROOT / name
    assert not _imports(path) & WORLDLY
    calls = {
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    }
    assert not {ast.unparse(call) for call in calls} & {"open", "datetime.now", "date.today"}


@pytest.mark.parametrize("library", FOREIGN)
def test_foreign_clients_have_one_importer(library: str) -> None:
    importers = {name for name, path in MODULES.items() if library in _imports(path)}
    assert importers == FOREIGN[library]


def test_the_web_framework_stays_at_its_door() -> None:
    importers = {name for name, path in MODULES.items() if "fastapi" in _imports(path)}
    assert importers
    assert all(name.startswith("api/http/") for name in importers)


def test_the_tests_that_hold_the_invariants_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)
    assert len(named) > 20
    for file, function in named:
        path = ROOT / file
        assert path.is_file(), file
        assert f"def {function}(" in path.read_text(encoding="utf-8") or not function, function


def test_bounds_are_those_of_the_code() -> None:
    stated = re.findall(r"`((?:" + "|".join(PACKAGES) + r")[\w.]*\.[A-Z_]+)` = ([\d,.]*\d)", TEXT)
    assert len(stated) > 15
    for name, number in stated:
        assert _value_of(name) == float(number.replace(",", "")), name


def _value_of(name: str) -> float:
    parts = name.split(".")
    depth = next(i for i, part in enumerate(parts) if not part.islower())
    module = importlib.import_module(".".join(parts[:depth]))
    value = reduce(getattr, parts[depth:], module)
    assert isinstance(value, int | float)
    return value
