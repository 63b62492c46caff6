"""A copy taken while entries come in is one moment of the service, and comes back as that."""

import json
import os
import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.farmers.person import Follow
from alerts.farmers.place import Place
from api.people import Wish
from api.people.addresses import AddressKind
from api.people.people import People
from api.people.vault import VaultError
from ingest.faults import ConfigError
from ingest.journal import Config, SchemaError
from songtien import backup as backups
from songtien import pipeline as pipelines
from songtien import upkeep
from songtien.backup import BackupError
from songtien.cli import app
from songtien.telling.channels.webpush import signer
from songtien.telling.deliveries import Deliveries
from tests.ingest.full_disk import full_disk
from tests.songtien.feed import REGISTRY, RULES
from tests.songtien.kept import Running, checked, fed, put_back, running, taken
from tests.songtien.life import until


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data directory of 30 entries, that nobody holds."""
    fed(tmp_path / "data", 30).close()
    return tmp_path / "data"


@pytest.fixture
def copy(tmp_path: Path, source: Path) -> Path:
    taken(source, tmp_path / "copy")
    return tmp_path / "copy"


def test_what_is_written_meanwhile_is_not_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One moment, however long the copying takes, and though pages change behind it."""
    monkeypatch.setattr(backups, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr(backups, "PAUSE_MAX_S", 0.0)
    opened = fed(tmp_path / "data", 40)
    steps = 0

    def write(_what: str, _far: float) -> None:
        nonlocal steps
        steps += 1
        if steps % 3 == 1:
            opened.hear(1)
            opened.take()
            opened.tidy()

    manifest = taken(tmp_path / "data", tmp_path / "copy", write)
    assert steps > 30
    assert opened.store.position >= manifest.positions.journal + 10
    opened.close()
    found = manifest.positions
    assert (found.checkpoint, found.stored, found.journal, found.behind) == (0, 39, 41, 41)
    checked(tmp_path / "copy", tmp_path / "again", tmp_path / "scratch")


def test_a_journal_trimmed_between_the_two_is_copied_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store seen before a checkpoint and the journal after it would leave a gap."""
    opened = fed(tmp_path / "data", 20)
    opened.take()
    opened.tidy()
    opened.hear(5)
    opened.take()
    seen = []
    as_of_now = backups._as_of_now

    def slowly(path: Path) -> sqlite3.Connection:
        seen.append(path.name)
        if seen.count("journal.sqlite") == 1 and path.name == "journal.sqlite":
            opened.tidy()
            assert opened.journal.first_position == 0
        return as_of_now(path)

    monkeypatch.setattr(backups, "_as_of_now", slowly)
    manifest = taken(tmp_path / "data", tmp_path / "copy")
    assert seen.count("store.sqlite") == 2
    assert manifest.positions.checkpoint == opened.journal.last_position
    opened.close()
    with_gap = backups.Positions(checkpoint=21, stored=26, journal=26, behind=0)
    assert not with_gap.together
    put_back(tmp_path / "copy", tmp_path / "again")
    with running(tmp_path / "again") as again:
        assert again.pipeline.position == manifest.positions.journal
        again.hear(1)
        again.take()


def test_many_while_a_pipeline_runs_and_trims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "CHECKPOINT_EVERY_ENTRIES", 3)
    monkeypatch.setattr(upkeep, "FORGET_EVERY_S", 0.0)
    monkeypatch.setattr(backups, "PAGES_AT_ONCE", 2)
    monkeypatch.setattr(backups, "PAUSE_MAX_S", 0.001)
    # Time passes by the entries alone: with ticks among them nobody could say which they are.
    monkeypatch.setattr(pipelines.Pipeline, "_tick", lambda _pipeline: False)
    opened = Running(tmp_path / "data")
    opened.append(Config(REGISTRY, RULES, 30.0))
    enough = threading.Event()

    def feed() -> None:
        while not enough.is_set():
            opened.hear(1)
            opened.pipeline.wake()
            enough.wait(0.002)
        opened.pipeline.stop(60.0)

    threads = [
        threading.Thread(target=feed),
        threading.Thread(target=opened.pipeline.run, args=(lambda _news: None,)),
    ]
    for thread in threads:
        thread.start()
    until(lambda: opened.store.checkpoint() is not None)
    try:
        made = [taken(tmp_path / "data", tmp_path / f"copy-{n}").positions for n in range(8)]
    finally:
        enough.set()
        for thread in threads:
            thread.join(60.0)
        opened.close()
    assert [each.together for each in made] == [True] * 8
    assert made[-1].journal > made[0].journal
    assert made[-1].checkpoint > made[0].checkpoint, "the journal was trimmed meanwhile"
    for n in (0, 3, 7):
        checked(tmp_path / f"copy-{n}", tmp_path / f"again-{n}", tmp_path / f"scratch-{n}")


def test_it_says_what_it_holds_and_is_for_its_owner_alone(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    assert manifest["format"] == 1
    assert manifest["taken_at"] == "2025-12-29T09:20:00+00:00"
    assert manifest["positions"] == {"checkpoint": 0, "stored": 29, "journal": 31, "behind": 31}
    assert [file["name"] for file in manifest["files"]] == [
        "store.sqlite",
        "journal.sqlite",
        "auth.sqlite",
    ]
    for file in manifest["files"]:
        path = copy / file["name"]
        assert path.stat().st_size == file["bytes"]
        assert backups.digest_of(path) == file["sha256"]
    assert manifest["files"][0]["schema"] == backups.SCHEMAS["store.sqlite"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in copy.iterdir()} == {0o600}
    assert {path.name for path in copy.parent.iterdir()} == {"data", "copy"}


def test_it_takes_an_empty_directory_and_no_other(source: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    taken(source, tmp_path / "empty")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("empty", "file", "link", "data", "not/there"):
        with pytest.raises(ConfigError, match=r"backup: DIR = .*a directory"):
            taken(source, tmp_path / name)
    assert not (tmp_path / "nowhere").exists()


def test_files_of_two_services_are_no_backup(source: Path, tmp_path: Path) -> None:
    fed(tmp_path / "other", 8).close()
    shutil.copy(tmp_path / "other" / "journal.sqlite", source / "journal.sqlite")
    with pytest.raises(BackupError, match=r"do not belong together: .* up to 9 .*committed 29"):
        taken(source, tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"data", "other"}


def test_a_damaged_file_is_no_backup(source: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source / "store.sqlite", isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'dead_letter'"
        ).fetchone()[0]
    with (source / "store.sqlite").open("r+b") as file:
        file.seek((page - 1) * 4096 + 100)
        file.write(b"\xff" * 2000)
    with pytest.raises(BackupError, match=r"store\.sqlite of the data directory is damaged"):
        taken(source, tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


@pytest.mark.parametrize("null", [False, True])
def test_a_null_is_damage_only_where_there_is_one(
    source: Path, tmp_path: Path, *, null: bool
) -> None:
    """Debian 12's SQLite sees one in each row of a table such as this."""
    with closing(sqlite3.connect(source / "store.sqlite")) as connection:
        connection.execute("DROP TABLE lane_interval")
        connection.execute(
            "CREATE TABLE lane_interval(t1 INTEGER NOT NULL, body BLOB, pos INTEGER NOT NULL,"
            " PRIMARY KEY(t1, pos)) WITHOUT ROWID"
        )
        for t1, body in ((1, b"x"), (2, None if null else b"x")):
            connection.execute("INSERT INTO lane_interval VALUES (?, ?, 1)", (t1, body))
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'BLOB', 'BLOB NOT NULL')"
            " WHERE name = 'lane_interval'"
        )
        connection.commit()
    if null:
        with pytest.raises(BackupError, match=r"damaged: NULL value in lane_interval\.body"):
            taken(source, tmp_path / "copy")
    else:
        taken(source, tmp_path / "copy")


def test_a_disk_that_fills_up_leaves_nothing(source: Path, tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"x" * 50_000)
    with (
        full_disk(tmp_path / "small"),
        pytest.raises(BackupError, match=r"no backup was made, nothing is left of it"),
    ):
        taken(source, tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"data", "small"}


def test_it_does_not_fill_the_disk_of_the_service(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "SPARE_BYTES", 2**62)
    with pytest.raises(BackupError, match="bytes are free; the copy takes"):
        taken(source, tmp_path / "copy")
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_told_to_end_it_leaves_nothing(source: Path, tmp_path: Path) -> None:
    def interrupted(_what: str, _far: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taken(source, tmp_path / "copy", interrupted)
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_a_file_of_a_newer_version_is_not_copied(source: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source / "store.sqlite")) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(SchemaError, match=r"store\.sqlite: schema version 99; .* reads"):
        taken(source, tmp_path / "copy")


# The commands.


def songtien(data: Path, *words: str, **environ: str) -> tuple[int, str]:
    settings = {"SONGTIEN_DATA__DIR": str(data), **environ}
    result = CliRunner().invoke(app, list(words), env=settings)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.fixture
def as_nice_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests run the command in their own process."""
    monkeypatch.setattr(os, "nice", lambda _more: 0)


@pytest.mark.usefixtures("as_nice_as_before")
def test_the_commands_say_what_they_did(source: Path, tmp_path: Path) -> None:
    code, said = songtien(source, "backup", str(tmp_path / "copy"))
    assert code == 0
    assert "readings up to entry 29, messages up to entry 31 of the journal" in said
    assert "auth.sqlite" in said
    assert songtien(source, "backup", str(tmp_path / "copy"))[0] == 2
    code, said = songtien(source, "restore", str(tmp_path / "copy"))
    assert code == 2
    assert "--replace" in said
    code, said = songtien(source, "restore", "--replace", str(tmp_path / "copy"))
    assert code == 0
    assert "what stood there is in" in said
    (tmp_path / "copy" / "auth.sqlite").write_bytes(b"")
    code, said = songtien(tmp_path / "new", "restore", str(tmp_path / "copy"))
    assert code == 1
    assert len(said.splitlines()) == 1


@pytest.mark.usefixtures("as_nice_as_before")
def test_the_commands_name_the_keys_that_are_not_in_it(source: Path, tmp_path: Path) -> None:
    with closing(People(source, {}, lambda *_: True)):
        signer("push", source)
    code, said = songtien(source, "backup", str(tmp_path / "copy"))
    assert code == 0
    assert "keep copies of them elsewhere: channel-push.key, farmers.key\n" in said
    assert not list((tmp_path / "copy").glob("*.key*"))
    assert "put your copies" not in songtien(source, "restore", "--replace", f"{tmp_path}/copy")[1]
    new = tmp_path / "new"
    code, said = songtien(new, "restore", str(tmp_path / "copy"))
    assert code == 0
    assert said.splitlines()[-1].endswith(f"or people can't be told: {new / 'farmers.key'}")
    push = {"KIND": "webpush", "CONTACT": "mailto:a@example.vn"}
    environ = {f"SONGTIEN_CHANNEL__PUSH__{key}": push[key] for key in push}
    said = songtien(tmp_path / "other", "restore", f"{tmp_path}/copy", **environ)[1]
    assert said.rstrip().endswith("channel-push.key")


@pytest.mark.usefixtures("as_nice_as_before")
def test_nothing_to_copy_is_told(tmp_path: Path) -> None:
    code, said = songtien(tmp_path / "data", "backup", str(tmp_path / "copy"))
    assert code == 2
    assert "a directory that a service has written to" in said
    assert not (tmp_path / "copy").exists()


def test_who_asked_to_be_told_is_in_it_and_the_key_to_their_numbers_is_not(
    source: Path, tmp_path: Path
) -> None:
    deliveries = Deliveries(source / "telling.sqlite")
    people = People(source, {"sms": AddressKind.PHONE}, deliveries.direct)
    follow = Follow(Place("xuan-hoa", "river"), "durian", 500)
    people.signup(Wish("sms", "0912 345 678", (follow,)), "", 1_772_000_000_000)
    deliveries.close()
    people.close()
    manifest = taken(source, tmp_path / "copy")
    names = {file.name for file in manifest.files}
    assert {"farmers.sqlite", "telling.sqlite"} <= names
    assert not (tmp_path / "copy" / "farmers.key").exists()
    put_back(tmp_path / "copy", tmp_path / "new")
    with pytest.raises(VaultError):
        People(tmp_path / "new", {"sms": AddressKind.PHONE}, deliveries.direct)
    shutil.copy(source / "farmers.key", tmp_path / "new")
    again = People(tmp_path / "new", {"sms": AddressKind.PHONE}, deliveries.direct)
    person = again.person(1, 1_772_000_000_000)
    assert person is not None
    assert person.address.endswith("912345678")
    again.close()
