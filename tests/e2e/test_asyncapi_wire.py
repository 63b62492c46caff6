"""What a real service says on its socket and to its broker is what its AsyncAPI document says."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from tests.api.described import Described
from tests.conftest import Mosquitto
from tests.e2e.conftest import Serving
from tests.e2e.running import Service, eventually, now_ms, obs, publish, salinity_topic

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

BOOT = 17


class Listener:
    """All that a broker tells a stranger, retained messages included."""

    def __init__(self, port: int, file: Path) -> None:
        self._file = file
        command = ["mosquitto_sub", "-p", str(port), "-q", "1", "-t", "tiengiang/v1/#", "-F", "%j"]
        with file.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

    def heard(self) -> list[dict[str, Any]]:
        lines = self._file.read_text("utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def on(self, part: str) -> list[dict[str, Any]]:
        return [each for each in self.heard() if part in each["topic"]]


@pytest.fixture
def listener(broker: Mosquitto, tmp_path: Path) -> Iterator[Listener]:
    found = Listener(broker.port, tmp_path / "heard")
    yield found
    found.process.terminate()
    found.process.wait(10)


class Socket:
    """A client that answers pings, and holds each frame, of either side, against the document."""

    def __init__(self, connection: Connection, described: Described) -> None:
        self._connection = connection
        self._described = described
        self._id = 0
        self.heard: list[dict[str, Any]] = []

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send a request, and give its answer."""
        self._id += 1
        self._say({"op": op, "id": self._id, **fields})
        return self.until(lambda frame: frame.get("id") == self._id)

    def until(self, wanted: Any) -> dict[str, Any]:
        while True:
            frame = self._described.hold_frame(str(self._connection.recv(timeout=20)))
            self.heard.append(frame)
            if frame["op"] == "ping":
                self._say({"op": "pong"})
            if wanted(frame):
                return frame

    def call(self, method: str, alert: dict[str, Any], **more: Any) -> dict[str, Any]:
        told = self.ask("call", m=method, p={"id": alert["id"], "ver": alert["ver"], **more})
        found: dict[str, Any] = told["ok"]["alert"]
        return found

    def _say(self, frame: dict[str, Any]) -> None:
        text = json.dumps(frame)
        self._described.hold_frame(text)
        self._connection.send(text)


def test_frames_and_topics_are_as_documented(serving: Serving, listener: Listener) -> None:
    service = serving()
    eventually(lambda: service.ready, "ready")
    described = Described(service.get("/asyncapi.json").json())
    with connect(service.live_url, subprotocols=["live.v1"]) as connection:  # type: ignore[list-item]
        socket = Socket(connection, described)
        _signed_in(socket, service)
        _says(service, 1, 4.6)
        event = socket.until(lambda frame: frame["op"] == "event" and _of_the_probe(frame))
        _worked_on(socket, event["alert"])
        _says(service, 2, 0.2)
        socket.until(lambda frame: frame["op"] == "delta" and "xh-01" in json.dumps(frame["set"]))
    eventually(lambda: listener.on("/xh-01/ack"), "an ack")
    eventually(lambda: listener.on("/advice/"), "advice")
    eventually(lambda: listener.on("/canary"), "a canary")
    service.stop()
    eventually(lambda: listener.on("/server/")[-1]["payload"].count('"lost"'), "the last word")

    for each in listener.heard():
        described.hold_published(each["topic"], each.get("payload", ""))
        assert each["qos"] == 1
    assert described.seen >= {
        *("auth", "sub.state", "sub.alerts", "unsub", "hello", "sub_ok", "ret.unsub", "ret.call"),
        *("call.alert.ack", "call.alert.note", "call.alert.shelve", "call.alert.unshelve", "err"),
        *("snap.state", "snap.alerts", "delta", "event", "obs.salinity", "device.state", "ack"),
        *("server.state", "server.canary", "alert", "advice"),
    }


def _signed_in(socket: Socket, service: Service) -> None:
    assert socket.ask("auth", token=service.token("operator"))["op"] == "hello"
    assert (
        socket.ask("sub", chan="state", where={"kind": ["salinity"]}, max_hz=20)["op"] == "sub_ok"
    )
    socket.until(lambda frame: frame["op"] == "snap" and not frame["more"])
    assert socket.ask("sub", chan="alerts")["op"] == "sub_ok"
    # What no device has said yet is told of in time; one alert makes the snapshot tell.
    socket.until(lambda frame: frame["op"] == "snap" and not frame["more"])
    other = socket.ask("sub", chan="state", where={"station": ["vam-kenh"]})["sub"]
    assert socket.ask("unsub", sub=other)["op"] == "ret"
    assert socket.ask("unsub", sub=other)["code"] == 404


def _says(service: Service, seq: int, salinity_g_l: float) -> None:
    url, t_ms = service.settings["MQTT__URL"], now_ms() - 600_000 + seq * 60_000
    if seq == 1:
        link = json.dumps({"s": "ready", "boot": BOOT, "t": t_ms})
        publish(url, "tiengiang/v1/salinity/xuan-hoa/xh-01/state", link)
    sample = {"t": t_ms, "sal_g_l": salinity_g_l}
    publish(url, salinity_topic("xuan-hoa", "xh-01"), obs(sample, boot=BOOT, seq=seq))


def _of_the_probe(frame: dict[str, Any]) -> bool:
    return bool(frame["alert"].get("device") == "xh-01" and frame["type"] == "raised")


def _worked_on(socket: Socket, alert: dict[str, Any]) -> None:
    alert = socket.call("alert.note", alert, note="thợ đến lúc 9 giờ")
    alert = socket.call("alert.ack", alert, note="đã gọi người trực trạm")
    until = now_ms() + 3_600_000
    alert = socket.call("alert.shelve", alert, until=until, reason="đang thay đầu dò")
    alert = socket.call("alert.unshelve", alert)
    stale = socket.ask("call", m="alert.note", p={"id": alert["id"], "ver": 1, "note": "x"})
    assert stale["code"] == 409
    assert socket.ask("sub", chan="alerts", where={"severity": ["critical"]})["op"] == "sub_ok"
    socket.until(lambda frame: frame["op"] == "snap" and frame["items"])
