"""What may stand in a question: a parameter that a route does not know is refused by name.

Passed over, `?form=…` in place of `?from=…` would be answered with the whole, and nobody would
notice. One dependency of the whole application; what a route knows is read off its signature.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.http.problem import Problem

PREFIX: Final = "/api/v1/"
NAMED_MAX: Final = 5
SHOWN_MAX: Final = 40


async def known_query(request: Request) -> None:
    """Refuse (422) each name in the query of a request to the API that its route doesn't know."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    if not route.path.startswith(PREFIX):
        return
    known = frozenset(_names(route.dependant))
    strange = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if not strange:
        return
    accepted = f"accepted are {', '.join(sorted(known))}" if known else "none is accepted here"
    faults = []
    for name in strange[:NAMED_MAX]:
        near = get_close_matches(name, known, n=2)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        detail = f"there is no such parameter; {hint}{accepted}"
        faults.append({"in": "query", "name": name[:SHOWN_MAX], "detail": detail})
    summary = "; ".join(f"{fault['name']}: {fault['detail']}" for fault in faults)
    raise Problem("invalid", summary, more={"errors": faults})


def _names(dependant: Any) -> Iterator[str]:
    """Names of a route's parameters and of those of what it depends on, as callers write them."""
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, inner in annotation.model_fields.items():
                yield inner.alias or name
        else:
            yield field.alias
    for inner in dependant.dependencies:
        yield from _names(inner)
