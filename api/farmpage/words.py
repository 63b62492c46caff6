"""What the farmer's page says, in Vietnamese and in English. Pure.

Plain words, no abbreviations: mặn, ngọt, lấy nước, cống. "Chờ" alone and "đừng" never stand where
a line that has lost its diacritics would read as a permission.
"""

from collections.abc import Callable, Mapping
from typing import Final

Say = Callable[[str], str]
"""Words by their name, in one language."""

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Lấy nước được không?", "May I take water?"),
    "river": ("ngoài sông", "in the river"),
    "field": ("trong đồng, sau cống", "in the canals, behind the gate"),
    "rising": ("đang lên", "rising"),
    "falling": ("đang xuống", "falling"),
    "steady": ("đứng", "steady"),
    "limit": ("mức {} g/l", "limit {} g/L"),
    "own-limit": ("mức của tôi {} g/l", "my limit {} g/L"),
    "own-high": (
        "Coi chừng: mức bạn đặt, {} g/l, cao hơn mức của {}, {} g/l.",
        "Take care: your limit, {} g/L, is above that of {}, {} g/L.",
    ),
    "over-crop": ("Nước này đã quá mức của {}.", "This water is too salty for {}."),
    "at-crop": ("Nước này đã tới mức của {}.", "This water reaches the limit of {}."),
    "watched-by": (
        "Trang canh theo mức {} g/l, mức gần nhất không cao hơn mức của bạn.",
        "Watched by {} g/L, the nearest level that is not above yours.",
    ),
    "below": ("Dưới mức {} g/l", "Below {} g/L"),
    "above": ("Quá mức {} g/l", "Over {} g/L"),
    "reaches": ("Tới mức {} g/l", "Reaches {} g/L"),
    "measured": ("Đo lúc {}", "Measured at {}"),
    "by": ("trạm {}", "station {}"),
    "doubtful": ("số đo đáng ngờ", "suspect reading"),
    "simulated": ("mô phỏng, không phải số đo", "simulated, not measured"),
    "since-take": ("Lấy được từ {}.", "So since {}."),
    "since-pump": ("Bơm được từ {}.", "So since {}."),
    "since-wait": ("Chưa lấy được từ {}.", "So since {}."),
    "since-no": ("Không lấy được từ {}.", "So since {}."),
    "until": ("Tin này dùng đến {}.", "Good until {}."),
    "ends": (
        "Theo con nước hôm trước, lấy được đến khoảng {} (tham khảo).",
        "By the tide of the day before, until about {} (for reference).",
    ),
    "around": ("Trên và dưới sông", "Up and down the river"),
    "outside": ("Ngoài sông", "In the river"),
    "outside-why": (
        "Số đo ngoài sông không nói được nước trong đồng.",
        "What is measured in the river says nothing of the water behind the gate.",
    ),
    "up": ("phía trên {} km", "{} km upriver"),
    "down": ("phía biển {} km", "{} km seaward"),
    "bulletins": ("Bản tin", "Bulletins"),
    "issued": ("{}, lúc {}, có hiệu lực đến {}.", "{}, at {}, valid until {}."),
    "risk": ("Cấp độ rủi ro thiên tai: {}.", "Level of disaster risk: {}."),
    "no-figure": ("chưa có số đo", "no reading yet"),
    "bad-figure": ("số đo không tin được", "reading not sound"),
    "silent-since": ("mất tín hiệu từ {}", "silent since {}"),
    "page-at": ("Trang này lúc {}.", "This page is of {}."),
    "choose": ("Chọn nơi lấy nước và cây trồng", "Choose where you take water, and your crop"),
    "choose-other": ("Đổi nơi, đổi cây", "Another place or crop"),
    "place": ("Lấy nước ở đâu", "Where do you take water"),
    "crop": ("Trồng gì, nuôi gì", "What do you grow or keep"),
    "own": (
        "Mức mặn của riêng tôi, g/l (không ghi cũng được)",
        "A limit of my own, g/L (may be left empty)",
    ),
    "none": ("— chọn —", "— choose —"),
    "look": ("Xem", "Look"),
    "remembered": (
        "Nơi và cây đã chọn chỉ nhớ trong máy này.",
        "What you chose is remembered on this phone alone.",
    ),
    "source": ("Mức của {}: {} g/l. Nguồn: {}.", "Limit of {}: {} g/L. Source: {}."),
    "unverified": ("Chưa kiểm chứng.", "Not verified."),
    "tolerates": (
        "Đó là mức cây, con chịu được, không phải mức nên tưới.",
        "It is what plant or animal tolerates, not what to irrigate with.",
    ),
    "wrong": ("Chưa hiểu điều bạn hỏi", "Not understood"),
    "tell-me": ("Nhận tin nhắn", "Get messages"),
    "my-pond": ("Ao của tôi", "My pond"),
    "back": ("Về trang lấy nước", "Back to the page"),
    "other-language": ("English", "Tiếng Việt"),
    "offline": (
        "Mất mạng từ {}. Đây là tin cũ.",
        "No connection since {}. This is old.",
    ),
    "disclaimer": (
        "Số đo tự động của trạm, để tham khảo. Tự đo lại trước khi lấy nước.",
        "Automatic readings, for reference. Measure again yourself before taking water.",
    ),
    "ages": (
        "vừa xong|cách đây {} phút|cách đây {} giờ|cách đây {} ngày",
        "just now|{} min ago|{} h ago|{} days ago",
    ),
    "unknown-place": (
        "Chưa có nơi lấy nước nào được ghi trong hệ thống.",
        "No intake is registered.",
    ),
    "unreadable-curve": (
        "Chưa tải được số đo cũ. Tải lại sau ít phút.",
        "The past readings could not be read. Try again in a few minutes.",
    ),
}


def words(lang: str) -> Say:
    """Words in this language."""
    n = 0 if lang == "vi" else 1
    return lambda name: _WORDS[name][n]
