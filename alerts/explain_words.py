"""What explanations say, in Vietnamese and English."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Saw(StrEnum):
    """What one sample did to a rule on its series."""

    LATE = "late"
    FUTURE = "future"
    NOT_EVALUATED = "not_evaluated"
    UNKNOWN = "unknown"
    SIMULATED = "simulated"
    NOT_BEYOND = "not_beyond"
    BETWEEN = "between"
    CANNOT_PERMIT = "cannot_permit"
    STARTS = "starts"
    GAP = "gap"
    HOLDS = "holds"
    BROKE = "broke"
    BROKE_BETWEEN = "broke_between"
    RAISED = "raised"
    ALREADY = "already"
    STILL = "still"
    CANNOT_CLEAR = "cannot_clear"
    CALM_STARTS = "calm_starts"
    CALM_GAP = "calm_gap"
    CALM_HOLDS = "calm_holds"
    CALM_BROKE = "calm_broke"
    CLEARED = "cleared"


class Unmet(StrEnum):
    """The condition that was not met, where a rule did not hold."""

    NOT_WATCHED = "not_watched"
    NO_SAMPLE = "no_sample"
    OLD_SAMPLE = "old_sample"
    LATE = "late"
    FUTURE = "future"
    FLAG = "flag"
    UNKNOWN = "unknown"
    SIMULATED = "simulated"
    NOT_BEYOND = "not_beyond"
    BETWEEN = "between"
    BROKEN = "broken"
    CANNOT_PERMIT = "cannot_permit"
    NOT_HELD = "not_held"
    GAP = "gap"
    CLEARED = "cleared"
    UNRECORDED = "unrecorded"
    HEARD = "heard"
    NEVER_SEEN = "never_seen"
    SILENT_UNRAISED = "silent_unraised"
    MEMBER_MISSING = "member_missing"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Said:
    """A text in both languages, with the facts' names in braces."""

    vi: str
    en: str

    @classmethod
    def of(cls, unmet: Unmet | None) -> "Said":
        """What is said of a rule that did not hold, or, for None, of one that did."""
        return _HELD if unmet is None else _UNMET[unmet]


SAW: Final = {
    Saw.LATE: Said(
        "đến muộn: được lưu, không còn quyết định gì",
        "came late: stored, and decides nothing any more",
    ),
    Saw.FUTURE: Said(
        "thời gian đo đi trước đồng hồ: không xét",
        "its time is ahead of the clock: not evaluated",
    ),
    Saw.NOT_EVALUATED: Said(
        "cờ {flag}: không xét, coi như không có",
        "flag {flag}: not evaluated, counts as absent",
    ),
    Saw.UNKNOWN: Said(
        "chưa có mẫu trước đó để so sánh",
        "no sample before it to compare with yet",
    ),
    Saw.SIMULATED: Said(
        "mẫu mô phỏng: không đụng đến cảnh báo đo thật",
        "simulated: it does not touch an alert that was measured",
    ),
    Saw.NOT_BEYOND: Said(
        "{value} {unit}: chưa quá mức {raise_level}",
        "{value} {unit}: not beyond {raise_level}",
    ),
    Saw.BETWEEN: Said(
        "{value} {unit}: giữa hai mức {clear_level} và {raise_level}",
        "{value} {unit}: between the levels {clear_level} and {raise_level}",
    ),
    Saw.CANNOT_PERMIT: Said(
        "{value} {unit}, cờ {flag}: không cho phép được gì, phải có cờ 1",
        "{value} {unit}, flag {flag}: it can permit nothing, flag 1 is needed",
    ),
    Saw.STARTS: Said(
        "{value} {unit}: quá mức {raise_level}, bắt đầu tính, phải giữ {needed_s}",
        "{value} {unit}: beyond {raise_level}, the hold begins, {needed_s} are needed",
    ),
    Saw.GAP: Said(
        "{value} {unit}: quá mức, nhưng sau quãng trống dài hơn {hold_gap_s}: tính lại từ đầu",
        "{value} {unit}: beyond it, but after a gap longer than {hold_gap_s}: the hold begins anew",
    ),
    Saw.HOLDS: Said(
        "{value} {unit}: quá mức, đã giữ {held_s} trong {needed_s}",
        "{value} {unit}: beyond it, held {held_s} of {needed_s}",
    ),
    Saw.BROKE: Said(
        "{value} {unit}: không còn quá mức {raise_level}, phải giữ lại từ đầu",
        "{value} {unit}: no longer beyond {raise_level}, which breaks the hold",
    ),
    Saw.BROKE_BETWEEN: Said(
        "{value} {unit}: giữa hai mức {clear_level} và {raise_level}, phải giữ lại từ đầu",
        "{value} {unit}: between the levels {clear_level} and {raise_level}, which breaks the hold",
    ),
    Saw.RAISED: Said(
        "{value} {unit}: quá mức {raise_level}, giữ đủ {held_s}: cảnh báo",
        "{value} {unit}: beyond {raise_level}, held {held_s}: raised",
    ),
    Saw.ALREADY: Said(
        "{value} {unit}: vẫn quá mức, cảnh báo đã có",
        "{value} {unit}: still beyond it, already raised",
    ),
    Saw.STILL: Said(
        "{value} {unit}: chưa qua mức kết thúc {clear_level}, cảnh báo còn",
        "{value} {unit}: not past the clear level {clear_level}, still raised",
    ),
    Saw.CANNOT_CLEAR: Said(
        "{value} {unit}, cờ {flag}: nghi ngờ, không kết thúc được cảnh báo",
        "{value} {unit}, flag {flag}: suspect, it can't clear anything",
    ),
    Saw.CALM_STARTS: Said(
        "{value} {unit}: qua mức kết thúc {clear_level}, phải giữ {needed_s}",
        "{value} {unit}: past the clear level {clear_level}, {needed_s} are needed",
    ),
    Saw.CALM_GAP: Said(
        "{value} {unit}: qua mức kết thúc, nhưng sau quãng trống dài hơn {hold_gap_s}: tính lại",
        "{value} {unit}: past the clear level, but after a gap longer than {hold_gap_s}: anew",
    ),
    Saw.CALM_HOLDS: Said(
        "{value} {unit}: qua mức kết thúc, đã giữ {held_s} trong {needed_s}",
        "{value} {unit}: past the clear level, held {held_s} of {needed_s}",
    ),
    Saw.CALM_BROKE: Said(
        "{value} {unit}: trở lại trên mức kết thúc {clear_level}, phải tính lại",
        "{value} {unit}: back past the clear level {clear_level}, which breaks the clearing",
    ),
    Saw.CLEARED: Said(
        "{value} {unit}: qua mức kết thúc {clear_level}, giữ đủ {held_s}: hết cảnh báo",
        "{value} {unit}: past the clear level {clear_level}, held {held_s}: cleared",
    ),
}

UNMET: Final[dict[Saw, Unmet]] = {
    Saw.LATE: Unmet.LATE,
    Saw.FUTURE: Unmet.FUTURE,
    Saw.NOT_EVALUATED: Unmet.FLAG,
    Saw.UNKNOWN: Unmet.UNKNOWN,
    Saw.SIMULATED: Unmet.SIMULATED,
    Saw.NOT_BEYOND: Unmet.NOT_BEYOND,
    Saw.BETWEEN: Unmet.BETWEEN,
    Saw.CANNOT_PERMIT: Unmet.CANNOT_PERMIT,
    Saw.STARTS: Unmet.NOT_HELD,
    Saw.GAP: Unmet.GAP,
    Saw.HOLDS: Unmet.NOT_HELD,
    Saw.BROKE: Unmet.BROKEN,
    Saw.BROKE_BETWEEN: Unmet.BROKEN,
    Saw.CLEARED: Unmet.CLEARED,
    # By these samples the rule held, and the records know of no alert: the rule was another
    # then, or a flag has changed since.
    Saw.RAISED: Unmet.UNRECORDED,
    Saw.ALREADY: Unmet.UNRECORDED,
    Saw.STILL: Unmet.UNRECORDED,
    Saw.CANNOT_CLEAR: Unmet.UNRECORDED,
    Saw.CALM_STARTS: Unmet.UNRECORDED,
    Saw.CALM_GAP: Unmet.UNRECORDED,
    Saw.CALM_HOLDS: Unmet.UNRECORDED,
    Saw.CALM_BROKE: Unmet.UNRECORDED,
}
"""What stands in the way when the newest sample of a rule that did not hold did this."""

_HELD: Final = Said("cảnh báo đang giữ vào lúc này", "the rule held at this time")

_UNMET: Final = {
    Unmet.NOT_WATCHED: Said(
        "quy tắc không theo dõi chuỗi số liệu này", "the rule does not watch this series"
    ),
    Unmet.NO_SAMPLE: Said("không có mẫu nào trước lúc này", "there is no sample before this time"),
    Unmet.OLD_SAMPLE: Said(
        "mẫu gần nhất đã {age_s}, lâu hơn quãng trống cho phép {hold_gap_s}",
        "the newest sample is {age_s} old, more than the gap of {hold_gap_s} that a hold bears",
    ),
    Unmet.LATE: Said(
        "mẫu gần nhất đến muộn, không còn quyết định gì",
        "the newest sample came late and decided nothing any more",
    ),
    Unmet.FUTURE: Said(
        "mẫu gần nhất có thời gian đi trước đồng hồ, không được xét",
        "the newest sample's time was ahead of the clock, it was not evaluated",
    ),
    Unmet.FLAG: Said(
        "mẫu gần nhất mang cờ {flag}: không được xét",
        "the newest sample has flag {flag}: it is not evaluated",
    ),
    Unmet.UNKNOWN: Said(
        "chưa đủ mẫu trước đó để so sánh",
        "there were not enough samples before it to compare with",
    ),
    Unmet.SIMULATED: Said("mẫu gần nhất là mô phỏng", "the newest sample is simulated"),
    Unmet.NOT_BEYOND: Said(
        "{value} {unit} chưa quá mức {raise_level} {unit}",
        "{value} {unit} is not beyond {raise_level} {unit}",
    ),
    Unmet.BETWEEN: Said(
        "{value} {unit} nằm giữa hai mức {clear_level} và {raise_level} {unit}",
        "{value} {unit} lies between the levels {clear_level} and {raise_level} {unit}",
    ),
    Unmet.BROKEN: Said(
        "{value} {unit} không quá mức {raise_level} {unit}: thời gian giữ bị ngắt",
        "{value} {unit} is not beyond {raise_level} {unit}: it broke the hold",
    ),
    Unmet.CANNOT_PERMIT: Said(
        "mẫu mang cờ {flag}: quy tắc cho phép cần cờ 1",
        "the sample has flag {flag}: a rule that permits needs flag 1",
    ),
    Unmet.NOT_HELD: Said("mới giữ {held_s} trong {needed_s}", "held {held_s} of {needed_s} only"),
    Unmet.GAP: Said(
        "quãng trống dài hơn {hold_gap_s} bắt tính lại: mới giữ {held_s} trong {needed_s}",
        "a gap longer than {hold_gap_s} began the hold anew: held {held_s} of {needed_s}",
    ),
    Unmet.CLEARED: Said("cảnh báo vừa kết thúc ở mẫu này", "this very sample cleared it"),
    Unmet.UNRECORDED: Said(
        "theo số liệu hiện có thì quy tắc giữ, nhưng không có cảnh báo nào được ghi: lúc đó quy "
        "tắc khác, hoặc cờ chất lượng đã đổi",
        "by the samples as they stand the rule held, but no alert is recorded: the rule was "
        "another then, or flags have changed since",
    ),
    Unmet.HEARD: Said(
        "có số liệu {age_s} trước, chưa quá {no_data_s}",
        "there were data {age_s} before, {no_data_s} of silence are needed",
    ),
    Unmet.NEVER_SEEN: Said(
        "không có số liệu nào trong thời gian xem xét, và không có cảnh báo nào được ghi",
        "there were no data in the time looked at, and no alert is recorded",
    ),
    Unmet.SILENT_UNRAISED: Said(
        "mất số liệu {age_s}, nhưng không có cảnh báo nào được ghi: thiết bị báo ngủ, dịch vụ vừa "
        "khởi động, số liệu đến sau, hoặc cả trạm đã được báo chung",
        "silent for {age_s}, but no alert is recorded: the device had announced its sleep, the "
        "service had just begun to listen, the data came later, or the whole station was told as "
        "one",
    ),
    Unmet.WAITING: Said(
        "chưa xét: còn chờ số liệu của các thành viên",
        "not asked yet: samples of its members are still waited for",
    ),
    Unmet.MEMBER_MISSING: Said("thiếu số liệu của một thành viên", "a member had no sample"),
}


def number(value: float, language: str) -> str:
    """At most four digits behind the point; a comma in Vietnamese."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language == "vi" else text


def duration(seconds: float, language: str) -> str:
    """In the largest unit that stays whole."""
    for size, vi, en in ((86_400, "ngày", "d"), (3_600, "giờ", "h"), (60, "phút", "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {vi if language == 'vi' else en}"
    return f"{number(seconds, language)} {'giây' if language == 'vi' else 's'}"
