"""Rules: those in force, why one held or did not, and reading their file anew."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from alerts.rules import Rule, watched
from api.http.access import Admin, ServiceHere, Viewer
from api.http.acts import told_if_not_done
from api.http.answer import answer, encoded
from api.http.health import example
from api.http.problem import Problem, documented
from api.http.rewind import Shown, caching
from api.http.series import found_series
from api.http.shapes import Explanation, Reloaded, Rules
from api.http.times import time_ms
from api.service import as_seen_by, reload_files
from ingest.registry import Registry
from ingest.series import SeriesTable

router = APIRouter()


@router.get(
    "/api/v1/rules",
    tags=["alerts"],
    summary="The rules in force",
    response_model=Rules,
    responses={
        200: example(
            {
                "version": "3c1d",
                "rules": [
                    {
                        "id": "salinity-4",
                        "quantity": "salinity_g_l",
                        "severity": "critical",
                        "ask": "above",
                        "raise_level": 4.0,
                        "clear_level": 3.6,
                        "version": "9d2e",
                        "watches": ["xuan-hoa", "my-tho"],
                    }
                ],
            }
        ),
        **documented("unauthorized", "invalid"),
    },
)
async def rules(request: Request, service: Shown, principal: Viewer) -> Response:
    """In the order of the file, defaults filled in, each with its version and source, and in
    `watches` the ids of the stations that it watches in the registry in force.
    """
    del principal
    found, series, registry = service.rules(), service.series(), service.registry()

    def told() -> bytes:
        listed = [
            rule.described() | {"watches": _watches(rule, series, registry)} for rule in found.rules
        ]
        return encoded({"version": found.version, "rules": listed})

    # Every rule meets every series, which is too long for the loop with thousands of them.
    body = await run_in_threadpool(told)
    return answer(
        body, accept_encoding=request.headers.get("accept-encoding"), headers=caching(request)
    )


def _watches(rule: Rule, series: SeriesTable, registry: Registry) -> list[str]:
    """Ids of the stations (of a mouth, its own) of which a rule watches a series, each once."""
    return list(dict.fromkeys(one.station or one.device for one in watched(rule, series, registry)))


@router.get(
    "/api/v1/explain",
    tags=["alerts"],
    summary="Why a rule held at a time, or did not",
    response_model=Explanation,
    responses={
        200: example(
            {
                "rule": "salinity-4",
                "series": "vk-01/salinity_g_l",
                "at": 1767000000000,
                "holds": False,
                "unmet": "hold",
                "text_vi": "chưa đủ thời gian: 300 trên 900 giây",
                "text_en": "not held for long enough: 300 of 900 s",
            }
        ),
        **documented("unauthorized", "not-found", "invalid"),
    },
)
async def explain(
    request: Request,
    service: ServiceHere,
    principal: Viewer,
    rule: Annotated[str, Query(max_length=80, description="id of a rule")],
    series: Annotated[str, Query(max_length=200, description="key of a series")],
    at: Annotated[str | None, Query(max_length=64, description="now where it is left out")] = None,
) -> Response:
    """From the stored samples: what the rule saw, and which of its conditions was not met."""
    if all(one.id != rule for one in service.rules().rules):
        raise Problem("not-found", f"there is no rule {rule!r}; /api/v1/rules lists them")
    key = found_series(series, service.series(), service.registry()).key
    at_ms = service.now_ms() if at is None else time_ms("at", at)
    found = await run_in_threadpool(service.explain, rule, key, at_ms)
    if found is None:
        raise Problem("not-found", f"nothing is kept of {key} around {at_ms}")
    body = encoded(as_seen_by(principal, found))
    return answer(body, accept_encoding=request.headers.get("accept-encoding"))


@router.post(
    "/api/v1/rules/reload",
    tags=["operators"],
    summary="Read the rules' and the stations' files anew",
    response_model=Reloaded,
    responses={
        200: example({"reloaded": True}),
        **documented("unauthorized", "forbidden", "invalid", "busy"),
    },
)
async def reload(service: ServiceHere, principal: Admin) -> Response:
    """As SIGHUP does: alerts go on, each with the version of the rule that raised it. Where a
    file has faults nothing is changed, and 422 names each by file, line, key and what is
    accepted. For an admin; written into the audit.
    """
    with told_if_not_done():
        faults = await reload_files(service, principal)
    if faults:
        errors = [{"in": "file", "name": "", "detail": fault} for fault in faults]
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        detail = f"nothing was changed: {'; '.join(faults[:3])}{more}"
        raise Problem("invalid", detail, more={"errors": errors})
    return answer(encoded({"reloaded": True}))
