"""No message, however odd, may stop the processor: it would be stepped again at every start."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.journal import Messages
from tests.songtien.feed import BEGIN_MS, ROOT, River

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 10**30, 1e308, -0.0, 0.5, 1e-320]),
    st.sampled_from(
        [BEGIN_MS, BEGIN_MS - 1, BEGIN_MS + 10**9, 946_684_800_000, 253_402_300_799_999]
    ),
    st.text(max_size=5),
    st.sampled_from(["southbound", "ready", "sleeping", "lost", "\x00", "𝕏", "\ufeff"]),
    st.just({}),
    st.just([]),
)
COUNTS = st.dictionaries(st.sampled_from(["car", "bus", "tàu", ""]), ODD, max_size=3)


def objects(names: list[str], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={**dict.fromkeys(names, ODD), **more})


SALINITY = objects(
    ["t", "ec_ms_cm", "ec25_ms_cm", "sal_g_l", "temp_c", "depth_m", "level_m", "battery_v", "sim"],
    t=st.one_of(ODD, st.integers(BEGIN_MS - 10, BEGIN_MS)),
    sal_g_l=st.one_of(ODD, st.floats(0, 100)),
    ec_ms_cm=st.one_of(ODD, st.floats(0, 200)),
    temp_c=st.one_of(ODD, st.floats(-5, 60)),
)
TRAFFIC = objects(
    ["speed_km_h", "occupancy", "queue_m", "health", "sim"],
    t0=st.one_of(ODD, st.just(BEGIN_MS - 60_000)),
    t1=st.one_of(ODD, st.integers(BEGIN_MS - 59_999, BEGIN_MS)),
    lane=st.one_of(ODD, st.integers(1, 2)),
    dir=st.one_of(ODD, st.just("southbound")),
    count=COUNTS,
    cumulative=COUNTS,
)


def message(samples: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    whole = objects(
        ["boot", "seq", "v"], v=st.just(1), samples=st.lists(st.one_of(samples, ODD), max_size=4)
    )
    return whole.map(lambda each: json.dumps(each).encode())


STATE = objects(["s", "boot", "t", "until"], s=st.sampled_from(["ready", "sleeping", "lost"]))
TOPICS = st.one_of(
    st.sampled_from(
        [f"{ROOT}/v1/server/x/canary", f"{ROOT}/v1/alerts/x", f"{ROOT}/v1/server", ROOT, ""]
    ),
    st.text(max_size=20),
)
ANYTHING = st.one_of(
    st.tuples(st.just(f"{ROOT}/v1/salinity/my-tho/mt-01/obs"), message(SALINITY)),
    st.tuples(st.just(f"{ROOT}/v1/traffic/bridge/cam-01/obs"), message(TRAFFIC)),
    st.tuples(
        st.sampled_from([f"{ROOT}/v1/salinity/my-tho/mt-01/{leaf}" for leaf in ("state", "meta")]),
        STATE.map(lambda each: json.dumps(each).encode()),
    ),
    st.tuples(
        st.one_of(TOPICS, st.just(f"{ROOT}/v1/salinity/my-tho/mt-01/obs")), st.binary(max_size=30)
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(ANYTHING, min_size=1, max_size=6), max_size=5))
def test_whatever_is_sent_the_processor_goes_on_and_its_accounts_are_exact(
    entries: list[list[tuple[str, bytes]]],
) -> None:
    river = River()
    for n, messages in enumerate(entries):
        topics, payloads = zip(*messages, strict=True)
        river.step(BEGIN_MS + n * 20_000, Messages(list(topics), list(payloads)))
        counts = river.ledger.read()
        settled = counts.stored + counts.duplicate + sum(counts.rejected.values())
        assert counts.received == settled
        assert counts.in_flight == 0
    before = river.snapshot()
    river.restart(before, river.position)
    assert river.snapshot() == before
    river.tick(BEGIN_MS + 10**9)
    river.store.close()
