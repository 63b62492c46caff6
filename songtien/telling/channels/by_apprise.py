"""ntfy and the other services that the library apprise knows.

apprise logs what it sends and to whom, follows redirects and has no deadline for a whole message:
so it runs in a process of its own, which is ended when it takes too long.
"""

import json
import os
import re
import select
import subprocess
import sys
import time
from typing import Any, Final

from alerts.farmers.gateway import of_status
from alerts.farmers.parcel import Answer, Form, Parcel, Verdict
from alerts.webhook import retry_after_s
from songtien.telling.channels.values import ChannelSettings

START_S: Final = 20.0
"""The library is large: so long may its first message wait beyond the timeout."""

ANSWER_MAX: Final = 4_096
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AppriseChannel:
    """One URL of apprise, with a person's topic in its place."""

    def __init__(self, settings: ChannelSettings) -> None:
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form.LONG
        self._target: str = settings.own["target"]
        self._timeout_s = settings.timeout_s
        self._child: subprocess.Popen[bytes] | None = None

    def send(self, parcel: Parcel) -> Answer:
        # Nothing that could lead the URL elsewhere than where the operator pointed it.
        if not _TOPIC.fullmatch(parcel.address):
            return Answer(Verdict.REFUSED, "the address is no topic of letters, digits, - and _")
        stop = f"\n\n{parcel.stop_url}" if parcel.stop_url else ""
        asked = {
            "target": self._target.replace("{topic}", parcel.address),
            "title": parcel.text.title,
            "body": f"{parcel.text.body}{stop}",
            "timeout_s": self._timeout_s,
        }
        try:
            said = self._asked(json.dumps(asked).encode() + b"\n")
        except (OSError, ValueError) as error:
            self.close()
            late = isinstance(error, TimeoutError)
            why = f" within {self._timeout_s:g} s" if late else f": {type(error).__name__}"
            return Answer(Verdict.AGAIN, f"no answer{why}")
        return _answer(said)

    def close(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()

    def _asked(self, line: bytes) -> dict[str, Any]:
        until_s = time.monotonic() + self._timeout_s
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = _started()
            until_s += START_S
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(line)
        self._child.stdin.flush()
        said = b""
        while not said.endswith(b"\n"):
            left_s = until_s - time.monotonic()
            looked = select.poll()
            looked.register(self._child.stdout, select.POLLIN | select.POLLHUP)
            if left_s <= 0 or not looked.poll(left_s * 1000):
                raise TimeoutError
            piece = os.read(self._child.stdout.fileno(), ANSWER_MAX)
            if not piece or len(said) > ANSWER_MAX:
                raise OSError("it has ended")
            said += piece
        found: dict[str, Any] = json.loads(said)
        return found


def _started() -> subprocess.Popen[bytes]:
    # No secrets of ours, and no proxies that nobody configured here.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "songtien.telling.channels.apprise_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=kept | {"LANG": "C.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _answer(said: dict[str, Any]) -> Answer:
    if not said["known"]:
        return Answer(Verdict.CLOSED, "apprise does not know a service of this URL")
    status = said["status"]
    if said["taken"]:
        return Answer(Verdict.TAKEN, "taken" if status is None else f"status {status}")
    if status is None:
        return Answer(Verdict.AGAIN, "not taken, without an answer")
    verdict = of_status(status)
    if verdict is Verdict.TAKEN:
        return Answer(Verdict.REFUSED, f"status {status}, not what apprise counts as taken")
    asked_s = retry_after_s(said["retry_after"], time.time())
    return Answer(verdict, f"status {status}", "", asked_s if verdict is Verdict.AGAIN else None)
