"""What officers send: the bodies of POST, for validation and for the OpenAPI document.

Fields that are not known are refused, so that nobody is told that his `untill` was taken.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from alerts.entries import WORDS_MAX

When = Annotated[
    int | Annotated[str, Field(max_length=64)],
    Field(description="RFC 3339 with its offset, or epoch ms"),
]
Ver = Annotated[int, Field(ge=0, le=2**53)]
Note = Annotated[
    str, Field(max_length=2000, description="for the colleagues; operators alone see it")
]
Reason = Annotated[
    str, Field(min_length=1, max_length=WORDS_MAX, description="everybody may see it")
]
Words = Annotated[str, Field(min_length=1, max_length=WORDS_MAX)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AckBody(Body):
    """Acknowledging an alert, or taking it off the shelf."""

    ver: Ver = Field(description="the `ver` of the alert that you looked at")
    note: Note = ""


class NoteBody(Body):
    """Words for the colleagues."""

    ver: Ver = Field(description="the `ver` of the alert that you looked at")
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class ShelveBody(Body):
    """Shelving an alert."""

    ver: Ver = Field(description="the `ver` of the alert that you looked at")
    until: When = Field(description="when it comes back: a minute to seven days ahead")
    reason: Reason


class WindowBody(Body):
    """A maintenance window of a station."""

    station: Annotated[str, Field(max_length=80)]
    from_: When | None = Field(None, alias="from", description="from now on where it is left out")
    to: When
    reason: Reason
    note: Note = ""


class ModeBody(Body):
    """How the police let a bridge be used."""

    ver: Ver = Field(description="the `ver` of the bridge's modes that you looked at; 0: none yet")
    mode: Literal["two-way", "one-way", "closed", "xa-tram"]
    direction: Annotated[str, Field(max_length=80)] | None = Field(
        None, description="all directions where it is left out"
    )
    until: When | None = Field(None, description="needed by all modes but two-way")
    reason: Annotated[str, Field(max_length=WORDS_MAX)] = Field(
        "", description="needed by all modes but two-way; everybody may see it"
    )
    note: Note = ""


class BulletinBody(Body):
    """An official disaster-risk level, with the bulletin that says so."""

    ver: Ver = Field(description="the `ver` of the level that you looked at; 0: none yet")
    branch: Annotated[str, Field(max_length=80)] | None = Field(
        None, description="id of a reach; the whole region where it is left out"
    )
    level: Annotated[int, Field(ge=1, le=5)] | None = Field(
        description="null: the bulletin ends the level"
    )
    region: Words
    bulletin: Words = Field(description="its number")
    title: Words
    issued: When
    valid_until: When
    source: Words = Field(description="who issued it")
    note: Note = ""


class IntakeBody(Body):
    """Whether water is taken at an intake."""

    ver: Ver = Field(description="the `ver` of the intake that you looked at; 0: nobody has said")
    taking: bool
    gate: Literal["open", "closed"] | None = None
    note: Note = ""


class SignInBody(Body):
    """Signing in."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class OfficerBody(Body):
    """An officer to be added."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    role: Literal["viewer", "operator", "admin"]
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class PasswordBody(Body):
    """Another password."""

    password: Annotated[str, Field(min_length=1, max_length=1000)]


class OwnPasswordBody(Body):
    """Another password for oneself."""

    old: Annotated[str, Field(min_length=1, max_length=1000)]
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class RoleBody(Body):
    """Another role."""

    role: Literal["viewer", "operator", "admin"]


class CheckBody(Body):
    """What a crew measured by hand beside a probe, and what it did to it afterwards."""

    station: Annotated[str, Field(max_length=80)]
    t: When = Field(description="when it was measured: up to 31 days ago")
    depth: Literal["surface", "bottom"] = "surface"
    salinity_g_l: Annotated[float, Field(ge=0, le=45)] | None = None
    conductivity_ms_cm: Annotated[float, Field(ge=0, le=80)] | None = Field(
        None, description="at the water's temperature"
    )
    conductivity_25_ms_cm: Annotated[float, Field(ge=0, le=80)] | None = Field(
        None, description="as a meter shows it that compensates to 25 °C"
    )
    temperature_c: Annotated[float, Field(ge=0, le=45)] | None = None
    level_m: Annotated[float, Field(ge=-10, le=20)] | None = Field(
        None, description="by the staff gauge, in its own zero"
    )
    cleaned: bool = Field(False, description="the probe, after it was measured")
    calibrated: bool = Field(False, description="the probe, after it was measured")
    crew: Annotated[str, Field(max_length=80)] = Field(
        "", description="whose visit it was; operators alone see it"
    )
    replaces: Annotated[str, Field(pattern=r"^c[0-9]{1,15}$")] | None = Field(
        None, description="id of the check that this one corrects; without values it takes it back"
    )
    note: Note = ""
