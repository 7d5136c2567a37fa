"""What the door does within a visit: words, the message, answers."""

from __future__ import annotations

from datetime import UTC, date, datetime

from starlette.requests import Request
from starlette.responses import Response

from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.protocol.body import Body
from sottovoce.protocol.message import parts_to_desk
from sottovoce.protocol.sizes import ANSWER_EPOCHS, EPOCH_SECONDS, epoch_of
from sottovoce.protocol.words import indices_of, word_index
from sottovoce.source.conversation import ROOM, Closed
from sottovoce.source.inbox import Inbox

from .door import ENVELOPES, WORK, Door, Form, read_form
from .inbox_page import AnswerView, InboxView
from .practice import is_practice
from .session import Outcome, Session
from .told import Problem

INBOX_BYTES = 32_768  # of every inbox page, with its headers: nobody on the way sees by it whether an answer waits


async def words(door: Door, request: Request) -> Response:
    """Step 1: the words."""
    if (session := door.session(request)) is None:
        return door.go("bye?ended")
    session, sign = door.signed(session)
    return door.page(door.pages(session).words(places=session.phrase.indices, sign=sign), session)


async def check(door: Door, request: Request) -> Response:
    """Step 2: two of the words, asked back."""
    if (session := door.session(request)) is None:
        return door.go("bye?ended")
    if session.confirmed:
        return door.go("write", session)
    form = await read_form(request) if request.method == "POST" else {}
    typed = (form.get("a", ""), form.get("b", ""))
    asked = zip(session.places, typed, strict=True)
    wrong = [place for place, word in asked if word_index(word, *door.lists) != session.phrase.indices[place - 1]]
    if form and not wrong and door.visits.token_is_ours(form.get("token", ""), session, "check"):
        return door.go("write", session.confirm())
    token, wrong = door.visits.token(session, "check"), wrong if form else []
    content = door.pages(session).check(token=token, places=session.places, typed=typed, wrong=wrong)
    return door.page(content, session, 422 if form else 200)


def write_page(
    door: Door, session: Session, text: str = "", problem: Problem | None = None, used: int | None = None
) -> Response:
    """The page to write on, with what was typed; closed when no message can be taken."""
    pages = door.pages(session)
    if not _takes(door, session):
        return door.page(pages.closed(text=text), session, 503)
    token = door.visits.token(session, "write")
    content = pages.write(token=token, text=text, room=ROOM, used=used, problem=problem, first=session.fresh)
    return door.page(content, session, 422 if problem else 200)


def _takes(door: Door, session: Session) -> bool:
    return is_practice(session.phrase) or door.takes()


async def write(door: Door, request: Request) -> Response:
    """Step 3: the message. What was typed comes back, whatever happens."""
    session = door.session(request)
    form = await read_form(request) if request.method == "POST" else {}
    text = form.get("text", "").replace("\r\n", "\n")
    if session is None and text:
        return door.page(door.pages().enter(text=text, problem=Problem("expired")), status=422)
    if session is None:
        return door.go("bye?ended")
    if not session.confirmed:
        return door.go("check", session)
    if request.method != "POST" or not _takes(door, session):
        return write_page(door, session, text)
    return await _filled(door, request, session, form, text)


async def _filled(door: Door, request: Request, session: Session, form: Form, text: str) -> Response:
    used, token = len(text.encode()), form.get("token", "")
    long = Problem("long") if used > ROOM else None
    if "count" in form:
        return write_page(door, session, text, long, used)
    if not text.strip():
        return write_page(door, session, text, Problem("empty"))
    if long is not None:
        return write_page(door, session, text, long, used)
    if not door.visits.token_is_ours(token, session, "write"):
        return write_page(door, session, text, Problem("outdated"))
    if is_practice(session.phrase):
        return door.go("sent", session)
    parts = parts_to_desk(Body(text, session.after, door.language).encode())
    if not (door.allow(request, WORK, 1) and door.allow(request, ENVELOPES, parts)):
        return write_page(door, session, text, Problem("hurry"))
    return await _send(door, session, token, text)


async def _send(door: Door, session: Session, token: str, text: str) -> Response:
    try:
        outcome = await door.visits.send_once(
            token,
            text,
            lambda seed: door.source.write(
                session.phrase, text, first=session.fresh, seed=seed, after=session.after, language=door.language
            ),
        )
    except Closed:
        return door.page(door.pages(session).closed(text=text), session, 503)
    except RoadError:
        return write_page(door, session, text, Problem("unreachable"))
    if outcome is None:
        return write_page(door, session, text, Problem("twice"))
    if not outcome.safe:
        return write_page(door, session, text, _refusal(outcome))
    return door.go("sent", session.wrote(outcome.message_id))


def _refusal(outcome: Outcome) -> Problem:
    return Problem("full", hour=outcome.hour) if outcome.result is PutResult.FULL else Problem("unreachable")


async def sent(door: Door, request: Request) -> Response:
    """The receipt."""
    if (session := door.session(request)) is None:
        return door.go("bye?ended")
    session, sign = door.signed(session)
    return door.page(door.pages(session).sent(sign=sign, hour=door.hour), session)


async def inbox(door: Door, request: Request) -> Response:
    """The answers, on a page of one size."""
    if (session := door.session(request)) is None:
        return door.go("bye?ended")
    if not session.confirmed:
        return door.go("check", session)
    if not door.allow(request, WORK, 1):
        return door.page(door.pages(session).failed(Problem("hurry"), inside=True), session, 429)
    skip = _number(request, "skip")
    practice = is_practice(session.phrase)
    view = _sample(door, session) if practice else _view(door, await door.source.inbox(session.phrase, skip=skip), skip)
    number = _number(request, "page") or 1
    return door.page(b"", session).of_size(lambda size: door.pages(session).inbox(view, number, size), INBOX_BYTES)


def _view(door: Door, inbox: Inbox, skip: int) -> InboxView:
    answers = [AnswerView(_day(a.place.epoch), _day(a.place.epoch + ANSWER_EPOCHS), a.body.text) for a in inbox.answers]
    unfinished = [(_day(each.place.epoch), each.here, each.parts) for each in inbox.incomplete]
    received_day = _day(inbox.newest) if inbox.received else None
    sign = indices_of(inbox.conversation, 2)
    return InboxView(sign, answers, inbox.received, received_day, unfinished, skip, inbox.older, door.hour)


def _sample(door: Door, session: Session) -> InboxView:
    """What a practice's inbox holds: one answer that is always the same."""
    today = epoch_of(door.now())
    answer = AnswerView(_day(today), _day(today + ANSWER_EPOCHS), door.everyday.sample_answer())
    return InboxView(door.signed(session)[1], [answer], 1, _day(today), (), 0, None, door.hour)


def _number(request: Request, name: str) -> int:
    """A number in an address; 0 for whatever is none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _day(epoch: int) -> date:
    return datetime.fromtimestamp(epoch * EPOCH_SECONDS, UTC).date()
