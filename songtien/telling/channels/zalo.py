"""Zalo ZNS: approved templates with their parameters, to a phone number.

POST https://business.openapi.zalo.me/message/template with the header `access_token`. A status of
200 says nothing yet: the answer's `error` does, and 0 is taken.
"""

import hashlib
from pathlib import Path
from typing import Any, Final

from alerts.farmers.gateway import UnreadError, as_text, at_path, from_json, of_status
from alerts.farmers.parcel import Answer, Form, Parcel, Verdict
from songtien.telling.channels.http import Requests, Said, Unanswered, as_json
from songtien.telling.channels.sms import national
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.channels.zalo_codes import TOKEN_INVALID, of_code
from songtien.telling.channels.zalo_tokens import ZaloTokens

TRACKING_MAX: Final = 48


class ZaloChannel:
    """One official account."""

    def __init__(self, settings: ChannelSettings, directory: Path) -> None:
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form.ZALO
        self._own = settings.own
        self._requests = Requests(settings.timeout_s, settings.own["ca_file"])
        tokens = directory / f"channel-{settings.name}.tokens"
        self._tokens = ZaloTokens(settings.own, self._requests, tokens)

    def send(self, parcel: Parcel) -> Answer:
        digits = national(parcel.address)
        if digits is None:
            return Answer(Verdict.REFUSED, "the address is no number of Vietnam")
        template = self._own["templates"].get(parcel.text.template)
        if template is None:
            what = parcel.text.template or "this message"
            return Answer(Verdict.REFUSED, f"no template is set for {what}")
        document: dict[str, Any] = {
            "phone": f"84{digits}",
            "template_id": template,
            "template_data": dict(parcel.text.params),
            "tracking_id": _tracking(parcel.key),
        }
        if self._own["development"]:
            document["mode"] = "development"
        body = as_json(document)
        token = self._tokens.access()
        if isinstance(token, Answer):
            return token
        answer, code = self._posted(token, body)
        if code == TOKEN_INVALID and self._tokens.renewable:
            token = self._tokens.renewed(token)
            if isinstance(token, Answer):
                return token
            answer, _ = self._posted(token, body)
        return answer

    def _posted(self, token: str, body: bytes) -> tuple[Answer, int | None]:
        headers = {"Content-Type": "application/json", "access_token": token}
        said = self._requests.ask("POST", self._own["url"], headers, body)
        if isinstance(said, Unanswered):
            return said.answer(), None
        return _answer(said)

    def close(self) -> None:
        self._requests.close()


def _tracking(key: str) -> str:
    return key if len(key) <= TRACKING_MAX else hashlib.sha256(key.encode()).hexdigest()[:32]


def _answer(said: Said) -> tuple[Answer, int | None]:
    try:
        document = from_json(said.body)
    except UnreadError:
        document = None
    code = at_path(document, ("error",))
    if isinstance(code, bool) or not isinstance(code, int):
        verdict, asked_s = of_status(said.status), said.retry_after_s
        if verdict is Verdict.TAKEN:
            return Answer(Verdict.AGAIN, "status 200, an answer that can't be read"), None
        detail = f"status {said.status}"
        return Answer(verdict, detail, "", asked_s if verdict is Verdict.AGAIN else None), None
    if code == 0:
        ref = as_text(at_path(document, ("data", "msg_id"))) or ""
        return Answer(Verdict.TAKEN, "error 0", ref), 0
    return of_code(code), code
