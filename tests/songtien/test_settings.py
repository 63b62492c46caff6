"""The configuration: what it accepts, what it refuses and how it says so."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.cap import Sender
from alerts.rules import Severity
from alerts.webhook import Wanted
from ingest.faults import ConfigError
from ingest.influx import InfluxAddress
from songtien.setting_keys import KEYS, SECTIONS, webhook_keys
from songtien.setting_values import Auth, MapSettings
from songtien.settings import DEFAULTS, load_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"

CONTRACT = """
[mqtt]
url = "mqtt://127.0.0.1:1883"
root = "tiengiang"
[store]
url = "embedded:"
[http]
host = "127.0.0.1"
port = 8080
[live]
host = "127.0.0.1"
port = 8081
public_url = ""
[auth]
anonymous = "viewer"
[data]
dir = "./data"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "songtien.toml"
    path.write_text(text, "utf-8")
    return path


def faults(path: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ or {})
    return [str(fault) for fault in caught.value.faults]


def test_nothing_named_is_the_written_out_default(tmp_path: Path) -> None:
    file = written(tmp_path, CONTRACT)
    bare = tmp_path / "bare"
    bare.mkdir()
    written(bare, "")
    full, empty = load_settings(file, {}), load_settings(bare / "songtien.toml", {})
    assert (full.mqtt, full.store, full.http, full.live, full.auth, full.ingest) == (
        empty.mqtt,
        empty.store,
        empty.http,
        empty.live,
        empty.auth,
        empty.ingest,
    )
    assert (full.mqtt.host, full.mqtt.port, full.mqtt.tls) == ("127.0.0.1", 1883, False)
    assert (full.http.port, full.live.port, full.live.public_url) == (8080, 8081, None)
    assert (full.store.window_days, full.data.journal_days) == (400, 7)
    assert full.ingest.reorder_s == 30.0
    assert (full.data.dir, empty.data.dir) == (tmp_path / "data", bare / "data")


def test_packaged_stations_and_rules_stand_in_only_where_none_are_named(tmp_path: Path) -> None:
    packaged = load_settings(written(tmp_path, ""), {})
    assert packaged.registry_is_default
    assert packaged.rules_is_default
    assert packaged.registry_file == DEFAULTS / "stations.toml"
    assert packaged.registry_file.is_file()
    (tmp_path / "stations.toml").touch()
    (tmp_path / "night.toml").touch()
    own = load_settings(written(tmp_path, '[rules]\nfile = "night.toml"'), {})
    assert (own.registry_is_default, own.registry_file) == (False, tmp_path / "stations.toml")
    assert (own.rules_is_default, own.rules_file) == (False, tmp_path / "night.toml")
    text = '[registry]\nfile = "station.toml"\n[rules]\nfile = "rules.toml"'
    file = written(tmp_path, text)
    missing = faults(file)
    assert missing == [
        f"{file}: registry.file = 'station.toml': there is no file {tmp_path / 'station.toml'}",
        f"{file}: rules.file = 'rules.toml': there is no file {tmp_path / 'rules.toml'}",
    ]


def test_a_variable_goes_over_the_file_for_every_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "etc"
    folder.mkdir()
    for name in ("secret", "ca.pem", "s.toml", "r.toml"):
        (tmp_path / name).write_text("từ-tệp\n", "utf-8")
    environ = {
        "SONGTIEN_MQTT__URL": "mqtts://broker.example.vn",
        "SONGTIEN_MQTT__ROOT": "vn/tiengiang",
        "SONGTIEN_MQTT__USERNAME": "songtien",
        "SONGTIEN_MQTT__PASSWORD_FILE": "secret",
        "SONGTIEN_MQTT__CA_FILE": "ca.pem",
        "SONGTIEN_MQTT__CLIENT_ID": "ingest-1",
        "SONGTIEN_MQTT__PROTOCOL": "3.1.1",
        "SONGTIEN_STORE__URL": "influxdb://influx.example.vn/river?org=tg",
        "SONGTIEN_STORE__TOKEN_FILE": "token",
        "SONGTIEN_STORE__WINDOW_DAYS": "30",
        "SONGTIEN_HTTP__HOST": "0.0.0.0",
        "SONGTIEN_HTTP__PORT": "80",
        "SONGTIEN_LIVE__HOST": "::1",
        "SONGTIEN_LIVE__PORT": "0",
        "SONGTIEN_LIVE__PUBLIC_URL": "wss://man.example.vn/live",
        "SONGTIEN_LIVE__ORIGINS": "https://Man.example.vn, http://10.0.0.7:8080",
        "SONGTIEN_HTTP__PROXIES": "127.0.0.1, 10.0.0.0/8",
        "SONGTIEN_AUTH__ANONYMOUS": "none",
        "SONGTIEN_AUTH__SESSION_HOURS": "8",
        "SONGTIEN_AUTH__SESSION_MAX_HOURS": "24",
        "SONGTIEN_AUTH__SECURE_COOKIES": "true",
        "SONGTIEN_AUTH__AUDIT_DAYS": "90",
        "SONGTIEN_DATA__DIR": "kho",
        "SONGTIEN_DATA__JOURNAL_DAYS": "3",
        "SONGTIEN_REWIND__KEEP_DAYS": "30",
        "SONGTIEN_REWIND__AT_ONCE": "2",
        "SONGTIEN_FARMERS__SITE": "https://man.example.vn/nong-dan/",
        "SONGTIEN_FARMERS__KEY_FILE": "secret",
        "SONGTIEN_FARMERS__CODES_PER_HOUR": "20",
        "SONGTIEN_FARMERS__GROUP_S": "0",
        "SONGTIEN_MAP__TILES_URL": "https://tiles.example.vn/{z}/{x}/{y}.png?key=a",
        "SONGTIEN_MAP__TILES_SOURCE": "© Ai đó",
        "SONGTIEN_REGISTRY__FILE": "s.toml",
        "SONGTIEN_RULES__FILE": "r.toml",
        "SONGTIEN_INGEST__REORDER_S": "1.5",
        "SONGTIEN_WATCH__BEHIND_S": "60",
        "SONGTIEN_WATCH__SELF_TEST_AT": "23:05",
        "SONGTIEN_WATCH__HEARTBEAT_URL_FILE": "heartbeat",
        "SONGTIEN_WATCH__HEARTBEAT_S": "2.5",
        "SONGTIEN_CAP__SENDER": "man.example.vn",
        "SONGTIEN_CAP__SENDER_NAME": "Đài khí tượng thủy văn",
        "SONGTIEN_DATA": "/of/the/tests",
        "PATH": "/bin",
    }
    (tmp_path / "token").write_text("s3cret==\n")
    (tmp_path / "heartbeat").write_text("https://beat.example.vn/t0k\n")
    elsewhere = {
        "SONGTIEN_MQTT__PASSWORD",
        "SONGTIEN_STORE__TOKEN",
        "SONGTIEN_WATCH__HEARTBEAT_URL",
    }
    assert {key.variable for key in KEYS} - set(environ) == elsewhere
    settings = load_settings(written(folder, CONTRACT), environ)
    mqtt = settings.mqtt
    assert (mqtt.host, mqtt.port, mqtt.tls) == ("broker.example.vn", 8883, True)
    assert (mqtt.root, mqtt.client_id, mqtt.username) == ("vn/tiengiang", "ingest-1", "songtien")
    assert (mqtt.password, mqtt.ca_file) == ("từ-tệp", tmp_path / "ca.pem")
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 80)
    assert (settings.live.host, settings.live.port) == ("::1", 0)
    assert settings.live.public_url == "wss://man.example.vn/live"
    assert settings.live.origins == ("https://man.example.vn", "http://10.0.0.7:8080")
    assert settings.http.proxies == ("127.0.0.1", "10.0.0.0/8")
    assert settings.auth == Auth("none", 8, 24, secure_cookies=True, audit_days=90)
    assert settings.store.window_days == 30
    assert str(settings.store.historian) == "influxdb://influx.example.vn:8086/river?org=tg"
    assert settings.store.token == "s3cret=="
    assert (settings.data.dir, settings.data.journal_days) == (tmp_path / "kho", 3)
    assert settings.registry_file == tmp_path / "s.toml"
    assert settings.rules_file == tmp_path / "r.toml"
    assert (settings.rewind.keep_days, settings.rewind.at_once) == (30, 2)
    farmers = settings.farmers
    assert farmers.site == "https://man.example.vn/nong-dan"
    assert (farmers.codes_per_hour, farmers.group_s) == (20, 0)
    assert farmers.key_file == tmp_path / "secret"
    tiles = MapSettings("https://tiles.example.vn/{z}/{x}/{y}.png?key=a", "© Ai đó")
    assert settings.map == tiles
    assert settings.ingest.reorder_s == 1.5
    assert settings.cap == Sender("man.example.vn", "Đài khí tượng thủy văn")
    assert settings.webhooks == ()
    watch = settings.watch
    assert (watch.behind_s, watch.self_test_minute, watch.heartbeat_s) == (60.0, 1385, 2.5)
    assert watch.heartbeat_url == "https://beat.example.vn/t0k"
    assert "t0k" not in repr(settings)


def test_a_password_comes_from_variable_or_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("tu-tep\r\n", "utf-8")
    file = written(tmp_path, '[mqtt]\nusername = "a"\npassword_file = "secret"')
    assert load_settings(file, {}).mqtt.password == "tu-tep"
    settings = load_settings(file, {"SONGTIEN_MQTT__PASSWORD": "mat-khau"})
    assert settings.mqtt.password == "mat-khau"
    assert "mat-khau" not in repr(settings)
    alone = faults(None, {"SONGTIEN_MQTT__PASSWORD": "mat-khau"})
    assert alone == [
        (
            "environment: SONGTIEN_MQTT__PASSWORD = '(hidden)': "
            "a password needs mqtt.username beside it"
        )
    ]
    for text, environ in (
        ('[mqtt]\npassword = "mat-khau"', {}),
        ('[mqtt]\npasword = "mat-khau"', {}),
        ('[mqtt]\npassword = "mat-khau', {}),
        ('[mqtt]\nurl = "mqtt://a:mat-khau@host"', {}),
        ('[mqtt]\nbroker = "mqtt://a:mat-khau@host"', {}),
        ('[mqttt]\npassword = "mat-khau"', {}),
        ("", {"SONGTIEN_MQTT__PASWORD": "mat-khau"}),
        ("", {"SONGTIEN_MQTT__PASSWORD": "mat-khau\x00"}),
        ("", {"SONGTIEN_MQTT__URL": "mqtt://a:mat-khau@host"}),
    ):
        wrong = tmp_path / "wrong.toml"
        wrong.write_text(text, "utf-8")
        said = faults(wrong, environ)
        assert said, text
        assert "mat-khau" not in "\n".join(said)
    (tmp_path / "secret").write_text("\n", "utf-8")
    assert "the file is empty" in faults(file)[0]


def test_all_faults_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        '[mqtt]\nurl = "tcp://h"\nrooot = "x"\n[http]\nport = "8080"\n[lve]\nport = 1\n'
        "[auth]\nanonymous = true\n[store]\nwindow_days = 1.5\n[mqtt2]\n",
    )
    said = faults(file, {"SONGTIEN_HTTP__HOST": "a b", "SONGTIEN_HTTP_PORT": "80"})
    assert said == [
        f"{file}: mqtt.rooot = 'x': this key isn't known; did you mean 'root'?",
        f"{file}: lve = '(hidden)': this section isn't known; did you mean 'live'?",
        f"{file}: mqtt2 = '(hidden)': this section isn't known; did you mean 'mqtt'?",
        (
            "environment: SONGTIEN_HTTP_PORT = '80': this variable isn't known; "
            "did you mean 'SONGTIEN_HTTP__PORT'?"
        ),
        f"{file}: mqtt.url = 'tcp://h': accepted is mqtt://HOST[:PORT] or mqtts://HOST[:PORT]",
        f"{file}: store.window_days = 1.5: accepted is a whole number from 1 to 36500",
        (
            "environment: SONGTIEN_HTTP__HOST = 'a b': "
            "accepted is a host's name or address, such as 127.0.0.1 or 0.0.0.0"
        ),
        (
            f"{file}: http.port = '8080': accepted is a whole number from 0 to 65535; "
            "0 takes a free port"
        ),
        f"{file}: auth.anonymous = True: accepted is one of viewer, none",
    ]


INFLUX = '[store]\nurl = "influxdb://h:8086/b?org=o"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[mqtt]\nurl = "mqtt://h:0"', "accepted is mqtt://HOST"),
        ('[mqtt]\nurl = "mqtt://h:70000"', "accepted is mqtt://HOST"),
        ('[mqtt]\nurl = "mqtt://h/x"', "nothing behind the port"),
        ('[mqtt]\nroot = "a/#"', "parted by /"),
        ('[mqtt]\nroot = "/a"', "parted by /"),
        ('[mqtt]\nroot = "$SYS"', "parted by /"),
        ('[mqtt]\nca_file = "none.pem"', "there is no file"),
        ('[mqtt]\nca_file = "songtien.toml"', "mqtts:// in mqtt.url alone"),
        (
            '[store]\nurl = "influxdb://h:8086?org=o"',
            "accepted is influxdb://HOST:8086/BUCKET?org=ORG",
        ),
        ('[store]\nurl = "influxdb://me:secret@h:8086/b?org=o"', "token_file"),
        ('[store]\nurl = "sqlite:x"', 'accepted is "embedded:"'),
        ('[store]\ntoken_file = "x"', "there is no file"),
        (INFLUX + 'token_file = "songtien.toml"', "1 to 1000 visible ASCII characters"),
        ("[store]\nwindow_days = 0", "from 1 to 36500"),
        ("[http]\nport = true", "from 0 to 65535"),
        ("[live]\nport = 8080", "another port"),
        ('[live]\npublic_url = "https://h"', "ws://"),
        ('[live]\norigins = "https://h"', "a list such as"),
        ('[http]\nproxies = "127.0.0.1"', "a list of addresses"),
        ('[http]\nproxies = ["proxy"]', "a list of addresses"),
        ('[http]\nproxies = ["10.0.0.1/8"]', "a list of addresses"),
        ("[auth]\nsession_hours = 0", "from 1 to 8760"),
        ("[auth]\nsession_hours = 200", "session_hours or longer"),
        ('[auth]\nsecure_cookies = "yes"', "true or false"),
        ('[map]\ntiles_url = "http://t/{z}/{x}/{y}.png"', "accepted is https://HOST/"),
        ('[map]\ntiles_url = "https://{s}.t/{z}/{x}/{y}.png"', "accepted is https://HOST/"),
        ('[map]\ntiles_url = "https://t/{z}/{x}.png"', "with {z}, {x} and {y}"),
        ('[map]\ntiles_url = "//t/{z}/{x}/{y}.png"', "accepted is https://HOST/"),
        ('[map]\ntiles_url = "https://t;x/{z}/{x}/{y}.png"', "accepted is https://HOST/"),
        ('[live]\norigins = ["https://h/path"]', "without a path"),
        ('[live]\norigins = ["*"]', "without a path"),
        ('[data]\ndir = "songtien.toml"', "accepted is a directory"),
        ('[data]\ndir = " "', "the path of a file"),
        ("[ingest]\nreorder_s = -1", "from 0 to 3600 s"),
        ("[ingest]\nreorder_s = nan", "from 0 to 3600 s"),
        ("[watch]\nbehind_s = 1", "from 10 to 86400 s"),
        ('[watch]\nself_test_at = "6:30"', "a time from"),
        ('[watch]\nself_test_at = "24:00"', "a time from"),
        ("[watch]\nself_test_at = 390", "a time from"),
        ('[watch]\nheartbeat_url_file = "none"', "there is no file"),
        ('[watch]\nheartbeat_url_file = "songtien.toml"', "accepted is http://"),
        ("[watch]\nheartbeat_s = 0", "from 1 to 3600 s"),
        ("mqtt = 3", "accepted is a table: [mqtt]"),
        ("[mqtt", "valid TOML is needed"),
    ],
)
def test_a_wrong_value_says_what_is_accepted(tmp_path: Path, text: str, said: str) -> None:
    (fault,) = faults(written(tmp_path, text))
    assert said in fault


def test_a_file_that_is_not_there_or_no_text_is_a_fault(tmp_path: Path) -> None:
    assert "can be read" in faults(tmp_path / "none.toml")[0]
    path = tmp_path / "latin.toml"
    path.write_bytes(b'root = "\xe9"')
    assert "UTF-8" in faults(path)[0]


@given(st.text(max_size=40), st.sampled_from(KEYS))
def test_any_text_in_any_variable_is_taken_or_is_a_fault(text: str, key: object) -> None:
    variable = next(each.variable for each in KEYS if each is key)
    try:
        load_settings(None, {variable: text})
    except ConfigError as error:
        assert error.faults  # noqa: PT017 - both ways are right; a crash is not


def test_the_documentation_explains_every_key_and_no_other() -> None:
    text = DOCUMENT.read_text("utf-8")
    told = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", text, re.MULTILINE))
    assert told == {key.path for key in KEYS}
    for key in KEYS:
        if key.default not in (None, ()):
            row = next(line for line in text.split("\n") if line.startswith(f"| `{key.path}`"))
            default = f"{key.default:g}" if isinstance(key.default, float) else str(key.default)
            default = default.lower() if isinstance(key.default, bool) else default
            assert f"`{default}`" in row, key.path
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert set(tomllib.loads(example)) <= set(SECTIONS)


def test_the_documented_example_is_accepted(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    for name in ("stations.toml", "rules.toml", "broker-password", "broker-ca.pem"):
        (tmp_path / name).write_text("x", "utf-8")
    settings = load_settings(written(tmp_path, example), {})
    assert settings.mqtt.tls
    assert settings.registry_file == tmp_path / "stations.toml"


def test_the_historian_and_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret==\n")
    file = tmp_path / "songtien.toml"
    file.write_text(INFLUX + 'token_file = "token"\n')
    settings = load_settings(file, {}).store
    assert settings.historian == InfluxAddress("h", 8086, False, "b", "o")
    assert settings.token == "s3cret=="
    assert "s3cret" not in repr(settings)
    over = load_settings(file, {"SONGTIEN_STORE__TOKEN": "other"}).store
    assert over.token == "other"
    file.write_text('[store]\ntoken_file = "token"\n')
    assert "influxdb:// in store.url alone" in faults(file)[0]


def test_the_heartbeat_and_its_address(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, ""), {}).watch.self_test_minute == 390
    never = load_settings(written(tmp_path, '[watch]\nself_test_at = ""'), {})
    assert (never.watch.self_test_minute, never.watch.heartbeat_url) == (None, None)
    for text, environ in (
        ('[watch]\nheartbeat_url = "https://h/mat-khau"', {}),
        ('[watch]\nheartbeat_ulr = "https://h/mat-khau"', {}),
        ("", {"SONGTIEN_WATCH__HEARTBEAT_URL": "ftp://h/mat-khau"}),
        ("", {"SONGTIEN_WATCH__HEARTBEAT_URL": "https://mat-khau@h/"}),
        ("", {"SONGTIEN_WATCH__HEARTBEAT_ULR": "https://h/mat-khau"}),
    ):
        (said,) = faults(written(tmp_path, text), environ)
        assert "mat-khau" not in said


def test_a_token_in_the_address_of_the_historian_is_not_repeated(tmp_path: Path) -> None:
    (fault,) = faults(written(tmp_path, INFLUX.replace("org=o", "org=o&token=s3cret")))
    assert "s3cret" not in fault
    assert "org=o&token=(hidden)" in fault


HOOK = '[webhook.truc_ban]\nurl = "https://truc.example.vn/k3y"\nsecret_file = "hook"\n'


def test_a_webhook_comes_from_the_file_from_variables_or_from_both(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("0123456789abcdef\n")
    file = written(tmp_path, HOOK + 'events = ["raised", "cleared"]\nsimulated = true\n')
    variables = {
        "SONGTIEN_WEBHOOK__TRUC_BAN__MIN_SEVERITY": "major",
        "SONGTIEN_WEBHOOK__CHAT__URL": "http://127.0.0.1:9000",
        "SONGTIEN_WEBHOOK__CHAT__SECRET": "fedcba9876543210",
        "SONGTIEN_WEBHOOK__CHAT__EVENTS": "raised, acked",
        "SONGTIEN_WEBHOOK__CHAT__SIMULATED": "false",
    }
    settings = load_settings(file, variables)
    chat, duty = settings.webhooks
    assert (chat.name, chat.url, chat.secret) == (
        "chat",
        "http://127.0.0.1:9000",
        "fedcba9876543210",
    )
    assert chat.wanted == Wanted(frozenset({"raised", "acked"}), Severity.WARNING, simulated=False)
    assert (duty.name, duty.url) == ("truc_ban", "https://truc.example.vn/k3y")
    assert duty.secret == "0123456789abcdef"
    assert duty.wanted == Wanted(frozenset({"raised", "cleared"}), Severity.MAJOR, simulated=True)
    for secret in ("k3y", "0123456789abcdef", "fedcba9876543210"):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[webhook]\nurl = 'x'", "accepted is [webhook.NAME]"),
        ("webhook = 3", "accepted is a table"),
        ("[webhook.'Trực']\nurl = 'x'", "accepted is [webhook.NAME]"),
        (HOOK.replace("https", "ftp"), "accepted is http://"),
        (HOOK.replace("https://", "https://me:k3y@"), "without a name and a password"),
        (HOOK.replace("secret_file", "secret"), "a secret doesn't stand in this file"),
        (HOOK.replace('"hook"', '"short"'), "a secret of 16 to 1000"),
        (HOOK.replace("url", "ulr"), "did you mean 'url'"),
        (HOOK + 'events = ["risen"]', "accepted is a list of raised, cleared"),
        (HOOK + 'min_severity = "grave"', "accepted is one of info, warning, major, critical"),
        (HOOK + "simulated = 1", "accepted is true or false"),
        ('[webhook.a]\nurl = "http://h"', "a webhook needs one, or SONGTIEN_WEBHOOK__A__SECRET"),
        ("[webhook.a]\nsecret_file = 'hook'", "a webhook needs one"),
    ],
)
def test_a_wrong_webhook_says_what_is_accepted(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "hook").write_text("0123456789abcdef\n")
    (tmp_path / "short").write_text("k3y\n")
    found = faults(written(tmp_path, text))
    assert any(said in fault for fault in found), found
    assert not any("k3y" in fault for fault in found)


def test_the_documentation_explains_every_key_of_a_webhook() -> None:
    told = set(
        re.findall(r"^\| `webhook\.NAME\.([a-z_]+)` \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    )
    assert told == {key.name for key in webhook_keys("name")}
