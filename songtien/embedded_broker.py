"""A broker for machines without mosquitto: amqtt in a process of its own.

    python -m songtien.embedded_broker PARENT PORT

It listens on the loopback for MQTT 3.1.1, keeps nothing on disk, and ends with SIGTERM,
with SIGINT, and when its standard input is closed: whoever started it holds the other end.
So it ends with its parent on every system, however that died.
"""

import asyncio
import logging
import os
import signal
import sys
import warnings

from songtien.tied import tie_to


async def serve(port: int) -> None:
    """Run the broker until a signal comes or standard input ends."""
    from amqtt.broker import Broker  # noqa: PLC0415 - an optional part, slow to import

    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    loop.add_reader(sys.stdin.fileno(), _read, over)
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 0}
    broker = Broker({"listeners": {"default": listener}, "plugins": plugins})
    await broker.start()
    await over.wait()
    loop.remove_reader(sys.stdin.fileno())
    await broker.shutdown()


def _read(over: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        over.set()


def main() -> None:
    """Take the arguments, keep amqtt quiet, serve."""
    parent, port = int(sys.argv[1]), int(sys.argv[2])
    tie_to(parent)
    # Its logs tell each packet; what matters is that it serves, and errors are kept.
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(name)s %(message)s")
    # amqtt 0.12 loads plugins in a way that it deprecates itself.
    warnings.simplefilter("ignore")
    asyncio.run(serve(port))


if __name__ == "__main__":
    main()
