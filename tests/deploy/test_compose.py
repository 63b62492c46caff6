"""docker-compose.yml without an engine: its grammar, and that all it names is there."""

import os
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from songtien import http_server, service
from songtien.accepted import url_parts
from songtien.setting_keys import KEYS
from songtien.settings import load_settings
from tests.deploy.copied import ROOT, compose, copied, credentials

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
TOML = ROOT / "deploy/songtien/songtien.toml"
SETTINGS = {key.path for key in KEYS}
VARIABLES = {key.variable for key in KEYS}
WITH_TLS = ["-f", "docker-compose.yml", "-f", "deploy/tls.yml"]

PUBLISHED = {
    "mosquitto": ["${PUBLISH_MQTT:-127.0.0.1}:1883:1883"],
    "songtien": ["${PUBLISH_HTTP:-127.0.0.1}:8080:8080", "${PUBLISH_HTTP:-127.0.0.1}:8081:8081"],
    "grafana": ["${PUBLISH_GRAFANA:-127.0.0.1}:3000:3000"],
}

WITHOUT_HEALTHCHECK = {"simulators": "nothing listens in it; when it ends, it is started again"}


def _config(where: Path, *words: str) -> str:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed: apt-get install docker-compose")
    bare = {name: text for name, text in os.environ.items() if not name.startswith("PUBLISH_")}
    done = subprocess.run(
        [program, *words], cwd=where, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # What is ignored or doubtful is told there, and nothing is.
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("files", [[], WITH_TLS], ids=["plain", "tls"])
@pytest.mark.parametrize("profiles", [[], ["demo"], ["grafana"], ["demo", "grafana"]])
def test_docker_compose_takes_it(files: list[str], profiles: list[str], tmp_path: Path) -> None:
    where = copied(tmp_path / "copy", "demo")
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    _config(where, *files, *chosen, "config", "-q")


def test_without_a_profile_there_are_three(tmp_path: Path) -> None:
    started = {name for name, said in SERVICES.items() if "profiles" not in said}
    assert started == {"mosquitto", "influxdb", "songtien"}
    assert SERVICES["simulators"]["profiles"] == ["demo"]
    assert SERVICES["grafana"]["profiles"] == ["grafana"]
    resolved = yaml.safe_load(_config(copied(tmp_path / "copy"), *WITH_TLS, "config"))
    broker = resolved["services"]["mosquitto"]
    assert sorted(broker["ports"]) == ["0.0.0.0:8883:8883/tcp", "127.0.0.1:1883:1883/tcp"]
    # The second file has put its configuration in the place of the first, not beside it.
    mounted = [each for each in broker["volumes"] if "/mosquitto/config/" in each]
    assert len(mounted) == 1
    assert "compose-tls.conf:" in mounted[0]


# What is named exists.


def test_every_setting_that_is_named_is_one_of_the_service() -> None:
    texts = [ROOT / "docker-compose.yml", ROOT / "Dockerfile", ROOT / "docs/deployment.md"]
    texts += [path for path in (ROOT / "deploy").rglob("*") if path.suffix in (".yml", ".sh")]
    named = {
        name for path in texts for name in re.findall(r"SONGTIEN_\w+", path.read_text("utf-8"))
    }
    assert named
    assert named <= VARIABLES
    sections = tomllib.loads(TOML.read_text("utf-8"))
    found = {f"{section}.{key}" for section, table in sections.items() for key in table}
    assert {"mqtt.url", "mqtt.password_file", "store.url", "store.token_file"} <= found
    assert found <= SETTINGS


def test_the_service_takes_its_configuration(tmp_path: Path) -> None:
    where = copied(tmp_path / "copy")
    (where / "deploy/secrets/influxdb_token").write_text("a-token\n")
    file = where / "deploy/songtien/songtien.toml"
    secrets = str(where / "deploy/secrets")
    file.write_text(file.read_text().replace("/run/secrets", secrets), "utf-8")
    settings = load_settings(file, {"SONGTIEN_DATA__DIR": str(tmp_path / "data")})
    assert settings.mqtt.username == "songtien"
    kept = (where / "deploy/secrets/mqtt_songtien").read_text().strip()
    assert settings.mqtt.password == kept
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 8080)
    assert (settings.live.host, settings.live.port) == ("0.0.0.0", 8081)


def test_addresses_are_those_of_the_other_services() -> None:
    said = tomllib.loads(TOML.read_text("utf-8"))
    own = set(SERVICES["songtien"]["networks"])
    broker, historian = url_parts(said["mqtt"]["url"]), url_parts(said["store"]["url"])
    assert broker is not None
    assert historian is not None
    for parts in (broker, historian):
        assert parts.hostname is not None
        assert own & set(SERVICES[parts.hostname]["networks"])
    environment = SERVICES["influxdb"]["environment"]
    assert historian.path == "/" + environment["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert historian.query == "org=" + environment["DOCKER_INFLUXDB_INIT_ORG"]
    assert f"listener {broker.port}\n" in (ROOT / "mosquitto/compose.conf").read_text()
    for key, place in (("mqtt", "password_file"), ("store", "token_file")):
        secret = Path(said[key][place])
        assert str(secret.parent) == "/run/secrets"
        assert secret.name in SERVICES["songtien"]["secrets"]
    assert f"{said['data']['dir']}" in {
        volume.split(":")[1] for volume in SERVICES["songtien"]["volumes"]
    }


def _mounts() -> Iterator[tuple[str, str]]:
    """(service, path in the repository) of all that is mounted from it."""
    for name, said in SERVICES.items():
        for volume in said.get("volumes", []):
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")[0]
            if source.startswith("."):
                yield name, source


def test_every_file_that_is_mounted_is_there(tmp_path: Path) -> None:
    where = copied(tmp_path / "copy", "demo")
    found = list(_mounts())
    assert len(found) >= 8
    for name, source in found:
        assert (where / source).exists(), (name, source)
    declared = compose()["secrets"]
    for said in declared.values():
        assert (where / said["file"]).is_file(), said
    used = {
        each["source"] if isinstance(each, dict) else each
        for said in SERVICES.values()
        for each in said.get("secrets", [])
    }
    assert used == set(declared)
    volumes = compose()["volumes"]
    named = {
        volume.split(":")[0]
        for said in SERVICES.values()
        for volume in said.get("volumes", [])
        if volume[0] not in ".$"
    }
    assert named == set(volumes)


def test_what_mosquitto_includes_is_mounted() -> None:
    targets = {volume.rsplit(":", 2)[-2] for volume in SERVICES["mosquitto"]["volumes"][:-1]}
    for conf in ("compose.conf", "compose-tls.conf", "access/access.conf"):
        text = (ROOT / "mosquitto" / conf).read_text()
        pattern = r"^(?:include_dir|acl_file|persistence_location) (\S+)$"
        for place in re.findall(pattern, text, re.MULTILINE):
            assert place.rstrip("/") in {*targets, "/mosquitto/data"}, place
    assert "password_file /run/secrets/mqtt_users" in (
        ROOT / "mosquitto/access/access.conf"
    ).read_text("utf-8")


# What it promises.


def test_images_are_pinned() -> None:
    for name, said in SERVICES.items():
        if "build" in said:
            assert said["image"] == "songtien:local"
        else:
            assert re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+", said["image"]), name


def test_nothing_else_is_published_and_all_of_it_to_this_machine_alone() -> None:
    assert {name: said["ports"] for name, said in SERVICES.items() if "ports" in said} == PUBLISHED
    networks = compose()["networks"]
    assert networks["historian"] == {"internal": True}
    assert SERVICES["influxdb"]["networks"] == ["historian"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_may_do_as_little_as_can_be(name: str) -> None:
    said = SERVICES[name]
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert said["security_opt"] == ["no-new-privileges:true"]
    assert said["restart"] == "unless-stopped"
    assert re.fullmatch(r"[1-9]\d*[mg]", said["mem_limit"])
    assert said["pids_limit"] > 0
    assert said["init"] is True
    assert said["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    user = said["user"].split(":")[0]
    assert user.isdigit()
    assert int(user) > 0
    assert "privileged" not in said
    assert not any("docker.sock" in volume for volume in said.get("volumes", []))
    assert all("size=" in each for each in said.get("tmpfs", []))
    health = said["healthcheck"]
    if name in WITHOUT_HEALTHCHECK:
        assert health == {"disable": True}
    else:
        assert health["test"][0] in ("CMD", "CMD-SHELL")
        assert {"interval", "timeout", "retries", "start_period"} <= set(health)


def test_health_is_being_alive_and_not_being_ready() -> None:
    texts = [ROOT / "docker-compose.yml", ROOT / "Dockerfile"]
    assert all("/healthz" in path.read_text() for path in texts)
    assert not any("readyz" in path.read_text() for path in texts)


def test_the_service_has_time_to_write_what_it_holds() -> None:
    grace_s = int(SERVICES["songtien"]["stop_grace_period"].removesuffix("s"))
    # The broker's last word, then the servers; the threads between end with the entry they are at.
    assert grace_s >= 2 * service.CLOSE_WITHIN_S + http_server.CLOSE_WITHIN_S + 30


# Secrets.


def test_no_secret_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "deploy/secrets", "deploy/certs"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout.split() == ["deploy/secrets/.gitignore"]
    assert "*\n" in (ROOT / "deploy/secrets/.gitignore").read_text()
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_secrets_come_from_files_alone() -> None:
    for name, said in SERVICES.items():
        for variable, value in said.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET", variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert value.startswith("/run/secrets/"), (name, variable)
                assert Path(value).name in said["secrets"], (name, variable)
    # The administrator of InfluxDB is nobody's but InfluxDB's.
    holders = {
        name for name, said in SERVICES.items() if "influxdb_admin_token" in said.get("secrets", [])
    }
    assert holders == {"influxdb"}


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    where = copied(tmp_path / "copy")
    secrets = where / "deploy/secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert not (secrets / "mqtt_simulator").exists()
    (secrets / "influxdb_token").write_text("written by InfluxDB\n")
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    again = credentials(where)
    assert again.returncode == 0
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    words = " ".join(before.values())
    assert not any(word in again.stdout for word in words.split() if len(word) > 20)
    # What a container must write, with a user of its own, and what it must read.
    assert stat.S_IMODE((secrets / "influxdb_token").stat().st_mode) == 0o666
    assert stat.S_IMODE((secrets / "mqtt_users").stat().st_mode) == 0o644


def test_a_device_gets_a_password_that_is_shown_once(tmp_path: Path) -> None:
    where = copied(tmp_path / "copy")
    users = where / "deploy/secrets/mqtt_users"
    inode = users.stat().st_ino
    made = credentials(where, "device", "vk-01", "xh-01")
    passwords = dict(line.split("\t") for line in made.stdout.splitlines())
    assert set(passwords) == {"vk-01", "xh-01"}
    assert all(len(password) >= 32 for password in passwords.values())
    text = users.read_text()
    assert not any(password in text for password in passwords.values())
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "songtien",
        "health",
        "vk-01",
        "xh-01",
    ]
    # Mounted as a file, it must stay that file.
    assert users.stat().st_ino == inode
    assert credentials(where, "device", "Vk 01").returncode == 2
    assert credentials(where, "dance").returncode == 2


INFLUX = """#!/bin/sh
# What the command line of InfluxDB answers to `auth create --json`, as far as the script looks.
printf '%s\\n' "$*" >>"$CALLS"
test "$1 $2" = "auth create" || exit 9
case "$*" in
    *--write-bucket*) token=service-token== ;;
    *) token=reader-token== ;;
esac
printf '{\\n\\t"id": "0a1b",\\n\\t"description": "x",\\n\\t"token": "%s",\\n' "${TOKEN-$token}"
printf '\\t"userName": "admin",\\n\\t"permissions": []\\n}\\n'
"""


def _tokens_made(tmp_path: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """deploy/influxdb/tokens.sh beside a stand-in for the command line that the image has."""
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin/influx"
    stand_in.write_text(INFLUX)
    stand_in.chmod(0o755)
    (tmp_path / "tokens").mkdir()
    for name in ("songtien", "grafana"):
        (tmp_path / "tokens" / name).write_text("")
    said = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "TOKENS": str(tmp_path / "tokens"),
        "DOCKER_INFLUXDB_INIT_ORG_ID": "0rg",
        "DOCKER_INFLUXDB_INIT_BUCKET_ID": "b0cket",
    }
    script = ROOT / "deploy/influxdb/tokens.sh"
    return subprocess.run(
        [str(script)], env={**said, **more}, capture_output=True, text=True, check=False
    )


def test_the_tokens_are_for_the_bucket_alone(tmp_path: Path) -> None:
    made = _tokens_made(tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "tokens/songtien").read_text() == "service-token==\n"
    assert (tmp_path / "tokens/grafana").read_text() == "reader-token==\n"
    assert "token==" not in made.stdout + made.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 2
    for call in calls:
        assert "--org-id 0rg" in call
        assert "--operator" not in call
        assert "--all-access" not in call
    assert calls[0].endswith("--read-bucket b0cket --write-bucket b0cket")
    assert calls[1].endswith("--json --read-bucket b0cket")


def test_a_setup_without_a_token_fails_rather_than_goes_on(tmp_path: Path) -> None:
    made = _tokens_made(tmp_path, TOKEN="")
    assert made.returncode != 0
    assert "gave no token" in made.stderr


# The page about it.


def test_commands_in_the_documents_name_what_there_is() -> None:
    profiles = {profile for said in SERVICES.values() for profile in said.get("profiles", [])}
    found = 0
    for path in (ROOT / "docs/deployment.md", ROOT / "README.md", ROOT / "docker-compose.yml"):
        for line in re.findall(r"docker compose ([^`\n]*)", path.read_text("utf-8")):
            found += 1
            assert set(re.findall(r"--profile (\w+)", line)) <= profiles, line
            for file in re.findall(r"-f (\S+)", line):
                assert (ROOT / file).is_file(), line
            for name in re.findall(r"(?:exec|logs|run --rm|restart|-s HUP)(?: -T)? (\w+)", line):
                assert name in SERVICES, line
    assert found > 5
    text = (ROOT / "docs/deployment.md").read_text("utf-8")
    variables = set(re.findall(r"\$\{(\w+):-", (ROOT / "docker-compose.yml").read_text()))
    variables |= set(re.findall(r"\$\{(\w+):-", (ROOT / "deploy/tls.yml").read_text()))
    for name in variables:
        assert f"| `{name}` |" in text, name
