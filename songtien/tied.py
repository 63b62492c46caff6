"""Children that don't outlive us.

    python -m songtien.tied PARENT PROGRAM [ARGUMENT…]

becomes PROGRAM, which the kernel ends with SIGTERM when the process PARENT dies, even by
SIGKILL. That is Linux's PR_SET_PDEATHSIG. Elsewhere (macOS) PROGRAM is run as it is: there
a parent that is killed by SIGKILL leaves it running, and every other end stops it.

The tie is to the thread that started the child, so start children from the main thread.
"""

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def tie_to(parent: int) -> bool:
    """Have the kernel end this process with `parent`; False where it can't.

    Raises SystemExit where the parent has died already, which no signal would tell.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        raise SystemExit(1)
    return True


def main() -> None:
    """Tie this process, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    tie_to(parent)
    os.execv(program[0], program)  # noqa: S606 - the caller names the program


if __name__ == "__main__":
    main()
