"""A picture of a scenario: tide, salt along the river, the lines of salt, the bridge, the faults.

matplotlib is an extra (`pip install songtien[plot]`) and is imported when a picture is asked for.
The same world gives the same bytes with the same matplotlib: nothing of the day of drawing goes
in, and no style of the user's.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from ingest.faults import ConfigError, Fault
from ingest.reading import FloatArray, IntArray
from ingest.registry import Station
from simulators import estuary
from simulators.bars import Bar, clusters
from simulators.estuary import Place
from simulators.label import ABOVE, CONGESTED, INCIDENT, Label
from simulators.road.sight import truth
from simulators.road.traffic import Camera
from simulators.road.whole import Way, queue_km
from simulators.world import World, place_of

HOUR_MS: Final = 3_600_000
LOCAL_MS: Final = 7 * HOUR_MS
BRIDGE: Final = "rach-mieu-1"
LEVELS_G_L: Final = (0.5, 1.0, 4.0)
FORMATS: Final = (".png", ".svg")
COLOURS: Final = 128

_STATIONS = ("vam-kenh", "vam-giong", "xuan-hoa", "dong-tam")
_FROM_BEHIND = "cho-lach"
_MOUTHS = ("cua-tieu", "ham-luong")
_KM_STEP = 0.5
_KM_MOST = 110.0
_POINTS_MOST = 1500
_STEP_LEAST_MS = 300_000
_RANGE_G_L = (0.08, 40.0)
_LEAST = 0.004
"""Of a panel's width: a spike would be no line."""

# Okabe and Ito's colours, which people with any kind of colour vision tell apart
# (jfly.uni-koeln.de/color).
_BLACK, _ORANGE, _SKY, _GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
_BLUE, _RED, _PURPLE, _GREY = "#0072B2", "#D55E00", "#CC79A7", "#777777"
_BY_PLACE = (_BLUE, _SKY, _GREEN, _ORANGE)


@dataclass(frozen=True, slots=True)
class Panel:
    """One axis of the picture: how tall it is beside the others, and what it draws."""

    height: float
    draw: Any


def plot_scenario(
    world: World, start_ms: int, duration_ms: int, path: Path, labels: Sequence[Label] = ()
) -> None:
    """Draw [start, start + duration) of a world into `path`, a PNG or an SVG by its name.

    labels : what the scenario says of itself; its faults are drawn as bars below
    Raises ConfigError where the name ends otherwise, or matplotlib isn't there.
    """
    if path.suffix not in FORMATS:
        raise ConfigError([Fault("plot", "file", str(path), "accepted is .png or .svg")])
    with matplotlib_figures() as figures:
        _save(figure_of(figures, Drawing(world, start_ms, duration_ms, labels)), path)


def figure_of(figures: Any, drawing: "Drawing") -> Any:
    """The panels one above the other, each with its legend above it: none lies over a curve."""
    panels = drawing.panels()
    figure = figures.Figure(
        figsize=(10.0, 1.3 + sum(panel.height for panel in panels)),
        dpi=100,
        layout="constrained",
    )
    axes = figure.subplots(
        len(panels), 1, sharex=True, height_ratios=[panel.height for panel in panels]
    )
    for axis, panel in zip(axes, panels, strict=True):
        panel.draw(axis)
        _legend(axis)
        axis.grid(visible=True, color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
    drawing.time_axis(axes[-1])
    figure.suptitle(drawing.title(), fontsize=12)
    return figure


@contextmanager
def matplotlib_figures() -> Iterator[Any]:
    """Matplotlib's figures, with its own style whatever the user's is."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra
        from matplotlib import figure  # noqa: PLC0415 - an extra
    except ImportError:
        accepted = "it needs matplotlib; accepted is: pip install 'songtien[plot]'"
        raise ConfigError([Fault("plot", "matplotlib", None, accepted)]) from None
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {"font.family": "DejaVu Sans", "font.size": 8, "svg.hashsalt": "songtien"}
        )
        yield figure


def _save(figure: Any, path: Path) -> None:
    """Without the date and without the version of the program, which would make bytes differ."""
    if path.suffix == ".svg":
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra
    from PIL import Image  # noqa: PLC0415 - comes with matplotlib

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    # A few lines on white need no more colours, and the file is a third as long.
    few = drawn.quantize(colors=COLOURS, dither=Image.Dither.NONE)
    few.save(path, format="PNG", optimize=True)


class Drawing:
    """What is drawn, computed from the world."""

    def __init__(
        self, world: World, start_ms: int, duration_ms: int, labels: Sequence[Label]
    ) -> None:
        self._world = world
        self._from_ms, self._to_ms = start_ms, start_ms + duration_ms
        step_ms = max(_STEP_LEAST_MS, -(-duration_ms // _POINTS_MOST) // 60_000 * 60_000)
        self._t_ms: IntArray = np.arange(start_ms, self._to_ms + 1, step_ms, dtype=np.int64)
        self._labels = labels
        self._stations = _along(world.registry.stations)

    def panels(self) -> list[Panel]:
        found = [Panel(1.6, self._tide), Panel(2.6, self._salinity), Panel(1.9, self._lines)]
        if BRIDGE in self._world.registry.stations:
            found += [Panel(1.4, self._flow), Panel(1.2, self._speed), Panel(1.2, self._queue)]
        if self._faults():
            found.append(Panel(0.4 + 0.17 * len(self._faults()), self._bars))
        return found

    def title(self) -> str:
        first, last = (_local(t).strftime("%d/%m/%Y") for t in (self._from_ms, self._to_ms - 1))
        days = first if first == last else f"{first} – {last}"  # noqa: RUF001 - between dates
        return f"{self._world.name}, seed {self._world.seed}: {days}"

    def time_axis(self, axis: Any) -> None:
        """Days and hours of Vietnam, the day at its midnight."""
        hours = (self._to_ms - self._from_ms) / HOUR_MS
        step_ms = (3 if hours <= 48 else 24 if hours <= 24 * 20 else 24 * 7) * HOUR_MS
        first = -(-(self._from_ms + LOCAL_MS) // step_ms) * step_ms
        ticks = np.arange(first, self._to_ms + LOCAL_MS + 1, step_ms, dtype=np.int64)
        names = [
            datetime.fromtimestamp(t / 1000, UTC).strftime(
                "%d/%m" if t % (24 * HOUR_MS) == 0 else "%H:%M"
            )
            for t in ticks.tolist()
        ]
        axis.set_xlim(self._days(np.array([self._from_ms, self._to_ms])))
        axis.set_xticks((ticks - LOCAL_MS - self._from_ms) / 86_400_000, names)
        axis.set_xlabel("local time (UTC+7), dd/mm at 00:00")

    def _days(self, t_ms: IntArray) -> FloatArray:
        return np.asarray((t_ms - self._from_ms) / 86_400_000, dtype=np.float64)

    def _line(
        self, axis: Any, values: FloatArray, t_ms: IntArray | None = None, **how: Any
    ) -> None:
        axis.plot(
            self._days(self._t_ms if t_ms is None else t_ms), values, **{"linewidth": 1.1, **how}
        )

    def _shade(self, axis: Any, windows: Sequence[tuple[int, int]], name: str, **how: Any) -> None:
        seen = [each for each in windows if each[0] < self._to_ms and each[1] > self._from_ms]
        for n, window in enumerate(seen):
            low, high = self._days(np.clip(window, self._from_ms, self._to_ms))
            axis.axvspan(low, high, linewidth=0, label=None if n else name, **how)

    def _spells(self, axis: Any) -> None:
        spells = [(each.from_ms, each.to_ms) for each in self._world.river.spells]
        self._shade(axis, spells, "salt spell (gió chướng)", color=_PURPLE, alpha=0.15)

    def _tide(self, axis: Any) -> None:
        river = self._world.river
        inland = [each for each in self._stations if (each.nearest_km or 0.0) > 35.0][:1]
        self._line(axis, estuary.level_m(self._t_ms, 0.0, river), color=_BLUE, label="at the mouth")
        for station in inland:
            level = estuary.level_m(self._t_ms, station.nearest_km or 0.0, river)
            self._line(axis, level, color=_RED, label=station.name, linestyle="--")
        self._spells(axis)
        axis.set_ylabel("water level,\nm over mean sea")

    def _salinity(self, axis: Any) -> None:
        river = self._world.river
        for station, colour in zip(self._stations, _BY_PLACE, strict=False):
            found = estuary.surface_g_l(self._t_ms, place_of(station), river)
            self._line(axis, found, color=colour, label=_named(station))
        behind = self._world.registry.stations.get(_FROM_BEHIND)
        if behind is not None:
            found = estuary.surface_g_l(self._t_ms, place_of(behind), river)
            self._line(axis, found, color=_BLACK, linestyle=":", label=_named(behind))
        for level in LEVELS_G_L:
            axis.axhline(level, color=_GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            axis.annotate(
                f"{level:g} g/L", (1.0, level), xycoords=("axes fraction", "data"), fontsize=7,
                xytext=(2, 0), textcoords="offset points", va="center", color=_GREY,
            )  # fmt: skip
        self._spells(axis)
        axis.set_yscale("log")
        axis.set_ylim(*_RANGE_G_L)
        axis.set_yticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
        axis.set_yticks([], minor=True)
        axis.set_ylabel("salinity at the surface,\ng/L (log)")

    def _lines(self, axis: Any) -> None:
        t_ms = self._t_ms[:: max(1, 1_800_000 // int(self._t_ms[1] - self._t_ms[0]))]
        reaches = self._world.registry.reaches
        for mouth, style in zip(_MOUTHS, ("-", "--"), strict=True):
            if mouth not in reaches:
                continue
            km, salt = self._profile(mouth, t_ms)
            for level, colour in ((1.0, _ORANGE), (4.0, _RED)):
                reach = furthest_km(km, salt, level)
                name = f"{level:g} g/L, {reaches[mouth].name}"
                self._line(axis, reach, t_ms, color=colour, linestyle=style, label=name)
        self._spells(axis)
        axis.set_ylim(bottom=0.0)
        axis.set_ylabel("how far salt reaches,\nkm from the mouth")

    def _profile(self, mouth: str, t_ms: IntArray) -> tuple[FloatArray, FloatArray]:
        """Distances, float64[K], and the salinity at each, float64[K, N]."""
        km = np.arange(0.0, _KM_MOST, _KM_STEP)
        places = (Place(((mouth, float(each)),)) for each in km)
        return km, np.stack([estuary.surface_g_l(t_ms, p, self._world.river) for p in places])

    # The bridge.

    def _directions(self) -> Iterator[tuple[str, str, str]]:
        """Direction, its name for people, and its colour."""
        station = self._world.registry.stations[BRIDGE]
        for direction, colour in zip(station.directions, (_BLUE, _RED), strict=False):
            yield direction, station.directions[direction].get("vi", direction), colour

    def _interval_ms(self) -> int:
        return 300_000 if self._to_ms - self._from_ms <= 48 * HOUR_MS else 900_000

    def _seen(self, direction: str) -> tuple[IntArray, Any]:
        step_ms = self._interval_ms()
        first = -(-self._from_ms // step_ms) * step_ms
        t0_ms = np.arange(first, self._to_ms - step_ms + 1, step_ms, dtype=np.int64)
        world = self._world
        camera = Camera(BRIDGE, direction)
        return t0_ms, truth(t0_ms, step_ms, camera, world.traffic, world.seed, world.name)

    def _flow(self, axis: Any) -> None:
        for direction, name, colour in self._directions():
            t0_ms, seen = self._seen(direction)
            flow = seen.cars.sum(axis=1) * (3_600_000.0 / self._interval_ms())
            self._line(axis, flow, t0_ms, color=colour, label=name, linewidth=0.8)
        self._events(axis, named=True)
        axis.set_ylim(bottom=0.0)
        axis.set_ylabel("Rạch Miễu 1:\nflow, cars/h")

    def _speed(self, axis: Any) -> None:
        for direction, _, colour in self._directions():
            t0_ms, seen = self._seen(direction)
            self._line(axis, seen.speed_km_h, t0_ms, color=colour, linewidth=0.8)
        self._events(axis)
        axis.set_ylim(bottom=0.0)
        axis.set_ylabel("speed,\nkm/h")

    def _queue(self, axis: Any) -> None:
        world = self._world
        for direction, _, colour in self._directions():
            way = Way(BRIDGE, direction, world.traffic, world.seed, world.name)
            self._line(axis, queue_km(self._t_ms, way), color=colour, linewidth=0.8)
        self._events(axis)
        axis.set_ylim(bottom=0.0)
        axis.set_ylabel("queue,\nkm")

    def _events(self, axis: Any, *, named: bool = False) -> None:
        """What happens on the bridge; of its three panels the first says what the shades are."""
        traffic = self._world.traffic
        incidents = [(e.from_ms, e.to_ms) for e in traffic.incidents if e.station == BRIDGE]
        workings = [(e.from_ms, e.to_ms) for e in traffic.workings if e.station == BRIDGE]
        rains = [(e.from_ms, e.to_ms) for e in traffic.rains]
        none = "" if named else "_"
        self._shade(axis, incidents, f"{none}incident", color=_ORANGE, alpha=0.3)
        name = f"{none}one-way batches, closed or toll open"
        self._shade(axis, workings, name, color=_GREEN, alpha=0.15)
        # Lines, since a second pale colour over the first would be a third.
        self._shade(axis, rains, f"{none}rain", facecolor="none", edgecolor=_GREY, hatch="///")

    # The faults.

    def _faults(self) -> dict[str, list[Label]]:
        kinds: dict[str, list[Label]] = {}
        for label in self._labels:
            if label.label not in (ABOVE, CONGESTED, INCIDENT):
                kinds.setdefault(label.label, []).append(label)
        return dict(sorted(kinds.items(), key=lambda kind: kind[1][0].from_ms))

    def _bars(self, axis: Any) -> None:
        """A row for each kind of fault, with its devices beside their bars."""
        kinds = self._faults()
        span = (self._to_ms - self._from_ms) / 86_400_000
        for row, labels in enumerate(kinds.values()):
            bars = []
            for label in labels:
                low, high = self._days(
                    np.clip([label.from_ms, label.to_ms], self._from_ms, self._to_ms)
                )
                bars.append(Bar(low, max(high, low + _LEAST * span), label.device))
                axis.barh(row, bars[-1].high - low, left=low, height=0.7, color=_RED)
            for one in clusters(bars, span):
                at, how = {
                    "right": (one.high, {"ha": "left", "xytext": (2, 0)}),
                    "left": (one.low, {"ha": "right", "xytext": (-2, 0)}),
                    "inside": (one.low, {"ha": "left", "xytext": (2, 0), "color": "white"}),
                }[one.side(span)]
                axis.annotate(
                    one.name, (at, row), fontsize=6, textcoords="offset points", va="center",
                    **how,
                )  # fmt: skip
        axis.set_yticks(range(len(kinds)), list(kinds))
        axis.invert_yaxis()
        axis.set_ylabel("faults")


def furthest_km(km: FloatArray, salt: FloatArray, level: float) -> FloatArray:
    """How far a level reaches up a river at N times, by its profile.

    km : float64[K], rising; salt : float64[K, N], g/L

    Returns float64[N]: between the furthest point that has the level and the next, NaN where
    none has.
    """
    above = salt >= level
    last = len(km) - 1 - np.argmax(above[::-1], axis=0)
    beyond = np.minimum(last + 1, len(km) - 1)
    column = np.arange(salt.shape[1])
    high, low = salt[last, column], salt[beyond, column]
    drop = np.where(high > low, high - low, 1.0)
    found = km[last] + (km[beyond] - km[last]) * np.clip((high - level) / drop, 0.0, 1.0)
    return np.where(above.any(axis=0), found, np.nan)


def _along(stations: Mapping[str, Station]) -> list[Station]:
    """Four stations from the mouth inland: those of the Cửa Tiểu, else of any registry."""
    if all(name in stations for name in _STATIONS):
        return [stations[name] for name in _STATIONS]
    known = [s for s in stations.values() if s.kind == "salinity" and s.nearest_km is not None]
    known.sort(key=lambda station: (station.nearest_km or 0.0, station.id))
    at = sorted({round(n) for n in np.linspace(0, len(known) - 1, 4)}) if known else []
    return [known[n] for n in at]


def _named(station: Station) -> str:
    return f"{station.name.partition(' (')[0]}, km {station.nearest_km or 0.0:g}"


def _legend(axis: Any) -> None:
    """Above the panel, in a row of up to four or in two."""
    handles, names = axis.get_legend_handles_labels()
    if names:
        columns = len(names) if len(names) <= 4 else -(-len(names) // 2)
        axis.legend(
            handles, names, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, fontsize=7,
            frameon=False, borderaxespad=0.1,
        )  # fmt: skip


def _local(t_ms: int) -> datetime:
    return datetime.fromtimestamp((t_ms + LOCAL_MS) / 1000, UTC)
