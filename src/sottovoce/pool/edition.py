"""An edition as bytes: written once, read in place or from a stream (spec 9.6).

Layout: head(8) ‖ edition(4) ‖ count(4) ‖ count tags(16), ascending ‖ count envelopes(8,192) in the same order. Tags are
random, so this order is a shuffle, and everybody who writes the same edition writes the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from sottovoce.protocol.sizes import ENVELOPE, QUARTERS, TAG

from .disk import open_quietly
from .errors import RoadError

HEAD = b"sottoed\x01"  # the last byte is the version
HEADER = len(HEAD) + 4 + 4
MULTIPLE = 32  # a count says no more than this; the least edition has so many, all dummies perhaps
COUNT_MOST = 100_000  # a desk downloads that in a quarter of an hour at 1 MB/s


@dataclass(frozen=True)
class Listed:
    """An edition as the public list names it: number, count of envelopes, SHA-256 of the whole file (spec 9.7)."""

    number: int
    count: int
    hash: bytes


def size_of(count: int) -> int:
    """The bytes of an edition of so many envelopes."""
    return HEADER + count * (TAG + ENVELOPE)


def padded(count: int) -> int:
    """The count to which an edition is filled with dummies: a multiple of 32, at least 32 (spec 9.6)."""
    return max(MULTIPLE, -(-count // MULTIPLE) * MULTIPLE)


def next_hour(edition: int) -> int:
    """The UTC hour, 0 to 23, at which the edition after this one begins."""
    return (edition % QUARTERS + 1) % QUARTERS * (24 // QUARTERS)


def write_edition(file: BinaryIO, number: int, tags: Sequence[bytes], envelopes: Iterable[bytes]) -> bytes:
    """Writes an edition whose tags ascend, envelopes in their order; returns the SHA-256 of what it wrote."""
    hashed = hashlib.sha256()
    for part in _parts(number, tags, envelopes):
        file.write(part)
        hashed.update(part)
    return hashed.digest()


def _parts(number: int, tags: Sequence[bytes], envelopes: Iterable[bytes]) -> Iterator[bytes]:
    yield HEAD + number.to_bytes(4, "big") + len(tags).to_bytes(4, "big")
    yield b"".join(tags)
    for _, envelope in zip(tags, envelopes, strict=True):
        yield envelope


def edition_bytes(number: int, held: Mapping[bytes, bytes]) -> bytes:
    """A whole small edition in memory, of tags and envelopes; who calls pads it."""
    file = io.BytesIO()
    tags = sorted(held)
    write_edition(file, number, tags, (held[tag] for tag in tags))
    return file.getvalue()


class EditionFile:
    """An edition on the disk, read in place; RoadError when it is none. `number` and `count` are its header's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_quietly(path) as file:
            header = file.read(HEADER)
            size = file.seek(0, io.SEEK_END)
            self.number, self.count = _read_header(header)
            if size != size_of(self.count):
                raise RoadError(f"The edition {path.name} is damaged: move it away; what lay in it is lost.")
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @property
    def tags(self) -> bytes:
        """All tags joined, ascending."""
        return self._bytes[HEADER : HEADER + self.count * TAG]

    def tag(self, place: int) -> bytes:
        """The tag at a place, from 0."""
        start = HEADER + place * TAG
        return self._bytes[start : start + TAG]

    def envelope(self, place: int) -> bytes:
        """The envelope at a place, from 0."""
        start = HEADER + self.count * TAG + place * ENVELOPE
        return self._bytes[start : start + ENVELOPE]

    def find(self, tag: bytes) -> bytes | None:
        """The envelope under a tag, None when there is none."""
        place = bisect_left(range(self.count), tag, key=self.tag)
        return self.envelope(place) if place < self.count and self.tag(place) == tag else None

    def hash(self) -> bytes:
        """SHA-256 of the whole file, reckoned anew: a second or so for the largest."""
        return hashlib.sha256(self._bytes).digest()


def read_stream(chunks: Iterable[bytes], listed: Listed) -> Iterator[tuple[bytes, bytes]]:
    """The tags and envelopes of an edition that arrives in chunks of any size, in their order (spec 9.6).

    RoadError as soon as it is not the listed one. That its hash is the listed one is known only after the last pair:
    who stores what comes here takes it back when an error ends it. No more than the tags and a chunk is held.
    """
    stream = _Stream(chunks)
    if _read_header(stream.take(HEADER)) != (listed.number, listed.count):
        raise RoadError("The server sent another edition than it lists: try again, or ask who runs it.")
    joined = stream.take(listed.count * TAG)
    tags = [joined[at : at + TAG] for at in range(0, len(joined), TAG)]
    if any(one >= following for one, following in pairwise(tags)):
        raise RoadError("The server sent an edition whose tags are out of order: ask who runs it.")
    for tag in tags:
        yield tag, stream.take(ENVELOPE)
    if stream.rest() or stream.hashed.digest() != listed.hash:
        raise RoadError("The server sent an edition that differs from the one it lists: try again, or ask who runs it.")


def _read_header(raw: bytes) -> tuple[int, int]:
    number, count = int.from_bytes(raw[len(HEAD) : HEADER - 4], "big"), int.from_bytes(raw[HEADER - 4 : HEADER], "big")
    if len(raw) != HEADER or not raw.startswith(HEAD):
        raise RoadError("This is no edition, or one of a newer version: install that version, or newer.")
    if not MULTIPLE <= count <= COUNT_MOST or count % MULTIPLE:
        raise RoadError("An edition has a count that none can have: ask who runs the server.")
    return number, count


class _Stream:
    """Pieces of exact sizes out of chunks of any size."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._buffer, self._at = iter(chunks), b"", 0
        self.hashed = hashlib.sha256()

    def take(self, size: int) -> bytes:
        """The next `size` bytes; RoadError when fewer are left."""
        pieces = [self._piece(size)]
        while (size := size - len(pieces[-1])) > 0:
            if not self._refill():
                raise RoadError("The edition was cut off: try again.")
            pieces.append(self._piece(size))
        return b"".join(pieces)

    def rest(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._buffer) or self._refill()

    def _piece(self, most: int) -> bytes:
        piece = self._buffer[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def _refill(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                self._buffer, self._at = chunk, 0
                self.hashed.update(chunk)
                return True
        return False
