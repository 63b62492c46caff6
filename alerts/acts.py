"""What officers do to an alert: acknowledge, note, shelve, take off the shelf.

An officer names the version that he has seen. Of two who act at once the second is refused and
shown what the first has done, so that they never overwrite each other. A reminder that came
between his look and his click is no reason to refuse him.
"""

from typing import Final

from alerts.alert import Act, Acted, Action, Alert, AlertEvent, EventType, Outcome, alert_body
from alerts.ledger import Ledger, event
from alerts.lifecycle import HOLDING, Step, allowed
from alerts.shelves import end_allowed

NOTE_LENGTH: Final = 2_000


def act(ledger: Ledger, action: Action, now_ms: int) -> Acted:
    """Do what a person asks, if he has seen the alert as it is."""
    alert = ledger.open.get(action.alert)
    if alert is None or not alert.told:
        return Acted(Outcome.NOT_FOUND, None)
    note = (action.note or "").strip()[:NOTE_LENGTH] or None
    refused = _refused(alert, action, note, now_ms)
    if refused is not None:
        return Acted(refused, alert_body(alert))
    events = _DO[action.act](ledger, alert, action, note, now_ms)
    return Acted(Outcome.DONE, events[0].alert, tuple(events))


def _refused(alert: Alert, action: Action, note: str | None, now_ms: int) -> Outcome | None:
    if not alert.acts_from <= action.ver <= alert.ver:
        return Outcome.STALE
    not_now = {
        Act.ACK: not allowed(alert.state, Step.ACKED),
        Act.NOTE: False,
        Act.SHELVE: alert.state not in HOLDING,
        Act.UNSHELVE: alert.shelved_until_ms < 0,
    }
    if not_now[action.act]:
        return Outcome.NOT_NOW
    if action.act in (Act.NOTE, Act.SHELVE) and note is None:
        return Outcome.EMPTY
    if action.act is Act.SHELVE and not end_allowed(action.until_ms, now_ms):
        return Outcome.NO_END
    return None


def _ack(
    ledger: Ledger, alert: Alert, action: Action, note: str | None, now_ms: int
) -> list[AlertEvent]:
    alert.t_acked_ms = now_ms
    ledger.move(alert, Step.ACKED, now_ms)
    return [event(EventType.ACKED, alert, now_ms, who=action.who, note=note)]


def _note(
    ledger: Ledger, alert: Alert, action: Action, note: str | None, now_ms: int
) -> list[AlertEvent]:
    ledger.changed(alert, now_ms)
    return [event(EventType.NOTED, alert, now_ms, who=action.who, note=note)]


def _shelve(
    ledger: Ledger, alert: Alert, action: Action, note: str | None, now_ms: int
) -> list[AlertEvent]:
    assert action.until_ms is not None
    ledger.shelves.put(alert, action.until_ms, note or "")
    ledger.changed(alert, now_ms)
    until = {"until": action.until_ms}
    return [
        event(EventType.SHELVED, alert, now_ms, who=action.who, note=note, evidence=until),
    ]


def _unshelve(
    ledger: Ledger, alert: Alert, action: Action, note: str | None, now_ms: int
) -> list[AlertEvent]:
    """The whole shelf is empty: an older alert of the rule that still lies there comes along."""
    others = [each for each in ledger.on_shelf(alert.key) if each is not alert]
    return take_off(ledger, [alert, *others], now_ms, action.who, note)


def take_off(
    ledger: Ledger,
    alerts: list[Alert],
    now_ms: int,
    who: str | None = None,
    note: str | None = None,
) -> list[AlertEvent]:
    """Take alerts off their shelf, which is at its end."""
    events = []
    for alert in alerts:
        ledger.shelves.end(alert.key)
        alert.shelved_until_ms, alert.shelved_why = -1, ""
        ledger.changed(alert, now_ms)
        events.append(event(EventType.UNSHELVED, alert, now_ms, who=who, note=note))
    return events


_DO: Final = {
    Act.ACK: _ack,
    Act.NOTE: _note,
    Act.SHELVE: _shelve,
    Act.UNSHELVE: _unshelve,
}
