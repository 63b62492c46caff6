"""Messages to a system of the operator's own, signed as webhooks are."""

import time

from alerts.farmers.gateway import Rules, answer_of
from alerts.farmers.parcel import Answer, Form, Parcel
from alerts.webhook import IDEMPOTENCY_KEY, SIGNATURE, signature
from songtien.telling.channels.http import Requests, Unanswered, as_json
from songtien.telling.channels.values import ChannelSettings

RULES = Rules()


class HookChannel:
    """One URL, which is never logged or shown."""

    def __init__(self, settings: ChannelSettings) -> None:
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form.LONG
        self._url = settings.own["url"]
        self._secret = settings.own["secret"]
        self._requests = Requests(settings.timeout_s, settings.own["ca_file"])

    def send(self, parcel: Parcel) -> Answer:
        document = {
            "v": 1,
            "key": parcel.key,
            "to": parcel.address,
            "title": parcel.text.title,
            "text": parcel.text.body,
            "critical": parcel.critical,
            "stop_url": parcel.stop_url,
        }
        body = as_json(document)
        headers = {
            "Content-Type": "application/json",
            IDEMPOTENCY_KEY: parcel.key,
            SIGNATURE: signature(self._secret, int(time.time()), body),
        }
        said = self._requests.ask("POST", self._url, headers, body)
        if isinstance(said, Unanswered):
            return said.answer()
        return answer_of(RULES, said.status, said.body, said.retry_after_s)

    def close(self) -> None:
        self._requests.close()
