"""Whether the keys of one channel go together. Pure."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from songtien.accepted import url_parts
from songtien.telling.channels.template import (
    SECRET,
    TemplateError,
    check_flat,
    placeholders,
)

Doubt = tuple[str, str]
"""A key, and what is accepted there."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def doubts(kind: str, own: Mapping[str, Any]) -> Iterator[Doubt]:
    """What can't be used though each value alone is well formed."""
    for key in ("url", "oauth_url"):
        if own.get(key) is not None:
            yield from _url(key, own)
    if kind == "sms":
        yield from _sms(own)
    elif kind == "email":
        yield from _email(own)
    elif kind == "zalo":
        yield from _zalo(own)
    elif kind == "apprise" and own["target"] is not None and "{topic}" not in own["target"]:
        yield "target_file", "accepted is a URL with {topic} where a person's address stands"


def _url(key: str, own: Mapping[str, Any]) -> Iterator[Doubt]:
    parts = url_parts(own[key])
    if parts is None or parts.hostname is None:
        return
    if parts.scheme == "http" and not own["allow_http"] and not is_loopback(parts.hostname):
        yield key, "accepted is https://…: keys and numbers would be sent in clear; or allow_http"
    if "{" in own[key] or parts.fragment:
        yield key, "accepted is a URL without placeholders: they stand in body and headers"


def _sms(own: Mapping[str, Any]) -> Iterator[Doubt]:
    content, body = own["content"], own["body"]
    if content != "json" and body is not None:
        try:
            check_flat(body)
        except TemplateError as error:
            yield "body", str(error)
    if (own["method"] == "GET") != (content == "query"):
        yield "content", 'accepted is "query" with the method GET, and "json" or "form" with others'
    asked = placeholders(body) | placeholders(dict(own["headers"]))
    for secret in sorted(asked & SECRET):
        if own[secret] is None:
            yield f"{secret}_file", f"body or headers ask for {{{secret}}}; accepted is a file"
    if own["username"] is not None and own["password"] is None:
        yield "username", "it is sent with password_file (HTTP Basic); accepted are both or none"


def _email(own: Mapping[str, Any]) -> Iterator[Doubt]:
    if own["host"] is None:
        return
    plain = own["security"] == "none"
    if plain and not own["allow_plain"] and not is_loopback(own["host"]):
        yield "security", "accepted is starttls or tls: mail would be sent in clear; or allow_plain"
    if plain and own["username"] is not None and not is_loopback(own["host"]):
        yield "username", "a password is not sent in clear; accepted with starttls or tls"
    if (own["username"] is None) != (own["password"] is None):
        yield "username", "accepted are username and password_file together, or none"


def _zalo(own: Mapping[str, Any]) -> Iterator[Doubt]:
    parts = ("app_id", "app_secret", "refresh_token")
    renewed = [own[each] is not None for each in parts]
    if any(renewed) and not all(renewed):
        missing = next(each for each in parts if own[each] is None)
        where = missing if missing == "app_id" else f"{missing}_file"
        yield where, "accepted are app_id, app_secret_file and refresh_token_file together"
    if not all(renewed) and own["access_token"] is None:
        yield "refresh_token_file", "accepted is one, with app_id and app_secret_file"
