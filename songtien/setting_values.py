"""What an operator can set, once it is parsed: `songtien.settings` makes it."""

from dataclasses import dataclass, field
from pathlib import Path

from alerts.cap import Sender
from alerts.webhook import Wanted
from ingest.influx import InfluxAddress
from songtien.telling.channels.values import ChannelSettings


@dataclass(frozen=True, slots=True)
class Mqtt:
    """The broker. `host`, `port` and `tls` are the parts of `url`."""

    url: str
    host: str
    port: int
    tls: bool
    root: str
    client_id: str
    protocol: str
    username: str | None
    password: str | None = field(repr=False)
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where readings are kept, and for how many days here.

    historian : the InfluxDB to which they are copied, beside the embedded store
    """

    historian: InfluxAddress | None
    token: str | None = field(repr=False)
    window_days: int


@dataclass(frozen=True, slots=True)
class Http:
    """The listener of HTTP; port 0 takes a free one.

    proxies : addresses and networks whose word on who asks, and whether by https, is taken
    """

    host: str
    port: int
    proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """The live socket's listener. `public_url` is what browsers use behind a proxy."""

    host: str
    port: int
    public_url: str | None
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may look, and for how long officers stay signed in.

    anonymous : what people who show nothing may do, "viewer" or "none"
    session_hours : a session ends when it was unused for as long
    session_max_hours : and as long after it began, used or not
    secure_cookies : cookies for https alone, also where no proxy says that it is https
    audit_days : for as long the audit is kept
    """

    anonymous: str
    session_hours: int = 12
    session_max_hours: int = 168
    secure_cookies: bool = False
    audit_days: int = 1_826


@dataclass(frozen=True, slots=True)
class DataSettings:
    """The directory of journal, store and accounts; the journal keeps `journal_days`."""

    dir: Path
    journal_days: int


@dataclass(frozen=True, slots=True)
class MapSettings:
    """The server of map tiles, as browsers reach it, and whom the map names for them.

    tiles_url : with {z}, {x} and {y}; None draws the project's own lines alone
    """

    tiles_url: str | None = None
    tiles_source: str = ""


@dataclass(frozen=True, slots=True)
class Ingest:
    """How far a series' newest reading must be ahead before a reading is released."""

    reorder_s: float


@dataclass(frozen=True, slots=True)
class RewindSettings:
    """For how many days it is kept what the screens showed; how many play it `at_once`."""

    keep_days: int
    at_once: int


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How the service watches itself.

    behind_s : how long readings may wait for InfluxDB before people are told
    self_test_minute : of the day in Vietnam; None tests never
    heartbeat_url : None beats nowhere; it carries a token
    """

    behind_s: float
    self_test_minute: int | None
    heartbeat_url: str | None = field(repr=False)
    heartbeat_s: float


@dataclass(frozen=True, slots=True)
class FarmersSettings:
    """How people who are no officers are told.

    site : where they open the farmers' page, None where nobody has said
    key_file : what addresses are sealed with; None: made in the data directory
    codes_per_hour : so many are sent at most, whoever asks: each is a message that costs
    group_s : for so long the first notice of a message waits for others
    """

    site: str | None
    key_file: Path | None
    codes_per_hour: int
    group_s: int


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """One receiver of events. The path of `url` may be as good as a password."""

    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set. All paths are absolute.

    registry_is_default, rules_is_default : the file is the one that comes with the program,
        because the operator named none and has none beside the configuration
    """

    mqtt: Mqtt
    store: StoreSettings
    http: Http
    live: LiveSettings
    auth: Auth
    data: DataSettings
    rewind: RewindSettings
    farmers: FarmersSettings
    map: MapSettings
    ingest: Ingest
    watch: WatchSettings
    cap: Sender
    webhooks: tuple[WebhookSettings, ...]
    channels: tuple[ChannelSettings, ...]
    registry_file: Path
    registry_is_default: bool
    rules_file: Path
    rules_is_default: bool
