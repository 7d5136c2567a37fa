"""Messages of several parts to the desk: cutting, losing, repeating, mixing, and hostile parts (spec 5.8, 7.1, 7.5)."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol.scene import (
    AUDIENCE,
    DUTY,
    EPOCH,
    ID,
    KEYS,
    ORG,
    SEEN,
    TAG,
    first_at_desk,
    later_at_desk,
    layer_of,
    plaintext_to_desk,
    tags_for,
    with_macs,
    written_parts,
)

from sottovoce.protocol.answer import parts_to_source
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import DESK_ROOM, LATER_ROOM, SOURCE_ROOM, TO_DESK, LaterPart, body_hash, split
from sottovoce.protocol.message import UntrustedPart, open_at_desk, parts_to_desk, read_at_desk, seal_to_desk
from sottovoce.protocol.reassembly import CANDIDATES, TRIES, join_candidates
from sottovoce.protocol.sealing import binding, seal

NUMBERED = "".join(f"{line:07}\n" for line in range((DESK_ROOM + 2 * LATER_ROOM - 35) // 8))
THREE = written_parts(Body(NUMBERED))
TAGS = tags_for(3)
LATER = [later_at_desk(THREE[part], TAGS[part]).part.body for part in (1, 2)]

borders = st.builds(
    lambda further, more: max(0, DESK_ROOM + LATER_ROOM * further + more), st.integers(0, 15), st.integers(-2, 2)
)


@given(room=st.sampled_from([DESK_ROOM, SOURCE_ROOM]), size=borders | st.integers(0, 113_000))
@settings(max_examples=150, deadline=None)
def test_5_8_any_body_is_cut_into_full_parts_or_refused_as_too_long(room: int, size: int) -> None:
    body = hashlib.shake_128(bytes(1)).digest(size)
    if size > room + 15 * LATER_ROOM:
        with pytest.raises(ValueError, match="too long for 16 envelopes"):
            split(body, room)
        return
    parts = split(body, room)
    assert b"".join(parts) == body
    assert len(parts) == (parts_to_desk if room == DESK_ROOM else parts_to_source)(body) <= 16
    assert [len(part) for part in parts[:-1]] == [room, *[LATER_ROOM] * (len(parts) - 2)][: len(parts) - 1]
    assert 0 < len(parts[-1]) <= LATER_ROOM or not body


@pytest.mark.parametrize(
    ("size", "parts"),
    [(0, 1), (DESK_ROOM - 1, 1), (DESK_ROOM, 1), (DESK_ROOM + 1, 2), (12_208, 2), (12_209, 3), (110_656, 16)],
)
def test_5_8_the_number_of_parts(size: int, parts: int) -> None:
    assert parts_to_desk(bytes(size)) == parts


@pytest.mark.parametrize(("count", "most"), [(parts_to_desk, 110_656), (parts_to_source, 112_458)])
def test_5_8_a_byte_more_than_sixteen_parts_hold_is_too_much(count: type[int], most: int) -> None:
    assert count(bytes(most)) == 16
    with pytest.raises(ValueError, match="too long for 16 envelopes"):
        count(bytes(most + 1))


@given(
    size=st.sampled_from([DESK_ROOM, DESK_ROOM + LATER_ROOM, DESK_ROOM + 2 * LATER_ROOM]),
    more=st.integers(-9, 1),
    after=st.none() | st.binary(min_size=16, max_size=16),
    slot=st.integers(0, 15),
)
@settings(max_examples=30, deadline=None)
def test_7_1_and_7_2_a_message_of_several_parts_is_read_whole(
    size: int, more: int, after: bytes | None, slot: int
) -> None:
    body = Body("x" * (size + more - (18 if after else 0)), after)
    sealed = written_parts(body)
    tags = tags_for(len(sealed))
    assert {len(envelope) for envelope in sealed} == {8_192}
    first = first_at_desk(sealed[0], slot=slot)
    later = [later_at_desk(envelope, tag) for envelope, tag in zip(sealed[1:], tags[1:], strict=True)]
    assert first.parts == len(sealed) == parts_to_desk(body.encode())
    assert [each.part.header.part for each in later] == list(range(1, first.parts))
    assert {each.message_id for each in later} <= {ID}
    assert first.join([each.part.body for each in later]).body == body


def test_7_1_the_longest_text_that_surely_fits_goes_in_sixteen_parts() -> None:
    room = text_room(DESK_ROOM + 15 * LATER_ROOM)
    assert (room, text_room(SOURCE_ROOM + 15 * LATER_ROOM)) == (110_621, 112_423)
    assert len(written_parts(Body("x" * room, after=ID, language="zh-Hans-"))) == 16
    with pytest.raises(ValueError, match="too long for 16 envelopes"):
        parts_to_desk(Body("x" * (room + 1), after=ID, language="zh-Hans-").encode())


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_7_1_a_message_of_three_parts_needs_three_tags(count: int) -> None:
    with pytest.raises(ValueError, match="argument"):
        seal_to_desk(KEYS, AUDIENCE, Body(NUMBERED), tags=[TAG] * count, message_id=ID, seen=SEEN)


def test_7_2_1_each_part_is_bound_to_its_own_tag() -> None:
    assert layer_of(lambda: later_at_desk(THREE[1], TAGS[2])) == "seal"
    assert layer_of(lambda: later_at_desk(THREE[1], TAGS[0])) == "seal"


def test_7_2_8_a_message_with_a_part_missing_or_too_many_is_refused() -> None:
    first = first_at_desk(THREE[0])
    for later in ([], LATER[:1], [*LATER, b""]):
        assert layer_of(partial(first.join, later)) == "reassembly"


def test_7_2_8_parts_in_disorder_repeated_or_changed_are_refused() -> None:
    first, (one, two) = first_at_desk(THREE[0]), LATER
    for later in ([two, one], [one, one], [one, two + b"x"], [one[:-1], one[-1:] + two + b" "]):
        assert layer_of(partial(first.join, later)) == "body"
    assert first.join(LATER).body.text == NUMBERED


def test_5_8_a_reader_takes_parts_that_are_less_full() -> None:
    body = Body("0123456789").encode()
    part = plaintext_to_desk()
    first = with_macs(replace(part, header=replace(part.header, parts=3), body=body[:2], body_hash=body_hash(body)))
    believed = first_at_desk(seal(first.encode(), DUTY.public, binding(ORG, TO_DESK, EPOCH, TAG)))
    assert believed.join([b"", body[2:]]).body.text == "0123456789"


def test_7_5_a_colleague_forwards_a_later_part_as_it_was() -> None:
    opened = later_at_desk(THREE[1], TAGS[1])
    forwarded = read_at_desk(opened.plaintext, ORG, EPOCH, TAGS[1])
    assert isinstance(forwarded, UntrustedPart)
    assert forwarded == opened


@given(
    honest=st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=5),
    hostile=st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=8)), max_size=3),
    seed=st.randoms(use_true_random=False),
)
@settings(max_examples=150, deadline=None)
def test_7_5_honest_parts_are_joined_among_hostile_ones(
    honest: list[bytes], hostile: list[tuple[int, bytes]], seed: random.Random
) -> None:
    candidates = [[body] for body in honest]
    for place, body in hostile:
        known = candidates[place % len(honest)]
        if body not in known:
            known.insert(seed.randrange(len(known) + 1), body)
    joined = join_candidates(b"first", body_hash(b"first" + b"".join(honest)), candidates)
    assert joined is not None
    assert b"".join(joined) == b"".join(honest)


def test_7_5_what_a_member_seals_under_the_same_message_id_does_not_hide_the_real_part() -> None:
    forged = LaterPart(later_at_desk(THREE[1], TAGS[1]).part.header, b"forged")
    tag = b"f" * 16
    hostile = open_at_desk(seal(forged.encode(), DUTY.public, binding(ORG, TO_DESK, EPOCH, tag)), DUTY, ORG, EPOCH, tag)
    assert isinstance(hostile, UntrustedPart)
    first = first_at_desk(THREE[0])
    joined = join_candidates(first.part.body, first.part.body_hash, [[hostile.part.body, LATER[0]], [LATER[1]]])
    assert joined == LATER
    assert first.join(joined).body.text == NUMBERED


def test_7_5_nothing_is_joined_from_hostile_parts_alone() -> None:
    assert join_candidates(b"a", body_hash(b"ab"), [[b"x", b"y"]]) is None
    assert join_candidates(b"a", body_hash(b"ab"), []) is None
    assert join_candidates(b"a", body_hash(b"a"), []) == []


class Counted(list[bytes]):
    """The candidates of one part; counts in `hashed` how often one of them is added to a hash."""

    hashed = 0

    def __iter__(self) -> Iterator[bytes]:
        for body in super().__iter__():
            Counted.hashed += 1
            yield body


def work(candidates: Sequence[Sequence[bytes]]) -> int:
    """How many bodies are hashed before the search gives up."""
    Counted.hashed = 0
    assert join_candidates(b"first", bytes(32), [Counted(bodies) for bodies in candidates]) is None
    return Counted.hashed


FOUR = [bytes([number]) for number in range(CANDIDATES)]


@pytest.mark.parametrize(
    "candidates",
    [[FOUR] * 15, [FOUR] * 6 + [FOUR[:1]] * 9, [FOUR[:1]] * 9 + [FOUR] * 6, [FOUR[:2]] * 15],
    ids=["four each", "the choice first", "the choice last", "two each"],
)
def test_7_5_a_message_of_sixteen_hostile_parts_is_given_up_after_bounded_work(
    candidates: list[list[bytes]],
) -> None:
    assert TRIES <= work(candidates) <= 15 * TRIES


@pytest.mark.parametrize("missing", [0, 7, 14])
def test_7_5_with_a_part_missing_no_combination_is_tried(missing: int) -> None:
    candidates = [[] if part == missing else FOUR for part in range(15)]
    assert work(candidates) == 0


def test_7_5_the_last_combination_within_the_bound_is_found_and_the_next_is_not() -> None:
    last = [FOUR[-1]] * 6
    whole = body_hash(b"".join(last))
    assert CANDIDATES**6 == TRIES
    assert join_candidates(b"", whole, [FOUR] * 6) == last
    assert join_candidates(b"", body_hash(FOUR[1] + b"".join(last)), [FOUR[:2], *[FOUR] * 6]) is None
