"""Holds any server of live.v1, or any client of it, to the contract, statement by statement.

    python -m tests.live.conformance --url ws://127.0.0.1:8081/live [--token-file F]
    python -m tests.live.conformance --client "python -m tests.live.subject"

A line for each statement: held, NOT HELD with what was seen, or not applicable with the reason.
Exit code 0 where none is broken, 1 where one is, 2 where nothing could be tried.
"""

import argparse
import asyncio
import shlex
import sys
from pathlib import Path

from tests.live.points import Asked, hold
from tests.live.scenes import hold_client
from tests.live.statements import CLIENT, SERVER, Ledger
from tests.live.talk import Server


def main(arguments: list[str] | None = None) -> int:
    chosen = _read(arguments)
    try:
        ledger = asyncio.run(_client(chosen) if chosen.client else _server(chosen))
    except OSError as error:
        sys.stderr.write(f"nothing could be tried: {error}\n")
        return 2
    sys.stdout.write("\n".join(ledger.lines()) + "\n")
    return 1 if ledger.broken else 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--url", help="of a server's live socket")
    what.add_argument("--client", help="a command that speaks as tests/live/subject.py does")
    parser.add_argument("--token", help="of a viewer or an operator")
    parser.add_argument("--token-file", type=Path, help="a file with the token")
    parser.add_argument("--watch-s", type=float, default=10.0, help="listen so long for changes")
    parser.add_argument("--pong-s", type=float, help="wait so long for 4012 after a ping")
    parser.add_argument("--origin", help="the service's own, which must be let in")
    parser.add_argument("--restart", help="a shell command that restarts the server")
    return parser.parse_args(arguments)


async def _client(chosen: argparse.Namespace) -> Ledger:
    ledger = Ledger(CLIENT)
    await hold_client(shlex.split(chosen.client), ledger)
    return ledger


async def _server(chosen: argparse.Namespace) -> Ledger:
    async def restart() -> None:
        process = await asyncio.create_subprocess_shell(chosen.restart)
        await process.wait()

    token = chosen.token
    if chosen.token_file is not None:
        token = chosen.token_file.read_text(encoding="utf-8").strip()
    server = Server(chosen.url, token, Ledger(SERVER))
    async with server.dial():
        pass
    again = restart if chosen.restart else None
    await hold(server, Asked(chosen.watch_s, 10.0, chosen.pong_s, chosen.origin, again))
    return server.ledger


if __name__ == "__main__":
    sys.exit(main())
