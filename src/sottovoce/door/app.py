"""The door: a source client that runs on the server, for those who can't run one. No script, no file, no log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sottovoce.pool.api import BadSize, read_body
from sottovoce.pool.edition import next_hour
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.protocol.body import Body
from sottovoce.protocol.errors import PhraseError, Refused
from sottovoce.protocol.message import parts_to_desk
from sottovoce.protocol.sizes import ANSWER_EPOCHS, EPOCH_SECONDS, edition_of
from sottovoce.protocol.words import Passphrase, parse, word_index
from sottovoce.source.conversation import ROOM, Closed, Source
from sottovoce.source.inbox import Inbox

from .inbox_page import AnswerView, InboxView
from .pages import Pages, Problem
from .session import COOKIE, Outcome, Session, Visits

FORM_MOST = 1_048_576  # bytes: three times what fits into a message, in a form's escapes, so that it can be given back
FIELDS_MOST = 8
INBOX_BYTES = 32_768  # of every inbox page, with its headers: nobody on the way sees by it whether an answer waits
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
Form = dict[str, str]
Handler = Callable[[Request], Awaitable[Response]]
Allow = Callable[[Request, str, float], bool]


@dataclass(frozen=True)
class Door:
    """The pages' behaviour; each handler answers one request and remembers nothing of it.

    `now` is the protocol's clock. `allow` takes from the budget of a request's circuit: WORK for a page that reckons
    with the words, ENVELOPES for each envelope; False: it is used up.
    """

    source: Source
    pages: Pages
    visits: Visits
    now: Callable[[], float]
    random: Callable[[int], bytes]
    allow: Allow

    # -- answers ---------------------------------------------------------------

    def page(self, content: bytes, session: Session | None = None, status: int = 200) -> Response:
        """A page; inside a visit, with its cookie renewed for another half hour."""
        headers = {**_FIXED, "Content-Security-Policy": self.pages.csp}
        if session is not None:
            headers["Set-Cookie"] = f"{COOKIE}={self.visits.seal(session)}; Path=/; HttpOnly; SameSite=Strict"
        return Response(content, status, headers, media_type="text/html")

    @property
    def hour(self) -> int:
        """The UTC hour at which the next edition begins."""
        return next_hour(edition_of(self.now()))

    def go(self, path: str, session: Session | None = None) -> Response:
        """To another page after a form, so that reloading repeats nothing."""
        response = self.page(b"", session, 303)
        response.headers["Location"] = path
        return response

    def session(self, request: Request) -> Session | None:
        """The visit that this request belongs to."""
        return self.visits.open(request.cookies.get(COOKIE))

    # -- without a visit ---------------------------------------------------------

    async def welcome(self, _: Request) -> Response:
        return self.page(self.pages.welcome(open=self.source.is_open()))

    async def guide(self, _: Request) -> Response:
        return self.page(self.pages.guide())

    async def bye(self, request: Request) -> Response:
        return self.page(self.pages.bye(expired="ended" in request.url.query))

    async def begin(self, _: Request) -> Response:
        if not self.source.is_open():
            return self.page(self.pages.closed(), status=503)
        return self.go("/words", self.visits.begin(Passphrase(self.random(16)), fresh=True))

    async def leave(self, request: Request) -> Response:
        if (session := self.session(request)) is not None:
            await self.visits.end(session)
        response = self.go("/bye")
        response.headers["Set-Cookie"] = f"{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        return response

    async def enter(self, request: Request) -> Response:
        if request.method != "POST":
            return self.page(self.pages.enter())
        form = await read_form(request)
        typed, text = form.get("words", ""), form.get("text", "")
        try:
            phrase = parse(typed)
        except PhraseError as error:
            problem = Problem(error.kind, error.count, error.place, error.word, error.near)
            return self.page(self.pages.enter(typed=typed, text=text, problem=problem), status=422)
        session = self.visits.begin(phrase, fresh=False)
        return self.write_page(session, text) if text else self.go("/inbox", session)

    # -- within a visit ------------------------------------------------------------

    async def words(self, request: Request) -> Response:
        if (session := self.session(request)) is None:
            return self.go("/bye?ended")
        sign = self.source.keys(session.phrase).sign
        content = self.pages.words(words=session.phrase.words(), numbers=session.phrase.numbers, sign=sign)
        return self.page(content, session)

    async def check(self, request: Request) -> Response:
        if (session := self.session(request)) is None:
            return self.go("/bye?ended")
        if session.confirmed:
            return self.go("/write", session)
        form = await read_form(request) if request.method == "POST" else {}
        typed = (form.get("a", ""), form.get("b", ""))
        wrong = [
            place for place, word in zip(session.places, typed, strict=True) if not self._is_word(session, place, word)
        ]
        if form and not wrong and self.visits.token_is_ours(form.get("token", ""), session, "check"):
            return self.go("/write", session.confirm())
        token = self.visits.token(session, "check")
        content = self.pages.check(token=token, places=session.places, typed=typed, wrong=wrong if form else [])
        return self.page(content, session, 422 if form else 200)

    def _is_word(self, session: Session, place: int, typed: str) -> bool:
        return word_index(typed) == session.phrase.indices[place - 1]

    def write_page(
        self, session: Session, text: str = "", problem: Problem | None = None, used: int | None = None
    ) -> Response:
        """The page to write on, with what was typed; closed when no message can be taken."""
        if not self.source.is_open():
            return self.page(self.pages.closed(text=text), session, 503)
        token = self.visits.token(session, "write")
        content = self.pages.write(token=token, text=text, room=ROOM, used=used, problem=problem, first=session.fresh)
        return self.page(content, session, 422 if problem else 200)

    async def write(self, request: Request) -> Response:
        session = self.session(request)
        form = await read_form(request) if request.method == "POST" else {}
        text = form.get("text", "").replace("\r\n", "\n")
        if session is None and text:
            return self.page(self.pages.enter(text=text, problem=Problem("expired")), status=422)
        if session is None:
            return self.go("/bye?ended")
        if not session.confirmed:
            return self.go("/check", session)
        if request.method != "POST":
            return self.write_page(session)
        return await self._write(request, session, form, text)

    async def _write(self, request: Request, session: Session, form: Form, text: str) -> Response:
        used = len(text.encode())
        if "count" in form:
            return self.write_page(session, text, Problem("long") if used > ROOM else None, used)
        if not text.strip():
            return self.write_page(session, text, Problem("empty"))
        if used > ROOM:
            return self.write_page(session, text, Problem("long"), used)
        token = form.get("token", "")
        if not self.visits.token_is_ours(token, session, "write"):
            return self.write_page(session, text, Problem("outdated"))
        parts = parts_to_desk(Body(text, session.after).encode())
        if not (self.allow(request, WORK, 1) and self.allow(request, ENVELOPES, parts)):
            return self.write_page(session, text, Problem("hurry"))
        return await self._send(session, token, text)

    async def _send(self, session: Session, token: str, text: str) -> Response:
        try:
            outcome = await self.visits.send_once(
                token,
                text,
                lambda seed: self.source.write(
                    session.phrase, text, first=session.fresh, seed=seed, after=session.after
                ),
            )
        except Closed:
            return self.page(self.pages.closed(text=text), session, 503)
        except RoadError:
            return self.write_page(session, text, Problem("unreachable"))
        if outcome is None:
            return self.write_page(session, text, Problem("twice"))
        if not outcome.safe:
            return self.write_page(session, text, _refusal(outcome))
        return self.go("/sent", session.wrote(outcome.message_id))

    async def sent(self, request: Request) -> Response:
        if (session := self.session(request)) is None:
            return self.go("/bye?ended")
        sign = self.source.keys(session.phrase).sign
        return self.page(self.pages.sent(sign=sign, hour=self.hour), session)

    async def inbox(self, request: Request) -> Response:
        if (session := self.session(request)) is None:
            return self.go("/bye?ended")
        if not session.confirmed:
            return self.go("/check", session)
        if not self.allow(request, WORK, 1):
            return self.page(self.pages.failed(Problem("hurry"), inside=True), session, 429)
        skip, number = _number(request, "skip"), _number(request, "page") or 1
        inbox = await self.source.inbox(session.phrase, skip=skip)
        return self._inbox_page(session, inbox, skip, number)

    def _inbox_page(self, session: Session, inbox: Inbox, skip: int, number: int) -> Response:
        answers = [
            AnswerView(_day(a.place.epoch), _day(a.place.epoch + ANSWER_EPOCHS), a.body.text) for a in inbox.answers
        ]
        unfinished = [(_day(each.place.epoch), each.here, each.parts) for each in inbox.incomplete]
        received_day = _day(inbox.newest) if inbox.received else None
        view = InboxView(inbox.sign, answers, inbox.received, received_day, unfinished, skip, inbox.older, self.hour)
        response = self.page(b"", session)
        response.headers["Content-Length"] = str(INBOX_BYTES)  # for now: the real one has as many digits
        response.body = self.pages.inbox(view, number, INBOX_BYTES - _head_size(response))
        response.headers["Content-Length"] = str(len(response.body))
        return response

    # -- what goes wrong -------------------------------------------------------------

    async def failed(self, request: Request, error: Exception) -> Response:
        """One calm page for whatever failed; nothing of the error is told or kept."""
        status = int(getattr(error, "status_code", getattr(error, "status", 500)))
        kind = {404: "missing", 405: "missing", 413: "large"}.get(status, "broken")
        if isinstance(error, RoadError | Refused):
            status, kind = 503, "unreachable"
        return self.page(self.pages.failed(Problem(kind)), status=status)  # type: ignore[arg-type]  # from the table above


def _head_size(response: Response) -> int:
    fields = sum(len(name) + len(value) + len(": \r\n") for name, value in response.raw_headers)
    return len("HTTP/1.1 200 OK\r\n") + fields + len("\r\n")


def _refusal(outcome: Outcome) -> Problem:
    return Problem("full", hour=outcome.hour) if outcome.result is PutResult.FULL else Problem("unreachable")


def _number(request: Request, name: str) -> int:
    """A number in an address; 0 for whatever is none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _day(epoch: int) -> date:
    return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date()


async def read_form(request: Request) -> Form:
    """A form's fields; BadSize when it is too large. Nothing is spooled to a disk."""
    body = await read_body(request, 0, FORM_MOST)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MOST))
    except ValueError as error:  # not UTF-8, or too many fields: no page of ours sends that
        raise BadSize(400) from error


def _own_forms(door: Door, handler: Handler) -> Handler:
    """Refuses a form that another site sends: it could put its own words into a source's visit (login CSRF)."""

    async def guarded(request: Request) -> Response:
        if request.method == "POST" and request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return door.go("/")
        return await handler(request)

    return guarded


def app(door: Door, more: list[BaseRoute]) -> Starlette:
    """The site, with further routes (the pool's API) beside its pages."""
    get: list[tuple[str, Handler]] = [
        ("/", door.welcome), ("/guide", door.guide), ("/bye", door.bye), ("/words", door.words), ("/sent", door.sent),
        ("/inbox", door.inbox),
    ]  # fmt: skip
    both = [("/enter", door.enter), ("/check", door.check), ("/write", door.write)]
    post = [("/begin", door.begin), ("/leave", door.leave)]
    routes = [Route(path, handler, methods=["GET"]) for path, handler in get]
    routes += [Route(path, _own_forms(door, handler), methods=["GET", "POST"]) for path, handler in both]
    routes += [Route(path, _own_forms(door, handler), methods=["POST"]) for path, handler in post]
    failures = dict.fromkeys((404, 405, BadSize, TimeoutError, RoadError, Refused, Exception), door.failed)
    return Starlette(routes=[*routes, *more], exception_handlers=failures)
