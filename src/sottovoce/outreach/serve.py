"""What was built, in a browser on this machine: films to play, texts to copy, leaflets, what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from .call import Call, Video
from .errors import CallError
from .outcome import Shown, found, next_steps
from .pages import page
from .platforms import platforms
from .tongues import TONGUES
from .upload import paste

HOSTS = ["127.0.0.1", "localhost"]  # a page of another site that names this machine otherwise is not answered
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self' data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Gallery:
    """Pages over a call's folder; `state` reads the call anew for each page, with what `call check` finds."""

    state: Callable[[], tuple[Call, Sequence[Any]]]

    def app(self, built: Path) -> Starlette:
        """The pages as an app for a listener on this machine only."""
        built.mkdir(parents=True, exist_ok=True)
        routes = [
            Route("/", self._front),
            Route("/in/{language}", self._language),
            Mount("/built", StaticFiles(directory=built)),
        ]
        handlers = {CallError: _told}
        trusted = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
        quiet = Middleware(BaseHTTPMiddleware, dispatch=_quiet)  # also what was built may hold what others wrote
        return Starlette(routes=routes, middleware=[trusted, quiet], exception_handlers=handlers)

    async def _front(self, _: Request) -> Response:
        call, findings = self.state()
        return _shown(
            "front.html", call=call, findings=findings, next=list(next_steps(call)),
            languages=[(TONGUES[tag], call.draft(tag)) for tag in call.file.languages if tag in TONGUES],
            others=[each for each in found(call.built) if each.folder in ("", "press")],
        )  # fmt: skip

    async def _language(self, request: Request) -> Response:
        call, _ = self.state()
        tag = request.path_params["language"]
        if tag not in call.file.languages or tag not in TONGUES:
            raise HTTPException(404)
        built = found(call.built)
        return _shown(
            "language.html", call=call, tongue=TONGUES[tag], draft=call.draft(tag),
            films=[_film(call, built, *film, tag) for film in _whole(call, tag)],
            papers=[each for each in built if tag in each.name and each.folder not in ("parts", "films", "upload")],
        )  # fmt: skip


async def _quiet(request: Request, answer: RequestResponseEndpoint) -> Response:
    response = await answer(request)
    response.headers.update(_HEADERS)
    return response


async def _told(_: Request, error: Exception) -> Response:
    """What is wrong with the call as it is now, in one sentence."""
    return HTMLResponse(page("wrong.html", sentence=str(error)))


def _shown(template: str, **values: object) -> Response:
    return HTMLResponse(page(template, **values))


def _film(call: Call, built: Sequence[Shown], video: Video, platform: str, language: str) -> dict[str, object]:
    """One film for one platform: what is played, and what goes with it."""
    place, folder = call.videos.index(video) + 1, f"upload/{platform}/{language}/"
    own = [each for each in built if each.path.startswith((f"{folder}{place}-", f"{folder}{place} "))]
    by_end = {each.name.rpartition(".")[2]: each for each in own}
    return {
        "video": video.name, "platform": platforms()[platform], "files": own,
        "film": by_end.get("mp4"), "poster": by_end.get("png"),
        "texts": paste(call, video, platforms()[platform], language, draft=call.draft(language)),
    }  # fmt: skip


def _whole(call: Call, language: str) -> Iterator[tuple[Video, str]]:
    """The films and platforms of which all is known; `call check` names what is missing of the others."""
    for video in call.videos:
        for platform in call.file.platforms:
            if platform in platforms() and video.name in call.texts[language].videos:
                yield video, platform
