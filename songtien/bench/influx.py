"""An InfluxDB of a benchmark's own: Debian's influxd behind nginx, on free ports.

influxdb-client writes to /api/v2/write, which Debian's 1.6.7 lacks: nginx rewrites that one
path. What is measured on it is 1.6.7, with one process in between.
"""

import json
import os
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songtien.bench.stand import START_S, BenchError, free_port, running, until
from songtien.broker import HOST

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

_INFLUXD_CONF = """
reporting-disabled = true
bind-address = "{host}:{rpc_port}"
[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
[http]
  bind-address = "{host}:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
"""

# A precision that 1.6.7 doesn't know it would take for nanoseconds, and answer with 204.
_NGINX_CONF = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  client_body_buffer_size 2m;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  upstream influxd {{ server {host}:{influxd_port}; keepalive 8; }}
  server {{
    listen {host}:{port};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    location = /api/v2/write {{
      if ($arg_precision != "ms") {{ return 400; }}
      set $args "db=$arg_bucket&precision=ms";
      rewrite ^ /write break;
      proxy_pass http://influxd;
    }}
    location ~ ^/(query|ping)$ {{ proxy_pass http://influxd; }}
    location / {{ return 404; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running InfluxDB. `port` is nginx's."""

    port: int
    influxd_pid: int
    nginx_pid: int

    def url(self, database: str) -> str:
        """As `store.url` takes it."""
        return f"influxdb://{HOST}:{self.port}/{database}?org=-"

    def create(self, database: str) -> None:
        self._ask(f'CREATE DATABASE "{database}"')

    def drop(self, database: str) -> None:
        self._ask(f'DROP DATABASE "{database}"')

    def count(self, database: str, measurement: str, field: str) -> int:
        """How many points of a measurement have a field."""
        query = f'SELECT count("{field}") FROM "{measurement}"'  # noqa: S608 - our own names
        found = self._ask(query, database)
        series = found["results"][0].get("series")
        return int(series[0]["values"][0][1]) if series else 0

    def _ask(self, influxql: str, database: str = "") -> dict[str, Any]:
        body = urllib.parse.urlencode({"q": influxql, "db": database}).encode()
        url = f"http://{HOST}:{self.port}/query"
        with urllib.request.urlopen(url, body, timeout=START_S) as answer:
            found: dict[str, Any] = json.load(answer)
        for result in found["results"]:
            if "error" in result:
                raise BenchError(f"influxd: {influxql}: {result['error']}")
        return found


@contextmanager
def server(directory: Path) -> Iterator[Server]:
    """Raises BenchError where influxd or nginx isn't installed."""
    influxd, nginx = _needed("influxd", "influxdb"), _needed("nginx", "nginx-light")
    directory.mkdir(parents=True)
    port, influxd_port, rpc_port = free_port(), free_port(), free_port()
    ports = {"host": HOST, "directory": directory, "influxd_port": influxd_port}
    conf, front = directory / "influxd.conf", directory / "nginx.conf"
    conf.write_text(_INFLUXD_CONF.format(**ports, port=influxd_port, rpc_port=rpc_port), "utf-8")
    front.write_text(_NGINX_CONF.format(**ports, port=port), "utf-8")
    prefix = ["-p", str(directory), "-e", "stderr"]
    with (
        running([influxd, "-config", str(conf)], directory / "influxd.log") as stores,
        running([nginx, "-c", str(front), *prefix], directory / "nginx.log") as rewrites,
    ):
        until(lambda: _answers(influxd_port) and _answers(port), "influxd and nginx")
        yield Server(port, stores.pid, rewrites.pid)


def _needed(name: str, package: str) -> str:
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise BenchError(f"{name} isn't installed (Debian: apt install {package})")
    return path


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/ping", timeout=2) as pong:
            return bool(pong.status == 204)
    except OSError:
        return False
