"""Logs: one line of JSON each, or words on a terminal. WARNING: recovered, nothing lost."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_INWARD = ("uvicorn", "uvicorn.error", "websockets", "asyncio")


@contextmanager
def to_stderr(level: int = logging.INFO) -> Iterator[None]:
    """Send logs of that level and above to standard error; afterwards all is as it was before.

    A command may run inside another program, whose standard error is another one later: what
    stayed behind would write to one that is closed by then.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Words() if sys.stderr.isatty() else _Json())
    root = logging.getLogger()
    # Their information is about their own insides.
    inward = [logging.getLogger(name) for name in _INWARD]
    before = root.handlers[:]
    levels = [(each, each.level) for each in (root, *inward)]
    root.handlers[:] = [handler]
    root.setLevel(level)
    for logger in inward:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = before
        for logger, was in levels:
            logger.setLevel(was)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "from": record.name,
            "what": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _Words(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        rest = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        words = f"{at} {record.levelname.lower()}: {record.getMessage()} {rest}".rstrip()
        if record.exc_info:
            words += "\n" + self.formatException(record.exc_info)
        return words
