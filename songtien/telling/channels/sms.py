"""SMS through a gateway of HTTP, by a request and rules that the operator writes."""

import base64
import re
from typing import Any, Final

from alerts.farmers.gateway import Rules, answer_of
from alerts.farmers.parcel import Answer, Form, Parcel, Verdict
from songtien.telling.channels.http import Requests, Unanswered
from songtien.telling.channels.template import encoded
from songtien.telling.channels.values import ChannelSettings

TYPES: Final = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
_PHONE = re.compile(r"\+?84([0-9]{9,10})")


def national(address: str) -> str | None:
    """The digits after the country's code, of `+84…` or `84…`; None for anything else."""
    found = _PHONE.fullmatch(address)
    return None if found is None else found[1]


class SmsChannel:
    """One gateway."""

    def __init__(self, settings: ChannelSettings) -> None:
        own = settings.own
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form.SMS_UNICODE if settings.unicode else Form.SMS
        self._own = own
        self._unicode = settings.unicode
        self._rules = Rules(own["taken"], own["again"], own["gone"], own["closed"], own["ref"])
        self._requests = Requests(settings.timeout_s, own["ca_file"])

    def send(self, parcel: Parcel) -> Answer:
        digits = national(parcel.address)
        if digits is None:
            return Answer(Verdict.REFUSED, "the address is no number of Vietnam")
        values = self._values(parcel, digits)
        url, content = self._own["url"], self._own["content"]
        body: bytes | None = encoded(content, self._own["body"], values)
        headers = {name: each.filled(values) for name, each in self._own["headers"].items()}
        if content == "query":
            assert body is not None
            url = f"{url}{'&' if '?' in url else '?'}{body.decode()}"
            body = None
        else:
            headers = {"Content-Type": TYPES[content], **headers}
        if self._own["username"] is not None:
            pair = f"{self._own['username']}:{self._own['password']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        said = self._requests.ask(self._own["method"], url, headers, body)
        if isinstance(said, Unanswered):
            return said.answer()
        return answer_of(self._rules, said.status, said.body, said.retry_after_s, cut=said.cut)

    def _values(self, parcel: Parcel, digits: str) -> dict[str, Any]:
        return {
            "phone": f"84{digits}",
            "phone_local": f"0{digits}",
            "text": parcel.text.body,
            "key": parcel.key,
            "sender": self._own["sender"],
            "unicode": self._unicode,
            "parts": parcel.text.parts,
            "token": self._own["token"],
            "password": self._own["password"],
        }

    def close(self) -> None:
        self._requests.close()
