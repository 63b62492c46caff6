"""The words of a delivery, by its kind and the form of its channel. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from alerts.farmers import texts
from alerts.farmers.notice import Notice
from alerts.farmers.parcel import Form, Text
from alerts.farmers.person import Person
from alerts.farmers.place import parse_place
from alerts.farmers.texts_leaving import Name
from songtien.telling.delivery import DIGEST, Delivery, Direct

Words = Callable[[Delivery, tuple[Notice, ...], Person, Form, int], Text]
"""(delivery, its notices that still hold, person, form, now_ms) -> what is sent"""

Standing = Callable[[Person], tuple[Notice, ...]]
"""SALT of the spells that go on where somebody follows."""


def typed(page: str) -> str:
    """The address of a page as people type it: a short message has no room for the rest.

    http:// stays: what is read of a bare name is https://.
    """
    return page.removeprefix("https://")


def wording(
    site: str, standing: Standing = lambda _: (), name: Name = lambda intake: intake
) -> Words:
    """What says all that people are told.

    site : the address of the farmers' page as people type it, "" where there is none
    standing : asked when somebody is welcomed
    name : of an intake, as people call it
    """

    def worded(
        delivery: Delivery, notices: tuple[Notice, ...], person: Person, form: Form, now_ms: int
    ) -> Text:
        # Whoever writes has said in which language; else it is the person's.
        lang = str(delivery.said.get("lang", person.lang))
        match delivery.kind:
            case Direct.CODE:
                return texts.code(str(delivery.said["code"]), lang, form)
            case Direct.WELCOME:
                return texts.welcome(person, form, site, standing(person), now_ms)
            case Direct.STOPPED:
                return _stopped(delivery.said, person, name, lang, form)
            case Direct.TRIAL:
                return texts.trial(lang, form, now_ms)
        together = delivery.kind == DIGEST
        return texts.of_notices(
            notices, person, form, site=site, now_ms=now_ms, digest=together and len(notices) > 1
        )

    return worded


def _stopped(said: Mapping[str, Any], person: Person, name: Name, lang: str, form: Form) -> Text:
    """All, one place, or nothing: see `api.people.terms.Direct`."""
    left = [parse_place(each) for each in said.get("left", ())]
    still = (each.place for each in person.follows)
    if left:
        return texts.stopped_at(left, still, name, lang, form)
    if "asked" in said:
        return texts.nothing_stopped(said["asked"], said["side"], still, name, lang, form)
    return texts.stopped(lang, form)
