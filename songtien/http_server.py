"""The HTTP server: uvicorn, on a socket that is taken before anything runs."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from songtien.outside import bound
from songtien.setting_values import Http

CLOSE_WITHIN_S: Final = 3


class HttpServer:
    """Raises ConfigError where its address is not to be had."""

    def __init__(self, settings: Http) -> None:
        self._settings = settings
        self._socket = bound("http", settings.host, settings.port)
        self.port: int = self._socket.getsockname()[1]
        self._server: uvicorn.Server | None = None

    def serve(self, app: Callable[..., Any]) -> Coroutine[Any, Any, None]:
        """What answers, by an ASGI application, until `end`: also one before its first step."""
        proxies = list(self._settings.proxies)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                # A stranger's word on who he is counts for nothing.
                proxy_headers=bool(proxies),
                forwarded_allow_ips=proxies,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=CLOSE_WITHIN_S,
            )
        )
        # Signals are the command line's; uvicorn would take them for itself.
        self._server.capture_signals = _no_signals  # type: ignore[method-assign]
        return self._server.serve(sockets=[self._socket])

    def end(self) -> None:
        """Take no more requests; those under way have `CLOSE_WITHIN_S`."""
        if self._server is not None:
            self._server.should_exit = True

    def close(self) -> None:
        self._socket.close()


@contextmanager
def _no_signals() -> Iterator[None]:
    yield
