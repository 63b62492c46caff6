"""The same samples twice, shuffled, in other batches, amid poison; devices that start again."""

import json
import random
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence

import pytest

from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, pairs
from tests.faults.feeds import Sent
from tests.faults.sender import Gateway, numbers
from tests.faults.undisturbed import undisturbed

pytestmark = [pytest.mark.broker, pytest.mark.slow]

PROBES, CAMERAS = 6, 2
ROUNDS = 60
REGISTRY = feeds.registry(PROBES, CAMERAS)
OUT_OF_ORDER = 2
"""A message of a device comes before at most so many of its earlier ones, of 10 s each: within
the 30 s for which samples wait for earlier ones."""


def _drawn() -> tuple[int, random.Random]:
    seed = secrets.randbelow(2**32)
    print(f"seed = {seed}")  # noqa: T201 - shown when the test fails
    return seed, random.Random(seed)


def _river(seed: int, **more: bool) -> list[Sent]:
    return feeds.river(
        seed,
        end_ms=now_ms() - 60_000,
        rounds=ROUNDS,
        probes=PROBES,
        cameras=CAMERAS,
        poison=0.1,
        **more,
    )


def _deliver(broker: Mosquitto, *feeds_in_turn: Iterable[Sent]) -> None:
    for feed in feeds_in_turn:
        with Gateway(broker.url, pairs(list(feed))) as gateway:
            eventually(lambda: gateway.settled, "all covered", 90)


def _started(serving: Serving) -> Service:
    service = serving(PROBES, CAMERAS)
    service.start()
    eventually(lambda: service.ready, "ready")
    return service


def test_twice_then_shuffled_then_in_other_batches(serving: Serving, broker: Mosquitto) -> None:
    """What is known changes nothing, in whatever form it comes again."""
    seed, draw = _drawn()
    feed = _river(seed)
    expected = oracle.content(feed, REGISTRY)
    service = _started(serving)
    _deliver(broker, feed)
    all_stored(service, expected)
    stored = service.counted("samples_total/stored")
    assert stored == expected.stored
    again = _other_batches(feed, draw)
    _deliver(broker, feed, draw.sample(feed, len(feed)), again)
    eventually(lambda: not service.counted("samples_in_flight"), "nothing in flight")
    assert service.counted("samples_total/stored") == stored
    as_sent(service, expected, undisturbed(feed, REGISTRY, begun_ms=now_ms()))
    counted = service.metrics()
    figures(
        f"four times, in {3 * len(feed) + len(again)} messages: "
        f"{counted['songtien_samples_received_total']:.0f} samples, {stored} stored, "
        f"{counted['songtien_samples_total/duplicate']:.0f} duplicates, "
        f"{counted['songtien_samples_total/rejected']:.0f} rejected"
    )


def test_out_of_order_and_doubled_from_the_beginning(serving: Serving, broker: Mosquitto) -> None:
    """Within the time that samples wait for earlier ones, the order of arrival has no effect."""
    seed, draw = _drawn()
    # Of two values for one sample the first stands: the order would decide.
    feed = _river(seed, conflicts=False, reboots=True)
    expected = oracle.content(feed, REGISTRY)
    service = _started(serving)
    mixed = _out_of_order(feed, draw)
    assert mixed != feed
    assert set(mixed) == set(feed)
    _deliver(broker, mixed)
    all_stored(service, expected)
    as_sent(service, expected, undisturbed(feed, REGISTRY, begun_ms=now_ms()))
    counted = service.metrics()
    assert counted["songtien_samples_total/stored"] == expected.stored
    figures(
        f"out of order and doubled: {counted['songtien_samples_received_total']:.0f} samples, "
        f"{expected.stored} stored"
    )


BOOTS = {"p-0": (7, 8, 9), "p-1": (7, 3, 1), "p-2": (7, 8, 7), "p-3": (7, 7, 7)}
"""Of a device that starts again twice: its boot rises, falls, comes back, stays."""


def test_devices_that_start_again(serving: Serving, broker: Mosquitto) -> None:
    """Numbers begin at 1 each time, and nothing is dropped or taken for something else."""
    seed, _ = _drawn()
    good = [each for each in _river(seed) if not each.poison and each.topic.split("/")[4] in BOOTS]
    feed: list[Sent] = []
    so_far: dict[str, int] = defaultdict(int)
    for sent in good:
        device = sent.topic.split("/")[4]
        life, place = divmod(so_far[device], ROUNDS // 3)
        so_far[device] += 1
        feed.append(_numbered(sent, BOOTS[device][min(life, 2)], place + 1))
    expected = oracle.content(feed, REGISTRY)
    service = _started(serving)
    _deliver(broker, feed)
    all_stored(service, expected)
    as_sent(service, expected, undisturbed(feed, REGISTRY, begun_ms=now_ms()))
    counted = service.metrics()
    assert counted["songtien_samples_total/rejected"] == 0
    figures(f"{len(BOOTS)} devices started again twice: {expected.stored} samples stored")


def _numbered(sent: Sent, boot: int, seq: int) -> Sent:
    body = json.loads(sent.payload) | {"boot": boot, "seq": seq}
    return Sent(sent.topic, json.dumps(body).encode(), sent.poison)


def _out_of_order(feed: Sequence[Sent], draw: random.Random) -> list[Sent]:
    """Each message once or twice, no further from its place than is allowed.

    Numbers of a boot are not mixed with another's, and t rises with seq as it did. The first
    of a boot comes first: nothing says that there is one before it, so it is let through.
    """
    places: dict[str, int] = defaultdict(int)
    boots: dict[str, int] = {}
    keyed: list[tuple[float, Sent]] = []
    for sent in feed:
        boot, seq = numbers(sent.topic, sent.payload)
        device = sent.topic.rpartition("/")[0]
        first = seq is not None and boots.get(device) != boot
        if first:
            boots[device] = boot
            places[device] += OUT_OF_ORDER + 1  # behind the last of the boot before
        places[device] += not sent.poison
        for _ in range(draw.choice((1, 1, 2))):
            place = places[device] + (0.0 if first else draw.uniform(0, OUT_OF_ORDER))
            keyed.append((place, sent))
    return [sent for _, sent in sorted(keyed, key=lambda each: each[0])]


def _other_batches(feed: Sequence[Sent], draw: random.Random) -> list[Sent]:
    """The good samples again: cut otherwise, in messages of another boot, in any order."""
    samples: dict[str, list[object]] = defaultdict(list)
    for sent in feed:
        if not sent.poison:
            samples[sent.topic] += json.loads(sent.payload)["samples"]
    made: list[Sent] = []
    for topic, known in samples.items():
        draw.shuffle(known)
        seq = begin = 0
        while begin < len(known):
            end, seq = begin + draw.randint(1, 60), seq + 1
            body = {"v": 1, "boot": 50, "seq": seq, "samples": known[begin:end]}
            begin = end
            made.append(Sent(topic, json.dumps(body).encode()))
    return made
