"""The screens, built from `web/` into `api/pages`."""

import mimetypes
from pathlib import Path
from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from api.http.access import ServiceHere
from api.http.answer import accepts

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


PAGES: Final = frozenset(
    {"tram", "cau", "canh-bao", "con-nuoc", "ban-giao", "ban-tin", "ban-do", "thong-bao"}
)
"""First parts of the paths that the screen draws itself, as in `web/src/routes.ts`."""


PACKED: Final = (("br", ".br"), ("gzip", ".gz"))
"""Content codings of what `web/build.mjs` writes beside a file, the smallest first."""


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
    files = StaticFiles(directory=pages, check_dir=False)
    accepted = request.headers.get("accept-encoding")
    for coding, suffix in PACKED:
        if not accepts(coding, accepted):
            continue
        # What compresses well was written compressed when the pages were built.
        if not await anyio.to_thread.run_sync(_is_there, files, name + suffix):
            continue
        response = await _static(files, name + suffix, request, cache_control)
        response.headers["Content-Encoding"] = coding
        response.headers["Content-Type"] = _media_type(name)
        break
    else:
        response = await _static(files, name, request, cache_control)
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _is_there(files: StaticFiles, name: str) -> bool:
    try:
        return files.lookup_path(name)[1] is not None
    except (OSError, ValueError):  # longer than a name may be, or with a NUL in it
        return False


def _media_type(name: str) -> str:
    found = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


async def _static(files: StaticFiles, name: str, request: Request, cache_control: str) -> Response:
    response = await files.get_response(name, request.scope)
    response.headers["Cache-Control"] = cache_control
    return response
