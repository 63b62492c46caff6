"""Which part of a recording is replayed, where to, and what its passes are like."""

import json
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from ingest.faults import ConfigError
from ingest.payload import Observations, decode_obs
from ingest.sequence import Order, Sequencer
from simulators.mapping import parse_mapping
from simulators.message import Message
from simulators.playback import (
    NO_TOPIC,
    NOT_CHOSEN,
    OWN,
    UNMARKED,
    Choice,
    Feed,
    _part,
    feed_of,
    table_feed,
)
from simulators.recorded import read_table
from simulators.recording import write_recording

T_MS = 1_767_000_000_000
STEP_MS = 60_000
NOW_S = 1_800_000_000


def _obs(
    number: int, device: str = "vk-01", boot: int | None = 5, *, seq: int | None = None
) -> Message:
    """The sample of minute `number`, 70 ms on its way."""
    at_ms = T_MS + number * STEP_MS
    said: dict[str, object] = {} if boot is None else {"boot": boot}
    said |= {"v": 1, "seq": number + 1 if seq is None else seq, "samples": [{"t": at_ms - 70}]}
    topic = f"river/v1/salinity/vam-kenh/{device}/obs"
    return Message(at_ms, topic, json.dumps(said).encode(), 1)


def _other(topic: str, payload: bytes = b"{}", number: int = 0) -> Message:
    return Message(T_MS + number * STEP_MS, topic, payload)


def _feed(tmp_path: Path, messages: Iterable[Message], choice: Choice | None = None) -> Feed:
    write_recording(tmp_path / "a.jsonl", {}, (), messages)
    return feed_of(tmp_path / "a.jsonl", choice or Choice())


def test_by_itself_it_is_played_as_it_was(tmp_path: Path) -> None:
    sent = [
        _obs(0),
        _other("lab/raw", b"\xff"),
        msgspec.structs.replace(_obs(1), retain=True),
        _obs(2),
    ]
    feed = _feed(tmp_path, sent)
    assert list(feed.play(0, 0)) == [sent[0], Message(T_MS + 0, "lab/raw", b"\xff"), *sent[2:]]
    assert (feed.messages, feed.first_ms, feed.last_ms) == (4, T_MS, T_MS + 2 * STEP_MS)
    assert (feed.step_ms, feed.roots, feed.left_out) == (STEP_MS, ("river",), {})


def test_what_a_service_said_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    own = [
        _other("river/v1/salinity/vam-kenh/vk-01/ack"),
        _other("river/v1/server/h1/state"),
        _other("river/v1/alerts/r/vk-01/salinity_g_l"),
        _other("river/v1/advice/i1"),
    ]
    feed = _feed(tmp_path, [*own, _obs(0)])
    assert list(feed.play(0, 0)) == [_obs(0)]
    assert feed.left_out == {OWN: 4}
    assert _feed(tmp_path, own, Choice(everything=True)).messages == 4


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (Choice(filters=("+/v1/salinity/+/vk-01/#",)), [0, 3]),
        (Choice(filters=("a/#", "river/v1/salinity/+/hb-01/+")), [1]),
        (Choice(station="vam-kenh"), [0, 1, 3]),
        (Choice(device="hb-01", station="vam-kenh"), [1]),
        (Choice(station="elsewhere"), []),
        (Choice(from_ms=T_MS + STEP_MS, to_ms=T_MS + 3 * STEP_MS), [1, 2]),
    ],
)
def test_a_part_of_it(tmp_path: Path, choice: Choice, numbers: list[int]) -> None:
    sent = [_obs(0), _obs(1, "hb-01"), _other("lab/raw", number=2), _obs(3)]
    feed = _feed(tmp_path, sent, choice)
    assert [m.publish_ms for m in feed.play(0, 0)] == [T_MS + n * STEP_MS for n in numbers]
    assert feed.messages == len(numbers)
    assert feed.left_out == {NOT_CHOSEN: 4 - len(numbers)}


def test_another_root(tmp_path: Path) -> None:
    sent = [_obs(0), _other("lab/raw"), _other("alone"), _other("a/b/v1/x")]
    feed = _feed(tmp_path, sent, Choice(root="test/river"))
    assert [m.topic for m in feed.play(0, 0)] == [
        "test/river/v1/salinity/vam-kenh/vk-01/obs",
        "test/river/raw",
        "test/river/alone",
        "test/river/v1/x",
    ]
    assert feed.roots == ("test/river",)


def test_what_cannot_be_published_is_left_out(tmp_path: Path) -> None:
    feed = _feed(tmp_path, [_other("a/+"), _other(""), _obs(0)])
    assert [m.topic for m in feed.play(0, 0)] == [_obs(0).topic]
    assert feed.left_out == {NO_TOPIC: 2}


def test_into_a_live_service_only_what_is_marked(tmp_path: Path) -> None:
    state = _other("river/v1/salinity/vam-kenh/vk-01/state", b'{"s":"lost"}')
    meta = _other("river/v1/salinity/vam-kenh/vk-01/meta")
    broken = _other("river/v1/salinity/vam-kenh/vk-01/obs", b"\xff")
    empty = _other("river/v1/salinity/vam-kenh/vk-01/obs", b"{}")
    feed = _feed(tmp_path, [state, meta, broken, empty, _obs(0)], Choice(sim=True))
    (only,) = feed.play(0, 0)
    assert json.loads(only.payload) == {**json.loads(_obs(0).payload), "sim": True}
    assert feed.left_out == {UNMARKED: 4}


def test_times_never_fall(tmp_path: Path) -> None:
    feed = _feed(tmp_path, [_obs(3), _obs(1), _obs(4)])
    assert [m.publish_ms - T_MS for m in feed.play(7, 0)] == [180_007, 180_007, 240_007]


def _passes(feed: Feed, passes: int) -> list[Message]:
    assert feed.first_ms is not None
    assert feed.last_ms is not None
    period_ms = feed.last_ms - feed.first_ms + feed.step_ms
    return [m for number in range(passes) for m in feed.play(number * period_ms, number)]


@pytest.mark.parametrize("boots", [(5, 5), (5, 6), (None, None)])
@pytest.mark.parametrize("now_s", [None, NOW_S])
def test_passes_go_on_with_new_samples_in_an_order_without_gaps(
    tmp_path: Path, boots: tuple[int | None, int | None], now_s: int | None
) -> None:
    """As the service sees it: each message contiguous, each sample at a time of its own."""
    sent = [_obs(number, boot=boots[0]) for number in range(3)]
    anew = boots[0] != boots[1]
    sent += [_obs(n, boot=boots[1], seq=n - 2 if anew else n + 1) for n in range(3, 6)]
    write_recording(tmp_path / "a.jsonl", {}, (), sent)
    feed = feed_of(tmp_path / "a.jsonl", Choice(), now_s=now_s, repeated=True)
    sequencer, times, numbers = Sequencer(), [], []
    for message in _passes(feed, 3):
        said = json.loads(message.payload)
        order = sequencer.see("vk-01", said.get("boot", 0), said["seq"], message.publish_ms)
        assert order is Order.CONTIGUOUS
        times.append(said["samples"][0]["t"])
        numbers.append((said.get("boot", 0), said["seq"]))
        assert message.publish_ms - said["samples"][0]["t"] == 70
    assert times == list(range(times[0], times[0] + 18 * STEP_MS, STEP_MS))
    assert numbers == sorted(set(numbers))
    if now_s is not None and boots[0] is not None:
        assert numbers[0] == (NOW_S, 1)
    elif boots[0] is not None:
        assert numbers[0] == (5, 1)


def test_a_state_has_the_boot_of_its_samples(tmp_path: Path) -> None:
    topic = "river/v1/salinity/vam-kenh/vk-01/state"
    sent = [_other(topic, b'{"s":"ready","boot":4,"t":%d}' % T_MS), _obs(0), _obs(1)]
    write_recording(tmp_path / "a.jsonl", {}, (), sent)
    feed = feed_of(tmp_path / "a.jsonl", Choice(), now_s=NOW_S, repeated=True)
    said = [json.loads(m.payload) for m in feed.play(1000, 1)]
    assert [each["boot"] for each in said] == [NOW_S + 2, NOW_S + 3, NOW_S + 3]
    assert said[0]["t"] == T_MS + 1000


def test_how_often_a_device_speaks_is_told_by_its_samples_alone(tmp_path: Path) -> None:
    states = [_other("river/v1/salinity/vam-kenh/vk-01/state", number=n) for n in range(3)]
    assert _feed(tmp_path, [*states, _obs(3), _obs(4), _obs(7)]).step_ms == 2 * STEP_MS


def test_nothing_to_play(tmp_path: Path) -> None:
    feed = _feed(tmp_path, [])
    assert (feed.messages, feed.first_ms, feed.last_ms, list(feed.play(0, 0))) == (
        0,
        None,
        None,
        [],
    )


def test_all_of_it_is_looked_through_before_any_of_it_is_played(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_recording(path, {}, (), [_obs(number) for number in range(10)])
    path.write_bytes(path.read_bytes() + b"[]\n" + path.read_bytes()[-100:])
    with pytest.raises(ConfigError, match="line 12 = "):
        feed_of(path, Choice())
    path.write_bytes(path.read_bytes()[:1000])
    cut = feed_of(path, Choice())
    assert cut.reach.cut
    assert len(list(cut.play(0, 0))) == cut.messages > 3


TABLE = """
[time]
column = "t"
format = "epoch_s"
[[device]]
kind = "salinity"
station = "vam-kenh"
device = "vk-01"
columns.sal_g_l = "s"
where.d = "1"
[[device]]
kind = "salinity"
station = "xuan-hoa"
device = "xh-01"
columns.sal_g_l = "s"
where.d = "2"
"""


@pytest.mark.parametrize(
    ("choice", "numbers"),
    [
        (Choice(), range(10)),
        (Choice(device="vk-01"), [0, 2, 4, 6, 8]),
        (Choice(station="xuan-hoa", from_ms=1_700_000_180_000), [3, 5, 7, 9]),
        (Choice(filters=("+/v1/+/xuan-hoa/#",), to_ms=1_700_000_180_000), [1]),
        (Choice(device="other"), []),
    ],
)
def test_a_part_of_a_table_and_its_passes(
    tmp_path: Path, choice: Choice, numbers: list[int]
) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{1_700_000_000 + 60 * i},{i},{1 + i % 2}\n" for i in range(10)]
    path.write_text("t,s,d\n" + "".join(rows))
    recorded = read_table(path, parse_mapping(TABLE, "m.toml"))
    feed = table_feed(recorded, choice, root="r", batch=1, boot=100)
    played = list(feed.play(1000, 2))
    assert [m.publish_ms for m in played] == [1_700_000_001_000 + 60_000 * n for n in numbers]
    assert feed.messages == len(played)
    assert feed.left_out.get(NOT_CHOSEN, 0) == 10 - len(played)
    for message in played:
        said = decode_obs(message.payload, "salinity")
        assert isinstance(said, Observations)
        assert said.boot == 102
    assert feed.step_ms == (120_000 if len(played) > 1 else 1000)


def test_a_part_of_a_camera_is_by_the_ends_of_its_intervals_and_keeps_its_marks(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "t,n,f\n" + "".join(f"{1_700_000_000 + 300 * i},{i},{i % 2}\n" for i in range(4))
    )
    mapping = """
        time = { column = "t", format = "epoch_s" }
        [[device]]
        kind = "traffic"
        station = "rach-mieu-1"
        device = "cam-01"
        interval_s = 300
        labels = { column = "f", starts_with = ["1"] }
        [[device.lane]]
        direction = "southbound"
        count.car = "n"
    """
    recorded = read_table(path, parse_mapping(mapping, "m.toml"))
    choice = Choice(from_ms=1_700_000_300_000, to_ms=1_700_000_900_000)
    played = list(table_feed(recorded, choice, root="r", batch=1, boot=1).play(0, 0))
    assert [m.publish_ms for m in played] == [1_700_000_300_000, 1_700_000_600_000]
    marks = _part(recorded.tracks[0], choice).labelled
    assert marks is not None
    assert marks.tolist() == [True, False]
