"""Every key of the configuration, with what it accepts and what it is when nobody names it.

`docs/configuration.md` explains them; a test holds the two together.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from alerts.rules import Severity
from alerts.webhook import EVENT_TYPES
from api.people.limits import CODES_PER_HOUR
from ingest.influx import parse_url
from songtien.accepted import (
    NotAcceptedError,
    choice,
    file_path,
    host_name,
    integer,
    list_of,
    matching,
    number_of,
    port_number,
    seconds,
    short_text,
    signing_secret,
    true_or_false,
    truth_of,
    url_parts,
    visible_token,
    web_url,
)

PREFIX: Final = "SONGTIEN_"
MQTT_PORT: Final = 1883
MQTTS_PORT: Final = 8883
SITE_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `parse` takes a value of TOML; `from_text` makes one of a variable's text.

    Parameters
    ----------
    default : None where absence means absence
    secret : stands in the environment alone, never in the file, and is never shown
    hidden : may stand in the file, and is not shown when it is refused
    """

    section: str
    name: str
    parse: Callable[[object], object]
    default: object = None
    from_text: Callable[[str], object] = str
    secret: bool = False
    hidden: bool = False

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"{PREFIX}{self.path.replace('.', '__').upper()}"


def _mqtt_url(value: object) -> str:
    accepted = "accepted is mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"
    parts = url_parts(value) if isinstance(value, str) else None
    if not isinstance(value, str) or parts is None or parts.scheme not in ("mqtt", "mqtts"):
        raise NotAcceptedError(accepted)
    if "@" in parts.netloc:
        raise NotAcceptedError(
            f"{accepted}; name and password stand in mqtt.username and mqtt.password_file"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise NotAcceptedError(f"{accepted}, with nothing behind the port")
    return value.rstrip("/")


def _store_url(value: object) -> str:
    if isinstance(value, str) and value.startswith(("influxdb:", "influxdbs:")):
        try:
            return str(parse_url(value))
        except ValueError as error:
            raise NotAcceptedError(str(error)) from error
    if value != "embedded:":
        raise NotAcceptedError(
            'accepted is "embedded:" or influxdb://HOST:8086/BUCKET?org=ORG (influxdbs:// for TLS)'
        )
    return "embedded:"


def _public_url(value: object) -> str | None:
    if value == "":
        return None
    parts = url_parts(value) if isinstance(value, str) else None
    if not isinstance(value, str) or parts is None or parts.scheme not in ("ws", "wss"):
        raise NotAcceptedError('accepted is ws://… or wss://…, or "" where no proxy is in front')
    return value


def _tiles_url(value: object) -> str:
    """A template as map viewers take it. Its host stands in the pages' security policy."""
    accepted = "accepted is https://HOST/… or /… (this service's own host), with {z}, {x} and {y}"
    if not isinstance(value, str) or re.search(r"[\s\x00-\x1f;,\"'<>\\]", value):
        raise NotAcceptedError(accepted)
    parts = url_parts(value)
    if parts is None:
        known = value.startswith("/") and not value.startswith("//")
    else:
        known = parts.scheme == "https" and not re.search(r"[@{}]", parts.netloc)
    if not known or sorted(re.findall(r"\{[^}]*\}", value)) != ["{x}", "{y}", "{z}"]:
        raise NotAcceptedError(accepted)
    return value


def _farmers_site(value: object) -> str:
    """Where people open the farmers' page: it stands in messages, so it is short."""
    accepted = f"accepted is https://HOST/nong-dan, of up to {SITE_MAX} characters"
    url = web_url(value).rstrip("/")
    parts = url_parts(url)
    if len(url) > SITE_MAX or parts is None or parts.query or parts.fragment or not url.isascii():
        raise NotAcceptedError(accepted)
    return url


def _origins(value: object) -> tuple[str, ...]:
    """Origins as browsers send them: lower case, without a path."""
    accepted = 'accepted is a list such as ["https://screens.example.vn"], each without a path'
    if not isinstance(value, list):
        raise NotAcceptedError(accepted)
    found = []
    for each in value:
        parts = url_parts(each) if isinstance(each, str) else None
        if parts is None or parts.scheme not in ("http", "https") or "@" in parts.netloc:
            raise NotAcceptedError(accepted)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise NotAcceptedError(accepted)
        found.append(f"{parts.scheme}://{parts.netloc.lower()}")
    return tuple(dict.fromkeys(found))


def _addresses(value: object) -> tuple[str, ...]:
    """Addresses and networks, as `ipaddress` writes them."""
    accepted = 'accepted is a list of addresses or networks, such as ["127.0.0.1", "10.0.0.0/8"]'
    if not isinstance(value, list):
        raise NotAcceptedError(accepted)
    found = []
    for each in value:
        try:
            found.append(str(ip_network(each) if "/" in each else ip_address(each)))
        except (TypeError, ValueError) as error:
            raise NotAcceptedError(accepted) from error
    return tuple(dict.fromkeys(found))


def _event_types(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(each in EVENT_TYPES for each in value):
        raise NotAcceptedError(f"accepted is a list of {', '.join(EVENT_TYPES)}; empty for all")
    return tuple(dict.fromkeys(value))


_time_of_day = matching(
    r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9])?", 'a time from "00:00" to "23:59", or "" for never'
)
_root = matching(
    r"[0-9A-Za-z._-]{1,60}(/[0-9A-Za-z._-]{1,60}){0,4}",
    "letters, digits, . _ and -, in up to 5 levels parted by /",
)
_cap_sender = matching(
    r"[!-%'-+\--;=-~]{1,200}", "1 to 200 visible ASCII characters without a comma, < and &"
)
_client_id = matching(r"[0-9A-Za-z._-]{1,64}", "1 to 64 letters, digits, . _ and -")

KEYS: Final = (
    Key("mqtt", "url", _mqtt_url, "mqtt://127.0.0.1:1883"),
    Key("mqtt", "root", _root, "tiengiang"),
    Key("mqtt", "username", short_text),
    Key("mqtt", "password", short_text, secret=True),
    Key("mqtt", "password_file", file_path),
    Key("mqtt", "ca_file", file_path),
    Key("mqtt", "client_id", _client_id),
    Key("mqtt", "protocol", choice("auto", "5", "3.1.1"), "auto"),
    Key("store", "url", _store_url, "embedded:"),
    Key("store", "token", visible_token, secret=True),
    Key("store", "token_file", file_path),
    Key("store", "window_days", integer(1, 36_500), 400, number_of),
    Key("http", "host", host_name, "127.0.0.1"),
    Key("http", "port", port_number, 8080, number_of),
    Key("http", "proxies", _addresses, (), list_of),
    Key("live", "host", host_name, "127.0.0.1"),
    Key("live", "port", port_number, 8081, number_of),
    Key("live", "public_url", _public_url),
    Key("live", "origins", _origins, (), list_of),
    Key("auth", "anonymous", choice("viewer", "none"), "viewer"),
    Key("auth", "session_hours", integer(1, 8_760), 12, number_of),
    Key("auth", "session_max_hours", integer(1, 8_760), 168, number_of),
    Key("auth", "secure_cookies", true_or_false, False, truth_of),
    Key("auth", "audit_days", integer(1, 36_500), 1_826, number_of),
    Key("data", "dir", file_path, "data"),
    Key("data", "journal_days", integer(1, 3_650), 7, number_of),
    Key("rewind", "keep_days", integer(1, 36_500), 400, number_of),
    Key("rewind", "at_once", integer(0, 1_000), 8, number_of),
    Key("farmers", "site", _farmers_site),
    Key("farmers", "key_file", file_path),
    Key("farmers", "codes_per_hour", integer(1, 100_000), CODES_PER_HOUR, number_of),
    Key("farmers", "group_s", integer(0, 600), 60, number_of),
    Key("map", "tiles_url", _tiles_url),
    Key("map", "tiles_source", short_text),
    Key("registry", "file", file_path),
    Key("rules", "file", file_path),
    Key("ingest", "reorder_s", seconds(0, 3600), 30.0, number_of),
    Key("watch", "behind_s", seconds(10, 86_400), 900.0, number_of),
    Key("watch", "self_test_at", _time_of_day, "06:30"),
    Key("watch", "heartbeat_url", web_url, secret=True),
    Key("watch", "heartbeat_url_file", file_path),
    Key("watch", "heartbeat_s", seconds(1, 3600), 60.0, number_of),
    Key("cap", "sender", _cap_sender, "songtien"),
    Key("cap", "sender_name", short_text, "songtien"),
)
"""In the order of the documentation."""

WEBHOOK: Final = "webhook"
WEBHOOK_NAME: Final = re.compile(r"[a-z0-9]{1,16}(_[a-z0-9]{1,16}){0,3}")
"""Written in capitals in a variable, where two underscores part the section from the key."""


def webhook_keys(name: str) -> tuple[Key, ...]:
    """The keys of one receiver, in the order of the documentation."""
    section = f"{WEBHOOK}.{name}"
    return (
        # A path may be as good as a password.
        Key(section, "url", web_url, hidden=True),
        Key(section, "secret", signing_secret, secret=True),
        Key(section, "secret_file", file_path),
        Key(section, "events", _event_types, (), list_of),
        Key(section, "min_severity", choice(*Severity), Severity.WARNING.value),
        Key(section, "simulated", true_or_false, False, truth_of),
    )


SECTIONS: Final = tuple(dict.fromkeys(key.section for key in KEYS))
