"""Recorded, replayed and recorded again, with a real mosquitto; and replays moved to the present."""

import asyncio
import json
import math
import random
from pathlib import Path

import pytest

from ingest.faults import ConfigError
from simulators.broker import Broker
from simulators.guard import LiveServiceError
from simulators.message import Message
from simulators.playback import Choice
from simulators.publish import Publisher
from simulators.record import Recorder
from simulators.recording import Gap, Writer, read, write_recording
from simulators.replay import Rebase
from simulators.run import MAX_SPEED, Plan, Report, replay
from tests.conftest import Mosquitto
from tests.simulators.listener import Heard, listening

T_MS = 1_767_000_000_000
NOW_MS = 1_800_000_000_000
PATIENCE_S = 20.0


def _obs(number: int, root: str = "tiengiang", step_ms: int = 60_000) -> Message:
    at_ms = T_MS + number * step_ms
    said = {"v": 1, "boot": 7, "seq": number + 1, "samples": [{"t": at_ms - 70, "sal_g_l": 0.5}]}
    topic = f"{root}/v1/salinity/vam-kenh/vk-01/obs"
    return Message(at_ms, topic, json.dumps(said).encode(), 1)


async def _replayed(path: Path, broker: Mosquitto, **more: object) -> tuple[Report, Heard]:
    async with listening(broker.url) as heard:
        report = await replay(
            path,
            broker_url=broker.url,
            clock_ms=lambda: NOW_MS,
            **({"speed": MAX_SPEED} | more),  # type: ignore[arg-type]
        )
        # What had been retained before comes too.
        await heard.until(
            lambda: sum(not old for _, _, old in heard.messages) >= report.acknowledged_messages
        )
    return report, heard


@pytest.mark.broker
def test_what_was_recorded_is_replayed_and_recorded_as_it_was(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    draw = random.Random(1)
    payloads = [draw.randbytes(draw.randrange(300)) for _ in range(200)]
    sent = [Message(0, f"lab/{draw.randrange(9)}/mặn", payload) for payload in payloads]
    sent += [_obs(number) for number in range(200)]
    draw.shuffle(sent)

    async def recorded(name: str, play: Path | None) -> None:
        recorder = Recorder(
            Broker.of(mosquitto.url),
            ["#"],
            lambda: Writer.to(tmp_path / name),
            clock_ms=lambda: T_MS,
        )
        stop = asyncio.Event()
        running = asyncio.create_task(recorder.run(stop))
        async with asyncio.timeout(PATIENCE_S):
            while not recorder.heard.messages:  # noqa: ASYNC110 - a count
                await asyncio.sleep(0.01)
            if play is None:
                await Publisher(Broker.of(mosquitto.url), sent).run()
            else:
                report = await replay(
                    play,
                    broker_url=mosquitto.url,
                    clock_ms=lambda: NOW_MS,
                    speed=MAX_SPEED,
                    choice=Choice(filters=("lab/+/+", "tiengiang/#")),
                )
                assert report.acknowledged_messages == len(sent)
                assert report.acknowledged_samples == 200
            while recorder.heard.messages < 1 + len(sent):  # noqa: ASYNC110 - a count
                await asyncio.sleep(0.01)
        stop.set()
        await running

    async def run() -> None:
        # By what is retained it is seen that a recorder has subscribed.
        first = Message(0, "lab/first", b"retained", retain=True)
        await Publisher(Broker.of(mosquitto.url), [first]).run()
        await recorded("first.jsonl.gz", None)
        await recorded("second.jsonl", tmp_path / "first.jsonl.gz")

    asyncio.run(run())
    for name in ("first.jsonl.gz", "second.jsonl"):
        came = [m for m in read(tmp_path / name).messages if m.topic != "lab/first"]
        assert [(m.topic, m.payload) for m in came] == [(m.topic, m.payload) for m in sent]


@pytest.mark.broker
def test_moved_to_the_present_samples_keep_their_delay(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    topic = "tiengiang/v1/salinity/vam-kenh/vk-01/state"
    state = Message(T_MS, topic, b'{"s":"ready","boot":7,"t":%d}' % (T_MS - 5), retain=True)
    write_recording(path, {}, (), [state, *map(_obs, range(10))])

    async def run() -> None:
        _, heard = await _replayed(path, mosquitto, rebase=Rebase.NOW)
        times = [sample["t"] for sample in heard.samples("vk-01")]
        assert times == [NOW_MS - 70 - (9 - n) * 60_000 for n in range(10)]
        assert {json.loads(p)["boot"] for _, p in heard.obs()} == {NOW_MS // 1000}
        (born,) = [json.loads(p) for name, p, _ in heard.messages if name == topic]
        assert born["boot"] == NOW_MS // 1000
        assert born["t"] == NOW_MS - 9 * 60_000 - 5
        async with listening(mosquitto.url, topic) as later:
            await later.until(lambda: bool(later.messages))
        assert later.messages[0][2]  # as it was recorded, it is retained

    asyncio.run(run())


@pytest.mark.broker
def test_passes_lie_behind_each_other_and_end_now(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_recording(path, {}, (), map(_obs, range(10)))
    plans: list[Plan] = []

    async def run() -> None:
        report, heard = await _replayed(
            path, mosquitto, rebase=Rebase.NOW, passes=3, planned=plans.append
        )
        times = [sample["t"] for sample in heard.samples("vk-01")]
        assert times == [NOW_MS - 70 - (29 - n) * 60_000 for n in range(30)]
        assert report.acknowledged_messages == 30

    asyncio.run(run())
    (plan,) = plans
    assert plan == Plan(30, NOW_MS - 29 * 60_000, NOW_MS, math.inf)


@pytest.mark.broker
def test_at_life_speed_each_comes_when_it_is_due_and_passes_follow(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    write_recording(path, {}, (), [_obs(number, step_ms=100) for number in range(4)])

    async def run() -> None:
        report, heard = await _replayed(path, mosquitto, speed=1.0, rebase=Rebase.NOW, passes=2)
        times = [sample["t"] for sample in heard.samples("vk-01")]
        assert times == [NOW_MS - 70 + 100 * n for n in range(8)]
        assert 0.7 <= report.duration_s < 1.2

    asyncio.run(run())


@pytest.mark.broker
def test_a_live_service_under_the_recorded_root_is_found(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    write_recording(path, {}, (), [_obs(number, "river") for number in range(3)])
    ready = Message(0, "river/v1/server/control-1/state", b'{"s":"ready"}', retain=True)

    async def run() -> None:
        await Publisher(Broker.of(mosquitto.url), [ready]).run()
        with pytest.raises(LiveServiceError):
            await _replayed(path, mosquitto)
        _, heard = await _replayed(path, mosquitto, root="test")
        assert [topic.split("/")[0] for topic, _ in heard.obs()] == ["test"] * 3
        _, heard = await _replayed(path, mosquitto, into_live=True)
        assert [json.loads(payload)["sim"] for _, payload in heard.obs()] == [True] * 3

    asyncio.run(run())


@pytest.mark.broker
def test_what_is_not_in_the_file_is_reported(mosquitto: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Writer.to(path) as writer:
        writer.message(T_MS, _obs(0).topic, _obs(0).payload)
        writer.gap(Gap(gap="connection lost", from_ms=T_MS, to_ms=T_MS + 5))
        writer.message(T_MS, "tiengiang/v1/server/h/state", b"{}")
        writer.message(T_MS, "lab/x", b"{}")
    path.write_bytes(path.read_bytes()[:-9])
    report, _ = asyncio.run(_replayed(path, mosquitto))
    assert (report.acknowledged_messages, report.gaps) == (1, 1)
    assert report.skipped == {"said by a service": 1}
    assert report.cut


def test_what_cannot_be_replayed_is_told(tmp_path: Path) -> None:
    recording, table = tmp_path / "a.jsonl", tmp_path / "a.txt"
    write_recording(recording, {}, (), [_obs(0)])
    table.write_text("t,s\n")

    def told(path: Path, **more: object) -> str:
        with pytest.raises(ConfigError) as caught:
            asyncio.run(
                replay(
                    path,
                    broker_url="mqtt://127.0.0.1:1",
                    clock_ms=lambda: NOW_MS,
                    **more,  # type: ignore[arg-type]
                )
            )
        return str(caught.value)

    assert "--loop = 2: each pass would send the same samples again" in told(recording, passes=2)
    future = told(recording, passes=None, rebase=Rebase.NOW, speed=2.0)
    assert "--loop = 0: " in future
    assert "runs into the future" in future
    assert "a number from 1" in told(recording, passes=0, rebase=Rebase.NOW)
    assert "accepted is a recording" in told(table)
