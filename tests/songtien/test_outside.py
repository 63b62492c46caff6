"""What the service takes of its own words, and what it leaves."""

import asyncio
import socket

from songtien.outside import bound, said_by_us


def test_of_our_own_words_only_canary_and_test_come_in() -> None:
    ours = said_by_us("a/b")
    server, alerts = "a/b/v1/server/here", "a/b/v1/alerts"
    taken = (
        f"{server}/canary",
        f"{server}/test",
        f"{alerts}/songtien-self-test/songtien/self-test",
        "a/b/v1/salinity/vam-kenh/vk-01/obs",
    )
    assert [topic for topic in taken if ours(topic)] == []
    left = (
        f"{server}/state",
        f"{alerts}/songtien-self-test-failed/songtien/self-test-failed",
        f"{alerts}/salinity-4/vk-01/salinity_g_l",
        "a/b/v1/advice/gate",
        "a/b/v1/salinity/vam-kenh/vk-01/ack",
    )
    assert [topic for topic in left if not ours(topic)] == []


def test_an_answer_does_not_wait_for_the_phone_to_acknowledge_its_head() -> None:
    async def nodelay_of_a_connection() -> int:
        taken = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(
            lambda _reader, writer: taken.set_result(writer), sock=bound("http", "127.0.0.1", 0)
        )
        async with server:
            _, ours = await asyncio.open_connection(*server.sockets[0].getsockname())
            theirs: asyncio.StreamWriter = await taken
            connection = theirs.get_extra_info("socket")
            found: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for each in (theirs, ours):
                each.close()
        return found

    assert asyncio.run(nodelay_of_a_connection()) == 1
