"""The bridges as people see them, as plain dictionaries for HTTP."""

from collections.abc import Mapping
from typing import Any

from alerts.bridge import words
from alerts.bridge.camera import LATE_UNITS, LOST_UNITS, Camera
from alerts.bridge.direction import Direction, Figure, Told
from alerts.bridge.modes import WORDS_EN, WORDS_VI, Mode
from ingest.bridges import DAY_MS, LOCAL_MS, Crossing, TruckBan
from ingest.probes import round_one
from ingest.registry import Registry


def of_bridges(
    registry: Registry,
    directions: Mapping[tuple[str, str], Direction],
    now_ms: int,
    modes: Mapping[tuple[str, str], Mode],
) -> dict[str, Any]:
    """`{"bridges": [{"id", "name", "directions": [...]}]}`, in the order of the registry."""
    bridges: dict[str, dict[str, Any]] = {}
    for (station, name), direction in directions.items():
        place = registry.stations[station]
        bridge = bridges.setdefault(station, {"id": station, "name": place.name, "directions": []})
        mode = modes.get((station, name), Mode.TWO_WAY)
        found = {"direction": name, **place.directions[name]}
        bridge["directions"].append(found | _of_direction(direction, mode, now_ms))
    return {"bridges": list(bridges.values())}


def _of_direction(direction: Direction, mode: Mode, now_ms: int) -> dict[str, Any]:
    """Minutes first, level of service last, and each figure that is missing with its reason."""
    told = direction.told
    lost = all(_status(camera, now_ms) == "lost" for _, camera in direction.cameras)
    current, why = told, ""
    if mode is Mode.CLOSED:
        current, why = None, "closed"
    elif told is None or lost:
        current, why = None, "unknown"
    elif told.mode is not mode:
        current, why = None, "mode-changed"
    crossing = direction.crossing
    found: dict[str, Any] = {
        "mode": mode.value,
        "mode_vi": WORDS_VI[mode],
        "mode_en": WORDS_EN[mode],
        "suppressed": mode is Mode.CLOSED,
        "t": None if told is None else told.t_ms,
        **_figures(current, why),
        "counted_since": direction.balance.reset_ms if direction.balance.trusted else None,
        "truck_ban": None if crossing is None else _ban(crossing.ban(now_ms)),
        "road": None if crossing is None else _road(crossing),
        "cameras": [_of_camera(place, each, now_ms) for place, each in direction.cameras],
    }
    if mode is Mode.CLOSED:
        found |= {"text_vi": WORDS_VI[mode], "text_en": WORDS_EN[mode]}
    levels = [each["level_of_service"] for each in found["cameras"]]
    known = [level for level in levels if level is not None]
    # An indication for engineers, of a scale for freeways: it stands last for a reason.
    found["level_of_service"] = max(known, default=None)
    return found


def _figures(told: Told | None, why: str) -> dict[str, Any]:
    if told is None:
        return {
            "minutes": None,
            "state": None,
            "state_vi": "CHƯA RÕ",
            "state_en": "not known",
            "queue_km": None,
            "vehicles": None,
            "incident": None,
            "why": why,
            "why_vi": words.WHY_VI[why],
            "why_en": words.WHY_EN[why],
            "flag": None,
            "simulated": False,
            "text_vi": "CHƯA RÕ",
            "text_en": "not known",
        }
    return {
        "minutes": _figure(told.minutes),
        "state": None if told.state is None else int(told.state),
        "state_vi": "CHƯA RÕ" if told.state is None else words.STATE_VI[told.state],
        "state_en": "not known" if told.state is None else words.STATE_EN[told.state],
        "queue_km": _figure(told.km),
        "vehicles": None if told.vehicles is None else round_one(told.vehicles),
        "incident": told.incident,
        "why": told.why,
        "why_vi": words.WHY_VI[told.why],
        "why_en": words.WHY_EN[told.why],
        "flag": told.flag,
        "simulated": told.simulated,
        "text_vi": words.sentence_vi(told),
        "text_en": words.sentence_en(told),
    }


def _figure(figure: Figure | None) -> dict[str, Any] | None:
    """`{"from", "to"}`, alike for what is known; `to` null: at least `from`."""
    if figure is None:
        return None
    most = None if figure.most is None else round_one(figure.most)
    return {"from": round_one(figure.least), "to": most}


def _status(camera: Camera, now_ms: int) -> str:
    newest = camera.newest_ms
    if newest is None or now_ms - newest >= LOST_UNITS * camera.unit_ms:
        return "lost"
    return "late" if now_ms - newest >= LATE_UNITS * camera.unit_ms else "heard"


def _of_camera(place: str, camera: Camera, now_ms: int) -> dict[str, Any]:
    """The newest that a camera has said; cars and motorbikes apart."""
    newest = camera.recent[-1] if camera.recent else None
    return {
        "stream": camera.stream,
        "place": place,
        "status": _status(camera, now_ms),
        "state": int(camera.latches.state),
        "t": None if newest is None else newest.t_ms,
        "speed_car_km_h": None if newest is None else newest.speed_km_h,
        "speed_motorbike_km_h": None if newest is None else newest.motorbike_km_h,
        "occupancy_car": None if newest is None else newest.occupancy,
        "flow_car_veh_h": None if newest is None else newest.flow_veh_h,
        "level_of_service": None if newest is None else newest.level_of_service,
    }


def _road(crossing: Crossing) -> dict[str, Any]:
    """What is registered of a direction: its capacity, and all its bans with their days.

    `from` and `until` of a ban are the beginnings of its first day and of the day after its last,
    epoch ms, in Vietnam; no `until`: until further notice.
    """
    bans = [
        {
            **(_ban(each) or {}),
            "from": each.from_day * DAY_MS - LOCAL_MS,
            "until": None if each.until_day is None else (each.until_day + 1) * DAY_MS - LOCAL_MS,
        }
        for each in crossing.truck_bans
    ]
    return {
        "capacity_veh_h": crossing.capacity_veh_h,
        "free_km_h": crossing.free_km_h,
        "source": crossing.source,
        "truck_bans": bans,
    }


def _ban(ban: TruckBan | None) -> dict[str, Any] | None:
    if ban is None:
        return None
    hours = ", ".join(f"{a:g}-{b:g}" for a, b in ban.hours)
    return {
        "axles": ban.axles,
        "hours": [list(each) for each in ban.hours],
        "text_vi": f"cấm xe tải từ {ban.axles} trục, {hours} giờ",
        "text_en": f"no trucks of {ban.axles} axles and more, {hours} h",
        "source": ban.source,
    }
