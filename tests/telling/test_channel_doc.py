"""docs/notifications.md: its examples are accepted, and Zalo's templates are what is sent."""

import re
from pathlib import Path

import pytest

from alerts.farmers.parcel import Form
from alerts.farmers.second_meaning import second_meanings
from songtien.settings import load_settings
from songtien.telling.channels import template
from songtien.telling.channels.keys import KINDS
from songtien.telling.channels.own_values import TEMPLATE_KINDS
from tests.alerts.golden_texts import every

TEXT = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text("utf-8")
TEMPLATES = dict(re.findall(r"^\| `(\w+)` \| (.*`<\w+>`.*) \|$", TEXT, re.MULTILINE))
PARAMETER = re.compile(r"`<(\w+)>`")
ZALO_MAX = 400
"""Characters of a template's text (infobip.com/docs/zalo)."""


def test_every_example_is_a_configuration_and_every_kind_has_one(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    for name in re.findall(r'_file = "([^"]+)"', "".join(blocks)):
        secret = {
            "telegram-token": "123456:AAE-token_of_a_test",
            "ntfy-target": "ntfys://ntfy.example.vn/{topic}",
        }.get(name, "0123456789abcdef")
        (tmp_path / name).write_text(secret)
    (tmp_path / "songtien.toml").write_text("".join(blocks), "utf-8")
    found = load_settings(tmp_path / "songtien.toml", {}).channels
    assert {each.kind for each in found} == set(KINDS)


def test_the_templates_are_of_all_that_is_told() -> None:
    assert set(TEMPLATES) == set(TEMPLATE_KINDS)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_template_has_the_parameters_that_are_sent_and_reads_well(lang: str) -> None:
    for name, said in every(Form.ZALO, lang):
        text = TEMPLATES[said.template]
        assert set(PARAMETER.findall(text)) == set(said.params), name
        whole = PARAMETER.sub(lambda found: said.params[found[1]], text)  # noqa: B023 - at once
        assert len(whole) <= ZALO_MAX, name
        if lang == "vi":
            assert second_meanings(whole) == (), name


def test_every_placeholder_is_explained() -> None:
    section = TEXT.split("### Placeholders")[1].split("\n### ")[0]
    for name in template.PLACEHOLDERS:
        assert f"`{{{name}}}`" in section
