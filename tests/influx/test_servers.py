"""The servers and the proxy that other tests rely on do what they say."""

import gzip
import http.client
import os
import time
import urllib.parse

import pytest

from tests.e2e.running import alive, descendants, eventually
from tests.influx.proxy import PASSING, Fault, FaultProxy
from tests.influx.servers import SCRATCH, STRANGER, WRITER, InfluxServer, QueryError

Answer = tuple[int, dict[str, str], bytes]


def ask(
    port: int,
    path: str = "/api/v2/write?org=-&bucket=songtien&precision=ms",
    body: bytes = b"a v=1 1000",
    *,
    method: str = "POST",
    **headers: str,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def ping(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/ping")
    connection.getresponse().read()


def stored(server: InfluxServer) -> list[int]:
    return [row["time"] for row in server.query("SELECT v FROM a")]


def test_the_rewrite_keeps_precision_bucket_and_retention_policy(
    influx_server: InfluxServer,
) -> None:
    port = influx_server.port
    for at, precision in ((1, "s"), (2000, "ms"), (3_000_000, "us"), (4_000_000_000, "ns")):
        path = f"/api/v2/write?bucket=songtien&precision={precision}"
        assert ask(port, path, f"a v=1 {at}".encode())[0] == 204
    assert stored(influx_server) == [1000, 2000, 3000, 4000]
    assert ask(port, "/api/v2/write?bucket=songtien&precision=u", b"a v=1 1")[0] == 400
    influx_server.query('CREATE RETENTION POLICY "long" ON "songtien" DURATION INF REPLICATION 1')
    assert ask(port, "/api/v2/write?bucket=songtien%2Flong&precision=ms", b"b v=1 7")[0] == 204
    assert influx_server.query('SELECT v FROM "songtien"."long"."b"') == [{"time": 7, "v": 1}]
    assert ask(port, "/api/v2/query")[0] == 404
    assert ask(port, "/health", method="GET")[0] == 404
    assert ask(port, "/ping", method="GET")[1]["X-Influxdb-Version"].startswith("1.6.7")


def test_killed_and_stopped_servers_come_back_on_their_ports_with_what_they_had(
    influx_server: InfluxServer,
) -> None:
    assert ask(influx_server.port)[0] == 204
    influx_server.kill()
    assert not influx_server.alive
    assert ask(influx_server.port)[0] == 502
    influx_server.start()
    assert stored(influx_server) == [1000]
    influx_server.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(influx_server.port)
    influx_server.start()
    assert stored(influx_server) == [1000]


def test_a_guarded_server_knows_its_users(guarded_server: InfluxServer) -> None:
    port = guarded_server.port
    assert guarded_server.token == WRITER
    assert ask(port)[0] == 401
    assert ask(port, Authorization="Token songtien:wrong")[0] == 401
    assert ask(port, Authorization=f"Token {STRANGER}")[0] == 403
    assert ask(port, Authorization=f"Token {WRITER}")[0] == 204
    question = f"/query?db=songtien&q={urllib.parse.quote('SELECT v FROM a')}"
    assert ask(port, question, b"", method="GET")[0] == 401
    status, _, body = ask(port, question, b"", method="GET", Authorization=f"Token {WRITER}")
    assert (status, b'"series"' in body) == (200, True)


def test_what_is_started_is_ended(tmp_path_factory: pytest.TempPathFactory) -> None:
    before = descendants(os.getpid())
    server = InfluxServer(tmp_path_factory.mktemp("influx"))
    server.start()
    started = descendants(os.getpid()) - before
    assert len(started) == 2
    server.stop()
    assert alive(started) == set()


def test_queries_tell_faults_and_groups(influx_server: InfluxServer) -> None:
    assert influx_server.write("a,b=x v=1 5\na,b=y v=2 5") == 204
    rows = influx_server.query("SELECT v FROM a GROUP BY b")
    assert rows == [{"b": "x", "time": 5, "v": 1}, {"b": "y", "time": 5, "v": 2}]
    with pytest.raises(QueryError, match="error parsing query"):
        influx_server.query("SELECT nonsense")


ANSWERS = {
    Fault.UNAVAILABLE: 503,
    Fault.BUSY: 429,
    Fault.REDIRECT: 301,
    Fault.HTML: 200,
    Fault.REFUSE: 400,
    Fault.UNAUTHORISED: 401,
    Fault.FORBIDDEN: 403,
}


@pytest.mark.parametrize(("fault", "status"), ANSWERS.items())
def test_an_answer_of_the_proxys_own_stores_nothing(
    fault_proxy: FaultProxy, fault: Fault, status: int
) -> None:
    fault_proxy.mode(fault)
    found, headers, _ = ask(fault_proxy.port)
    assert found == status
    assert headers.get("Retry-After") == ("1" if fault == Fault.BUSY else None)
    if fault == Fault.REDIRECT:
        port = urllib.parse.urlsplit(headers["Location"]).port
        assert port is not None
        assert ask(port, "/ping", method="GET")[0] == 204
    assert stored(fault_proxy.server) == []
    assert fault_proxy.counts == {fault: 1}


@pytest.mark.parametrize(
    ("fault", "times"),
    {Fault.DROP: [], Fault.ACK_LOST: [1000], Fault.CUT_SHORT: [1000], Fault.NONSENSE: []}.items(),
)
def test_a_connection_that_ends_without_an_answer(
    fault_proxy: FaultProxy, fault: Fault, times: list[int]
) -> None:
    fault_proxy.mode(fault)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(fault_proxy.port)
    assert stored(fault_proxy.server) == times


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.LATE_ANSWER])
def test_a_slow_answer_is_a_whole_one(fault_proxy: FaultProxy, fault: Fault) -> None:
    fault_proxy.mode(fault)
    fault_proxy.slow_s = fault_proxy.late_s = 0.1
    began = time.monotonic()
    assert ask(fault_proxy.port)[0] == 204
    assert time.monotonic() - began >= 0.1
    assert stored(fault_proxy.server) == [1000]


def test_a_late_answer_is_of_what_is_stored_already(fault_proxy: FaultProxy) -> None:
    fault_proxy.mode(Fault.LATE_ANSWER)
    fault_proxy.late_s = 20
    connection = http.client.HTTPConnection("127.0.0.1", fault_proxy.port)
    connection.request("POST", "/api/v2/write?bucket=songtien&precision=ms", b"a v=1 1000")
    eventually(lambda: stored(fault_proxy.server) == [1000], "stored before the answer")
    fault_proxy.cut()
    connection.close()


def test_one_line_that_cannot_be_parsed_refuses_all_as_in_influxdb_2(
    fault_proxy: FaultProxy,
) -> None:
    batch = b"a v=1 1000\nnot a line\na v=1 2000"
    fault_proxy.mode(Fault.STRICT)
    assert (
        ask(fault_proxy.port, body=gzip.compress(batch), **{"Content-Encoding": "gzip"})[0] == 400
    )
    assert stored(fault_proxy.server) == []
    assert len(fault_proxy.server.query("SELECT v FROM a", SCRATCH)) == 2
    # Another type of a field refuses its own line, with 422.
    assert ask(fault_proxy.port, body=b"a v=1 1000\na v=2 3000")[0] == 204
    status, _, body = ask(fault_proxy.port, body=b"a v=true 4000\na v=1 5000")
    assert (status, b"field type conflict" in body) == (422, True)
    assert stored(fault_proxy.server) == [1000, 3000, 5000]
    fault_proxy.mode("pass")
    assert ask(fault_proxy.port, body=b"a v=1 6000\nnot a line")[0] == 400
    assert stored(fault_proxy.server) == [1000, 3000, 5000, 6000]


def test_poison_refuses_the_batch_that_holds_it(fault_proxy: FaultProxy) -> None:
    fault_proxy.poison = {b"v=13"}
    fault_proxy.mode(Fault.POISONED)
    assert ask(fault_proxy.port, body=b"a v=12 1000\na v=13 2000")[0] == 400
    assert ask(fault_proxy.port, body=b"a v=12 1000")[0] == 204
    assert stored(fault_proxy.server) == [1000]


def test_a_fault_for_some_times_with_a_probability_and_of_reads(fault_proxy: FaultProxy) -> None:
    fault_proxy.mode(Fault.UNAVAILABLE, times=2)
    assert [ask(fault_proxy.port)[0] for _ in range(4)] == [503, 503, 204, 204]
    assert ask(fault_proxy.port, "/ping", method="GET")[0] == 204
    fault_proxy.mode(Fault.UNAVAILABLE, reads=True)
    assert ask(fault_proxy.port, "/ping", method="GET")[0] == 503
    fault_proxy.counts.clear()
    fault_proxy.modes({Fault.UNAVAILABLE: 0.4, Fault.REFUSE: 0.4})
    found = {ask(fault_proxy.port)[0] for _ in range(60)}
    assert found == {503, 400, 204}
    assert fault_proxy.counts.total() == 60
    fault_proxy.passing_faults(1.0)
    assert {fault_proxy.fault_of(write=True) for _ in range(300)} == set(PASSING)


def test_a_cut_way_refuses_until_it_heals(fault_proxy: FaultProxy) -> None:
    kept = http.client.HTTPConnection("127.0.0.1", fault_proxy.port, timeout=10)
    ping(kept)
    fault_proxy.cut()
    with pytest.raises(ConnectionRefusedError):
        ask(fault_proxy.port)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ping(kept)
    kept.close()
    fault_proxy.heal()
    assert ask(fault_proxy.port)[0] == 204
    fault_proxy.server.stop()
    assert ask(fault_proxy.port)[0] == 502
