"""What `songtien watch` shows: figures and alerts as two tables that fit a terminal.

Nothing is said by colour alone: each flag and age has its word, and a figure that is not the
newest stands in brackets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from alerts.messages import UNITS_VI, VIETNAM
from songtien.watch_words import Lang, word

Item = Mapping[str, Any]

HEAD_LINES: Final = 1
TABLE_LINES: Final = 3
"""Of a table beside its rows: head, rule, and the line that counts the rest."""

SEVERITIES: Final = ("critical", "major", "warning", "info")
ATTENTION: Final = ("unacked", "cleared-unacked", "acked")
STYLES: Final[Mapping[str, str]] = {
    "late": "yellow",
    "stale": "dim",
    "lost": "red",
    "never": "dim",
    "maintenance": "cyan",
    "critical": "bold red",
    "major": "red",
    "warning": "yellow",
}


@dataclass(frozen=True, slots=True)
class Down:
    """The link is gone: since when (ms UTC, None if it never was), why, and the wait left."""

    since_ms: int | None
    why: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shown at one moment.

    names : of stations, by id
    now_ms : by the service's clock
    whole : whether everything that was asked for has come
    """

    url: str
    items: Sequence[Item]
    alerts: Sequence[Item]
    names: Mapping[str, str]
    now_ms: int
    lang: Lang
    whole: bool
    down: Down | None = None


def screen(shown: Shown, height: int | None) -> Group:
    """Both tables under a line on the link. `height` in lines; None shows all."""
    alerts, items = _alerts(shown), _items(shown)
    for_items = for_alerts = None
    if height is not None:
        room = max(2, height - HEAD_LINES - 2 * TABLE_LINES)
        # Alerts take up to a third, more where figures leave it.
        for_alerts = max(1, min(len(alerts), max(room // 3, room - len(items))))
        for_items = max(1, room - for_alerts)
    columns = ("station", "quantity", "value", "flag", "age", "st")
    return Group(
        _head(shown),
        _table(shown.lang, columns, items, for_items, "no_items"),
        _table(
            shown.lang, ("severity", "alert", "since", "attention"), alerts, for_alerts, "no_alerts"
        ),
    )


def _head(shown: Shown) -> Text:
    lang, down = shown.lang, shown.down
    if down is None:
        time = moment(shown.now_ms, lang)
        return Text(f"{shown.url} · {time} · {word('live' if shown.whole else 'loading', lang)}")
    wait = f"{max(0.0, down.wait_s):.0f}"
    if down.since_ms is None:
        said = word("never_up", lang, url=shown.url, wait=wait, why=down.why)
    else:
        since = moment(down.since_ms, lang)
        said = word("down", lang, since=since, wait=wait, why=down.why)
    return Text(said, style="bold reverse")


def _table(
    lang: Lang, columns: Sequence[str], rows: Sequence[list[Text]], fit: int | None, none: str
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        right: Literal["right", "left"] = "right" if name in ("value", "age") else "left"
        table.add_column(word(name, lang), justify=right, no_wrap=True, overflow="ellipsis")
    for row in rows[:fit]:
        table.add_row(*row)
    if not rows:
        table.add_row(word(none, lang))
    elif fit is not None and len(rows) > fit:
        table.add_row(word("more", lang, n=len(rows) - fit))
    return table


def _items(shown: Shown) -> list[list[Text]]:
    def place(item: Item) -> tuple[bool, str, str, str]:
        # What has never said anything is counted, and does not push away what has.
        station = item.get("station", "")
        return "v" not in item, shown.names.get(station, station), item.get("device", ""), item["k"]

    return [_row(shown, item) for item in sorted(shown.items, key=place)]


def _row(shown: Shown, item: Item) -> list[Text]:
    lang, age = shown.lang, item.get("st", "never")
    old = shown.down is not None or age in ("stale", "lost")
    style = "dim" if old else ""
    station = item.get("station") or item["k"].partition("/")[0]
    what = word(item.get("quantity", item["k"]), lang)
    apart = [item[name] for name in ("direction", "level") if name in item]
    figure = value(item, lang)
    flag = word(f"flag_{item['q']}", lang) if "q" in item else ""
    if item.get("sim"):
        flag = f"{flag}, {word('simulated', lang)}"
    passed = duration((shown.now_ms - item["t"]) // 1000) if "t" in item else ""
    return [
        Text(shown.names.get(station, station)),
        Text(" ".join((what, *apart))),
        Text(f"({figure})" if old and figure else figure, style=style),
        Text(flag, style="" if item.get("q") in (None, 1) else "yellow"),
        Text(passed, style=style),
        Text(word(f"st_{age}", lang), style=STYLES.get(age, "")),
    ]


def _alerts(shown: Shown) -> list[list[Text]]:
    lang = shown.lang
    rows = []
    for alert in sorted(shown.alerts, key=_urgency):
        severity = alert["severity"]
        said = alert.get(f"message_{lang}") or f"{alert['rule']} {alert['k']}"
        since = alert.get("t_since")
        rows.append(
            [
                Text(word(f"severity_{severity}", lang), style=STYLES.get(severity, "")),
                Text(said, style="dim" if shown.down else ""),
                Text("" if since is None else moment(since, lang)),
                Text(word(f"state_{alert['state']}", lang)),
            ]
        )
    return rows


def _urgency(alert: Item) -> tuple[int, int, int]:
    """What nobody has taken on top, then the gravest, then the newest."""
    return (
        _rank(ATTENTION, alert["state"]),
        _rank(SEVERITIES, alert["severity"]),
        -alert.get("t_since", 0),
    )


def _rank(order: Sequence[str], which: str) -> int:
    return order.index(which) if which in order else len(order)


def value(item: Item, lang: Lang) -> str:
    """A figure with its unit; a bound with its side; "" before the first."""
    if "v" not in item:
        return ""
    number: float = item["v"]
    side = {"above": "> ", "below": "< "}.get(item.get("bound", ""), "")
    digits = 2 if abs(number) < 100 else 0
    figure = f"{number:.{digits}f}"
    unit = item.get("unit", "")
    if lang == "vi":
        figure, unit = figure.replace(".", ","), UNITS_VI.get(unit, unit)
    return f"{side}{figure} {'' if unit == '1' else unit}".rstrip()


def duration(seconds: int) -> str:
    """As short as can be read: 45s, 12m, 3h05, 2d."""
    if seconds < 0:
        return "0s"
    if seconds < 100:
        return f"{seconds}s"
    if seconds < 6_000:
        return f"{seconds // 60}m"
    if seconds < 172_800:
        return f"{seconds // 3600}h{seconds // 60 % 60:02d}"
    return f"{seconds // 86_400}d"


def moment(t_ms: int, lang: Lang) -> str:
    """Vietnam's time, with seconds: this is a screen for those who look after the service."""
    zone = "" if lang == "vi" else " +07"
    at = datetime.fromtimestamp(t_ms / 1000, UTC).astimezone(VIETNAM)
    return f"{at:%d/%m/%Y %H:%M:%S}{zone}"
