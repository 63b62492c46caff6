"""What a real InfluxDB refuses, and what stands between: nothing is lost, nothing is stored twice.

The drain's retrying is tried against each fault by itself; together they are in the contract.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import line_protocol, points
from ingest.drain_policy import State
from ingest.influx import Influx, Unavailable, Verdict, parse_url
from ingest.reading import Batch
from ingest.series import Series, SeriesTable
from tests.e2e.running import eventually, now_ms
from tests.influx.proxy import Fault, FaultProxy
from tests.influx.servers import STRANGER, WRITER, InfluxServer
from tests.influx.subjects import FAULTS, LATE_S, TIMEOUT_MS, Direct, Drained, struck
from tests.influx.test_contract import FOREVER, SALINITY, T, all_of, batch, rows, steady

WEEK_MS = 7 * 24 * 3_600_000


@pytest.fixture
def direct(influx_server: InfluxServer) -> Iterator[Direct]:
    made = Direct(influx_server.url, influx_server.token, influx_server)
    yield made
    made.close()


@pytest.fixture
def behind(fault_proxy: FaultProxy) -> Iterator[Influx]:
    """The client, by way of the proxy."""
    fault_proxy.late_s = LATE_S
    made = Influx(parse_url(fault_proxy.url), fault_proxy.token, timeout_ms=TIMEOUT_MS)
    yield made
    made.close()


@pytest.fixture
def drained(fault_proxy: FaultProxy, tmp_path: Path) -> Iterator[Drained]:
    fault_proxy.retry_after_s = 0
    fault_proxy.late_s = LATE_S
    made = Drained(tmp_path, fault_proxy)
    yield made
    made.close()


def client(url: str, token: str | None) -> Influx:
    return Influx(parse_url(url), token)


def line(t_ms: int, value: float = 1.0) -> bytes:
    return line_protocol.line("a", {"device": "vk-01"}, {"v": value, "v_q": 1}, t_ms)


def stored(server: InfluxServer, database: str | None = None) -> list[int]:
    return [row["time"] for row in server.query("SELECT v FROM a", database)]


# --- The server's own refusals.


def test_an_empty_body_is_taken_and_an_empty_write_asks_nobody(
    fault_proxy: FaultProxy, behind: Influx
) -> None:
    assert fault_proxy.server.write("") == 204
    assert behind.write([]).verdict is Verdict.STORED
    assert fault_proxy.counts.total() == 0


def test_an_unknown_database_is_a_matter_of_configuration(influx_server: InfluxServer) -> None:
    lost = client(influx_server.url_of("nowhere"), None)
    answer = lost.write([line(T)])
    assert (answer.verdict, answer.status) == (Verdict.MISCONFIGURED, 404)
    assert lost.canary(T).verdict is Verdict.MISCONFIGURED
    lost.close()


@pytest.mark.parametrize(
    ("token", "status"),
    [(None, 401), ("songtien:wrong-secret", 401), ("nobody:any-secret", 401), (STRANGER, 403)],
)
def test_who_may_not_write_is_told_so_and_stores_nothing(
    guarded_server: InfluxServer, token: str | None, status: int
) -> None:
    denied = client(guarded_server.url, token)
    answer = denied.write([line(T)])
    assert (answer.verdict, answer.status) == (Verdict.MISCONFIGURED, status)
    assert "secret" not in repr((answer, denied, denied.canary(T)))
    denied.close()
    allowed = client(guarded_server.url, WRITER)
    assert allowed.canary(now_ms()).verdict is Verdict.STORED
    assert allowed.write([line(T)]).verdict is Verdict.STORED
    assert stored(guarded_server) == [T]
    allowed.close()


def test_another_type_of_a_field_refuses_the_point(
    influx_server: InfluxServer, direct: Direct
) -> None:
    assert influx_server.write(f"a,device=vk-02 v=7i {T}") == 204
    answer = direct.influx.write([line(T), line(T + WEEK_MS)])
    assert (answer.verdict, answer.status) == (Verdict.REJECTED, 400)
    assert "type conflict" in answer.detail
    # What could be stored is, a week later there is no such type yet; but 1.6.7 answers when
    # the first of its shards has refused, not when the last has stored.
    eventually(lambda: stored(influx_server) == [T, T + WEEK_MS], "the other point is stored")


def test_what_retention_has_left_behind_is_refused(influx_server: InfluxServer) -> None:
    short = client(influx_server.create_database("short", retention="1h"), None)
    now = now_ms()
    answer = short.write([line(now - WEEK_MS), line(now)])
    assert (answer.verdict, answer.status) == (Verdict.REJECTED, 400)
    assert "retention" in answer.detail
    assert stored(influx_server, "short") == [now]
    short.close()


def test_more_than_the_server_takes_is_refused_as_a_whole(tmp_path: Path) -> None:
    server = InfluxServer(tmp_path, body_bytes_max=2_000)
    try:
        server.start()
        small = client(server.url, None)
        answer = small.write([line(T + k) for k in range(100)])
        assert (answer.verdict, answer.status) == (Verdict.REJECTED, 413)
        assert stored(server) == []
        small.close()
    finally:
        server.stop()


CARRIED = {
    "diacritics": "cầu-rạch-miễu",
    "spaces": "Mỹ Tho  2",
    "commas": "a,b,,c",
    "equals": "a=b==",
    "quotes": "\"a\" 'b'",
    "a query": "x' OR '1'='1",
    "percent": "50% %s %d",
    "emoji": "🌊",
    "backslash": "a\\b",
}
REFUSED = {
    "backslash at the end": "a\\",
    "backslash before a comma": "a\\,b",
    "newline": "a\nb v=1 1",
    "nul": "a\0b",
    "separator": "a\u2028b",
    "empty": "",
    "no unicode": "a\ud800b",
}


@pytest.mark.parametrize("kind", [*CARRIED, *REFUSED])
def test_an_odd_name_comes_back_or_is_refused(shared_server: InfluxServer, kind: str) -> None:
    direct = Direct(shared_server.url, None, shared_server)
    plain = direct.table.entries[direct.id(SALINITY)]
    name = {**CARRIED, **REFUSED}[kind]
    odd = replace(plain, id=0, device=name, stream=f"{name}/{name}", station=name)
    neighbour = replace(plain, id=0)
    assert rows_of(direct, neighbour, 5.0) == [(T, 5.0, 1)]
    if kind in CARRIED:
        assert rows_of(direct, odd, 3.5) == [(T, 3.5, 1)]
    else:
        with pytest.raises(ValueError, match=r"empty|character|backslash"):
            rows_of(direct, odd, 3.5)
    # Neither the server nor what else is in it has come to harm, now or at its next start.
    direct.crash()
    assert rows(direct.influx.points(neighbour, *FOREVER, 9)) == [(T, 5.0, 1)]
    direct.close()


def rows_of(direct: Direct, series: Series, value: float) -> list[tuple[int, float, int]]:
    """What is read of a series after one reading was written to it."""
    table = SeriesTable([series])
    answer = direct.influx.write(points.lines(Batch.of([0], [T], [value], 1), table))
    assert answer.verdict is Verdict.STORED, answer
    return rows(direct.influx.points(table.entries[0], *FOREVER, 9))


# --- What stands between.

RETRIED = [
    Fault.UNAVAILABLE,
    Fault.BUSY,
    Fault.DROP,
    Fault.ACK_LOST,
    Fault.LATE_ANSWER,
    Fault.CUT_SHORT,
    Fault.NONSENSE,
]
TO_MEND = [Fault.REDIRECT, Fault.HTML, Fault.UNAUTHORISED, Fault.FORBIDDEN]


@pytest.mark.parametrize("fault", RETRIED)
def test_a_write_that_may_be_stored_is_written_again(
    fault_proxy: FaultProxy, behind: Influx, fault: Fault
) -> None:
    fault_proxy.mode(fault, times=1)
    answer = behind.write([line(T), line(T + 1)])
    assert answer.verdict is Verdict.RETRY, answer
    assert answer.retry_after_s == (1 if fault == Fault.BUSY else None)
    assert behind.write([line(T), line(T + 1)]).verdict is Verdict.STORED
    assert stored(fault_proxy.server) == [T, T + 1]


@pytest.mark.parametrize("fault", TO_MEND)
def test_an_answer_of_something_else_is_no_success(
    fault_proxy: FaultProxy, behind: Influx, fault: Fault
) -> None:
    fault_proxy.mode(fault)
    assert behind.write([line(T)]).verdict is Verdict.MISCONFIGURED
    assert behind.canary(T).verdict is Verdict.MISCONFIGURED
    assert fault_proxy.counts == {fault: 2}


@pytest.mark.parametrize("fault", [*RETRIED, *TO_MEND, Fault.REFUSE])
def test_a_history_that_cannot_be_read_is_said_to_be_unavailable(
    fault_proxy: FaultProxy, direct: Direct, behind: Influx, fault: Fault
) -> None:
    direct.write(batch(direct.id(SALINITY), steady(3)))
    series = direct.table.entries[direct.id(SALINITY)]
    fault_proxy.mode(fault, reads=True)
    with pytest.raises(Unavailable):
        behind.points(series, *FOREVER, 9)
    with pytest.raises(Unavailable):
        behind.version()
    fault_proxy.mode("pass")
    assert rows(behind.points(series, *FOREVER, 9)) == steady(3)
    assert behind.version().startswith("1.6.7")


# --- The drain.


@pytest.mark.parametrize("fault", [*RETRIED, *TO_MEND, Fault.REFUSE, Fault.SLOW])
def test_the_drain_outlasts(fault_proxy: FaultProxy, drained: Drained, fault: Fault) -> None:
    content = steady(300)
    drained.write(batch(drained.id(SALINITY), content[:100]))
    drained.settle()
    fault_proxy.mode(fault, reads=fault in TO_MEND)
    drained.write(batch(drained.id(SALINITY), content[100:]))
    meant = State.REFUSED if fault == Fault.REFUSE else State.AWAY
    meant = State.MISCONFIGURED if fault in TO_MEND else meant
    if fault == Fault.SLOW:
        eventually(lambda: fault_proxy.counts[fault], "struck")
    else:
        eventually(lambda: drained.drain.status().state is meant, f"said to be {meant}")
        trouble = drained.drain.status().trouble
        assert trouble is not None
    fault_proxy.mode("pass")
    assert all_of(drained, SALINITY) == content
    assert drained.letters == []
    assert drained.drain.status().state is State.DRAINING


def test_the_drain_outlasts_all_of_them_together(fault_proxy: FaultProxy, drained: Drained) -> None:
    fault_proxy.modes({str(name): odds for name, odds in FAULTS.items()})
    content = steady(400)
    for at in range(0, 400, 5):
        drained.write(batch(drained.id(SALINITY), content[at : at + 5]))
        if at % 20 == 0:
            drained.settle()
    assert all_of(drained, SALINITY) == content
    assert drained.letters == []
    assert struck(fault_proxy.counts) >= 5
    assert drained.drain.status().points_written >= 400


@pytest.mark.parametrize("way", ["pass", Fault.STRICT, Fault.POISONED])
def test_one_poison_among_five_hundred(fault_proxy: FaultProxy, drained: Drained, way: str) -> None:
    """As 1.x takes it (the others are stored), as 2.x and 3 do (nothing is)."""
    content = steady(500)
    poison_ms = T - 30 * WEEK_MS
    content[250] = (poison_ms, 3.0, 1)
    # A month in which the field is of another type, so that the point can't be stored.
    other = f"salinity,device=other salinity_g_l=7i {poison_ms}"
    assert fault_proxy.server.write(other) == 204
    fault_proxy.poison = {str(poison_ms).encode()}
    fault_proxy.mode(way)
    drained.write(batch(drained.id(SALINITY), content))
    drained.settle()
    fault_proxy.mode("pass")
    expected = sorted(content[:250] + content[251:])
    assert all_of(drained, SALINITY) == expected
    assert len(drained.letters) == 1
    letter = drained.letters[0]
    assert (letter.topic, letter.reason) == ("influxdb", "historian")
    assert letter.head.endswith(str(poison_ms).encode())
    assert "poisoned" in letter.detail if way == Fault.POISONED else "conflict" in letter.detail
    assert drained.drain.status().points_refused == 1


def test_what_retention_has_left_behind_is_a_dead_letter_and_holds_nothing_up(
    fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    fault_proxy.server.create_database("short", retention="1h")
    now = now_ms()
    content = steady(200, step_ms=1, begin_ms=now)
    old = [(now - WEEK_MS + k, 1.0, 1) for k in range(5)]
    subject = Drained(tmp_path, fault_proxy, "short")
    try:
        subject.write(batch(subject.id(SALINITY), old + content))
        assert all_of(subject, SALINITY) == content
        assert sorted(each.head.split()[-1] for each in subject.letters) == [
            str(t).encode() for t, _, _ in old
        ]
        assert all("retention" in each.detail for each in subject.letters)
        asked = fault_proxy.counts.total()
        subject.write(batch(subject.id(SALINITY), [(now + 1000, 1.0, 1)]))
        assert len(all_of(subject, SALINITY)) == 201
        # The five are not tried again.
        assert fault_proxy.counts.total() - asked < 10
        assert len(subject.letters) == 5
    finally:
        subject.close()


def test_a_write_above_the_servers_limit_goes_in_smaller_ones(tmp_path: Path) -> None:
    server = InfluxServer(tmp_path / "influx", body_bytes_max=3_000)
    try:
        server.start()
        proxy = FaultProxy(server)
        subject = Drained(tmp_path, proxy)
        try:
            subject.write(batch(subject.id(SALINITY), steady(400)))
            assert all_of(subject, SALINITY) == steady(400)
            assert subject.letters == []
        finally:
            subject.close()
            proxy.close()
    finally:
        server.stop()


def test_a_server_that_knows_no_token_gets_everything_once_it_does(
    guarded_server: InfluxServer, tmp_path: Path
) -> None:
    name, _, password = WRITER.partition(":")
    guarded_server.query(f"SET PASSWORD FOR \"{name}\" = 'another'")
    proxy = FaultProxy(guarded_server)
    subject = Drained(tmp_path, proxy)
    try:
        subject.write(batch(subject.id(SALINITY), steady(20)))
        eventually(
            lambda: subject.drain.status().state is State.MISCONFIGURED, "said to be misconfigured"
        )
        trouble = subject.drain.status().trouble
        assert trouble is not None
        assert "token" in trouble
        assert password not in trouble
        guarded_server.query(f"SET PASSWORD FOR \"{name}\" = '{password}'")
        assert all_of(subject, SALINITY) == steady(20)
        assert subject.letters == []
    finally:
        subject.close()
        proxy.close()


def test_away_for_a_whole_replay_and_killed_in_the_middle_of_the_rest(
    fault_proxy: FaultProxy, drained: Drained
) -> None:
    content = steady(3_000)
    server = fault_proxy.server
    fault_proxy.cut()
    for at in range(0, 3_000, 500):
        drained.write(batch(drained.id(SALINITY), content[at : at + 500]))
    eventually(lambda: drained.drain.status().state is State.AWAY, "said to be away")
    fault_proxy.heal()
    server.kill()
    eventually(lambda: fault_proxy.counts["pass"] > 1, "asked the dead server")
    server.start()
    assert all_of(drained, SALINITY) == content
    assert drained.letters == []


def test_a_drain_that_begins_again_where_nothing_was_settled_changes_nothing(
    fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    subject = Drained(tmp_path, fault_proxy)
    try:
        subject.write(batch(subject.id(SALINITY), steady(100)))
        before = all_of(subject, SALINITY)
        subject.again()
        subject.write(batch(subject.id(SALINITY), steady(101)[100:]))
        assert all_of(subject, SALINITY) == [*before, steady(101)[100]]
    finally:
        subject.close()
