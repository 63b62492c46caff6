"""Links that break in other ways than being cut, and rivals under one client id."""

from dataclasses import replace
from itertools import count

import pytest

from ingest import mqtt
from ingest.broker import Subscription
from ingest.takeovers import mark
from tests.conftest import Mosquitto, _free_port
from tests.ingest.links import ROOT, Inbox, connected, said, until
from tests.relay import Relay

pytestmark = pytest.mark.broker

STATE_KEPT = "persistence true\nautosave_on_changes true\nautosave_interval 1"


def test_an_old_acknowledgement_settles_nothing_after_a_kill(mosquitto: Mosquitto) -> None:
    """The broker comes back without its state, and gives the same message ids anew."""
    mosquitto.stop()
    mosquitto.extra = STATE_KEPT
    mosquitto.start()
    with connected(mosquitto.port, "service") as service:
        inbox = Inbox(service.deliveries)
        with connected(mosquitto.port, "device") as device:
            for n in range(10):
                device.publish(f"{ROOT}/a", b"before %d" % n)
            old = [inbox.next() for _ in range(10)]
        mosquitto.kill()
        until(lambda: not service.connected)
        (mosquitto.directory / "mosquitto.db").unlink()
        mosquitto.start()
        until(lambda: service.connected)
        with connected(mosquitto.port, "device") as device:
            for n in range(10):
                device.publish(f"{ROOT}/a", b"behind %d" % n)
            new = [inbox.next() for _ in range(10)]
        assert {each[0] for _, each in new} & {each[0] for _, each in old}
        for link, published in old:
            link.ack([published])
        new[0][0].close()  # what was settled does not come again
        again = [inbox.next()[1][3] for _ in range(10)]
        assert again == [b"behind %d" % n for n in range(10)]


def test_ready_is_said_once_the_subscription_stands(mosquitto: Mosquitto) -> None:
    """Sooner, a broker without our session would drop what gateways send upon it."""
    mosquitto.stop()
    mosquitto.extra = "log_type all"
    mosquitto.start()
    with connected(mosquitto.port, "service"):
        log = mosquitto.directory / "mosquitto.log"
        until(lambda: "Sending PUBACK to service" in log.read_text())
        text = log.read_text()
    assert 0 < text.index("Sending SUBACK to service") < text.index("PUBLISH from service")


TIMES = count()


def marked(host: str, client: str) -> Subscription:
    """As a service speaks: each word has a time of its own, and tells the client id."""
    ours = mark(client)

    def word(state: str) -> bytes:
        return f"{state} {ours} {next(TIMES)}".encode()

    return replace(said(host), ready=lambda: word("ready"), lost=lambda: word("lost"), mark=ours)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("hosts", [("here", "here"), ("here", "there")])
def test_one_client_id_for_two_is_said_and_ends(
    mosquitto: Mosquitto,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    protocol: str,
    hosts: tuple[str, str],
) -> None:
    monkeypatch.setattr(mqtt, "QUIET_S", 1.5)
    monkeypatch.setattr(mqtt, "WAIT_S", (0.5, 1.0))
    said_by = [marked(host, "twin") for host in hosts]
    log = mosquitto.directory / "mosquitto.log"
    with connected(mosquitto.port, "twin", said_by[0], protocol) as one:
        with connected(mosquitto.port, "twin", said_by[1], protocol) as other:
            until(lambda: one.takeover is not None and other.takeover is not None)
            before = log.read_text().count("as twin (")
            assert '"twin"' in str(one.takeover)
            until(lambda: len(_errors(caplog)) == 2)
        until(lambda: one.takeover is None)
        assert one.connected
        assert len(_errors(caplog)) == 2, "once each"
        assert log.read_text().count("as twin (") - before < 8, "they do not fight"


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert all('"twin"' in each for each in found)
    return found


def test_a_broker_that_flaps_is_neither_a_rival_nor_an_old_one(mosquitto: Mosquitto) -> None:
    relay = Relay(mosquitto.port)
    try:
        with connected(relay.port, "service", marked("here", "service")) as service:
            for _ in range(5):
                relay.cut()
                until(lambda: not service.connected)
                relay.mend()
                until(lambda: service.connected)
            assert service.takeover is None
            # Nobody behind the relay: it takes connections and hangs up, as a broker of 3.1.1
            # alone does at a CONNECT of MQTT 5.
            relay.target = _free_port()
            relay.cut()
            relay.mend()
            until(lambda: not service.connected)
            service.trouble = None
            until(lambda: service.trouble not in (None, "connection lost"))
            relay.target = mosquitto.port
            until(lambda: service.connected)
            assert service.takeover is None
        log = (mosquitto.directory / "mosquitto.log").read_text()
        assert log.count("as service (p5,") >= 7
        assert "as service (p2," not in log
    finally:
        relay.close()


def test_a_way_that_swallows_everything_is_noticed(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "KEEPALIVE_S", 1)
    monkeypatch.setattr(mqtt, "CONNECT_TIMEOUT_S", 1.0)
    relay = Relay(mosquitto.port)
    try:
        with connected(relay.port, "service") as service:
            inbox = Inbox(service.deliveries)
            relay.swallow()
            until(lambda: not service.connected)
            with connected(mosquitto.port, "device") as device:
                device.publish(f"{ROOT}/a", b"meanwhile")
            until(lambda: service.trouble == "no answer to CONNECT")
            relay.mend()
            until(lambda: service.connected)
            assert inbox.next()[1][3] == b"meanwhile"
    finally:
        relay.close()
