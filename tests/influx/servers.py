"""A throw-away InfluxDB of a test's own: Debian's influxd 1.6.7 behind nginx.

influxdb-client writes to /api/v2/write, which InfluxDB has since 1.8. nginx rewrites that one
path to 1.6.7's /write, and nothing else: what is shown by tests on this pair is line protocol,
the HTTP client, retrying, and real storage; not that InfluxDB 2 was tried.

Plain classes without pytest, for tests of any package. Everything started here is ended by
`stop`, and whatever a test forgets when the interpreter ends.
"""

import atexit
import json
import os
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY_S = 20.0
"""Generous: a busy machine is slow, and none of it is waited out."""

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
INFLUXD = shutil.which("influxd", path=_PATH)
NGINX = shutil.which("nginx", path=_PATH)
MISSING = ", ".join(
    f"{name} is not installed: apt-get install {package}"
    for name, package, found in (
        ("influxd", "influxdb", INFLUXD),
        ("nginx", "nginx-light", NGINX),
    )
    if found is None
)
"""Why no server can be started here; empty where one can."""

ADMIN, WRITER, STRANGER = "admin:admin-secret", "songtien:writer-secret", "guest:guest-secret"
"""`user:password` as 1.x has them; STRANGER is known to the server and may do nothing."""

SCRATCH = "scratch"
"""A database in which the fault proxy tries lines before it passes them on."""

_INFLUXD_CONF = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
  max-body-size = {body_bytes_max}
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
[subscriber]
  enabled = false
[retention]
  check-interval = "1h"
"""

# A precision that 1.6.7 doesn't know would be taken for nanoseconds, and answered with 204.
_NGINX_CONF = r"""
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {directory}/nginx-body;
  proxy_temp_path {directory}/nginx-proxy;
  fastcgi_temp_path {directory}/nginx-fastcgi;
  uwsgi_temp_path {directory}/nginx-uwsgi;
  scgi_temp_path {directory}/nginx-scgi;
  map $arg_bucket $v1_db {{ default $arg_bucket; "~*^(?<d>.+?)(/|%2F)(?<r>.+)$" $d; }}
  map $arg_bucket $v1_rp {{ default ""; "~*^(?<d2>.+?)(/|%2F)(?<r2>.+)$" $r2; }}
  map $arg_precision $v1_p {{ default ""; "" n; ns n; us u; ms ms; s s; }}
  map $http_authorization $v1_auth {{ default "";
    "~^Token (?<tu>[^:]+):(?<tp>.+)$" "&u=$tu&p=$tp"; }}
  # No connection is kept: one that a killed influxd has left would answer for its next life.
  upstream influxd {{ server 127.0.0.1:{influxd_port} max_fails=0; }}
  server {{
    listen 127.0.0.1:{port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    # InfluxDB 1.6.7 knows no Token; what it said stands in the query.
    location = /api/v2/write {{
      if ($v1_p = "") {{ return 400 '{{"code":"invalid","message":"invalid precision"}}'; }}
      proxy_set_header Authorization "";
      set $args "db=$v1_db&rp=$v1_rp&precision=$v1_p$v1_auth";
      rewrite ^ /write break;
      proxy_pass http://influxd;
    }}
    location ~ ^/(query|ping)$ {{
      proxy_set_header Authorization "";
      set $args "$args$v1_auth";
      proxy_pass http://influxd;
    }}
    location / {{ return 404 "404 page not found\n"; }}
  }}
}}
"""

Rows = list[dict[str, Any]]

_running: "weakref.WeakSet[subprocess.Popen[bytes]]" = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    for process in list(_running):
        _end(process)


def _end(process: "subprocess.Popen[bytes] | None") -> None:
    if process is None:
        return
    if process.poll() is None:
        process.kill()
    process.wait(READY_S)
    _running.discard(process)


def free_port() -> int:
    """A port below those that connections are given.

    A server is killed and comes back on its port: no connection must have taken it meanwhile,
    nor a client's attempt to reach it have connected with itself.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # taken
            return port


class QueryError(Exception):
    """What InfluxDB says of a query that it refuses."""


@dataclass
class InfluxServer:
    """influxd and nginx in a directory; `kill`, `stop` and `start` keep ports and content.

    `url` is what the service is configured with, `token` is None unless `auth` is on.
    """

    directory: Path
    auth: bool = False
    database: str = "songtien"
    body_bytes_max: int = 25_000_000
    port: int = field(default_factory=free_port)
    influxd_port: int = field(default_factory=free_port)
    _influxd: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    _nginx: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    _prepared: bool = False

    @property
    def url(self) -> str:
        return self.url_of(self.database)

    @property
    def token(self) -> str | None:
        return WRITER if self.auth else None

    def url_of(self, database: str, port: int | None = None) -> str:
        """For a database beside its own, or by way of a proxy's port."""
        return f"influxdb://127.0.0.1:{port or self.port}/{database}?org=-"

    def start(self) -> None:
        """Start what doesn't run; on return it answers, and the database is there."""
        self._start_influxd()
        self._start_nginx()

    def kill(self) -> None:
        """influxd ends as by SIGKILL; nginx stays and answers 502."""
        _end(self._influxd)
        self._influxd = None

    def stop(self) -> None:
        """Both end: connections are refused."""
        _end(self._nginx)
        self._nginx = None
        self.kill()

    @property
    def alive(self) -> bool:
        """Whether influxd runs, which some malformed lines end."""
        return self._influxd is not None and self._influxd.poll() is None

    def log(self) -> str:
        """What both have said."""
        names = ("influxd.log", "nginx.log")
        files = [self.directory / name for name in names]
        return "\n".join(f.read_text("utf-8", "replace") for f in files if f.exists())

    def query(self, influxql: str, database: str | None = None) -> Rows:
        """Rows of all series, times in ms, tags of a GROUP BY among the columns.

        Asked of influxd itself, whatever stands before it. Raises QueryError where it refuses.
        """
        answer = self._ask(influxql, database or self.database)
        rows: Rows = []
        for result in answer.get("results", []):
            if "error" in result:
                raise QueryError(result["error"])
            for series in result.get("series", []):
                tags = series.get("tags", {})
                rows += [
                    tags | dict(zip(series["columns"], values, strict=True))
                    for values in series.get("values", [])
                ]
        return rows

    def create_database(self, name: str, *, retention: str = "") -> str:
        """A further database, with a retention such as `1h`; returns its url."""
        duration = f" WITH DURATION {retention}" if retention else ""
        self._ask(f'CREATE DATABASE "{name}"{duration}', "")
        if self.auth:
            self._ask(f'GRANT ALL ON "{name}" TO "{WRITER.partition(":")[0]}"', "")
        return self.url_of(name)

    def write(self, lines: str, database: str | None = None) -> int:
        """Line protocol in ms straight to influxd, past every safeguard; the HTTP status."""
        asked = {"db": database or self.database, "precision": "ms", **self._credentials()}
        url = f"http://127.0.0.1:{self.influxd_port}/write?{urllib.parse.urlencode(asked)}"
        request = urllib.request.Request(url, lines.encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=READY_S) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code

    def _start_influxd(self) -> None:
        if self.alive:
            return
        assert INFLUXD is not None, MISSING
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "influxd.conf"
        config.write_text(
            _INFLUXD_CONF.format(
                directory=self.directory,
                rpc_port=free_port(),
                port=self.influxd_port,
                auth=json.dumps(self.auth),
                body_bytes_max=self.body_bytes_max,
            )
        )
        self._influxd = self._launch([INFLUXD, "-config", str(config)], "influxd.log")
        self._await("influxd", self._influxd, self.influxd_port)
        if not self._prepared:
            self._prepare()
            self._prepared = True

    def _prepare(self) -> None:
        if self.auth:
            self._create_users()
        self.create_database(self.database)
        self.create_database(SCRATCH)

    def _create_users(self) -> None:
        name, _, password = ADMIN.partition(":")
        # The first user may be made by anybody.
        self._ask(f"CREATE USER \"{name}\" WITH PASSWORD '{password}' WITH ALL PRIVILEGES", "")
        for user in (WRITER, STRANGER):
            name, _, password = user.partition(":")
            self._ask(f"CREATE USER \"{name}\" WITH PASSWORD '{password}'", "")

    def _start_nginx(self) -> None:
        if self._nginx is not None and self._nginx.poll() is None:
            return
        assert NGINX is not None, MISSING
        config = self.directory / "nginx.conf"
        config.write_text(
            _NGINX_CONF.format(
                directory=self.directory, port=self.port, influxd_port=self.influxd_port
            )
        )
        command = [NGINX, "-c", str(config), "-p", str(self.directory), "-e", "stderr"]
        self._nginx = self._launch(command, "nginx.log")
        self._await("nginx", self._nginx, self.port)

    def _launch(self, command: list[str], log: str) -> "subprocess.Popen[bytes]":
        with (self.directory / log).open("ab") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        _running.add(process)
        return process

    def _await(self, name: str, process: "subprocess.Popen[bytes]", port: int) -> None:
        deadline = time.monotonic() + READY_S
        while process.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as pong:
                    if pong.status == 204:
                        return
            except OSError:
                time.sleep(0.01)  # not yet listening
        raise AssertionError(f"{name} does not answer on port {port}: {self.log()[-4000:]}")

    def _credentials(self) -> dict[str, str]:
        if not self.auth:
            return {}
        name, _, password = ADMIN.partition(":")
        return {"u": name, "p": password}

    def _ask(self, influxql: str, database: str) -> dict[str, Any]:
        # InfluxDB looks for credentials in the address alone, not in the form.
        who = urllib.parse.urlencode({"epoch": "ms", **self._credentials()})
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.influxd_port}/query?{who}",
            urllib.parse.urlencode({"q": influxql, "db": database}).encode(),
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=READY_S) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                raise QueryError(refused.read().decode("utf-8", "replace")) from None
        assert isinstance(found, dict)
        return found
