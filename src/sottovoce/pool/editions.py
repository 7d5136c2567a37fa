"""All editions of a folder for readers: any number of processes, none of which writes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sottovoce.protocol.sizes import HASH, TAG

from .disk import names_in, open_quietly
from .edition import EditionFile, Listed
from .errors import RoadError

SUFFIX = ".edition"
HASH_SUFFIX = ".sha256"
_FILES = 1 << 16  # more than 30 days have
_BUCKETS, _SHIFT = 1 << 12, 52


def edition_path(folder: Path, number: int) -> Path:
    """Where an edition lies."""
    return folder / f"{number}{SUFFIX}"


def hash_path(folder: Path, number: int) -> Path:
    """Where an edition's SHA-256 lies, 32 bytes: reckoned when it was written, so that a list costs nothing."""
    return folder / f"{number}{HASH_SUFFIX}"


def numbers_in(folder: Path, suffix: str) -> list[int]:
    """The numbers of a folder's files with a suffix, ascending; other names are passed over."""
    names = (name.removesuffix(suffix) for name in names_in(folder) if name.endswith(suffix))
    return sorted(int(name) for name in names if name.isascii() and name.isdigit() and name == str(int(name)))


@dataclass(frozen=True)
class _Held:
    """One state of the folder; never changed, so that readers need no lock.

    `index` has of every tag its first 6 bytes, then its file's place in 2, as one number; ascending. `starts` says
    where the numbers with each value of the uppermost 12 bits begin, and where the last ones end.
    """

    files: tuple[EditionFile, ...] = ()
    index: array[int] = field(default_factory=lambda: array("Q"))
    starts: tuple[int, ...] = (0,) * (_BUCKETS + 1)

    @classmethod
    def of(cls, files: tuple[EditionFile, ...]) -> _Held:
        index = array("Q")
        for place, file in enumerate(files):
            index.extend(_numbers(file.tags, place))
        index = array("Q", sorted(index))
        starts = (*(bisect_left(index, bucket << _SHIFT) for bucket in range(_BUCKETS)), len(index))
        return cls(files, index, starts)

    @property
    def numbers(self) -> list[int]:
        return [file.number for file in self.files]

    def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        index, starts, found, last = self.index, self.starts, dict[bytes, bytes](), len(self.index)
        for tag, low in zip(tags, _numbers(b"".join(tags), 0), strict=True):
            bucket = low >> _SHIFT
            place = bisect_left(index, low, starts[bucket], starts[bucket + 1])
            while place < last and index[place] ^ low < _FILES:  # the file decides
                sealed = self.files[index[place] % _FILES].find(tag)
                if sealed is not None:
                    found[tag] = sealed
                place += 1
        return found


def _numbers(tags: bytes, place: int) -> array[int]:
    """Of tags joined what the index has of them; slices with a step, since a loop in Python takes a second for 10^6."""
    raw = bytearray(8 * (len(tags) // TAG))
    for at in range(6):
        raw[at::8] = tags[at::TAG]
    for at, byte in enumerate(place.to_bytes(2, "big"), 6):
        raw[at::8] = bytes([byte]) * (len(raw) // 8)
    numbers = array("Q", bytes(raw))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


class Editions:
    """The editions in a folder; looks again at each call whether some came or went."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held = _Held()
        self._hashes: dict[int, bytes] = {}

    def refresh(self) -> None:
        """Takes in what came and went. Costs about 0.4 s of work at 10^6 envelopes alive when something did."""
        with self._lock:
            numbers = numbers_in(self._folder, SUFFIX)
            if numbers == self._held.numbers:
                return
            old = {file.number: file for file in self._held.files}
            opened = (old.get(number) or _open(self._folder, number) for number in numbers)
            files = tuple(file for file in opened if file)
            self._held = _Held.of(files)
            self._hashes = {number: known for number, known in self._hashes.items() if number in numbers}

    def listed(self) -> list[Listed]:
        """Every edition alive, by number (spec 9.7)."""
        self.refresh()
        return [Listed(file.number, file.count, self._hash(file)) for file in self._held.files]

    def open(self, number: int) -> tuple[Listed, BinaryIO] | None:
        """An edition's entry and its file, for serving; None when it is not there (any more)."""
        self.refresh()
        for file in self._held.files:
            if file.number == number:
                try:
                    return Listed(number, file.count, self._hash(file)), open_quietly(file.path)
                except FileNotFoundError:
                    return None
        return None

    def get(self, tag: bytes) -> bytes | None:
        """The envelope under one tag in what was there at the last refresh."""
        return self._held.find([tag]).get(tag)

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags, in all editions alive; 2,048 tags in 10^6 take about 2 ms."""
        if numbers_in(self._folder, SUFFIX) != self._held.numbers:
            await asyncio.to_thread(self.refresh)
        return self._held.find(tags)

    def _hash(self, file: EditionFile) -> bytes:
        if file.number not in self._hashes:
            raw = b""
            with contextlib.suppress(FileNotFoundError), open_quietly(hash_path(self._folder, file.number)) as held:
                raw = held.read(HASH + 1)
            self._hashes[file.number] = raw if len(raw) == HASH else file.hash()
        return self._hashes[file.number]


def _open(folder: Path, number: int) -> EditionFile | None:
    try:
        file = EditionFile(edition_path(folder, number))
    except FileNotFoundError:  # expired since it was listed
        return None
    if file.number != number:
        raise RoadError(f"The edition {number}{SUFFIX} has another number inside: move it away.")
    return file
