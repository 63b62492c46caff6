"""A channel of each kind, opened from its settings."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from songtien.telling.channels.by_apprise import AppriseChannel
from songtien.telling.channels.channel import Channel
from songtien.telling.channels.file import FileChannel
from songtien.telling.channels.hook import HookChannel
from songtien.telling.channels.mail import MailChannel
from songtien.telling.channels.sms import SmsChannel
from songtien.telling.channels.telegram import TelegramChannel
from songtien.telling.channels.values import ChannelSettings
from songtien.telling.channels.webpush import WebPushChannel
from songtien.telling.channels.zalo import ZaloChannel

_KINDS: Final[Mapping[str, Callable[[ChannelSettings, Path], Channel]]] = {
    "file": lambda settings, _: FileChannel(settings),
    "apprise": lambda settings, _: AppriseChannel(settings),
    "email": lambda settings, _: MailChannel(settings),
    "sms": lambda settings, _: SmsChannel(settings),
    "telegram": lambda settings, _: TelegramChannel(settings),
    "webhook": lambda settings, _: HookChannel(settings),
    "webpush": WebPushChannel,
    "zalo": ZaloChannel,
}


def open_channel(settings: ChannelSettings, directory: Path) -> Channel:
    """Make a channel ready; nothing is asked of the other side before the first message.

    directory : the data directory, where keys and tokens of channels stand (0600)
    """
    return _KINDS[settings.kind](settings, directory)
