"""Answers: sealing, opening, and attacks by name (spec 5.6, 5.7, 7.3, 7.4)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol.scene import (
    DEVICES,
    EPOCH,
    ID,
    KEYS,
    MEMBERS,
    ORG,
    PLACE,
    STRANGER,
    answered,
    answered_parts,
    days,
    first_at_source,
    fitting,
    layer_of,
    quarters,
    read,
    read_parts,
    slots,
)

from sottovoce.protocol.answer import Answer, Place, answer_tags, seal_to_source
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import (
    LATER_ROOM,
    SOURCE_ROOM,
    TO_SOURCE,
    Header,
    LaterPart,
    SourcePart,
    body_hash,
    decode,
)
from sottovoce.protocol.keys import PairKey, member_pair
from sottovoce.protocol.sealing import binding, seal, unseal

TAGS = answer_tags(KEYS.pair(PLACE.slot, MEMBERS[PLACE.slot]), PLACE, 16)
INFOS = [binding(ORG, TO_SOURCE, EPOCH, tag) for tag in TAGS]
PAIR = member_pair(DEVICES[PLACE.slot], KEYS.dh, KEYS.c, ORG, PLACE.slot)
GOOD_ANSWER = answered()[1]
THREE = answered_parts(Body("".join(f"{line:07}\n" for line in range((SOURCE_ROOM + 2 * LATER_ROOM - 35) // 8))))


def sealed_to_source(part: SourcePart | LaterPart, number: int = 0) -> bytes:
    """The envelope of a part that somebody put together, under the tag of part `number`."""
    return seal(part.encode(), KEYS.kem.public, INFOS[number])


def signed(part: SourcePart, pair: PairKey = PAIR) -> SourcePart:
    """The part with the MAC of who holds `pair`."""
    return replace(part, mac=pair.mac(INFOS[0], part.digest()))


def first_part() -> SourcePart:
    """The short answer, opened."""
    part = decode(unseal(GOOD_ANSWER, KEYS.kem, INFOS[0]), TO_SOURCE)
    assert isinstance(part, SourcePart)
    return part


@given(text=fitting(SOURCE_ROOM), epoch=days, slot=slots, n=quarters)
@settings(max_examples=40, deadline=None)
def test_7_3_a_source_opens_what_any_member_answered(text: str, epoch: int, slot: int, n: int) -> None:
    place = Place(epoch, slot, n)
    tag, envelope = answered(text, place)
    assert len(envelope) == 8_192
    assert tag == KEYS.pair(slot, MEMBERS[slot]).answer_tags(epoch)[n]
    assert read(envelope, place) == Answer(place, ID, Body(text), 1, EPOCH)


@given(
    size=st.sampled_from([SOURCE_ROOM + LATER_ROOM * further for further in (0, 1, 2, 15)]),
    more=st.integers(-26, -24),
    slot=slots,
    n=quarters,
)
@settings(max_examples=20, deadline=None)
def test_7_3_and_7_4_an_answer_of_several_parts_is_read_whole(size: int, more: int, slot: int, n: int) -> None:
    text, place = "x" * (size + more), Place(EPOCH, slot, n)
    sealed = answered_parts(Body(text), place)
    assert len(sealed) in {1, 2, 3, 16}
    assert {len(envelope) for _, envelope in sealed} == {8_192}
    assert [tag for tag, _ in sealed] == answer_tags(KEYS.pair(slot, MEMBERS[slot]), place, len(sealed))
    assert read_parts(sealed, place) == Answer(place, ID, Body(text), 1, EPOCH)


def test_7_3_an_answer_that_is_too_long_is_not_sealed() -> None:
    room = text_room(SOURCE_ROOM + 15 * LATER_ROOM)
    assert len(answered_parts(Body("x" * room, after=ID, language="zh-Hans-"))) == 16
    with pytest.raises(ValueError, match="too long for 16 envelopes"):
        answered_parts(Body("x" * (room + 1), after=ID, language="zh-Hans-"))


def test_7_3_a_source_that_floods_its_conversation_can_still_be_answered() -> None:
    ((_, envelope),) = seal_to_source(
        PAIR, KEYS.kem.public, ORG, PLACE, Body("a"), message_id=ID, received=70_000, newest=EPOCH
    )
    assert read(envelope).received == 65_535


@pytest.mark.parametrize("place", [Place(EPOCH + 1, 5, 2), Place(EPOCH, 6, 2), Place(EPOCH, 5, 3)])
def test_5_6_an_answer_moved_to_another_place_is_refused(place: Place) -> None:
    assert layer_of(lambda: read(GOOD_ANSWER, place)) == "seal"


def test_7_4_2_a_later_part_under_the_first_tag_is_refused() -> None:
    later = LaterPart(Header(TO_SOURCE, ID, 1, 2, PLACE.slot, PLACE.n), b"more")
    assert layer_of(lambda: first_at_source(sealed_to_source(later))) == "reassembly"


def test_7_4_3_and_7_4_4_a_member_cannot_answer_in_a_colleagues_slot() -> None:
    tag, envelope = answered(place=Place(EPOCH, 6, 2))
    assert tag not in KEYS.pair(PLACE.slot, MEMBERS[PLACE.slot]).answer_tags(EPOCH)
    part = decode(unseal(envelope, KEYS.kem, binding(ORG, TO_SOURCE, EPOCH, tag)), TO_SOURCE)
    assert isinstance(part, SourcePart)
    assert layer_of(lambda: read(sealed_to_source(part))) == "header"
    claims = replace(part, header=replace(part.header, slot=PLACE.slot))
    own = member_pair(DEVICES[6], KEYS.dh, KEYS.c, ORG, 6)
    assert layer_of(lambda: read(sealed_to_source(signed(claims, own)))) == "authentication"


@pytest.mark.parametrize(
    "change", [{"received": 9}, {"newest": 0}, {"mac": bytes(16)}, {"body": b"\xa1\x00\x60"}, {"body_hash": bytes(32)}]
)
def test_7_4_4_nobody_answers_without_a_members_key(change: dict[str, bytes | int]) -> None:
    forged = replace(first_part(), **change)  # type: ignore[arg-type]
    assert layer_of(lambda: read(sealed_to_source(forged))) == "authentication"


def test_7_4_1_another_source_does_not_open_an_answer() -> None:
    assert layer_of(lambda: read(GOOD_ANSWER, keys=STRANGER)) == "seal"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"message_id": b"j" * 16}, "another answer's"),
        ({"part": 2}, "another number"),
        ({"parts": 4}, "another count"),
        ({"slot": 6}, "another slot"),
        ({"n": 3}, "another quarter"),
    ],
)
def test_7_4_5_a_later_part_that_is_not_the_one_of_its_tag_is_refused(change: dict[str, int], why: str) -> None:
    header = replace(Header(TO_SOURCE, ID, 1, 3, PLACE.slot, PLACE.n), **change)  # type: ignore[arg-type]
    envelope = sealed_to_source(LaterPart(header, b"more"), 1)
    assert layer_of(lambda: first_at_source(THREE[0][1]).open_later(envelope, 1, KEYS)) == "reassembly", why


def test_7_4_5_a_first_part_where_a_later_one_belongs_is_refused() -> None:
    again = sealed_to_source(first_part(), 1)
    assert layer_of(lambda: first_at_source(THREE[0][1]).open_later(again, 1, KEYS)) == "reassembly"


def test_7_4_5_later_parts_are_bound_to_their_own_tags() -> None:
    first = first_at_source(THREE[0][1])
    assert layer_of(lambda: first.open_later(THREE[2][1], 1, KEYS)) == "seal"
    assert layer_of(lambda: first.open_later(THREE[1][1][:-1], 1, KEYS)) == "size"
    assert layer_of(lambda: first.open_later(THREE[1][1], 1, STRANGER)) == "seal"


def test_7_4_6_an_answer_with_a_part_missing_or_too_many_is_refused() -> None:
    first = first_at_source(THREE[0][1])
    one, two = (first.open_later(THREE[part][1], part, KEYS) for part in (1, 2))
    for later in ([], [one], [one, two, b""]):
        assert layer_of(partial(first.join, later)) == "reassembly"
    assert first.join([one, two]).body.text.startswith("0000000\n")


def test_7_4_7_later_parts_in_disorder_or_changed_are_refused() -> None:
    first = first_at_source(THREE[0][1])
    one, two = (first.open_later(THREE[part][1], part, KEYS) for part in (1, 2))
    assert one != two
    assert layer_of(lambda: first.join([two, one])) == "body"
    assert layer_of(lambda: first.join([one, two + b"x"])) == "body"


def test_7_4_8_an_answer_that_says_nothing_readable_is_refused() -> None:
    forged = signed(replace(first_part(), body=b"\xa0", body_hash=body_hash(b"\xa0")))
    assert layer_of(lambda: read(sealed_to_source(forged))) == "body"
