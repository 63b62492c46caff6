"""Sentences of reports in both languages, to be read aloud. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alerts.messages import clock_time, local_time
from alerts.reports.lines import short
from ingest.reading import Flag

Both = tuple[str, str]
"""Vietnamese and English."""

ENOUGH: Final = 0.75
"""With a smaller share of a day's data a high water may be what is missing (expert judgement,
unverified)."""


def comma(number: float, digits: int) -> str:
    """A figure with a decimal comma."""
    return f"{number:.{digits}f}".replace(".", ",")


def joined(parts: Sequence[Both | None]) -> Both:
    """Sentences that there are, one after the other."""
    told = [part for part in parts if part is not None]
    return " ".join(vi for vi, _ in told), " ".join(en for _, en in told)


def when(extreme: Mapping[str, Any], *, dated: bool = False) -> Both:
    """At what time, or between which hours where the reading itself is forgotten.

    dated : with the day, where it is not plain from what is spoken of
    """
    if extreme["t"] is not None:
        at = local_time(extreme["t"]) if dated else clock_time(extreme["t"])
        return f"lúc {at}", f"at {at}"
    hour_ms = extreme["hour"]
    begin, end = clock_time(hour_ms), clock_time(hour_ms + 3_600_000)
    return f"trong khoảng {begin} đến {end}", f"between {begin} and {end}"


def highest_salinity(stations: Sequence[Mapping[str, Any]], *, dated: bool = False) -> Both | None:
    found = [each for each in stations if each["max"] is not None]
    if not found:
        return None
    top = max(found, key=lambda each: each["max"]["value"])
    value, (vi, en) = top["max"]["value"], when(top["max"], dated=dated)
    name = short(top["name"])
    return (
        f"Mặn cao nhất {comma(value, 2)} g/l tại {name}, {vi}.",
        f"Highest salinity {value:.2f} g/L at {name}, {en}.",
    )


def longest_crossing(roads: Sequence[Mapping[str, Any]], *, dated: bool = False) -> Both | None:
    found = [each for each in roads if each["worst"] is not None]
    if not found:
        return None
    worst = max(found, key=lambda each: each["worst"]["value"])
    minutes, (vi, en) = round(worst["worst"]["value"]), when(worst["worst"], dated=dated)
    least = ("trên ", "over ") if worst["at_least"] else ("", "")
    name = short(worst["name"])
    return (
        f"Qua cầu lâu nhất {least[0]}{minutes} phút: {name}, {worst['direction_vi']}, {vi}.",
        f"Longest crossing {least[1]}{minutes} min: {name}, {worst['direction_en']}, {en}.",
    )


def percent_of(share: float) -> int:
    """Never rounded up to all of it: what is missing is to be seen."""
    return int(100 * share + 1e-9)


def data_share(missing: Mapping[str, Any]) -> Both:
    percent = percent_of(missing["share"])
    return f"Có {percent} % số liệu mong đợi.", f"{percent} % of the expected data came."


def little_of(told: Mapping[str, Any]) -> Both:
    """A warning behind a figure that much of its time is missing from; else nothing."""
    if told["share"] >= ENOUGH:
        return "", ""
    percent = percent_of(told["share"])
    percent_vi = f"{percent}" if percent else "chưa đến 1"
    percent_en = f"{percent}" if percent else "under 1"
    return f" (chỉ có {percent_vi} % số liệu)", f" (from {percent_en} % of the data only)"


def maxima(stations: Sequence[Mapping[str, Any]]) -> Both | None:
    """Every station's highest, with the change against the day before."""
    found = [each for each in stations if each["max"] is not None]
    if not found:
        return "Không có số liệu mặn.", "No salinity data."
    vi, en = [], []
    for each in found:
        name, value, change = short(each["name"]), each["max"]["value"], each["change"]
        doubt = (" (đáng ngờ)", " (suspect)") if each["max"]["flag"] == Flag.SUSPECT else ("", "")
        little = little_of(each)
        by_vi = by_en = ""
        # The high water itself may be what is missing of either day.
        whole = change is not None and min(each["share"], change["before_share"]) >= ENOUGH
        if change is not None and whole and abs(change["g_l"]) >= 0.005:
            up = change["g_l"] > 0
            by_vi = f", {'tăng' if up else 'giảm'} {comma(abs(change['g_l']), 2)}"
            by_en = f", {'up' if up else 'down'} {abs(change['g_l']):.2f}"
        vi.append(f"{name} {comma(value, 2)}{doubt[0]}{by_vi}{little[0]}")
        en.append(f"{name} {value:.2f}{doubt[1]}{by_en}{little[1]}")
    return (
        f"Độ mặn cao nhất (g/l): {'; '.join(vi)}.",
        f"Highest salinity (g/L): {'; '.join(en)}.",
    )


def line(told: Mapping[str, Any]) -> Both | None:
    """A line of salt by landmark and kilometres; nothing where there is none."""
    found = told["line"]
    if found is None:
        return None
    # A bound has its word in the landmark already; "about" belongs to figures.
    least = {"beyond": ("trên ", "over "), "below": ("dưới ", "under ")}
    vi, en = least.get(found["bound"], ("khoảng ", "about "))
    level, km = told["level_g_l"], found["km"]
    more = ("", "")
    if found["bound"] == "beyond":
        more = (
            " (phía thượng lưu không đủ số liệu để nói rõ hơn)",
            " (too little is measured above to say more)",
        )
    return (
        (
            f"Ranh mặn {level} g/l cao nhất 25 giờ qua, {told['name']}: {found['landmark_vi']}, "
            f"{vi}{comma(km, 1)} km từ cửa sông{more[0]}."
        ),
        (
            f"Line of {level} g/L, maximum of 25 h, {told['name']}: {found['landmark_en']}, "
            f"{en}{km:.1f} km from the mouth{more[1]}."
        ),
    )


def gates(told: Sequence[Mapping[str, Any]]) -> Both | None:
    """Of the intakes of which anything was entered: how long they were open."""
    vi, en = [], []
    for each in told:
        if not each["open_min"] and not each["closed_min"]:
            continue
        hours, name = each["open_min"] / 60, short(each["name"])
        vi.append(f"{name} mở {comma(hours, 1)} giờ" if hours else f"{name} đóng")
        en.append(f"{name} open {hours:.1f} h" if hours else f"{name} closed")
    if not vi:
        return None
    return f"Cống: {'; '.join(vi)}.", f"Gates: {'; '.join(en)}."


def road(told: Mapping[str, Any]) -> Both | None:
    """Minutes of a bridge and direction."""
    if told["worst"] is None:
        return None
    name = short(told["name"])
    worst, usual = round(told["worst"]["value"]), told["median_min"]
    vi_usual, en_usual = ("", "")
    if usual is not None:
        vi_usual, en_usual = f"thường {round(usual)} phút, ", f"usually {round(usual)} min, "
    vi_at, en_at = when(told["worst"])
    least = ("trên ", "over ") if told["at_least"] else ("", "")
    little = little_of(told)
    over = next((each for each in told["over"] if each["limit_min"] == 15), None)
    vi_over = en_over = ""
    if over is not None and (over["for_min"] or 0) >= 1:
        vi_over = f", trên 15 phút trong {round(over['for_min'])} phút"
        en_over = f", over 15 min for {round(over['for_min'])} min"
    return (
        (
            f"{name}, {told['direction_vi']}: {vi_usual}lâu nhất {least[0]}{worst} phút "
            f"{vi_at}{vi_over}{little[0]}."
        ),
        (
            f"{name}, {told['direction_en']}: {en_usual}longest {least[1]}{worst} min "
            f"{en_at}{en_over}{little[1]}."
        ),
    )
