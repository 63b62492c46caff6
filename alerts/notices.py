"""Notices: what the service finds wrong with itself, as alerts of rules that are built in.

They have the ordinary life of an alert (unacked, acked, cleared-unacked), and no series: `k` is
`songtien/…`, there is no station, device or quantity, and a filter by one of these does not
select them. A test is a notice that nobody has to acknowledge: it is over when it is cleared.

When one is raised is decided outside (`songtien.watch`) and comes through the journal as
`Said`; from there on the same journal gives the same alerts with the same ids.
"""

import hashlib
from dataclasses import astuple, dataclass
from typing import Any, Final

from alerts.alert import alert_id
from alerts.messages import Facts, render
from alerts.rules import Severity

RESERVED: Final = "songtien-"
"""How ids of built-in rules begin; rules.toml may have none such."""

ASK: Final = "notice"
"""What a notice has for `ask`: nothing was compared that a screen could show beside it."""

NO_SERIES: Final = -1
DETAIL_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """A built-in rule. The texts take `{value}`, `{limit}` and `{since}`.

    unit : of value and limit; "s" makes `{limit}` a duration
    test : marked in the alert; no screen takes it for an emergency
    """

    id: str
    severity: Severity
    message_vi: str
    message_en: str
    unit: str = ""
    test: bool = False

    @property
    def key(self) -> str:
        """In the place of a series' key."""
        return f"songtien/{self.id.removeprefix(RESERVED)}"

    @property
    def version(self) -> str:
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:16]

    def alert_id(self, t_ms: int) -> str:
        """The id of its alert that was raised at `t_ms`."""
        return alert_id(self.id, self.key, t_ms)


@dataclass(frozen=True, slots=True)
class Said:
    """The word of whoever watches: a notice holds from `t_ms` on, or no longer does.

    notice : id of the built-in rule
    value, limit : in its unit, None where nothing is compared
    detail : what to mend, in the words of the part that knows; may be empty
    """

    notice: str
    holding: bool
    value: float | None
    limit: float | None
    t_ms: int
    detail: str = ""


HISTORIAN_BEHIND: Final = NoticeRule(
    "songtien-historian-behind",
    Severity.WARNING,
    "Hệ thống: số liệu chờ chép sang InfluxDB đã quá {limit}, từ {since}; không mất số liệu nào",
    "System: readings have waited more than {limit} for InfluxDB, since {since}; none is lost",
    unit="s",
)
HISTORIAN_TROUBLE: Final = NoticeRule(
    "songtien-historian-trouble",
    Severity.MAJOR,
    "Hệ thống: InfluxDB không nhận số liệu từ {since}, cần người xử lý",
    "System: InfluxDB has not taken readings since {since}, somebody must see to it",
)
SELF_TEST: Final = NoticeRule(
    "songtien-self-test",
    Severity.INFO,
    "Kiểm tra hằng ngày: thử đường cảnh báo lúc {since}, không có sự cố",
    "Daily test: the way of alerts is tried at {since}, nothing has happened",
    test=True,
)
SELF_TEST_FAILED: Final = NoticeRule(
    "songtien-self-test-failed",
    Severity.MAJOR,
    "Hệ thống: kiểm tra hằng ngày không đạt lúc {since}, cảnh báo có thể không tới nơi",
    "System: the daily test failed at {since}, alerts may not arrive",
)
DISK_LOW: Final = NoticeRule(
    "songtien-disk-low",
    Severity.MAJOR,
    "Hệ thống: đĩa sắp đầy, còn {value} GiB, từ {since}",
    "System: the disk is nearly full, {value} GiB left, since {since}",
    unit="GiB",
)
TELLING_TROUBLE: Final = NoticeRule(
    "songtien-telling-trouble",
    Severity.MAJOR,
    "Hệ thống: tin nhắn cho bà con không gửi đi được từ {since}, cần người xử lý",
    "System: messages to people have not gone out since {since}, somebody must see to it",
)

NOTICES: Final = {
    rule.id: rule
    for rule in (
        HISTORIAN_BEHIND,
        HISTORIAN_TROUBLE,
        SELF_TEST,
        SELF_TEST_FAILED,
        DISK_LOW,
        TELLING_TROUBLE,
    )
}

UPLINK_DOWN: Final = NoticeRule(
    "songtien-uplink-down",
    Severity.MAJOR,
    "Mất kết nối gateway {name}: {count} thiết bị không gửi số liệu từ {since}",
    "The uplink of gateway {name} is down: no data from {count} devices since {since}",
)
STATION_DOWN: Final = NoticeRule(
    "songtien-station-down",
    Severity.WARNING,
    "{name}: cả trạm mất tín hiệu, {count} thiết bị không gửi số liệu từ {since}",
    "{name}: the whole station is silent, no data from {count} devices since {since}",
)
"""What several devices have in common that fall silent together (`alerts.topology`). Nobody
says it: it follows from their alerts."""

SALT_UNKNOWN: Final = {
    "message_vi": ". Chưa rõ mặn hay ngọt",
    "message_en": ". Salt or fresh: not known",
}
"""Added where probes are among them: silence must never be read as fresh water."""


def fixed(rule: NoticeRule, said: Said, now_ms: int) -> dict[str, Any]:
    """What never changes of a notice's alert; absent is absent."""
    facts = Facts("", "", said.value, said.limit, rule.unit, said.t_ms, {}, rule.unit == "s")
    detail = " ".join(said.detail.split())[:DETAIL_LENGTH]
    texts = {"message_vi": rule.message_vi, "message_en": rule.message_en}
    found = {
        "rule": rule.id,
        "rule_version": rule.version,
        "ask": ASK,
        "severity": rule.severity.value,
        "test": True if rule.test else None,
        "k": rule.key,
        "unit": rule.unit or None,
        "value": said.value,
        "limit": said.limit,
        "detail": detail or None,
        "t_since": said.t_ms,
        "t_event": said.t_ms,
        "t_detected": now_ms,
        **{
            name: render(text, facts, name[-2:]) + (f". {detail}" if detail else "")
            for name, text in texts.items()
        },
    }
    return {name: value for name, value in found.items() if value is not None}


def evidence(said: Said) -> dict[str, Any]:
    """What a change of a notice rests on."""
    found = {
        "cause": ASK,
        "t_event": said.t_ms,
        "value": said.value,
        "limit": said.limit,
        "detail": said.detail[:DETAIL_LENGTH] or None,
    }
    return {name: value for name, value in found.items() if value is not None}
