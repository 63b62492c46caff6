"""A store that was brought back from a backup, beside what the senders knew then or at the end."""

import shutil
from pathlib import Path

import pytest

from alerts.farmers.notice import Kind
from tests.telling.world import BEGIN_MS, MINUTE_MS, THERE, World, notice

LATER_MS = BEGIN_MS + 90 * MINUTE_MS
FILES = ("store.sqlite", "telling.sqlite")


@pytest.mark.parametrize("newer", [True, False])
def test_who_was_told_after_the_backup_is_told_again_unless_the_newer_file_is_kept(
    tmp_path: Path, newer: bool
) -> None:
    """As `docs/backup.md` has it."""
    world = World(tmp_path)
    world.tell(notice(Kind.SALT), people=[1, 2])
    world.minutes(10)
    world.close()
    (tmp_path / "backup").mkdir()
    for name in FILES:
        shutil.copy(tmp_path / name, tmp_path / "backup")

    world = World(tmp_path)
    world.now_ms = LATER_MS
    fresh = notice(Kind.FRESH, LATER_MS)
    world.tell(fresh, people=[1, 2])
    world.minutes(10)
    told = {each.key: each.text.body for each in world.channel.parcels}
    assert sorted(told.values()) == ["1: fresh xuan-hoa/river", "2: fresh xuan-hoa/river"]
    world.close()

    for name in FILES[:1] if newer else FILES:
        shutil.copy(tmp_path / "backup" / name, tmp_path)
    world = World(tmp_path)
    world.now_ms = LATER_MS + 20 * MINUTE_MS
    # Gateways send again what the backup had not acknowledged, and something new comes behind.
    world.tell(fresh, people=[1, 2])
    world.minutes(10)
    again = {each.key: each.text.body for each in world.channel.parcels}
    assert again == ({} if newer else told)
    world.tell(notice(Kind.SALT, world.now_ms, THERE, event="spell-2"), people=[1, 2])
    world.minutes(10)
    assert len(world.channel.parcels) == len(again) + 2
    world.close()
