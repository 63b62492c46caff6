"""A backup comes back whole or not at all, and takes nothing away."""

import json
import os
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.farmers.person import Follow
from alerts.farmers.place import Place
from alerts.webhook import Undelivered
from api.people import Wish
from api.people.addresses import AddressKind
from api.people.people import People
from ingest.faults import ConfigError
from ingest.journal import SchemaError
from ingest.store import Store
from songtien import datadir
from songtien.backup import BackupError
from songtien.delivery_log import DeliveryLog
from songtien.restore import restore
from tests.ingest.full_disk import full_disk
from tests.songtien.feed import BEGIN_MS
from tests.songtien.kept import checked, fed, put_back, running, taken, unshown, untouched
from tests.songtien.life import Killed


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data directory of 30 entries, that nobody holds."""
    fed(tmp_path / "data", 30).close()
    return tmp_path / "data"


@pytest.fixture
def copy(tmp_path: Path, source: Path) -> Path:
    taken(source, tmp_path / "copy")
    return tmp_path / "copy"


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


def test_who_has_stopped_since_the_backup_is_not_told_again(source: Path, tmp_path: Path) -> None:
    codes: list[str] = []

    def direct(_to: int, _channel: str, kind: str, said: Mapping[str, Any], *_more: object) -> None:
        codes.extend([said["code"]] if kind == "code" else [])

    def opened() -> People:
        return People(source, {"sms": AddressKind.PHONE}, direct)

    def joined(people: People, phone: str) -> str:
        follow = Follow(Place("xuan-hoa", "river"), "durian", 500)
        request = people.signup(Wish("sms", phone, (follow,)), "", BEGIN_MS).request
        return people.confirm(request, codes[-1], BEGIN_MS).token

    with closing(opened()) as people:
        stays, leaves = joined(people, "0912345678"), joined(people, "0987654321")
    taken(source, tmp_path / "people")
    with closing(opened()) as people:
        assert people.stop(leaves, BEGIN_MS)
    put_back(tmp_path / "people", source, replace=True)
    with closing(opened()) as people:
        assert people.by_token(stays, BEGIN_MS) is not None
        assert people.by_token(leaves, BEGIN_MS) is None
        assert people.counts(BEGIN_MS).do_not_contact == 1
        assert people.counts(BEGIN_MS).by_place == {"xuan-hoa/river": 1}
    (source / "farmers.sqlite").write_bytes(b"damaged" * 1000)
    restore(tmp_path / "people", source, replace=True, now_ms=BEGIN_MS + 1, shown=unshown)
    with closing(opened()) as people:
        assert people.by_token(leaves, BEGIN_MS) is not None


def test_receivers_of_webhooks_go_on_where_the_backup_was(source: Path, tmp_path: Path) -> None:
    """What waited then is sent, and what came after the backup is no part of the log."""
    given_up = Undelivered(3, "k", "a-1", "raised", BEGIN_MS, BEGIN_MS, 5, "refused")
    with closing(DeliveryLog(source / "webhooks.sqlite")) as log:
        assert log.begin(["civil"], 5) == {"civil": 5}
        log.move("civil", 7, given_up)
    taken(source, tmp_path / "sent")
    with closing(DeliveryLog(source / "webhooks.sqlite")) as log:
        log.move("civil", 12)
    for directory in (source, tmp_path / "new"):
        put_back(tmp_path / "sent", directory, replace=True)
        with closing(DeliveryLog(directory / "webhooks.sqlite")) as log:
            assert log.undelivered("civil", 10) == (1, (given_up,))
            assert log.begin(["civil"], 9) == {"civil": 7}
            assert log.begin(["civil"], 6) == {"civil": 6}


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
