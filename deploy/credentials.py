#!/usr/bin/env python3
"""Make the secrets of docker-compose.yml: Python 3.8 or newer, and nothing else.

    python3 deploy/credentials.py                    what is missing; nothing is ever replaced
    python3 deploy/credentials.py demo               also the simulated river's password
    python3 deploy/credentials.py device NAME...     a new password for each device or gateway,
                                                 printed once; the broker keeps its hash
    python3 deploy/credentials.py remove NAME...     they can't sign in any more

The broker reads its users again on `docker compose kill -s HUP mosquitto`.

The directory can be entered by its owner alone, and the files in it be read by anyone who is
in: a container has its own users, and sees just the files that are mounted into it.
"""

import base64
import hashlib
import re
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent / "secrets"
USERS = "mqtt_users"
WRITTEN_BY_INFLUXDB = ("influxdb_token", "grafana_influxdb_token")
OWN_NAMES = ("songtien", "health", "simulator")
# mosquitto's own number. More would not help a password of 192 random bits, and the broker,
# which is one thread, would take milliseconds for each of a thousand devices that come back.
ITERATIONS = 101


def main(words: "list[str]") -> int:
    """Do what the words say; 2 where they say nothing that is known."""
    if not words or words == ["demo"]:
        prepare(demo=bool(words))
        print(f"{HERE}: all secrets are there")
        return 0
    names = words[1:]
    known = words[0] in ("device", "remove") and names
    if not known or not all(re.fullmatch(r"[a-z0-9-]{1,40}", name) for name in names):
        print(__doc__, file=sys.stderr)
        return 2
    for name in sorted(set(names) & set(OWN_NAMES)):
        print(f"{name}: this name is taken by a part of the deployment", file=sys.stderr)
        return 2
    prepare(demo=False)
    if words[0] == "device":
        for name in names:
            print(name, new_user(name), sep="\t")
    else:
        write_users({user: line for user, line in users().items() if user not in names})
    return 0


def prepare(*, demo: bool) -> None:
    """Make what is missing."""
    HERE.mkdir(parents=True, exist_ok=True)
    HERE.chmod(0o700)
    for name in WRITTEN_BY_INFLUXDB:
        if not (HERE / name).exists():
            write(name, "")
        (HERE / name).chmod(0o666)
    for name in ("influxdb_admin_password", "influxdb_admin_token", "grafana_admin_password"):
        if not (HERE / name).exists():
            write(name, secrets.token_urlsafe(32) + "\n")
    if not (HERE / USERS).exists():
        write(USERS, "")
    for user in ("songtien", "simulator") if demo else ("songtien",):
        if not (HERE / f"mqtt_{user}").exists() or user not in users():
            write(f"mqtt_{user}", new_user(user) + "\n")
    if not (HERE / "mqtt_health").exists() or "health" not in users():
        password = new_user("health")
        write("mqtt_health", f"-u health\n-P {password}\n")


def new_user(name: str) -> str:
    """Give a user a new password in the broker's file; the password."""
    # No `-` in front: mosquitto's clients would take it for an option.
    password = "p" + secrets.token_urlsafe(24)
    write_users({**users(), name: f"{name}:{hashed(password)}"})
    return password


def hashed(password: str, salt: "bytes | None" = None) -> str:
    """As mosquitto 2 keeps it: $7$iterations$salt$PBKDF2-SHA512."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${ITERATIONS}$" + "$".join(parts)


def users() -> "dict[str, str]":
    """The lines of the broker's file by user."""
    lines = (HERE / USERS).read_text("utf-8").splitlines()
    return {line.partition(":")[0]: line for line in lines if line}


def write_users(lines: "dict[str, str]") -> None:
    write(USERS, "".join(f"{line}\n" for line in lines.values()))


def write(name: str, text: str) -> None:
    """In place, never by renaming: a container has this very file mounted."""
    path = HERE / name
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
    path.chmod(0o644)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
