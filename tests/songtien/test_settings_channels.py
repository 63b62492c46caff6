"""`[channel.NAME]`: what each kind accepts, what is refused and how that is said."""

import re
from pathlib import Path
from typing import Any

import pytest

from alerts.farmers.gateway import InboundFields, ReportFields
from alerts.farmers.notice import Kind
from ingest.faults import ConfigError
from songtien.settings import load_settings
from songtien.telling.channels.keys import KINDS, channel_keys, common_names
from songtien.telling.channels.own_values import TEMPLATE_KINDS
from songtien.telling.channels.values import ChannelSettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"
SECRET = "0123456789abcdef"

SMS = """
[channel.sms]
kind = "sms"
url = "https://sms.example.vn/k3y"
token_file = "secret"
[channel.sms.body]
to = "{phone}"
text = "{text}"
"""
QUERY = SMS.replace("url =", 'method = "GET"\ncontent = "query"\nurl =')
FILE = '[channel.f]\nkind = "file"\npath = "told.jsonl"\n'
MAIL = '[channel.m]\nkind = "email"\nhost = "mail.example.vn"\nfrom_address = "a@example.vn"\n'
ZALO = '[channel.z]\nkind = "zalo"\naccess_token_file = "secret"\ntemplates = { salt = 12 }\n'
PUSH = '[channel.p]\nkind = "webpush"\ncontact = "mailto:a@example.vn"\n'
OWN = '[channel.o]\nkind = "webhook"\nurl = "https://own.example.vn"\nsecret_file = "secret"\n'
TELE = '[channel.t]\nkind = "telegram"\ntoken_file = "bot"\n'
NTFY = '[channel.n]\nkind = "apprise"\ntarget_file = "target"\n'
ALL = (SMS, FILE, MAIL, ZALO, PUSH, OWN, TELE, NTFY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "short").write_text("k3y\n")
    (tmp_path / "bot").write_text("123:AAAAAAAAAAAA\n")
    (tmp_path / "target").write_text("ntfys://a:k3y@ntfy.example.vn/{topic}\n")
    return tmp_path


def channels(folder: Path, text: str, **variables: str) -> dict[str, ChannelSettings]:
    path = folder / "songtien.toml"
    path.write_text(text, "utf-8")
    environ = {f"SONGTIEN_CHANNEL__{name}": value for name, value in variables.items()}
    return {each.name: each for each in load_settings(path, environ).channels}


def faults(folder: Path, text: str, **variables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        channels(folder, text, **variables)
    return [str(fault) for fault in caught.value.faults]


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert channels(tmp_path, "") == {}


def test_all_kinds_at_once_and_no_secret_in_their_words(folder: Path) -> None:
    found = channels(folder, "".join(ALL))
    assert {each.kind for each in found.values()} == set(KINDS)
    for secret in (SECRET, "k3y", "AAAAAAAAAAAA"):
        assert secret not in repr(found)


def test_what_is_common_to_all(folder: Path) -> None:
    text = FILE + (
        "rate_per_s = 0.5\ntimeout_s = 3\nbudget_per_month = 20000\ncost_per_part = 150\n"
        'inbound_secret_file = "secret"\nreport = { ref = "id", status = "s", delivered = [1] }\n'
        'inbound = { address = "from", text = "data[0].text" }\n'
    )
    one = channels(folder, text)["f"]
    assert (one.rate_per_s, one.timeout_s) == (0.5, 3.0)
    assert (one.budget_per_month, one.cost_per_part) == (20_000, 150)
    assert one.inbound_secret == SECRET
    assert one.report == ReportFields(("id",), ("s",), frozenset({"1"}))
    assert one.inbound == InboundFields(("from",), ("data", 0, "text"))
    assert one.own["path"] == folder / "told.jsonl"
    plain = channels(folder, FILE)["f"]
    assert (plain.budget_per_month, plain.inbound_secret, plain.report) == (None, None, None)


def test_a_channel_from_variables_alone_and_variables_over_the_file(folder: Path) -> None:
    found = channels(
        folder,
        SMS,
        SMS__RATE_PER_S="12.5",
        SMS__UNICODE="true",
        SMS__TOKEN="from-a-variable",
        SMS__BODY='{"so": "{phone_local}", "loi": "{text}"}',
        DEMO__KIND="file",
        DEMO__PATH=str(folder / "x"),
        DEMO__SHOW_ADDRESSES="true",
    )
    sms, demo = found["sms"], found["demo"]
    assert (sms.rate_per_s, sms.unicode, sms.own["token"]) == (12.5, True, "from-a-variable")
    assert set(sms.own["body"]) == {"so", "loi"}
    assert (demo.kind, demo.own["show_addresses"]) == ("file", True)


def test_a_kind_out_of_a_variable_decides_on_the_keys(folder: Path) -> None:
    found = channels(folder, '[channel.f]\npath = "told.jsonl"\n', F__KIND="file")
    assert found["f"].kind == "file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channel = 3", "accepted is a table: [channel.NAME]"),
        ("[channel.'Nhắn']\nkind = 'file'", "accepted is [channel.NAME]"),
        ("[chanel.a]\nkind = 'file'", "did you mean 'channel'"),
        ("[channel.a]", "channel.a.kind = None: accepted is one of file, sms"),
        ("[channel.a]\nkind = 'fax'\nnumber = 1", "channel.a.kind = 'fax': accepted is one of"),
        ("[channel.a]\nkind = ['file']", "accepted is one of file, sms"),
        (FILE.replace("path", "paht"), "did you mean 'path'"),
        ("[channel.f]\nkind = 'file'", "channel.f.path = None: a channel of the kind file"),
        (FILE + "rate_per_s = 0", "a number from 0.01 to 1000"),
        (FILE + "rate_per_s = true", "a number from 0.01 to 1000"),
        (FILE + "timeout_s = 90", "a number from 1 to 60 s"),
        (FILE + "budget_per_month = -1", "a whole number from 0"),
        (FILE + "cost_per_part = 150.5", "đồng"),
        (FILE + f"inbound_secret = '{SECRET}'", "a secret doesn't stand in this file"),
        (FILE + "inbound_secret_file = 'short'", "a secret of 16 to 1000"),
        (FILE + "inbound = { address = 'a' }", "a table with address and text"),
        (FILE + "inbound = { address = 'a', txet = 'b' }", "did you mean 'text'"),
        (FILE + "report = { ref = 'a' }", "a table with ref, status and delivered"),
        (FILE + "report = { ref = '', status = 's', delivered = [1] }", "a path of names"),
        (FILE + "report = { ref = 'r', status = 's', delivered = [] }", "at least one"),
        (FILE + "form = 'fax'", "accepted is one of sms, sms-unicode, long"),
        (SMS.replace("https", "http"), "accepted is https://"),
        (SMS.replace("sms.example.vn", "me:k3y@h"), "without a name and a password"),
        (SMS.replace("/k3y", "/{phone}"), "without placeholders"),
        (SMS.replace("{text}", "hello"), "with {text}, and {phone} or {phone_local}"),
        (SMS.replace("{text}", "{tetx}"), "a placeholder of text isn't known"),
        (SMS.replace("{text}", "{text} {"), "a placeholder of text isn't known"),
        (SMS + "apikey = 'k3y'", "apikey looks like a secret"),
        (SMS + "PassWord = 1234", "PassWord looks like a secret"),
        (SMS + "when = 2026-01-01", "texts, numbers, true and false"),
        (SMS + "[channel.sms.headers]\nX-Api-Key = 'k3y'", "X-Api-Key looks like a secret"),
        (SMS + "[channel.sms.headers]\n'X Y' = 'z'", "names of HTTP headers"),
        (SMS + "[channel.sms.headers]\nX-To = '{phone}'", "accepted in headers are"),
        (SMS + 'id = "{password}"', "ask for {password}"),
        (SMS.replace("token_file", "ca_file = 'no'\ntoken_file"), "there is no file"),
        (SMS.replace("token_file", "username = 'a'\ntoken_file"), "with password_file"),
        (SMS.replace("url =", 'method = "GET"\nurl ='), 'accepted is "query" with the method GET'),
        (QUERY + "[channel.sms.body.more]\na = 'b'", "a form and a query take texts"),
        (SMS.replace("url =", "taken = {}\nurl ="), "a table of status, path"),
        (SMS.replace("url =", "taken = { equals = 1 }\nurl ="), "path with equals"),
        (SMS.replace("url =", "taken = { status = 99 }\nurl ="), "numbers from 100 to 599"),
        (SMS.replace("url =", "closed = [{ matches = '(' }]\nurl ="), "a regular expression"),
        (
            SMS.replace("url =", "closed = [{ matches = '(a+)+$' }]\nurl ="),
            "at most 2 repeats, of no group",
        ),
        (SMS.replace("url =", "closed = [{ matches = 'a*a*a*b' }]\nurl ="), "at most 2 repeats"),
        (SMS.replace("url =", "again = { status = 500 }\nurl ="), "a list of up to"),
        (SMS.replace("url =", "ref = 'a..b'\nurl ="), "a path of names"),
        (MAIL + "security = 'none'", "accepted is starttls or tls"),
        (MAIL + "username = 'a'", "username and password_file together"),
        (MAIL.replace("a@example.vn", "a@b\\r\\nBcc: x@y"), "an e-mail address"),
        (MAIL + 'from_name = "a\\nb"', "a name of up to 100"),
        (ZALO.replace("salt", "slat"), "did you mean 'salt'"),
        (ZALO.replace("12", "'mười'"), "salt: accepted is the number of a template"),
        (ZALO.replace("access_token", "refresh_token"), "app_secret_file and refresh_token_file"),
        (ZALO.replace('access_token_file = "secret"', ""), "accepted is one, with app_id"),
        (TELE.replace('"bot"', '"secret"'), "a bot's token"),
        (TELE + "url = 'http://api.example.org'", "accepted is https://"),
        (NTFY.replace('"target"', '"secret"'), "a URL of apprise"),
        (PUSH.replace("mailto:", "tel:"), "mailto:… or https://…"),
        (PUSH + "hosts = ['https://a.example']", "accepted is a list of hosts"),
        (OWN.replace('"secret"', '"short"'), "a secret of 16 to 1000"),
        (OWN.replace('secret_file = "secret"', ""), "channel.o.secret_file = None: a channel"),
    ],
)
def test_a_wrong_channel_says_what_is_accepted(folder: Path, text: str, said: str) -> None:
    found = faults(folder, text)
    assert any(said in fault for fault in found), found
    assert not any("k3y" in fault or SECRET in fault for fault in found)


def test_of_a_channel_without_a_kind_the_kind_alone_is_told(folder: Path) -> None:
    found = faults(folder, "[channel.a]\npath = 'x'\n", A__TIMEOUT_S="3")
    assert len(found) == 1


def test_an_unknown_variable_of_a_channel_is_told(folder: Path) -> None:
    (found,) = faults(folder, FILE, F__PAHT="x")
    assert "did you mean 'SONGTIEN_CHANNEL__F__PATH'" in found


def test_what_is_told_over_zalo_can_have_a_template() -> None:
    assert {each.value for each in Kind} <= set(TEMPLATE_KINDS)


def documented() -> dict[str, set[str]]:
    """The keys by the heading under which the document has them."""
    section = DOCUMENT.read_text("utf-8").split("\n## Channels\n")[1].split("\n## ")[0]
    found: dict[str, set[str]] = {}
    for part in section.split("\n### "):
        heading = part.partition("\n")[0].strip("` ")
        found[heading] = set(re.findall(r"^\| `channel\.NAME\.([a-z_]+)` \|", part, re.MULTILINE))
    return found


def test_the_documentation_explains_every_key_of_every_kind() -> None:
    told = documented()
    common = set(common_names())
    assert common <= set().union(*told.values())
    for kind in KINDS:
        own: set[Any] = {key.name for key in channel_keys("name", kind)} - common
        assert told[kind] == own, kind
