"""The door: a source client that runs on the server, for those who can't run one. No script, no file, no log.

Each language has its pages below its tag (`/fa/write`), and all links are relative.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sottovoce.pool.api import BadSize
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.errors import Refused

from . import inside, outside
from .door import Door
from .pages import GUIDES
from .texts import negotiated

Handler = Callable[[Door, Request], Awaitable[Response]]

_READ: dict[str, Handler] = {
    "/": outside.welcome, "/bye": outside.bye, **{f"/{name}": outside.guide for name in GUIDES},
    "/words": inside.words, "/sent": inside.sent, "/inbox": inside.inbox,
}  # fmt: skip
_READ_AND_SEND: dict[str, Handler] = {"/enter": outside.enter, "/check": inside.check, "/write": inside.write}
_SEND: dict[str, Handler] = {"/begin": outside.begin, "/practice": outside.practice, "/leave": outside.leave}


async def _own_forms(handler: Handler, door: Door, request: Request) -> Response:
    """Refuses a form that another site sends: it could put its own words into a source's visit (login CSRF)."""
    if request.method == "POST" and request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return door.go("./")
    return await handler(door, request)


def _routes(door: Door) -> list[Route]:
    """The pages of one language."""
    routes = [Route(path, partial(handler, door), methods=["GET"]) for path, handler in _READ.items()]
    for handlers, methods in ((_READ_AND_SEND, ["GET", "POST"]), (_SEND, ["POST"])):
        routes += [Route(path, partial(_own_forms, each, door), methods=methods) for path, each in handlers.items()]
    return routes


def app(doors: Mapping[str, Door], more: list[BaseRoute]) -> Starlette:
    """The site: a door for each language by its tag, the first one for who asks for none; and further routes."""

    def fitting(request: Request) -> Door:
        asked = request.url.path.split("/")[1]
        return doors.get(asked) or doors[negotiated(request.headers.get("accept-language", ""), list(doors))]

    async def top(request: Request) -> Response:
        return await outside.top(fitting(request), request)

    async def failed(request: Request, error: Exception) -> Response:
        return outside.failed(fitting(request), request, error)

    pages = [Mount(f"/{tag}", routes=_routes(door)) for tag, door in doors.items()]
    failures = dict.fromkeys((404, 405, BadSize, TimeoutError, RoadError, Refused, Exception), failed)
    return Starlette(routes=[Route("/", top, methods=["GET"]), *pages, *more], exception_handlers=failures)
