"""What a source finds, and that finding is the same work with and without answers (spec 7.4)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from doubles.world import PHRASE, TODAY, World, run

from sottovoce.pool.errors import Reply
from sottovoce.pool.store import Pool
from sottovoce.protocol import sealing
from sottovoce.protocol.answer import Place, seal_to_source
from sottovoce.protocol.body import Body
from sottovoce.protocol.keys import PairKey
from sottovoce.protocol.sizes import ANSWER_EPOCHS, ENVELOPE, EPOCH_SECONDS
from sottovoce.protocol.words import Passphrase
from sottovoce.source import inbox as room
from sottovoce.source.inbox import Incomplete

LONG = "第七码头的账本。 " * 900  # four parts of an answer
LONGEST = "a" * 112_400  # sixteen


@dataclass
class Counted:
    """A pool that keeps what it was asked for."""

    inner: Pool
    asked: list[list[bytes]] = field(default_factory=list)

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        return await self.inner.put(epoch, tag, envelope)

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        self.asked.append(list(tags))
        return await self.inner.find(tags)


@pytest.fixture
def counted(world: World) -> Counted:
    """The world's pool, with a counter."""
    made = Counted(world.source.pool)
    world.source = replace(world.source, pool=made)
    return made


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each attempt to open an envelope, with its size."""
    made: list[int] = []
    true = sealing.unseal

    def unseal(sealed: bytes, *rest: object) -> bytes:
        made.append(len(sealed))
        return true(sealed, *rest)  # type: ignore[arg-type]  # handed on as it came

    for module in ("sottovoce.source.inbox.unseal", "sottovoce.protocol.answer.unseal"):
        monkeypatch.setattr(module, unseal)
    return made


def test_answers_are_found_once_their_edition_has_closed(world: World) -> None:
    world.answer("soon")
    assert world.texts() == []
    world.close()
    assert world.texts() == ["soon"]


def test_answers_come_newest_first(world: World) -> None:
    for epoch, n in [(TODAY - 3, 2), (TODAY, 1), (TODAY - 3, 0), (TODAY + 1, 0), (TODAY, 3)]:
        world.answer(f"{epoch - TODAY} {n}", epoch, n)
    world.close()
    assert world.texts() == ["1 0", "0 3", "0 1", "-3 2", "-3 0"]


def test_4_4_an_answer_is_looked_for_thirty_days(world: World) -> None:
    for age in (-1, 0, ANSWER_EPOCHS, ANSWER_EPOCHS + 1):
        world.answer(str(age), TODAY - age)
    world.close()
    assert world.texts() == ["-1", "0", "30"]
    world.now += EPOCH_SECONDS
    assert world.texts() == ["-1", "0"]


@pytest.mark.parametrize("slot", [0, 7, 15])
@pytest.mark.parametrize("n", [0, 3])
@pytest.mark.parametrize("age", [-1, 0, 30])
def test_4_2_every_place_is_looked_at_once(world: World, slot: int, n: int, age: int) -> None:
    search = world.source._search(world.source.keys(PHRASE))
    tags = search.tags()
    assert len(set(tags)) == len(tags) == 2_048
    number = tags.index(search.pairs[slot].answer_tags(TODAY - age)[n])
    assert search._place(number) == Place(TODAY - age, slot, n)


def test_the_source_learns_what_arrived(world: World) -> None:
    assert world.inbox().received == 0
    world.answer("old", TODAY - 5, received=2, newest=TODAY - 6)
    world.answer(LONG, TODAY - 1, received=4, newest=TODAY - 2, without=[3])
    world.close()
    inbox = world.inbox()
    assert (inbox.received, inbox.newest) == (4, TODAY - 2), "a first part is enough to know"


def test_an_inbox_shows_the_sign_of_the_words(world: World) -> None:
    assert world.inbox().sign == world.source.keys(PHRASE).sign


def test_other_words_find_nothing(world: World) -> None:
    world.answer("for one only")
    world.close()
    assert run(world.source.inbox(Passphrase(bytes(16)))).answers == []


def test_answers_are_found_when_the_desk_is_closed(world: World) -> None:
    world.close(8 * EPOCH_SECONDS)
    world.answer("late", world.today)
    world.close()
    assert world.texts() == ["late"]


# -- several parts ----------------------------------------------------------------


@pytest.mark.parametrize("text", [LONG, LONGEST])
def test_7_4_an_answer_of_several_parts_is_joined(world: World, text: str) -> None:
    world.answer(text)
    world.close()
    assert world.texts() == [text]


def test_7_4_6_an_answer_whose_parts_are_not_all_here_is_told_and_comes_later(world: World) -> None:
    parts = world.answer(LONG, without=[1, 3])
    world.answer("whole", n=1)
    world.close()
    inbox = world.inbox()
    assert [answer.body.text for answer in inbox.answers] == ["whole"]
    assert inbox.incomplete == [Incomplete(Place(TODAY, world.org.slot, 0), 2, 4)]
    world.put(*parts[1])
    world.close()
    assert world.inbox().incomplete == [Incomplete(Place(TODAY, world.org.slot, 0), 3, 4)]
    world.put(*parts[3])
    world.close()
    assert world.texts() == ["whole", LONG]
    assert world.inbox().incomplete == []


def test_7_4_5_a_part_that_lies_under_anothers_tag_is_none(world: World) -> None:
    """Whoever runs the server can swap two true parts; both open nowhere but under their own tags."""
    parts = world.seal(LONG, Place(TODAY, world.org.slot, 0))
    for tag, envelope in [parts[0], (parts[1][0], parts[2][1]), (parts[2][0], parts[1][1]), parts[3]]:
        world.put(tag, envelope)
    world.close()
    inbox = world.inbox()
    assert inbox.answers == []
    assert inbox.incomplete == [Incomplete(Place(TODAY, world.org.slot, 0), 2, 4)]


def test_7_4_5_a_part_of_another_answer_in_the_same_place_is_none(world: World) -> None:
    """A member's device that answered twice in one place: parts of the two never mix."""
    place = Place(TODAY, world.org.slot, 0)
    one, other = world.seal(LONG, place), world.seal("x" + LONG, place)
    for tag, envelope in [*one[:3], other[3]]:
        world.put(tag, envelope)
    world.close()
    assert world.inbox().incomplete == [Incomplete(place, 3, 4)]


def test_7_4_7_parts_that_are_not_what_the_first_commits_to_are_no_answer(world: World) -> None:
    place, message_id = Place(TODAY, world.org.slot, 0), bytes(16)
    keys = world.source.keys(PHRASE)
    one, other = (
        seal_to_source(
            world.pair, keys.kem.public, keys.org, place, Body(text), message_id=message_id, received=1, newest=TODAY
        )
        for text in (LONG, LONG[:-1] + "x")
    )
    for tag, envelope in [*one[:3], other[3]]:
        world.put(tag, envelope)
    world.close()
    inbox = world.inbox()
    assert inbox.answers == []
    assert inbox.incomplete == [Incomplete(place, 3, 4)]


# -- hostile bytes ----------------------------------------------------------------


@pytest.mark.parametrize("junk", [bytes(ENVELOPE), b"\xff" * ENVELOPE])
def test_7_4_1_junk_under_a_guessed_tag_is_no_answer(world: World, junk: bytes) -> None:
    world.answer("true", n=1)
    world.put(world.pair.answer_tags(TODAY)[2], junk)
    world.close()
    assert world.texts() == ["true"]


@pytest.mark.parametrize("size", [0, 1, ENVELOPE - 1, ENVELOPE + 1])
def test_7_4_1_a_server_that_hands_out_other_sizes_is_no_answer(world: World, size: int) -> None:
    class Hostile(Counted):
        async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
            return {tag: secrets.token_bytes(size) for tag in tags[:20]}

    world.source = replace(world.source, pool=Hostile(world.source.pool))
    assert world.texts() == []


def test_an_answer_under_another_tag_is_no_answer(world: World) -> None:
    """Whoever runs the server knows the bytes of a true answer, and may lay them elsewhere."""
    ((_, raw),) = world.answer("true", n=1)
    world.put(world.pair.answer_tags(TODAY)[2], raw)
    world.close()
    assert world.texts() == ["true"]


def test_7_4_2_a_later_part_in_a_first_parts_place_is_no_answer(world: World) -> None:
    world.put(world.pair.answer_tags(TODAY)[2], world.seal(LONG, Place(TODAY, world.org.slot, 0))[1][1])
    world.close()
    assert (world.texts(), world.inbox().incomplete) == ([], [])


def test_7_4_4_an_answer_sealed_by_who_holds_no_members_key_is_no_answer(world: World) -> None:
    """Who knows the source's key for sealing, and even the tag, lacks the MAC's half of the pair key."""
    keys, place = world.source.keys(PHRASE), Place(TODAY, world.org.slot, 0)
    forger = PairKey(world.pair.tags, secrets.token_bytes(32))
    for pair, expected in ((forger, []), (world.pair, ["forged"])):  # the second: the test can fail
        ((tag, raw),) = seal_to_source(
            pair, keys.kem.public, world.org.org, replace(place, n=len(expected)), Body("forged"),
            message_id=bytes(16), received=1, newest=TODAY,
        )  # fmt: skip
        world.put(tag, raw)
        world.close()
        assert world.texts() == expected


# -- the same work ------------------------------------------------------------------


@pytest.mark.parametrize("answers", [0, 1, 7, 8])
def test_a_visit_with_few_answers_does_what_one_without_does(
    world: World, counted: Counted, openings: list[int], answers: int
) -> None:
    for age in range(answers):
        world.answer(f"answer {age}", TODAY - age)
    world.close()
    assert len(world.texts()) == answers
    assert openings == [ENVELOPE] * 8
    assert [len(set(asked)) for asked in counted.asked] == [2_048, 240]


def test_more_answers_than_that_cost_the_next_multiple(world: World, counted: Counted, openings: list[int]) -> None:
    world.answer(LONG)
    for age in range(1, 6):
        world.answer("short", TODAY - age)
    world.close()
    assert len(world.texts()) == 6
    assert len(openings) == 16, "nine envelopes are opened"
    assert [len(set(asked)) for asked in counted.asked] == [2_048, 240]


def test_the_tags_that_fill_the_second_look_up_are_new_ones_each_time(world: World, counted: Counted) -> None:
    for _ in range(2):
        world.inbox()
    assert not set(counted.asked[1]) & set(counted.asked[3])
    assert counted.asked[0] == counted.asked[2]


def test_what_one_visit_cannot_look_at_waits_for_the_next_one_and_is_not_lost(
    world: World, counted: Counted, openings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven answers of four parts, where one look-up has room for five: the older two come on the next page."""
    monkeypatch.setattr(room, "LATER_TAGS", 16)
    for age in range(7):
        world.answer(f"{age} {LONG}", TODAY - age)
    world.close()
    inbox = world.inbox()
    assert [answer.body.text[0] for answer in inbox.answers] == list("01234")
    assert inbox.older == 5
    rest = world.inbox(skip=5)
    assert [answer.body.text[0] for answer in rest.answers] == list("56")
    assert rest.older is None
    assert {len(asked) for asked in counted.asked} == {2_048, 16}


def test_a_flood_of_junk_under_ones_own_tags_makes_no_visit_dearer(
    world: World, counted: Counted, openings: list[int]
) -> None:
    """A source knows its own tags, and may fill them all: what one visit costs the door stays bounded."""
    world.answer("beneath it all", TODAY - 30, 0)
    for tag in world.source._search(world.source.keys(PHRASE)).tags()[:300]:
        world.put(tag, secrets.token_bytes(ENVELOPE))
    world.close()
    inbox = world.inbox()
    assert (inbox.answers, inbox.older) == ([], 64)
    assert len(openings) == 64
    pages = 1
    while inbox.older is not None:
        inbox, pages = world.inbox(skip=inbox.older), pages + 1
    assert [answer.body.text for answer in inbox.answers] == ["beneath it all"]
    assert pages == 5


@pytest.mark.parametrize("skip", [-1, 1, 10_000])
def test_any_page_may_be_asked_for(world: World, counted: Counted, openings: list[int], skip: int) -> None:
    world.answer("one")
    world.close()
    assert len(world.inbox(skip=skip).answers) == (skip < 1)
    assert len(openings) == 8
