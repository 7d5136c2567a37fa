"""A visit's cookie, tokens and memory."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.door.session import IDLE_SECONDS, Session, Visits
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.protocol.words import Passphrase

NOW = 1_800_000_123.75
PHRASE = Passphrase(b"sixteen secrets!")


class Clock:
    """A clock that a test sets."""

    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visits(clock: Clock) -> Visits:
    return Visits(clock, secrets.token_bytes)


def unsealed(cookie: str) -> bytes:
    return base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))


def test_a_cookie_opens_as_it_was_sealed(visits: Visits) -> None:
    for fresh in (True, False):
        session = visits.begin(PHRASE, fresh=fresh)
        opened = visits.open(visits.seal(session))
        assert opened
        assert (opened.phrase, opened.id, opened.fresh, opened.places) == (PHRASE, session.id, fresh, session.places)
        assert opened.touched == int(NOW)


def test_a_cookie_shows_nothing_of_the_visit(visits: Visits) -> None:
    session = visits.begin(PHRASE, fresh=True)
    one, other = visits.seal(session), visits.seal(session)
    assert one != other
    for cookie in (one, other):
        assert PHRASE.secret not in unsealed(cookie)
        assert session.id not in unsealed(cookie)
    assert len(one) == len(visits.seal(visits.begin(Passphrase(bytes(16)), fresh=False)))
    assert PHRASE.secret.decode() not in repr(session)


def test_every_flipped_bit_closes_a_cookie(visits: Visits) -> None:
    raw = unsealed(visits.seal(visits.begin(PHRASE, fresh=True)))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert visits.open(base64.urlsafe_b64encode(flipped).decode()) is None
    assert visits.open(base64.urlsafe_b64encode(raw).decode())


@given(st.text())
def test_junk_is_no_cookie_and_no_token(text: str) -> None:
    visits = Visits(Clock(), secrets.token_bytes)
    session = visits.begin(PHRASE, fresh=True)
    assert visits.open(text) is None
    assert not visits.token_is_ours(text, session, "write")


def test_no_cookie_is_no_visit(visits: Visits) -> None:
    assert visits.open(None) is None
    assert visits.open("") is None


def test_a_restart_ends_all_visits(visits: Visits, clock: Clock) -> None:
    session = visits.begin(PHRASE, fresh=True)
    again = Visits(clock, secrets.token_bytes)
    assert again.open(visits.seal(session)) is None
    assert not again.token_is_ours(visits.token(session, "write"), session, "write")


def test_a_visit_ends_after_half_an_hour_without_a_step(visits: Visits, clock: Clock) -> None:
    session = visits.begin(PHRASE, fresh=True)
    cookie = visits.seal(session)
    clock.now = int(NOW) + IDLE_SECONDS
    assert visits.open(cookie)
    renewed = visits.seal(session)
    clock.now += 1
    assert visits.open(cookie) is None
    assert visits.open(renewed)


def test_an_ended_visit_opens_no_more_by_any_of_its_cookies(visits: Visits, clock: Clock) -> None:
    session, other = visits.begin(PHRASE, fresh=True), visits.begin(PHRASE, fresh=False)
    early, theirs = visits.seal(session), visits.seal(other)
    clock.now += IDLE_SECONDS - 1
    late = visits.seal(session)
    visits.end(session)
    assert visits.open(early) is visits.open(late) is None
    assert visits.open(theirs)  # the same words elsewhere are another visit
    for _ in range(4):  # while the memory of it is tidied up
        clock.now += IDLE_SECONDS / 4
        visits.end(visits.begin(PHRASE, fresh=True))
        assert visits.open(late) is None


def test_what_is_over_is_forgotten(visits: Visits, clock: Clock) -> None:
    async def write() -> None:
        for _ in range(50):
            session = visits.begin(PHRASE, fresh=True)
            await visits.send_once(visits.token(session, "write"), "text", Pool().put)
            visits.end(session)

    asyncio.run(write())
    assert len(visits._ended) == len(visits._sent) == 50
    clock.now += IDLE_SECONDS + 2
    visits.end(visits.begin(PHRASE, fresh=True))
    assert len(visits._ended) == 1
    assert not visits._sent


def test_two_different_places_are_asked_back(visits: Visits) -> None:
    asked = Counter(visits.begin(PHRASE, fresh=True).places for _ in range(5_000))
    assert all(1 <= first < second <= 12 for first, second in asked)
    assert len(asked) == 66  # every pair
    assert max(asked.values()) < 3 * 5_000 / 66


def test_known_words_are_not_asked_back(visits: Visits) -> None:
    assert visits.begin(PHRASE, fresh=False).confirmed
    session = visits.begin(PHRASE, fresh=True)
    assert not session.confirmed
    assert session.confirm().confirmed
    assert session.confirm().id == session.id


def test_a_token_is_of_one_visit_and_one_form(visits: Visits) -> None:
    session, other = visits.begin(PHRASE, fresh=True), visits.begin(PHRASE, fresh=True)
    token = visits.token(session, "write")
    assert visits.token_is_ours(token, session, "write")
    assert visits.token_is_ours(token, session.confirm(), "write")
    assert not visits.token_is_ours(token, session, "check")
    assert not visits.token_is_ours(token, other, "write")
    assert not visits.token_is_ours("", session, "write")
    assert token != visits.token(session, "write")


def test_every_flipped_bit_spoils_a_token(visits: Visits) -> None:
    session = visits.begin(PHRASE, fresh=True)
    raw = unsealed(visits.token(session, "write"))
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not visits.token_is_ours(base64.urlsafe_b64encode(flipped).decode(), session, "write")


class Pool:
    """Counts puts; answers each with the next of `results`, at the end with the last."""

    def __init__(self, *results: PutResult | Exception) -> None:
        self.results = list(results or [PutResult.STORED])
        self.puts = 0

    async def put(self) -> PutResult:
        self.puts += 1
        await asyncio.sleep(0.01)
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result


Send = Callable[[str], Coroutine[Any, Any, PutResult | None]]


def sender(visits: Visits, pool: Pool) -> Send:
    """Sends a text by always the same form."""
    token = visits.token(visits.begin(PHRASE, fresh=True), "write")
    return lambda text: visits.send_once(token, text, pool.put)


def test_the_same_form_is_put_once(visits: Visits) -> None:
    pool = Pool(PutResult.STORED, PutResult.FULL)

    async def send() -> list[PutResult | None]:
        one = sender(visits, pool)
        at_once = await asyncio.gather(*(one("text") for _ in range(5)))
        return [*at_once, await one("text")]

    assert asyncio.run(send()) == [PutResult.STORED] * 6
    assert pool.puts == 1


def test_another_text_by_the_same_form_is_not_put(visits: Visits) -> None:
    pool = Pool()

    async def send() -> list[PutResult | None]:
        one = sender(visits, pool)
        at_once = await asyncio.gather(one("text"), one("other"))
        return [*at_once, await one("other"), await one("text")]

    assert asyncio.run(send()) == [PutResult.STORED, None, None, PutResult.STORED]
    assert pool.puts == 1


def test_another_form_is_put_again(visits: Visits) -> None:
    pool = Pool()

    async def send() -> None:
        for _ in range(2):
            await sender(visits, pool)("text")

    asyncio.run(send())
    assert pool.puts == 2


def test_another_spelling_of_a_token_is_the_same_token(visits: Visits) -> None:
    session, pool = visits.begin(PHRASE, fresh=True), Pool()
    token = visits.token(session, "write")

    async def send() -> None:
        for spelling in (token, token + "=", token + "==\n"):
            assert visits.token_is_ours(spelling, session, "write")
            await visits.send_once(spelling, "text", pool.put)

    asyncio.run(send())
    assert pool.puts == 1


@pytest.mark.parametrize("result", [PutResult.FULL, PutResult.TAKEN, PutResult.WRONG_EPOCH])
def test_a_put_that_was_refused_frees_its_form(visits: Visits, result: PutResult) -> None:
    pool = Pool(result, PutResult.KNOWN)

    async def send() -> list[PutResult | None]:
        one = sender(visits, pool)
        return [await one("text"), await one("shorter"), await one("shorter")]

    assert asyncio.run(send()) == [result, PutResult.KNOWN, PutResult.KNOWN]
    assert pool.puts == 2


def test_a_put_that_failed_frees_its_form(visits: Visits) -> None:
    pool = Pool(RoadError("broken"), PutResult.STORED)

    async def send() -> PutResult | None:
        one = sender(visits, pool)
        results = await asyncio.gather(one("text"), one("text"), return_exceptions=True)
        assert [type(result) for result in results] == [RoadError] * 2
        return await one("text")

    assert asyncio.run(send()) is PutResult.STORED
    assert pool.puts == 2


def test_who_breaks_off_and_sends_again_sends_once(visits: Visits) -> None:
    pool = Pool()

    async def send() -> PutResult | None:
        one = sender(visits, pool)
        first = asyncio.ensure_future(one("text"))
        await asyncio.sleep(0.001)
        first.cancel()
        return await one("text")

    assert asyncio.run(send()) is PutResult.STORED
    assert pool.puts == 1


def test_a_text_is_not_kept(visits: Visits) -> None:
    asyncio.run(sender(visits, Pool())("They keep two sets of books."))
    assert "two sets" not in repr(visits._sent)
    assert isinstance(visits.begin(PHRASE, fresh=True), Session)
