"""Who used the processor, from Linux's /proc: we, or others, whose rounds don't count."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

NOISE_MAX_CORES = 0.25
"""A round during which others took more than this says little."""

TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")
# Columns of a process's stat behind its name: parent, user, system, and those of children
# that have ended (proc(5)).
_PARENT, _FIRST, _LAST = 1, 11, 15
# Columns of the machine's: idle and waiting for disks are no work; guests stand in user.
_IDLE, _WAITING, _STEAL = 3, 4, 7


def cpu_s(pid: int) -> float:
    """Processor time of a process and of its children that have ended; 0 where it is gone."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return sum(map(int, fields[_FIRST:_LAST])) * TICK_S if fields else 0.0


def tree_cpu_s() -> float:
    """Processor time of this process and all that descend from it."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields:
            parents[int(stat.parent.name)] = int(fields[_PARENT])
    tree, ahead = set[int](), {os.getpid()}
    while ahead:
        tree |= ahead
        ahead = {child for child, parent in parents.items() if parent in ahead} - tree
    return sum(map(cpu_s, tree))


def busy_s() -> float:
    """Processor time that the whole machine has spent on work."""
    line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    ticks = [int(text) for text in line.split()[1 : _STEAL + 2]]
    return (sum(ticks) - ticks[_IDLE] - ticks[_WAITING]) * TICK_S


@dataclass(frozen=True, slots=True)
class Moment:
    """Readings of all clocks at one time."""

    wall_s: float
    busy_s: float
    ours_s: float

    @classmethod
    def now(cls) -> Self:
        return cls(time.perf_counter(), busy_s(), tree_cpu_s())

    def others_since(self, begin: Self) -> float:
        """How many cores others kept busy between two moments."""
        others_s = (self.busy_s - begin.busy_s) - (self.ours_s - begin.ours_s)
        return max(0.0, others_s / (self.wall_s - begin.wall_s))


def _fields(stat: Path) -> list[str]:
    try:
        text = stat.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(") ")[2].split()
