"""`songtien backup` while messages stream in, and a service that goes on from the copy."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from ingest.journal import Journal, Messages
from ingest.store import Store
from songtien.pipeline import Pipeline
from songtien.restore import restore
from tests.conftest import Mosquitto
from tests.e2e.running import Service, eventually, figures, now_ms, songtien
from tests.faults import feeds, oracle
from tests.faults.conftest import Serving
from tests.faults.ending import all_stored, as_sent, pairs, readings_in
from tests.faults.feeds import ROOT
from tests.faults.publishing import Publisher
from tests.faults.undisturbed import undisturbed

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(240)]

PROBES, CAMERAS = 8, 2
ROUNDS = 300
SPREAD_S = 25.0
BACKUPS_MAX = 4


def backed_up(service: Service, target: Path) -> float:
    """Take one by the command, as an operator would; gives the seconds that it took."""
    begun_s = time.monotonic()
    done = songtien("backup", str(target), settings=service.settings)
    assert done.returncode == 0, done.stderr
    assert "readings up to entry" in done.stdout
    return time.monotonic() - begun_s


def put_back(copy: Path, service: Service) -> None:
    done = songtien("restore", str(copy), settings=service.settings)
    assert done.returncode == 0, done.stderr


def heard(journal_file: Path) -> list[tuple[str, bytes]]:
    """What of the feed stands in a journal, in order."""
    with closing(Journal(journal_file, now_ms)) as journal:
        return [
            (topic, payload)
            for _, _, entry in journal.all_after(0)
            if isinstance(entry, Messages)
            for topic, payload in zip(entry.topics, entry.payloads, strict=True)
            if not topic.startswith(f"{ROOT}/v1/server/")
        ]


def caught_up(data: Path) -> None:
    """As a service would that starts here and hears nothing."""
    with (
        closing(Journal(data / "journal.sqlite", now_ms)) as journal,
        closing(Store(data / "store.sqlite")) as store,
    ):
        pipeline = Pipeline(
            journal, store, root=ROOT, clock_ms=now_ms, journal_days=30, window_days=1e4
        )
        pipeline.catch_up()
        while waiting := journal.after(pipeline.position, 16):
            pipeline.commit(waiting)


def test_taken_under_load_it_is_a_moment_of_the_feed_and_goes_on_from_there(
    serving: Serving, broker: Mosquitto, tmp_path: Path
) -> None:
    feed = feeds.river(
        11,
        end_ms=now_ms() - 60_000,
        rounds=ROUNDS,
        probes=PROBES,
        cameras=CAMERAS,
        poison=0.1,
        reboots=True,
    )
    registry = feeds.registry(PROBES, CAMERAS)
    quiet = undisturbed(feed, registry, begun_ms=now_ms())
    expected = oracle.content(feed, registry)
    service = serving(PROBES, CAMERAS)
    service.start()
    eventually(lambda: service.ready, "ready")
    token = service.token("operator")
    took_s: list[float] = []
    stored_before: list[int] = []
    with Publisher(broker.url, pairs(feed), SPREAD_S) as publisher:
        eventually(lambda: readings_in(service.data) > 0, "a first reading")
        while not publisher.done and len(took_s) < BACKUPS_MAX:
            stored_before.append(readings_in(service.data))
            took_s.append(backed_up(service, tmp_path / f"copy-{len(took_s)}"))
        eventually(lambda: publisher.done, "all acknowledged by the broker", 60)
    all_stored(service, expected)
    as_sent(service, expected, quiet)
    assert service.ready, "a backup is no trouble"

    lengths = []
    for n, before in enumerate(stored_before):
        directory = tmp_path / f"restored-{n}"
        restore(
            tmp_path / f"copy-{n}",
            directory,
            replace=False,
            now_ms=now_ms(),
            shown=lambda _what, _far: None,
        )
        said = heard(directory / "journal.sqlite")
        assert said == pairs(feed)[: len(said)], "the feed up to a moment, nothing left out"
        caught_up(directory)
        content = oracle.content(feed[: len(said)], registry)
        assert len(content.values) >= before, "all that was stored when it was begun"
        difference = oracle.store_differs(directory, content)
        assert not difference, f"backup {n}, {len(said)} messages: {difference}"
        lengths.append(len(said))
    assert lengths == sorted(lengths)
    assert 0 < lengths[0] < len(feed), "the first was taken in the middle"

    again = serving(PROBES, CAMERAS)
    put_back(tmp_path / "copy-0", again)
    service.kill()
    again.start()
    eventually(lambda: again.ready, "ready")
    assert again.get("/api/v1/dead-letters", token).status_code == 200, "the accounts are there"
    # What a gateway sends again that has kept all that `ack` had not covered.
    with Publisher(broker.url, pairs(feed[lengths[0] :]), 2.0) as publisher:
        eventually(lambda: publisher.done, "all acknowledged by the broker", 60)
    all_stored(again, expected)
    as_sent(again, expected, quiet, flags=False)
    figures(
        f"{len(feed)} messages in {SPREAD_S:g} s, {len(took_s)} backups in "
        f"{min(took_s):.1f} to {max(took_s):.1f} s, of {lengths} messages"
    )
