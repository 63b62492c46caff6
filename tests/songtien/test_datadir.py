import multiprocessing
import os
import stat
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from ingest.faults import ConfigError
from songtien import datadir

DEADLINE_S = 20.0


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    files = datadir.make(tmp_path / "a" / "b")
    assert files == datadir.Files.of(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    datadir.make(tmp_path / "a" / "b")  # it may be there


def test_a_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    with datadir.held(tmp_path), pytest.raises(ConfigError) as caught, datadir.held(tmp_path):
        pytest.fail("two services on one directory")
    (fault,) = caught.value.faults
    assert fault.value == str(tmp_path)
    assert f"process {os.getpid()} is using" in fault.accepted


def test_it_is_free_again_afterwards_and_names_its_new_holder(tmp_path: Path) -> None:
    with datadir.held(tmp_path):
        pass
    with datadir.held(tmp_path) as files:
        assert files.store.parent == tmp_path
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def hold(directory: Path, held: Event) -> None:
    with datadir.held(directory):
        held.set()
        multiprocessing.Event().wait()


def test_the_kernel_lets_go_when_the_holder_is_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=hold, args=(tmp_path, held))
    other.start()
    assert held.wait(DEADLINE_S)
    with pytest.raises(ConfigError, match=f"process {other.pid}"), datadir.held(tmp_path):
        pytest.fail("two services on one directory")
    other.kill()
    other.join(DEADLINE_S)
    with datadir.held(tmp_path):
        pass


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_what_can_not_be_a_directory_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="a writable directory"):
        datadir.make(tmp_path / name)


def test_a_lock_that_can_not_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(ConfigError, match="lock can be written"), datadir.held(tmp_path):
        pytest.fail("held without a lock")
