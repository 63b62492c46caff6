"""The registry and the rules in force, from their files."""

from pathlib import Path

from alerts.rulesfile import parse_rules
from ingest.faults import ConfigError, Fault
from ingest.journal import Config
from ingest.registry import Registry, parse_registry
from songtien.settings import DEFAULTS, Settings


def text_of(path: Path, key: str) -> str:
    """What is written in a file that somebody named; raises ConfigError that names the key."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        accepted = f"a file that can be read: {error.strerror}"
    except UnicodeDecodeError:
        accepted = "a file in UTF-8"
    raise ConfigError([Fault("options", key, str(path), accepted)])


def registry_of(file: Path | None) -> Registry:
    """The registry in a file, or the one that comes with the program."""
    path = file if file is not None else DEFAULTS / "stations.toml"
    return parse_registry(text_of(path, "--registry"), str(path))


def read_config(settings: Settings) -> Config:
    """The registry and the rules as they stand in their files, checked.

    Raises ConfigError with every fault of both.
    """
    registry_text = text_of(settings.registry_file, "registry.file")
    rules_text = text_of(settings.rules_file, "rules.file")
    registry = parse_registry(registry_text, str(settings.registry_file))
    parse_rules(rules_text, str(settings.rules_file), registry)
    return Config(registry_text, rules_text, settings.ingest.reorder_s)
