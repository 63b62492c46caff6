"""The hub as the pipeline's posts leave it."""

from pathlib import Path

from ingest.journal import Config
from songtien.mailbox import Post, last_of_each
from songtien.news import News
from songtien.screens import Screens
from tests.songtien.feed import BEGIN_MS, REGISTRY, RULES, probe
from tests.songtien.life import MINUTE, WITH_MT_03, life

KEY = "mt-03/salinity_g_l"


def test_values_of_a_series_that_came_in_the_same_post_are_shown(tmp_path: Path) -> None:
    """A new station in the registry, and its first reading, while the loop is busy."""
    with life(tmp_path) as one:
        one.append(Config(REGISTRY, RULES, 30.0), BEGIN_MS)
        one.pipeline.commit(one.journal.after(0, 9))
        screens = Screens.of_store(one.store, one.pipeline.parts(), one.pipeline.pictures())
        one.append(Config(WITH_MT_03, RULES, 30.0), BEGIN_MS + MINUTE)
        for n in (2, 3):
            sample = probe("mt-03", BEGIN_MS + n * MINUTE, seq=n, sal_g_l=float(n))
            one.hear(BEGIN_MS + n * MINUTE, sample)
        news: list[News] = []
        while one.pipeline.busy:
            news.extend(one.pipeline.commit(one.journal.after(one.pipeline.position, 9)))
        values = last_of_each(type(news[0].outcome.newest).concat([n.outcome.newest for n in news]))
        screens.take(Post(values, news, None))
        items, _ = screens.hub.items()
    assert [(i["v"], i["t"]) for i in items if i["k"] == KEY] == [(3.0, BEGIN_MS + 3 * MINUTE)]
