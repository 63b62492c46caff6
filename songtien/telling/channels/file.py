"""Messages into a file instead of to people: for tests, trials and the demo."""

import errno
import json
import os
import time
from typing import Final

from alerts.farmers.parcel import Answer, Form, Parcel, Verdict
from songtien.telling.channels.channel import masked
from songtien.telling.channels.values import ChannelSettings

OWNER_ALONE: Final = 0o600


class FileChannel:
    """A line of JSON for each message, appended in one write."""

    def __init__(self, settings: ChannelSettings) -> None:
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form(settings.own["form"])
        self._path = settings.own["path"]
        self._shown = settings.own["show_addresses"]

    def send(self, parcel: Parcel) -> Answer:
        line = {
            "t": time.time_ns() // 1_000_000,
            "channel": self.name,
            "key": parcel.key,
            "to": parcel.address if self._shown else masked(parcel.address),
            "title": parcel.text.title,
            "text": parcel.text.body,
            "parts": parcel.text.parts,
        }
        if parcel.text.template:
            line |= {"template": parcel.text.template, "params": dict(parcel.text.params)}
        try:
            self._append(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        except OSError as error:
            return Answer(Verdict.AGAIN, f"the file can't be written: {error.strerror}")
        return Answer(Verdict.TAKEN, "written", parcel.key)

    def _append(self, line: bytes) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ALONE)
        try:
            if os.write(file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(file)

    def close(self) -> None:
        """Nothing is held open: somebody may take the file away meanwhile."""
