"""What `songtien demo` takes of the environment: nothing that leads out of the house."""

from pathlib import Path

from songtien.demo import demo_settings
from songtien.settings import load_settings

ENVIRON = {
    "SONGTIEN_WEBHOOK__DUTY__URL": "https://duty.example.vn/alerts",
    "SONGTIEN_WEBHOOK__DUTY__SECRET": "a-secret-of-sixteen",
    "SONGTIEN_WATCH__HEARTBEAT_URL": "https://beats.example.vn/songtien",
    "SONGTIEN_STORE__URL": "influxdb://influx.example.vn:8086/b?org=o",
    "SONGTIEN_STORE__TOKEN": "a-token",
    "SONGTIEN_CHANNEL__LOA__KIND": "file",
    "SONGTIEN_CHANNEL__LOA__PATH": "/var/spool/loa.jsonl",
    "SONGTIEN_AUTH__ANONYMOUS": "none",
}


def test_a_demo_calls_nobody_outside(tmp_path: Path) -> None:
    real = load_settings(None, ENVIRON)
    assert [each.name for each in real.webhooks] == ["duty"]
    assert real.watch.heartbeat_url is not None
    found = demo_settings(
        tmp_path, "mqtt://127.0.0.1:1", "mosquitto", {"HTTP__PORT": 8080}, ENVIRON
    )
    assert found.webhooks == ()
    assert real.store.historian is not None
    assert found.store.historian is None
    assert found.watch.heartbeat_url is None
    assert [each.name for each in real.channels] == ["loa"]
    [channel] = found.channels
    assert channel.own["path"] == tmp_path / "messages.jsonl", "people are told in a file alone"
    assert found.auth.anonymous == "none"
