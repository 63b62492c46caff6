"""Messages for farmers, by plain forms: signing up, the code, what is stored, stopping.

No cookie and no session: whoever holds the token in the path may act. It stands in no log, and
pages with it are kept by no cache and tell no other site their address.
"""

import re
from dataclasses import replace
from urllib.parse import parse_qsl

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.farmpage import mine, plain, signup
from api.farmpage.asked import asked
from api.farmpage.filled import Filled, Form, changes, filled, first, more
from api.farmpage.signwords import CHANGE, CONFIRM, SIGNUP, sign_words
from api.http.access import ServiceHere, Viewer
from api.http.nongdan import FarmRoute, assets_of, html, refused
from api.http.people import on_worker
from api.http.problem import Problem
from api.http.session import address_of
from api.live.origin import split_origin
from api.people.addresses import AddressKind
from api.people.people import People
from api.people.terms import ChangeWhy, ConfirmWhy, SignedUp, SignupWhy
from api.service import Service

FIELDS_MAX = 120
WORKER = "farm-sw.js"
FORM = "application/x-www-form-urlencoded"
TYPED = (AddressKind.PHONE, AddressKind.EMAIL, AddressKind.TELEGRAM, AddressKind.TOPIC)
"""Addresses that somebody can type."""

PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
# With no-referrer browsers send `Origin: null` with forms of the page itself, too; with this one
# the address in which a token stands is told nobody, nor any log in which referrers stand.
OWN = PRIVATE | {"Referrer-Policy": "strict-origin"}

SAID = {"xong": "confirmed", "luu": "changed", "them": "added"}
"""What has just been done, as an address says it, in `api.farmpage.signwords`."""

router = APIRouter(include_in_schema=False, route_class=FarmRoute)


@router.get("/nong-dan/sw.js")
async def worker(service: ServiceHere) -> Response:
    """What shows messages in a browser; it may work for the whole of this page."""
    path = service.pages / WORKER
    try:
        body = await to_thread.run_sync(path.read_bytes)
    except OSError:
        raise Problem("not-found", "the pages have not been built") from None
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/nong-dan"}
    return Response(body, media_type="text/javascript", headers=headers)


@router.get("/nong-dan/dang-ky")
async def sign_up(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """The three questions."""
    del principal
    intakes = service.registry().intakes
    asked_, faults = asked(request.query_params.multi_items(), intakes)
    return _sign_up(request, service, Filled(asked_, faults=faults), 422 if faults else 200)


@router.post("/nong-dan/dang-ky")
async def send_code(request: Request, service: ServiceHere, principal: Viewer) -> Response:
    """What was filled in; a code goes out, or the form comes back with what is wrong."""
    del principal
    form = await _form(request, service)
    people, push = service.farmers.people, _push(service)
    channels = [*offered(service), *([push[0]] if push else ())]
    found = filled(form, service.registry().intakes, channels)
    if people is None or not channels or found.faults:
        return _sign_up(request, service, found, 422)
    wish, client, now_ms = found.wish(), address_of(request), service.now_ms()
    done = await on_worker(request, lambda: people.signup(wish, client, now_ms))
    if done.why is SignupWhy.SENT:
        assets = assets_of(service.pages)
        late = service.farmers.telling.held_up(wish.channel)
        page = signup.code_page(done.request, done.until_ms, found.lang, assets, late=late)
        return html(request, page, headers=OWN)
    later = done.why in (SignupWhy.TOO_SOON, SignupWhy.BUSY)
    fault = _sign_up_fault(done, found.lang)
    answer = _sign_up(request, service, replace(found, faults=(fault,)), 429 if later else 422)
    if later:
        answer.headers["Retry-After"] = str(done.retry_after_s)
    return answer


@router.post("/nong-dan/ma")
async def show_code(request: Request, service: ServiceHere) -> Response:
    """The code that came; then on to what is stored."""
    form = await _form(request, service)
    lang = _lang(first(form, "lang"))
    asked_for = first(form, "yeucau")
    people, code, now_ms = _people(service), first(form, "ma"), service.now_ms()
    done = await on_worker(request, lambda: people.confirm(asked_for, code, now_ms))
    if done.why is ConfirmWhy.DONE:
        return _onward(mine.path_of(done.token), lang, "xong")
    n = 0 if lang == "vi" else 1
    if done.why is ConfirmWhy.WRONG:
        fault = sign_words(lang)("wrong").format(done.tries_left)
    else:
        fault = CONFIRM[done.why][n]
    page = signup.code_page(asked_for, None, lang, assets_of(service.pages), (fault,))
    return html(request, page, status=422, headers=OWN)


@router.get("/nong-dan/toi/{token}")
async def mine_page(request: Request, service: ServiceHere, token: str) -> Response:
    """What is stored about whoever holds this token. It opens also where the service is not open
    to everybody: nobody signs in there to be left alone.
    """
    said = SAID.get(request.query_params.get("tin", ""), "")
    return await _mine(request, service, token, said=said)


@router.post("/nong-dan/toi/{token}")
async def one_click(request: Request, service: ServiceHere, token: str) -> Response:
    """What a mail program sends to the link of a message whose reader wants no more (RFC 8058):
    a form, mostly of several parts, from no page at all. It stops.
    """
    if not re.search(rb"List-Unsubscribe\b.{0,200}\bOne-Click\b", await request.body(), re.DOTALL):
        raise Problem("invalid", "accepted is List-Unsubscribe=One-Click")
    return await _left(request, service, token, "ngung", _lang(""))


@router.post("/nong-dan/toi/{token}/{deed}")
async def mine_do(request: Request, service: ServiceHere, token: str, deed: str) -> Response:
    """Change (doi), add (them), stop (ngung), download (tai), erase (xoa)."""
    form = await _form(request, service)
    people, now_ms = _people(service), service.now_ms()
    lang = _lang(request.query_params.get("lang") or first(form, "lang"))
    match deed:
        case "doi":
            return await _changed(request, service, token, form, lang)
        case "them":
            return await _added(request, service, token, form, lang)
        case "tai":
            found = await on_worker(request, lambda: people.export(token, now_ms))
            if found is None:
                return _gone(request, service, lang)
            name = 'attachment; filename="songtien.json"'
            body = msgspec.json.format(msgspec.json.encode(found), indent=2)
            headers = OWN | {"Content-Disposition": name}
            return Response(body, media_type="application/json", headers=headers)
        case "ngung" | "xoa":
            return await _left(request, service, token, deed, lang)
    return refused(request, 404)


@router.get("/nong-dan/{rest:path}")
async def nowhere(request: Request, rest: str) -> Response:
    """What is no page, in words."""
    del rest
    return refused(request, 404)


async def _left(request: Request, service: Service, token: str, deed: str, lang: str) -> Response:
    """Stopped or erased."""
    people, now_ms = _people(service), service.now_ms()
    leave = people.stop if deed == "ngung" else people.erase
    if not await on_worker(request, lambda: leave(token, now_ms)):
        return _gone(request, service, lang)
    tell, word = sign_words(lang), "stopped" if deed == "ngung" else "erased"
    assets = assets_of(service.pages)
    page = plain.notice(tell(word), tell(f"{word}-more"), lang, assets)
    return html(request, page, headers=OWN)


async def _changed(
    request: Request, service: Service, token: str, form: Form, lang: str
) -> Response:
    people, now_ms = _people(service), service.now_ms()
    stored = await on_worker(request, lambda: people.by_token(token, now_ms))
    if stored is None:
        return _gone(request, service, lang)
    wanted, faults = changes(form, stored, lang)
    if not faults:
        why = await on_worker(request, lambda: people.change(token, wanted, now_ms))
        if why is ChangeWhy.DONE:
            return _onward(mine.path_of(token), lang, "luu")
        if why is ChangeWhy.UNKNOWN:
            return _gone(request, service, lang)
        return await _unchanged(request, service, token, why, lang)
    return await _mine(request, service, token, faults=faults, lang=lang)


async def _added(request: Request, service: Service, token: str, form: Form, lang: str) -> Response:
    """One more place or crop, at once: the token shows whose wish it is."""
    people, now_ms = _people(service), service.now_ms()
    stored = await on_worker(request, lambda: people.by_token(token, now_ms))
    if stored is None:
        return _gone(request, service, lang)
    found, new = more(form, stored, service.registry().intakes)
    if found.faults:
        return await _mine(request, service, token, faults=found.faults, lang=lang, adding=found)
    why = await on_worker(request, lambda: people.add(token, new, now_ms))
    if why is ChangeWhy.DONE:
        return _onward(mine.path_of(token), lang, "them")
    if why is ChangeWhy.UNKNOWN:
        return _gone(request, service, lang)
    return await _unchanged(request, service, token, why, lang, adding=found)


async def _mine(
    request: Request,
    service: Service,
    token: str,
    *,
    said: str = "",
    faults: tuple[str, ...] = (),
    lang: str = "",
    adding: Filled | None = None,
) -> Response:
    people, now_ms = _people(service), service.now_ms()
    stored = await on_worker(request, lambda: people.by_token(token, now_ms))
    shown = lang or _lang(request.query_params.get("lang", ""))
    if stored is None:
        return _gone(request, service, shown)
    if not lang and "lang" not in request.query_params:
        shown = stored.lang  # the link in a message says nothing of it
    assets, intakes = assets_of(service.pages), service.registry().intakes
    page = mine.mine(stored, token, shown, intakes, assets, said=said, faults=faults, adding=adding)
    return html(request, page, status=422 if faults else 200, headers=OWN)


def offered(service: Service) -> dict[str, AddressKind]:
    """Channels to which somebody can give an address here."""
    people = service.farmers.people
    return {} if people is None else {n: k for n, k in people.channels.items() if k in TYPED}


def _push(service: Service) -> tuple[str, str] | None:
    """The channel that tells browsers, and its public key."""
    return next(iter(service.farmers.push_keys.items()), None)


def _sign_up(request: Request, service: Service, found: Filled, status: int) -> Response:
    intakes = service.registry().intakes
    push = _push(service)
    if push is not None and found.channel == push[0]:  # nothing that anybody would type
        found = replace(found, channel="", address="")
    assets = assets_of(service.pages)
    page = signup.sign_up(found, intakes, offered(service), assets, push)
    return html(request, page, status=status, headers=OWN)


def _sign_up_fault(done: SignedUp, lang: str) -> str:
    vi = lang == "vi"
    minutes = str(max(1, -(-done.retry_after_s // 60)))
    detail = done.detail_vi if vi else done.detail
    return SIGNUP[done.why][0 if vi else 1].format(detail or minutes)


def _people(service: Service) -> People:
    if service.farmers.people is None:
        raise Problem("not-found", "this service tells nobody by message")
    return service.farmers.people


def _gone(request: Request, service: Service, lang: str) -> Response:
    tell = sign_words(lang)
    page = plain.notice(tell("unknown"), tell("unknown-more"), lang, assets_of(service.pages))
    return html(request, page, status=404, headers=OWN)


def _onward(path: str, lang: str, said: str) -> Response:
    """By another GET, so that loading it again sends no form again. The page stays in the
    language in which it was read, whatever that of messages is.
    """
    return RedirectResponse(f"{path}?tin={said}&lang={lang}", status_code=303, headers=OWN)


async def _unchanged(
    request: Request,
    service: Service,
    token: str,
    why: ChangeWhy,
    lang: str,
    *,
    adding: Filled | None = None,
) -> Response:
    """Why nothing was changed; of what comes too soon, when to come again."""
    n, people, now_ms = 0 if lang == "vi" else 1, _people(service), service.now_ms()
    wait_s = await on_worker(request, lambda: people.add_wait_s(token, now_ms))
    minutes, hours = -(-wait_s // 60), -(-wait_s // 3600)
    shown = f"{hours} {('giờ', 'h')[n]}" if minutes >= 60 else f"{minutes} {('phút', 'min')[n]}"
    faults = (CHANGE[why][n].format(shown),)
    page = await _mine(request, service, token, faults=faults, lang=lang, adding=adding)
    if why is ChangeWhy.TOO_SOON:
        page.status_code, page.headers["Retry-After"] = 429, str(wait_s)
    return page


def _lang(text: str) -> str:
    return "en" if text == "en" else "vi"


async def _form(request: Request, service: Service) -> Form:
    """The fields of a form of this service's own page. Raises Problem."""
    _check_own_form(request, service)
    if request.headers.get("content-type", FORM).partition(";")[0].strip().lower() != FORM:
        raise Problem("invalid", "accepted is a form")
    text = (await request.body()).decode("utf-8", "replace")
    form: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise Problem("invalid", "too many fields") from None
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _check_own_form(request: Request, service: Service) -> None:
    """Raise a problem where a browser says that another site's page sends this form.

    An old browser says nothing: what it may then do is what anybody may who holds the token.
    """
    site, origin = (request.headers.get(name) for name in ("sec-fetch-site", "origin"))
    if site is not None:
        own = site in ("same-origin", "none")
    elif origin is not None:
        scheme, host = origin.partition(":")[0], request.headers.get("host", "")
        ours = (f"{scheme}://{host}".lower(), *service.doorkeeper.origins)
        page = split_origin(origin.lower())
        own = page is not None and page in map(split_origin, ours)
    else:
        own = True
    if not own:
        raise Problem("forbidden", "forms count from pages of this service alone")
