"""One language's door: what its handlers share, and how each of their answers is made. It remembers no visitor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from sottovoce.pool.api import BadSize, read_body
from sottovoce.pool.edition import next_hour
from sottovoce.protocol.sizes import edition_of
from sottovoce.source.conversation import Source

from .pages import News, Pages
from .practice import is_practice
from .session import COOKIE, Session, Visits
from .texts import TONGUES

FORM_MOST = 1_048_576  # bytes: three times what fits into a message, in a form's escapes, so that it can be given back
FIELDS_MOST = 8
_LARGE = 65_536  # bytes of a form: the largest takes a fifth of a second to read, and others shall not wait for it
_FORMS = ThreadPoolExecutor(1, "forms")
WORK, ENVELOPES = "work", "envelopes"  # what a circuit has a budget of
_FIXED = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ATTRIBUTES = "Path=/; HttpOnly; SameSite=Strict"
Form = dict[str, str]
Allow = Callable[[Request, str, float], bool]


@dataclass(frozen=True)
class Door:
    """The door in one language.

    `everyday` are the pages when there are no news; `news` tells those of this moment. `now` is the protocol's clock.
    `allow` takes from the budget of a request's circuit: WORK for a page that reckons with the words, ENVELOPES for
    each envelope; False: it is used up.
    """

    source: Source
    everyday: Pages
    news: Callable[[], News]
    visits: Visits
    now: Callable[[], float]
    random: Callable[[int], bytes]
    allow: Allow

    @property
    def language(self) -> str:
        """The tag of the pages' language, as it stands in addresses."""
        return self.everyday.texts.tongue.tag

    @property
    def lists(self) -> list[str]:
        """The word lists of all our languages, this one's first: a source may come back by another language's page."""
        lists = [tongue.words for tongue in (TONGUES[self.language], *TONGUES.values())]
        return [each for each in dict.fromkeys(lists) if each]

    @property
    def hour(self) -> int:
        """The UTC hour at which the next edition begins."""
        return next_hour(edition_of(self.now()))

    def pages(self, session: Session | None = None) -> Pages:
        """The pages as of now; within a visit for practice they say so."""
        return self.everyday.under(self.news(), practice=session is not None and is_practice(session.phrase))

    def takes(self) -> bool:
        """Whether a message can be taken: there is a key for today, and no warning of a compromise."""
        return self.source.is_open() and self.news().since is None

    def session(self, request: Request) -> Session | None:
        """The visit that this request belongs to."""
        return self.visits.open(request.cookies.get(COOKIE))

    def page(self, content: bytes, session: Session | None = None, status: int = 200) -> Response:
        """A page; inside a visit, with its cookie renewed for another half hour."""
        headers = {**_FIXED, "Content-Security-Policy": self.everyday.csp}
        if session is not None:
            headers["Set-Cookie"] = f"{COOKIE}={self.visits.seal(session)}; {_ATTRIBUTES}"
        return Response(content, status, headers, media_type="text/html")

    def go(self, path: str, session: Session | None = None) -> Response:
        """To another page of this language after a form, so that reloading repeats nothing."""
        response = self.page(b"", session, 303)
        response.headers["Location"] = path
        return response

    def end(self) -> Response:
        """To the goodbye, without a cookie."""
        response = self.go("bye")
        response.headers["Set-Cookie"] = f"{COOKIE}=; {_ATTRIBUTES}; Max-Age=0"
        return response


def _fields(body: bytes) -> Form:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MOST))


async def read_form(request: Request) -> Form:
    """A form's fields; BadSize when it is too large. Nothing is spooled to a disk."""
    body = await read_body(request, 0, FORM_MOST)
    try:
        if len(body) > _LARGE:
            return await asyncio.get_running_loop().run_in_executor(_FORMS, _fields, body)
        return _fields(body)
    except ValueError as error:  # not UTF-8, or too many fields: no page of ours sends that
        raise BadSize(400) from error
