"""Telegram: a bot writes to people who have written to it first.

Bot API, sendMessage: https://core.telegram.org/bots/api#sendmessage. The token stands in the
URL, which is why nothing here logs, and no text of an error is passed on.
"""

import re
from typing import Any, Final

from alerts.farmers.gateway import UnreadError, at_path, from_json, of_status
from alerts.farmers.parcel import Answer, Form, Parcel, Verdict
from songtien.telling.channels.http import Requests, Said, Unanswered, as_json
from songtien.telling.channels.values import ChannelSettings

TEXT_MAX: Final = 4_096
"""Characters of one message (Bot API); counted in UTF-16 to be on the safe side."""

_CHAT = re.compile(r"-?[0-9]{1,19}")


class TelegramChannel:
    """One bot."""

    def __init__(self, settings: ChannelSettings) -> None:
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form.LONG
        self._url = f"{settings.own['url'].rstrip('/')}/bot{settings.own['token']}/sendMessage"
        self._requests = Requests(settings.timeout_s, settings.own["ca_file"])

    def send(self, parcel: Parcel) -> Answer:
        if not _CHAT.fullmatch(parcel.address):
            return Answer(Verdict.REFUSED, "the address is no number of a chat")
        document = {
            "chat_id": int(parcel.address),
            "text": _shortened(_words(parcel)),
            # No link of ours is worth that a phone on a slow line fetches a picture for it.
            "link_preview_options": {"is_disabled": True},
            "disable_notification": False,
        }
        body = as_json(document)
        said = self._requests.ask("POST", self._url, {"Content-Type": "application/json"}, body)
        if isinstance(said, Unanswered):
            return said.answer()
        return _answer(said)

    def close(self) -> None:
        self._requests.close()


def _words(parcel: Parcel) -> str:
    title, body = parcel.text.title, parcel.text.body
    stop = f"\n\n{parcel.stop_url}" if parcel.stop_url and parcel.stop_url not in body else ""
    return f"{title}\n\n{body}{stop}" if title else f"{body}{stop}"


def _shortened(text: str) -> str:
    if len(text.encode("utf-16-le")) // 2 <= TEXT_MAX:
        return text
    cut = text.encode("utf-16-le")[: 2 * (TEXT_MAX - 1)].decode("utf-16-le", "ignore")
    return f"{cut.rpartition(' ')[0] or cut}…"


def _answer(said: Said) -> Answer:
    document = _document(said)
    if said.status == 200 and at_path(document, ("ok",)) is True:
        ref = at_path(document, ("result", "message_id"))
        return Answer(Verdict.TAKEN, "status 200", str(ref) if isinstance(ref, int) else "")
    detail = f"status {said.status}"
    if said.status == 400:
        return _refused(document, detail)
    if said.status == 403:
        return Answer(Verdict.GONE, f"{detail}: the bot is stopped there, or nobody is there")
    verdict = of_status(said.status)
    if verdict is Verdict.CLOSED and said.status in {401, 404}:
        return Answer(verdict, f"{detail}: the bot's token is not known there")
    if verdict is Verdict.TAKEN:
        return Answer(Verdict.AGAIN, f"{detail}, an answer that can't be read")
    asked = at_path(document, ("parameters", "retry_after"))
    asked_s = float(asked) if isinstance(asked, int) else said.retry_after_s
    return Answer(verdict, detail, "", asked_s if verdict is Verdict.AGAIN else None)


def _refused(document: Any, detail: str) -> Answer:
    """400 is also how a chat that never was is told, by words alone (as seen, unverified)."""
    words = at_path(document, ("description",))
    if isinstance(words, str) and re.search(r"chat not found|user not found", words, re.IGNORECASE):
        return Answer(Verdict.GONE, f"{detail}: no such chat")
    return Answer(Verdict.REFUSED, detail)


def _document(said: Said) -> object:
    try:
        return from_json(said.body)
    except UnreadError:
        return None
