"""The door: a source client that runs on the server, for those who can't run one. No script, no file, no log.

Each language has its pages below its tag (`/fa/write`), and all links are relative. Below the tag of a language that
isn't offered, or no longer, are the pages of the first one: a form that was open while it was withdrawn loses no text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from sottovoce.pool.api import BadSize
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.errors import Refused

from . import inside, outside
from .door import Door
from .pack import LANGUAGES
from .pages import GUIDES
from .texts import negotiated

Answer = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Door, Request], Awaitable[Response]]

_READ: dict[str, Handler] = {
    "/": outside.welcome, "/bye": outside.bye, **{f"/{name}": outside.guide for name in GUIDES}, "/card": outside.card,
    "/words": inside.words, "/sent": inside.sent, "/inbox": inside.inbox,
}  # fmt: skip
_READ_AND_SEND: dict[str, Handler] = {"/enter": outside.enter, "/check": inside.check, "/write": inside.write}
_SEND: dict[str, Handler] = {"/begin": outside.begin, "/practice": outside.practice, "/leave": outside.leave}


async def _own_forms(handler: Handler, door: Door, request: Request) -> Response:
    """Refuses a form that another site sends: it could put its own words into a source's visit (login CSRF)."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return door.go("./")
    return await handler(door, request)


class App:
    """The site as an ASGI app: a door for each language by its tag, the first one for who asks for none.

    Pages are found by method and path at once: a framework's way to them took longer than most of them. `more` are
    routes beside them, as the pool's calls. `calls`: names of the organisation's calls, each with its path `/c/NAME`.
    """

    def __init__(self, doors: Mapping[str, Door], more: Sequence[BaseRoute], calls: Iterable[str] = ()) -> None:
        self._doors = doors
        fitting = {"/": outside.top, "/card": outside.card, **{f"/c/{name}": outside.call for name in calls}}
        self._pages: dict[str, dict[str, Answer]] = {
            path: {"GET": partial(self._in_fitting, handler)} for path, handler in fitting.items()
        }
        first = next(iter(doors.values()))
        for tag in dict.fromkeys([*doors, *LANGUAGES]):
            self._pages |= _pages(tag, doors.get(tag, first))
        failures = dict.fromkeys((404, 405, BadSize, TimeoutError, RoadError, Refused, Exception), self._failed)
        self._more = Starlette(routes=more, exception_handlers=failures)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        page = self._pages.get(scope["path"])
        if page is None:
            await self._more(scope, receive, send)
            return
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" else request.method
        try:
            response = await page.get(method, _no_such_method)(request)
        except Exception as error:  # noqa: BLE001  whatever it is: nothing of it is told or kept
            response = await self._failed(request, error)
        await response(scope, receive, send)

    def _fitting(self, request: Request) -> Door:
        asked = request.url.path.split("/")[1]
        wished = request.headers.get("accept-language", "")
        return self._doors.get(asked) or self._doors[negotiated(wished, list(self._doors))]

    async def _in_fitting(self, handler: Handler, request: Request) -> Response:
        return await handler(self._fitting(request), request)

    async def _failed(self, request: Request, error: Exception) -> Response:
        return outside.failed(self._fitting(request), request, error)


def _pages(tag: str, door: Door) -> dict[str, dict[str, Answer]]:
    """The pages of a door below a language's tag, by path and method."""
    found: dict[str, dict[str, Answer]] = defaultdict(dict)
    for path, handler in {**_READ, **_READ_AND_SEND}.items():
        found[f"/{tag}{path}"]["GET"] = partial(handler, door)
    for path, handler in {**_READ_AND_SEND, **_SEND}.items():
        found[f"/{tag}{path}"]["POST"] = partial(_own_forms, handler, door)
    return found


async def _no_such_method(_: Request) -> Response:
    raise HTTPException(405)
