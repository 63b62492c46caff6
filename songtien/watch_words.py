"""The words of `songtien watch`, in Vietnamese and English: those of the screen."""

from collections.abc import Mapping
from typing import Final, Literal

Lang = Literal["vi", "en"]

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "station": ("Trạm", "Station"),
    "quantity": ("Đại lượng", "Quantity"),
    "value": ("Giá trị", "Value"),
    "flag": ("Chất lượng", "Quality"),
    "age": ("Cách đây", "Age"),
    "st": ("Tình trạng", "State"),
    "severity": ("Mức", "Severity"),
    "alert": ("Cảnh báo", "Alert"),
    "since": ("Từ", "Since"),
    "attention": ("Xử lý", "Attention"),
    "live": ("đang nhận trực tiếp", "receiving live"),
    "loading": ("đang tải", "loading"),
    "down": (
        "MẤT LIÊN LẠC từ {since}, nối lại sau {wait} s: số liệu trong ngoặc là CŨ ({why})",
        "LINK LOST since {since}, trying again in {wait} s: figures in brackets are OLD ({why})",
    ),
    "never_up": (
        "CHƯA NỐI ĐƯỢC với {url}, thử lại sau {wait} s ({why})",
        "NOT CONNECTED to {url} yet, trying again in {wait} s ({why})",
    ),
    "no_alerts": ("không có cảnh báo", "no active alerts"),
    "no_items": ("không có số liệu nào", "there are no figures"),
    "more": ("… và {n} dòng nữa", "… and {n} more"),
    "simulated": ("mô phỏng", "simulated"),
    "flag_1": ("đạt", "pass"),
    "flag_2": ("chưa kiểm", "not checked"),
    "flag_3": ("nghi ngờ", "suspect"),
    "flag_4": ("lỗi đo", "bad reading"),
    "flag_9": ("thiếu số liệu", "missing"),
    "st_live": ("trực tiếp", "live"),
    "st_late": ("chậm", "late"),
    "st_stale": ("số liệu cũ", "old data"),
    "st_lost": ("mất tín hiệu", "signal lost"),
    "st_never": ("chưa có số liệu", "no data yet"),
    "st_maintenance": ("bảo trì", "maintenance"),
    "severity_info": ("lưu ý", "info"),
    "severity_warning": ("cảnh báo", "warning"),
    "severity_major": ("nghiêm trọng", "major"),
    "severity_critical": ("rất nghiêm trọng", "critical"),
    "state_unacked": ("chưa tiếp nhận", "unacknowledged"),
    "state_acked": ("đã tiếp nhận", "acknowledged"),
    "state_cleared-unacked": ("đã hết, chưa ai tiếp nhận", "cleared, unacknowledged"),
    "salinity_g_l": ("Độ mặn", "Salinity"),
    "conductivity_ms_cm": ("Độ dẫn điện", "Conductivity"),
    "conductivity_25_ms_cm": ("Độ dẫn điện ở 25 °C", "Conductivity at 25 °C"),
    "temperature_c": ("Nhiệt độ nước", "Water temperature"),
    "water_level_m": ("Mực nước", "Water level"),
    "salinity_probe_g_l": ("Độ mặn do máy tính", "Salinity by the probe"),
    "depth_m": ("Độ sâu đầu đo", "Depth of the probe"),
    "battery_v": ("Pin", "Battery"),
    "flow_veh_h": ("Lưu lượng", "Flow"),
    "flow_pcu_h": ("Lưu lượng quy đổi", "Flow in PCU"),
    "speed_km_h": ("Tốc độ", "Speed"),
    "occupancy": ("Độ chiếm đường", "Occupancy"),
    "queue_m": ("Ùn dài", "Queue"),
    "density_pcu_km": ("Mật độ", "Density"),
    "level_of_service": ("Mức phục vụ", "Level of service"),
    "salt_1_km": ("Ranh mặn 1 g/l, bây giờ", "1 g/L line, now"),
    "salt_4_km": ("Ranh mặn 4 g/l, bây giờ", "4 g/L line, now"),
    "salt_1_max_km": ("Ranh mặn 1 g/l, lớn nhất 25 giờ", "1 g/L line, maximum of 25 h"),
    "salt_4_max_km": ("Ranh mặn 4 g/l, lớn nhất 25 giờ", "4 g/L line, maximum of 25 h"),
    "traffic_state": ("Tình trạng giao thông", "State of traffic"),
    "crossing_time_min": ("Thời gian qua cầu", "Crossing time"),
    "queue_length_km": ("Ùn dài", "Queue"),
    "vehicles_on_bridge": ("Xe trên cầu", "Vehicles on the bridge"),
    "incident": ("Sự cố", "Incident"),
    "speed_car_km_h": ("Tốc độ ô tô", "Speed of cars"),
    "speed_motorbike_km_h": ("Tốc độ xe máy", "Speed of motorbikes"),
    "occupancy_car": ("Độ chiếm làn ô tô", "Occupancy, car lane"),
    "flow_car_veh_h": ("Lưu lượng ô tô", "Flow of cars"),
}


def word(key: str, lang: Lang, **values: object) -> str:
    """The words of a key; one that there is none of stays as it is, as of a newer service."""
    found = WORDS.get(key)
    said = key if found is None else found[lang == "en"]
    return said.format(**values) if values else said
