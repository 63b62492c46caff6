"""A page of one sentence. Pure."""

from collections.abc import Mapping
from typing import Final

from api.farmpage.frame import Assets, document, links
from api.farmpage.html import h
from api.farmpage.words import words

_SENTENCES: Final[Mapping[int, tuple[str, str]]] = {
    401: ("Trang này không mở cho mọi người.", "This page is not open to everybody."),
    403: (
        "Không nhận từ trang khác. Mở lại trang này rồi làm lại.",
        "Not accepted from another page. Open this page again and repeat.",
    ),
    404: ("Không có trang này.", "There is no such page."),
    413: ("Gửi quá nhiều chữ một lần.", "Too much was sent at once."),
    422: (
        "Chưa hiểu điều bạn gửi. Điền lại các ô rồi gửi lại.",
        "Not understood. Fill in the fields and send them again.",
    ),
    429: ("Thử quá nhiều lần. Đợi ít phút rồi thử lại.", "Too many tries. Come back later."),
    503: (
        "Lúc này chưa làm được. Đợi ít phút rồi thử lại.",
        "Not now. Try again in a few minutes.",
    ),
}
_OTHER: Final = (
    "Trang bị lỗi. Thử lại sau ít phút.",
    "Something is wrong with this page. Try again in a few minutes.",
)


def refusal(status: int, lang: str, assets: Assets) -> str:
    """Why something was not done, by its HTTP status."""
    sentence = _SENTENCES.get(status, _OTHER)[0 if lang == "vi" else 1]
    return notice(sentence, "", lang, assets)


def notice(sentence: str, more: str, lang: str, assets: Assets) -> str:
    """One sentence, more below it, and the way back."""
    said = words(lang)
    back = "/nong-dan" if lang == "vi" else "/nong-dan?lang=en"
    parts = [h("h1", sentence), h("p", more) if more else None, links((back, said("back")))]
    return document(sentence, lang, assets, *parts, data_page="notice")
