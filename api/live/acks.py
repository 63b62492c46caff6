"""What an officer's `alert.ack` comes to on the live socket, in the words of both doors."""

import asyncio
from typing import Any

from alerts.alert import Outcome
from api.auth import Principal
from api.live.frames import AlertAck
from api.live.server import Ack
from api.live.session import Refused
from api.service import VERDICTS, NotDurable, Service, acknowledge


def acknowledger(service: Service) -> Ack:
    """Carries out acknowledgements through the service, audited as those of HTTP are."""

    async def carry_out(principal: Principal, ack: AlertAck) -> dict[str, Any] | Refused:
        try:
            acted = await acknowledge(service, principal, ack.id, ack.ver, ack.note or "")
        except NotDurable as error:
            return Refused(503, f"nothing was done: {error}")
        code, words = VERDICTS[acted.outcome]
        if acted.outcome is Outcome.DONE:
            return {"alert": acted.alert}
        # An alert that is over is unknown to those who act; the records still have it.
        if code == 404 and await asyncio.to_thread(service.alert, ack.id) is not None:
            return Refused(409, "the alert is over; nothing was done")
        return Refused(code, words)

    return carry_out
