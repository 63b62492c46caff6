"""What tests of several packages need: a real broker, a free port, the recorded series."""

import logging
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path

import pytest
from hypothesis import settings

READY_S = 10.0
# How long an example takes says more about the machine than about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
MOSQUITTO = shutil.which(
    "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert isinstance(port, int)
        return port


@dataclass
class Mosquitto:
    """A broker of one test's own. `stop` and `start` keep its port and, if asked to, its store."""

    directory: Path
    port: int
    extra: str = ""
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert MOSQUITTO is not None
        config = self.directory / "mosquitto.conf"
        # Nothing is dropped for a slow reader: a test that counts must see every message.
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser {getuser()}\n"
            f"max_queued_messages 0\npersistence_location {self.directory}/\n{self.extra}\n"
        )
        with (self.directory / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                [MOSQUITTO, "-c", str(config)], stdout=log, stderr=subprocess.STDOUT
            )
        self._await_listening()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=READY_S)
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=READY_S)
            self.process = None

    def _await_listening(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + READY_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(1.0)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        log = (self.directory / "mosquitto.log").read_text()
        pytest.fail(f"mosquitto does not listen on port {self.port}: {log}")


def _log_set_up() -> tuple[list[logging.Handler], int]:
    """Where logs go and from which level, but for pytest's own, which differ in each phase."""
    root = logging.getLogger()
    ours = [each for each in root.handlers if not type(each).__module__.startswith("_pytest.")]
    return ours, root.level


@pytest.fixture(autouse=True)
def _no_log_left_behind() -> Iterator[None]:
    """Where logs go is of the whole process: what a test leaves there speaks in the next one."""
    before = _log_set_up()
    yield
    assert _log_set_up() == before


@pytest.fixture
def free_port() -> int:
    """A port that nothing listens on."""
    return _free_port()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto on a free port, without memory of other tests."""
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    directory = tmp_path / "mosquitto"
    directory.mkdir()
    broker = Mosquitto(directory, _free_port())
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Path]:
    """`recorded("salinity/….csv.gz")`: a file of the recorded series, which aren't committed."""
    beside = Path(__file__).parent.parent.parent / "shared" / "data"
    root = Path(os.environ.get("SONGTIEN_DATA", beside))

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f"SONGTIEN_DATA has no {name}: set it to the directory of recorded series")
        return path

    return find
