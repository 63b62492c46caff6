"""The process in which apprise runs: a line of JSON in, a line of JSON out.

Its requests follow no redirects and read no more of an answer than is bounded here; what it
logs goes nowhere, since it names addresses and tokens.

    {"target": URL, "title": …, "body": …, "timeout_s": …} -> {"taken": …, "status": …, …}
"""

import json
import logging
import sys
from typing import Any, Final

import requests
from apprise import Apprise, NotifyFormat

from alerts.farmers.gateway import BODY_MAX

LINE_MAX: Final = 100_000


class _Bounded:
    """Takes the place of `Session.request`, and remembers what the last answer was."""

    def __init__(self) -> None:
        self._request = requests.Session.request
        self.timeout_s = 10.0
        self.forget()

    def forget(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None

    def __call__(self, session: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
        session.trust_env = False
        bounds = {"allow_redirects": False, "stream": True, "timeout": self.timeout_s}
        answer = self._request(session, *args, **(kwargs | bounds))
        # What a response keeps of its body, once it was read.
        answer._content = answer.raw.read(BODY_MAX, decode_content=True)  # noqa: SLF001
        answer.close()
        self.status = answer.status_code
        self.retry_after = answer.headers.get("Retry-After")
        return answer


def _sent(asked: dict[str, Any], bounded: _Bounded) -> dict[str, Any]:
    bounded.forget()
    bounded.timeout_s = asked["timeout_s"]
    told = Apprise()
    if not told.add(asked["target"]):
        return {"known": False}
    taken = told.notify(body=asked["body"], title=asked["title"], body_format=NotifyFormat.TEXT)
    return {
        "known": True,
        "taken": bool(taken),
        "status": bounded.status,
        "retry_after": bounded.retry_after,
    }


def main() -> None:
    """Until standard input ends, which it does with the process that started this one."""
    logging.disable(logging.CRITICAL)
    bounded = _Bounded()

    def request(session: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
        return bounded(session, *args, **kwargs)

    requests.Session.request = request  # type: ignore[method-assign, assignment]
    out, sys.stdout = sys.stdout, sys.stderr
    while line := sys.stdin.readline(LINE_MAX):
        out.write(json.dumps(_sent(json.loads(line), bounded)) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
