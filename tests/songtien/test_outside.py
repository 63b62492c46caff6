"""What the service takes of its own words, and what it leaves."""

from songtien.outside import said_by_us


def test_of_our_own_words_only_canary_and_test_come_in() -> None:
    ours = said_by_us("a/b")
    server, alerts = "a/b/v1/server/here", "a/b/v1/alerts"
    taken = (
        f"{server}/canary",
        f"{server}/test",
        f"{alerts}/songtien-self-test/songtien/self-test",
        "a/b/v1/salinity/vam-kenh/vk-01/obs",
    )
    assert [topic for topic in taken if ours(topic)] == []
    left = (
        f"{server}/state",
        f"{alerts}/songtien-self-test-failed/songtien/self-test-failed",
        f"{alerts}/salinity-4/vk-01/salinity_g_l",
        "a/b/v1/advice/gate",
        "a/b/v1/salinity/vam-kenh/vk-01/ack",
    )
    assert [topic for topic in left if not ours(topic)] == []
