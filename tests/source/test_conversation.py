"""What a source writes, against a real pool and a real organisation: the desk's side is made by the protocol."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest
from doubles.world import PHRASE, TODAY, World, run

from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.pool.store import Pool
from sottovoce.protocol.envelope import DESK_ROOM, LATER_ROOM, seen_bit, seen_bits
from sottovoce.protocol.sizes import EPOCH_SECONDS
from sottovoce.source.conversation import ROOM, Closed, tags_of

LONG = "第七码头的账本。 " * 700  # three parts
SEED = bytes(range(32))
WHOLE = 110_621  # what spec 6.4 names


@dataclass
class Watched:
    """A pool that shows what was put, and fails as `fault` says of the number (from 0) of a put.

    "before": the answer is lost and nothing was written; "after": written, and the answer is lost.
    """

    inner: Pool
    fault: Callable[[int], Literal["before", "after", "full"] | None] = lambda _: None
    puts: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        fault = self.fault(len(self.puts))
        self.puts.append((epoch, tag, envelope))
        if fault == "full":
            return Reply(PutResult.FULL, TODAY, 12)
        if fault == "before":
            raise RoadError("The connection to the server broke: try again.")
        self.replies.append(await self.inner.put(epoch, tag, envelope))
        if fault == "after":
            raise RoadError("The connection to the server broke: try again.")
        return self.replies[-1]

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        return await self.inner.find(tags)


def watch(world: World, fault: Callable[[int], Literal["before", "after", "full"] | None] = lambda _: None) -> Watched:
    """Puts a watched pool between the source and its pool."""
    inner = world.source.pool
    watched = Watched(inner.inner if isinstance(inner, Watched) else inner, fault)
    world.source = replace(world.source, pool=watched)
    return watched


@pytest.mark.parametrize("text", ["a", "Tenders are rigged. 汉字 \0 \n", LONG, "é" * (ROOM // 2)])
def test_7_1_the_desk_reads_what_the_source_wrote(world: World, text: str) -> None:
    written = world.write(text)
    assert (written.result, written.hour, written.epoch) == (PutResult.STORED, 12, TODAY)
    (message,) = world.read()
    assert message.body.text == text
    assert message.first.sign == world.source.keys(PHRASE).sign
    assert message.first.conversation == world.source.keys(PHRASE).id
    assert message.first.message_id == written.message_id
    assert seen_bits(message.first.part.seen) == set()


def test_6_4_a_text_that_fills_the_room_fits_and_no_more(world: World) -> None:
    assert ROOM == WHOLE
    assert world.write("a" * ROOM, after=bytes(16), language="zh-Hans-").result is PutResult.STORED
    (message,) = world.read()
    assert message.first.parts == 16
    with pytest.raises(ValueError, match="too long for 16 envelopes"):
        world.write("a" * (ROOM + 1), after=bytes(16), language="zh-Hans-")


def test_6_5_a_message_names_the_one_before_it(world: World) -> None:
    before = world.write("one")
    world.write("two", after=before.message_id)
    assert {message.body.text: message.body.after for message in world.read()} == {
        "one": None, "two": before.message_id,
    }  # fmt: skip


def test_nothing_in_the_pool_ties_two_messages_or_two_parts_together(world: World) -> None:
    for _ in range(2):
        world.write(LONG, first=False)
    sealed = [raw for _, raw in world.envelopes().values()]
    pieces = [{raw[at : at + 8] for at in range(len(raw) - 7)} for raw in sealed]
    assert len(pieces) == 6
    assert len(set().union(*pieces)) == sum(map(len, pieces))
    assert len({message.first.message_id for message in world.read()}) == 2


def test_other_words_are_another_conversation(world: World) -> None:
    other = world.source.keys(replace(PHRASE, secret=bytes(16)))
    assert other.id != world.source.keys(PHRASE).id
    assert other.sign != world.source.keys(PHRASE).sign


def test_the_desk_learns_what_was_seen(world: World) -> None:
    places = [(TODAY + 1, 0), (TODAY, 3), (TODAY - 30, 1)]
    for epoch, n in places:
        world.answer("x", epoch, n)
    world.close()
    world.write("I saw them", first=False)
    (message,) = world.read()
    assert seen_bits(message.first.part.seen) == {seen_bit(TODAY, epoch, world.org.slot, n) for epoch, n in places}
    assert seen_bits(message.first.part.seen) == {0, 67, 64 * 31 + 1}


def test_an_answer_that_is_not_whole_yet_is_not_said_to_be_seen(world: World) -> None:
    world.answer(LONG, without=[2])
    world.close()
    world.write("nothing yet", first=False)
    (message,) = world.read()
    assert seen_bits(message.first.part.seen) == set()


def test_a_first_message_looks_for_nothing(world: World) -> None:
    world.answer("x")
    world.close()
    world.write("hello", first=True)
    (message,) = world.read()
    assert seen_bits(message.first.part.seen) == set()


def test_without_a_duty_key_for_today_nothing_is_sealed(world: World) -> None:
    world.now += 6 * EPOCH_SECONDS
    assert world.source.is_open()
    world.now += EPOCH_SECONDS
    assert not world.source.is_open()
    for first in (True, False):
        with pytest.raises(Closed, match="takes no message today"):
            world.write("text", first=first)
    assert run(world.pool.pending()) == []


# -- parts and repeats ---------------------------------------------------------


def test_7_1_all_parts_are_sealed_first_and_part_0_goes_last(world: World) -> None:
    watched = watch(world)
    written = world.write(LONG)
    assert [tag for _, tag, _ in watched.puts][-1] == written.tags[0]
    assert {tag for _, tag, _ in watched.puts} == set(written.tags)
    assert tags_of(written.link, len(written.tags)) == list(written.tags)


def test_the_same_form_again_is_one_message(world: World) -> None:
    """Two processes that know nothing of each other get one form twice: the second seals other bytes."""
    for text in ("short", LONG):
        one, again = world.write(text, seed=SEED), world.write(text, seed=SEED)
        assert (one.result, again.result) == (PutResult.STORED, PutResult.KNOWN)
        assert (one.message_id, one.tags) == (again.message_id, again.tags)
    assert sorted(message.body.text for message in world.read()) == sorted(("short", LONG))


@pytest.mark.parametrize("other", ["text", "after", "words"])
def test_another_message_under_the_same_seed_is_not_taken_for_the_first(world: World, other: str) -> None:
    """A seed is one form's. Should one ever serve two, neither is lost, and their parts never mix."""
    one = world.write(LONG, seed=SEED)
    phrase = replace(PHRASE, secret=bytes(16)) if other == "words" else PHRASE
    text, after = LONG + ("x" if other == "text" else ""), bytes(16) if other == "after" else None
    two = run(world.source.write(phrase, text, first=True, seed=SEED, after=after))
    assert (one.result, two.result) == (PutResult.STORED, PutResult.STORED)
    assert not set(one.tags) & set(two.tags)
    assert (one.message_id == two.message_id) is (other == "after"), "that one is the same message to a desk"
    assert {message.body.text for message in world.read()} == {LONG, text}


def test_a_seed_or_a_tag_tells_nothing_of_the_others(world: World) -> None:
    one, other = world.write(LONG, seed=SEED), world.write(LONG, seed=bytes(32))
    names = [one.message_id, one.link, *one.tags, other.message_id, other.link, *other.tags]
    assert len(set(names)) == len(names)
    assert one.link.hex() not in repr(one)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_lost_answer_of_a_put_loses_nothing(world: World, number: int, fault: Literal["before", "after"]) -> None:
    watch(world, lambda at: fault if at == number else None)
    with pytest.raises(RoadError):
        world.write(LONG, seed=SEED)
    assert world.read() == [] or (number, fault) == (2, "after")
    watch(world)
    assert world.write(LONG, seed=SEED).result in (PutResult.STORED, PutResult.KNOWN)
    (message,) = world.read()
    assert message.body.text == LONG


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_pool_that_is_full_for_one_part_is_full_for_the_message(world: World, number: int) -> None:
    watch(world, lambda at: "full" if at == number else None)
    written = world.write(LONG, seed=SEED)
    assert (written.result, written.hour) == (PutResult.FULL, 12)
    assert world.read() == []
    world.close()
    watch(world)
    assert world.write(LONG, seed=SEED).result is PutResult.STORED
    (message,) = world.read()
    assert message.body.text == LONG


# -- midnight and clocks -------------------------------------------------------


class Midnight(Watched):
    """A pool at whose door the clock strikes, before the first put of each of some attempts."""

    world: World
    strikes: list[int]

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        if self.strikes[:1] == [len(self.puts)]:
            self.strikes.pop(0)
            self.world.now += 2 * EPOCH_SECONDS  # yesterday's is taken, so two
        return await super().put(epoch, tag, envelope)


def midnight(world: World, *strikes: int) -> Midnight:
    watched = Midnight(world.source.pool)
    watched.world, watched.strikes = world, list(strikes)
    world.source = replace(world.source, pool=watched)
    return watched


@pytest.mark.parametrize("text", ["late", LONG])
def test_9_1_midnight_between_sealing_and_putting_seals_again(world: World, text: str) -> None:
    watched = midnight(world, 0)
    assert world.write(text).result is PutResult.STORED
    assert {epoch for epoch, _, _ in watched.puts} == {TODAY, TODAY + 2}
    (message,) = world.read()  # with the key of the new day
    assert message.body.text == text


@pytest.mark.parametrize("strike", [1, 2])
def test_9_1_midnight_between_two_parts_seals_again_and_nothing_is_torn(world: World, strike: int) -> None:
    midnight(world, strike)
    assert world.write(LONG).result is PutResult.STORED
    (message,) = world.read()
    assert message.body.text == LONG


def test_9_1_it_is_sealed_again_once_only(world: World) -> None:
    watched = midnight(world, 0, 1)
    written = world.write("late")
    assert (written.result, written.epoch) == (PutResult.WRONG_EPOCH, TODAY + 4)
    assert len(watched.puts) == 2
    assert world.read() == []


@pytest.mark.parametrize(("days", "result"), [(-1, "STORED"), (0, "STORED"), (1, "STORED"), (2, "WRONG_EPOCH")])
def test_9_1_a_clock_that_is_a_day_off_is_forgiven_and_one_further_off_is_told(
    world: World, days: int, result: str
) -> None:
    """Against a server at TODAY: ahead by one it is sealed again for the server's day, by two it is not."""
    now = world.now
    world.now += 3 * EPOCH_SECONDS  # so that there is a duty key for each of these days
    world.close(0)
    world.source = replace(world.source, now=lambda: now + (3 + days) * EPOCH_SECONDS)
    written = world.write(LONG)
    assert (written.result.name, written.epoch) == (result, TODAY + 3)
    assert len(world.read()) == (result == "STORED")


def test_what_was_seen_is_told_for_the_day_for_which_it_is_sealed(world: World) -> None:
    """A clock that is a day ahead looks one day less far back: no bit may be out of the bitmap's reach."""
    world.answer("tomorrow's", TODAY + 1)
    world.close()
    world.source = replace(world.source, now=lambda: world.now + EPOCH_SECONDS)
    world.answer("of a day that the server doesn't know yet", TODAY + 2)
    world.close()
    assert world.write("both seen", first=False).result is PutResult.STORED
    (message,) = world.read()
    assert seen_bits(message.first.part.seen) == {0}


def test_nothing_secret_shows_in_a_repr(world: World) -> None:
    secret = secrets.token_bytes(32)
    shown = repr([PHRASE, world.source, world.source.keys(PHRASE), world.write("x", seed=secret), world.inbox()])
    assert PHRASE.secret.hex() not in shown
    assert repr(PHRASE.secret)[2:-1] not in shown
    assert repr(secret)[2:-1] not in shown


def test_the_greatest_parts_are_as_full_as_they_can_be() -> None:
    assert ROOM == DESK_ROOM + 15 * LATER_ROOM - 35
