"""A file system of a few megabytes, which can be filled to the last byte and freed again."""

import subprocess
import time
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

BLOCK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A tmpfs at `path`. Mounting needs root, and in a container the right to do it."""

    path: Path
    megabytes: int = 48

    def mount(self) -> str:
        """Empty when it is mounted, else why it can't be."""
        self.path.mkdir(parents=True, exist_ok=True)
        options = f"size={self.megabytes}m,mode=700"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        except OSError as error:
            return str(error)
        return "" if done.returncode == 0 else done.stderr.strip() or "mount failed"

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> int:
        """Not one byte is left; returns how many there were."""
        with self._ballast.open("ab", buffering=0) as file:
            before = file.tell()
            for size in (BLOCK_BYTES, 4096, 1):
                while _fits(file, size):
                    pass
            return file.tell() - before

    def free(self) -> float:
        """There is room again, since this `time.monotonic()`."""
        self._ballast.unlink(missing_ok=True)
        return time.monotonic()

    def unmount(self) -> None:
        # Lazily: a process that was killed a moment ago may still hold a file.
        subprocess.run(["umount", "-l", str(self.path)], check=True, timeout=20)


def _fits(file: FileIO, size: int) -> bool:
    try:
        return file.write(bytes(size)) == size
    except OSError:
        return False
