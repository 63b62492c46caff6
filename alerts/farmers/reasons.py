"""Why a line of a list, or the whole of it, is not taken: each reason in English and Vietnamese.

The one place of these words, so that the report of the API, the page of officers and what a
community is told of its list agree. Of phone numbers `alerts.farmers.phones` says why, since
sign-up says it too. Pure.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reason:
    """The same in two languages. `{name}` stands for what `say` fills in."""

    en: str
    vi: str

    def say(self, **both: object) -> "Reason":
        """With its places filled; a value is for both languages, or a `Reason` with one each."""
        en = {name: one.en if isinstance(one, Reason) else one for name, one in both.items()}
        vi = {name: one.vi if isinstance(one, Reason) else one for name, one in both.items()}
        return Reason(self.en.format(**en), self.vi.format(**vi))


def figure(value: float) -> Reason:
    """A figure as each language writes it: 0.5 and 0,5."""
    text = f"{value:g}"
    return Reason(text, text.replace(".", ","))


def grouped(value: int) -> Reason:
    """A large count as each language writes it: 1,000,000 and 1.000.000."""
    text = f"{value:,}"
    return Reason(text, text.replace(",", "."))


# --- a line ---------------------------------------------------------------------------------

LONG: Final = Reason("at most {n} characters", "nhiều nhất {n} ký tự")
PLACE: Final = Reason(
    "accepted are {places}",
    "ghi một trong: {places} (river là ngoài sông, field là trong đồng)",
)
CROP: Final = Reason(
    "accepted are {crops}, or their Vietnamese names", "ghi tên như trên trang: {crops}"
)
LIMIT: Final = Reason(
    "accepted is a figure in g/L, such as 0.5 or 0,5", "ghi một con số theo g/l, như 0,5 hoặc 0.5"
)
LIMIT_RANGE: Final = Reason("accepted are {low} to {high} g/L", "ghi từ {low} đến {high} g/l")
NOTICES: Final = Reason(
    "accepted are salt, fresh, windows, silent, bulletin "
    "(mặn, ngọt, cửa sổ, mất tín hiệu, bản tin)",
    "ghi trong các loại: mặn, ngọt, cửa sổ, mất tín hiệu, bản tin",
)
QUIET: Final = Reason("accepted are hours such as 21:00-05:00", "ghi giờ như 21:00-05:00")
QUIET_CLOCK: Final = Reason(
    "accepted are times of the day, such as 21:00 to 05:00",
    "ghi hai giờ trong ngày, như 21:00-05:00",
)
QUIET_SAME: Final = Reason(
    "its begin and its end differ; leave it out for none",
    "giờ bắt đầu và giờ kết thúc phải khác nhau; nhắn mọi giờ thì để trống",
)
LANG: Final = Reason("accepted are vi and en", "ghi vi (tiếng Việt) hoặc en (tiếng Anh)")
CONSENT: Final = Reason(
    "the day on which this person agreed, DD/MM/YYYY or YYYY-MM-DD, not ahead",
    "ghi ngày người này đồng ý, theo ngày/tháng/năm như 04/01/2026; ngày chưa tới thì không nhận",
)

# --- a person -------------------------------------------------------------------------------

STOPPED: Final = Reason(
    "this person has stopped the messages; they alone begin again, by the page and a code",
    "người này đã ngưng nhận tin; chỉ chính người ấy đăng ký lại được, trên trang và bằng mã",
)
CHOSE: Final = Reason(
    "this person chose for themselves, and no list changes that",
    "người này đã tự chọn; danh sách không sửa được",
)
TOO_MANY: Final = Reason(
    "together with what is followed already more than {n} places and crops",
    "cộng với những gì đang theo dõi thì quá {n} nơi và cây",
)
ABOVE: Final = Reason(
    "taken: {own} g/L, above the {limit} of {crop}; was that meant?",
    "vẫn nhận: mức {own} g/l cao hơn mức {limit} g/l của cây ({crop}); hỏi lại người ấy",
)

# --- the whole file -------------------------------------------------------------------------

EMPTY: Final = Reason(
    "the file is empty; its first line names the columns",
    "tệp trống; dòng đầu phải ghi tên các cột",
)
MANY_LINES: Final = Reason(
    "more than {n} people; send it in parts", "quá {n} người; hãy chia thành nhiều tệp"
)
MANY_BYTES: Final = Reason(
    "more than {n} bytes; send it in parts", "quá {n} byte; hãy chia thành nhiều tệp"
)
_HOW: Final = Reason(
    "in Excel: Save as, CSV UTF-8 (Comma delimited)",
    "trong Excel: Save as, CSV UTF-8 (Comma delimited)",
)
UTF16: Final = Reason(
    "the file is UTF-16; accepted is UTF-8 ({how})", "tệp ghi theo mã UTF-16; phải là UTF-8 ({how})"
).say(how=_HOW)
OLD_CODE: Final = Reason(
    "the file is not UTF-8, but an older code such as windows-1258 or TCVN3; "
    "accepted is UTF-8 ({how})",
    "tệp không phải UTF-8 mà là mã cũ, như windows-1258 hoặc TCVN3; phải là UTF-8 ({how})",
).say(how=_HOW)
QUOTE: Final = Reason(
    "line {line}: a quotation mark that is not closed, or stands alone",
    "dòng {line}: dấu ngoặc kép không đóng lại, hoặc đứng một mình",
)
TWICE: Final = Reason("there are two columns for {column}", "có hai cột cho {column}")
MISSING: Final = Reason(
    "a column is missing, accepted are: {columns}", "thiếu cột; dòng đầu phải có: {columns}"
)
