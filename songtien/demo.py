"""`songtien demo`: broker, feeds, service and screens in one process tree, nothing set up."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from simulators.demo import demo_feed
from songtien import datadir
from songtien.broker import demo_broker
from songtien.outside import clock_ms
from songtien.service import Service, running
from songtien.settings import Settings, load_settings
from songtien.terminal import err, out, stop_on_signals

TOKEN_TTL_S = 7 * 86_400
OFFICER = "demo"
MESSAGES = "messages.jsonl"

_OUTSIDE = (
    "SONGTIEN_WEBHOOK__",
    "SONGTIEN_WATCH__HEARTBEAT_URL",
    "SONGTIEN_STORE__URL",
    "SONGTIEN_STORE__TOKEN",
    "SONGTIEN_CHANNEL__",
    "SONGTIEN_FARMERS__",
)


async def run_demo(directory: Path, *, http_port: int, live_port: int, broker_port: int) -> None:
    """Run until Ctrl-C or SIGTERM, then close everything that was started."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    datadir.make(directory)
    ports = {
        "HTTP__PORT": _free("pages", http_port),
        "LIVE__PORT": _free("live socket", live_port),
    }
    async with demo_broker(directory / "broker", _free("broker", broker_port)) as broker:
        settings = demo_settings(directory, broker.url, broker.kind, ports, os.environ)
        async with running(settings, demo=True) as service:
            asked = asyncio.create_task(stop.wait(), name="until asked to stop")
            met = asyncio.create_task(service.broker_met.wait(), name="until the broker is met")
            # A broker keeps nothing for a service that it has never met.
            await asyncio.wait({met, asked}, return_when=asyncio.FIRST_COMPLETED)
            met.cancel()
            feed = asyncio.create_task(
                demo_feed(
                    service.screens.parts.registry,
                    broker_url=broker.url,
                    root=settings.mqtt.root,
                    clock_ms=clock_ms,
                    progress=_told_once(
                        len({d.kind for d in service.screens.parts.registry.devices.values()})
                    ),
                ),
                name="feed",
            )
            password = await asyncio.to_thread(_demo_officer, service)
            _welcome(service, broker.kind, password)
            await asyncio.wait({feed, asked}, return_when=asyncio.FIRST_COMPLETED)
            feed.cancel()
            asked.cancel()
            gone = await asyncio.gather(feed, return_exceptions=True)
            out.print("\nstopping …", highlight=False)
    for error in gone:
        if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
            raise error
    out.print("stopped, everything is written", highlight=False)


def demo_settings(
    directory: Path,
    broker_url: str,
    broker_kind: str,
    ports: Mapping[str, int],
    environ: Mapping[str, str],
) -> Settings:
    """As the environment has them, but for what is the demo's own and what leads out of it."""
    said = {
        "MQTT__URL": broker_url,
        "MQTT__PROTOCOL": "3.1.1" if broker_kind == "amqtt" else "auto",
        "DATA__DIR": str(directory),
        # Whoever signs up on the farmers' page is told here, and nowhere else.
        "CHANNEL__TIN_NHAN__KIND": "file",
        "CHANNEL__TIN_NHAN__PATH": str(directory / MESSAGES),
        "FARMERS__SITE": f"http://127.0.0.1:{ports['HTTP__PORT']}/nong-dan",
        **{name: str(port) for name, port in ports.items()},
    }
    # What is set for a real service beside it: its receivers and its historian must not hear of a
    # river that does not exist, nor whoever waits for its heartbeat of a life not its own.
    mine = {k: v for k, v in environ.items() if not k.startswith(_OUTSIDE)}
    return load_settings(None, {**mine, **{f"SONGTIEN_{k}": v for k, v in said.items()}})


def _welcome(service: Service, broker_kind: str, password: str) -> None:
    addresses = service.addresses
    token, _ = service.accounts.create("demo", "operator", clock_ms(), ttl_s=TOKEN_TTL_S)
    out.print(
        f"\nSông Tiền is running on a simulated river.\n\n"
        f"  screen       {addresses.http}\n"
        f"  for farmers  {addresses.http}nong-dan\n"
        f"  live socket  {addresses.live}\n"
        f"  HTTP API     {addresses.http}docs/http\n"
        f"  broker       {addresses.broker} ({broker_kind})\n\n"
        f"To acknowledge alerts, sign in as {OFFICER}, with the password\n"
        f"  {password}\n"
        f"Programs show this token (it lives a week):\n"
        f"  {token}\n\n"
        f"Messages to farmers are written to\n"
        f"  {service.settings.data.dir / MESSAGES}\n\n"
        f"Ctrl-C stops everything.\n",
        highlight=False,
        soft_wrap=True,
    )


def _demo_officer(service: Service) -> str:
    """The password of the demo's officer, another one each time."""
    officers, password = service.accounts.officers, secrets.token_urlsafe(9)
    if not officers.set_password(OFFICER, password, clock_ms()):
        officers.add(OFFICER, "operator", password, clock_ms())
    return password


def _told_once(feeds: int) -> Callable[[str, int], None]:
    """Say when the history of all feeds is in."""
    samples: list[int] = []

    def tell(stage: str, acknowledged: int) -> None:
        if stage == "history":
            samples.append(acknowledged)
            if len(samples) == feeds:
                out.print(f"The last 25 hours are in: {sum(samples):,} samples.", highlight=False)

    return tell


def _free(what: str, port: int) -> int:
    """The port, or another where it is in use, and say so."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
            err.print(
                f"port {port} for the {what} is in use: taking {probe.getsockname()[1]}",
                highlight=False,
            )
        return int(probe.getsockname()[1])
