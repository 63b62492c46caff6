import asyncio
import tracemalloc
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from alerts.alert import Acted, AlertEvent, EventType
from alerts.alert import Outcome as Verdict
from ingest.payload import DeviceState
from ingest.reading import Batch
from ingest.sequence import Ack
from ingest.store import DeadLetter
from songtien.announce import CANARIES_KEPT
from songtien.mailbox import ECHOES_KEPT, Mailbox, Post, last_of_each
from songtien.news import News
from songtien.outcome import Outcome


def news(
    position: int,
    newest: Batch | None = None,
    *,
    events: Sequence[str] = (),
    acks: dict[str, Ack] | None = None,
    **more: object,
) -> News:
    told = [AlertEvent(EventType.RAISED, {"id": each}, position, told=True) for each in events]
    outcome = Outcome(position, position, newest=newest or Batch.empty(), events=told)
    for name, value in more.items():
        setattr(outcome, name, value)
    return News(outcome, list(range(len(told))), acks or {}, None)


def posts(told: Sequence[News], *, pause_every: int = 0) -> list[Post]:
    """What the loop reads of news told by a thread, while the loop is busy in between."""

    async def run() -> list[Post]:
        found: list[Post] = []
        mailbox = Mailbox(asyncio.get_running_loop(), found.append)
        for number, each in enumerate(told, 1):
            mailbox.tell(each)
            if pause_every and number % pause_every == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        return found

    return asyncio.run(run())


def row(series: int, t_ms: int, value: float) -> Batch:
    return Batch.of([series], [t_ms], [value])


def test_a_busy_loop_gets_one_post_with_the_newest_value_of_each_series() -> None:
    (post,) = posts([news(1, row(0, 1, 1.0)), news(2, row(1, 1, 5.0)), news(3, row(0, 2, 2.0))])
    assert post.newest.series.tolist() == [1, 0]
    assert post.newest.value.tolist() == [5.0, 2.0]
    assert post.news == []


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), max_size=4), max_size=30),
    st.integers(0, 5),
    st.integers(1, 8),
)
def test_the_screens_end_with_the_last_word_on_each_series(
    told: list[list[tuple[int, int]]], pause_every: int, merge_at: int
) -> None:
    expected = {series: value for rows in told for series, value in rows}
    batches = [
        Batch.of([s for s, _ in rows], [0] * len(rows), [v for _, v in rows]) for rows in told
    ]
    before, Mailbox.MERGE_AT = Mailbox.MERGE_AT, merge_at
    try:
        found = posts([news(n, each) for n, each in enumerate(batches)], pause_every=pause_every)
    finally:
        Mailbox.MERGE_AT = before
    shown: dict[int, float] = {}
    for post in found:
        assert len(set(post.newest.series.tolist())) == len(post.newest)
        shown |= dict(zip(post.newest.series.tolist(), post.newest.value.tolist(), strict=True))
    assert shown == expected


@given(
    st.lists(st.sampled_from(["event", "value", "ack", "link", "reply"]), max_size=40),
    st.integers(0, 5),
)
def test_events_and_replies_come_all_and_in_order_whatever_is_between(
    kinds: list[str], pause_every: int
) -> None:
    told = []
    for n, kind in enumerate(kinds):
        if kind == "event":
            told.append(news(n, events=[f"e{n}"]))
        elif kind == "reply":
            told.append(news(n, reply=(f"r{n}", Acted(Verdict.DONE, None))))
        elif kind == "ack":
            told.append(news(n, acks={"d": Ack(1, n, ())}))
        elif kind == "link":
            told.append(news(n, links={"d": DeviceState("ready", boot=n)}))
        else:
            told.append(news(n, row(0, n, n)))
    heard: list[str] = []
    acks: dict[str, Ack] = {}
    links: dict[str, DeviceState | None] = {}
    for post in posts(told, pause_every=pause_every):
        for each in post.news:
            heard.extend(event.alert["id"] for event in each.outcome.events)
            if each.outcome.reply is not None:
                heard.append(each.outcome.reply[0])
            acks |= each.acks
            links |= each.outcome.links
    assert heard == [f"{k[0]}{n}" for n, k in enumerate(kinds) if k in ("event", "reply")]
    newest = {k: n for n, k in enumerate(kinds)}
    assert acks == ({"d": Ack(1, newest["ack"], ())} if "ack" in newest else {})
    assert links == ({"d": DeviceState("ready", boot=newest["link"])} if "link" in newest else {})


def test_what_waits_for_a_stuck_loop_is_bounded_by_series_and_devices_not_by_the_rate() -> None:
    async def run() -> tuple[int, Post]:
        found: list[Post] = []
        mailbox = Mailbox(asyncio.get_running_loop(), found.append)
        letter = DeadLetter(0, "x", "not_json", "", 4096, bytes(4096))
        tracemalloc.start()
        begun = tracemalloc.get_traced_memory()[0]
        for n in range(3_000):
            mailbox.tell(
                news(
                    n,
                    Batch.of([n % 50] * 20, [n] * 20, [n] * 20),
                    acks={f"d{n % 20}": Ack(1, n, ())},
                    links={f"d{n % 20}": DeviceState("ready", boot=n)},
                    letters=[letter, DeadLetter(0, "y", "", "", 4096, bytes([n % 256]) * 4096)],
                    canaries=[n],
                    echoes=[("t", str(n).encode())],
                )
            )
        held = tracemalloc.get_traced_memory()[0] - begun
        tracemalloc.stop()
        await asyncio.sleep(0)
        return held, found[0]

    held, post = asyncio.run(run())
    assert held < 1_000_000
    assert len(post.newest) == 50
    (state,) = post.news
    assert {ack.seq for ack in state.acks.values()} == set(range(2_980, 3_000))
    assert state.outcome.canaries == list(range(3_000 - CANARIES_KEPT, 3_000))
    assert [int(n) for _, n in state.outcome.echoes] == list(range(3_000 - ECHOES_KEPT, 3_000))


def test_last_of_each_keeps_the_order_of_the_last_rows() -> None:
    rows = Batch.of([3, 1, 3, 2, 1], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4])
    assert last_of_each(rows).t_ms.tolist() == [2, 3, 4]
