"""Examples of reports, for the OpenAPI document: one day at Xuân Hòa and Rạch Miễu, made up."""

from typing import Any, Final

Example = dict[str, Any]

_T: Final = 1767000000000  # 2025-12-29 16:20 in Vietnam
_DAY: Final = 1766941200000  # 2025-12-29 00:00
_END: Final = 1767027600000
_SALT: Final = "xh-01/salinity_g_l"

LUNAR_DAY: Final[Example] = {
    "day": 10,
    "month": 11,
    "year": 2025,
    "leap": False,
    "text_vi": "mùng 10 tháng 11 năm Ất Tỵ",
    "text_en": "day 10 of lunar month 11, 2025",
}
_SAME: Final[Example] = {"year": 2024, "date": "2024-12-10", "exact": True}
LUNAR: Final[Example] = {"date": "2025-12-29", "lunar": LUNAR_DAY, "same": [_SAME]}

CHECK: Final[Example] = {
    "id": "c12",
    "station": "xuan-hoa",
    "t": _T,
    "entered": _T + 5_400_000,
    "depth": "surface",
    "cleaned": True,
    "calibrated": False,
    "replaces": None,
    "replaced_by": None,
    "values": [
        {
            "quantity": "salinity_g_l",
            "unit": "g/L",
            "hand": 1.2,
            "key": _SALT,
            "probe": 1.05,
            "probe_t": _T - 120_000,
            "flag": 1,
            "simulated": False,
            "difference": -0.15,
            "why": None,
        }
    ],
    "crew": "tổ cống Xuân Hòa",
    "who": "an",
    "note": "đầu dò có rong bám",
}
_DONE: Final[Example] = {"id": "c12", "t": _T, "days": 3.2}
CARE: Final[Example] = {
    "station": "xuan-hoa",
    "now": _T + 276_480_000,
    "checked": _DONE,
    "cleaned": _DONE,
    "calibrated": None,
    "difference": {**CHECK["values"][0], **_DONE, "verdict": "apart"},
    "state": "apart",
    "text_vi": "Đo đối chứng cách đây 3,2 ngày. Máy thấp hơn đo tay 0,15 g/l. Vệ sinh cách đây "
    "3,2 ngày. Số so sánh là của trước khi vệ sinh. Lệch vừa: vệ sinh đầu dò rồi đo lại.",
    "text_en": "Checked by hand 3.2 days ago. The probe read 0.15 g/L lower. Cleaned 3.2 days "
    "ago. The comparison is of before it was cleaned. Moderately apart: clean the probe and check "
    "again.",
}

_NOT_MEASURED: Final[Example] = {
    "value": None,
    "why": "not-measured",
    "why_vi": "không có máy đo",
    "why_en": "nothing measures it",
}
_READING: Final[Example] = {
    "value": 1.2,
    "t": _T - 300_000,
    "st": "live",
    "flag": 1,
    "station": "xuan-hoa",
    "device": "xh-01",
    "key": _SALT,
    "simulated": False,
}
_ADVICE: Final[Example] = {
    "intake": "xuan-hoa",
    "t": _T,
    "take": False,
    "until": _T + 900_000,
    "why": "still-rising",
    "text_vi": "Cống Xuân Hòa: CHƯA LẤY NƯỚC, CHỜ: mặn còn lên.",
    "text_en": "Cống Xuân Hòa: DO NOT TAKE WATER YET, WAIT: the salt is still rising.",
}
GATES: Final[Example] = {
    "now": _T,
    "gates": [
        {
            "intake": "xuan-hoa",
            "name": "Cống Xuân Hòa",
            "gate": "xuan-hoa",
            "side": "river",
            "lift": "gravity",
            "crop": "rice",
            "limit_g_l": 2.0,
            "outside": {
                "salinity": _READING,
                "level": {**_READING, "value": 1.31, "key": "xh-01/water_level_m"},
            },
            "inside": {"salinity": _NOT_MEASURED, "level": _NOT_MEASURED},
            "head": {
                "m": None,
                "why": "no-inner-gauge",
                "why_vi": "không có thước nước phía trong",
                "why_en": "no gauge inside",
            },
            "advice": _ADVICE,
            "state": {"ver": 5, "taking": False, "gate": "closed", "t": _T - 7_200_000},
            "windows_key": _SALT,
            "windows": [
                {
                    "from": _T - 61_200_000,
                    "to": _T - 46_800_000,
                    "min_g_l": 0.42,
                    "min_t": _T - 54_000_000,
                    "n": 25,
                    "goes_on": False,
                }
            ],
            "next": {
                "from": _T + 28_200_000,
                "to": _T + 40_800_000,
                "min_g_l": 0.42,
                "basis_vi": "tham khảo, theo cùng con nước hôm trước",
                "basis_en": "for reference, by the same tide of the day before",
            },
            "next_why": None,
        }
    ],
}

_COVERAGE: Final[Example] = {"n": 70, "expected": 72, "share": 0.9722}
_MAX: Final[Example] = {"value": 2.31, "t": _T - 3_600_000, "hour": None, "flag": 1}
_MIN: Final[Example] = {"value": 0.42, "t": _T - 32_400_000, "hour": None, "flag": 1}
_EXTREMES: Final[Example] = {
    "station": "xuan-hoa",
    "name": "Cống Xuân Hòa",
    "key": _SALT,
    "depth": None,
    **_COVERAGE,
    "max": _MAX,
    "min": _MIN,
    "simulated": False,
}
_LINE: Final[Example] = {
    "t": _END,
    "km": 43.1,
    "sd_km": 1.1,
    "bound": None,
    "between": ["xuan-hoa", "my-tho"],
    "landmark_vi": "giữa Cống Xuân Hòa và Mỹ Tho",
    "landmark_en": "between Cống Xuân Hòa and Mỹ Tho",
}
_MISSING: Final[Example] = {
    "n": 2_300,
    "expected": 2_448,
    "share": 0.9395,
    "worst": [{"key": "ad-01/salinity_g_l", "n": 31, "expected": 72, "share": 0.4306}],
}
_BRIDGE: Final[Example] = {
    "station": "rach-mieu-1",
    "name": "Cầu Rạch Miễu 1",
    "direction": "southbound",
    "direction_vi": "Mỹ Tho → Bến Tre",
    "direction_en": "Mỹ Tho → Bến Tre",
    "key": "rach-mieu-1/southbound/crossing_time_min",
    "n": 702,
    "expected": 720,
    "share": 0.975,
    "median_min": 5.2,
    "worst": {"value": 34.0, "t": _T, "hour": None, "flag": 1},
    "at_least": False,
    "over": [
        {"limit_min": 15, "for_min": 48.0},
        {"limit_min": 30, "for_min": 6.0},
        {"limit_min": 60, "for_min": 0.0},
    ],
    "simulated": False,
}
_RAISED: Final[Example] = {
    "severity": "critical",
    "rule": "salinity-4",
    "k": _SALT,
}
_ALERT_ID: Final = "5f1a0c9be2d47788"
HANDOVER: Final[Example] = {
    "from": _T - 37_200_000,
    "to": _T,
    "now": _T,
    "shift": "day",
    "open": [
        {"id": _ALERT_ID, "state": "unacked", "t_since": _T - 3_600_000, "taken": None, **_RAISED}
    ],
    "counts": {"raised": {"critical": 1}, "cleared": 0, "acked": 0, "open": 1, "unacked": 1},
    "events": [{"t": _T - 3_599_000, "type": "raised", "alert": _ALERT_ID, **_RAISED}],
    "events_left_out": 0,
    "devices": [
        {
            "device": "ad-01",
            "station": "an-dinh",
            "key": "ad-01/salinity_g_l",
            "from": _T - 30_000_000,
            "to": _T - 6_000_000,
            "minutes": 400.0,
            "back": True,
        }
    ],
    "entered": [
        {
            "t": _T - 7_200_000,
            "what": "intake",
            "subject": "xuan-hoa",
            "item": {"ver": 5, "taking": False, "gate": "closed", "t": _T - 7_200_000},
        }
    ],
    "entered_left_out": 0,
    "entered_since": _T - 864_000_000,
    "extremes": [_EXTREMES],
    "lines": [
        {
            "mouth": "cua-tieu",
            "name": "Cửa Tiểu",
            "level_g_l": 1,
            "basis": "now",
            "key": "cua-tieu/salt_1_km",
            "begin": {**_LINE, "t": _T - 37_200_000, "km": 42.6},
            "max": _LINE,
            "end": _LINE,
        }
    ],
    "bridges": [_BRIDGE],
    "missing": _MISSING,
    "complete": True,
    "text_vi": "Ca ngày 29/12/2025, 06:00 đến 16:20: 1 cảnh báo mới, 1 cảnh báo chưa tiếp nhận.",
    "text_en": "Day shift of 29/12/2025, 06:00 to 16:20: 1 new alert, 1 not acknowledged.",
}
BULLETIN: Final[Example] = {
    "date": "2025-12-29",
    "from": _DAY,
    "to": _END,
    "now": _END + 21_600_000,
    "complete": True,
    "lunar": LUNAR_DAY,
    "same_dates": [_SAME],
    "simulated": False,
    "stations": [
        {
            **_EXTREMES,
            "km_from_mouth": {"cua-tieu": 42.0, "cua-dai": 47.0},
            "from": _DAY,
            "to": _END,
            "n": 142,
            "expected": 144,
            "share": 0.9861,
            "n_good": 142,
            "good_max": None,
            "change": {
                "g_l": 0.3,
                "before_g_l": 2.01,
                "before_t": _T - 89_000_000,
                "before_share": 1.0,
            },
            "same_period": [
                {**_SAME, "max_g_l": None, "from": 1733763600000, "to": 1733850000000, "n": 0}
            ],
        }
    ],
    "lines": [
        {
            "mouth": "cua-tieu",
            "name": "Cửa Tiểu",
            "level_g_l": 1,
            "basis": "max_25h",
            "key": "cua-tieu/salt_1_max_km",
            "sd_key": "cua-tieu/salt_1_max_sd_km",
            "line": _LINE,
            "change_km": 0.6,
        }
    ],
    "gates": [
        {
            "intake": "xuan-hoa",
            "name": "Cống Xuân Hòa",
            "limit_g_l": 2.0,
            "key": _SALT,
            "taking_min": 180.0,
            "open_min": 210.0,
            "closed_min": 1230.0,
            "unknown_min": 0.0,
            "fresh_min": 960.0,
            "max_g_l": 2.31,
            "advice": None,
        }
    ],
    "bridges": [
        {
            **_BRIDGE,
            "vehicles": {"motorbike": 21500, "car": 6120, "bus": 410, "truck": 1980},
            "vehicles_keys": ["cam-rm1-n/southbound/count_car"],
            "vehicles_share": 0.99,
        }
    ],
    "missing": _MISSING,
    "attribution_vi": "Số liệu tham khảo từ các trạm đo tự động, không phải bản tin dự báo.",
    "attribution_en": "For reference, from automatic stations; not a forecast.",
    "text_vi": "Ngày 29/12/2025 (mùng 10 tháng 11 năm Ất Tỵ): mặn cao nhất tại Cống Xuân Hòa 2,31 g/l.",
    "text_en": "29/12/2025 (lunar 10/11): highest salinity at Cống Xuân Hòa 2.31 g/L.",
}
