"""An edition as a file and as a stream (spec 9.6): written whole, read in place, distrusted from outside."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.pool import filled

from sottovoce.pool.edition import (
    COUNT_MOST,
    HEADER,
    EditionFile,
    Listed,
    edition_bytes,
    next_hour,
    padded,
    read_stream,
    size_of,
)
from sottovoce.pool.errors import RoadError
from sottovoce.protocol.sizes import ENVELOPE

_DICE = random.Random(7)  # noqa: S311  # the same in each run
TAGS = sorted(_DICE.randbytes(16) for _ in range(64))
HELD = {tag: filled(tag) for tag in TAGS}
RAW = edition_bytes(83_333, HELD)
LISTED = Listed(83_333, 64, hashlib.sha256(RAW).digest())


def pieces(raw: bytes, size: int) -> Iterator[bytes]:
    return (raw[at : at + size] for at in range(0, len(raw), size))


def test_9_6_the_bytes_of_an_edition() -> None:
    assert RAW[:16] == b"sottoed\x01" + (83_333).to_bytes(4, "big") + (64).to_bytes(4, "big")
    assert RAW[16 : 16 + 64 * 16] == b"".join(TAGS)
    assert RAW[16 + 64 * 16 :] == b"".join(HELD[tag] for tag in TAGS)
    assert len(RAW) == size_of(64)


def test_9_6_who_writes_it_again_writes_the_same_bytes() -> None:
    other_order = dict(sorted(HELD.items(), key=lambda item: item[0][::-1]))
    assert list(other_order) != list(HELD)
    assert edition_bytes(83_333, other_order) == RAW


@pytest.mark.parametrize(("count", "filled_to"), [(0, 32), (1, 32), (32, 32), (33, 64), (100_000, 100_000)])
def test_9_6_a_count_says_no_more_than_a_multiple_of_32(count: int, filled_to: int) -> None:
    assert padded(count) == filled_to
    assert padded(padded(count)) == padded(count)


def test_the_hour_of_the_next_edition() -> None:
    assert [next_hour(edition) for edition in range(83_332, 83_337)] == [6, 12, 18, 0, 6]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "83333.edition"
    path.write_bytes(RAW)
    return path


def test_it_is_read_in_place(path: Path) -> None:
    file = EditionFile(path)
    assert (file.number, file.count, file.tags, file.hash()) == (83_333, 64, b"".join(TAGS), LISTED.hash)
    assert [file.tag(place) for place in range(64)] == TAGS
    assert all(file.find(tag) == file.envelope(place) == HELD[tag] for place, tag in enumerate(TAGS))
    assert [file.find(tag) for tag in (bytes(16), b"\xff" * 16, secrets.token_bytes(16))] == [None] * 3


@pytest.mark.parametrize("damage", [RAW[:-1], RAW + b"x", RAW[:16], b"", b"x" * len(RAW), b"sottoed\x02" + RAW[8:]])
def test_a_damaged_or_newer_file_is_refused_in_one_sentence(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    with pytest.raises(RoadError, match=r"^(?=.*(damaged|newer))[^\n]*\.$"):
        EditionFile(path)


@pytest.mark.parametrize("size", [61, 1_039, ENVELOPE, ENVELOPE + 16, 65_536, 1 << 20])
def test_a_stream_comes_in_pieces_of_any_size(size: int) -> None:
    assert list(read_stream(pieces(RAW, size), LISTED)) == list(HELD.items())


def test_a_stream_may_have_empty_pieces() -> None:
    with_gaps = (part for piece in pieces(RAW, 5_000) for part in (b"", piece, b""))
    assert dict(read_stream(with_gaps, LISTED)) == HELD


def test_a_stream_is_never_held_whole() -> None:
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for piece in pieces(RAW, 1_000):
            taken += len(piece)
            yield piece

    for place, _ in enumerate(read_stream(counted(), LISTED), 1):
        assert taken <= HEADER + 64 * 16 + place * ENVELOPE + 1_000


@pytest.mark.parametrize("size", [1, 8, 15, 16, 17, 16 + 64 * 16, 50_000, len(RAW) - 1])
def test_attack_a_cut_stream_is_an_error(size: int) -> None:
    with pytest.raises(RoadError, match=r"cut off|no edition"):
        list(read_stream(pieces(RAW[:size], 4_096), LISTED))


def test_attack_more_than_the_edition_is_an_error_and_not_read() -> None:
    def endless() -> Iterator[bytes]:
        yield RAW
        yield b"x"
        pytest.fail("asked for more than the first byte too many")

    with pytest.raises(RoadError, match="differs"):
        list(read_stream(endless(), LISTED))


@pytest.mark.parametrize("at", [0, 7, 8, 11, 12, 15, 16, 16 + 64 * 16, len(RAW) - 1])
def test_attack_one_flipped_bit_is_found(at: int) -> None:
    flipped = bytearray(RAW)
    flipped[at] ^= 1
    with pytest.raises(RoadError):
        list(read_stream([bytes(flipped)], LISTED))


def test_attack_another_edition_than_listed() -> None:
    other = edition_bytes(83_334, HELD)
    with pytest.raises(RoadError, match="another edition"):
        next(read_stream([other], LISTED))
    fewer = edition_bytes(83_333, dict(list(HELD.items())[:32]))
    with pytest.raises(RoadError, match="another edition"):
        next(read_stream([fewer], LISTED))


@pytest.mark.parametrize("tags", [[TAGS[1], TAGS[0], *TAGS[2:]], [TAGS[0], TAGS[0], *TAGS[2:]]])
def test_attack_tags_out_of_order_or_twice(tags: list[bytes]) -> None:
    raw = RAW[:HEADER] + b"".join(tags) + RAW[HEADER + 64 * 16 :]
    with pytest.raises(RoadError, match="out of order"):
        next(read_stream([raw], Listed(83_333, 64, hashlib.sha256(raw).digest())))


@pytest.mark.parametrize("count", [0, 31, 33, COUNT_MOST + 32, 2**32 - 32])
def test_attack_a_count_that_no_edition_has(count: int) -> None:
    raw = RAW[:12] + count.to_bytes(4, "big") + RAW[16:]
    with pytest.raises(RoadError, match="count"):
        next(read_stream([raw], Listed(83_333, count, bytes(32))))
