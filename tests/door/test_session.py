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

from sottovoce.door.ledger import IDLE_SECONDS, Claim, MemoryLedger
from sottovoce.door.session import Outcome, Session, VisitKeys, Visits
from sottovoce.pool.errors import PutResult, RoadError
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import Written

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


def visits_of(clock: Clock, ledger: MemoryLedger | None = None, keys: VisitKeys | None = None) -> Visits:
    """A server's visits, or those of another of its workers when ledger and keys are given."""
    keys = keys or VisitKeys(secrets.token_bytes(32), secrets.token_bytes(32))
    return Visits(keys, ledger or MemoryLedger(clock), clock, secrets.token_bytes)


@pytest.fixture
def ledger(clock: Clock) -> MemoryLedger:
    return MemoryLedger(clock)


@pytest.fixture
def visits(clock: Clock, ledger: MemoryLedger) -> Visits:
    return visits_of(clock, ledger)


def end(visits: Visits, session: Session) -> None:
    asyncio.run(visits.end(session))


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
    visits = visits_of(Clock())
    session = visits.begin(PHRASE, fresh=True)
    assert visits.open(text) is None
    assert not visits.token_is_ours(text, session, "write")


def test_no_cookie_is_no_visit(visits: Visits) -> None:
    assert visits.open(None) is None
    assert visits.open("") is None


def test_a_restart_ends_all_visits(visits: Visits, clock: Clock) -> None:
    session = visits.begin(PHRASE, fresh=True)
    again = visits_of(clock)
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
    end(visits, session)
    assert visits.open(early) is visits.open(late) is None
    assert visits.open(theirs)  # the same words elsewhere are another visit
    for _ in range(4):  # while the memory of it is tidied up
        clock.now += IDLE_SECONDS / 4
        end(visits, visits.begin(PHRASE, fresh=True))
        assert visits.open(late) is None


def test_what_is_over_is_forgotten(visits: Visits, clock: Clock, ledger: MemoryLedger) -> None:
    async def write() -> None:
        for _ in range(50):
            session = visits.begin(PHRASE, fresh=True)
            await sent(visits, visits.token(session, "write"), "text", Pool())
            await visits.end(session)

    asyncio.run(write())
    assert len(ledger._ended) == len(ledger._forms) == 50
    clock.now += IDLE_SECONDS + 2
    end(visits, visits.begin(PHRASE, fresh=True))
    assert len(ledger._ended) == 1
    assert not ledger._forms


def test_a_flood_of_visits_and_forms_takes_bounded_memory(
    ledger: MemoryLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sottovoce.door.ledger.MOST", 20)

    async def flood() -> None:
        for number in range(100):
            await ledger.end(number.to_bytes(8, "big"))
            await ledger.claim(number.to_bytes(28, "big"), bytes(32))

    asyncio.run(flood())
    assert len(ledger._ended) == len(ledger._forms) == 20
    assert ledger.ended((99).to_bytes(8, "big"))  # the oldest went


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
    """Answers each put with the next of `results`, at the end with the last; keeps the seeds it was given."""

    def __init__(self, *results: PutResult | Exception) -> None:
        self.results = list(results or [PutResult.STORED])
        self.seeds: list[bytes] = []

    @property
    def puts(self) -> int:
        return len(self.seeds)

    async def put(self, seed: bytes) -> Written:
        self.seeds.append(seed)
        await asyncio.sleep(0.01)
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return Written(result, 6, 0, seed[:16], [], b"")


Send = Callable[[str], Coroutine[Any, Any, PutResult | None]]


def sender(visits: Visits, pool: Pool) -> Send:
    """Sends a text by always the same form."""
    token = visits.token(visits.begin(PHRASE, fresh=True), "write")
    return lambda text: sent(visits, token, text, pool)


async def sent(visits: Visits, token: str, text: str, pool: Pool) -> PutResult | None:
    outcome = await visits.send_once(token, text, pool.put)
    return outcome.result if outcome else None


def test_the_same_form_has_one_seed_and_is_over_once_it_is_stored(visits: Visits) -> None:
    pool = Pool(PutResult.STORED, PutResult.KNOWN)

    async def send() -> list[PutResult | None]:
        one = sender(visits, pool)
        at_once = await asyncio.gather(*(one("text") for _ in range(5)))
        before = pool.puts
        late = await one("text")
        assert pool.puts == before
        return [*at_once, late]

    assert set(asyncio.run(send())) == {PutResult.STORED, PutResult.KNOWN}
    assert len(set(pool.seeds)) == 1  # so all of them make the same tags
    assert len(pool.seeds[0]) == 32


def test_a_seed_is_of_one_form_and_nobody_elses(visits: Visits, clock: Clock) -> None:
    pool = Pool()

    async def send() -> None:
        session = visits.begin(PHRASE, fresh=True)
        for _ in range(2):
            await sent(visits, visits.token(session, "write"), "text", pool)
        await sent(visits_of(clock), visits.token(session, "write"), "text", pool)

    asyncio.run(send())
    assert len(set(pool.seeds)) == 3


def test_who_takes_over_from_a_dead_worker_makes_the_same_tags(clock: Clock, ledger: MemoryLedger) -> None:
    keys = VisitKeys(secrets.token_bytes(32), secrets.token_bytes(32))
    one, other, pool = visits_of(clock, ledger, keys), visits_of(clock, ledger, keys), Pool()

    async def send() -> Outcome | None:
        session = one.begin(PHRASE, fresh=True)
        token = one.token(session, "write")
        dying = asyncio.create_task(one.send_once(token, "text", pool.put))
        while not pool.seeds:  # noqa: ASYNC110  until the first has begun
            await asyncio.sleep(0)
        assert other.open(one.seal(session))
        outcome = await other.send_once(token, "text", pool.put)
        dying.cancel()
        return outcome

    outcome = asyncio.run(send())
    assert outcome
    assert outcome.safe
    assert len(pool.seeds) == 2
    assert len(set(pool.seeds)) == 1


def test_what_a_dead_worker_had_not_stored_may_be_sent_with_another_text(ledger: MemoryLedger) -> None:
    async def claims() -> list[Claim]:
        got = [await ledger.claim(b"form", b"text", holder) for holder in ("dead", "alive")]
        ledger.forsake("dead")
        got.append(await ledger.claim(b"form", b"other", "alive"))
        await ledger.settle(b"form", done=False, holder="alive")
        got.append(await ledger.claim(b"form", b"other", "alive"))
        await ledger.settle(b"form", done=True, holder="alive")
        ledger.forsake("alive")
        return [*got, await ledger.claim(b"form", b"other", "new"), await ledger.claim(b"form", b"text", "new")]

    assert asyncio.run(claims()) == [Claim.FREE, Claim.FREE, Claim.OTHER, Claim.FREE, Claim.DONE, Claim.OTHER]


def test_the_cookie_carries_the_message_before(visits: Visits) -> None:
    session = visits.begin(PHRASE, fresh=True)
    assert session.after is None
    for after in (b"sixteen bytes id", None):
        opened = visits.open(visits.seal(session.wrote(after)))
        assert opened
        assert opened.after == after
    assert session.wrote(b"sixteen bytes id").wrote(None).after == b"sixteen bytes id"
    assert len(visits.seal(session)) == len(visits.seal(session.wrote(b"sixteen bytes id")))


def test_another_text_by_the_same_form_is_not_put(visits: Visits) -> None:
    pool = Pool()

    async def send() -> list[PutResult | None]:
        one = sender(visits, pool)
        at_once = await asyncio.gather(one("text"), one("other"))
        return [*at_once, await one("other"), await one("text")]

    assert asyncio.run(send()) == [PutResult.STORED, None, None, PutResult.KNOWN]
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
            await sent(visits, spelling, "text", pool)

    asyncio.run(send())
    assert pool.puts == 1


@pytest.mark.parametrize("result", [PutResult.FULL, PutResult.WRONG_EPOCH])
def test_a_put_that_was_refused_frees_its_form(visits: Visits, result: PutResult) -> None:
    pool = Pool(result, PutResult.KNOWN)

    async def send() -> list[PutResult | None]:
        one = sender(visits, pool)
        return [await one("text"), await one("shorter"), await one("shorter")]

    assert asyncio.run(send()) == [result, PutResult.KNOWN, PutResult.KNOWN]
    assert pool.puts == 2


def test_a_put_that_failed_frees_its_form(visits: Visits) -> None:
    pool = Pool(RoadError("broken"), RoadError("broken"), PutResult.STORED)

    async def send() -> PutResult | None:
        one = sender(visits, pool)
        results = await asyncio.gather(one("text"), one("text"), return_exceptions=True)
        assert [type(result) for result in results] == [RoadError] * 2
        return await one("text")

    assert asyncio.run(send()) is PutResult.STORED
    assert pool.puts == 3


def test_who_breaks_off_and_sends_again_sends_once(visits: Visits) -> None:
    pool = Pool()

    async def send() -> PutResult | None:
        one = sender(visits, pool)
        first = asyncio.ensure_future(one("text"))
        await asyncio.sleep(0.001)
        first.cancel()
        return await one("text")

    assert asyncio.run(send()) is PutResult.STORED
    assert len(set(pool.seeds)) == 1  # under the same tags


def test_a_text_is_not_kept(visits: Visits, ledger: MemoryLedger) -> None:
    asyncio.run(sender(visits, Pool())("They keep two sets of books."))
    assert "two sets" not in repr(ledger._forms)
    assert isinstance(visits.begin(PHRASE, fresh=True), Session)
