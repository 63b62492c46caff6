"""The registry: stations with their devices and series, as JSON or GeoJSON."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from api.http.access import Viewer
from api.http.answer import answer, encoded
from api.http.problem import documented
from api.http.rewind import Shown, caching
from api.http.shapes import Stations
from api.live.where import EVERYTHING
from api.service import Service
from ingest.registry import Device, Registry, Station

router = APIRouter()

GEOJSON = "application/geo+json"

_EXAMPLE = {
    "id": "vam-kenh",
    "name": "Vàm Kênh",
    "kind": "salinity",
    "branch": "cua-tieu",
    "branches": ["cua-tieu"],
    "km_from_mouth": {"cua-tieu": 2.0},
    "reach": "cua-tieu",
    "lat": 10.274,
    "lon": 106.737,
    "side": "river",
    "gate": None,
    "devices": [
        {
            "id": "vk-01",
            "kind": "salinity",
            "expected_s": 900,
            "series": ["vk-01/salinity_g_l", "vk-01/temperature_c"],
        }
    ],
}

_MOUTH = {"id": "cua-tieu", "name": "Cửa Tiểu", "series": ["cua-tieu/salt_4_max_km"]}


@router.get(
    "/api/v1/stations",
    tags=["readings"],
    summary="Stations, devices and their series",
    response_model=Stations,
    responses={
        200: {
            "content": {
                "application/json": {"example": {"stations": [_EXAMPLE], "mouths": [_MOUTH]}},
                GEOJSON: {
                    "schema": {"type": "object"},
                    "example": {
                        "type": "FeatureCollection",
                        "features": [
                            {
                                "type": "Feature",
                                "id": "vam-kenh",
                                "geometry": {"type": "Point", "coordinates": [106.737, 10.274]},
                                "properties": {"name": "Vàm Kênh", "kind": "salinity"},
                            }
                        ],
                    },
                },
            }
        },
        **documented("unauthorized", "invalid"),
    },
)
async def stations(
    request: Request,
    service: Shown,
    principal: Viewer,
    format: Annotated[  # noqa: A002 - the name in the URL
        Literal["json", "geojson"], Query(description="`geojson`: a FeatureCollection of points")
    ] = "json",
) -> Response:
    """The registry in force. `series` names what a device has sent or is known to send;
    `unverified` names the attributes that rest on no public source. `mouths`, and `series` of a
    bridge, name what is formed from several devices.
    """
    del principal
    found, mouths = described(service)
    encoding = request.headers.get("accept-encoding")
    if format == "json":
        body = encoded({"stations": found, "mouths": mouths})
        return answer(body, accept_encoding=encoding, headers=caching(request))
    document = {"type": "FeatureCollection", "features": [_feature(each) for each in found]}
    return answer(
        encoded(document),
        media_type=GEOJSON,
        accept_encoding=encoding,
        headers=caching(request),
    )


def described(service: Service) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All stations, and the mouths with series of their own, in the order of the file."""
    registry = service.registry()
    series = _series_by_device(service)
    devices: dict[str, list[dict[str, Any]]] = {}
    for device in registry.devices.values():
        root = registry.root_device(device.id).id
        entry = _device(device, registry, series.get(root, []))
        devices.setdefault(device.station, []).append(entry)
    stations = [
        _station(each, devices.get(each.id, []))
        | ({"series": series.get(each.id, [])} if each.kind == "traffic" else {})
        for each in registry.stations.values()
    ]
    mouths = [
        {"id": each.id, "name": each.name, "series": series[each.id]}
        for each in registry.reaches.values()
        if each.id in series
    ]
    return stations, mouths


def _series_by_device(service: Service) -> dict[str, list[str]]:
    """By device, mouth or bridge: keys of the series that have a value or are announced, in the order of their numbers."""
    shown = {item["k"] for item in msgspec.json.decode(service.items_json(EVERYTHING))}
    found: dict[str, list[str]] = {}
    for series in service.series().entries:
        if not series.retired and (series.announced or series.key in shown):
            found.setdefault(series.device, []).append(series.key)
    return found


def _device(device: Device, registry: Registry, series: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": device.id,
        "kind": device.kind,
        "expected_s": device.expected_s,
        "series": series,
        "model": device.model,
        "position": device.position,
        "replaces": device.replaces,
        "current": registry.current_device(device.id).id == device.id,
    }
    if device.levels:
        entry["levels"] = [{"id": one.id, "depth_m": one.depth_m} for one in device.levels]
    if device.lanes:
        entry["lanes"] = [
            {"direction": one.direction, "lane": one.lane, "use": one.use} for one in device.lanes
        ]
    return entry


def _station(station: Station, devices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": station.id,
        "name": station.name,
        "kind": station.kind,
        "branch": station.branches[0] if station.branches else None,
        "branches": list(station.branches),
        "km_from_mouth": dict(station.km_from_mouth),
        "reach": station.reach,
        "lat": station.lat,
        "lon": station.lon,
        "side": station.side,
        "gate": station.gate,
        "length_m": station.length_m,
        "directions": {name: dict(texts) for name, texts in station.directions.items()},
        "unverified": list(station.unverified),
        "source": station.source,
        "devices": devices,
    }


def _feature(station: dict[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in station.items() if name not in {"lat", "lon"}}
    return {
        "type": "Feature",
        "id": station["id"],
        "geometry": {"type": "Point", "coordinates": [station["lon"], station["lat"]]},
        "properties": properties,
    }
