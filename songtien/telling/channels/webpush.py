"""Web push: a note on a phone whose browser has agreed to it (RFC 8030)."""

import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult

from alerts.farmers.gateway import of_status
from alerts.farmers.parcel import Answer, Form, Parcel, Verdict
from songtien.accepted import url_parts
from songtien.telling.channels.http import Requests, Unanswered, as_json
from songtien.telling.channels.push_crypto import PLAIN_MAX, Signer, from_base64url, sealed
from songtien.telling.channels.values import ChannelSettings


def key_path(name: str, directory: Path) -> Path:
    """Where the key of a channel stands."""
    return directory / f"channel-{name}.key"


def signer(name: str, directory: Path) -> Signer:
    """The key of a channel, whose public half the page hands to browsers."""
    return Signer(key_path(name, directory))


class WebPushChannel:
    """All browsers, at the push services that the operator allows."""

    def __init__(self, settings: ChannelSettings, directory: Path) -> None:
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form.LONG
        self._own = settings.own
        self._signer = signer(settings.name, directory)
        self._requests = Requests(settings.timeout_s, settings.own["ca_file"])

    @property
    def public_key(self) -> str:
        """For browsers, as `applicationServerKey`."""
        return self._signer.public

    def send(self, parcel: Parcel) -> Answer:
        found = _subscription(parcel.address)
        if found is None:
            return Answer(Verdict.REFUSED, "the address is no push subscription")
        url, parts, browser, auth = found
        if not self._is_allowed(parts):
            return Answer(Verdict.REFUSED, "its push service is not among the allowed hosts")
        try:
            body = sealed(_note(parcel), browser, auth)
        except ValueError:
            return Answer(Verdict.REFUSED, "the keys of the subscription can't be used")
        origin = f"{parts.scheme}://{parts.netloc}"
        headers = {
            "Authorization": self._signer.authorization(origin, self._own["contact"], time.time()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._own["ttl_s"]),
            "Urgency": "high" if parcel.critical else "normal",
            # One that is sent twice takes the place of the first (RFC 8030, 5.4).
            "Topic": hashlib.sha256(parcel.key.encode()).hexdigest()[:32],
        }
        said = self._requests.ask("POST", url, headers, body)
        if isinstance(said, Unanswered):
            return said.answer()
        detail = f"status {said.status}"
        if said.status in {404, 410}:
            return Answer(Verdict.GONE, detail)
        verdict = of_status(said.status)
        asked_s = said.retry_after_s if verdict is Verdict.AGAIN else None
        return Answer(verdict, detail, "", asked_s)

    def _is_allowed(self, parts: SplitResult) -> bool:
        host = (parts.hostname or "").lower()
        named = host if parts.port in (None, 443) else f"{host}:{parts.port}"
        return parts.scheme == "https" and any(
            named.endswith(each[1:]) if each.startswith("*.") else named == each
            for each in self._own["hosts"]
        )

    def close(self) -> None:
        self._requests.close()


def _note(parcel: Parcel) -> bytes:
    """What the page's worker shows, in one record: words that are too many are cut."""
    words = parcel.text.body
    while True:
        document = {
            "title": parcel.text.title[:100],
            "body": words if words == parcel.text.body else f"{words}…",
            "tag": parcel.key[:100],
            "critical": parcel.critical,
        }
        found = as_json(document)
        if len(found) <= PLAIN_MAX:
            return found
        words = words[: len(words) * 3 // 4].rpartition(" ")[0] or words[: len(words) // 2]


def _subscription(address: str) -> tuple[str, SplitResult, bytes, bytes] | None:
    """Endpoint, its parts and both keys of what a browser has handed over."""
    try:
        said: Any = json.loads(address)
        url, keys = said["endpoint"], said["keys"]
        browser, auth = from_base64url(keys["p256dh"]), from_base64url(keys["auth"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not isinstance(url, str) or not re.fullmatch(r"https://[!-~]{1,2000}", url):
        return None
    parts = url_parts(url)
    if parts is None or "@" in parts.netloc or "\\" in url or parts.fragment:
        return None
    return url, parts, browser, auth
