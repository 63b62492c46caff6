"""Everything that farmers are sent, in words. Pure.

A message has one of four forms (`alerts.farmers.parcel.Form`):

- `sms`: without diacritics, one part of 160, never cut within a word; what has no room is left
  out in the order of `alerts.farmers.texts_detail`.
- `sms-unicode`: with diacritics; one part of 70 where figure, crop and limit fit, else two.
- `long`: a title and a body with a link, for mail, chats and push.
- `zalo`: the name of a template and its parameters (`alerts.farmers.texts_zalo`).

Every text is read for a second meaning in the tests, as it is and without diacritics.
"""

from collections.abc import Sequence

from alerts.farmers import texts_notices, texts_service, texts_zalo
from alerts.farmers.notice import Kind, Notice
from alerts.farmers.parcel import Form, Text
from alerts.farmers.person import Person
from alerts.farmers.texts_detail import Detail
from alerts.farmers.texts_fit import PARTS_MAX, clipped, fitted
from alerts.farmers.texts_leaving import nothing_stopped, stopped_at
from alerts.farmers.texts_long import long_bulletin, long_notices
from alerts.farmers.texts_notices import Telling
from alerts.farmers.texts_service import code, stopped, trial, welcome
from alerts.farmers.texts_words import EN, language

__all__ = [
    "Form",
    "Text",
    "bulletin",
    "code",
    "nothing_stopped",
    "of_notices",
    "stopped",
    "stopped_at",
    "trial",
    "welcome",
]


def of_notices(
    notices: Sequence[Notice],
    person: Person,
    form: Form,
    *,
    site: str,
    now_ms: int,
    digest: bool = False,
) -> Text:
    """One message of one or several notices.

    Notices of one kind are said together; of several kinds, or with `digest`, by place.

    site : the address of the page as people type it, "" if it has none
    now_ms : when it is sent; what is not of this day is told with its day

    Raises ValueError without any notice.
    """
    if not notices:
        raise ValueError("a message needs a notice")
    to = Telling(person, language(person.lang), site, now_ms)
    kinds = {each.kind for each in notices}
    if kinds == {Kind.BULLETIN} and len({each.event for each in notices}) == 1:
        return _bulletin(notices[0], to, form)
    together = digest or len(kinds) > 1 or Kind.BULLETIN in kinds
    kind = None if together else next(iter(kinds))
    if form is Form.ZALO:
        return texts_zalo.of_notices(kind, notices, to)
    if form is Form.LONG:
        return long_notices(kind, notices, to)

    def say(detail: Detail) -> str:
        if kind is None:
            return texts_notices.digest(notices, to, detail)
        return texts_notices.of_kind(kind, notices, to, detail)

    if to.lang == EN and form is Form.SMS_UNICODE:
        # English has no diacritics to lose but those of names, and says far more in 160.
        form = Form.SMS
    return fitted(say, form, PARTS_MAX if kind is None else 2)


def bulletin(notice: Notice, lang: str, form: Form, *, site: str, now_ms: int) -> Text:
    """A bulletin as those who follow it would be sent it, for the officers who look at it."""
    nobody = Person(0, "", "", lang, "")
    return of_notices([notice], nobody, form, site=site, now_ms=now_ms)


def _bulletin(notice: Notice, to: Telling, form: Form) -> Text:
    if form is Form.ZALO:
        return texts_zalo.bulletin(notice, to)
    if form is Form.LONG:
        return long_bulletin(notice, to)
    heading, text = texts_notices.bulletin(notice, to)
    return clipped(heading, text, texts_service.see(to.site, to.lang), form)
