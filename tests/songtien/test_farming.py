"""The farmers' part, wired as in a service, on files of its own."""

from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from alerts.farmers import outbox
from alerts.farmers.person import Follow
from alerts.farmers.place import Place
from alerts.farmers.roll import Done, Entry
from ingest.history import StoreReader
from ingest.store import Store
from songtien import datadir
from songtien.farming import NO_PUSH_KEY, Farming
from songtien.news import Pictures
from songtien.screens import Screens
from songtien.settings import load_settings
from songtien.telling.breaker import Breaker, Way
from songtien.telling.moves import keep_breaker
from songtien.telling.telling import Telling
from tests.alerts.river.test_advisor import PUMP, registry
from tests.e2e.running import eventually
from tests.songtien.past import parts
from tests.telling.world import BEGIN_MS, FOLLOWS


def farming(
    directory: Path, files: ExitStack, channel: str, **said: str
) -> tuple[Farming, Telling]:
    """One life, with one channel."""
    said = said or {"KIND": "file", "PATH": str(directory / "told.jsonl")}
    environ = {f"SONGTIEN_CHANNEL__{channel.upper()}__{key}": said[key] for key in said}
    settings = load_settings(None, environ)
    paths = datadir.make(directory)
    store = Store(paths.store)
    files.callback(store.close)
    store.prepare(outbox.create)
    reader = StoreReader(paths.store)
    files.callback(reader.close)
    made = Farming(settings, paths, files, lambda: BEGIN_MS)
    screens = cast(Screens, None)  # asked for answers once somebody is thought about
    telling, _ = made.senders(files, reader, screens, lambda _error: None)
    return made, telling


def test_people_of_a_channel_that_was_renamed_are_not_forgotten_in_silence(tmp_path: Path) -> None:
    entry = Entry(1, "+84912000001", FOLLOWS, None, "vi", "2026-01-02")
    with ExitStack() as files:
        before, telling = farming(tmp_path, files, "loa")
        [line] = before.people.roster.take([entry], "loa", "nga", BEGIN_MS, dry_run=False)
        assert line.done is Done.DONE
        assert telling.trouble == {}
    with ExitStack() as files:
        _, telling = farming(tmp_path, files, "loa_moi")
        assert list(telling.trouble) == ["loa"]


def test_the_page_stands_in_short_messages_as_people_type_it(tmp_path: Path) -> None:
    told = tmp_path / "told.jsonl"
    entry = Entry(1, "+84912000001", FOLLOWS, None, "vi", "2026-01-02")
    said = {
        "SONGTIEN_FARMERS__SITE": "https://tien.example.vn/nong-dan",
        "SONGTIEN_CHANNEL__LOA__KIND": "file",
        "SONGTIEN_CHANNEL__LOA__FORM": "sms",
        "SONGTIEN_CHANNEL__LOA__PATH": str(told),
    }
    paths = datadir.make(tmp_path)
    pictures = Pictures({}, {}, {})
    screens = cast(Screens, SimpleNamespace(pictures=pictures, parts=parts()))
    with ExitStack() as files:
        store = files.enter_context(closing(Store(paths.store)))
        store.prepare(outbox.create)
        reader = files.enter_context(closing(StoreReader(paths.store)))
        made = Farming(load_settings(None, said), paths, files, lambda: BEGIN_MS)
        telling, overview = made.senders(files, reader, screens, lambda _error: None)
        made.people.roster.take([entry], "loa", "nga", BEGIN_MS, dry_run=False)
        made.people.sweep(BEGIN_MS)
        telling.start()
        files.callback(telling.stop)
        eventually(lambda: telling.status()[0].sent == 1, "the welcome")
        assert "hoac vao tien.example.vn/nong-dan." in told.read_text()
        # What a bulletin would cost is counted in the same words.
        door = made.door(screens, overview)
        assert door.site == "tien.example.vn/nong-dan"
        assert door.telling.held_up == telling.held_up


def test_who_is_given_a_place_by_a_list_is_told_of_the_spell_that_runs_there(
    tmp_path: Path,
) -> None:
    """Its begin was told before, and the first welcome was of another place."""
    told = tmp_path / "told.jsonl"
    said = {"KIND": "file", "FORM": "sms", "PATH": str(told)}
    environ = {f"SONGTIEN_CHANNEL__LOA__{key}": value for key, value in said.items()}
    here, there = (Follow(Place("a", side), "durian", 500) for side in ("field", "river"))
    spell = {str(there.place): {there.level_mg_l: {"spell": BEGIN_MS - 3_600_000}}}
    screens = SimpleNamespace(
        pictures=Pictures({}, {}, {}, spell), parts=SimpleNamespace(registry=registry(PUMP))
    )
    now_ms = BEGIN_MS
    with ExitStack() as files:
        paths = datadir.make(tmp_path)
        store = files.enter_context(closing(Store(paths.store)))
        store.prepare(outbox.create)
        reader = files.enter_context(closing(StoreReader(paths.store)))
        made = Farming(load_settings(None, environ), paths, files, lambda: now_ms)
        telling, _ = made.senders(files, reader, cast(Screens, screens), lambda _error: None)
        telling.start()
        files.callback(telling.stop)
        for follow, sent in ((here, 1), (there, 2), (there, 2)):
            entry = Entry(1, "+84912000001", (follow,), None, "vi", "2026-01-02")
            made.people.roster.take([entry], "loa", "nga", now_ms, dry_run=False)
            made.people.sweep(now_ms)
            eventually(lambda: telling.status()[0].sent == sent, "the welcome")  # noqa: B023
            now_ms += 60_000
        first, second = told.read_text().splitlines()
    assert "KHONG LAY NUOC" not in first
    assert "KHONG LAY NUOC tai Cong A, ngoai song: dang co dot man" in second


def test_the_page_learns_that_a_channel_does_not_answer_and_not_why(tmp_path: Path) -> None:
    with ExitStack() as files:
        before, _ = farming(tmp_path, files, "loa")
        with before.deliveries._writing() as connection:
            opened = Breaker(Way.OPEN, 5, opened=1, until_ms=BEGIN_MS + 1000, why="no answer")
            keep_breaker(connection, "loa", opened)
    with ExitStack() as files:
        _, telling = farming(tmp_path, files, "loa")
        assert telling.held_up("loa") is True
        assert telling.held_up("fax") is False
    with ExitStack() as files:
        _, telling = farming(tmp_path, files, "loa_moi")
        assert telling.held_up("loa_moi") is False


def test_a_key_of_browsers_that_is_missing_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    push = {"KIND": "webpush", "CONTACT": "mailto:a@example.vn"}
    entry = Entry(1, '{"endpoint": "https://push.example.vn/1"}', FOLLOWS, None, "vi", "2026-01-02")
    for _ in range(2):
        with ExitStack() as files:
            before, _ = farming(tmp_path, files, "push", **push)
            before.people.roster.take([entry], "push", "nga", BEGIN_MS, dry_run=False)
    assert NO_PUSH_KEY not in caplog.messages
    (tmp_path / "channel-push.key").unlink()
    with ExitStack() as files:
        farming(tmp_path, files, "push", **push)
    assert caplog.messages.count(NO_PUSH_KEY) == 1
