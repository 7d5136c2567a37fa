"""What a source does, against a real store and a real organisation: the desk's side is made by the protocol."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from doubles.organisation import Organisation

from sottovoce.pool.errors import PutResult
from sottovoce.pool.store import SqlitePool
from sottovoce.protocol.body import Body
from sottovoce.protocol.envelope import seen_bit, seen_bits
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import PairKey, member_pair
from sottovoce.protocol.message import Message, Place, open_at_desk, seal_to_source
from sottovoce.protocol.sizes import ANSWER_EPOCHS, ENVELOPE, EPOCH_SECONDS, epoch_of
from sottovoce.protocol.words import Passphrase
from sottovoce.source.conversation import ROOM, Closed, Source
from sottovoce.trust.published import SignedFolder

NOW = 1_800_000_123.75
TODAY = epoch_of(NOW)
PHRASE = Passphrase(bytes(range(16)))
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    made = Organisation(tmp_path_factory.mktemp("o"), TODAY)
    made.go_on_duty()
    return made


@dataclass
class World:
    """A source, the pool, the organisation, and one clock for all."""

    org: Organisation
    pool: SqlitePool
    source: Source
    now: float = NOW

    @property
    def today(self) -> int:
        return epoch_of(self.now)

    def read(self) -> list[Message]:
        """All messages in the pool that the member can open today, in no order."""
        messages = []
        pending = run(self.pool.pending())
        for tag, raw in run(self.pool.look_up([tag for _, tag in pending])).items():
            try:
                messages.append(self.open(tag, raw))
            except Refused:
                continue
        return messages

    def open(self, tag: bytes, raw: bytes) -> Message:
        key = self.org.duty_keys[self.today]
        return open_at_desk(raw, key, self.org.org, self.today, tag).verify(self.org.dh, self.org.slot)

    @property
    def pair(self) -> PairKey:
        keys = self.source.keys(PHRASE)
        return member_pair(self.org.dh, keys.dh, keys.c, self.org.org, self.org.slot)

    def answer(self, text: str, epoch: int, n: int = 0, received: int = 1, newest: int = TODAY) -> bytes:
        """A member's answer is put into the pool; returns its tag."""
        keys, place = self.source.keys(PHRASE), Place(epoch, self.org.slot, n)
        message_id = secrets.token_bytes(16)
        tag, raw = seal_to_source(
            self.pair, keys.kem.public, self.org.org, place, Body(text),
            message_id=message_id, received=received, newest=newest,
        )  # fmt: skip
        assert run(self.pool.put(self.today, tag, raw)) is PutResult.STORED
        return tag

    def texts(self) -> list[str]:
        return [answer.body.text for answer in run(self.source.inbox(PHRASE)).answers]


@pytest.fixture
def world(org: Organisation, tmp_path: Path) -> Iterator[World]:
    signed = SignedFolder(org.server / "signed")

    def now() -> float:
        return made.now

    with closing(SqlitePool(tmp_path / "pool" / "p", now)) as pool:
        source = Source(pool, lambda: signed.published(made.today), now, secrets.token_bytes)
        made = World(org, pool, source)
        yield made


@pytest.mark.parametrize("text", ["a", "Tenders are rigged. 汉字 \0 \n", "é" * (ROOM // 2)])
def test_the_desk_reads_what_the_source_wrote(world: World, text: str) -> None:
    assert run(world.source.write(PHRASE, text, first=True)) is PutResult.STORED
    (message,) = world.read()
    assert message.body.text == text
    assert message.sign == world.source.keys(PHRASE).sign
    assert message.conversation == world.source.keys(PHRASE).id
    assert seen_bits(message.part.seen) == set()


def test_a_text_that_fills_the_room_fits_and_no_more(world: World) -> None:
    assert run(world.source.write(PHRASE, "a" * ROOM, first=True)) is PutResult.STORED
    with pytest.raises(ValueError, match="1 bytes too long"):
        run(world.source.write(PHRASE, "a" * (ROOM + 1), first=True))


def test_nothing_in_the_pool_ties_two_messages_together(world: World) -> None:
    for _ in range(2):
        run(world.source.write(PHRASE, "the same text", first=False))
    (one, other) = run(world.pool.look_up([tag for _, tag in run(world.pool.pending())])).values()
    assert not {one[at : at + 8] for at in range(len(one) - 7)} & {other[at : at + 8] for at in range(len(other) - 7)}
    assert len({message.part.header.message_id for message in world.read()}) == 2


def test_other_words_are_another_conversation(world: World) -> None:
    world.answer("for one only", TODAY)
    other = Passphrase(bytes(16))
    assert run(world.source.inbox(other)).answers == []
    assert world.source.keys(other).id != world.source.keys(PHRASE).id


def test_answers_come_newest_first(world: World) -> None:
    places = [(TODAY - 3, 2), (TODAY, 1), (TODAY - 3, 0), (TODAY + 1, 0), (TODAY, 3)]
    for epoch, n in places:
        world.answer(f"{epoch - TODAY} {n}", epoch, n)
    assert world.texts() == ["1 0", "0 3", "0 1", "-3 2", "-3 0"]


def test_an_answer_stays_thirty_days(world: World) -> None:
    for age in (-1, 0, ANSWER_EPOCHS, ANSWER_EPOCHS + 1):
        world.answer(str(age), TODAY - age)
    assert world.texts() == ["-1", "0", "30"]
    world.now += EPOCH_SECONDS
    assert world.texts() == ["-1", "0"]


def test_the_source_learns_what_arrived(world: World) -> None:
    assert run(world.source.inbox(PHRASE)).received == 0
    world.answer("old", TODAY - 5, received=2, newest=TODAY - 6)
    world.answer("new", TODAY - 1, received=4, newest=TODAY - 2)
    inbox = run(world.source.inbox(PHRASE))
    assert (inbox.received, inbox.newest) == (4, TODAY - 2)


def test_the_desk_learns_what_was_seen(world: World) -> None:
    places = [(TODAY + 1, 0), (TODAY, 3), (TODAY - 30, 1)]
    for epoch, n in places:
        world.answer("x", epoch, n)
    run(world.source.write(PHRASE, "I saw them", first=False))
    (message,) = world.read()
    assert seen_bits(message.part.seen) == {seen_bit(TODAY, epoch, world.org.slot, n) for epoch, n in places}
    assert seen_bits(message.part.seen) == {0, 67, 64 * 31 + 1}


def test_a_first_message_looks_for_nothing(world: World) -> None:
    world.answer("x", TODAY)
    run(world.source.write(PHRASE, "hello", first=True))
    (message,) = world.read()
    assert seen_bits(message.part.seen) == set()


@pytest.mark.parametrize("junk", [bytes(ENVELOPE), b"\xff" * ENVELOPE])
def test_junk_under_a_guessed_tag_is_no_answer(world: World, junk: bytes) -> None:
    world.answer("true", TODAY, 1)
    run(world.pool.put(TODAY, world.pair.answer_tags(TODAY)[2], junk))
    assert world.texts() == ["true"]


def test_an_answer_under_another_tag_is_no_answer(world: World) -> None:
    """Whoever runs the server knows the bytes of a true answer, and may lay them elsewhere."""
    raw = run(world.pool.look_up([world.answer("true", TODAY, 1)]))
    run(world.pool.put(TODAY, world.pair.answer_tags(TODAY)[2], *raw.values()))
    assert world.texts() == ["true"]


def test_an_answer_sealed_by_who_holds_no_members_key_is_no_answer(world: World) -> None:
    """Who knows the source's key for sealing, and even the tag, lacks the MAC's half of the pair key."""
    keys, place = world.source.keys(PHRASE), Place(TODAY, world.org.slot, 0)
    forger = PairKey(world.pair.tags, secrets.token_bytes(32))
    numbers = {"message_id": bytes(16), "received": 1, "newest": TODAY}
    for pair, expected in ((forger, []), (world.pair, ["forged"])):  # the second: the test can fail
        place = replace(place, n=len(expected))
        tag, raw = seal_to_source(pair, keys.kem.public, world.org.org, place, Body("forged"), **numbers)  # type: ignore[arg-type]  # ints and bytes by name
        run(world.pool.put(TODAY, tag, raw))
        assert world.texts() == expected


def test_without_a_duty_key_for_today_nothing_is_sealed(world: World) -> None:
    world.now += 6 * EPOCH_SECONDS
    assert world.source.is_open()
    world.now += EPOCH_SECONDS
    assert not world.source.is_open()
    for first in (True, False):
        with pytest.raises(Closed):
            run(world.source.write(PHRASE, "text", first=first))
    assert run(world.pool.pending()) == []


def test_answers_are_found_when_the_desk_is_closed(world: World) -> None:
    world.now += 8 * EPOCH_SECONDS
    world.answer("late", world.today)
    assert world.texts() == ["late"]


class Midnight:
    """A pool at whose door the clock strikes, `days` times."""

    def __init__(self, world: World, days: int) -> None:
        self.world, self.days = world, days
        self.results: list[PutResult] = []

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> PutResult:
        if self.days:
            self.days -= 1
            self.world.now += 2 * EPOCH_SECONDS  # yesterday's is taken, so two
        self.results.append(await self.world.pool.put(epoch, tag, envelope))
        return self.results[-1]

    async def look_up(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        return await self.world.pool.look_up(tags)

    async def pending(self) -> list[tuple[int, bytes]]:
        return await self.world.pool.pending()


def test_midnight_between_sealing_and_putting_seals_again(world: World) -> None:
    pool = Midnight(world, 1)
    assert run(replace(world.source, pool=pool).write(PHRASE, "late", first=True)) is PutResult.STORED
    assert pool.results == [PutResult.WRONG_EPOCH, PutResult.STORED]
    (message,) = world.read()  # with the key of the new day
    assert message.body.text == "late"


def test_it_is_sealed_again_once_only(world: World) -> None:
    pool = Midnight(world, 3)
    assert run(replace(world.source, pool=pool).write(PHRASE, "late", first=True)) is PutResult.WRONG_EPOCH
    assert len(pool.results) == 2
    assert world.read() == []


def test_nothing_secret_shows_in_a_repr(world: World) -> None:
    shown = repr([PHRASE, world.source, world.source.keys(PHRASE), run(world.source.inbox(PHRASE))])
    assert PHRASE.secret.hex() not in shown
    assert repr(PHRASE.secret)[2:-1] not in shown
