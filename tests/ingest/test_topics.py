import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest import topics
from ingest.refusal import Reason, Refusal
from ingest.topics import Own, Topic, parse

ROOTS = ("tiengiang", "song/tien", "a")
ids = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)


def refused(topic: str, root: str = "tiengiang") -> str:
    found = parse(topic, root)
    assert isinstance(found, Refusal), found
    assert found.reason is Reason.TOPIC
    return found.detail


@pytest.mark.parametrize("leaf", ["obs", "state", "meta", "ack"])
def test_a_device_topic(leaf: str) -> None:
    found = parse(f"tiengiang/v1/traffic/rach-mieu-1/cam-01/{leaf}", "tiengiang")
    assert found == Topic("traffic", "rach-mieu-1", "cam-01", leaf)  # type: ignore[arg-type]


def test_the_topic_of_the_contract() -> None:
    topic = "tiengiang/v1/salinity/vam-kenh/vk-01/obs"
    assert parse(topic, "tiengiang") == Topic("salinity", "vam-kenh", "vk-01", "obs")


@pytest.mark.parametrize(
    ("topic", "own"),
    [
        ("server/gate-1/state", Own("state", "gate-1")),
        ("server/gate-1/canary", Own("canary", "gate-1")),
        ("server/gate-1/test", Own("test", "gate-1")),
        ("alerts/salinity-4/vk-01/salinity_g_l", Own("alerts")),
        ("alerts/jam/cam-01/southbound/speed_km_h", Own("alerts")),
        ("advice/xuan-hoa", Own("advice")),
    ],
)
def test_what_servers_say_is_known_as_such(topic: str, own: Own) -> None:
    assert parse(f"tiengiang/v1/{topic}", "tiengiang") == own


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("", "'': accepted are topics under tiengiang/v1/"),
        ("tiengiang", "accepted are topics under tiengiang/v1/"),
        ("tiengiang/v2/salinity/a/b/obs", "accepted are topics under tiengiang/v1/"),
        ("other/v1/salinity/a/b/obs", "accepted are topics under tiengiang/v1/"),
        ("xtiengiang/v1/salinity/a/b/obs", "accepted are topics under tiengiang/v1/"),
        ("tiengiang/v1/", "is one of salinity, traffic"),
        ("tiengiang/v1/wind/a/b/obs", "is one of salinity, traffic"),
        ("tiengiang/v1/Salinity/a/b/obs", "is one of salinity, traffic"),
        ("tiengiang/v1/alerts", "is one of salinity, traffic"),
        ("tiengiang/v1/salinity/a/b", "{station}/{device}/{leaf}"),
        ("tiengiang/v1/salinity/a/b/obs/x", "{station}/{device}/{leaf}"),
        ("tiengiang/v1/salinity/a/b/obs/", "{station}/{device}/{leaf}"),
        ("tiengiang/v1/salinity/a/b/values", "leaf = 'values': accepted is one of obs, state"),
        ("tiengiang/v1/salinity/Vàm-Kênh/b/obs", "station = 'Vàm-Kênh': accepted is an id"),
        ("tiengiang/v1/salinity/a//obs", "device = '': accepted is an id"),
        ("tiengiang/v1/salinity/a/b\n/obs", r"device = 'b\n': accepted is an id"),
        ("tiengiang/v1/salinity/a/٣/obs", "device = '٣': accepted is an id"),
        (f"tiengiang/v1/salinity/a/{'b' * 41}/obs", "1 to 40 characters"),
        ("tiengiang/v1/server/Host/state", "host = 'Host': accepted is an id"),
        ("tiengiang/v1/server/a/obs", "{host}/canary or {host}/test"),
        ("tiengiang/v1/server/a/state/x", "{host}/canary or {host}/test"),
    ],
)
def test_everything_else_is_refused_with_what_is_accepted(topic: str, says: str) -> None:
    assert says in refused(topic)


def test_a_root_of_several_parts_is_not_confused_with_its_beginning() -> None:
    topic = "song/tien/v1/salinity/vam-kenh/vk-01/obs"
    assert parse(topic, "song/tien") == Topic("salinity", "vam-kenh", "vk-01", "obs")
    assert "song/v1/" in refused(topic, "song")


@given(root=st.sampled_from(ROOTS), station=ids, device=ids, kind=st.sampled_from(topics.KINDS))
def test_what_the_builders_make_is_read_back(
    root: str, station: str, device: str, kind: topics.Kind
) -> None:
    made = {
        "obs": topics.obs_topic(root, kind, station, device),
        "state": topics.state_topic(root, kind, station, device),
        "meta": topics.meta_topic(root, kind, station, device),
        "ack": topics.ack_topic(root, kind, station, device),
    }
    for leaf, topic in made.items():
        assert parse(topic, root) == Topic(kind, station, device, leaf)  # type: ignore[arg-type]
    assert parse(topics.server_state_topic(root, device), root) == Own("state", device)
    assert parse(topics.canary_topic(root, device), root) == Own("canary", device)
    assert parse(topics.self_test_topic(root, device), root) == Own("test", device)
    assert parse(topics.alert_topic(root, station, "vk-01/salinity_g_l"), root) == Own("alerts")
    assert parse(topics.advice_topic(root, station), root) == Own("advice")
    assert topics.subscription(root) == f"{root}/v1/#"


@pytest.mark.parametrize("device", ["", "VK-01", "a/b", "+", "#", "a" * 41])
def test_builders_make_no_topic_of_a_bad_id(device: str) -> None:
    with pytest.raises(ValueError, match="accepted are 1 to 40"):
        topics.obs_topic("tiengiang", "salinity", "vam-kenh", device)


def test_builders_make_no_topic_of_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="accepted is one of salinity, traffic"):
        topics.obs_topic("tiengiang", "wind", "vam-kenh", "vk-01")


@given(
    topic=st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(
                ["tiengiang", "v1", "salinity", "server", "alerts", "obs", "state", "a", "", "+"]
            )
        ).map("/".join),
    )
)
@example(topic="tiengiang/v1/salinity/\ud800/b/obs")
def test_any_text_gives_a_topic_or_a_refusal_that_can_be_written_down(topic: str) -> None:
    found = parse(topic, "tiengiang")
    assert isinstance(found, Topic | Own | Refusal)
    if isinstance(found, Refusal):
        found.detail.encode()
        assert found.detail.isprintable()
        assert "accepted" in found.detail
        assert len(found.detail) < 400
