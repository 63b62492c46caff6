"""Who asks, and what they may do. Knows neither files nor doors."""

import unicodedata
from dataclasses import dataclass, field
from typing import Final

ROLES: Final = ("viewer", "operator", "admin")
"""From least to most; each role may do all that the ones before it may."""

NAME_LENGTH_MAX: Final = 80


class AuthError(ValueError):
    """A name, role, password or lifetime that isn't accepted; the message says what is."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name` is empty for somebody who has not said who they are.

    credential : what was shown, as `Doorkeeper.ended` knows it ("session 5f…", "token 1a…");
        no secret. Two principals are the same person whatever they have shown.
    """

    name: str
    role: str
    credential: str = field(default="", compare=False, repr=False)

    @property
    def anonymous(self) -> bool:
        return not self.name

    def may(self, role: str) -> bool:
        """Whether this principal has at least `role`."""
        return ROLES.index(self.role) >= ROLES.index(role)


ANONYMOUS: Final = Principal("", "viewer")


def normal(text: str) -> str:
    """NFC: the same word typed on a phone and on a desk has the same letters but, with
    Vietnamese input methods, not always the same code points.
    """
    return unicodedata.normalize("NFC", text)


def as_kept(name: str) -> str:
    """A name as it is kept, however it was typed: one officer has one name everywhere."""
    return normal(name).strip()


def checked_name(name: str) -> str:
    """The name as it is kept. Raises AuthError."""
    name = as_kept(name)
    if not 1 <= len(name) <= NAME_LENGTH_MAX or not name.isprintable():
        raise AuthError(f"name = {name!r}: 1 to {NAME_LENGTH_MAX} printable characters")
    return name


def check_role(role: str) -> None:
    """Raises AuthError for a role that there isn't."""
    if role not in ROLES:
        raise AuthError(f"role = {role!r}: one of {', '.join(ROLES)}")
