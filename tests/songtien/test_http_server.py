"""The HTTP server on real sockets, around an application of three lines."""

import asyncio
import signal
from typing import Any

import pytest

from ingest.faults import ConfigError
from songtien.http_server import HttpServer
from songtien.setting_values import Http

WITHIN_S = 10.0


async def says_who_asks(scope: Any, receive: Any, send: Any) -> None:
    del receive
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


async def asked(port: int) -> str:
    """The answer to somebody who says that he asks for another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\r\nHost: here\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


@pytest.mark.parametrize(
    ("proxies", "client"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")]
)
def test_the_word_of_configured_proxies_is_taken_and_of_nobody_else(
    proxies: tuple[str, ...], client: str
) -> None:
    async def ask() -> str:
        server = HttpServer(Http("127.0.0.1", 0, proxies))
        before = signal.getsignal(signal.SIGTERM)
        serving = asyncio.create_task(server.serve(says_who_asks))
        answer = await asked(server.port)
        assert signal.getsignal(signal.SIGTERM) is before, "signals are the command line's"
        server.end()
        await asyncio.wait_for(serving, WITHIN_S)
        server.close()
        return answer

    answer = asyncio.run(ask())
    assert answer.endswith(f"\r\n\r\n{client}")
    assert "server:" not in answer.lower()


def test_told_before_its_first_step_it_ends_too() -> None:
    async def end_at_once() -> None:
        server = HttpServer(Http("127.0.0.1", 0))
        server.end()
        serving = asyncio.create_task(server.serve(says_who_asks))
        server.end()
        await asyncio.wait_for(serving, WITHIN_S)
        server.close()

    asyncio.run(end_at_once())


def test_an_address_in_use_is_told_by_the_keys_that_set_it() -> None:
    server = HttpServer(Http("127.0.0.1", 0))
    with pytest.raises(ConfigError, match=r"http\.host, http\.port"):
        HttpServer(Http("127.0.0.1", server.port))
    server.close()
