"""All editions of a folder for readers: any number of processes, none of which writes."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sottovoce.protocol.sizes import HASH, TAG

from .disk import names_in, open_quietly
from .edition import EditionFile, Listed
from .errors import RoadError

SUFFIX = ".edition"
HASH_SUFFIX = ".sha256"
_PREFIX = 6  # bytes of a tag in the index; the other two of eight say in which file it is


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
    """One state of the folder; never changed, so that readers need no lock."""

    files: tuple[EditionFile, ...] = ()
    index: array[int] = field(default_factory=lambda: array("Q"))

    @property
    def numbers(self) -> list[int]:
        return [file.number for file in self.files]

    def find(self, tag: bytes) -> bytes | None:
        index, low = self.index, int.from_bytes(tag[:_PREFIX], "big") << 16
        place = bisect_left(index, low)
        while place < len(index) and index[place] ^ low < 1 << 16:
            found = self.files[index[place] & 0xFFFF].find(tag)
            if found is not None:
                return found
            place += 1
        return None


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
            self._held = _Held(files, _index(files))
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
        return self._held.find(tag)

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags, in all editions alive; 2,048 tags in 10^6 take about 2 ms."""
        if numbers_in(self._folder, SUFFIX) != self._held.numbers:
            await asyncio.to_thread(self.refresh)
        held = self._held
        return {tag: sealed for tag in tags if (sealed := held.find(tag)) is not None}

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


def _index(files: Iterable[EditionFile]) -> array[int]:
    """Of every tag its first 6 bytes, then its file's place in 2 bytes, as one sorted number of 8."""
    raw = bytearray()
    for place, file in enumerate(files):
        tags, part = file.tags, bytearray(8 * file.count)
        for at in range(_PREFIX):
            part[at::8] = tags[at::TAG]
        for at, byte in enumerate(place.to_bytes(2, "big"), _PREFIX):
            part[at::8] = bytes([byte]) * file.count
        raw += part
    index = array("Q", bytes(raw))
    if sys.byteorder == "little":
        index.byteswap()
    return array("Q", sorted(index))
