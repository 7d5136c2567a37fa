"""What the door does for who is in no visit yet, or not any more."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sottovoce.pool.errors import RoadError
from sottovoce.protocol.errors import PhraseError, Refused
from sottovoce.protocol.words import parse

from .door import Door, read_form
from .inside import write_page
from .practice import is_practice, practice_words, real_words
from .told import Kind, Problem

_KINDS: dict[int, Kind] = {404: "missing", 405: "missing", 413: "large"}


async def top(door: Door, _: Request) -> Response:
    """The first page, at the address that is on films and leaflets."""
    return door.page(door.pages().welcome(open=door.source.is_open(), up=""))


async def call(door: Door, _: Request) -> Response:
    """The first page, at the path of a call: the same for everybody, and the same page."""
    return door.page(door.pages().welcome(open=door.source.is_open(), up="../"))


async def card(door: Door, request: Request) -> Response:
    """The page on the address and the card, at the short path that is printed."""
    up = "" if request.url.path == "/card" else None
    return door.page(door.pages().guide("address", hour=door.hour, up=up))


async def welcome(door: Door, _: Request) -> Response:
    """The first page in a chosen language."""
    return door.page(door.pages().welcome(open=door.source.is_open()))


async def guide(door: Door, request: Request) -> Response:
    """One of the pages that help."""
    return door.page(door.pages().guide(request.url.path.rpartition("/")[2], hour=door.hour))


async def bye(door: Door, request: Request) -> Response:
    """The end of a visit."""
    return door.page(door.pages().bye(expired="ended" in request.url.query))


async def begin(door: Door, request: Request) -> Response:
    """New words; asks first where another conversation is open, since the two could be tied together."""
    if not door.takes():
        return door.page(door.pages().closed(), status=503)
    session = door.session(request)
    under_way = session is not None and session.confirmed and not is_practice(session.phrase)
    if under_way and "anew" not in await read_form(request):
        return door.page(door.pages().second(), session)
    return door.go("words", door.visits.begin(real_words(door.random), fresh=True))


async def practice(door: Door, _: Request) -> Response:
    """Words for practice."""
    return door.go("words", door.visits.begin(practice_words(door.random), fresh=True))


async def leave(door: Door, request: Request) -> Response:
    """Ends the visit."""
    if (session := door.session(request)) is not None:
        await door.visits.end(session)
    return door.end()


async def enter(door: Door, request: Request) -> Response:
    """Coming back with the words, and with what a visit's end kept from being sent."""
    if request.method != "POST":
        return door.page(door.pages().enter())
    form = await read_form(request)
    typed, text = form.get("words", ""), form.get("text", "")
    try:
        phrase = parse(typed, *door.lists)
    except PhraseError as error:
        problem = Problem(error.kind, error.count, error.place, error.word, error.near)
        return door.page(door.pages().enter(typed=typed, text=text, problem=problem), status=422)
    session = door.visits.begin(phrase, fresh=False)
    return write_page(door, session, text) if text else door.go("inbox", session)


def failed(door: Door, request: Request, error: Exception) -> Response:
    """One calm page for whatever failed; nothing of the error is told or kept."""
    status = int(getattr(error, "status_code", getattr(error, "status", 500)))
    kind = _KINDS.get(status, "broken")
    if isinstance(error, RoadError | Refused):
        status, kind = 503, "unreachable"
    up = "../" * (request.url.path.count("/") - 1)
    return door.page(door.pages().failed(Problem(kind), up=up), status=status)
