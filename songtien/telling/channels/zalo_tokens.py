"""Zalo's access tokens, which live for about a day and are renewed by a token used once.

POST https://oauth.zaloapp.com/v4/oa/access_token with `refresh_token`, `app_id` and
`grant_type`, the app's secret as the header `secret_key`; the answer has an access token (25
hours) and the next refresh token (three months, one use): hexasync.vn, "Zalo OA API", unverified.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from alerts.farmers.gateway import UnreadError, as_text, at_path, from_json, of_status
from alerts.farmers.parcel import Answer, Verdict
from songtien.telling.channels import private_file
from songtien.telling.channels.http import Requests, Said, Unanswered

EARLY_S: Final = 600.0
LIFE_S: Final = 90_000.0
"""25 hours, where the answer names no time."""

_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _Pair:
    """What is stored. `seed` tells the refresh token of the settings from which it descends."""

    seed: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until_s: float


class ZaloTokens:
    """The access token in force.

    Parameters
    ----------
    path : a file of the data directory, where the newest pair is kept
    """

    def __init__(self, own: Mapping[str, Any], requests: Requests, path: Path) -> None:
        self._own = own
        self._requests = requests
        self._path = path
        self.renewable = own["refresh_token"] is not None
        seed = hashlib.sha256((own["refresh_token"] or "").encode()).hexdigest()
        self._first = _Pair(seed, own["access_token"] or "", own["refresh_token"] or "", 0.0)
        self._pair = self._stored() or self._first

    def access(self) -> str | Answer:
        """The token to send with, renewed when its end is near; or why there is none."""
        if not self.renewable:
            return self._first.access
        if time.time() < self._pair.until_s - EARLY_S:
            return self._pair.access
        return self.renewed(self._pair.access)

    def renewed(self, refused: str) -> str | Answer:
        """Another token than the one that was refused; or why there is none."""
        with private_file.held(self._path):
            self._pair = self._stored() or self._first
            fresh = time.time() < self._pair.until_s - EARLY_S
            if fresh and self._pair.access != refused:
                return self._pair.access
            return self._asked()

    def _asked(self) -> str | Answer:
        fields = {
            "refresh_token": self._pair.refresh,
            "app_id": self._own["app_id"],
            "grant_type": "refresh_token",
        }
        headers = {"Content-Type": _FORM, "secret_key": self._own["app_secret"]}
        body = urlencode(fields).encode()
        said = self._requests.ask("POST", self._own["oauth_url"], headers, body)
        if isinstance(said, Unanswered):
            return said.answer("renewing the token")
        pair = self._read(said)
        if isinstance(pair, Answer):
            return pair
        # Before its first use: the old one is spent, and nobody gives this one a second time.
        private_file.written(self._path, json.dumps(_document(pair)).encode())
        self._pair = pair
        return pair.access

    def _read(self, said: Said) -> _Pair | Answer:
        try:
            document = from_json(said.body)
        except UnreadError:
            document = None
        access = as_text(at_path(document, ("access_token",)))
        refresh = as_text(at_path(document, ("refresh_token",)))
        if said.status == 200 and access and refresh:
            life = as_text(at_path(document, ("expires_in",))) or ""
            life_s = float(life) if life.isascii() and life.isdecimal() else LIFE_S
            return _Pair(self._first.seed, access, refresh, time.time() + life_s)
        code = as_text(at_path(document, ("error",)))
        if of_status(said.status) is Verdict.AGAIN or (document is None and said.status == 200):
            return Answer(Verdict.AGAIN, f"renewing the token: status {said.status}")
        number = f", error {code}" if code and code.lstrip("-").isdecimal() else ""
        told = f"renewing the token: status {said.status}{number}"
        return Answer(Verdict.CLOSED, f"{told}: set another refresh token")

    def _stored(self) -> _Pair | None:
        """The newest pair that descends from the settings' own token."""
        found = private_file.read(self._path)
        if found is None:
            return None
        try:
            said = json.loads(found)
            pair = _Pair(said["seed"], said["access"], said["refresh"], float(said["until_s"]))
        except (ValueError, KeyError, TypeError):
            return None
        return pair if pair.seed == self._first.seed else None


def _document(pair: _Pair) -> dict[str, Any]:
    return {
        "seed": pair.seed,
        "access": pair.access,
        "refresh": pair.refresh,
        "until_s": pair.until_s,
    }
