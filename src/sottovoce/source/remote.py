"""A pool behind an onion: put on circuits that nobody can tie together, and finding by downloading everything.

Whoever serves the pool sees which envelope arrived when, and that somebody downloaded all that everybody may download.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from sottovoce.pool.client import PoolClient
from sottovoce.pool.edition import Listed, read_stream, size_of
from sottovoce.pool.errors import PutResult, Reply, RoadError
from sottovoce.protocol.sizes import ANSWER_EPOCHS, ENVELOPE, QUARTERS

ATTEMPTS = 3  # each on a fresh circuit, with the same bytes
AT_ONCE = 3  # circuits that download; more would make a home's line no faster
EDITIONS_MOST = QUARTERS * (ANSWER_EPOCHS + 4)  # alive at once, with some that are late to go
ALIVE_MOST = 1 << 30  # bytes: a quarter of an hour at 1 MB/s; a hostile server shall not fill the disk
Progress = Callable[[int, int], None]  # bytes that are here, and in all
T = TypeVar("T")


class _Copy(NamedTuple):
    """One edition in a nameless file: its envelopes, and where each lies."""

    file: BinaryIO
    places: dict[bytes, int]

    def get(self, tag: bytes) -> bytes | None:
        if (place := self.places.get(tag)) is None:
            return None
        self.file.seek(place)
        return self.file.read(ENVELOPE)


class RemotePool:
    """The pool as a source on its own device has it; `fresh` makes a client on a circuit of its own.

    `spool`: a folder for what was downloaded, in files without names that are gone with this object. It is what
    everybody may download, so it tells nothing but that it was.
    """

    def __init__(self, fresh: Callable[[], PoolClient], spool: Path, progress: Progress = lambda done, total: None):
        self._fresh, self._spool, self._progress = fresh, spool, progress
        self._copies: list[_Copy] | None = None
        self._done = self._total = 0
        self.stored: dict[bytes, bytes] = {}  # SHA-256 of what was put, by tag

    async def put(self, epoch: int, tag: bytes, envelope: bytes) -> Reply:
        """Puts one envelope, up to three times with the same bytes; RoadError when none of the answers came."""
        reply: Reply = await asyncio.to_thread(self._attempt, lambda client: client.put(epoch, tag, envelope))
        if reply.result in (PutResult.STORED, PutResult.KNOWN):
            self.stored[tag] = sha256(envelope).digest()
        return reply

    async def find(self, tags: Sequence[bytes]) -> dict[bytes, bytes]:
        """The envelopes under some of these tags, in all editions alive; these are downloaded once. RoadError."""
        if self._copies is None:
            self._copies = await asyncio.to_thread(self._download)
        copies = self._copies
        found = ((tag, sealed) for copy in copies for tag in tags if (sealed := copy.get(tag)) is not None)
        return dict(found)

    def close(self) -> None:
        """Lets go of what was downloaded."""
        for copy in self._copies or ():
            copy.file.close()
        self._copies = None

    def _attempt(self, ask: Callable[[PoolClient], T]) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return ask(self._fresh())
            except RoadError:
                continue
        return ask(self._fresh())

    def _download(self) -> list[_Copy]:
        listed = _sane(self._attempt(PoolClient.editions))
        self._done, self._total = 0, sum(size_of(each.count) for each in listed)
        self._progress(0, self._total)
        copies: list[_Copy] = []
        with ThreadPoolExecutor(AT_ONCE, "edition") as threads:
            try:
                for copy in threads.map(self._copy, listed):
                    copies += [copy] if copy else []
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                for copy in copies:
                    copy.file.close()
                raise
        return copies

    def _copy(self, listed: Listed) -> _Copy | None:
        """One edition, checked against the list; None when it has just expired."""
        try:
            copy = self._attempt(lambda client: self._stream(client, listed))
        except RoadError:
            if listed.number in {each.number for each in self._attempt(PoolClient.editions)}:
                raise
            return None
        self._done += size_of(listed.count)
        self._progress(self._done, self._total)
        return copy

    def _stream(self, client: PoolClient, listed: Listed) -> _Copy:
        file = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 closed with the pool
        try:
            with closing(client.edition(listed.number, count=listed.count)) as chunks:  # type: ignore[type-var]  # a generator, by its type less
                return _Copy(file, _written(file, read_stream(chunks, listed)))
        except BaseException:
            file.close()
            raise


def _written(file: BinaryIO, pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, int]:
    places: dict[bytes, int] = {}
    for tag, envelope in pairs:
        places[tag] = ENVELOPE * len(places)
        file.write(envelope)
    return places


def _sane(listed: Sequence[Listed]) -> Sequence[Listed]:
    """The list, when it is one that an honest server can have."""
    if len(listed) > EDITIONS_MOST:
        raise RoadError("The server lists more editions than can be alive: ask who runs it.")
    if sum(size_of(each.count) for each in listed) > ALIVE_MOST:
        raise RoadError("The server lists more than a gigabyte, too much to download over Tor: ask who runs it.")
    return listed
