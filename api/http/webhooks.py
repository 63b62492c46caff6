"""Webhooks, for the operators who see to it that their receivers hear."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from alerts.webhook import WebhookStatus
from api.http.access import Operator, ServiceHere
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import documented
from api.http.shapes import Webhooks

router = APIRouter()


@router.get(
    "/api/v1/webhooks",
    tags=["operators"],
    summary="Webhooks, and what they could not deliver",
    response_model=Webhooks,
    responses={
        200: example(
            {
                "webhooks": [
                    {
                        "name": "truc_ban",
                        "host": "https://truc.example.vn",
                        "events": [],
                        "min_severity": "warning",
                        "simulated": False,
                        "pending": 1,
                        "oldest": 1767000000120,
                        "trouble": "status 503",
                        "last_success": 1766990000000,
                        "delivered": 41,
                        "retries": 7,
                        "undelivered_count": 1,
                        "undelivered": [
                            {
                                "pos": 812,
                                "key": "5f1a0c9be2d47788-812",
                                "alert": "5f1a0c9be2d47788",
                                "type": "raised",
                                "at": 1766900000120,
                                "given_up": 1766900019000,
                                "tries": 5,
                                "why": "refused 5 times: status 422",
                            }
                        ],
                    }
                ]
            }
        ),
        **documented("unauthorized", "forbidden"),
    },
)
async def webhooks(service: ServiceHere, principal: Operator) -> Response:
    """How far each receiver is, and the newest 100 events that it did not get. A URL is shown
    without its path, which may hold a secret.
    """
    del principal
    found = await run_in_threadpool(service.outside.webhooks)
    return answer(encoded({"webhooks": [_shown(each) for each in found]}))


def _shown(status: WebhookStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "host": status.host,
        "events": status.events,
        "min_severity": status.min_severity,
        "simulated": status.simulated,
        "pending": status.pending,
        "oldest": status.oldest_ms,
        "trouble": status.trouble,
        "last_success": status.last_success_ms,
        "delivered": status.delivered,
        "retries": status.retries,
        "undelivered_count": status.undelivered_count,
        "undelivered": [
            {
                "pos": each.pos,
                "key": each.key,
                "alert": each.alert,
                "type": each.type,
                "at": each.at_ms,
                "given_up": each.given_up_ms,
                "tries": each.tries,
                "why": each.why,
            }
            for each in status.undelivered
        ],
    }
