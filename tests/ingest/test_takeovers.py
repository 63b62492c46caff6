"""Whether another client goes by our name: what counts, and what does not."""

from ingest.takeovers import TAKEOVERS, WITHIN_S, Takeovers, in_words, mark

OURS = mark("songtien")


def noted(takeovers: Takeovers, *times_s: float) -> None:
    for at_s in times_s:
        takeovers.told(at_s)


def test_the_third_within_a_minute_counts() -> None:
    takeovers = Takeovers(OURS)
    noted(takeovers, 0.0, 1.0)
    assert not takeovers.contested
    noted(takeovers, WITHIN_S - 0.1)
    assert takeovers.contested


def test_three_that_are_further_apart_do_not() -> None:
    takeovers = Takeovers(OURS)
    noted(takeovers, *(n * WITHIN_S / (TAKEOVERS - 1) for n in range(10)))
    assert not takeovers.contested
    noted(takeovers, 500.0, 501.0, 502.0)
    assert takeovers.contested


def test_quiet_ends_it_and_three_more_are_needed() -> None:
    takeovers = Takeovers(OURS)
    noted(takeovers, 0.0, 1.0, 2.0)
    takeovers.quiet()
    assert not takeovers.contested
    noted(takeovers, 3.0, 4.0)
    assert not takeovers.contested
    noted(takeovers, 5.0)
    assert takeovers.contested


def word(number: int, client_mark: str = OURS) -> bytes:
    return b'{"s":"ready","t":%d,"client":"%s"}' % (number, client_mark.encode())


def heard(takeovers: Takeovers, *words: bytes) -> bool:
    """Each on a connection of its own."""
    for number, each in enumerate(words):
        takeovers.begin(b"will %d" % number)
        takeovers.hear(each, 1.0)
    return takeovers.contested


def test_new_words_under_our_mark_count() -> None:
    assert heard(Takeovers(OURS), word(1), word(2), word(3))


def test_words_on_one_connection_are_one_takeover() -> None:
    takeovers = Takeovers(OURS)
    takeovers.begin(b"will")
    for n in range(10):
        takeovers.hear(word(n), 1.0)
    assert not takeovers.contested


def test_words_that_stay_or_are_of_others_or_ours_do_not() -> None:
    assert not heard(Takeovers(OURS), *[word(1)] * 10), "retained, and heard at each connection"
    assert not heard(Takeovers(OURS), *(word(n, mark("another")) for n in range(10)))
    assert not heard(Takeovers(""), *(word(n) for n in range(10)))
    takeovers = Takeovers(OURS)
    assert not heard(takeovers, *(takeovers.saying(word(n)) for n in range(10)))


def test_a_takeover_that_is_told_and_heard_of_is_one() -> None:
    takeovers = Takeovers(OURS)
    for n in range(2):
        takeovers.told(float(n))
        assert not heard(takeovers, word(n))
    takeovers.told(3.0)
    assert takeovers.contested


def test_the_mark_does_not_tell_the_name_and_the_words_do() -> None:
    assert mark("songtien") != mark("songtien-2")
    assert "songtien" not in OURS
    assert '"songtien-2"' in in_words("songtien-2", "mqtt://h:1883")
