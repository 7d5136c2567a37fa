"""CBOR, bodies, room, the bitmap, sizes and the clock's units (spec 1, 4.4, 5.5, 6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sottovoce.protocol import cbor, sizes
from sottovoce.protocol.body import Body, text_room
from sottovoce.protocol.envelope import (
    DESK_ROOM,
    LATER_ROOM,
    SOURCE_ROOM,
    TO_DESK,
    TO_SOURCE,
    DeskPart,
    Header,
    LaterPart,
    SourcePart,
    body_hash,
    decode,
    seen_bit,
    seen_bitmap,
    seen_bits,
)
from sottovoce.protocol.errors import Refused
from sottovoce.protocol.keys import answer_epochs
from sottovoce.protocol.sealing import binding
from sottovoce.protocol.sizes import edition_of, epoch_of
from sottovoce.protocol.words import SECRET

ids = st.binary(min_size=16, max_size=16)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(-300, 70_000), inner, max_size=4),
    max_leaves=6,
).filter(lambda value: depth(value) <= cbor.DEPTH)


def depth(value: object) -> int:
    """How many arrays or maps that are not empty lie in one another."""
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return 1 + max(map(depth, items)) if items else 0


def test_1_1_integers_are_big_endian_and_labels_have_no_final_zero() -> None:
    assert binding(b"o" * 32, 1, 258, b"t" * 16) == b"sottovoce/v1/envelope" + b"o" * 32 + b"\1\0\0\1\2" + b"t" * 16
    assert desk(bytes(258)).encode()[4:6] == b"\1\2"


def test_1_4_the_sizes() -> None:
    assert sizes.ENVELOPE == 8_192 == 1_120 + 7_056 + 16
    assert (sizes.ENCAPSULATED, sizes.PLAINTEXT, sizes.AEAD_TAG) == (1_120, 7_056, 16)
    assert (sizes.TAG, sizes.MAC, SECRET) == (16, 16, 16)
    assert (sizes.KEM_PUBLIC, sizes.KEY, sizes.HASH, sizes.SLOTS) == (1_216, 32, 32, 16)


@given(value=plain)
@settings(max_examples=150, deadline=None)
def test_6_1_what_is_encoded_comes_back(value: object) -> None:
    assert cbor.decode(cbor.encode(value), "body", 100_000) == value


REFUSED = {
    "nothing": "",
    "a byte after the value": "a100616100",
    "a cut": "a10061",
    "a long head": "1800",
    "a long length": "780161",
    "an indefinite array": "9f00ff",
    "an indefinite map": "bf0000ff",
    "an indefinite text": "7f6161ff",
    "a key twice": "a200000001",
    "another order": "a201000000",
    "bytewise order, where the shorter comes first": "a2186400 2000",
    "a float": "f93c00",
    "a float that is a whole number": "fb3ff0000000000000",
    "undefined": "f7",
    "a simple value": "e0",
    "a date": "c100",
    "a big number": "c249010000000000000000",
    "a shared reference": "d81c80",
    "a tag that says it is CBOR": "d9d9f700",
    "an unknown tag": "d9ffff00",
    "text that is not UTF-8": "61ff",
    "an array as a key": "a18000",
    "a map as a key": "a1a000",
    "an array that claims 2^63 items": "9b7fffffffffffffff",
    "bytes that claim 2^64": "5bffffffffffffffff",
    "seven levels": "81818181818181" + "00",
    "seven levels of maps": "a100" * 7 + "00",
    "a break alone": "ff",
    "a reserved head": "1c",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_6_1_any_other_form_is_refused(data: str) -> None:
    with pytest.raises(Refused) as caught:
        cbor.decode(bytes.fromhex(data), "roster", 1_000)
    assert caught.value.layer == "roster"


@given(data=st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_6_1_any_bytes_are_one_encoding_or_refused(data: bytes) -> None:
    try:
        value = cbor.decode(data, "body", 60)
    except Refused:
        return
    assert cbor.encode(value) == data


def test_6_1_six_levels_are_taken_and_empty_ones_do_not_count() -> None:
    for data in ("81" * 6 + "00", "a100" * 6 + "00", "81" * 6 + "80", "81" * 6 + "a0"):
        assert cbor.encode(cbor.decode(bytes.fromhex(data), "body", 100)).hex() == data


def test_6_1_more_bytes_than_the_limit_are_refused() -> None:
    assert cbor.decode(b"\x43abc", "body", 4) == b"abc"
    with pytest.raises(Refused, match="more than 3 bytes"):
        cbor.decode(b"\x43abc", "body", 3)


@given(text=st.text(max_size=200))
@settings(max_examples=50, deadline=None)
def test_6_2_a_body_comes_back(text: str) -> None:
    assert Body.decode(Body(text).encode()) == Body(text)


def test_6_2_the_bytes_of_a_body() -> None:
    assert Body("a").encode().hex() == "a1006161"


def test_6_3_unknown_keys_are_kept() -> None:
    data = bytes.fromhex("a3006161 0180 1864 6162")
    body = Body.decode(data)
    assert (body.text, body.unknown) == ("a", {1: [], 100: "b"})
    assert body.encode() == data


@given(text=st.text(max_size=200), after=ids)
@settings(max_examples=50, deadline=None)
def test_6_5_after_comes_back(text: str, after: bytes) -> None:
    assert Body.decode(Body(text, after).encode()) == Body(text, after)
    assert Body(text, after, None, {9: 1}).encode() == cbor.encode({0: text, 4: after, 9: 1})


@pytest.mark.parametrize("after", [b"", bytes(15), bytes(17), "x" * 16, None, 0, False, [bytes(16)]])
def test_6_5_after_that_is_no_message_id_is_refused(after: object) -> None:
    with pytest.raises(Refused) as caught:
        Body.decode(cbor.encode({0: "a", 4: after}))
    assert caught.value.layer == "body"


def test_6_6_a_language_comes_back() -> None:
    body = Body("a", bytes(16), "zh-Hans")
    assert Body.decode(body.encode()) == body
    assert body.encode() == cbor.encode({0: "a", 3: "zh-Hans", 4: bytes(16)})


@pytest.mark.parametrize("language", ["", "f", "x" * 9, "f a", "fá", "--", b"fa", None, 3, ["fa"]])
def test_6_6_a_language_that_is_no_tag_is_refused(language: object) -> None:
    with pytest.raises(Refused) as caught:
        Body.decode(cbor.encode({0: "a", 3: language}))
    assert caught.value.layer == "body"


def test_6_2_a_body_of_more_bytes_than_sixteen_parts_have_is_refused() -> None:
    most = 16 * 7_032
    assert Body.decode(cbor.encode({0: "x" * (most - 7)})).text
    with pytest.raises(Refused, match="more than 112512 bytes"):
        Body.decode(cbor.encode({0: "x" * (most - 6)}))


@pytest.mark.parametrize("data", ["a0", "a10141 61", "a1004161", "80", "00", "a2006161616100", "a200616120f97c00"])
def test_6_2_a_body_without_text_or_with_other_keys_is_refused(data: str) -> None:
    with pytest.raises(Refused) as caught:
        Body.decode(bytes.fromhex(data))
    assert caught.value.layer == "body"


def desk(body: bytes) -> DeskPart:
    """Part 0 to the desk around `body`."""
    return DeskPart(
        Header(TO_DESK, bytes(16)), body, body_hash(body), bytes(32), bytes(1_216), bytes(32), bytes(32), bytes(256)
    )


def source(body: bytes) -> SourcePart:
    """Part 0 of an answer around `body`."""
    return SourcePart(Header(TO_SOURCE, bytes(16)), body, body_hash(body), 0, 0)


def test_5_1_the_rooms() -> None:
    assert (DESK_ROOM, SOURCE_ROOM, LATER_ROOM) == (5_176, 6_978, 7_032)
    assert (text_room(DESK_ROOM), text_room(SOURCE_ROOM)) == (5_141, 6_943)


@pytest.mark.parametrize(("make", "room"), [(desk, DESK_ROOM), (source, SOURCE_ROOM)])
def test_5_1_a_body_of_exactly_the_room_fits_and_one_byte_more_does_not(
    make: Callable[[bytes], DeskPart | SourcePart], room: int
) -> None:
    assert len(make(b"x" * room).encode()) == 7_056
    with pytest.raises(ValueError, match="1 bytes too long"):
        make(b"x" * (room + 1)).encode()


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65_535, 65_536, 110_000])
def test_6_4_a_text_costs_at_most_seven_bytes_after_eighteen_and_a_language_ten(size: int) -> None:
    text = "x" * size
    assert len(Body(text).encode()) <= size + 7
    assert len(Body(text, after=bytes(16)).encode()) == len(Body(text).encode()) + 18
    assert len(Body(text, language="zh-Hans-").encode()) == len(Body(text).encode()) + 10
    assert text_room(size + 35) == size


def test_6_4_seventeen_hundred_chinese_characters_fit() -> None:
    assert len(desk(Body("密" * 1_700).encode()).encode()) == 7_056


@given(body=st.binary(max_size=LATER_ROOM), part=st.integers(1, 15), message_id=ids, way=st.sampled_from([0, 1]))
@settings(max_examples=30, deadline=None)
def test_5_1_a_later_part_comes_back(body: bytes, part: int, message_id: bytes, way: int) -> None:
    later = LaterPart(Header(way, message_id, part, 16), body)
    assert decode(later.encode(), way) == later


@pytest.mark.parametrize("size", [0, 7_055, 7_057, 8_192])
def test_5_1_a_plaintext_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Refused) as caught:
        decode(bytes(size), TO_DESK)
    assert caught.value.layer == "header"


@given(offset=st.integers(1_880 + 4, 7_055), value=st.integers(1, 255))
@settings(max_examples=50, deadline=None)
def test_5_1_anything_after_the_body_is_refused(offset: int, value: int) -> None:
    plaintext = bytearray(desk(Body("a").encode()).encode())
    plaintext[offset] = value
    with pytest.raises(Refused, match="not zero"):
        decode(bytes(plaintext), TO_DESK)


@pytest.mark.parametrize(
    ("way", "offset", "value"), [(TO_SOURCE, 6, 16), (TO_SOURCE, 7, 4), (TO_DESK, 6, 1), (TO_DESK, 7, 1)]
)
def test_5_1_a_slot_or_quarter_that_cannot_be_is_refused(way: int, offset: int, value: int) -> None:
    body = Body("a").encode()
    plaintext = bytearray((desk(body) if way == TO_DESK else source(body)).encode())
    plaintext[offset] = value
    with pytest.raises(Refused, match="quarter can't be") as caught:
        decode(bytes(plaintext), way)
    assert caught.value.layer == "header"


def test_5_1_the_last_slot_and_quarter_are_taken() -> None:
    part = SourcePart(Header(TO_SOURCE, bytes(16), slot=15, n=3), b"", body_hash(b""), 65_535, 2**32 - 1)
    assert decode(part.encode(), TO_SOURCE) == part


def test_5_5_every_place_has_its_own_bit() -> None:
    today = 20_000
    places = [(epoch, slot, n) for epoch in answer_epochs(today) for slot in range(16) for n in range(4)]
    assert [seen_bit(today, *place) for place in places] == list(range(2_048))


@pytest.mark.parametrize("epoch", [19_969, 20_002])
def test_5_5_no_bit_for_an_epoch_out_of_reach(epoch: int) -> None:
    with pytest.raises(ValueError, match="32 epochs"):
        seen_bit(20_000, epoch, 0, 0)


@given(bits=st.sets(st.integers(0, 2_047)))
@settings(max_examples=50, deadline=None)
def test_5_5_the_bitmap_comes_back(bits: set[int]) -> None:
    bitmap = seen_bitmap(bits)
    assert len(bitmap) == 256
    assert seen_bits(bitmap) == bits


def test_5_5_the_least_bit_comes_first() -> None:
    assert seen_bitmap({0, 9})[:2] == b"\x01\x02"


def test_4_4_from_tomorrow_to_thirty_days_back() -> None:
    assert list(answer_epochs(100)) == list(range(101, 69, -1))


@pytest.mark.parametrize(
    ("now", "epoch", "edition"), [(0, 0, 0), (86_399.9, 0, 3), (86_400, 1, 4), (107_999, 1, 4), (108_000, 1, 5)]
)
def test_1_2_epochs_and_editions(now: float, epoch: int, edition: int) -> None:
    assert (epoch_of(now), edition_of(now)) == (epoch, edition)
