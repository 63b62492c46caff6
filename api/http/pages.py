"""The screens, built from `web/` into `api/pages`."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from api.http.access import ServiceHere

router = APIRouter(include_in_schema=False)

_UNBUILT: Final = """\
<!doctype html><html lang="vi"><meta charset="utf-8"><title>Sông Tiền</title>
<link rel="icon" href="data:,">
<h1>Chưa có trang màn hình</h1>
<p>Dịch vụ đang chạy, nhưng trang màn hình chưa được dựng. Trong thư mục của dự án, hãy chạy
<code>make pages</code> (cần Node 20 trở lên), rồi tải lại trang này.</p>
<p lang="en">The service runs, but its screen has not been built. In the project's directory run
<code>make pages</code> (needs Node 20 or newer), then load this page again.</p>
<p><a href="/docs/http">HTTP API</a></p></html>
"""


PAGES: Final = frozenset({"tram", "cau", "canh-bao", "con-nuoc", "ban-giao", "ban-tin", "ban-do"})
"""First parts of the paths that the screen draws itself, as in `web/src/routes.ts`."""


@router.get("/")
async def screen(request: Request, service: ServiceHere) -> Response:
    """The operations-centre screen, or how to build it."""
    if not (service.pages / "index.html").is_file():
        return HTMLResponse(_UNBUILT, status_code=503)
    return await _file(service.pages, "index.html", request)


@router.get("/assets/{path:path}")
async def asset(request: Request, service: ServiceHere, path: str) -> Response:
    """Files whose names carry a hash of their content: they never change."""
    return await _file(
        service.pages, f"assets/{path}", request, "public, max-age=31536000, immutable"
    )


@router.get("/{page}/{subject}")
async def page_of(request: Request, service: ServiceHere, page: str, subject: str) -> Response:
    """A page of one thing: the screen finds out which by its address."""
    if page not in PAGES or "." in subject:
        raise HTTPException(404)
    return await screen(request, service)


@router.get("/{name}")
async def top_file(request: Request, service: ServiceHere, name: str) -> Response:
    """A page, or what stands beside index.html: scripts, styles, icons, the manifest."""
    if name in PAGES:
        return await screen(request, service)
    if "." not in name:
        raise HTTPException(404)
    return await _file(service.pages, name, request)


async def _file(
    pages: Path, name: str, request: Request, cache_control: str = "no-cache"
) -> Response:
    # StaticFiles keeps inside its directory, whatever the path says.
    return await _static(
        StaticFiles(directory=pages, check_dir=False), name, request, cache_control
    )


async def _static(files: StaticFiles, name: str, request: Request, cache_control: str) -> Response:
    response = await files.get_response(name, request.scope)
    response.headers["Cache-Control"] = cache_control
    return response
