"""The demo's own broker: mosquitto where it is installed, else amqtt, as a child process.

Both listen on 127.0.0.1 alone. The child has a session of its own, so that Ctrl-C in the
terminal reaches us first and the broker still serves our last words; it is told to stop
before anything is awaited, and on Linux the kernel stops it when we are killed
(see `songtien.tied` for what other systems miss).
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
START_S: Final = 15.0
STOP_S: Final = 5.0
KINDS: Final = ("mosquitto", "amqtt")
_BESIDE: Final = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/sbin")
"""Where mosquitto is installed without being on the PATH of everyone."""

# A client's CONNECT (MQTT 3.1.1, clean session, keepalive 10 s), and its DISCONNECT.
_NAME: Final = b"songtien-ready"
_CONNECT: Final = b"\x00\x04MQTT\x04\x02\x00\x0a" + bytes([0, len(_NAME)]) + _NAME
_DISCONNECT: Final = b"\xe0\x00"
_WELCOME: Final = b"\x20\x02\x00\x00"


class BrokerError(Exception):
    """No broker could be started; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class DemoBroker:
    """A running broker. `kind` is "mosquitto" (MQTT 5) or "amqtt" (3.1.1 alone)."""

    url: str
    kind: str
    port: int
    log: Path
    process: asyncio.subprocess.Process

    async def ended(self) -> str:
        """Wait until the broker's process ends; what to tell, with the end of its log."""
        code = await self.process.wait()
        return f"the broker ({self.kind}) ended with code {code}{_last_words(self.log)}"


def find_mosquitto() -> str | None:
    """The path of mosquitto, where it is installed."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_BESIDE])
    return shutil.which("mosquitto", path=path)


def mosquitto_conf() -> Path:
    """This project's mosquitto.conf: in the package, or at the top of a checkout."""
    packaged = Path(__file__).parent / "mosquitto.conf"
    return packaged if packaged.is_file() else Path(__file__).parents[1] / "mosquitto.conf"


def conf_for(text: str, port: int, directory: Path) -> str:
    """mosquitto.conf with another port and place; all else stays."""
    lines = text.splitlines()
    (place,) = (at for at, line in enumerate(lines) if line.startswith("listener "))
    lines[place] = f"listener {port} {HOST}"
    for at, line in enumerate(lines):
        if line.startswith("include_dir "):
            # Relative to the file, not to wherever the demo was started.
            shared = mosquitto_conf().parent / line.removeprefix("include_dir ")
            lines[at] = f"include_dir {shared}"
    # Started by root, mosquitto would become a user who can't write here; a demo belongs to
    # whoever starts it.
    own = "user root\n" if os.geteuid() == 0 else ""
    return "\n".join(lines) + f"\n\npersistence_location {directory}/\n{own}"


@asynccontextmanager
async def demo_broker(
    directory: Path, port: int = 0, kind: str | None = None
) -> AsyncIterator[DemoBroker]:
    """A broker that serves before the block begins and has ended after it.

    Parameters
    ----------
    directory : made if needed; holds the broker's state and `broker.log`
    port : of 127.0.0.1; 0 takes a free one
    kind : "mosquitto" or "amqtt"; None takes the first that is installed

    Raises
    ------
    BrokerError : where none is installed, the port is taken, or it doesn't come up
    """
    port = _free_port(port)
    kind, command, log = _prepared(directory, port, kind)
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        await _serving(process, port, kind, log)
        yield DemoBroker(f"mqtt://{HOST}:{port}", kind, port, log, process)
    finally:
        await _stop(process)


def _prepared(directory: Path, port: int, kind: str | None) -> tuple[str, list[str], Path]:
    """The broker's kind, what Python runs with -m, and the log; the directory is made."""
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "broker.log"
    mosquitto = find_mosquitto() if kind in (None, "mosquitto") else None
    if mosquitto is not None:
        conf = directory / "mosquitto.conf"
        conf.write_text(conf_for(mosquitto_conf().read_text("utf-8"), port, directory), "utf-8")
        return "mosquitto", ["songtien.tied", str(os.getpid()), mosquitto, "-c", str(conf)], log
    if kind in (None, "amqtt") and importlib.util.find_spec("amqtt") is not None:
        return "amqtt", ["songtien.embedded_broker", str(os.getpid()), str(port)], log
    raise BrokerError(
        f"no broker: {kind or 'mosquitto'} isn't installed. Install mosquitto (Debian, Ubuntu: "
        "apt install mosquitto; macOS: brew install mosquitto), or the embedded broker: "
        "pip install 'songtien[broker]'"
    )


def _free_port(port: int) -> int:
    """The port itself if nobody listens there, a free one for 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise BrokerError(f"port {port} of {HOST} can't be had: {error.strerror}") from error
        return int(probe.getsockname()[1])


async def _serving(process: asyncio.subprocess.Process, port: int, kind: str, log: Path) -> None:
    """Return once the broker has answered a CONNECT."""
    try:
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                if await _welcomes(port):
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        reason = f"does not answer on port {port} after {START_S:g} s"
    else:
        reason = f"ended at once with code {process.returncode}"
    raise BrokerError(f"the broker ({kind}) {reason}{_last_words(log)}")


async def _welcomes(port: int) -> bool:
    with suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            writer.write(bytes([0x10, len(_CONNECT)]) + _CONNECT)
            answer = await reader.readexactly(len(_WELCOME))
            writer.write(_DISCONNECT)
            await writer.drain()
            return answer == _WELCOME
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    return False


def _last_words(log: Path) -> str:
    """The end of the broker's log, for an error that explains itself."""
    lines = log.read_text("utf-8", "replace").splitlines()[-5:]
    return "".join(f"\n  {line}" for line in [f"{log} ends with:", *lines]) if lines else ""


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Stop the child: told before the first await, so that no cancellation comes between.

    Whoever is cancelled meanwhile is in a hurry: the child is killed, which takes no time,
    and the cancellation goes on when it is gone.
    """
    _signal(process, signal.SIGTERM)
    ending = asyncio.create_task(_ended(process), name="broker stops")
    cancelled = False
    while not ending.done():
        try:
            await asyncio.wait([ending], timeout=STOP_S)
        except asyncio.CancelledError:
            cancelled = True
        if not ending.done():
            _signal(process, signal.SIGKILL)
    if cancelled:
        raise asyncio.CancelledError


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()
    with suppress(OSError):
        await process.stdin.wait_closed()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(number)
