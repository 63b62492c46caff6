"""How the police let a direction of a bridge be used, as an officer has entered it."""

from enum import StrEnum


class Mode(StrEnum):
    """Without one entered, a direction is `TWO_WAY`.

    In one-way working the direction that goes is `ONE_WAY`, its vehicles let on in batches,
    and the other is `CLOSED` until it is its turn. `RELEASE` is xả trạm: the toll station
    stands open, so that more come than it would let through.
    """

    TWO_WAY = "two-way"
    ONE_WAY = "one-way"
    CLOSED = "closed"
    RELEASE = "xa-tram"


WORDS_VI = {
    Mode.TWO_WAY: "hai chiều",
    Mode.ONE_WAY: "một chiều, cho đi từng đợt",
    Mode.CLOSED: "đang đóng chiều này",
    Mode.RELEASE: "xả trạm",
}
WORDS_EN = {
    Mode.TWO_WAY: "both directions open",
    Mode.ONE_WAY: "one way, in batches",
    Mode.CLOSED: "this direction is closed",
    Mode.RELEASE: "toll station open",
}
