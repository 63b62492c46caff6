"""The live socket as a channel: its frames, who says which, and the rules around them."""

from collections.abc import Iterator
from typing import Any, Final

from api.asyncapi import examples
from api.asyncapi.parts import RECEIVE, SEND, Channel, Message, Operation
from api.asyncapi.words import CLOSES, ERRORS, LIMITS, WHERE, Open, list_of, ref
from api.live import frames
from api.live.alertlog import EVENTS_MAX
from api.live.frames import FRAME_BYTES_MAX, SUBPROTOCOL
from api.live.server import CLIENTS_MAX, PATH, READ_BYTES_MAX
from api.live.where import VALUES_MAX

_SAYS: Final[tuple[tuple[str, str, str], ...]] = (
    ("auth_s", "s", "until `auth` has come, else the socket is closed"),
    ("ping_s", "s", "of quiet, after which a `ping` comes"),
    ("pong_s", "s", "until the `pong` of a `ping` has come, else the socket is closed"),
    ("subs", "", "subscriptions of a client"),
    ("min_hz", "Hz", "the lowest `max_hz` of a subscription"),
    ("max_hz", "Hz", "the highest `max_hz`"),
    (
        "window_bytes",
        "bytes",
        "in flight to a client; a `ping` follows, and no more till its `pong`",
    ),
    ("unread_bytes", "bytes", "in flight to a client that asks on, then it is closed"),
    ("alerts_behind", "events", "that a client may lack while it keeps the service waiting"),
    ("calls", "", "calls of a client under way"),
    ("burst", "", "requests at once"),
    ("per_s", "1/s", "requests in the long run; pongs that were asked for are free"),
)
"""Each limit of a session with its unit and meaning."""

DESCRIPTION: Final = f"""\
JSON texts of at most {FRAME_BYTES_MAX:,} bytes, with the kind of frame in `op`. Unknown fields are \
passed over, and new ones may appear. The first frame is `auth`. Requests carry a rising `id`, and \
their answers the same; what comes unasked carries the `sub` that it belongs to, or nothing.

A position (`pos`) is opaque. A delta or an event is good only for who holds its `from`; who holds \
another position unsubscribes and subscribes again with the one that it has. So do you where a \
`ping` names another position than yours while no snapshot is being loaded. Recovery is all or \
nothing: `recovered` says which.

`state` is conflated by key: who is slow gets the newest value of each, and `merged` counts what was \
overwritten. `alerts` is lossless and ordered; who is too slow for it is closed and resumes from \
its position, also across a restart of the service.

A browser's `Origin` must be the service's own or a configured one. Tokens never stand in the URL. \
Without an offered subprotocol a client is let in, for tools; with others alone it is not."""


def channel() -> Channel:
    return Channel(
        name="live",
        server="live",
        address=PATH,
        title="The live socket",
        description=DESCRIPTION,
        messages=tuple(_messages()),
        operations=tuple(_operations()),
        more={
            "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            "x-subprotocol": SUBPROTOCOL,
            "x-limits": list(_limits()),
            "x-close-codes": [
                {"code": each.code, "means": each.means, "come-back": each.again} for each in CLOSES
            ],
            "x-come-back": "4000 to 4099: come back after a random time from 0 up to 1 s, doubled "
            "with each failure up to 60 s. 4400 to 4499: stop, and tell the person.",
            "x-error-codes": [{"code": code, "means": means} for code, means in ERRORS.items()],
        },
    )


def _limits() -> Iterator[dict[str, Any]]:
    for name, unit, means in _SAYS:
        yield {"name": name, "value": getattr(LIMITS, name), "unit": unit, "means": means}
    for name, value, unit, means in (
        ("frame", FRAME_BYTES_MAX, "bytes", "of a frame; one that is longer closes with 4400"),
        ("read", READ_BYTES_MAX, "bytes", "of a text; one that is longer is not read (1009)"),
        ("where_values", VALUES_MAX, "", "values in a list of `where`"),
        ("events", EVENTS_MAX, "events", "kept for those who come back"),
        ("clients", CLIENTS_MAX, "", "clients at a time"),
    ):
        yield {"name": name, "value": value, "unit": unit, "means": means}


def _narrowed(name: str, **fields: Open) -> dict[str, Any]:
    """A frame of which some fields are known more closely than its struct says."""
    return {
        "allOf": [ref(name), {"type": "object", "properties": fields, "required": list(fields)}]
    }


def _messages() -> Iterator[Message]:
    """Examples are of the frames themselves, so they are what the encoder makes."""
    yield Message("auth", "Sign in", "The first frame.", ref("Auth"), examples.AUTH, answers=True)
    for chan, title in (("state", "Subscribe to state"), ("alerts", "Subscribe to alerts")):
        narrowed = _narrowed("Sub", chan={"const": chan})
        narrowed["allOf"][1]["properties"]["where"] = {"anyOf": [WHERE[chan], {"type": "null"}]}
        yield Message(
            f"sub.{chan}",
            title,
            f"Filters are on {', '.join(WHERE[chan]['properties'])}.",
            narrowed,
            examples.SUB[chan],
            answers=True,
        )
    yield Message(
        "unsub", "Unsubscribe", "Ends a subscription.", ref("Unsub"), examples.UNSUB, answers=True
    )
    for method, struct in frames.CALLS.items():
        yield Message(
            f"call.{method}",
            f"Call {method}",
            "Acts on one alert for an officer; needs the role operator, and is audited.",
            _narrowed("Call", m={"const": method}, p=ref(struct.__name__)),
            examples.CALL[method],
            answers=True,
        )
    yield Message("pong", "Pong", "Answers a `ping`.", ref("Pong"), examples.PONG)
    yield from _answers()
    yield from _unasked()


def _answers() -> Iterator[Message]:
    yield Message("hello", "Welcome", "Answers `auth`.", ref("Hello"), examples.HELLO, answers=True)
    yield Message(
        "sub_ok",
        "Subscribed",
        "Answers `sub`; deltas or events follow, or a snapshot first.",
        ref("SubOk"),
        examples.SUB_OK,
        answers=True,
    )
    empty = {"type": "object", "maxProperties": 0}
    done = {"type": "object", "properties": {"alert": ref("Alert")}, "required": ["alert"]}
    yield Message(
        "ret.unsub",
        "Unsubscribed",
        "Nothing more comes of it.",
        _narrowed("Ret", ok=empty),
        examples.RET_UNSUB,
        answers=True,
    )
    yield Message(
        "ret.call",
        "Done",
        "It is durable; the alert is as it is now.",
        _narrowed("Ret", ok=done),
        examples.RET_CALL,
        answers=True,
    )
    yield Message("err", "Refused", "Nothing else changes.", ref("Err"), examples.ERR, answers=True)


def _unasked() -> Iterator[Message]:
    for chan, item in (("state", "Item"), ("alerts", "Alert")):
        yield Message(
            f"snap.{chan}",
            f"Snapshot of {chan}, a page",
            "All pages share one position; what follows goes on from it.",
            _narrowed("Snap", items=list_of(item)),
            examples.SNAP[chan],
        )
    yield Message("delta", "Changes of state", "Merge by `k`.", ref("Delta"), examples.DELTA)
    yield Message(
        "event", "Change of an alert", "Each comes, in order.", ref("Event"), examples.EVENT
    )
    yield Message(
        "reset",
        "Reset",
        "Drop what you hold of this subscription; a snapshot follows.",
        ref("Reset"),
        examples.RESET,
    )
    yield Message("ping", "Ping", "Answer with `pong` at once.", ref("Ping"), examples.PING)


def _operations() -> Iterator[Operation]:
    yield Operation(
        "signIn",
        RECEIVE,
        "Sign in",
        f"Within {LIMITS.auth_s:g} s of opening. What is not accepted closes the socket.",
        ["auth"],
        ["hello", "err"],
    )
    subs = ["sub.state", "sub.alerts"]
    yield Operation(
        "subscribe",
        RECEIVE,
        "Subscribe",
        "With a position, where one is held, to go on from it.",
        subs,
        ["sub_ok", "err"],
    )
    yield Operation(
        "unsubscribe",
        RECEIVE,
        "Unsubscribe",
        "Frames of the subscription that are under way may still come.",
        ["unsub"],
        ["ret.unsub", "err"],
    )
    yield Operation(
        "callAlert",
        RECEIVE,
        "Act on an alert",
        "For officers: acknowledge, shelve, bring back, note. Answered once it is durable.",
        [f"call.{method}" for method in frames.CALLS],
        ["ret.call", "err"],
    )
    yield Operation(
        "tellState",
        SEND,
        "Tell the state",
        "A snapshot in pages, then what changes; values, ages, links.",
        ["snap.state", "delta", "reset"],
    )
    yield Operation(
        "tellAlerts",
        SEND,
        "Tell the alerts",
        "Those that are active, in pages, then every event.",
        ["snap.alerts", "event", "reset"],
    )
    yield Operation(
        "ask",
        SEND,
        "Ask for a sign of life",
        "Says also how far the client should be, and how much may be in flight.",
        ["ping"],
        ["pong"],
    )
