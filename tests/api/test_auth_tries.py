"""How often a password may be tried: time is a number here."""

from api.auth.tries import FORGIVEN_MS, KEPT_MAX, Limit, Tries, address_group

NOW_MS = 1_767_000_000_000
OFFICE, ELSEWHERE = "10.0.0.9", "203.0.113.7"


def failed(tries: Tries, name: str, address: str, now_ms: int, times: int) -> int:
    """Try as often, waiting as asked; when the last was tried."""
    for _ in range(times):
        wait_ms = tries.begin(name, address, now_ms)
        now_ms += wait_ms
        assert wait_ms == 0 or tries.begin(name, address, now_ms) == 0
    return now_ms


def test_waits_grow_and_have_an_end() -> None:
    tries = Tries()
    waits = []
    now_ms = NOW_MS
    for _ in range(13):
        wait_ms = tries.begin("an", OFFICE, now_ms)
        waits.append(wait_ms)
        now_ms += wait_ms
        if wait_ms:
            assert tries.begin("an", OFFICE, now_ms) == 0
    rounded = [round(wait_ms / 1000) for wait_ms in waits]
    assert rounded[:5] == [0] * 5
    assert rounded[5:8] == [1, 2, 4]
    assert rounded == sorted(rounded)
    assert max(waits) <= 60_000


def test_many_at_once_are_many() -> None:
    tries = Tries()
    assert [tries.begin("an", OFFICE, NOW_MS) > 0 for _ in range(8)] == [False] * 5 + [True] * 3


def test_an_address_that_tries_many_names_waits_up_to_a_quarter_of_an_hour() -> None:
    tries = Tries()
    waits = [tries.begin(f"name {number}", ELSEWHERE, NOW_MS) for number in range(30)]
    assert waits[:20] == [0] * 20
    assert all(waits[20:])
    now_ms = NOW_MS
    for number in range(30, 60):
        wait_ms = tries.begin(f"name {number}", ELSEWHERE, now_ms)
        assert wait_ms <= 900_000
        now_ms += wait_ms
        tries.begin(f"name {number}", ELSEWHERE, now_ms)
    assert tries.begin("name 60", ELSEWHERE, now_ms) > 120_000
    assert tries.begin("name 60", OFFICE, now_ms) == 0


def test_success_clears_the_name_and_time_forgives() -> None:
    tries = Tries()
    now_ms = failed(tries, "an", OFFICE, NOW_MS, 5)
    now_ms += tries.begin("an", OFFICE, now_ms)
    assert tries.begin("an", OFFICE, now_ms) == 0
    tries.succeeded("an", OFFICE)
    assert tries.begin("an", OFFICE, now_ms) == 0
    now_ms = failed(tries, "binh", ELSEWHERE, NOW_MS, 8)
    later_ms = now_ms + 8 * FORGIVEN_MS
    assert [tries.begin("binh", ELSEWHERE, later_ms) for _ in range(5)] == [0] * 5


def test_nobody_keeps_an_officer_out_of_the_machine_they_have_used() -> None:
    tries = Tries()
    tries.begin("an", OFFICE, NOW_MS)
    tries.succeeded("an", OFFICE)
    now_ms = failed(tries, "an", ELSEWHERE, NOW_MS, 12)
    assert tries.begin("an", ELSEWHERE, now_ms) > 0
    assert tries.begin("an", "198.51.100.1", now_ms) > 0
    assert tries.begin("an", OFFICE, now_ms) == 0


def test_what_was_not_tried_does_not_count() -> None:
    tries = Tries(name=Limit(1, 60))
    assert tries.begin("an", OFFICE, NOW_MS) == 0
    tries.not_tried("an", OFFICE)
    assert tries.begin("an", OFFICE, NOW_MS) == 0
    assert tries.begin("an", OFFICE, NOW_MS) > 0


def test_what_is_remembered_is_bounded() -> None:
    tries = Tries()
    for number in range(KEPT_MAX):
        tries.begin(f"name {number}", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0)
        tries.succeeded(f"other {number}", "10.0.0.1")
    assert len(tries._counts) <= KEPT_MAX
    assert len(tries._known) <= KEPT_MAX


def test_a_clock_that_was_set_back_keeps_nobody_out() -> None:
    tries = Tries()
    ahead_ms = failed(tries, "an", OFFICE, NOW_MS + 14 * 365 * 86_400_000, 8)
    wait_ms = tries.begin("an", OFFICE, NOW_MS)
    assert 0 < wait_ms <= 60_000 < ahead_ms - NOW_MS
    assert tries.begin("an", OFFICE, NOW_MS + wait_ms) == 0


def test_addresses_of_one_subscriber_are_one() -> None:
    assert address_group("2001:db8:1:2:aaaa::1") == address_group("2001:db8:1:2:bbbb::9")
    assert address_group("2001:db8:1:2::1") != address_group("2001:db8:1:3::1")
    assert address_group("::ffff:10.0.0.9") == address_group("10.0.0.9") == "10.0.0.9"
    assert address_group("fe80::1%eth0") == "fe80::"
    assert len(address_group("x" * 1000)) == 64
