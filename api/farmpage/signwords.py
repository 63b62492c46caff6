"""What the pages for messages say, in Vietnamese and in English. Pure."""

from collections.abc import Mapping
from typing import Final

from api.farmpage.words import Say
from api.people.addresses import AddressKind
from api.people.terms import FOLLOWS_MAX, ChangeWhy, ConfirmWhy, SignupWhy

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Nhận tin nhắn", "Get messages"),
    "lead": (
        "Báo khi nước mặn quá mức của bạn, khi ngọt lại, khi trạm mất tín hiệu.",
        "When the water gets too salty for you, when it is fresh again, when a station is silent.",
    ),
    "none": (
        "Trang này chưa gửi tin nhắn. Bạn vẫn xem nước ở đây bất cứ lúc nào.",
        "Messages are not offered here. You can look at the water here at any time.",
    ),
    "where": ("1. Nhắn tới đâu", "1. Where to"),
    "address": ("Số điện thoại hoặc địa chỉ", "Number or address"),
    "what": ("2. Nhắn tin gì", "2. Of what"),
    "notices": ("Những tin nào", "Which notices"),
    "more-crops": ("Cây, con khác cũng ở nơi này", "Other crops at this place"),
    "more-crops-note": (
        "Mỗi thứ theo mức ghi bên cạnh. Mức của riêng tôi chỉ cho thứ đã chọn ở trên.",
        "Each by the limit beside it. A limit of your own counts for the one chosen above.",
    ),
    "told-in": ("Tin nhắn bằng", "Messages in"),
    "when": ("3. Giờ không nhắn", "3. Quiet hours"),
    "quiet": ("Không nhắn ban đêm", "Nothing at night"),
    "from": ("Từ", "From"),
    "to": ("Đến", "To"),
    "urgent": ("Tin mặn gấp thì vẫn nhắn", "Urgent salt notices still come"),
    "stored": ("Lưu gì về bạn, ngưng thế nào", "What is stored, and how to stop"),
    "stored-what": (
        (
            "Chỉ lưu những gì bạn điền ở trên và những tin đã gửi cho bạn. Số và địa chỉ được mã hóa."
            " Không lưu tên, không lưu vị trí. Ngoài nhà mạng hay ứng dụng chuyển tin, không đưa"
            " số của bạn cho ai."
        ),
        (
            "Only what you fill in above and which messages were sent to you. Numbers and addresses"
            " are encrypted. No name and no location is stored. Nobody is given your number but the"
            " network or app that carries the messages."
        ),
    ),
    "stored-stop": (
        (
            "Ngưng bất cứ lúc nào: nhắn lại HUY, hoặc đăng ký lại số này ở trang này rồi bấm"
            " ngưng. Ngưng là số của bạn bị xóa."
        ),
        (
            "Stop at any time: reply HUY, or sign up here with the same number again and press"
            " stop. When you stop, your number is erased."
        ),
    ),
    "ask-code": ("Gửi mã cho tôi", "Send me a code"),
    "code-title": ("Nhập mã vừa nhận", "Enter the code"),
    "code-sent": (
        (
            "Mã 6 số đã gửi đi, dùng được đến {}. Không nhận được thì làm lại sau ít phút. Số đã"
            " ngưng nhận tin chỉ được gửi một mã mỗi ngày."
        ),
        (
            "A code of 6 digits is on its way, good until {}. If none comes, begin again in a few"
            " minutes. Who has stopped is sent one code a day."
        ),
    ),
    "code-late": (
        (
            "Mạng chuyển tin lúc này không trả lời: mã 6 số có thể tới muộn. Mã dùng được đến {}; đến"
            " lúc ấy chưa nhận được thì làm lại. Số đã ngưng nhận tin chỉ được gửi một mã mỗi ngày."
        ),
        (
            "The network that carries messages is not answering just now: the code of 6 digits may"
            " come late. It is good until {}; if none has come by then, begin again. Who has stopped"
            " is sent one code a day."
        ),
    ),
    "code": ("Mã 6 số", "Code of 6 digits"),
    "done": ("Xong", "Done"),
    "again": ("Làm lại từ đầu", "Begin again"),
    "wrong": ("Mã chưa đúng. Còn {} lần.", "That is not the code. {} tries left."),
    "mine": ("Những gì lưu về bạn", "What is stored about you"),
    "mine-keep": (
        "Giữ riêng đường dẫn của trang này: ai có nó thì sửa và ngưng được.",
        "Keep this page's address to yourself: who has it can change and stop this.",
    ),
    "sent-to": ("Nhắn tới", "Sent to"),
    "since": ("Đăng ký", "Signed up"),
    "by-list": ("Tổ công nghệ số ghi giúp", "Entered by a community team"),
    "by-self": ("Tự đăng ký", "By yourself"),
    "consent": ("đồng ý ngày {}", "consent of {}"),
    "leaving": ("Đã ngưng.", "Stopped."),
    "also": ("Ngoài ra còn lưu", "Besides"),
    "follow": ("Nơi {}", "Place {}"),
    "look": ("Xem nước lúc này", "See the water here now"),
    "drop": ("Bỏ nơi và cây này", "Drop this place and crop"),
    "more": ("Thêm nơi hoặc cây trồng", "Add a place or a crop"),
    "add": ("Thêm", "Add"),
    "added": (
        (
            "Đã thêm. Trong ít phút có tin xác nhận. Nơi ấy có thể đang trong đợt mặn: xem nước lúc"
            " này ở bên dưới."
        ),
        (
            "Added. A message confirms it within minutes. A salt spell may be going on there: see its"
            " water below."
        ),
    ),
    "fill-new": (
        "Nơi và cây này đã có. Muốn đổi mức hay loại tin thì sửa ở bên dưới.",
        "This place and crop is there already. Change its limit or notices below.",
    ),
    "limit": ("Mức mặn, g/l", "Limit, g/L"),
    "by-steps": (
        "Mức mặn có sẵn từng nấc; ghi ở giữa thì lấy nấc thấp hơn.",
        "Limits go by steps: between two of them it is the lower one.",
    ),
    "language": ("Ngôn ngữ của tin nhắn", "Language of messages"),
    "change": ("Lưu thay đổi", "Save"),
    "changed": (
        "Đã lưu. Đợt mặn đang có thì không báo lại: xem nước lúc này ở từng nơi bên dưới.",
        "Saved. A salt spell that goes on is not told again: see the water of each place below.",
    ),
    "confirmed": (
        "Xong. Tin nhắn sẽ tới. Còn nơi khác, cây khác thì thêm ở bên dưới.",
        "Done. Messages will come. Another place or crop can be added below.",
    ),
    "export": ("Tải về những gì lưu về tôi", "Download all of it"),
    "stop": ("Ngưng nhắn tin", "Stop all messages"),
    "stop-note": (
        "Số của bạn bị xóa. Chỉ giữ một dấu vết mã hóa để không ai ghi lại số này vào danh sách.",
        "Your number is erased. A keyed trace stays, so that no list brings the number back.",
    ),
    "erase": ("Xóa tất cả", "Erase everything"),
    "erase-note": ("Không giữ lại gì, kể cả dấu vết ấy.", "Nothing stays, not even that trace."),
    "stopped": ("Đã ngưng nhắn tin", "Stopped"),
    "stopped-more": (
        "Số của bạn đã được xóa. Muốn nhận lại thì đăng ký lại.",
        "Your number has been erased. Sign up again if you wish.",
    ),
    "erased": ("Đã xóa tất cả", "All is erased"),
    "erased-more": ("Không còn lưu gì về bạn.", "Nothing about you is stored any more."),
    "unknown": ("Đường dẫn này không còn dùng được", "This address is no longer good"),
    "unknown-more": (
        "Đã ngưng, đã xóa, hoặc chưa từng có.",
        "It was stopped or erased, or was never there.",
    ),
    "fill-place": ("Chọn nơi lấy nước.", "Choose where you take water."),
    "fill-crop": ("Chọn cây trồng, vật nuôi.", "Choose what you grow or keep."),
    "fill-notices": ("Chọn ít nhất một loại tin.", "Choose at least one kind of notice."),
    "fill-quiet": (
        "Giờ không nhắn: giờ đầu và giờ cuối phải khác nhau, như 21:00 và 05:00.",
        "Quiet hours: begin and end must differ, such as 21:00 and 05:00.",
    ),
    "fill-channel": ("Chọn cách nhắn.", "Choose how you are told."),
    "push-ask": ("Báo trên trình duyệt này", "Notify this browser"),
    "push-denied": (
        "Máy không cho trang này gửi thông báo.",
        "This phone does not let the page notify you.",
    ),
}

NOTICES: Final[Mapping[str, tuple[str, str]]] = {
    "salt": ("Nước bắt đầu mặn quá mức", "The water turns too salty"),
    "fresh": ("Hết đợt mặn, ngọt lại", "The salt spell is over"),
    "windows": (
        "Từng lúc lấy được nước trong đợt mặn (nhiều tin)",
        "Each time water can be taken within a spell (many messages)",
    ),
    "silent": ("Trạm mất tín hiệu", "The station is silent"),
    "bulletin": ("Bản tin chính thức", "Official bulletins"),
}
"""By their names in `alerts.farmers.wishes`."""

CHANNELS: Final[Mapping[str, tuple[str, str]]] = {
    "sms": ("Tin nhắn SMS", "SMS"),
    "tin_nhan": ("Tin nhắn", "Messages"),
    "zalo": ("Zalo", "Zalo"),
    "email": ("Thư điện tử", "E-mail"),
    "telegram": ("Telegram", "Telegram"),
    "ntfy": ("ntfy", "ntfy"),
}
"""By the names that operators usually give; any other stands as it is."""

ADDRESSES: Final[Mapping[AddressKind, tuple[str, str]]] = {
    AddressKind.PHONE: ("Số điện thoại", "Phone number"),
    AddressKind.EMAIL: ("Địa chỉ thư điện tử", "E-mail address"),
    AddressKind.TELEGRAM: ("Mã trò chuyện Telegram", "Number of the Telegram chat"),
    AddressKind.TOPIC: ("Tên kênh ntfy", "ntfy topic"),
}

_TOO_MANY: Final = (
    f"Một người nhận tin cho nhiều nhất {FOLLOWS_MAX} nơi và cây. Bỏ bớt rồi thử lại.",
    f"One person is told of {FOLLOWS_MAX} places and crops at most. Drop some and try again.",
)

SIGNUP: Final[Mapping[SignupWhy, tuple[str, str]]] = {
    SignupWhy.NO_CHANNEL: ("Chọn cách nhắn.", "Choose how you are told."),
    SignupWhy.BAD_ADDRESS: (
        "Số hoặc địa chỉ chưa đúng: {}.",
        "This is not a number or address: {}.",
    ),
    SignupWhy.NO_FOLLOWS: ("Chọn nơi lấy nước.", "Choose where you take water."),
    SignupWhy.TOO_MANY_FOLLOWS: _TOO_MANY,
    SignupWhy.TOO_SOON: (
        "Vừa gửi mã rồi. Thử lại sau {} phút.",
        "A code was sent a moment ago. Try again in {} minutes.",
    ),
    SignupWhy.BUSY: (
        "Đang có quá nhiều người đăng ký. Thử lại sau {} phút.",
        "Very many are signing up. Try again in {} minutes.",
    ),
}
CONFIRM: Final[Mapping[ConfirmWhy, tuple[str, str]]] = {
    ConfirmWhy.OVER: (
        "Mã hết hạn, đã dùng, hoặc nhập sai quá nhiều lần. Làm lại từ đầu.",
        "The code has run out, was used, or was tried too often. Begin again.",
    ),
    ConfirmWhy.TOO_MANY_FOLLOWS: _TOO_MANY,
}
CHANGE: Final[Mapping[ChangeWhy, tuple[str, str]]] = {
    ChangeWhy.NO_FOLLOWS: (
        "Phải còn ít nhất một nơi. Không muốn nhận nữa thì bấm Ngưng nhắn tin.",
        "One place must stay. If you want no more messages, press Stop.",
    ),
    ChangeWhy.TOO_MANY_FOLLOWS: _TOO_MANY,
    ChangeWhy.TOO_SOON: (
        "Vừa thêm nhiều lần. Thử lại sau {}.",
        "Much was added lately. Try again in {}.",
    ),
}


def sign_words(lang: str) -> Say:
    """Words of these pages in this language."""
    n = 0 if lang == "vi" else 1
    return lambda name: _WORDS[name][n]
