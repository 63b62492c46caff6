"""Everything that is stored about a person, in words. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from alerts.farmers.crops import CROPS
from alerts.farmers.notice import Wants
from alerts.farmers.person import Follow, Quiet
from api.people.terms import Stored

VIETNAM: Final = timezone(timedelta(hours=7))

WANT_NAMES: Final[Mapping[Wants, str]] = {
    Wants.SALT: "salt",
    Wants.FRESH: "fresh",
    Wants.WINDOWS: "windows",
    Wants.SILENT: "silent",
    Wants.BULLETIN: "bulletin",
}
"""As they stand in JSON and in lists of communities."""

ALSO_VI: Final = (
    "Số hoặc địa chỉ đầy đủ (được mã hóa); ở đây che bớt, vì ai có đường dẫn cũng mở được.",
    "Mã riêng trong đường dẫn để xem và ngưng nhận tin (được mã hóa).",
    "Một dấu vết mã hóa của số hoặc địa chỉ, để nhận ra tin trả lời HUY.",
    "Giờ đã xin mã xác nhận, giữ trong 24 giờ.",
)
ALSO_EN: Final = (
    "The number or address in full (encrypted); masked here, since whoever has the link sees it.",
    "The token in the link by which you see and stop this (encrypted).",
    "A keyed hash of the address, by which a reply HUY is recognised.",
    "When codes were asked for, kept for 24 hours.",
)


def exported(stored: Stored, address: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """JSON types. `messages`: what the senders keep about this person."""
    return {
        "about": {
            "vi": "Tất cả những gì được lưu về bạn.",
            "en": "Everything that is stored about you.",
        },
        "number": stored.id,
        "channel": stored.channel,
        "address": address,
        "language": stored.lang,
        "state": stored.state,
        "quiet": quiet_shape(stored.quiet),
        "follows": [follow_shape(one) for one in stored.follows],
        "came_by": {"self": "signing up", "list": "a list of the community"}[stored.origin],
        "imported_by": stored.officer or None,
        "consent": stored.consent or None,
        "created": _written(stored.created_ms),
        "confirmed": None if stored.confirmed_ms is None else _written(stored.confirmed_ms),
        "messages": [dict(one) for one in messages],
        "also": {"vi": list(ALSO_VI), "en": list(ALSO_EN)},
    }


def follow_shape(follow: Follow) -> dict[str, Any]:
    """As JSON."""
    crop = CROPS.get(follow.crop)
    return {
        "place": str(follow.place),
        "crop": follow.crop,
        "crop_vi": follow.crop if crop is None else crop.vi,
        "crop_en": follow.crop if crop is None else crop.en,
        "limit_g_l": follow.level_mg_l / 1000,
        "notices": wants_shape(follow.wants),
    }


def wants_shape(wants: Wants) -> list[str]:
    return [name for want, name in WANT_NAMES.items() if want in wants]


def quiet_shape(quiet: Quiet | None) -> dict[str, Any] | None:
    """As JSON: times of Vietnam's day."""
    if quiet is None:
        return None
    return {
        "from": _clock(quiet.from_min),
        "to": _clock(quiet.to_min),
        "urgent_passes": quiet.urgent_passes,
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _written(t_ms: int) -> str:
    moment = datetime.fromtimestamp(t_ms // 1000, UTC).astimezone(VIETNAM)
    return moment.isoformat()
