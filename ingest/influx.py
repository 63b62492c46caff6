"""InfluxDB as the historian: one explicit write at a time, and reading by InfluxQL.

The only importer of influxdb_client. Its write service and its transport are used; its
batching (which drops what it cannot write), retries and default tags are not. What server or
network do comes back as an `Answer`, and no token stands in anything that is said.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import urllib3

from ingest import influxql, line_protocol
from ingest.influx_answers import Answer, Verdict, judged, judged_reading, short
from ingest.reading import Batch
from ingest.series import Series

__all__ = [
    "Answer",
    "Influx",
    "InfluxAddress",
    "Unavailable",
    "Verdict",
    "judged",
    "parse_url",
]

CANARY = "songtien_canary"
PAGE_ROWS = 10_000
ANSWER_BYTES_MAX = 4_000_000
"""Far above a page of points; what is longer is no answer to what was asked."""
CONNECTIONS = 4

_ACCEPTED = (
    "accepted is influxdb://HOST:8086/BUCKET?org=ORG, or influxdbs:// for TLS; "
    "BUCKET may be DATABASE/RETENTION-POLICY"
)
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,1000}")
_SCHEMES = {"influxdb": False, "influxdbs": True}
_PORT = 8086
_OBJECT_AT = re.compile(r"\(?<[^<>]* object at 0x[0-9a-f]+>[,:]? ?")


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """Where the historian is; knows no secret. `bucket` is a database to InfluxQL."""

    host: str
    port: int
    tls: bool
    bucket: str
    org: str

    def __str__(self) -> str:
        scheme = "influxdbs" if self.tls else "influxdb"
        org = urlencode({"org": self.org})
        return f"{scheme}://{self._netloc}/{quote(self.bucket)}?{org}"

    @property
    def base(self) -> str:
        """The address for HTTP, without a path."""
        return f"{'https' if self.tls else 'http'}://{self._netloc}"

    @property
    def _netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_url(url: str) -> InfluxAddress:
    """Read the address of an InfluxDB. Raises `ValueError`, which repeats nothing of the URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise ValueError(_ACCEPTED) from None
    if parts.scheme not in _SCHEMES:
        raise ValueError(_ACCEPTED)
    if "@" in parts.netloc:
        raise ValueError(f"a token belongs into store.token_file, not into the URL; {_ACCEPTED}")
    if not _HOST.fullmatch(host) or port == 0:
        raise ValueError(f"the host or its port is no such thing; {_ACCEPTED}")
    bucket = unquote(parts.path).removeprefix("/")
    if not _NAME.fullmatch(bucket) or not all(bucket.split("/")) or bucket.count("/") > 1:
        raise ValueError(f"the bucket is no such thing; {_ACCEPTED}")
    orgs = [value for key, value in query if key == "org"]
    if len(orgs) != 1 or len(query) != 1 or not _NAME.fullmatch(orgs[0]) or parts.fragment:
        raise ValueError(f"org is needed (1.x and 3 take any), and nothing beside it; {_ACCEPTED}")
    return InfluxAddress(host, port or _PORT, _SCHEMES[parts.scheme], bucket, orgs[0])


class Unavailable(Exception):  # noqa: N818 - a state of the other side, not an error of ours
    """InfluxDB could not be read: away, or refusing, or something else. `answer` says which."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.detail)
        self.answer = answer


class _Reply:
    """An answer read whole up to a bound, in the shape that the client takes."""

    def __init__(self, response: urllib3.BaseHTTPResponse, secrets: Sequence[str]) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        data = response.read(ANSWER_BYTES_MAX + 1)
        self.whole = len(data) <= ANSWER_BYTES_MAX
        if not self.whole:
            response.close()
        response.release_conn()
        text = data[:ANSWER_BYTES_MAX].decode(errors="replace")
        # A server may repeat what it was sent, and the client logs what it cannot read.
        for secret in secrets:
            text = text.replace(secret, "***")
        # UTF-8 again: the client decodes strictly, before it looks at the status.
        self.data = text.encode()


class _Transport:
    """The client's pool of connections: answers bounded, without secrets, none redirected."""

    def __init__(self, pool: urllib3.PoolManager, secrets: Sequence[str]) -> None:
        self._pool = pool
        self._secrets = secrets

    def request(self, method: str, url: str, **said: Any) -> _Reply:
        said.update(preload_content=False, redirect=False)
        return _Reply(self._pool.request(method, url, **said), self._secrets)

    def clear(self) -> None:
        self._pool.clear()


class Influx:
    """One InfluxDB. One writer and several readers may use it at the same time."""

    def __init__(
        self,
        address: InfluxAddress,
        token: str | None,
        *,
        timeout_ms: tuple[int, int] = (2_000, 10_000),
    ) -> None:
        """`timeout_ms`: for the connection, and for each wait on the answer.

        Raises `ValueError` for a token that no header carries, without repeating it.
        """
        if token is not None and not _TOKEN.fullmatch(token):
            raise ValueError("the token must be of 1 to 1,000 printable ASCII characters")
        # 0.7 s that only those who have a historian shall wait for.
        import influxdb_client  # noqa: PLC0415 - see above
        from influxdb_client.rest import ApiException  # noqa: PLC0415 - the same

        self.address = address
        # With 1.x a token is user:password.
        secrets = [each for each in (token, (token or "").partition(":")[2]) if each]
        self._headers = {"Authorization": f"Token {token}"} if token else {}
        connect_ms, read_ms = timeout_ms
        self._timeout = urllib3.Timeout(connect=connect_ms / 1000, read=read_ms / 1000)
        untyped: Any = influxdb_client
        self._client = untyped.InfluxDBClient(
            address.base, token, timeout=timeout_ms, connection_pool_maxsize=CONNECTIONS
        )
        rest = self._client.api_client.rest_client
        self._transport = rest.pool_manager = _Transport(rest.pool_manager, secrets)
        self._service = untyped.WriteService(self._client.api_client)
        self._refused = ApiException

    def __repr__(self) -> str:
        return f"Influx({self.address})"

    def write(self, lines: Sequence[bytes]) -> Answer:
        """Write lines of the line protocol, times in milliseconds, with one request.

        Never raises for what server or network do. After another answer than `STORED` nothing
        is known: all of the lines may be stored, or some, or none. Writing them again is harmless.
        """
        if not lines:
            return Answer(Verdict.STORED, "")
        try:
            _, status, headers = self._service.post_write_with_http_info(
                self.address.org,
                self.address.bucket,
                line_protocol.body(lines),
                precision="ms",
                _return_http_data_only=False,
            )
        except self._refused as error:
            if not error.status:
                return _of_tls(str(error.reason))
            return judged(error.status, error.headers, error.body or "")
        except urllib3.exceptions.HTTPError as error:
            return _of_network(error)
        # Nobody but the one writer uses the client's own methods.
        return judged(status, headers, self._client.api_client.last_response.data)

    def points(self, series: Series, from_ms: int, to_ms: int, limit: int) -> Batch:
        """At most `limit` points of one series in [from, to), oldest first; `why` is 0.

        Raises `Unavailable`.
        """
        parts: list[Batch] = []
        left = limit
        while left > 0 and from_ms < to_ms:
            asked = min(left, PAGE_ROWS)
            query = influxql.select_series(series, from_ms, to_ms, asked)
            rows = self._rows(query, series.quantity)
            n = len(rows.t_ms)
            parts.append(Batch.of([series.id] * n, rows.t_ms, rows.value, rows.flag))
            if rows.last_ms is None or (rows.n_read < asked and not rows.cut):
                break
            left -= n
            from_ms = rows.last_ms + 1
        return Batch.concat(parts)

    def version(self) -> str:
        """What the server says its version is. Raises `Unavailable`."""
        reply = self._get("/ping", {})
        version = reply.headers.get("X-Influxdb-Version")
        if reply.status not in {200, 204}:
            raise Unavailable(judged_reading(reply.status, reply.headers, reply.data))
        if not version:
            said = "the answer to /ping names no version: something else than InfluxDB answered"
            raise Unavailable(Answer(Verdict.MISCONFIGURED, said, status=reply.status))
        return short(version)

    def canary(self, now_ms: int) -> Answer:
        """Write a point of our own and read it back: the whole way there and back is open.

        `STORED` only if it came back as it was sent. One point to each `now_ms`.
        """
        sent = {"at_s": now_ms / 1000, "at_s_q": 1}
        answer = self.write([line_protocol.line(CANARY, {}, sent, now_ms)])
        if answer.verdict is not Verdict.STORED:
            return answer
        query = influxql.select(CANARY, "at_s", {}, now_ms, now_ms + 1, 2)
        try:
            rows = self._rows(query, "at_s")
        except Unavailable as error:
            return error.answer
        found = list(zip(rows.t_ms.tolist(), rows.value.tolist(), rows.flag.tolist(), strict=True))
        if found == [(now_ms, sent["at_s"], 1)]:
            return answer
        database = self.address.bucket.partition("/")[0]
        said = f"a point was taken with 204 and is not in the database {database!r} afterwards"
        return Answer(Verdict.MISCONFIGURED, f"{said}: it gives {len(found)} in its place")

    def close(self) -> None:
        """Close idle connections; a request that is under way comes to its own end."""
        self._client.close()

    def _rows(self, query: str, field: str) -> influxql.Rows:
        database, _, policy = self.address.bucket.partition("/")
        fields = {"db": database, "epoch": "ms", "q": query}
        if policy:
            fields["rp"] = policy
        reply = self._get("/query", fields)
        if reply.status != 200:
            raise Unavailable(judged_reading(reply.status, reply.headers, reply.data))
        said = f"its answer is longer than {ANSWER_BYTES_MAX:,} bytes"
        if reply.whole:
            try:
                return influxql.read_rows(reply.data, field)
            except influxql.QueryError as error:
                said = short(str(error))
        answer = Answer(Verdict.MISCONFIGURED, f"the query failed: {said}", status=200)
        raise Unavailable(answer)

    def _get(self, path: str, fields: dict[str, str]) -> _Reply:
        url = f"{self.address.base}{path}"
        said = {"fields": fields, "headers": self._headers, "timeout": self._timeout}
        try:
            return self._transport.request("GET", url, **said)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(_of_network(error)) from None


def _of_tls(said: str) -> Answer:
    return Answer(Verdict.MISCONFIGURED, short(f"no TLS with this server: {said}"))


def _of_network(error: urllib3.exceptions.HTTPError) -> Answer:
    """No answer came, or half of one. What was sent may have been stored all the same."""
    if isinstance(error, urllib3.exceptions.SSLError):
        return _of_tls(str(error))
    said = _OBJECT_AT.sub("", str(error))
    return Answer(Verdict.RETRY, short(f"{type(error).__name__}: {said}"))
