"""What an officer's calls on the live socket come to, in the words of both doors."""

import asyncio
from typing import Any

from alerts.alert import Act, Action, Outcome
from api import service as door
from api.auth import Principal
from api.live.frames import AlertAck, AlertCall, AlertNote, AlertShelve
from api.live.server import CarryOut
from api.live.terms import Refused
from api.service import NOT_YET, OVER, VERDICTS, NotDurable, Service


def carrying_out(service: Service) -> CarryOut:
    """Carries out calls through the service, audited as those of HTTP are."""

    async def carry_out(principal: Principal, call: AlertCall) -> dict[str, Any] | Refused:
        try:
            acted = await door.carry_out(service, principal, _action(principal, call))
        except NotDurable as error:
            return Refused(503, f"nothing was done: {error}")
        except TimeoutError:
            return Refused(503, NOT_YET)
        code, words = VERDICTS[acted.outcome]
        if acted.outcome is Outcome.DONE:
            return {"alert": acted.alert}
        # An alert that is over is unknown to those who act; the records still have it.
        if code == 404 and await asyncio.to_thread(service.alert, call.id) is not None:
            return Refused(409, OVER)
        return Refused(code, words)

    return carry_out


def _action(principal: Principal, call: AlertCall) -> Action:
    match call:
        case AlertShelve():
            return Action(Act.SHELVE, call.id, call.ver, principal.name, call.reason, call.until)
        case AlertNote():
            act = Act.NOTE
        case AlertAck():
            act = Act.ACK
        case _:
            act = Act.UNSHELVE
    return Action(act, call.id, call.ver, principal.name, call.note or None)
