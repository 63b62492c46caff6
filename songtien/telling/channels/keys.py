"""The keys of `[channel.NAME]`: those that all kinds share, and those of each. Pure.

`docs/notifications.md` explains them; a test holds `docs/configuration.md` to them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final

from alerts.farmers.gateway import Rule
from api.people.addresses import PUSH_HOSTS
from songtien.accepted import (
    NotAcceptedError,
    choice,
    file_path,
    host_name,
    integer,
    list_of,
    matching,
    number_of,
    seconds,
    short_text,
    signing_secret,
    true_or_false,
    truth_of,
    visible_token,
    web_url,
)
from songtien.setting_keys import Key
from songtien.telling.channels import own_values as own

CHANNEL: Final = "channel"
BUDGET_MAX: Final = 100_000_000
RATES: Final[Mapping[str, float]] = {
    "file": 1_000.0,
    "sms": 5.0,
    "zalo": 10.0,
    "email": 5.0,
    "telegram": 20.0,
    "apprise": 1.0,
    "webpush": 20.0,
    "webhook": 20.0,
}
"""Messages a second where nobody says: cautious, unverified. Telegram's own limit is about 30
(Bots FAQ, "My bot is hitting limits").
"""

KINDS: Final = tuple(RATES)
_address = matching(
    r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]{1,64}@[0-9A-Za-z.-]{1,190}", "an e-mail address"
)
_phrase = matching(
    r"[^\x00-\x1f\x7f<>\"\\]{1,100}", 'a name of up to 100 characters without < > " \\'
)
_contact = matching(
    r"(mailto:[^\s@]{1,64}@[0-9A-Za-z.-]{1,190}|https://[\x21-\x7e]{1,200})",
    "mailto:… or https://…, by which push services reach you",
)


def document_of(text: str) -> object:
    """A table or a list out of a variable, as JSON; else the text, which is then refused."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found


def _number(low: float, high: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise NotAcceptedError(f"accepted is a number from {low:g} to {high:g}")
        if not low <= value <= high:
            raise NotAcceptedError(f"accepted is a number from {low:g} to {high:g}")
        return float(value)

    return parse


def _common(section: str, kind: str) -> tuple[Key, ...]:
    return (
        Key(section, "kind", choice(*KINDS)),
        Key(section, "rate_per_s", _number(0.01, 1_000), RATES[kind], number_of),
        Key(section, "timeout_s", seconds(1, 60), 10.0, number_of),
        Key(section, "budget_per_month", integer(0, BUDGET_MAX), None, number_of),
        Key(section, "cost_per_part", integer(0, 100_000, " đồng"), 0, number_of),
        Key(section, "inbound_secret", signing_secret, secret=True),
        Key(section, "inbound_secret_file", file_path),
        Key(section, "report", own.report_fields, None, document_of),
        Key(section, "inbound", own.inbound_fields, None, document_of),
    )


def _file(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "path", file_path),
        Key(section, "form", choice("sms", "sms-unicode", "long"), "sms"),
        Key(section, "show_addresses", true_or_false, False, truth_of),
    )


def _sms(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "url", web_url, hidden=True),
        Key(section, "allow_http", true_or_false, False, truth_of),
        Key(section, "method", choice("POST", "PUT", "GET"), "POST"),
        Key(section, "content", choice("json", "form", "query"), "json"),
        Key(section, "headers", own.headers, {}, document_of, hidden=True),
        Key(section, "body", own.body, None, document_of, hidden=True),
        Key(section, "sender", short_text, ""),
        Key(section, "token", visible_token, secret=True),
        Key(section, "token_file", file_path),
        Key(section, "username", short_text),
        Key(section, "password", short_text, secret=True),
        Key(section, "password_file", file_path),
        Key(section, "ca_file", file_path),
        Key(section, "unicode", true_or_false, False, truth_of),
        Key(section, "taken", own.taken, Rule(status=own.SUCCESS), document_of),
        Key(section, "again", own.rules, (), document_of),
        Key(section, "gone", own.rules, (), document_of),
        Key(section, "closed", own.rules, (), document_of),
        Key(section, "ref", own.path, (), str),
    )


def _zalo(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "templates", own.templates, None, document_of),
        Key(section, "app_id", matching(r"[0-9]{1,30}", "the number of the app")),
        Key(section, "app_secret", visible_token, secret=True),
        Key(section, "app_secret_file", file_path),
        Key(section, "access_token", own.long_token, secret=True),
        Key(section, "access_token_file", file_path),
        Key(section, "refresh_token", own.long_token, secret=True),
        Key(section, "refresh_token_file", file_path),
        Key(section, "development", true_or_false, False, truth_of),
        Key(section, "url", web_url, own.ZALO_URL),
        Key(section, "oauth_url", web_url, own.ZALO_OAUTH_URL),
        Key(section, "allow_http", true_or_false, False, truth_of),
        Key(section, "ca_file", file_path),
    )


def _email(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "host", host_name),
        Key(section, "port", integer(1, 65_535), None, number_of),
        Key(section, "security", choice("starttls", "tls", "none"), "starttls"),
        Key(section, "allow_plain", true_or_false, False, truth_of),
        Key(section, "username", short_text),
        Key(section, "password", short_text, secret=True),
        Key(section, "password_file", file_path),
        Key(section, "from_address", _address),
        Key(section, "from_name", _phrase, ""),
        Key(section, "ca_file", file_path),
    )


def _telegram(section: str) -> tuple[Key, ...]:
    return (
        Key(
            section,
            "token",
            matching(r"[0-9]{1,20}:[0-9A-Za-z_-]{10,100}", "a bot's token"),
            secret=True,
        ),
        Key(section, "token_file", file_path),
        Key(section, "url", web_url, "https://api.telegram.org"),
        Key(section, "allow_http", true_or_false, False, truth_of),
        Key(section, "ca_file", file_path),
    )


def _apprise(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "target", own.target, secret=True),
        Key(section, "target_file", file_path),
    )


def _webpush(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "contact", _contact),
        Key(section, "hosts", own.hosts, PUSH_HOSTS, list_of),
        Key(section, "ttl_s", integer(0, 2_419_200), 14_400, number_of),
        Key(section, "ca_file", file_path),
    )


def _webhook(section: str) -> tuple[Key, ...]:
    return (
        Key(section, "url", web_url, hidden=True),
        Key(section, "secret", signing_secret, secret=True),
        Key(section, "secret_file", file_path),
        Key(section, "allow_http", true_or_false, False, truth_of),
        Key(section, "ca_file", file_path),
    )


_OWN: Final[Mapping[str, Callable[[str], tuple[Key, ...]]]] = {
    "file": _file,
    "sms": _sms,
    "zalo": _zalo,
    "email": _email,
    "telegram": _telegram,
    "apprise": _apprise,
    "webpush": _webpush,
    "webhook": _webhook,
}

NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "file": ("path",),
    "sms": ("url", "body"),
    "zalo": ("templates",),
    "email": ("host", "from_address"),
    "telegram": ("token",),
    "apprise": ("target",),
    "webpush": ("contact",),
    "webhook": ("url", "secret"),
}
"""Keys without which a channel of a kind reaches nobody."""


def common_names() -> tuple[str, ...]:
    """The keys that every kind has."""
    return tuple(key.name for key in _common("", "file"))


def channel_keys(name: str, kind: str) -> tuple[Key, ...]:
    """The keys of one channel, in the order of the documentation."""
    section = f"{CHANNEL}.{name}"
    return (*_common(section, kind), *_OWN[kind](section))
