"""E-mail over SMTP: encrypted unless the operator allows otherwise, plain text, one to each."""

import re
import smtplib
import socket
import ssl
import time
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate
from typing import Final

from alerts.farmers.parcel import Answer, Form, Parcel, Verdict
from songtien.telling.channels import deadline
from songtien.telling.channels.values import ChannelSettings

PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
TITLE_MAX: Final = 150
IDLE_MAX_S: Final = 20.0
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_NO_SUCH: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""RFC 3463, 3.2 and 3.3: the mailbox is not there, or is there no more."""


class _Smtp(smtplib.SMTP):
    """Everything on one connection ends at one moment, which `deadline.until` moves."""

    def __init__(
        self, host: str, port: int, until_s: float, context: ssl.SSLContext | None
    ) -> None:
        self._until_s = until_s
        self._context = context
        super().__init__(host, port)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002
        plain = deadline.connected(host, port, self._until_s)
        return plain if self._context is None else deadline.wrapped(plain, self._context, host)


class MailChannel:
    """One submission server (RFC 6409)."""

    def __init__(self, settings: ChannelSettings) -> None:
        self.name = settings.name
        self.kind = settings.kind
        self.form = Form.LONG
        self._own = settings.own
        self._timeout_s = settings.timeout_s
        self._context = deadline.tls_context(settings.own["ca_file"])
        self._server: smtplib.SMTP | None = None
        self._used_s = 0.0

    def send(self, parcel: Parcel) -> Answer:
        if not _ADDRESS.fullmatch(parcel.address):
            return Answer(Verdict.REFUSED, "the address is no e-mail address")
        try:
            message = self._message(parcel)
        except (ValueError, IndexError, MessageError):
            # The library's own parser of headers has such ends; its texts repeat what it was given.
            return Answer(Verdict.REFUSED, "the message can't be written as mail")
        try:
            return self._handed_over(parcel.address, message)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            if isinstance(error, smtplib.SMTPRecipientsRefused):
                self._reset()  # the connection serves the next one
            else:
                self.close()
            return _of_error(error)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None

    def _message(self, parcel: Parcel) -> EmailMessage:
        own, text = self._own, parcel.text
        message = EmailMessage(SMTP_POLICY)
        message["From"] = Address(own["from_name"], addr_spec=own["from_address"])
        message["To"] = Address(addr_spec=parcel.address)
        message["Subject"] = _line(text.title) or _line(text.body)
        message["Date"] = formatdate(usegmt=True)
        domain = own["from_address"].rpartition("@")[2]
        key = re.sub(r"[^0-9A-Za-z-]", "-", parcel.key) or "-"
        message["Message-ID"] = f"<{key}@{domain}>"
        # Machines do not answer this (RFC 3834, 5).
        message["Auto-Submitted"] = "auto-generated"
        if parcel.stop_url.startswith("https://") and not re.search(r"[\s<>]", parcel.stop_url):
            # RFC 2369 and RFC 8058: with a click, and without one.
            message["List-Unsubscribe"] = f"<{parcel.stop_url}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        body = text.body
        if parcel.stop_url and parcel.stop_url not in body:
            body = f"{body}\n\n{parcel.stop_url}"
        message.set_content(body, subtype="plain", charset="utf-8", cte="base64")
        return message

    def _handed_over(self, address: str, message: EmailMessage) -> Answer:
        server = self._connected()
        server.send_message(message, self._own["from_address"], [address])
        self._used_s = time.monotonic()
        return Answer(Verdict.TAKEN, "accepted", message["Message-ID"].strip("<>"))

    def _connected(self) -> smtplib.SMTP:
        until_s = time.monotonic() + self._timeout_s
        if self._server is not None and self._is_usable(self._server, until_s):
            return self._server
        self.close()
        own, security = self._own, self._own["security"]
        context = self._context if security == "tls" else None
        made = _Smtp(own["host"], own["port"] or PORTS[security], until_s, context)
        self._server = made
        if security == "starttls":
            made.starttls(context=self._context)
            deadline.until(made.sock, until_s)
        if own["username"] is not None:
            made.login(own["username"], own["password"])
        return made

    def _is_usable(self, kept: smtplib.SMTP, until_s: float) -> bool:
        if kept.sock is None or time.monotonic() - self._used_s > IDLE_MAX_S:
            return False
        deadline.until(kept.sock, until_s)
        try:
            return kept.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def _reset(self) -> None:
        """One recipient was refused; the connection serves the next."""
        server = self._server
        if server is None:
            return
        try:
            server.rset()
        except (smtplib.SMTPException, OSError):
            self.close()


def _line(text: str) -> str:
    """One line of a header: whatever would begin another is a blank."""
    said = _CONTROL.sub(" ", text).strip()
    return said if len(said) <= TITLE_MAX else f"{said[:TITLE_MAX].rpartition(' ')[0]}…"


def _of_error(error: Exception) -> Answer:
    """What a failure of any step means. Texts of these errors may name whom the mail was for."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, words = next(iter(error.recipients.values()))
            found = _of_reply(code, words, "the recipient", Verdict.REFUSED)
        case smtplib.SMTPSenderRefused():
            found = _of_reply(error.smtp_code, error.smtp_error, "the sender", Verdict.CLOSED)
        case smtplib.SMTPDataError():
            found = _of_reply(error.smtp_code, error.smtp_error, "the message", Verdict.REFUSED)
        case smtplib.SMTPAuthenticationError():
            found = _of_reply(error.smtp_code, "", "signing in", Verdict.CLOSED)
        case smtplib.SMTPResponseException():
            found = _of_reply(error.smtp_code, error.smtp_error, "the server", Verdict.CLOSED)
        case smtplib.SMTPNotSupportedError():
            found = Answer(Verdict.CLOSED, "the server has no STARTTLS, or takes no sign-in")
        case ssl.SSLCertVerificationError():
            found = Answer(Verdict.CLOSED, "the server's certificate is not trusted")
        case _:
            found = Answer(Verdict.AGAIN, f"no answer: {type(error).__name__}")
    return found


def _of_reply(code: int, words: bytes | str, what: str, refused: Verdict) -> Answer:
    """RFC 5321, 4.2.1: 4yz may do later, 5yz will not; with the code of RFC 3463, if any."""
    said = words.decode("ascii", "replace") if isinstance(words, bytes) else words
    found = re.match(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s|$)", said)
    status = found[1] if found else ""
    detail = f"{what}: {code} {status}".rstrip()
    if not 500 <= code < 600:
        return Answer(Verdict.AGAIN, detail)
    if refused is Verdict.REFUSED and status in _NO_SUCH:
        return Answer(Verdict.GONE, detail)
    return Answer(refused, detail)
