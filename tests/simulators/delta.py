"""A small registry: three probes on the Tiểu, one on the Hàm Luông, cameras on both bridges."""

from ingest.registry import Device, Lane, Registry, Station


def _station(
    name: str, km: dict[str, float], kind: str = "salinity", side: str = "river"
) -> Station:
    return Station(name, name, kind, tuple(km), km, None, 10.3, 106.5, side, None)


def _probe(name: str, station: str, expected_s: float = 900.0) -> Device:
    announced = frozenset(
        {"salinity_g_l", "conductivity_ms_cm", "temperature_c", "water_level_m", "battery_v"}
    )
    return Device(name, station, "salinity", expected_s, announced=announced)


def _camera(name: str, station: str, *lanes: Lane) -> Device:
    return Device(name, station, "traffic", 60.0, lanes=lanes)


STATIONS = (
    _station("vam-kenh", {"cua-tieu": 2.0}),
    _station("hoa-binh", {"cua-tieu": 18.1}),
    _station("xuan-hoa", {"cua-tieu": 42.0, "cua-dai": 47.0}),
    _station("my-hoa", {"ham-luong": 45.0}),
    _station("rach-mieu-1", {}, "traffic", "bridge"),
    _station("rach-mieu-2", {}, "traffic", "bridge"),
)
DEVICES = (
    _probe("vk-01", "vam-kenh"),
    _probe("hb-01", "hoa-binh"),
    _probe("xh-01", "xuan-hoa", 600.0),
    _probe("mh-01", "my-hoa", 600.0),
    _camera(
        "cam-01", "rach-mieu-1", Lane("southbound", 1, "mixed"), Lane("northbound", 1, "mixed")
    ),
    _camera(
        "cam-03",
        "rach-mieu-2",
        Lane("southbound", 1, "car"),
        Lane("southbound", 2, "motorbike"),
    ),
)
REGISTRY = Registry(
    {},
    {station.id: station for station in STATIONS},
    {device.id: device for device in DEVICES},
)
