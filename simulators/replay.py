"""A recording as messages: batched, moved in time, in the order in which they are due."""

import heapq
from collections.abc import Iterator
from enum import StrEnum

import numpy as np

from ingest.payload import SAMPLES_MAX
from ingest.reading import FloatArray, rounded
from simulators.mapping import Lane
from simulators.message import Message, Sender
from simulators.recorded import Recorded, Track


class Rebase(StrEnum):
    """What becomes of recorded times: `none` keeps them, `now` moves them to the present."""

    NONE = "none"
    NOW = "now"


def rebase_shift_ms(rebase: Rebase, first_ms: int, last_ms: int, speed: float, now_ms: int) -> int:
    """How far to move a recording in time.

    With `now` its last sample comes to lie at now when it is played faster than it was
    recorded, so that nothing lies in the future; else its first one does.
    """
    if rebase is Rebase.NONE:
        return 0
    return now_ms - (last_ms if speed > 1.0 else first_ms)


def span_ms(recorded: Recorded) -> tuple[int, int] | None:
    """The first and the last time of all samples, or None where there is none.

    The time of a camera's sample is the end of its interval.
    """
    tracks = [track for track in recorded.tracks if len(track.t_ms)]
    if not tracks:
        return None
    first = min(int(track.t_ms[0]) + track.target.interval_ms for track in tracks)
    return first, max(int(track.t_ms[-1]) + track.target.interval_ms for track in tracks)


def messages(
    recorded: Recorded,
    *,
    root: str,
    shift_ms: int,
    batch: int,
    boot: int,
    sim: bool = False,
) -> Iterator[Message]:
    """Messages of all devices by the time of their last sample, moved by `shift_ms`.

    batch : rows in a message, 1 to 500; a message never holds more than 500 samples or 64 KiB
    """
    if not 1 <= batch <= SAMPLES_MAX:
        raise ValueError(f"batch = {batch}: accepted is 1 to {SAMPLES_MAX}")
    lines = [
        _track_messages(
            track,
            Sender(
                root,
                track.target.kind,
                track.target.station,
                track.target.device,
                boot=boot,
                sim=sim,
            ),
            shift_ms,
            batch,
        )
        for track in recorded.tracks
    ]
    return heapq.merge(*lines, key=lambda message: message.publish_ms)


def _track_messages(track: Track, sender: Sender, shift_ms: int, batch: int) -> Iterator[Message]:
    ends = (track.t_ms + track.target.interval_ms + shift_ms).tolist()
    for start in range(0, len(ends), batch):
        stop = min(start + batch, len(ends))
        rows = _probe_rows if track.target.kind == "salinity" else _camera_rows
        yield from sender.obs(ends[stop - 1], rows(track, start, stop, shift_ms))


def _probe_rows(track: Track, start: int, stop: int, shift_ms: int) -> Iterator[dict[str, object]]:
    times = (track.t_ms[start:stop] + shift_ms).tolist()
    columns = _lists(track, start, stop)
    for row, t_ms in enumerate(times):
        sample: dict[str, object] = {"t": t_ms}
        for name, values in columns.items():
            if values[row] is not None:
                sample[name] = values[row]
        yield sample


def _camera_rows(track: Track, start: int, stop: int, shift_ms: int) -> Iterator[dict[str, object]]:
    times = (track.t_ms[start:stop] + shift_ms).tolist()
    columns = _lists(track, start, stop)
    interval_ms = track.target.interval_ms
    for row, t0_ms in enumerate(times):
        for number, lane in enumerate(track.target.lanes):
            seen = _lane_row(lane, number, columns, row)
            if seen:
                yield {
                    "t0": t0_ms,
                    "t1": t0_ms + interval_ms,
                    "lane": lane.lane,
                    "dir": lane.direction,
                    **seen,
                }


def _lane_row(
    lane: Lane, number: int, columns: dict[str, list[float | None]], row: int
) -> dict[str, object]:
    seen: dict[str, object] = {}
    # Counts are whole: what was corrected for a camera's pauses is rounded to the nearest.
    count = {
        name: round(value)
        for name in lane.count
        if (value := columns[f"{number}/count/{name}"][row]) is not None
    }
    if count:
        seen["count"] = count
    for name in lane.fields:
        value = columns[f"{number}/{name}"][row]
        if value is not None:
            seen[name] = value
    return seen


def _lists(track: Track, start: int, stop: int) -> dict[str, list[float | None]]:
    """The rows of each column, rounded to 1e-4, None where absent."""
    return {name: _list(values[start:stop]) for name, values in track.columns.items()}


def _list(values: FloatArray) -> list[float | None]:
    absent = np.isnan(values).tolist()
    listed = rounded(values).tolist()
    return [None if gone else value for gone, value in zip(absent, listed, strict=True)]
