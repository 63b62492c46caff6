"""A copy taken while entries come in is one moment of the service, and comes back as that."""

import json
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.faults import ConfigError
from ingest.journal import Config, Entry, Journal, Messages, SchemaError
from ingest.store import Store
from songtien import backup as backups
from songtien import datadir, upkeep
from songtien import pipeline as pipelines
from songtien import restore as restores
from songtien.backup import BackupError, Manifest, backup
from songtien.cli import app
from songtien.pipeline import Pipeline
from songtien.restore import restore
from tests.ingest.full_disk import full_disk
from tests.songtien.feed import BEGIN_MS, REGISTRY, ROOT, RULES, probe
from tests.songtien.life import Clock, Killed, until

MINUTE = 60_000
TABLES = ("series", "reading", "lane_interval", "dead_letter", "device", "alert", "alert_event")
Rows = dict[str, list[tuple[Any, ...]]]


def unshown(_what: str, _far: float) -> None:
    return


class Running:
    """A pipeline over a data directory, with entries that are easy to tell apart."""

    def __init__(self, directory: Path, journal_days: float = 0.0) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.files = datadir.Files.of(directory)
        self.clock = Clock(BEGIN_MS)
        self.journal = Journal(self.files.journal, self.clock)
        self.store = Store(self.files.store)
        self.pipeline = Pipeline(
            self.journal,
            self.store,
            root=ROOT,
            clock_ms=self.clock,
            journal_days=journal_days,
            window_days=1e4,
        )
        self.pipeline.catch_up()

    def append(self, entry: Entry) -> int:
        self.clock.ms += 1000
        return self.journal.append(entry)

    def hear(self, count: int) -> None:
        """As many entries, each of ten samples that nothing else has, and a bad one."""
        for _ in range(count):
            at = self.journal.last_position
            said = [
                probe("mt-01", BEGIN_MS + (at * 10 + n) * 1000, sal_g_l=9.0 if at % 7 == 3 else 1.0)
                for n in range(10)
            ]
            said.append((f"{ROOT}/v1/nonsense", b"{%d" % at))
            self.append(Messages([topic for topic, _ in said], [body for _, body in said]))

    def take(self, at_once: int = 4) -> None:
        while entries := self.journal.after(self.pipeline.position, at_once):
            self.pipeline.commit(entries)

    def tidy(self) -> None:
        """A checkpoint, and the journal trimmed up to it."""
        self.clock.ms += 1000
        self.pipeline._checkpoint()
        self.pipeline.upkeep.forget(self.pipeline.position, self.pipeline._checkpointed)

    def dump(self) -> Rows:
        with closing(sqlite3.connect(self.files.store)) as connection:
            return {
                table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in TABLES
            }

    def close(self) -> None:
        self.store.close()
        self.journal.close()


@contextmanager
def running(directory: Path, journal_days: float = 0.0) -> Iterator[Running]:
    opened = Running(directory, journal_days)
    try:
        yield opened
    finally:
        opened.close()


def fed(directory: Path, count: int) -> Running:
    """Entries taken, the last two only in the journal, and an officer."""
    opened = Running(directory)
    opened.append(Config(REGISTRY, RULES, 30.0))
    opened.hear(count - 2)
    opened.take()
    opened.hear(2)
    with closing(sqlite3.connect(opened.files.auth)) as connection:
        connection.execute("CREATE TABLE token(id)")
        connection.execute("INSERT INTO token VALUES ('a')")
        connection.commit()
    return opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data directory of 30 entries, that nobody holds."""
    fed(tmp_path / "data", 30).close()
    return tmp_path / "data"


@pytest.fixture
def copy(tmp_path: Path, source: Path) -> Path:
    taken(source, tmp_path / "copy")
    return tmp_path / "copy"


def taken(source: Path, target: Path, shown: Callable[[str, float], None] = unshown) -> Manifest:
    return backup(datadir.Files.of(source), target, now_ms=BEGIN_MS, shown=shown)


def put_back(copy: Path, directory: Path, *, replace: bool = False) -> restores.Restored:
    return restore(copy, directory, replace=replace, now_ms=BEGIN_MS, shown=unshown)


def of_the_first(count: int, directory: Path) -> Rows:
    """What a store holds that has taken the same entries, and no more, undisturbed."""
    with running(directory) as untroubled:
        untroubled.append(Config(REGISTRY, RULES, 30.0))
        untroubled.hear(count)
        untroubled.take(1)
        return untroubled.dump()


def checked(copy: Path, directory: Path, scratch: Path) -> None:
    """A copy is restored, catches up, and has what its journal's entries say."""
    manifest = put_back(copy, directory).manifest
    with running(directory) as again:
        assert again.journal.last_position == manifest.positions.journal
        assert again.store.position == manifest.positions.stored
        again.take()
        assert again.dump() == of_the_first(manifest.positions.journal - 1, scratch)
        again.hear(1)
        again.take()
        assert again.store.position == manifest.positions.journal + 1


def untouched(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name not in {"lock", "store.sqlite-shm", "journal.sqlite-shm"}
    }


# Taking it.


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


# Its way back.


def test_it_comes_back_and_goes_on(copy: Path, tmp_path: Path) -> None:
    checked(copy, tmp_path / "again", tmp_path / "scratch")
    with closing(sqlite3.connect(tmp_path / "again" / "auth.sqlite")) as connection:
        assert connection.execute("SELECT id FROM token").fetchall() == [("a",)]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "again").glob("*.sqlite")}
    assert modes == {0o600}


def test_a_screen_and_the_historian_begin_anew(source: Path, tmp_path: Path) -> None:
    """What the service told after the backup has positions that will be others' now."""
    with closing(Store(source / "store.sqlite")) as store:
        store.set_meta("alerts_epoch", "a1")
        store.drain_to("influxdb://127.0.0.1:8086/b", BEGIN_MS)
    taken(source, tmp_path / "copy")
    put_back(tmp_path / "copy", tmp_path / "again")
    with closing(Store(tmp_path / "again" / "store.sqlite")) as store:
        assert store.meta("alerts_epoch") is None
        assert store.meta("drain_target") is None
        assert store.position == 29


def test_it_is_refused_while_a_service_holds_the_directory(copy: Path, tmp_path: Path) -> None:
    with (
        datadir.held(tmp_path / "again"),
        pytest.raises(ConfigError, match=f"process {os.getpid()} is using"),
    ):
        put_back(copy, tmp_path / "again", replace=True)


def test_what_stands_there_is_kept(copy: Path, source: Path) -> None:
    before = untouched(source)
    with pytest.raises(ConfigError, match=r"store\.sqlite stands in it. With --replace"):
        put_back(copy, source)
    assert untouched(source) == before
    done = put_back(copy, source, replace=True)
    assert done.aside == source / "replaced-20251229T092000.000Z"
    assert untouched(done.aside) == before
    with running(source) as again:
        again.take()
        assert again.store.position == 31


@pytest.mark.parametrize("name", ["store.sqlite", "journal.sqlite", "auth.sqlite"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_a_damaged_backup_touches_nothing(copy: Path, source: Path, name: str, damage: str) -> None:
    body = (copy / name).read_bytes()
    (copy / name).unlink()
    if damage != "missing":
        half = len(body) // 2
        after = body[half + 1 :] if damage == "changed" else b""
        (copy / name).write_bytes(body[:half] + bytes([body[half] ^ 1]) + after)
    before = untouched(source)
    with pytest.raises(BackupError, match=f"the backup is damaged: .*{name}"):
        put_back(copy, source, replace=True)
    assert untouched(source) == before
    with pytest.raises(BackupError, match="the backup is damaged"):
        put_back(copy, source.parent / "new")
    assert not (source.parent / "new").exists()


def _edited(copy: Path, **words: object) -> None:
    manifest = json.loads((copy / "manifest.json").read_text()) | words
    (copy / "manifest.json").write_text(json.dumps(manifest))


def test_what_is_no_backup_is_told(copy: Path, tmp_path: Path) -> None:
    files = json.loads((copy / "manifest.json").read_text())["files"]
    for words, told in (
        ({"files": [*files, {**files[0], "name": "../../lock"}]}, "files named store.sqlite"),
        ({"files": [files[0], *files]}, "each once"),
        ({"files": files[1:]}, "store.sqlite and journal.sqlite in"),
        ({"files": files, "format": 2}, "format 1 or older, this one is in 2"),
        ({"files": "?", "format": 1}, "Expected `array`"),
    ):
        _edited(copy, **words)
        with pytest.raises(ConfigError, match=rf"restore: DIR = .*{told}"):
            put_back(copy, tmp_path / "again")
    (copy / "manifest.json").unlink()
    with pytest.raises(ConfigError, match=r"No such file or directory: manifest\.json"):
        put_back(copy, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_backup_of_a_newer_version_is_told(copy: Path, tmp_path: Path) -> None:
    files = json.loads((copy / "manifest.json").read_text())["files"]
    _edited(copy, files=[{**files[0], "schema": 99}, *files[1:]])
    with pytest.raises(SchemaError, match=r"store\.sqlite: schema version 99"):
        put_back(copy, tmp_path / "again")


def test_restored_onto_a_full_disk_all_is_as_it_was(copy: Path, source: Path) -> None:
    before = untouched(source)
    (source.parent / "small").write_bytes(b"x" * 50_000)
    with full_disk(source.parent / "small"), pytest.raises(BackupError, match="nothing was rest"):
        put_back(copy, source, replace=True)
    assert untouched(source) == before


@pytest.mark.parametrize("dies_at", range(1, 7))
def test_killed_at_any_rename_no_service_starts_on_half_of_it(
    copy: Path, source: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Nothing of the older files is lost, and the same command once more puts it right."""
    before = untouched(source)
    left = dies_at
    rename = Path.rename

    def dying(self: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        with pytest.raises(Killed):
            put_back(copy, source, replace=True)
    with pytest.raises(ConfigError, match="`songtien restore` was cut short"), datadir.held(source):
        pytest.fail("a service on half a restore")
    restore(copy, source, replace=True, now_ms=BEGIN_MS + 1, shown=unshown)
    with datadir.held(source), running(source) as again:
        again.take()
        assert again.store.position == 31
    kept = [untouched(aside) for aside in source.glob("replaced-*")]
    for name, body in before.items():
        assert any(each.get(name) == body for each in kept), name


# The commands.


def songtien(data: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), env={"SONGTIEN_DATA__DIR": str(data)})
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
def test_nothing_to_copy_is_told(tmp_path: Path) -> None:
    code, said = songtien(tmp_path / "data", "backup", str(tmp_path / "copy"))
    assert code == 2
    assert "a directory that a service has written to" in said
    assert not (tmp_path / "copy").exists()
