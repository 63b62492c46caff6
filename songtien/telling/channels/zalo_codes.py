"""What Zalo's codes of errors mean for a message. Pure.

0 to -112 by zalo.cloud/zns/guidelines/handle-error-code; the others are numbered as software of
others has them, and could not be tried without an account: unverified. What is not listed is
refused, so that somebody sees its number.
"""

from collections.abc import Mapping
from typing import Final

from alerts.farmers.parcel import Answer, Verdict

TOKEN_INVALID: Final = -124
"""Unverified."""

HOUR_S: Final = 3_600.0

_AGAIN, _CLOSED, _GONE = Verdict.AGAIN, Verdict.CLOSED, Verdict.GONE

CODES: Final[Mapping[int, tuple[Verdict, str]]] = {
    -100: (_AGAIN, "an unknown error at Zalo"),
    -101: (_CLOSED, "the app is invalid"),
    -102: (_CLOSED, "the app does not exist"),
    -103: (_CLOSED, "the app is not activated"),
    -104: (_CLOSED, "the app's secret is invalid"),
    -105: (_CLOSED, "the app is linked to no official account"),
    -106: (_CLOSED, "the method is not supported"),
    # From here on unverified.
    -115: (_CLOSED, "out of quota, or out of money"),
    -118: (_GONE, "no such account at Zalo"),
    -120: (_CLOSED, "the official account may not do this"),
    TOKEN_INVALID: (_CLOSED, "the access token is invalid"),
    -125: (_CLOSED, "the official account's number is invalid"),
    -126: (_CLOSED, "out of money"),
    -133: (_AGAIN, "not taken at night"),
    -135: (_CLOSED, "the official account may not send"),
    -136: (_CLOSED, "no account pays for this"),
    -137: (_CLOSED, "paying failed"),
    -138: (_CLOSED, "the app may not send"),
    -141: (_GONE, "takes nothing from this official account"),
    -144: (_AGAIN, "the quota of the day is used up"),
    -147: (_AGAIN, "the template's quota of the day is used up"),
}

_LATER: Final = frozenset({-133, -144, -147})


def of_code(code: int) -> Answer:
    """What a code other than 0 means."""
    verdict, words = CODES.get(code, (Verdict.REFUSED, "see Zalo's list of codes"))
    return Answer(verdict, f"error {code}: {words}", "", HOUR_S if code in _LATER else None)
