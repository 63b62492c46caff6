"""Messages that answer a person: the code, the welcome, the goodbye, the trial. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alerts.farmers.notice import Kind, Notice
from alerts.farmers.parcel import Form, Text
from alerts.farmers.person import Person
from alerts.farmers.texts_detail import FULL, Detail
from alerts.farmers.texts_fit import fitted, params, worded
from alerts.farmers.texts_long import more
from alerts.farmers.texts_notices import Telling, of_kind
from alerts.farmers.texts_words import EN, VI, Both, clock, language
from alerts.farmers.texts_zalo import LIMITS, of_notices

_ALONE: Final = replace(FULL, site=False, others=False)

STOP_WORD: Final = "HUY"
"""What a reply begins with by which somebody leaves; "HỦY" arrives so from many phones."""

_CODE: Final[Both] = (
    (
        "Mã đăng ký tin mặn ngọt: {code}, có hiệu lực 10 phút. "
        "Nếu bạn không đăng ký, hãy bỏ qua tin này."
    ),
    (
        "Your code for salinity messages: {code}, good for 10 minutes. "
        "If you did not ask for it, ignore this."
    ),
)
_WELCOME_SHORT: Final[Both] = (
    (
        "Bạn đang nhận tin mặn ngọt của {count} nơi. Muốn ngưng: nhắn {stop}{site}. "
        "Không có tin không phải là nước ngọt: đo trước khi lấy."
    ),
    (
        "You get salinity messages of {count}. To stop: reply {stop}{site}. "
        "No message doesn't mean fresh water: measure before taking any."
    ),
)
_WELCOME_LONG: Final[Both] = (
    (
        "Bạn đang nhận tin mặn ngọt của {count} nơi. "
        "Muốn ngưng: bấm đường dẫn ngưng nhận tin, hoặc nhắn {stop}. "
        "Không có tin không có nghĩa là nước ngọt: luôn đo trước khi lấy."
    ),
    (
        "You get salinity messages of {count}. "
        "To stop: use the link for stopping, or reply {stop}. "
        "No message doesn't mean fresh water: always measure before taking any."
    ),
)
_WELCOME_IN_SALT: Final[Both] = (
    "Đã đăng ký. {salt} Ngưng tin: nhắn {stop}{site}. Không có tin không phải là ngọt.",
    "Subscribed. {salt} To stop: reply {stop}{site}. No message doesn't mean fresh water.",
)
_SIGNED_UP: Final[Both] = (
    "Bạn đã đăng ký tin mặn ngọt. Ngưng tin: nhắn {stop}.",
    "You are subscribed to salinity messages. To stop: reply {stop}.",
)
_STOPPED: Final[Both] = (
    "Đã ngưng gửi tin mặn ngọt đến bạn. Muốn nhận lại, xin đăng ký lại.",
    "You will get no more salinity messages. To get them again, subscribe again.",
)
_TRIAL: Final[Both] = (
    "TIN THỬ lúc {at}: kênh gửi tin hoạt động. Không phải tin về nước.",
    "A TRIAL at {at}: messages get through. This says nothing of the water.",
)

_TITLES: Final[dict[str, Both]] = {
    "code": ("Mã đăng ký tin mặn ngọt", "Your code for salinity messages"),
    "welcome": ("Đã đăng ký tin mặn ngọt", "Subscribed to salinity messages"),
    "stopped": ("Đã ngưng gửi tin mặn ngọt", "Salinity messages stopped"),
    "trial": ("Tin thử", "Trial"),
}


def code(code: str, lang: str, form: Form) -> Text:
    """By which somebody shows that an address is his."""
    place = language(lang)
    return _text("code", _CODE[place].format(code=code), place, form, ma=code)


def welcome(
    person: Person, form: Form, site: str, standing: Sequence[Notice] = (), now_ms: int = 0
) -> Text:
    """The first message to a person, and after a change; it says how to stop.

    standing : SALT of the spells that others were told of before he came; of a permission nothing
        is said here, for nobody would take it back
    """
    lang = language(person.lang)
    to = Telling(person, lang, "", now_ms)
    short = form in (Form.SMS, Form.SMS_UNICODE)
    count = len({each.place for each in person.follows}) or 1
    named = str(count) if lang == VI else f"{count} place{'s' if count > 1 else ''}"
    or_page = (" hoặc vào ", " or go to ")[lang] + site if site else ""

    def said(address: str) -> Text:
        words = (_WELCOME_SHORT if short else _WELCOME_LONG)[lang]
        text = words.format(count=named, stop=STOP_WORD, site=address if short else "")
        if standing and not short:
            text = f"{of_kind(Kind.SALT, standing, to, _ALONE)}\n\n{text}"
        text = text if short else f"{text}\n\n{more(site, lang)}".strip()
        return _text("welcome", text, lang, form, so_noi=str(count))

    def said_in_salt(detail: Detail) -> str:
        salt = of_kind(Kind.SALT, standing, to, replace(detail, others=False))
        address = or_page if detail.site else ""
        return _WELCOME_IN_SALT[lang].format(salt=salt, stop=STOP_WORD, site=address)

    if standing and form is Form.ZALO:
        # The welcome's template has no room for a spell, the spell's own has room for a remark.
        salt = of_notices(Kind.SALT, standing, to)
        remark = _SIGNED_UP[lang].format(stop=STOP_WORD)
        return replace(salt, params={**salt.params, "ghi_chu": remark}, warns=True)
    if standing and short:
        return replace(fitted(said_in_salt, Form.SMS if lang == EN else form), warns=True)
    # A number that sends a name can take no reply: there the page is the way out. It is worth
    # no second part where the first has room for the word alone.
    whole = said(or_page)
    bare = said("")
    told = bare if short and whole.parts > bare.parts else whole
    return replace(told, warns=bool(standing))


def stopped(lang: str, form: Form) -> Text:
    """The last message to a person."""
    place = language(lang)
    return _text("stopped", _STOPPED[place], place, form, ket_qua=_TITLES["stopped"][place])


def trial(lang: str, form: Form, now_ms: int) -> Text:
    """An officer's, to himself."""
    place, at = language(lang), clock(now_ms, now_ms)
    return _text("trial", _TRIAL[place].format(at=at), place, form, luc=at)


def see(site: str, lang: int) -> str:
    return f"{('Xem', 'See')[lang]} {site}" if site else ""


def _text(kind: str, text: str, lang: int, form: Form, **named: str) -> Text:
    if form is Form.ZALO:
        return Text("", text, template=kind, params=params(named, LIMITS))
    if form is Form.LONG:
        return Text(_TITLES[kind][lang], text)
    return worded(text, form)
