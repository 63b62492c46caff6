"""The Python reference client as the subject of a trial: JSON lines in, JSON lines out.

in   {"do":"begin","url":…,"token":…,"wishes":{"a":{"chan":"state","where":{}},…}}   ends the one before
     {"do":"tell"}
out  {"said":"held","link":"up|lost|stopped","code":…,"held":{"a":{KEY:ITEM,…}},"seen":{"a":[POS,…]}}
     {"said":"wait","most_s":…}   it is lost and would wait up to so long; it comes back at once

Any client can be tried that speaks so. One that does not say what it waits is waited for.
"""

import asyncio
import json
import sys
from typing import Any

from websockets.exceptions import InvalidStatus

from api.live.client import Link, LiveAnswerError, LiveClient, LiveRefusedError
from api.live.mirror import Mirror

HURRIED_S = 0.01


def say(**line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def jitter(_: float, most_s: float) -> float:
    say(said="wait", most_s=most_s)
    return HURRIED_S


class Subject:
    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.mirrors: dict[str, Mirror] = {}
        self.link, self.code = "lost", 0

    async def begin(self, url: str, token: str | None, wishes: dict[str, Any]) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait((self.task,))
        client = LiveClient(url, token=token, jitter=jitter, told=self.told)
        self.link, self.code = "lost", 0
        self.mirrors = {name: client.wish(**wish) for name, wish in wishes.items()}
        self.task = asyncio.create_task(self.run(client))

    async def run(self, client: LiveClient) -> None:
        try:
            await client.run()
        except (LiveRefusedError, LiveAnswerError) as refused:
            self.link, self.code = "stopped", refused.code
        except InvalidStatus as refused:
            self.link, self.code = "stopped", refused.response.status_code

    def told(self, link: Link) -> None:
        self.link, self.code = "up" if link.up else "lost", link.code

    def tell(self) -> None:
        say(
            said="held",
            link=self.link,
            code=self.code,
            held={name: mirror.held for name, mirror in self.mirrors.items()},
            seen={name: [e["pos"] for e in one.events] for name, one in self.mirrors.items()},
        )


async def main() -> None:
    subject = Subject()
    reader = asyncio.StreamReader(limit=2**20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if order["do"] == "begin":
            await subject.begin(order["url"], order["token"], order["wishes"])
        else:
            subject.tell()


if __name__ == "__main__":
    asyncio.run(main())
