"""What the engine says: that a rule now holds for a series, or no longer does."""

from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    RAISED = "raised"
    CLEARED = "cleared"


class Cause(StrEnum):
    """Why a transition came about: evidence for whoever asks later."""

    LEVEL = "level"
    """Samples proved it: they held beyond the level for the time that the rule asks."""
    NO_DATA = "no_data"
    NEVER_SEEN = "never_seen"
    DATA_BACK = "data_back"
    WITHDRAWN = "withdrawn"
    """The rule, or the series, left the configuration: nobody watches any more."""
    MEASURED = "measured"
    """It was raised by simulated samples, and now a real one has come."""


# Not frozen, since a frozen one takes ten times as long to make, and a step may make thousands;
# nobody changes one for all that.
@dataclass(slots=True, unsafe_hash=True)
class Transition:
    """One change of one (rule, series), with what proved it.

    t_since_ms : the first sample of the run that completed the hold; for no data the last
        observed time, for never seen the time of registration
    t_event_ms : the sample that completed the hold; for no data the due time
    at_ms : the due time where a clock decided, else -1: the caller's clock
    value : what was compared (g/L, or g/L/h for a rise), None where there was none
    limit : the level that was passed, in the unit of `value`; seconds for no data
    flag, why : of the completing sample (see `ingest.reading`); MISSING for no data
    worst_flag : SUSPECT if any sample of the hold was suspect
    samples : how many samples the hold was proved by
    first_value : `value` at `t_since_ms`
    reading : the sample's own value; differs from `value` for what is computed from several;
        None for a share of a group
    ordinal : how many evaluations its series had seen at the completing sample, counted from
        1; of a rule over several series how many instants. -1 where a clock decided
    other : the series that the value is a difference from, -1 where there is none
    members : the series of a group that were beyond the level (when raised), or were not
        proved calm (when cleared), by rising number
    """

    kind: Change
    rule: str
    series: int
    t_since_ms: int
    t_event_ms: int
    value: float | None
    flag: int
    limit: float | None
    at_ms: int
    cause: Cause
    worst_flag: int
    why: int
    samples: int
    first_value: float | None
    reading: float | None
    ordinal: int = -1
    other: int = -1
    members: tuple[int, ...] = ()
