"""One language's door: what its handlers share, and how each of their answers is made. It remembers no visitor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from sottovoce.pool.api import BadSize, read_body
from sottovoce.pool.edition import next_hour
from sottovoce.protocol.sizes import edition_of
from sottovoce.protocol.words import indices_of
from sottovoce.source.conversation import Source

from .pages import Pages
from .practice import is_practice
from .session import COOKIE, Session, Visits
from .texts import TONGUES
from .told import News

FORM_MOST = 1_048_576  # bytes: three times what fits into a message, in a form's escapes, so that it can be given back
FIELDS_MOST = 8
_LARGE = 65_536  # bytes of a form: the largest takes a fifth of a second to read, and others shall not wait for it
_FORMS = ThreadPoolExecutor(1, "forms")
WORK, ENVELOPES = "work", "envelopes"  # what a circuit has a budget of
_HTML = "text/html; charset=utf-8"
_FIXED = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_ATTRIBUTES = "Path=/; HttpOnly; SameSite=Strict"
Form = dict[str, str]
Allow = Callable[[Request, str, float], bool]


def fixed_headers(kind: str, csp: str) -> list[tuple[bytes, bytes]]:
    """The headers of every answer: of a content's `kind`, under a Content-Security-Policy."""
    return [(b"content-type", kind.encode()), *_FIXED, (b"content-security-policy", csp.encode())]


class Page(Response):
    """An answer of the door, with its headers as they go out: most of them are always the same."""

    def __init__(self, content: bytes, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code, self.background, self.raw_headers = status, None, headers
        self._put(content)

    def _put(self, content: bytes, announced: int | None = None) -> None:
        self.body, size = content, len(content) if announced is None else announced
        others = [header for header in self.raw_headers if header[0] != b"content-length"]
        self.raw_headers = [*others, (b"content-length", b"%d" % size)]

    def of_size(self, fill: Callable[[int], bytes], size: int) -> Page:
        """The same with another body, which `fill` makes so large that all, headers included, has so many bytes."""
        self._put(b"", announced=size)  # with as many digits as it will have
        head = sum(len(name) + len(value) + len(": \r\n") for name, value in self.raw_headers)
        self._put(fill(size - head - len("HTTP/1.1 200 OK\r\n") - len("\r\n")))
        return self


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

    def signed(self, session: Session) -> tuple[Session, tuple[int, int]]:
        """The visit with its sign, and the sign: reckoned once a visit."""
        sign = session.sign
        if sign is None:
            first, second = indices_of(self.source.keys(session.phrase).id, 2)
            sign = (first, second)
        return replace(session, sign=sign), sign

    def page(self, content: bytes, session: Session | None = None, status: int = 200) -> Page:
        """A page; inside a visit, with its cookie renewed for another half hour."""
        headers = fixed_headers(_HTML, self.everyday.csp)
        if session is not None:
            headers.append((b"set-cookie", f"{COOKIE}={self.visits.seal(session)}; {_ATTRIBUTES}".encode()))
        return Page(content, status, headers)

    def go(self, path: str, session: Session | None = None) -> Page:
        """To another page of this language after a form, so that reloading repeats nothing."""
        page = self.page(b"", session, 303)
        page.raw_headers.append((b"location", path.encode()))
        return page

    def end(self) -> Page:
        """To the goodbye, without a cookie."""
        page = self.go("bye")
        page.raw_headers.append((b"set-cookie", f"{COOKIE}=; {_ATTRIBUTES}; Max-Age=0".encode()))
        return page


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
