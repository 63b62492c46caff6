"""What stands in the documents is so: links lead somewhere, commands exist, nothing is left out."""

import asyncio
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main
from prometheus_client.exposition import generate_latest

from api.http.metrics import registry_of
from api.http.shell import HttpMeters
from api.live import frames, terms
from api.live.frames import Item
from ingest.payload import (
    DeviceState,
    Observations,
    SalinitySample,
    TrafficSample,
    _Envelope,
    decode_obs,
)
from ingest.reading import QUANTITIES, Flag, Why
from ingest.refusal import Reason, fields_of
from songtien.cli import app
from songtien.service import running
from songtien.setting_keys import KEYS, Key
from songtien.settings import load_settings

ROOT = Path(__file__).parents[1]
DEVICES = (ROOT / "docs/contract/devices.md").read_text(encoding="utf-8")
LIVE = (ROOT / "docs/contract/live.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs/contract/cli.md").read_text(encoding="utf-8")
METRICS = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "web/README.md"])

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _anchor(heading: str) -> str:
    """As GitHub makes one of a heading."""
    kept = re.sub(r"[^\w\s-]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    prose = BLOCK.sub("", path.read_text(encoding="utf-8"))
    return {_anchor(line.lstrip("#")) for line in prose.splitlines() if line.startswith("#")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_links_lead_somewhere(document: Path) -> None:
    prose = BLOCK.sub("", document.read_text(encoding="utf-8"))
    for link in ("".join(found) for found in LINK.findall(prose)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), f"{_named(document)} links to {link}"
        if anchor:
            assert anchor in _anchors(target), f"{_named(document)} links to {link}"


def test_images_are_light() -> None:
    images = list((ROOT / "docs/images").iterdir())
    assert images
    assert all(image.stat().st_size < 400_000 for image in images)


def test_every_document_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    links = {"".join(found) for found in LINK.findall(index.read_text(encoding="utf-8"))}
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in links}
    below = {path for path in (ROOT / "docs").rglob("*.md") if path != index}
    records = {path for path in below if path.parent.name == "adr" and path.name != "README.md"}
    assert below - records <= reached
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    for record in records:
        assert f"({record.name})" in listed


# Commands.


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Commands by their whole name; typer may bring a click of its own, hence Any."""
    if not hasattr(group, "commands"):
        yield path, group
        return
    for name, command in group.commands.items():
        yield from _commands(command, f"{path} {name}")


COMMANDS: Mapping[str, Any] = dict(_commands(typer.main.get_command(app), "songtien"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_is_documented(path: str) -> None:
    headings = [line for line in CLI.splitlines() if line.startswith("## ")]
    assert any(f"`{path}" in heading for heading in headings)
    section = CLI.split(f"## `{path}", 1)[1].split("\n## ")[0]
    for parameter in COMMANDS[path].params:
        for option in (opt for opt in parameter.opts if opt.startswith("--") and opt != "--help"):
            assert f"`{option}`" in section, f"{path} {option}"


def _shell_lines() -> Iterator[tuple[Path, list[str]]]:
    for document in DOCUMENTS:
        for language, body in BLOCK.findall(document.read_text(encoding="utf-8")):
            if language == "sh":
                for line in body.replace("\\\n", " ").splitlines():
                    words = shlex.split(line, comments=True)
                    if words and not re.fullmatch(r"\w+=.*", words[0]):
                        yield document, words


def _command_of(words: list[str]) -> str | None:
    said = " ".join(["songtien", *words[1:]])
    return next((path for path in COMMANDS if f"{said} ".startswith(f"{path} ")), None)


def test_commands_in_shell_blocks_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    seen = set()
    for document, words in _shell_lines():
        program = words[0].removeprefix(".venv/bin/")
        seen.add(program)
        where = f"{_named(document)}: {shlex.join(words)}"
        if program == "make":
            assert words[1] in targets, where
        elif program == "songtien":
            path = _command_of(words)
            assert path is not None, where
            known = {opt for parameter in COMMANDS[path].params for opt in parameter.opts}
            given = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert given <= known, where
        else:
            assert program in {"curl", "mosquitto", "mosquitto_pub"}, where
    assert {"make", "songtien", "mosquitto", "mosquitto_pub", "curl"} <= seen


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_commands_in_the_text_exist(document: Path) -> None:
    prose = BLOCK.sub("", document.read_text(encoding="utf-8"))
    for said in re.findall(r"`(?:\.venv/bin/)?(songtien [a-z][^`]*)`", prose):
        assert _command_of(said.split()) is not None, f"{_named(document)}: {said}"


# What devices may rely on.


@pytest.mark.parametrize(
    ("struct", "heading"),
    [
        (SalinitySample, "### A salinity sample"),
        (TrafficSample, "### A traffic sample"),
        (_Envelope, "## `obs`: samples"),
        (DeviceState, "## `state`: the link"),
    ],
)
def test_every_field_of_a_payload_is_documented_with_what_is_accepted(
    struct: type[msgspec.Struct], heading: str
) -> None:
    section = re.split(r"\n##", DEVICES.split(heading)[1])[0]
    rows = {row.split("|")[1].strip(" `"): row for row in section.splitlines() if "| `" in row}
    for name, said in fields_of(struct).items():
        needed, accepted = rows[name].split("|")[2:4]
        assert (needed.strip() == "yes") == said.required, name
        for number in re.findall(r"-?\d+", said.accepted.partition(", {")[0]):
            assert number in accepted or "the same" in accepted, (name, number)


def test_the_example_payloads_are_taken() -> None:
    examples = [body for language, body in BLOCK.findall(DEVICES) if language == "json"]
    observed = [body for body in examples if '"samples"' in body]
    assert len(observed) == 2
    for body in observed:
        kind = "traffic" if '"lane"' in body else "salinity"
        found = decode_obs(body.strip().encode(), kind)
        assert isinstance(found, Observations)
        assert all(isinstance(sample, SalinitySample | TrafficSample) for sample in found.samples)


def test_the_readings_in_the_readme_are_taken() -> None:
    published = [words for _, words in _shell_lines() if words[0] == "mosquitto_pub"]
    assert len(published) == 2
    for words in published:
        payload = words[words.index("-m") + 1].replace("$t", "1767000000000")
        found = decode_obs(payload.encode(), "salinity")
        assert isinstance(found, Observations)
        assert isinstance(found.samples[0], SalinitySample)


def test_every_word_of_a_reading_is_documented() -> None:
    for quantity in QUANTITIES.values():
        assert f"| `{quantity.name}` | {quantity.unit} | {quantity.kind} |" in DEVICES
    for reason in Reason:
        assert f"| `{reason}` |" in DEVICES
    for why in Why:
        assert f"| {why.value} | `{why.name}` |" in DEVICES
    for flag in Flag:
        assert f"| {flag.value} | {flag.name.lower().replace('_', ' ')}" in DEVICES


# The live socket.


def test_every_frame_is_documented() -> None:
    rows = [line for line in LIVE.splitlines() if line.startswith("| `")]
    for frame in (*frames.ClientFrame.__args__, *frames.ServerFrame.__args__):
        config = frame.__struct_config__
        row = next(r for r in rows if f"`{config.tag}`" in r.split("|")[1])
        for name in frame.__struct_encode_fields__:
            assert f"`{name}`" in row, f"{config.tag}: {name}"
    items = LIVE.split("## Channel `state`")[1].split("\n## ")[0]
    for name in Item.__struct_fields__:
        assert f"`{name}`" in items


def test_every_close_code_and_limit_is_documented() -> None:
    codes = LIVE.split("## Close codes")[1]
    found = [v for v in vars(terms).values() if isinstance(v, int) and 4000 <= v < 4500]
    assert len(found) == 7
    for code in found:
        assert f"| {code} |" in codes
    limits = terms.Limits()
    for number in (
        *(limits.auth_s, limits.ping_s, limits.pong_s, limits.subs, limits.min_hz, limits.max_hz),
        *(limits.window_bytes, limits.alerts_behind, limits.calls, limits.burst, limits.per_s),
    ):
        assert re.search(rf"\b{re.escape(f'{number:,}')}\b", LIVE), number


# Configuration and metrics.


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_setting_is_documented(key: Key) -> None:
    assert f"| `{key.path}` |" in CONFIGURATION


async def _metrics(directory: Path) -> set[str]:
    nobody = "influxdb://127.0.0.1:1/none?org=-"
    said = {"DATA__DIR": str(directory), "STORE__URL": nobody, "HTTP__PORT": "0", "LIVE__PORT": "0"}
    settings = load_settings(None, {f"SONGTIEN_{name}": value for name, value in said.items()})
    async with running(settings) as service:
        registry = registry_of(service.health.accounting)
        HttpMeters(registry)
        text = generate_latest(registry).decode()
    found = re.findall(r"^# TYPE (songtien_\w+) ", text, re.MULTILINE)
    return {name for name in found if not name.endswith("_created")}


def test_metrics_and_their_document_are_the_same(tmp_path: Path) -> None:
    table = re.findall(r"^\| (`songtien_.*?) \|", METRICS, re.MULTILINE)
    documented = {name for row in table for name in re.findall(r"`(\w+)`", row)}
    assert documented == asyncio.run(_metrics(tmp_path))
