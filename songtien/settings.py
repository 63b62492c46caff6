"""The configuration: one TOML file and `SONGTIEN_…` variables, parsed once, at the door.

Every fault of the file, of the variables and of the files that they name is found in one
run and told with its place. Secrets come from files or variables and are never shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alerts.cap import Sender
from alerts.rules import Severity
from alerts.webhook import Wanted
from ingest.faults import ConfigError, Fault
from ingest.influx import parse_url
from ingest.tables import did_you_mean, load_toml
from songtien.accepted import NotAcceptedError, file_path, url_parts
from songtien.setting_channels import ChannelTables
from songtien.setting_keys import (
    KEYS,
    MQTT_PORT,
    MQTTS_PORT,
    PREFIX,
    SECTIONS,
    WEBHOOK,
    WEBHOOK_NAME,
    Key,
    webhook_keys,
)
from songtien.setting_values import (
    Auth,
    DataSettings,
    FarmersSettings,
    Http,
    Ingest,
    LiveSettings,
    MapSettings,
    Mqtt,
    RewindSettings,
    Settings,
    StoreSettings,
    WatchSettings,
    WebhookSettings,
)
from songtien.telling.channels.keys import CHANNEL

__all__ = ["DEFAULTS", "Mqtt", "Settings", "StoreSettings", "WebhookSettings", "load_settings"]

ENVIRONMENT: Final = "environment"
HIDDEN: Final = "(hidden)"
FOREIGN: Final = frozenset({"SONGTIEN_DATA"})
"""Variables that are no settings: the folder of recorded data, for tests and benchmarks."""

EMBEDDED: Final = "embedded:"
DEFAULTS: Final = Path(__file__).parent / "defaults"
_SECRET = re.compile(r"pas+w|pwd|secret|token|credential|heartbeat|webhook", re.IGNORECASE)
_CREDENTIALS = re.compile(r"//[^/\s]*@")
_IN_QUERY = re.compile(r"([?&](?!org=)[^=&\s]*=)[^&\s]*")


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as the operator wrote it, and where; `base` is what its paths start from."""

    value: object
    file: str
    key: str
    base: Path


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the file, if any, and the variables over it; `ConfigError` with every fault.

    Paths in the file, and those that nobody names, start from the file's folder, or from
    the working directory where there is no file; paths in variables start from the latter.
    """
    reading = _Reading(Path.cwd() if path is None else path.absolute().parent)
    if path is not None:
        reading.file(path)
    reading.variables(environ)
    settings = reading.settings()
    if reading.faults or settings is None:
        raise ConfigError(reading.faults)
    return settings


class _Reading:
    """One run over file and variables, which collects faults rather than stop at one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.faults: list[Fault] = []
        self._given: dict[str, _Given] = {}
        self._keys: list[Key] = list(KEYS)
        self._webhooks: dict[str, str] = {}
        self._channels = ChannelTables(self._fault)

    def file(self, path: Path) -> None:
        """Take what the file says."""
        name = str(path)
        try:
            content = load_toml(path.read_text("utf-8"), name)
        except OSError as error:
            self._fault(name, "--config", name, f"a file that can be read: {error.strerror}")
            return
        except UnicodeDecodeError:
            self._fault(name, "--config", name, "a file in UTF-8")
            return
        except ConfigError as error:
            for fault in error.faults:
                shown = HIDDEN if _SECRET.search(str(fault.value)) else fault.value
                self._fault(fault.file, fault.key, shown, fault.accepted)
            return
        for section, table in content.items():
            if section == WEBHOOK:
                self._receivers(name, table)
            elif section == CHANNEL:
                self._channels.take(name, table)
            elif section not in SECTIONS:
                shown = HIDDEN if isinstance(table, dict) or _SECRET.search(section) else table
                hint = did_you_mean(section, [*SECTIONS, WEBHOOK, CHANNEL])
                self._fault(name, section, shown, f"this section isn't known; {hint}")
            elif not isinstance(table, dict):
                self._fault(name, section, table, f"accepted is a table: [{section}]")
            else:
                self._section(name, section, table)

    def _receivers(self, file: str, tables: object) -> None:
        if not isinstance(tables, dict):
            self._fault(file, WEBHOOK, tables, f"accepted is a table: [{WEBHOOK}.NAME]")
            return
        for name, table in tables.items():
            section = f"{WEBHOOK}.{name}"
            if self._named(file, section, name, table):
                self._section(file, section, table)

    def _named(self, file: str, key: str, name: str, table: object) -> bool:
        """Whether a receiver may have this name, whose keys are then known."""
        if not isinstance(table, dict) or WEBHOOK_NAME.fullmatch(name) is None:
            accepted = "a table, named by up to 4 words of a-z and 0-9 with _ between"
            self._fault(file, key, HIDDEN, f"accepted is [{WEBHOOK}.NAME], {accepted}")
            return False
        if name not in self._webhooks:
            self._webhooks[name] = file
            self._keys.extend(webhook_keys(name))
        return True

    def _section(self, file: str, section: str, table: dict[str, object]) -> None:
        keys = {key.name: key for key in self._keys if key.section == section}
        for name, value in table.items():
            key = keys.get(name)
            if key is not None and not key.secret:
                self._given[key.path] = _Given(value, file, key.path, self.home)
            elif key is not None:
                said = f"a secret doesn't stand in this file: name {key.path}_file, or set"
                self._fault(file, key.path, HIDDEN, f"{said} {key.variable}")
            else:
                hint = did_you_mean(name, [known.name for known in keys.values()])
                hidden = _SECRET.search(name) or section.startswith((WEBHOOK, CHANNEL))
                shown = HIDDEN if hidden else value
                self._fault(file, f"{section}.{name}", shown, f"this key isn't known; {hint}")

    def variables(self, environ: Mapping[str, str]) -> None:
        """Take what the variables say, over the file."""
        for name in sorted(environ):
            words = name.removeprefix(PREFIX).lower().split("__")
            if name.startswith(PREFIX) and words[0] == WEBHOOK and len(words) == 3:
                self._named(ENVIRONMENT, name, words[1], {})
        self._channels.keys(ENVIRONMENT, environ, self._section, self._keys)
        keys = {key.variable: key for key in self._keys}
        for name in sorted(environ):
            if not name.startswith(PREFIX) or name in FOREIGN:
                continue
            key = keys.get(name)
            if key is None and self._channels.of_no_kind(name):
                continue  # its kind is the fault that is told
            if key is None:
                hint = did_you_mean(name, list(keys))
                shown = HIDDEN if _SECRET.search(name) else environ[name]
                self._fault(ENVIRONMENT, name, shown, f"this variable isn't known; {hint}")
            else:
                value = key.from_text(environ[name])
                self._given[key.path] = _Given(value, ENVIRONMENT, name, Path.cwd())

    def settings(self) -> Settings | None:
        """What was given and the defaults of the rest; None where a value isn't usable."""
        values = {key.path: self._value(key) for key in self._keys}
        webhooks = tuple(self._webhook(name, values) for name in sorted(self._webhooks))
        channels = self._channels.made(
            lambda key: self._own(key, values),
            lambda path: path in self._given,
            self._doubt,
            lambda: len(self.faults),
        )
        password = self._secret("mqtt.password", values)
        token = self._secret("store.token", values)
        heartbeat_url = self._secret("watch.heartbeat_url", values)
        ca_file = self._existing("mqtt.ca_file", values)
        farmers_key = self._existing("farmers.key_file", values)
        url = url_parts(values["mqtt.url"])
        if ca_file is not None and url is not None and url.scheme != "mqtts":
            self._doubt("mqtt.ca_file", "it is of use with mqtts:// in mqtt.url alone")
        if password is not None and values["mqtt.username"] is None:
            where = "password_file" if "mqtt.password" not in self._given else "password"
            self._doubt(f"mqtt.{where}", "a password needs mqtt.username beside it")
        historian = parse_url(values["store.url"]) if values["store.url"] != EMBEDDED else None
        if token is not None and historian is None:
            where = "token_file" if "store.token" not in self._given else "token"
            self._doubt(f"store.{where}", "a token is of use with influxdb:// in store.url alone")
        http, live = (values["http.host"], values["http.port"]), values["live.port"]
        if live != 0 and http == (values["live.host"], live):
            self._doubt("live.port", "HTTP listens there already; accepted is another port")
        if values["auth.session_max_hours"] < values["auth.session_hours"]:
            where = (
                "session_max_hours" if "auth.session_max_hours" in self._given else "session_hours"
            )
            self._doubt(f"auth.{where}", "session_max_hours is session_hours or longer")
        registry, own_registry = self._own_or_packaged("registry", "stations.toml", values)
        rules, own_rules = self._own_or_packaged("rules", "rules.toml", values)
        directory = self._placed("data.dir", values) or self.home
        if directory.exists() and not directory.is_dir():
            self._doubt("data.dir", "it is a file; accepted is a directory, or a name for one")
        if self.faults or url is None or url.hostname is None:
            return None
        tls = url.scheme == "mqtts"
        root = values["mqtt.root"]
        return Settings(
            mqtt=Mqtt(
                url=values["mqtt.url"],
                host=url.hostname,
                port=url.port or (MQTTS_PORT if tls else MQTT_PORT),
                tls=tls,
                root=root,
                client_id=values["mqtt.client_id"] or f"songtien-{root.replace('/', '-')}"[:64],
                protocol=values["mqtt.protocol"],
                username=values["mqtt.username"],
                password=password,
                ca_file=ca_file,
            ),
            store=StoreSettings(historian, token, values["store.window_days"]),
            http=Http(*http, values["http.proxies"]),
            live=LiveSettings(
                host=values["live.host"],
                port=live,
                public_url=values["live.public_url"],
                origins=values["live.origins"],
            ),
            auth=Auth(
                values["auth.anonymous"],
                values["auth.session_hours"],
                values["auth.session_max_hours"],
                values["auth.secure_cookies"],
                values["auth.audit_days"],
            ),
            data=DataSettings(directory, values["data.journal_days"]),
            rewind=RewindSettings(values["rewind.keep_days"], values["rewind.at_once"]),
            farmers=FarmersSettings(
                values["farmers.site"],
                farmers_key,
                values["farmers.codes_per_hour"],
                values["farmers.group_s"],
            ),
            map=MapSettings(values["map.tiles_url"], values["map.tiles_source"] or ""),
            ingest=Ingest(values["ingest.reorder_s"]),
            watch=WatchSettings(
                values["watch.behind_s"],
                _minute_of(values["watch.self_test_at"]),
                heartbeat_url,
                values["watch.heartbeat_s"],
            ),
            cap=Sender(values["cap.sender"], values["cap.sender_name"]),
            webhooks=tuple(each for each in webhooks if each is not None),
            channels=channels,
            registry_file=registry,
            registry_is_default=not own_registry,
            rules_file=rules,
            rules_is_default=not own_rules,
        )

    def _webhook(self, name: str, values: Mapping[str, Any]) -> WebhookSettings | None:
        section = f"{WEBHOOK}.{name}"
        url, faults = values[f"{section}.url"], len(self.faults)
        if url is None and f"{section}.url" not in self._given:
            self._fault(self._webhooks[name], f"{section}.url", None, "a webhook needs one")
        secret = self._secret(f"{section}.secret", values)
        if secret is None and len(self.faults) == faults:
            accepted = f"a webhook needs one, or {webhook_keys(name)[1].variable}"
            self._fault(self._webhooks[name], f"{section}.secret_file", None, accepted)
        if url is None or secret is None:
            return None
        wanted = Wanted(
            frozenset(values[f"{section}.events"]),
            Severity(values[f"{section}.min_severity"]),
            values[f"{section}.simulated"],
        )
        return WebhookSettings(name, url, secret, wanted)

    def _own(self, key: Key, values: Mapping[str, Any]) -> Any:
        """One value of a channel: secrets out of their files, paths from where they start."""
        if key.secret:
            return self._secret(key.path, values)
        if key.parse is not file_path:
            return values[key.path]
        is_read = key.name.endswith("_file")
        return (self._existing if is_read else self._placed)(key.path, values)

    def _value(self, key: Key) -> Any:
        """What was given, parsed; the default where it is absent or refused."""
        given = self._given.get(key.path)
        if given is None:
            return key.default
        try:
            return key.parse(given.value)
        except NotAcceptedError as error:
            shown = HIDDEN if key.secret or key.hidden else given.value
            self._fault(given.file, given.key, shown, str(error))
            return key.default

    def _placed(self, key: str, values: Mapping[str, Any]) -> Path | None:
        """The absolute path that a key names."""
        value = values[key]
        if value is None:
            return None
        given = self._given.get(key)
        return (self.home if given is None else given.base) / Path(value)

    def _existing(self, key: str, values: Mapping[str, Any]) -> Path | None:
        """The path that a key names, which must be a file."""
        path = self._placed(key, values)
        if path is not None and not path.is_file():
            self._doubt(key, f"there is no file {path}")
            return None
        return path

    def _own_or_packaged(
        self, section: str, name: str, values: Mapping[str, Any]
    ) -> tuple[Path, bool]:
        """The operator's file, and whether it is theirs; a named one that isn't there is a fault.

        A service that falls back when a name is misspelt would watch other stations than the
        operator believes.
        """
        if f"{section}.file" in self._given:
            return self._existing(f"{section}.file", values) or DEFAULTS / name, True
        own = self.home / name
        return (own, True) if own.is_file() else (DEFAULTS / name, False)

    def _secret(self, key: str, values: Mapping[str, Any]) -> str | None:
        """From the variable, else from the file, without the newline that editors add."""
        if values[key] is not None:
            return str(values[key])
        path = self._existing(f"{key}_file", values)
        if path is None:
            return None
        try:
            secret = path.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            self._doubt(f"{key}_file", f"accepted is a text that can be read: {error}")
            return None
        if not secret:
            what = key.partition(".")[2]
            self._doubt(f"{key}_file", f"the file is empty; accepted is the {what}")
            return None
        try:
            return str(next(known for known in self._keys if known.path == key).parse(secret))
        except NotAcceptedError as error:
            self._doubt(f"{key}_file", f"what the file holds can't be used: {error}")
            return None

    def _doubt(self, key: str, accepted: str, file: str = "defaults") -> None:
        """A fault of a value that is well formed but can't be used; `file` where none is given."""
        known = next(known for known in self._keys if known.path == key)
        given = self._given.get(key)
        if given is None:
            self._fault(file, key, known.default, accepted)
            return
        shown = HIDDEN if known.secret or known.hidden else given.value
        self._fault(given.file, given.key, shown, accepted)

    def _fault(self, file: str, key: str, value: object, accepted: str) -> None:
        if isinstance(value, str):
            value = _CREDENTIALS.sub(f"//{HIDDEN}@", value)
            value = _IN_QUERY.sub(rf"\1{HIDDEN}", value)
        self.faults.append(Fault(file, key, value, accepted))


def _minute_of(time_of_day: str) -> int | None:
    """Minutes into the day, 390 for "06:30"; None for "", which is never."""
    hours, _, minutes = time_of_day.partition(":")
    return int(hours) * 60 + int(minutes) if hours else None
